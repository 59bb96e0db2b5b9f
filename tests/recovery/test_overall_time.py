"""Overall treatment time against one fraction each weekday: information, and silence where it cannot be said."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from recovery.on_treatment.overall_time import in_words

MONDAY = datetime(2026, 11, 2, 9, 30)  # noqa: DTZ001  site-local


def row(given: int, last: int, planned: int | None = 10, **more: Any) -> dict[str, Any]:
    """Begun on a Monday; `last`: days after it."""
    return {
        "first_treatment_at": MONDAY,
        "last_treatment_at": MONDAY + timedelta(days=last),
        "course_fractions_delivered": given,
        "course_number_of_fractions_planned": planned,
        "course_plan_labels": "",
        "status": "on_treatment",
        **more,
    }


@pytest.mark.parametrize(
    ("told", "days", "said"),
    [
        (row(1, 0), 0, "day 1 of 12"),
        (row(5, 4), 7, "day 8 of 12"),  # the next Monday, nothing given yet
        (row(5, 4), 8, "day 9 of 12, 1 fraction behind, 15 days at best"),
        (row(5, 4), 11, "day 12 of 12, 4 fractions behind, 18 days at best"),
        (row(4, 4), 4, "day 5 of 12, 1 fraction behind, 15 days at best"),  # one was interrupted, or skipped
        (row(7, 4), 4, "day 5 of 12"),  # twice a day
    ],
)
def test_a_course_is_held_against_one_fraction_each_weekday(told: dict[str, Any], days: int, said: str) -> None:
    assert in_words(told, (MONDAY + timedelta(days=days)).date()) == said


@pytest.mark.parametrize(
    "more",
    [
        {"first_treatment_at": None},
        {"course_number_of_fractions_planned": None},
        {"course_number_of_fractions_planned": 10**9},
        {"course_plan_labels": "Boost, Prost"},
        {"status": "completed"},
    ],
)
def test_what_cannot_be_said_is_not_said(more: dict[str, Any]) -> None:
    assert in_words(row(5, 4) | more, date(2026, 11, 12)) is None
