"""Does a table say what care does not produce? Two states of it are compared, counts are said, nobody is named. Pure.

Goal
    Rows that an attacker deletes, rewrites or encrypts in the R&V database do not become what patients are treated by.

How
    Care adds much and takes little: what went, and what was altered of what seldom changes, is counted by table. What
    leaves a query's window by age has not gone, so that of appointments those ahead count, of deliveries the past that
    is still in the window. A few rows are always believed: a merge of patients, a machine that retires, a plan's end.

    A hand that takes little in each cycle is seen by what went since a week ago (`slow_doubts`).

What it cannot see
    A hand that takes less than the limits in a week. And what another query says: after an update of this program that
    changes it, rows are counted and no more.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import reduce
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from recovery.tables.delivered import HISTORY_DAYS
from recovery.tables.relational import PHONES, RELATIONAL_TABLES

COMES_AND_GOES = frozenset({"in_flight"})
"""Tables that are empty on a good day: they may lose all their rows."""
MOST_ROWS_LOST = 0.30
"""A table that has no rule of its own is not believed once it lost a greater share of its rows."""
CORRECTED_IN_A_WEEK = 3
"""So many times as many patients as at once may have fractions of the past corrected in a week."""
SETTLED_AFTER = timedelta(days=1)
"""Deliveries of today and yesterday may still be corrected by those who gave them."""
SAME_METERSET = 0.05
"""MU: rounding is no correction."""

ALTERED: Mapping[str, tuple[str, ...]] = {
    "patients": ("patient_name", "patient_birth_date", *PHONES),
    "prescriptions": ("dose_per_fraction", "total_dose", "number_of_fractions"),
    "plans": ("patient_id", "rt_plan_label", "number_of_fractions_planned"),
    "plan_fields": ("beam_meterset",),
    "schedule": ("patient_id",),
    "documents": ("patient_id",),
    "deliveries": (),
    "calendar": (),
}
"""What seldom changes once it is written. A table that is not named has no column that changes in many rows."""
OF_THE_PAST = ("patient_id", "treated_at", "fraction_number", "delivered_meterset")
"""What of a delivery stays as it was."""
WRITTEN_BY_PEOPLE: Mapping[str, tuple[str, ...]] = {
    "patients": ("patient_name", "address"),
    "physicians": ("physician_name",),
    "courses": ("diagnoses", "comment"),
    "prescriptions": ("prescription_name", "site", "notes"),
    "plans": ("rt_plan_label",),
    "plan_fields": ("beam_name", "setup_note"),
    "setup_notes": ("setup_technique", "setup_note"),
    "schedule": ("activity", "note"),
    "notes": ("note",),
    "checks": ("kind", "comment"),
}
"""Texts in which no path, UID or code stands that would look as if it were encrypted."""

_SHORTEST_CIPHER = 16
_SWITCHES = 0.35
"""Of a cipher's letters and digits, in base64 or hex, two that follow each other are so often of different kinds."""
_NOT_TEXT = frozenset({"Cc", "Cn", "Co", "Cs"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still believed at once; `[guard]` of the config says what each means."""

    rows: int
    gone_percent: int
    appointments_percent: int
    altered_percent: int
    past_patients: int
    encrypted_texts: int

    def are_too_many(self, count: int, of: int, percent: float) -> bool:
        return count > max(self.rows, of * percent / 100)


def doubts(name: str, before: pa.Table, after: pa.Table, is_same_query: bool, limits: Limits, today: date) -> list[str]:
    """What care does not produce between two states of a table, a sentence each; `today` is the site's."""
    if name in COMES_AND_GOES:
        return []
    found = [*_encrypted(name, before, after, limits)]
    lost = before.num_rows - after.num_rows
    rules = _RULES if is_same_query else {}
    if name in rules:
        found += rules[name](name, before, after, limits, today)
    elif lost > max(limits.rows, MOST_ROWS_LOST * before.num_rows):
        found.append(f"{name}: {lost} of {before.num_rows} rows are gone")
    if is_same_query:
        found += _altered(name, before, after, limits)
    return found


def slow_doubts(
    name: str, before: pa.Table, after: pa.Table, is_same_query: bool, limits: Limits, today: date
) -> list[str]:
    """As `doubts`, where `before` is of days ago: tables in which a week of care changes much have no limit here, and
    people correct fractions of more patients than in a cycle."""
    if not is_same_query or name not in ALTERED:
        return []
    limits = replace(limits, past_patients=CORRECTED_IN_A_WEEK * limits.past_patients)
    found = [*_RULES[name](name, before, after, limits, today)] if name in _RULES else []
    return [*found, *_altered(name, before, after, limits)]


def _gone(name: str, before: pa.Table, after: pa.Table, limits: Limits, _: date) -> Iterator[str]:
    count = _without(before, after, name).num_rows
    if limits.are_too_many(count, before.num_rows, limits.gone_percent):
        yield f"{name}: {count} of {before.num_rows} rows are gone"


def _appointments_gone(name: str, before: pa.Table, after: pa.Table, limits: Limits, today: date) -> Iterator[str]:
    """Those ahead: what is behind may be tidied away. Of each patient's, how many fewer there are: a machine that fails
    for days moves all of its patients at once, and MOSAIQ moves by a new row."""
    had, has = _ahead_by_patient(before, today), _ahead_by_patient(after, today)
    count = sum(max(0, of_before - has.get(patient, 0)) for patient, of_before in had.items())
    if limits.are_too_many(count, sum(had.values()), limits.appointments_percent):
        yield f"{name}: {count} of {sum(had.values())} appointments ahead are gone"


def _ahead_by_patient(table: pa.Table, today: date) -> dict[str | None, int]:
    ahead = table.filter(pc.greater_equal(table["appointment_at"], _midnight(today)))
    return {one["values"]: one["counts"] for one in pc.value_counts(ahead["patient_id"]).to_pylist()}


def _past_changed(name: str, before: pa.Table, after: pa.Table, limits: Limits, today: date) -> Iterator[str]:
    """Patients of whom fractions that were given are gone, or are told otherwise."""
    since = _midnight(today - timedelta(days=HISTORY_DAYS) + SETTLED_AFTER)
    at = before["treated_at"]
    past = before.filter(pc.and_(pc.greater_equal(at, since), pc.less(at, _midnight(today - SETTLED_AFTER))))
    gone = _without(past, after, name)
    both = _joined(past, after, name, OF_THE_PAST)
    changed = both.filter(reduce(pc.or_, [_is_altered(both, column) for column in OF_THE_PAST]))
    for rows, what in ((gone, "are gone"), (changed, "are told otherwise")):
        patients = pc.count_distinct(rows["patient_id"]).as_py()
        if patients > limits.past_patients or rows.num_rows > max(limits.rows, MOST_ROWS_LOST * past.num_rows):
            yield f"{name}: {rows.num_rows} of {past.num_rows} of the past, of {patients} patients, {what}"


_Rule = Callable[[str, pa.Table, pa.Table, Limits, date], Iterator[str]]
_RULES: Mapping[str, _Rule] = {
    "patients": _gone,
    "prescriptions": _gone,
    "plans": _gone,
    "schedule": _appointments_gone,
    "deliveries": _past_changed,
}


def _altered(name: str, before: pa.Table, after: pa.Table, limits: Limits) -> Iterator[str]:
    key = RELATIONAL_TABLES[name].key
    columns = ALTERED.get(name, tuple(column for column in before.column_names if column not in key))
    percent = limits.altered_percent if name in ALTERED else 100 * MOST_ROWS_LOST
    both = _joined(before, after, name, columns) if columns else before
    for column in columns:
        count = pc.sum(_is_altered(both, column)).as_py() or 0
        if limits.are_too_many(count, both.num_rows, percent):
            yield f"{name}: {column} is another in {count} of {both.num_rows} rows"


def _encrypted(name: str, before: pa.Table, after: pa.Table, limits: Limits) -> Iterator[str]:
    """Texts that were not there before, of which most read as if they were encrypted."""
    for column in WRITTEN_BY_PEOPLE.get(name, ()):
        told = pc.unique(after[column])
        new = told.filter(pc.invert(pc.is_in(told, value_set=pc.unique(before[column])))).drop_null().to_pylist()
        count = sum(map(looks_encrypted, new))
        if count > max(limits.encrypted_texts, len(new) / 2):
            yield f"{name}: {count} of {len(new)} new texts of {column} look encrypted"


def looks_encrypted(text: str) -> bool:
    """Whether a text is no writing: bytes that are no letters, or a long word of letters and digits at random."""
    if len(text) < _SHORTEST_CIPHER:
        return False
    strange = sum(c == "\ufffd" or (unicodedata.category(c) in _NOT_TEXT and not c.isspace()) for c in text)
    if strange > len(text) / 10:
        return True
    word = re.sub(r"[^A-Za-z0-9]", "", max(text.split(), key=len, default=""))
    kinds = ["0" if c.isdigit() else "a" if c.islower() else "A" for c in word]
    switches = sum(one != other for one, other in pairwise(kinds))
    return len(word) >= _SHORTEST_CIPHER and switches >= _SWITCHES * len(word)


def _joined(before: pa.Table, after: pa.Table, name: str, columns: tuple[str, ...]) -> pa.Table:
    """Rows that both have, by their key: `columns` as they were, and with ` now` as they are."""
    key = list(RELATIONAL_TABLES[name].key)
    wanted = [*key, *columns]
    now = after.select(wanted).rename_columns([*key, *(f"{column} now" for column in columns)])
    return before.select(wanted).join(now, keys=key, join_type="inner")


def _without(before: pa.Table, after: pa.Table, name: str) -> pa.Table:
    """Rows whose key is not there any more."""
    key = list(RELATIONAL_TABLES[name].key)
    wanted = list(dict.fromkeys([*key, "patient_id"]))
    return before.select(wanted).join(after.select(key), keys=key, join_type="left anti")


def _is_altered(both: pa.Table, column: str) -> pa.ChunkedArray:
    """Where a value is another, or none: what was absent and is told now is no harm."""
    old, new = both[column], both[f"{column} now"]
    if pa.types.is_floating(old.type):
        other = pc.greater(pc.abs(pc.subtract(old, new)), SAME_METERSET)
    else:
        other = pc.not_equal(old, new)
    return pc.and_(pc.is_valid(old), pc.fill_null(other, True))


def _midnight(day: date) -> pa.Scalar:
    return pa.scalar(datetime.combine(day, time()))
