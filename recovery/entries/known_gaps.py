"""Gaps that a physicist has looked at: objects that no source has, with the reason, until a day.

Goal
    Two objects that nobody has must not colour every page for good, or nobody looks when a third is lost.

How
    One JSON line per statement in `known_gaps.jsonl`, beside the cache: which objects, why, until when, who signed.
    Nothing is overwritten; of an object the latest statement counts. What is acknowledged stays on Backup health; what
    nobody acknowledged, or whose day has passed, is on every page again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from recovery.host.entry_lines import EntriesError, Statement, read_statements

LONGEST_DAYS = 90
"""So long may a gap be acknowledged; then somebody looks again."""


@dataclass(frozen=True, slots=True)
class KnownGap(Statement):
    """One statement. `until`: the last day on which it counts; `signed_by`: who was signed in; `entered_at` aware."""

    FILE = "known_gaps.jsonl"

    sop_instance_uids: tuple[str, ...]
    reason: str
    until: date
    signed_by: str
    entered_at: datetime

    def __post_init__(self) -> None:
        """Refuse what nobody could have meant.

        Raises `ValueError` if it names no object, no reason or nobody, or reaches too far.
        """
        if not self.sop_instance_uids or not self.reason.strip() or not self.signed_by.strip():
            raise ValueError("a known gap names its objects, a reason and who signed")
        if self.entered_at.tzinfo is None:
            raise ValueError("the time of an entry is aware")
        if (self.until - self.entered_at.date()).days > LONGEST_DAYS + 1:
            raise ValueError(f"a gap is acknowledged for at most {LONGEST_DAYS} days")


def ever_acknowledged(cache_path: Path) -> frozenset[str]:
    """All objects that somebody ever looked at and signed; of a file that cannot be read none."""
    try:
        gaps = read_statements(cache_path, KnownGap).all
    except EntriesError:
        return frozenset()
    return frozenset(uid for gap in gaps for uid in gap.sop_instance_uids)


def on_day(gaps: Iterable[KnownGap], today: date) -> dict[str, KnownGap]:
    """By SOP Instance UID, the statement that counts on a day: the latest, unless its day has passed."""
    latest = {uid: gap for gap in gaps for uid in gap.sop_instance_uids}
    return {uid: gap for uid, gap in latest.items() if gap.until >= today}


def unacknowledged(uids: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """Those that nobody has looked at, in their order."""
    looked_at = set(known)
    return tuple(uid for uid in uids if uid not in looked_at)
