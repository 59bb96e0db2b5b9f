"""Who comes to a machine at what time of a day in a downtime: each plan of a day signed whole, and kept for good.

One JSON line per statement in `day_plans.jsonl` (`entry_lines`). Each says which ones it was made from, and stands in
their place whatever the clocks say. Of two that stand, by people who did not know of each other, both are told, and the
newest counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from recovery.entries.downtimes import DowntimeEntry, lasting
from recovery.entries.statement_lines import add_lines
from recovery.host.entry_lines import EntriesError, Statement, lines_of, read_statements
from recovery.words.values import counted


@dataclass(frozen=True, slots=True)
class Slot:
    """A patient's time."""

    at: time
    patient_id: str


@dataclass(frozen=True, slots=True)
class DayPlanEntry(Statement):
    """One statement. `entered_at` and `replaces`, when those that it was made from were entered, are aware."""

    FILE = "day_plans.jsonl"

    machine: str
    day: date
    slots: tuple[Slot, ...]
    signed_by: str
    entered_at: datetime
    replaces: tuple[datetime, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what nobody could have meant. Raises `ValueError` if a machine, a name or a zone lacks."""
        if not self.machine or not self.signed_by.strip() or self.entered_at.tzinfo is None:
            raise ValueError("a day's plan names its machine and who signed it, at an aware time")
        if not all(slot.patient_id for slot in self.slots):
            raise ValueError("each time of a day's plan is a patient's")


DayPlans = Mapping[tuple[str, date], DayPlanEntry]


@dataclass(frozen=True, slots=True)
class Planned:
    """What was planned in the downtime that lasts. `standing`: by machine and day, the plans that no other was made
    from, the newest last; `fault`: a sentence about what cannot be read."""

    standing: Mapping[tuple[str, date], Sequence[DayPlanEntry]]
    fault: str = ""

    @property
    def counting(self) -> DayPlans:
        """What stands in the place of appointments."""
        return {place: own[-1] for place, own in self.standing.items()}

    def twice(self, machine: str, day: date) -> str:
        """`A and B`, whose plans of a machine and day differ; empty where one stands."""
        own = self.standing.get((machine, day), ())
        return " and ".join(dict.fromkeys(o.signed_by for o in own)) if len({o.slots for o in own}) > 1 else ""


def standing(entries: Iterable[DayPlanEntry]) -> Mapping[tuple[str, date], Sequence[DayPlanEntry]]:
    """By machine and day, the plans that no other was made from, the newest last."""
    found: dict[tuple[str, date], list[DayPlanEntry]] = {}
    for one in sorted(entries, key=lambda one: (one.entered_at, one.signed_by)):
        found.setdefault((one.machine, one.day), []).append(one)
    return {place: _not_replaced(own) or own[-1:] for place, own in found.items()}


def _not_replaced(own: Sequence[DayPlanEntry]) -> list[DayPlanEntry]:
    gone = {at for one in own for at in one.replaces}
    return [one for one in own if one.entered_at not in gone]


def planned_at(cache_path: Path) -> Planned:
    """The plans of the downtime that lasts, none without one: what was planned in an earlier one is over."""
    try:
        said = read_statements(cache_path, DowntimeEntry).all
        if lasting(said) is None:
            return Planned({})
        read = read_statements(cache_path, DayPlanEntry)
    except EntriesError as error:
        return Planned({}, f"▲ What was planned of machines' days is not here. {error}")
    ended = [one.entered_at for one in said if one.kind == "end"]
    of_this = standing(one for one in read.all if not ended or one.entered_at > max(ended))
    damaged = f"▲ {counted(read.damaged_lines, 'plan')} of a machine's day cannot be read: what it said does not count."
    return Planned(of_this, damaged if read.damaged_lines else "")


def merge_day_plans(cache_path: Path, folder: Path) -> int:
    """Take over what other workstations planned, of a folder of entries; returns how many statements are new.

    Raises `OSError` if something cannot be read or written.
    """
    theirs = lines_of(folder / DayPlanEntry.FILE, DayPlanEntry)
    return add_lines(cache_path, ((DayPlanEntry.FILE, line) for line in theirs)).new
