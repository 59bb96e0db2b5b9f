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

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from recovery.host.entry_lines import EntriesError as EntriesError
from recovery.host.entry_lines import append_line, entries_folder, read_lines, statement
from recovery.on_treatment.priorities import CATEGORIES, INTENTS


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
    return entries_folder(cache_path) / "priorities.jsonl"


def read_entries(file: Path) -> Entries:
    """Read all statements; a file that was never written has none.

    Raises
    ------
    EntriesError
        If it is there and cannot be read.
    """
    entries = [_parsed(line) for line in read_lines(file)]
    return Entries(tuple(entry for entry in entries if entry is not None), entries.count(None))


def append_entry(file: Path, entry: PriorityEntry) -> None:
    """Add a statement; when this returns, it is on the disk.

    Raises
    ------
    EntriesError
        If it cannot be written. What was there before is untouched.
    """
    append_line(file, asdict(entry) | {"entered_at": entry.entered_at.isoformat()})


def _parsed(line: bytes) -> PriorityEntry | None:
    try:
        said = statement(line, PriorityEntry.__slots__)
        return PriorityEntry(**{**said, "entered_at": datetime.fromisoformat(said["entered_at"])})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
