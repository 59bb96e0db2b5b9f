"""The journal of runs and the lock of each job.

Goal
    Anyone can see when each job last did all that was asked, and no job runs twice at once.

How
    One JSON line when a run starts and one when it ends, appended to `runs.jsonl`; appending a short line is
    atomic enough that no reader meets a half but the last, which is skipped. Locks are `flock`: the kernel
    releases them when a process dies.

Why a file
    The journal must be readable when everything else is down, by a person with `tail`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from recovery.cache import replace_file
from recovery.model import JobRun

Outcome = Literal["OK", "PARTIAL", "FAILED", "SKIPPED"]

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
                started[line["run"]] = JobRun(line["job"], at, None, None, {}, "")
            elif (run := started.get(line["run"])) is not None:
                said = (line["outcome"], line["counts"], line["message"], line.get("fault", ""))
                more = (tuple(line.get("unproven", ())), line.get("seconds"))
                started[line["run"]] = JobRun(run.job, run.started_at, at, *said, *more)
        return [run for run in started.values() if since is None or run.started_at >= since]

    def prune(self, keep_days: int, now: datetime) -> None:
        """Forget runs older than `keep_days`, once a day at most: only when the oldest line is a day too old."""
        lines = list(self._lines())
        horizon = now - timedelta(days=keep_days)
        if not lines or datetime.fromisoformat(lines[0]["at"]) > horizon - timedelta(days=1):
            return
        kept = [line for line in lines if datetime.fromisoformat(line["at"]) >= horizon]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept)
        replace_file(self.path, lambda beside: beside.write_text(text, encoding="utf-8"))

    def _append(self, line: Mapping[str, object]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _lines(self) -> Iterator[dict[str, Any]]:
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL_BYTES))
                lines = file.read().decode("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                if isinstance(said, dict) and {"event", "run", "job", "at"} <= said.keys():
                    yield said


@contextlib.contextmanager
def lock(cache_path: Path, job: str) -> Iterator[None]:
    """Hold a job's lock. Where the cache cannot take a lock file, the machine's temporary folder does.

    Raises
    ------
    LockedError
        If another process holds it.
    """
    descriptor = _open_lock_file(cache_path, job)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LockedError(f"another run of {job} is under way") from error
        yield
    finally:
        os.close(descriptor)


def _open_lock_file(cache_path: Path, job: str) -> int:
    name = hashlib.sha256(str(cache_path.absolute()).encode()).hexdigest()[:12]
    candidates = (cache_path / "locks" / f"{job}.lock", Path(tempfile.gettempdir()) / f"rbrdt-{name}-{job}.lock")
    for path in candidates:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
        for flags in (os.O_CREAT | os.O_RDWR, os.O_RDONLY):
            with contextlib.suppress(OSError):
                return os.open(path, flags | os.O_CLOEXEC, 0o600)
    raise OSError(f"no lock file for {job} can be made in {cache_path} nor in {tempfile.gettempdir()}")
