"""What each row of on_treatment says to a reader: the marks, the sentence of what to look at, fraction 12 / 30.

Goal
    Screen and Excel say the same of a patient, in the same words.

How
    One function adds columns of words to the table; what is typed (dates, numbers) stays as it is.

Why marks
    Colour is lost on paper and to one man in twelve: ■ means do not treat before someone has looked, ▲ means look.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from app import filters
from app.words import ABSENT, absent

STOP_MARK = "■"
LOOK_MARK = "▲"

_HELD: Mapping[str, str] = {
    "plan_held": "the plan",
    "structure_set_held": "the structure set",
    "images_held": "the images",
    "records_held": "all records",
}


def describe(table: pd.DataFrame) -> pd.DataFrame:
    """The whole table, with columns of words for its readers.

    Added: `mark` (■, ▲ or empty), `check` (what to look at, empty when nothing), `interruption`, `not_ready`,
    `plan` (with `1 of 2` where a person has two), `fraction` (`12 / 30`), `progress` (0 to 1, or NA), and
    `status_words`. Give it all rows, not the filtered ones: it compares a patient's rows with each other.
    """
    words = {
        "interruption": _interruptions(table),
        "not_ready": _not_ready(table),
        "plan": _plans(table),
        "fraction": _fractions(table),
        "status_words": [filters.STATUS_WORDS.get(value, value) for value in filters.or_dash(table["status"])],
    }
    remarks = [f"{LOOK_MARK} {remark}" if remark else "" for remark in table["remarks"].fillna("")]
    disagreements = [disagreement(said) for said in table["disagreement"].fillna("")]
    begun = [not_recorded(said) for said in table["in_flight"].fillna("")]
    said_of_it = (words["interruption"], begun, words["not_ready"], disagreements, remarks, _same_name(table))
    parts = zip(*said_of_it, strict=True)
    words["check"] = [" · ".join(filter(None, said)) for said in parts]
    words["mark"] = [check[:1] for check in words["check"]]
    planned = table["number_of_fractions_planned"]
    progress = (table["fractions_delivered"] / planned.where(planned > 0)).clip(0, 1).astype("Float64")
    columns = {name: pd.Series(values, index=table.index, dtype="string") for name, values in words.items()}
    return table.assign(**columns, progress=progress)


def interruption(number: object, meterset_left: object) -> str:
    """`■ INTERRUPTED fraction 5, 50.0 MU left`; `— left` where that is not known, or not in MU (brachytherapy)."""
    left = _or_none(meterset_left)
    amount = f"{float(left):.1f} MU" if isinstance(left, int | float) else ABSENT
    return f"{STOP_MARK} INTERRUPTED fraction {number}, {amount} left"


def not_recorded(said: str) -> str:
    """`■ NOT RECORDED: fraction 8 began …`, of what the R&V database saw begin; empty when it saw nothing."""
    return f"{STOP_MARK} NOT RECORDED: {said}" if said else ""


def disagreement(said: str) -> str:
    """`■ DISAGREEMENT: ` and both values; empty when the sources agree."""
    return f"{STOP_MARK} DISAGREEMENT: {said}" if said else ""


def not_ready(row: Mapping[str, object]) -> str:
    """`■ NOT READY: ` and what is missing, in the table's own words; what is not known to be held without them."""
    missing = _or_none(row["missing"])
    if not missing:
        lacking = [what for column, what in _HELD.items() if not _or_none(row[column])]
        missing = f"not known to be held: {', '.join(lacking)}" if lacking else "the table does not say why"
    return f"{STOP_MARK} NOT READY: {missing}"


def _interruptions(table: pd.DataFrame) -> list[str]:
    columns = (table["interrupted_fraction"], table["interrupted_meterset_remaining"], filters.is_interrupted(table))
    return [interruption(number, left) if matters else "" for number, left, matters in zip(*columns, strict=True)]


def _not_ready(table: pd.DataFrame) -> list[str]:
    return [
        not_ready(row) if matters else ""
        for row, matters in zip(_records(table), filters.is_not_ready(table), strict=True)
    ]


def _fractions(table: pd.DataFrame) -> list[str]:
    columns = (table["fractions_delivered"], table["number_of_fractions_planned"])
    return [f"{absent(_or_none(done))} / {absent(_or_none(of))}" for done, of in zip(*columns, strict=True)]


def _plans(table: pd.DataFrame) -> list[str]:
    """Plan labels; where a person has several unfinished plans, each says which of how many it is."""
    unfinished = table["status"].isin(filters.UNFINISHED) & table["patient_id"].notna()
    ids = table["patient_id"].where(unfinished)
    number = ids.groupby(ids).cumcount() + 1
    total = ids.map(ids.value_counts())
    return [
        f"{label} ({int(of_which)} of {int(many)})" if counts and many > 1 else label
        for label, counts, of_which, many in zip(
            filters.or_dash(table["rt_plan_label"]), unfinished, number, total.fillna(0), strict=True
        )
    ]


def _same_name(table: pd.DataFrame) -> list[str]:
    """A warning where another patient, known by another ID, bears the same name."""
    folded = [filters.fold(name) for name in table["patient_name"].fillna("")]
    ids = filters.or_dash(table["patient_id"])
    known: dict[str, set[str]] = {}
    for name, patient_id in zip(folded, ids, strict=True):
        known.setdefault(name, set()).add(patient_id)
    others = [sorted(known[name] - {own}) if name else [] for name, own in zip(folded, ids, strict=True)]
    return [f"{LOOK_MARK} namesake: ID {', '.join(namesakes)}" if namesakes else "" for namesakes in others]


def _records(table: pd.DataFrame) -> list[dict[str, object]]:
    columns = ["missing", *_HELD]
    rows = zip(*(table[column] for column in columns), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _or_none(value: object) -> object:
    return None if value is None or value is pd.NA or value != value else value
