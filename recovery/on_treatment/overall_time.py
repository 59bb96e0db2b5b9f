"""How long a course has taken and will take at best, against one fraction each weekday. Pure, no I/O, no clock.

Information only: no dose is computed of it, and nothing follows from it. Whole days count, the first one too.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from recovery.on_treatment.priorities import WORKING_WEEK, missed_days
from recovery.words.statuses import is_over
from recovery.words.values import counted

_DAY = timedelta(days=1)
_MOST = 200
"""Fractions; a number beyond is none that anybody planned."""


def in_words(row: Mapping[str, Any], today: date) -> str | None:
    """`day 23 of 33, 4 fractions behind, 37 days at best`; None where it cannot be said: not begun or over, the planned
    number unknown, or a course of several plans, of which a row knows the first day of its own plan alone."""
    first, last, given = row["first_treatment_at"], row["last_treatment_at"], row["course_fractions_delivered"]
    planned = row["course_number_of_fractions_planned"]
    if first is None or last is None or given is None or not planned or planned > _MOST:
        return None
    if row["course_plan_labels"] or is_over(row["status"]):
        return None
    began, is_treated_today = first.date(), last.date() >= today
    until = today if is_treated_today else today - _DAY
    behind = max(0, (missed_days(began - _DAY, until + _DAY) or 0) - given)
    said = f"day {max(0, (today - began).days) + 1} of {(_end(began, planned) - began).days + 1}"
    if not behind:
        return said
    ends = _end(until, planned - given + 1)
    return f"{said}, {counted(behind, 'fraction')} behind, {(ends - began).days + 1} days at best"


def _end(first: date, fractions: int) -> date:
    """The day of the last of so many fractions, one on `first` and one each weekday after it."""
    day, left = first, fractions - 1
    while left > 0:
        day += _DAY
        left -= day.weekday() in WORKING_WEEK
    return day
