"""The journal of runs and the lock of each job.

How
    One JSON line when a run starts and one when it ends, appended to `runs.jsonl`. Each bears its own hash: a line
    that is not what was written, or half of one, costs itself and no other, and is counted. A lock is let go when the
    process that holds it dies.

Why a file
    The journal must be readable when everything else is down, by a person with `tail`.
"""

import hashlib
import os
import re
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from recovery.dicom.model import JobRun
from recovery.host.clock import believed_ages
from recovery.host.durable import append_line, is_free, locked, replace, unchanging
from recovery.host.seals import checked_json, sealed_json

CYCLE = ("sync_records", "sync_plans", "snapshot_tables", "build_on_treatment")
"""The jobs of a cycle, in their order."""

Outcome = Literal["OK", "PARTIAL", "FAILED", "SKIPPED"]

_BETWEEN_LINES = re.compile(rb'\n|(?<=\}).(?=\{"event": )', re.DOTALL)
"""The second is an end of line that a bad disk made another character."""

_TAIL_BYTES = 4_000_000
"""A week of seven lines every ten minutes is about 2 MB."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """What one run of a job did, as `--json` prints it and the journal keeps it.

    `fault` names what could not be asked, when something could not: `rv`, `pacs`, `database`, `cache` or `config`;
    `guard`: what was read is not believed; `loss`: the RT-PACS lost much at once.
    """

    job: str
    outcome: Outcome
    counts: Mapping[str, int]
    unproven: tuple[str, ...] = ()
    message: str = ""
    seconds: float = 0.0
    fault: str = ""


class Journal:
    """`runs.jsonl` of one cache."""

    def __init__(self, cache_path: Path) -> None:
        self.path = cache_path / "runs.jsonl"

    def start(self, job: str, at: datetime) -> str:
        """Note that a run starts; returns the run's id. Raises `OSError` if the line cannot be written."""
        run_id = uuid.uuid4().hex[:12]
        self._append({"event": "START", "run": run_id, "job": job, "at": at.isoformat()})
        return run_id

    def finish(self, run_id: str, result: JobResult, at: datetime) -> None:
        """Note how a run ended. Raises `OSError` if the line cannot be written."""
        self._append(
            {
                "event": "FAIL" if result.outcome == "FAILED" else "FINISH",
                "run": run_id,
                "job": result.job,
                "at": at.isoformat(),
                "outcome": result.outcome,
                "counts": dict(result.counts),
                "unproven": list(result.unproven[:100]),
                "message": result.message,
                "fault": result.fault,
                "seconds": result.seconds,
            }
        )

    def runs(self, since: datetime | None = None) -> list[JobRun]:
        """Runs that started at or after `since`, oldest first; an empty journal has none.

        Raises `OSError` if the journal is there and cannot be read.
        """
        started: dict[str, JobRun] = {}
        for line in self._lines():
            at = datetime.fromisoformat(line["at"])
            if line["event"] == "START":
                started.setdefault(line["run"], JobRun(line["job"], at, None, None, {}, ""))
                continue
            run = started.get(line["run"])
            began = run.started_at if run is not None else at - timedelta(seconds=line.get("seconds") or 0)
            said = (line["outcome"], line["counts"], line["message"], line.get("fault", ""))
            more = (tuple(line.get("unproven", ())), line.get("seconds"))
            started[line["run"]] = JobRun(line["job"], began, at, *said, *more)
        return [run for run in started.values() if since is None or run.started_at >= since]

    def damaged_lines(self) -> int:
        """How many lines are not what was written, each of which may have been a run's start or end.

        Raises `OSError` as `runs` does.
        """
        return sum(line is None for line in self._read())

    def prune(self, keep_days: int, now: datetime) -> None:
        """Forget runs older than `keep_days`, once a day at most: only when the oldest line is a day too old."""
        with unchanging(self.path):  # a line that another job adds meanwhile would be lost
            self._prune(timedelta(days=keep_days), now)

    def _prune(self, keep: timedelta, now: datetime) -> None:
        lines = list(self._lines())
        ages = believed_ages([datetime.fromisoformat(line["at"]) for line in lines], now, keep)
        if not ages or ages[0] < keep + timedelta(days=1):
            return
        kept = [line for line, age in zip(lines, ages, strict=True) if age <= keep]
        replace(self.path, "".join(sealed_json(line) + "\n" for line in kept).encode())

    def _append(self, line: Mapping[str, object]) -> None:
        append_line(self.path, sealed_json(line).encode())

    def _lines(self) -> Iterator[dict[str, Any]]:
        return (line for line in self._read() if line is not None)

    def _read(self) -> Iterator[dict[str, Any] | None]:
        """The lines of the journal's end, oldest first; None for one that is damaged."""
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL_BYTES))
                text = file.read()
        except FileNotFoundError:
            return
        lines = _BETWEEN_LINES.split(text)
        if size > _TAIL_BYTES:
            del lines[0]  # half of one
        yield from (_line(line) for line in lines if line.strip())


def _line(text: bytes) -> dict[str, Any] | None:
    """A line of the journal; None when it is not what was written. Those of earlier versions bear no hash."""
    try:
        said = checked_json(text)
        datetime.fromisoformat(said["at"])
        is_line = _SHAPE.items() <= {key: type(said.get(key)) for key in _SHAPE}.items()
        is_end = said["event"] == "START" or _END_SHAPE.items() <= {k: type(said.get(k)) for k in _END_SHAPE}.items()
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return said if is_line and is_end else None


_SHAPE = {"event": str, "run": str, "job": str, "at": str}
_END_SHAPE = {"outcome": str, "counts": dict, "message": str}


def lock(cache_path: Path, job: str) -> AbstractContextManager[None]:
    """Hold a job's lock. Where the cache cannot take a lock file, the machine's temporary folder does.

    Raises `LockedError` if another process holds it.
    """
    return locked(*_lock_files(cache_path, job), refusal=f"another run of {job} is under way")


@contextmanager
def between_cycles(cache_path: Path) -> Iterator[None]:
    """Hold the locks of a cycle and of each of its jobs, so that none writes what it knew before over what is rebuilt.

    Raises `LockedError` if one of them is under way.
    """
    with ExitStack() as held:
        for job in ("cycle", *CYCLE):
            held.enter_context(lock(cache_path, job))
        yield


def is_stopped(cache_path: Path, job: str) -> bool:
    """Whether a run that noted no end was killed: its lock is free. False where nobody can tell."""
    return is_free(_lock_files(cache_path, job)[0])


def _lock_files(cache_path: Path, job: str) -> tuple[Path, Path]:
    name = hashlib.sha256(str(cache_path.absolute()).encode()).hexdigest()[:12]
    return cache_path / "locks" / f"{job}.lock", Path(tempfile.gettempdir()) / f"rbrdt-{name}-{job}.lock"
