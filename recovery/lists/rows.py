"""What each row of on_treatment says to a reader, in words: the marks, what to look at, the next fraction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from recovery.cache.store import Cache
from recovery.dicom.course_uids import label_of
from recovery.entries import transfers
from recovery.entries.charted import read_charted
from recovery.entries.next_decisions import standing_at
from recovery.identity.namesakes import fold, same_names
from recovery.identity.one_patient import ids_of
from recovery.lists import filters, older_ids
from recovery.lists.appointments import Record
from recovery.on_treatment.unknown_since import NO_ANSWERS, Answers, Doubt, unknown_of
from recovery.tables.schema import ON_TREATMENT, TEXT
from recovery.words import notices
from recovery.words.statuses import STAGES, in_words
from recovery.words.values import or_none

_ROW_COLUMNS = [
    *("patient_id", "other_patient_ids", "referenced_rt_plan_uid", "status", "in_flight", "interrupted_fraction"),
    "last_treatment_at",
]
_OF_COURSE = ("patient_id", "referenced_rt_plan_uid", "prescription_id")
_BOOKING_COLUMNS = ["patient_id", "appointment_at", "treatment_machine_name", "status"]


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """on_treatment as it is listed: by name, then ID, then first treatment."""
    order = pd.DataFrame(
        {
            "name": table["patient_name"].map(fold, na_action="ignore"),
            "id": table["patient_id"],
            "first": table["first_treatment_at"],
            "plan": table["rt_plan_label"],
        }
    )
    by = order.sort_values(list(order.columns), kind="stable").index
    return table.loc[by].reset_index(drop=True)


def describe(table: pd.DataFrame) -> pd.DataFrame:
    """The whole table, with columns of words for its readers.

    Added: `mark` (■, ▲ or empty), `check` (what to look at, empty when nothing), `urgent` (the same without the first
    mark, and of ▲ its word alone), `is_interrupted`, `why_not_ready`, `plan` (with `1 of 2` where a person has two),
    `fraction` (the next one: `13 next of 30 (12 given)`), `next_is` (a `Next`), `progress` (0 to 1, or NA), and
    `status_words`. Give it all rows, not the filtered ones: it compares a patient's rows with each other.
    """
    listed = as_python(table)
    ahead = [notices.next_fraction(row) for row in listed]
    said = [[*notices.of_row(row), *same] for row, same in zip(listed, _same_name(table), strict=True)]
    words = {
        "why_not_ready": [", ".join(notice.said for notice in notices.not_ready(row)) for row in listed],
        "plan": _plans(table),
        "fraction": [said for said, _ in ahead],
        "next_is": [kind for _, kind in ahead],
        "status_words": [in_words(value) for value in filters.or_dash(table["status"])],
        "check": [" · ".join(map(str, found)) for found in said],
        "urgent": [_urgent(found) for found in said],
        "mark": [found[0].mark if found else "" for found in said],
    }
    given, planned = table["course_fractions_delivered"], table["course_number_of_fractions_planned"]
    progress = (given / planned.where(planned > 0)).clip(0, 1).astype("Float64")
    columns = {name: pd.Series(values, index=table.index, dtype=TEXT) for name, values in words.items()}
    return table.assign(**columns, progress=progress, is_interrupted=filters.is_interrupted(table))


def with_transfers(table: pd.DataFrame, cache_path: Path) -> pd.DataFrame:
    """on_treatment as a frame, with the transfers that were signed by now, before it is described."""
    standing = transfers.standing_at(cache_path)
    if not standing and table["transferred"].isna().all():
        return table
    told = transfers.with_transfers(as_python(table), standing)
    names = ("status", "status_without_transfer", "transferred")
    columns = {name: pd.Series([row[name] for row in told], index=table.index, dtype=TEXT) for name in names}
    return table.assign(**columns)


def of_not_started(table: pd.DataFrame) -> pd.DataFrame:
    """Who is not on treatment yet, as page, paper and Excel show it, in the table's order."""
    said = {stage: one.said for stage, one in STAGES.items()}
    lines = table.rename(columns={"next_appointment_at": "first_appointment_at"})
    return lines.assign(mark="", stage=table["stage"].map(said), initials="")


@dataclass(slots=True)
class Recounts:
    """Rows counted anew, by patient, while no table changes: whoever has nothing new charted is not counted again."""

    _known: dict[str, tuple[frozenset[str], list[Record]]] = field(default_factory=dict)

    def rows(self, table: pd.DataFrame, cache: Cache) -> Iterator[Record]:
        """Every row of whoever was charted or decided on, all plans of the patient. `table` is on_treatment.

        Raises `CacheError` if the records or plans cannot be read.
        """
        told = _charted_of(table, cache)
        new = sorted(one for one, entries in told.items() if self._known.get(one, (None, []))[0] != entries)
        if new:
            from recovery.patient.recounted import recounted
            from recovery.patient.tables import read_tables  # with pydicom behind it, which no list needs

            tables = read_tables(cache, new)
            anew: dict[str, list[Record]] = {}
            for row in recounted(tables):
                anew.setdefault(row["patient_id"], []).append(row)
            for one in new:
                self._known[one] = told[one], anew.get(tables.newest.get(one, one), [])
        return (row for one in told for row in self._known[one][1])


