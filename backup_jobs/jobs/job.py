"""The one boundary of a job: lock, journal, and every error turned into an outcome.

`run_job` wraps a function that returns a `JobResult` or raises. Expected errors carry their sentence; of an unexpected
one only its kind and place are told, because its text may hold a patient's name.
"""

import logging
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from backup_jobs.rv.database_errors import DatabaseError
from recovery.cache.errors import CacheError
from recovery.cache.journal import JobResult, Journal, Outcome, lock
from recovery.cache.memory import Memory
from recovery.dimse import DimseError
from recovery.host.durable import LockedError, NoLockError, refused_by_disk
from recovery.pacs.workspace import Workspace, open_workspace
from recovery.settings.config import Config
from recovery.tables.schema import TableError
from recovery.words.refusals import RefusedError

log = logging.getLogger(__name__)

Attempted = TypeVar("Attempted")

Job = Callable[[Workspace], JobResult]

EXIT_STATUS = {"OK": 0, "SKIPPED": 0, "PARTIAL": 1, "FAILED": 2}
_REFUSED: Mapping[int, Outcome] = {75: "SKIPPED", 1: "PARTIAL"}
"""By the exit status of what is refused: another does it, or there is nobody to do it for."""
LOCKED = 75
"""EX_TEMPFAIL of sysexits.h: another run of the same job is under way."""


@dataclass(frozen=True, slots=True)
class Run:
    """A result and the exit status that it asks for."""

    result: JobResult
    exit_status: int


def run_job(name: str, job: Job, space: Workspace) -> Run:
    """Run one job under its lock and in the journal."""
    try:
        with lock(space.config.cache_path, name):
            return _run_locked(name, job, space)
    except LockedError as error:
        return Run(JobResult(name, "SKIPPED", {}, message=f"{error}; this one does nothing"), LOCKED)
    except NoLockError as error:
        return unlocked(name, error)


def unlocked(name: str, error: NoLockError) -> Run:
    """What a job comes to that no disk gives a lock: two of it at once might write over each other."""
    return Run(_failed(name, str(error), "cache"), EXIT_STATUS["FAILED"])


def _run_locked(name: str, job: Job, space: Workspace) -> Run:
    started = time.monotonic()
    journal = Journal(space.config.cache_path)
    run_id = note(lambda: journal.start(name, space.now))
    with space.one_job():
        result = _outcome(name, lambda: job(space))
        result = _with_refused(_not_asked_to_the_end(result, space.memory), space.refused)
    seconds = time.monotonic() - started
    result = replace(result, seconds=round(seconds, 3))
    if run_id is not None:
        note(lambda: journal.finish(run_id, result, space.now))
    return Run(result, EXIT_STATUS[result.outcome])


def _not_asked_to_the_end(result: JobResult, memory: Memory) -> JobResult:
    """A job one of whose questions may lack matches is PARTIAL, and names the question."""
    said = memory.unfinished()
    if not said:
        return result
    message = "; ".join(part for part in (result.message, *said) if part)
    outcome = "PARTIAL" if result.outcome == "OK" else result.outcome
    return replace(result, outcome=outcome, message=message)


def _with_refused(result: JobResult, refused: list[str]) -> JobResult:
    """What somebody sent uninvited stands in the journal; it leaves nothing undone."""
    message = "; ".join(part for part in (result.message, *(f"refused: {said}" for said in refused)) if part)
    return replace(result, message=message)


def opened(name: str, config: Config, now: datetime) -> Workspace | Run:
    """What the jobs of a run share; where it cannot be had, the failed run, which has its line in the journal too."""
    space = _outcome(name, lambda: open_workspace(config, Memory.load(config.cache_path), now))
    if isinstance(space, Workspace):
        return space
    journal = Journal(config.cache_path)
    note(lambda: journal.finish(journal.start(name, now), space, now))
    return Run(space, EXIT_STATUS[space.outcome])


def _outcome(name: str, attempt: Callable[[], Attempted]) -> Attempted | JobResult:
    """What `attempt` returns, or the failure that its error is."""
    try:
        return attempt()
    except (DimseError, DatabaseError) as error:
        return _failed(name, str(error), error.fault)
    except (CacheError, TableError) as error:
        return _failed(name, str(error), "cache")
    except RefusedError as error:
        outcome = _REFUSED.get(error.exit_status)
        return JobResult(name, outcome, {}, message=str(error)) if outcome else _failed(name, str(error), "")
    except Exception as error:  # noqa: BLE001  the one boundary of a job
        if said := refused_by_disk(error):
            return _failed(name, said, "cache")
        return _failed(name, f"unexpected {type(error).__name__} at {_place(error)}; please report it", "")


def _failed(name: str, message: str, fault: str) -> JobResult:
    log.error("%s: %s", name, message)
    return JobResult(name, "FAILED", {}, message=message, fault=fault)


def _place(error: Exception) -> str:
    """File and line of the innermost frame."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def note(write: Callable[[], str | None]) -> str | None:
    """Write to the journal; a cache that takes no line must not stop a backup."""
    try:
        return write()
    except OSError as error:
        log.warning("the journal of runs cannot be written: %s", error)
        return None
