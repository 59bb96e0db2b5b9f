"""Where there is no cron: stay up, run the cycle at the config's pace, and once a night the proof by re-reading.

The proof runs for hours, and runs beside the cycles: as a process of its own, started when its time of day has come and
no run of it is known to have begun since. A machine that slept or was off at that time makes up for it. When it has
ended, packs and rescue bundle are made anew of what it proved, and once a month a recovery drill is held.
"""

import logging
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from datetime import time as time_of_day

import schedule

from recovery.cache.journal import Journal
from recovery.host.clock import read_clock
from recovery.settings.config import Config

log = logging.getLogger(__name__)

NIGHTLY, PACKS, BUNDLE, DRILL = "verify_backup", "keep_packs", "keep_bundle", "drill"
SECONDS_TO_STOP = 4.0
"""That a nightly run is waited for; it and this program end by themselves after `stopping.GRACE`."""


def keep_running(config: Config, run_cycle: Callable[[], int]) -> int:
    """Run a cycle now and then every `[schedule] cycle_minutes`, and the nightly jobs, until stopped; returns the last
    exit status."""
    up_since, nightly = read_clock(), _Nightly(config, NIGHTLY)
    after_it = {job: _Nightly(config, job) for job in (PACKS, BUNDLE, DRILL)}
    last = 0

    def again() -> None:
        nonlocal last
        last = run_cycle()
        if is_due(config, up_since, read_clock()):
            nightly.start()
        for job, process in after_it.items():
            now = read_clock()
            if drill_is_due(config, now) if job == DRILL else is_due_after_proof(config, job, now):
                process.start()

    schedule.every(config.schedule.cycle_minutes).minutes.do(again)
    log.info("a cycle runs every %s minutes", config.schedule.cycle_minutes)
    try:
        again()
        while True:
            schedule.run_pending()
            try:
                time.sleep(1)
            except KeyboardInterrupt:
                return last  # nothing was under way
    finally:
        nightly.stop()
        for process in after_it.values():
            process.stop()


def is_due(config: Config, up_since: datetime, now: datetime) -> bool:
    """Whether the time of day of `[verify] at` came since the last run of the proof began, or, where none is known,
    since this program is up. Times aware. A run that lies in the future was begun by a clock that was wrong."""
    if not config.verify.at:
        return False
    local = now.astimezone(config.site.zone)
    came = datetime.combine(local.date(), time_of_day.fromisoformat(config.verify.at), config.site.zone)
    if came > local:
        came -= timedelta(days=1)
    with suppress(OSError):
        runs = [run.started_at for run in Journal(config.cache_path).runs() if run.job == NIGHTLY]
        if runs:
            return runs[-1] < came or runs[-1] > now
    return up_since < came


def is_due_after_proof(config: Config, job: str, now: datetime) -> bool:
    """Whether a proof by re-reading has ended since packs, or bundle, were begun. A run that lies in the future was
    begun by a clock that was wrong."""
    with suppress(OSError):
        runs = Journal(config.cache_path).runs()
        proofs = [run.finished_at for run in runs if run.job == NIGHTLY and run.finished_at is not None]
        begun = [run.started_at for run in runs if run.job == job]
        is_wanted = bool(proofs) and bool(config.bundle_paths if job == BUNDLE else config.package_path)
        return is_wanted and (not begun or begun[-1] < proofs[-1] or begun[-1] > now)
    return False


def drill_is_due(config: Config, now: datetime) -> bool:
    """Whether `[drill] every_days` have passed since a drill was last held, and a proof by re-reading has ended since
    one was last begun: at night, of what was just proven. One of the future was begun by a clock that was wrong."""
    with suppress(OSError):
        runs = Journal(config.cache_path).runs()
        proofs = [run.finished_at for run in runs if run.job == NIGHTLY and run.finished_at is not None]
        begun = [run for run in runs if run.job == DRILL and run.started_at < now]
        held = [run.started_at for run in begun if run.outcome in {"OK", "PARTIAL"}]
        every = timedelta(days=config.drill.every_days)
        is_wanted = bool(every and proofs) and (not held or now - held[-1] >= every)
        return is_wanted and (not begun or begun[-1].started_at < proofs[-1])
    return False


class _Nightly:
    """The process of a nightly job, where there is one."""

    def __init__(self, config: Config, job: str) -> None:
        self._command = [sys.executable, "-m", "backup_jobs", job, "--config", str(config.file)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(self._command)

    def stop(self) -> None:
        """Stop it, and wait until it has kept what it found; it ends itself when that takes too long."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(SECONDS_TO_STOP)
