"""Rows that are odd by their key: left out or made one, each named, so that they cost no other row.

A row without its key is left out: nothing could look it up. Rows of one key that say the same are one. Where they
differ nobody chooses between them: what they all say stands, the rest is null; of alerts both stand, behind a warning,
for null would read as "none".
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.tables.schema import ODD_ROWS, Row, TableSchema

NUMBER_TWICE = "this number stands twice in the R&V database, with different data: ask who it is"
REPLACED = "\N{REPLACEMENT CHARACTER}"
_TOGETHER = "alerts"
_NAMES_NO_PATIENT = frozenset({"sop_instance_uid", "delivery_id", "appointment_id", "in_flight_id"})
_MOST_KEYS_SAID = 3
MOST_NAMED = 500
"""Of one table: more than a person looks up one by one."""


@dataclass(frozen=True, slots=True)
class OddRow:
    """One row that is left out, or of which something is. `key` may hold a patient's number: it is for Backup health,
    never for a log; `why` names columns only."""

    key: str
    why: str


def key_of(schema: TableSchema) -> Callable[[Row], tuple[object, ...]]:
    """What tells a table's rows apart."""
    if len(schema.key) == 1:
        (name,) = schema.key
        return lambda row: (row[name],)
    return operator.itemgetter(*schema.key)


def without_key(schema: TableSchema, row: Row, raw: Mapping[str, object], alike_in: Sequence[str]) -> OddRow:
    """What is odd about a row that lacks a part of its key; `raw` tells the database's own numbers of it."""
    missing = [name for name in schema.key if row[name] is None]
    numbers = {name: raw[name] for name in alike_in if name.endswith(("_serial", "_number"))}
    key = {name: row[name] for name in schema.key} | {n: v for n, v in numbers.items() if n not in schema.key}
    return OddRow(_said(key), f"no {', '.join(missing)}")


def with_odd_text(schema: TableSchema, row: Row) -> OddRow | None:
    """A row with a text that the database could not give in Unicode: half a character, or bytes of another code."""
    columns = [name for name, value in row.items() if isinstance(value, str) and REPLACED in value]
    if not columns:
        return None
    key = _said({name: row[name] for name in schema.key})
    return OddRow(key, f"{', '.join(columns)} holds what is no Unicode, {REPLACED} stands for it")


def one_of_each(schema: TableSchema, rows: list[Row], needs: Sequence[str] = ()) -> tuple[list[Row], list[OddRow]]:
    """One row for each key; a row that loses a column of `needs` says nothing any more and goes."""
    key = key_of(schema)
    if len(set(map(key, rows))) == len(rows):
        return rows, []
    by_key: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        by_key.setdefault(key(row), []).append(row)
    kept: list[Row] = []
    odd: list[OddRow] = []
    for same in by_key.values():
        differing = [name for name in schema.columns if any(row[name] != same[0][name] for row in same)]
        if differing:
            named = {name: same[0][name] for name in schema.key}
            odd.append(OddRow(_said(named), f"{len(same)} rows that differ in {', '.join(differing)}"))
        if not any(name in needs for name in differing):
            kept.append(_what_all_say(schema, same, differing))
    return kept, odd


def in_words(schema: TableSchema, odd: Sequence[OddRow]) -> list[str]:
    """A sentence for each way of being odd, without any patient's number: `1 with no patient_id left out`."""
    by_why: dict[str, list[str]] = {}
    for one in odd:
        by_why.setdefault(one.why, []).append(one.key)
    shows_keys = bool(schema.key) and schema.key[0] in _NAMES_NO_PATIENT
    return [_counted(why, keys, shows_keys=shows_keys) for why, keys in by_why.items()]


def note(cache: Cache, told: Mapping[str, Sequence[OddRow]], now: datetime) -> None:
    """Name each odd row for Backup health, in a table that no log sees; tables that are not told stay as they were.

    Raises `CacheError` if it cannot be written.
    """
    before: list[dict[str, object]] | None
    try:
        before = cache.read(ODD_ROWS)
    except CacheError:
        before = None
    rows: list[Row] = [row for row in before or () if row["table_name"] not in told]
    for name, odd in told.items():
        listed = sorted(odd, key=lambda one: (one.why, one.key))[:MOST_NAMED]
        rows += [{"table_name": name, "row_key": one.key, "why": one.why} for one in listed]
    rows.sort(key=lambda row: str(row["table_name"]))
    if rows != before:
        cache.write(ODD_ROWS, rows, taken_at=now, source="keys of the R&V database's rows")


def _counted(why: str, keys: Sequence[str], *, shows_keys: bool) -> str:
    noun = "key" if len(keys) == 1 else "keys"
    what = f"{len(keys)} left out: {why}" if why.startswith("no ") else f"{len(keys)} {noun} of {why}: null there"
    said = ", ".join(keys[:_MOST_KEYS_SAID]) + (", …" if len(keys) > _MOST_KEYS_SAID else "")
    return f"{what} ({said})" if shows_keys else what


def _what_all_say(schema: TableSchema, same: Sequence[Row], differing: Sequence[str]) -> Row:
    if not differing:
        return same[0]
    row = {**same[0], **dict.fromkeys(differing)}
    if _TOGETHER in schema.columns:
        said = (part for one in same for part in str(one[_TOGETHER] or "").split("; ") if part)
        row[_TOGETHER] = "; ".join(dict.fromkeys((NUMBER_TWICE, *said)))
    return row


def _said(key: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {'—' if value is None else value}" for name, value in key.items())
