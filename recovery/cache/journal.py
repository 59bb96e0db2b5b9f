"""The journal of runs and the lock of each job.

Goal
    Anyone can see when each job last did all that was asked, and no job runs twice at once.

How
    One JSON line when a run starts and one when it ends, appended to `runs.jsonl`. Each bears its own hash: a line
    that is not what was written, or half of one, costs itself and no other, and is counted. Locks are `flock`: the
    kernel releases them when a process dies.

Why a file
    The journal must be readable when everything else is down, by a person with `tail`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from recovery.dicom.model import JobRun
from recovery.host.believed_ages import believed_ages
from recovery.host.durable import replace_file
from recovery.host.seals import JSON_KEY, sealed_json, unsealed_json
from recovery.words.printable import from_json

Outcome = Literal["OK", "PARTIAL", "FAILED", "SKIPPED"]

_BETWEEN_LINES = re.compile(rb'\n|(?<=\}).(?=\{"event": )', re.DOTALL)
"""The second is an end of line that a bad disk made another character."""

_TAIL_BYTES = 4_000_000
"""A week of seven lines every ten minutes is about 2 MB."""


class LockedError(RuntimeError):
    """Another run of the same job is under way."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """What one run of a job did, as `--json` prints it and the journal keeps it.

    `fault` names what could not be asked, when something could not: `rv`, `pacs`, `database`, `cache` or `config`.
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
        """Note that a run starts; returns the run's id.

        Raises
        ------
        OSError
            If the line cannot be written.
        """
        run_id = uuid.uuid4().hex[:12]
        self._append({"event": "START", "run": run_id, "job": job, "at": at.isoformat()})
        return run_id

    def finish(self, run_id: str, result: JobResult, at: datetime) -> None:
        """Note how a run ended.

        Raises
        ------
        OSError
            If the line cannot be written.
        """
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

        Raises
        ------
        OSError
            If the journal is there and cannot be read.
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

        Raises
        ------
        OSError
            As `runs` does.
        """
        return sum(line is None for line in self._read())

    def prune(self, keep_days: int, now: datetime) -> None:
        """Forget runs older than `keep_days`, once a day at most: only when the oldest line is a day too old."""
        lines, keep = list(self._lines()), timedelta(days=keep_days)
        ages = believed_ages([datetime.fromisoformat(line["at"]) for line in lines], now, keep)
        if not ages or ages[0] < keep + timedelta(days=1):
            return
        kept = [line for line, age in zip(lines, ages, strict=True) if age <= keep]
        text = "".join(sealed_json(line) + "\n" for line in kept)
        replace_file(self.path, lambda beside: beside.write_text(text, encoding="utf-8"))

    def _append(self, line: Mapping[str, object]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            after_half_a_line = b"" if file.read(1) in {b"", b"\n"} else b"\n"
            file.write(after_half_a_line + sealed_json(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

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
        said = unsealed_json(text) if f'"{JSON_KEY}"'.encode() in text else from_json(text)
        datetime.fromisoformat(said["at"])
        is_line = _SHAPE.items() <= {key: type(said.get(key)) for key in _SHAPE}.items()
        is_end = said["event"] == "START" or _END_SHAPE.items() <= {k: type(said.get(k)) for k in _END_SHAPE}.items()
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return said if is_line and is_end else None


_SHAPE = {"event": str, "run": str, "job": str, "at": str}
_END_SHAPE = {"outcome": str, "counts": dict, "message": str}


@contextlib.contextmanager
def lock(cache_path: Path, job: str) -> Iterator[None]:
    """Hold a job's lock. Where the cache cannot take a lock file, the machine's temporary folder does.

    Raises
    ------
    LockedError
        If another process holds it.
    """
    descriptor = _open_lock_file(cache_path, job)
    _held.add(descriptor)
    try:
        if not _is_taken(descriptor):
            raise LockedError(f"another run of {job} is under way")
        yield
    finally:
        _held.discard(descriptor)
        os.close(descriptor)


def _is_taken(descriptor: int) -> bool:
    """Take the lock; a reader who only looks whether it is free has it for a moment."""
    for wait in (0.02, 0.1, None):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if wait is not None:
            time.sleep(wait)
    return False


def is_stopped(cache_path: Path, job: str) -> bool:
    """Whether a run that noted no end was killed: its lock is free. False where nobody can tell."""
    try:
        descriptor = os.open(_lock_files(cache_path, job)[0], os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


_held: set[int] = set()
"""Descriptors of locks that this process holds."""


def _let_go() -> None:
    """A forked child shares its parent's locks, and would keep them when the parent is killed."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_go)


def _lock_files(cache_path: Path, job: str) -> tuple[Path, Path]:
    name = hashlib.sha256(str(cache_path.absolute()).encode()).hexdigest()[:12]
    return cache_path / "locks" / f"{job}.lock", Path(tempfile.gettempdir()) / f"rbrdt-{name}-{job}.lock"


def _open_lock_file(cache_path: Path, job: str) -> int:
    for path in _lock_files(cache_path, job):
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
        for flags in (os.O_CREAT | os.O_RDWR, os.O_RDONLY):
            with contextlib.suppress(OSError):
                return os.open(path, flags | os.O_CLOEXEC, 0o600)
    raise OSError(f"no lock file for {job} can be made in {cache_path} nor in {tempfile.gettempdir()}")
