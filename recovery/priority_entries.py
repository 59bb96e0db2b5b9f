"""What physicians said about a patient's priority, each statement kept for good.

Goal
    Months later anyone can read who said what about whom and when; nothing is ever overwritten.

How
    One JSON line per statement in `priorities.jsonl`, beside the cache and not in it: the cache may be deleted and
    rebuilt at any time, this cannot. A line is appended whole under a lock and is on the disk before the caller hears
    of it. The latest statement about a patient is the one that counts; one without a category withdraws.

Why damaged lines are counted
    A crash can leave half a line at the end. It was never acknowledged, so it does not count; but a reader who finds
    one says so, because a damaged line could also be a lost decision.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from recovery.priorities import CATEGORIES, INTENTS


class EntriesError(OSError):
    """The file cannot be read or written. Its text says which file, why, and what to do."""


@dataclass(frozen=True, slots=True)
class PriorityEntry:
    """One statement. `decided_by`: the physician; `signed_by`: who was signed in. `entered_at` aware, UTC."""

    patient_id: str
    category: int | None
    concurrent_chemotherapy: bool | None
    intent: str | None
    comment: str
    decided_by: str
    signed_by: str
    entered_at: datetime

    def __post_init__(self) -> None:
        """Refuse what nobody could have meant.

        Raises
        ------
        ValueError
            If a field is none of those that it may be.
        """
        if not self.patient_id or not self.decided_by.strip() or not self.signed_by.strip():
            raise ValueError("an entry names the patient, the physician who decided and who signed it")
        if self.category is not None and (isinstance(self.category, bool) or self.category not in CATEGORIES):
            raise ValueError("a category is 1, 2 or 3, or absent to withdraw")
        if self.intent is not None and self.intent not in INTENTS:
            raise ValueError(f"an intent is {' or '.join(INTENTS)}, or absent")
        if self.entered_at.tzinfo is None:
            raise ValueError("the time of an entry is aware")


@dataclass(frozen=True, slots=True)
class Entries:
    """All statements, oldest first, and how many lines could not be read."""

    all: tuple[PriorityEntry, ...]
    damaged_lines: int = 0

    @property
    def latest(self) -> dict[str, PriorityEntry]:
        """By patient, the statement that counts. Later lines supersede earlier ones, whatever their clocks said."""
        return {entry.patient_id: entry for entry in self.all}


def entries_file(cache_path: Path) -> Path:
    """Where statements are kept: `data/cache` → `data/cache-entries/priorities.jsonl`."""
    return cache_path.with_name(f"{cache_path.name}-entries") / "priorities.jsonl"


def read_entries(file: Path) -> Entries:
    """Read all statements; a file that was never written has none.

    Raises
    ------
    EntriesError
        If it is there and cannot be read.
    """
    try:
        lines = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return Entries(())
    except OSError as error:
        raise EntriesError(f"{file} cannot be read: {error.strerror}. Check the rights of its folder.") from error
    entries = [_parsed(line) for line in lines if line.strip()]
    return Entries(tuple(entry for entry in entries if entry is not None), entries.count(None))


def append_entry(file: Path, entry: PriorityEntry) -> None:
    """Add a statement; when this returns, it is on the disk.

    Raises
    ------
    EntriesError
        If it cannot be written. What was there before is untouched.
    """
    said = asdict(entry) | {"entered_at": entry.entered_at.isoformat()}
    line = (json.dumps(said, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _write_whole(descriptor, line)
        finally:
            os.close(descriptor)
        _sync_folder(file.parent)
    except OSError as error:
        why = error.strerror or str(error)
        raise EntriesError(f"Nothing was entered: {file} cannot be written ({why}). Check space and rights.") from error


def _write_whole(descriptor: int, line: bytes) -> None:
    """Append a line, all of it or none; a half line that a crash left behind is closed first."""
    size = os.fstat(descriptor).st_size
    torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
    whole = b"\n" + line if torn else line
    try:
        _write(descriptor, whole)
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _write(descriptor: int, content: bytes) -> None:
    if os.write(descriptor, content) != len(content):
        raise OSError(errno.ENOSPC, "the disk took only a part of it")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parsed(line: bytes) -> PriorityEntry | None:
    try:
        said: dict[str, Any] = json.loads(line)
        return PriorityEntry(**{**said, "entered_at": datetime.fromisoformat(said["entered_at"])})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
