"""Which records of the RT-PACS the R&V system denied: a statement of the jobs among those that people sign, so that it
lies where they lie. A list that is made again, elsewhere or from the RT-PACS alone, would count them in silence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recovery.host.entry_lines import Statement, append_statement, read_statements

Told = tuple[str | None, str, datetime]
"""Whose a record is, its state, and since when (UTC, naive)."""


@dataclass(frozen=True, slots=True)
class Denial(Statement):
    """`records`: whose each is, by SOP Instance UID. `state`: as in the table doubted_records, empty once settled."""

    FILE = "denials.jsonl"

    state: str
    records: dict[str, str | None]
    entered_at: datetime


def standing_denials(cache_path: Path) -> dict[str, Told]:
    """What is not settled, by SOP Instance UID. Raises `EntriesError` if it cannot be read."""
    told: dict[str, Told] = {}
    for one in read_statements(cache_path, Denial).all:
        since = one.entered_at.astimezone(UTC).replace(tzinfo=None)
        told |= {uid: (whose, one.state, since) for uid, whose in one.records.items()}
    return {uid: one for uid, one in told.items() if one[1]}


def note_denials(cache_path: Path, standing: Mapping[str, Told], now: datetime) -> None:
    """Note what became another since it was last noted. Raises `EntriesError` if it cannot be written."""
    before, changed = standing_denials(cache_path), dict[str, dict[str, str | None]]()
    for uid in sorted(before.keys() | standing.keys()):
        whose, state, _ = standing.get(uid, (before[uid][0] if uid in before else None, "", now))
        if uid not in before or before[uid][1] != state:
            changed.setdefault(state, {})[uid] = whose
    for state, records in changed.items():
        append_statement(cache_path, Denial(state, records, now))
