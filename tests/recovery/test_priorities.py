"""The clock of missed days: pure arithmetic, whatever the calendar does."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.on_treatment.priorities import WORKING_WEEK, MissedDays, Rules, gap_days, missed_days, stand, urgency

FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
RULES = Rules({1: 2, 2: 5, 3: 7}, WORKING_WEEK, "Dr. Meier", date(2026, 11, 2))


@pytest.mark.parametrize(
    ("last", "today", "missed"),
    [
        (FRIDAY, FRIDAY, 0),
        (FRIDAY, MONDAY, 0),  # a weekend is not missed
        (FRIDAY, MONDAY + timedelta(days=1), 1),  # Monday is over
        (FRIDAY, MONDAY + timedelta(days=7), 5),
        (FRIDAY, MONDAY + timedelta(days=8), 6),
        (MONDAY, FRIDAY, 0),  # a clock that runs behind makes nobody early
        (date(2028, 2, 28), date(2028, 3, 1), 1),  # Tuesday 29 February
        (date(2027, 2, 26), date(2027, 3, 2), 1),  # a year without one: Friday to Tuesday
        (date(2026, 12, 31), date(2027, 1, 4), 1),  # Friday 1 January is missed: holidays prolong a course
    ],
)
def test_only_treatment_days_that_are_over_are_missed(last: date, today: date, missed: int) -> None:
    assert missed_days(last, today) == missed


def test_the_weekdays_are_the_clinics_own() -> None:
    assert missed_days(FRIDAY, MONDAY, {5, 6}) == 2
    assert missed_days(FRIDAY, MONDAY + timedelta(days=14), frozenset(range(7))) == 16


def test_who_was_never_treated_has_no_clock() -> None:
    assert missed_days(None, MONDAY) is None
    assert gap_days(None, MONDAY) is None
    assert stand(None, 1, MONDAY, RULES).days_left is None
    assert stand(FRIDAY, None, MONDAY, RULES).days_left is None


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(-3, 400), st.frozensets(st.integers(0, 6), min_size=1))
def test_missed_days_are_those_that_somebody_counts_on_a_calendar(
    last: date, days: int, weekdays: frozenset[int]
) -> None:
    between = [last + timedelta(days=n) for n in range(1, days)]
    assert missed_days(last, last + timedelta(days=days), weekdays) == sum(d.weekday() in weekdays for d in between)


@pytest.mark.parametrize("night", [date(2026, 3, 28), date(2026, 10, 24)])
def test_a_night_of_changing_clocks_is_one_day(night: date) -> None:
    zone = ZoneInfo("Europe/Zurich")
    treated = datetime(night.year, night.month, night.day, 23, 59, tzinfo=zone)
    after = datetime(night.year, night.month, night.day, tzinfo=zone) + timedelta(days=1, minutes=1)
    assert gap_days(treated.date(), after.date()) == 1
    assert missed_days(treated.date(), (after + timedelta(days=1)).date(), frozenset(range(7))) == 1


def test_the_days_left_are_the_limit_less_those_missed() -> None:
    wednesday = MONDAY + timedelta(days=2)
    assert stand(FRIDAY, 1, wednesday, RULES) == MissedDays(2, 2)
    assert stand(FRIDAY, 1, wednesday, RULES).days_left == 0
    assert stand(FRIDAY, 1, wednesday + timedelta(days=1), RULES).days_left == -1
    assert stand(FRIDAY, 2, wednesday, RULES).days_left == 3


def test_the_list_is_sorted_by_clock_then_category_chemotherapy_and_intent() -> None:
    due, later, unknown = MissedDays(2, 2), MissedDays(0, 5), MissedDays(None, 2)
    ordered = [
        urgency(due, 1, True, "curative"),
        urgency(due, 1, False, "curative"),
        urgency(due, 1, None, "palliative"),
        urgency(due, 2, True, "curative"),
        urgency(later, 1, True, "curative"),
        urgency(unknown, 1, True, "curative"),
    ]
    assert ordered == sorted(ordered)
    assert len(set(ordered)) == len(ordered)