def _charted_of(table: pd.DataFrame, cache: Cache) -> dict[str, frozenset[str]]:
    """By ID that was charted or decided on, the entries and decisions on which the patient's rows depend: also others'
    of one of his plans."""
    entries, decisions = read_charted(cache.path).entries, standing_at(cache.path)
    plans: dict[str, set[str | None]] = {entry.patient_id: set() for entry in entries}
    plans |= {patient_id: set() for patient_id, _ in decisions if patient_id not in plans}
    for row in as_python(table[["patient_id", "other_patient_ids", "referenced_rt_plan_uid"]]):
        for one in ids_of(row):
            if one in plans:
                plans[one].add(row["referenced_rt_plan_uid"])
    by_plan: dict[str | None, set[str]] = {}
    for entry in entries:
        plans[entry.patient_id].add(entry.referenced_rt_plan_uid)
        by_plan.setdefault(entry.referenced_rt_plan_uid, set()).add(entry.entry_id)
    for (patient_id, plan), decision in decisions.items():
        plans[patient_id].add(plan)
        by_plan.setdefault(plan, set()).add(f"{patient_id} {decision.by} {decision.entered_at.isoformat()}")
    return {one: frozenset().union(*(by_plan.get(uid, ()) for uid in own)) for one, own in plans.items()}


def with_charted(table: pd.DataFrame, cache: Cache, known: Recounts | None = None) -> pd.DataFrame:
    """The table as `describe` makes it, with every row of whoever was charted, or decided on, counted anew.

    Added: `next_decided`, by whom, when and why the next fraction was.

    Raises `CacheError` if the records or plans cannot be read: then no count is shown.
    """
    anew = {tuple(row[name] for name in _OF_COURSE): row for row in (known or Recounts()).rows(table, cache)}
    if not anew:
        return table
    keys = [tuple(row.values()) for row in as_python(table[list(_OF_COURSE)])]
    changed: dict[str, pd.Series[Any]] = {}
    for name in ON_TREATMENT.columns:
        told = [anew[key][name] if key in anew else value for key, value in zip(keys, table[name], strict=True)]
        changed[name] = pd.Series(told, index=table.index, dtype=table[name].dtype)
    decided = [anew[key].get("next_decided") if key in anew else None for key in keys]
    return describe(table.assign(**changed, next_decided=pd.Series(decided, index=table.index, dtype=TEXT)))


def newest_treatment(table: pd.DataFrame) -> datetime | None:
    """When the newest record of all rows began, local to the site."""
    newest = or_none(table["last_treatment_at"].max())
    return newest.to_pydatetime() if newest is not None else None


def with_unknown(
    table: pd.DataFrame,
    schedule: pd.DataFrame | None,
    doubt: Doubt | None,
    answered: Answers = NO_ANSWERS,
    recorded: Answers = NO_ANSWERS,
) -> pd.DataFrame:
    """The table as `describe` makes it, with `unknown_since` of now, and all that it says because of it."""
    booked = None
    if schedule is not None and doubt is not None:
        booked = as_python(older_ids.under_newest(schedule, older_ids.names_of(table))[_BOOKING_COLUMNS])
    told = unknown_of(as_python(table[_ROW_COLUMNS]), booked, doubt, answered, recorded)
    return describe(table.assign(unknown_since=pd.Series(told, index=table.index, dtype="datetime64[us]")))


def as_python(frame: pd.DataFrame) -> list[Record]:
    """Rows as Python knows them, absent values None. Column by column, for pandas takes a millisecond for each mask."""
    columns = [
        [
            None if is_absent else value
            for value, is_absent in zip(frame[name].to_numpy(dtype=object), frame[name].isna().to_numpy(), strict=True)
        ]
        for name in frame.columns
    ]
    names = list(frame.columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _urgent(found: Sequence[notices.Notice]) -> str:
    told = [n.unmarked if n.is_stop else n.word for n in found]
    return " · ".join(told[:1] + [f"{n.mark} {said}" for n, said in zip(found[1:], told[1:], strict=True)])


def _plans(table: pd.DataFrame) -> list[str]:
    """Plan labels; where a person has several unfinished plans, each says which of how many it is."""
    unfinished = filters.is_unfinished(table) & table["patient_id"].notna()
    ids = table["patient_id"].where(unfinished)
    number = ids.groupby(ids).cumcount() + 1
    total = ids.map(ids.value_counts())
    return [
        f"{label} ({int(of_which)} of {int(many)})" if counts and many > 1 else label
        for label, counts, of_which, many in zip(
            filters.or_dash(_labels(table)), unfinished, number, total.fillna(0), strict=True
        )
    ]


def _labels(table: pd.DataFrame) -> pd.Series:
    named = (table[name].astype(object) for name in ("rt_plan_label", "referenced_rt_plan_uid", "site"))
    said = [label_of(*(or_none(value) for value in row)) for row in zip(*named, strict=True)]
    return pd.Series(said, index=table.index, dtype=TEXT)


def _same_name(table: pd.DataFrame) -> list[list[notices.Notice]]:
    """A warning where another patient, known by another ID, bears the same name."""
    found = same_names(zip(filters.or_dash(table["patient_id"]), table["patient_name"].fillna(""), strict=True))
    return [[notices.namesake(f"ID {', '.join(ids)}")] if ids else [] for ids in found]
