"""The list of who can wait least: plans in treatment, what physicians entered, and the clock, in words and in order."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from recovery.entries.priority_entries import PriorityEntry
from recovery.lists import filters, gaps
from recovery.lists.appointments import records
from recovery.lists.columns import CLOCKS
from recovery.on_treatment import priorities
from recovery.on_treatment.priorities import Rules
from recovery.words.notices import LOOK_MARK, STOP_MARK
from recovery.words.values import ABSENT, counted, or_none

COLUMNS = tuple(dict.fromkeys((*CLOCKS.page, *CLOCKS.paper)))


def clocks(
    table: pd.DataFrame, entries: Mapping[str, PriorityEntry], rules: Rules, today: date, zone: ZoneInfo
) -> pd.DataFrame:
    """Plans in treatment with an entry that counts, the least days left first."""
    lines: list[tuple[tuple[int, int, int, int], dict[str, Any]]] = []
    unfinished = table[filters.is_unfinished(table)]
    for row in records(unfinished.assign(overall=gaps.overall(unfinished, today))):
        entry = entries.get(row["patient_id"])
        if entry is None or entry.category is None:
            continue
        last = or_none(row["last_treatment_at"])
        day = last.date() if last is not None else None
        standing = priorities.stand(day, entry.category, today, rules)
        key = priorities.urgency(standing, entry.category, entry.concurrent_chemotherapy, entry.intent)
        lines.append((key, _line(row, entry, standing, zone)))
    lines.sort(key=lambda line: line[0])
    frame = pd.DataFrame([line for _, line in lines], columns=list(COLUMNS))
    return frame.astype({"missed_days": "Int64", "allowed_days": "Int64", "category": "Int64"})


def without_entry(table: pd.DataFrame, entries: Mapping[str, PriorityEntry], rules: Rules, today: date) -> pd.DataFrame:
    """Plans in treatment about whose patients nothing that counts was entered, the longest without treatment first.

    Added: `missed_days`, `overall`, and `prescribed`, the intent that the R&V system names for the plan; the curative
    come first among those who missed as much. A name tells nothing of who can wait.
    """
    entered = {patient_id for patient_id, entry in entries.items() if entry.category is not None}
    left = table[filters.is_unfinished(table) & ~table["patient_id"].isin(entered)]
    days = [or_none(at) for at in left["last_treatment_at"]]
    missed = [priorities.missed_days(at and at.date(), today, rules.treatment_weekdays) for at in days]
    told = left.assign(
        missed_days=pd.Series(missed, index=left.index, dtype="Int64"),
        overall=gaps.overall(left, today),
        prescribed=left["intent"],
        is_curative=["curative" in intent.casefold() for intent in left["intent"].fillna("")],
    )
    return told.sort_values(["missed_days", "is_curative"], ascending=False, kind="stable", na_position="last")


def clock_in_words(standing: priorities.MissedDays) -> tuple[str, str]:
    """The mark and the words of a clock: `■ 1 day over`, `▲ no day left`, `2 days left`."""
    left = standing.days_left
    if left is None:
        return "", "not begun" if standing.missed_days is None else ABSENT
    if left < 0:
        return STOP_MARK, f"{counted(-left, 'day')} over"
    return (LOOK_MARK, "no day left") if left == 0 else ("", f"{counted(left, 'day')} left")


def _line(
    row: dict[str, Any], entry: PriorityEntry, standing: priorities.MissedDays, zone: ZoneInfo
) -> dict[str, object]:
    mark, clock = clock_in_words(standing)
    marks = {mark, row["mark"]}
    chemotherapy = {True: "yes", False: "no", None: None}[entry.concurrent_chemotherapy]
    signed = f"{entry.signed_by}, {entry.entered_at.astimezone(zone):%Y-%m-%d %H:%M}"
    return {name: row.get(name) for name in COLUMNS} | {
        "mark": next((one for one in (STOP_MARK, LOOK_MARK) if one in marks), ""),
        "clock": f"{mark} {clock}".strip(),
        "missed_days": standing.missed_days,
        "allowed_days": standing.allowed_days,
        "category": entry.category,
        "chemotherapy": chemotherapy,
        "intent": entry.intent,
        "decided_by": entry.decided_by,
        "signed_by": signed,
        "comment": entry.comment or None,
    }
