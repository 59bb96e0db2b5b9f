"""Who comes to a machine at what time of a day in a downtime: each plan of a day signed whole, and kept for good.

One JSON line per statement in `day_plans.jsonl` (`entry_lines`). Of a machine and day the newest counts. It says which
one it was made from: of two that were made from the same, by people who did not know of each other, both are told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from recovery.entries.downtimes import lasting_at
from recovery.host.durable import append_line
from recovery.host.entry_lines import EntriesError, entries_folder, lines_of, read_statements


@dataclass(frozen=True, slots=True)
class Slot:
    """A patient's time."""

    at: time
    patient_id: str


@dataclass(frozen=True, slots=True)
class DayPlanEntry:
    """One statement. `entered_at` and `replaces`, when the one that it was made from was entered, are aware."""

    machine: str
    day: date
    slots: tuple[Slot, ...]
    signed_by: str
    entered_at: datetime
    replaces: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what nobody could have meant. Raises `ValueError` if a machine, a name or a zone lacks."""
        if not self.machine or not self.signed_by.strip() or self.entered_at.tzinfo is None:
            raise ValueError("a day's plan names its machine and who signed it, at an aware time")
        if not all(slot.patient_id for slot in self.slots):
            raise ValueError("each time of a day's plan is a patient's")


DayPlans = Mapping[tuple[str, date], DayPlanEntry]


def day_plans_file(cache_path: Path) -> Path:
    """Where statements are kept: `data/cache` → `data/cache-entries/day_plans.jsonl`."""
    return entries_folder(cache_path) / "day_plans.jsonl"


def standing(entries: Iterable[DayPlanEntry]) -> DayPlans:
    """By machine and day, the newest plan."""
    return {(one.machine, one.day): one for one in sorted(entries, key=lambda one: (one.entered_at, one.signed_by))}


def counting_at(cache_path: Path) -> DayPlans:
    """The plans that stand in the place of appointments: none where no downtime lasts, nor any that cannot be read."""
    if lasting_at(cache_path) is None:
        return {}
    try:
        return standing(read_statements(day_plans_file(cache_path), DayPlanEntry).all)
    except EntriesError:
        return {}


def planned_twice(entries: Iterable[DayPlanEntry], machine: str, day: date) -> tuple[DayPlanEntry, ...]:
    """Plans of a machine and day that were made from the same one as the newest: only it counts."""
    own = sorted((one for one in entries if (one.machine, one.day) == (machine, day)), key=lambda one: one.entered_at)
    same = tuple(one for one in own if one.replaces == own[-1].replaces)
    return same if len({one.slots for one in same}) > 1 else ()


def merge_day_plans(cache_path: Path, folder: Path) -> int:
    """Take over what other workstations planned, of a folder of entries; returns how many statements are new.

    Raises `OSError` if something cannot be read or written.
    """
    theirs, ours = folder / "day_plans.jsonl", day_plans_file(cache_path)
    known = set(lines_of(ours, DayPlanEntry))
    new = [line for line in lines_of(theirs, DayPlanEntry) if line not in known]
    for line in new:
        append_line(ours, line, private=True)
    return len(new)
