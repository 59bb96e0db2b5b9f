"""How long ago each patient was treated: days since, and a mark where a working day has passed without.

Calendar days are shown, because people count so; the mark ▲ stands where at least one day from Monday to Friday has
passed without treatment, so that no Monday makes sixty marks. Text is padded so that it sorts as the days do.
"""

from datetime import date

import pandas as pd

from recovery.lists.appointments import records
from recovery.on_treatment import overall_time
from recovery.on_treatment.priorities import gap_days, missed_days
from recovery.tables.schema import TEXT
from recovery.words.notices import LOOK_MARK
from recovery.words.statuses import is_over
from recovery.words.values import or_none

_OF_TIME = (
    *("first_treatment_at", "last_treatment_at", "course_fractions_delivered", "course_number_of_fractions_planned"),
    *("course_plan_labels", "status"),
)
_PAD = " "
"""Sorts before every figure, and every mark sorts after it."""


def with_gaps(table: pd.DataFrame, today: date) -> pd.DataFrame:
    """The table with `gap_days` (Int64) and `gap` (`▲ 4 d`); neither of a plan that nobody will go on with."""
    days: list[int | None] = []
    said: list[str | None] = []
    for last, status in zip(table["last_treatment_at"], table["status"], strict=True):
        is_told = or_none(last) is not None and not is_over(status)
        day = last.date() if is_told else None
        number, missed = gap_days(day, today), missed_days(day, today)
        days.append(number)
        said.append(None if number is None else f"{LOOK_MARK if missed else _PAD} {number:{_PAD}>2} d")
    return table.assign(
        gap_days=pd.Series(days, index=table.index, dtype="Int64"),
        gap=pd.Series(said, index=table.index, dtype=TEXT),
    )


def overall(table: pd.DataFrame, today: date) -> pd.Series:
    """How long each course has taken, against one fraction each weekday; NA where it cannot be said."""
    known = [{name: or_none(value) for name, value in row.items()} for row in records(table[list(_OF_TIME)])]
    return pd.Series([overall_time.in_words(row, today) for row in known], index=table.index, dtype=TEXT)


def by_gap(table: pd.DataFrame) -> pd.DataFrame:
    """The longest gap first; never treated last; names keep their order among equals."""
    return table.sort_values("gap_days", ascending=False, kind="stable", na_position="last")
