"""That a downtime was declared and ended, by whom and why, and which steps of its runbook were ticked. Kept for good.

One JSON line per statement in `downtimes.jsonl` (`entry_lines`). A downtime lasts from the newest `begin` until an
`end` after it. Whatever cannot be read is said in the place of the sentence that it might have held.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from recovery.entries.charted import read_charted
from recovery.entries.noted import lost
from recovery.entries.transfers import faults_at
from recovery.host.entry_lines import EntriesError, Statement, Statements, read_statements
from recovery.words.times import at_time


@dataclass(frozen=True, slots=True)
class DowntimeEntry(Statement):
    """One statement. `said`: the reason of a begin, the report of an end, or the step that is done.

    `since`: aware, from when on the R&V system is not believed; of a begin alone.
    """

    FILE = "downtimes.jsonl"

    kind: Literal["begin", "end", "step"]
    said: str
    signed_by: str
    entered_at: datetime
    since: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what nobody could have meant. Raises `ValueError` if words, a name, a zone or a begin's time lack."""
        if not self.said.strip() or not self.signed_by.strip() or self.entered_at.tzinfo is None:
            raise ValueError("a downtime's statement has words, a name and an aware time")
        if (self.since is not None) is not (self.kind == "begin"):
            raise ValueError("a downtime begins at a time, and nothing else does")
        if self.since is not None and (self.since.tzinfo is None or self.since > self.entered_at):
            raise ValueError("a downtime has begun, at an aware time")


@dataclass(frozen=True, slots=True)
class Downtime:
    """A downtime that lasts. `steps`: by its text, each step of the runbook that is done."""

    since: datetime
    reason: str
    declared_by: str
    declared_at: datetime
    steps: Mapping[str, DowntimeEntry]

    def in_words(self, zone: ZoneInfo) -> str:
        """`DOWNTIME since Tue 24 Nov 2026 09:05, declared by …: …`, for strips, paper and files."""
        said = f"DOWNTIME since {at_time(self.since.astimezone(zone))}, declared by {self.declared_by}: {self.reason}."
        return (
            f"{said} Fractions are charted here. What the R&V system sends is copied, and not believed to be complete "
            "until the downtime is ended."
        )


def lasting(entries: Iterable[DowntimeEntry]) -> Downtime | None:
    """The downtime that lasts, of statements in their order; None without one."""
    begin: DowntimeEntry | None = None
    steps: dict[str, DowntimeEntry] = {}
    for entry in entries:
        if entry.kind == "step":
            steps.setdefault(entry.said, entry)
        elif entry.kind == "end":
            begin = None
        elif begin is None:
            begin, steps = entry, {}
    if begin is None or begin.since is None:
        return None
    return Downtime(begin.since, begin.said.rstrip("."), begin.signed_by, begin.entered_at, steps)


def lasting_at(cache_path: Path) -> Downtime | None:
    """The downtime that lasts, by what can be read; `told_at` tells what cannot."""
    try:
        return lasting(read_statements(cache_path, DowntimeEntry).all)
    except EntriesError:
        return None


def told_at(cache_path: Path, zone: ZoneInfo) -> str:
    """What every page, chart and file says of a downtime and of what was charted or signed; empty where none lasts and
    all is readable and there."""
    said = filter(None, (_told(cache_path, zone), faults_at(cache_path)))
    return " ".join((*said, *read_charted(cache_path).faults, *lost(cache_path)))


def _told(cache_path: Path, zone: ZoneInfo) -> str:
    try:
        read = read_statements(cache_path, DowntimeEntry)
    except EntriesError as error:
        return f"Nobody can tell whether a downtime is declared. {error}"
    found = lasting(read.all)
    perhaps = ": one may last" if found is None and _may_last(read) else ""
    damaged = f"{read.damaged_lines} of what was said about downtimes cannot be read{perhaps}."
    return " ".join(filter(None, (found.in_words(zone) if found else "", damaged if read.damaged_lines else "")))


def grace_at(cache_path: Path, usual: timedelta) -> timedelta:
    """How old the newest proof may be before what was treated since is unknown: in a downtime no longer at all, and
    none where a downtime may last that cannot be read, or what people charted or signed is gone."""
    try:
        read = read_statements(cache_path, DowntimeEntry)
    except EntriesError:
        return timedelta(0)
    return timedelta(0) if _may_last(read) or lasting(read.all) is not None or lost(cache_path) else usual


def _may_last(read: Statements[DowntimeEntry]) -> bool:
    """Whether a line that cannot be read may have begun a downtime: nobody has ended one since."""
    ended = max((place for place, entry in enumerate(read.all, start=1) if entry.kind == "end"), default=0)
    return read.damaged_lines > 0 and read.before_damage >= ended


def believed_up_to(cache_path: Path, proven_at: datetime | None) -> datetime | None:
    """A proof, aware, no later than a downtime that lasts: an R&V system that came back is not yet believed."""
    found = lasting_at(cache_path)
    return proven_at if found is None or proven_at is None else min(proven_at, found.since)
