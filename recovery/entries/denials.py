"""Which records of the RT-PACS the R&V system denied: a statement of the jobs among those that people sign, so that it
lies where they lie. A list that is made again, elsewhere or from the RT-PACS alone, would count them in silence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recovery.host.entry_lines import Statement, append_statement, parsed, read_statements

Told = tuple[str | None, str, datetime]
"""Whose a record is, its state, and since when (UTC, naive)."""


@dataclass(frozen=True, slots=True)
class Denial(Statement):
    """`records`: whose each is, by SOP Instance UID. `state`: as in the table doubted_records, empty once settled."""

    FILE = "denials.jsonl"

    state: str
    records: dict[str, str | None]
    entered_at: datetime

    def __post_init__(self) -> None:
        """Refuse a time that no job wrote. Raises `ValueError`."""
        if self.entered_at.tzinfo is None or not 2000 < self.entered_at.year < 9999:
            raise ValueError("a denial was stated at an aware time")


def standing_denials(cache_path: Path) -> dict[str, Told]:
    """What is not settled, by SOP Instance UID. Raises `EntriesError` if it cannot be read."""
    return {uid: one for uid, one in _told(read_statements(cache_path, Denial).all).items() if one[1]}


def denials_since(cache_path: Path, lines: Iterable[bytes]) -> dict[str, Told]:
    """Of the records that lines from elsewhere name, what is so by these and by what is stated here: of two statements
    the later. Settled ones are among them, with no state. Raises as `standing_denials`."""
    came = [one for line in lines if (one := parsed(line, Denial)) is not None]
    own = read_statements(cache_path, Denial).all
    told = _told(sorted((*own, *came), key=lambda one: one.entered_at))
    return {uid: told[uid] for one in came for uid in one.records}


def _told(statements: Iterable[Denial]) -> dict[str, Told]:
    told: dict[str, Told] = {}
    for one in statements:
        since = one.entered_at.astimezone(UTC).replace(tzinfo=None)
        told |= {uid: (whose, one.state, since) for uid, whose in one.records.items()}
    return told


def note_denials(cache_path: Path, standing: Mapping[str, Told], now: datetime) -> None:
    """Note what became another since it was last noted. Raises `EntriesError` if it cannot be written."""
    before, changed = standing_denials(cache_path), dict[str, dict[str, str | None]]()
    for uid in sorted(before.keys() | standing.keys()):
        whose, state, _ = standing.get(uid, (before[uid][0] if uid in before else None, "", now))
        if uid not in before or before[uid][1] != state:
            changed.setdefault(state, {})[uid] = whose
    for state, records in changed.items():
        append_statement(cache_path, Denial(state, records, now))
