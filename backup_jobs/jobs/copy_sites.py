"""The copies off site: what the last cycle left is brought to each `[[site_copies]]` of this clinic.

How
    A cycle keeps its state aside (`recovery.sites.staging`) and starts this job as a process of its own: none waits for
    a line. What could not go waits for the next; the newest state holds all before it.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from recovery.cache.errors import CacheError
from recovery.cache.journal import JobResult, Outcome
from recovery.host import system
from recovery.settings.trust import key_or_why_not, trust_of
from recovery.sites.manifests import CopyError
from recovery.sites.place import place_of
from recovery.sites.reading import last_seen, note_seen, seen_file
from recovery.sites.staging import JOB, stage, staged
from recovery.sites.writing import CopyReport, SiteWriter
from recovery.watch.bounded import begin, ended
from recovery.words.times import age

if TYPE_CHECKING:
    from pathlib import Path

    from recovery.pacs.workspace import Workspace
    from recovery.settings.config import Config
    from recovery.settings.sites import SiteCopy

log = logging.getLogger(__name__)

SECONDS = 3600.0
"""That one copy may take; the first of a large clinic is gigabytes."""
SILENT = timedelta(days=1)
"""A copy that is older is a failure, of which people are told."""


def start_copying(config: Config, now: datetime) -> None:
    """Keep what the cycle left, and start the job beside; that it fails, fails no cycle, and is logged."""
    try:
        stage(config.cache_path, now)
        command = [sys.executable, "-m", "backup_jobs", JOB, "--config", str(config.file)]
        nothing = subprocess.DEVNULL
        subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, **system.APART)
    except OSError as error:
        log.warning("the copies off site were not begun: %s", error.strerror or error)


def copy_sites(space: Workspace) -> JobResult:
    """Bring the newest state to each copy; again, where a newer one came meanwhile.

    Raises `CacheError` if there is no state, and none can be kept.
    """
    config = space.config
    if not config.own_copies:
        return JobResult(JOB, "SKIPPED", {}, message="the config has no [[site_copies]] of this site")
    if not staged(config.cache_path):
        try:
            stage(config.cache_path, space.now)
        except OSError as error:
            raise CacheError(f"{config.cache_path} cannot be written: {error.strerror or error}") from error
    done: Path | None = None
    reports: dict[str, CopyReport] = {}
    while done != (newest := staged(config.cache_path)[-1]):
        # side by side: none waits for another's dead line
        asked = {copy.name: begin(lambda copy=copy: _copied(space, copy, newest)) for copy in config.own_copies}  # type: ignore[misc]
        until = time.monotonic() + SECONDS
        for name, answer in asked.items():
            report, fault = ended(answer, max(0.0, until - time.monotonic()))
            reports[name] = report or CopyReport(problems=[f"It {fault}."])
        done = newest if all(answer.done() for answer in asked.values()) else staged(config.cache_path)[-1]
    return _result({name: _with_age(space, name, report) for name, report in reports.items()})


def _copied(space: Workspace, copy: SiteCopy, state: Path) -> CopyReport:
    config = space.config
    file = seen_file(config.cache_path, copy.name)
    (known, _), (key, unsigned) = last_seen(file), key_or_why_not(config)
    taken_at = datetime.strptime(state.name, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)

    try:
        writer = SiteWriter(place_of(copy, config.file.parent), config.site, key, trust_of(config), known)
        report = writer.write(state, taken_at, space.now)
        note_seen(file, report.name, space.now)
    except (CopyError, CacheError, OSError) as error:
        report = CopyReport(problems=[f"It was not written: {error}."])
    report.problems += [unsigned] if unsigned else []
    return report


def _with_age(space: Workspace, name: str, report: CopyReport) -> CopyReport:
    if not report.name:
        _, seen_at = last_seen(seen_file(space.config.cache_path, name))
        # one from the future was noted while the clock was ahead, and tells nothing
        report.is_silent = seen_at is None or abs(space.now - seen_at) > SILENT
        newest = f"its newest state is {age(space.now - seen_at)} old" if seen_at else "nothing is there yet"
        report.problems.append(f"What is new waits; {newest}.")
    return report


def _result(reports: dict[str, CopyReport]) -> JobResult:
    said = [f"{name}: {' '.join(report.problems)}" for name, report in reports.items() if report.problems]
    failed = [name for name, report in reports.items() if not report.name]
    counts = {
        "found": len(reports),
        "already_held": sum(report.held for report in reports.values()),
        "moved": sum(report.written for report in reports.values()),
        "unproven": len(failed),
    }
    is_silent = any(report.is_silent for report in reports.values())
    outcome: Outcome = "FAILED" if is_silent else "PARTIAL" if said else "OK"
    return JobResult(JOB, outcome, counts, message="; ".join(said))
