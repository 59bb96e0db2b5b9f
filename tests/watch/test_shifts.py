"""Which shift's check is open, made, missed or of a difference, across weekends, nights and changing clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from recovery.entries.shift_checks import ShiftCheck
from recovery.watch.shifts import DIFFERS, MISSED, Shift, shifts_of, trouble_of

ZURICH = ZoneInfo("Europe/Zurich")
WEEKDAYS = range(5)
TIMES = ("06:30", "14:30")
TUESDAY = datetime(2026, 11, 24, 14, 38, tzinfo=ZURICH)


def check(at: datetime, agrees: bool = True) -> ShiftCheck:
    return ShiftCheck(agrees, "" if agrees else "TB1 has one more", "Doe (doe)", at.astimezone(UTC))


def begun(now: datetime, *checks: ShiftCheck, times: tuple[str, ...] = TIMES) -> list[Shift]:
    return shifts_of(times, WEEKDAYS, checks, now, ZURICH)


def local(shifts: list[Shift]) -> list[str]:
    return [f"{shift.begins.astimezone(ZURICH):%a %H:%M}" for shift in shifts]


def open_since(now: datetime, *checks: ShiftCheck) -> str | None:
    found = trouble_of(begun(now, *checks), checks, now)
    return None if found is None else f"{found.since.astimezone(ZURICH):%a %H:%M} {found.said}"


def test_shifts_are_those_of_treatment_days_newest_first() -> None:
    assert local(begun(TUESDAY))[:4] == ["Tue 14:30", "Tue 06:30", "Mon 14:30", "Mon 06:30"]
    assert local(begun(TUESDAY))[4] == "Fri 14:30", "nobody treats on a weekend"
    assert begun(TUESDAY, times=()) == []


def test_a_check_belongs_to_the_shift_it_was_made_in() -> None:
    made = check(TUESDAY.replace(hour=14, minute=29))
    assert [shift.check for shift in begun(TUESDAY, made)[:3]] == [None, made, None]
    later = check(TUESDAY.replace(hour=14, minute=30))
    assert [shift.check for shift in begun(TUESDAY, made, later)[:2]] == [later, made]


@pytest.mark.parametrize(
    ("minutes_after", "open_for"),
    [(8, None), (60, None), (61, f"Tue 14:30 {MISSED}"), (16 * 60, f"Tue 14:30 {MISSED}")],
)
def test_a_shift_has_an_hour_and_then_is_missed(minutes_after: int, open_for: str | None) -> None:
    morning = check(TUESDAY.replace(hour=7))
    assert open_since(TUESDAY.replace(minute=30) + timedelta(minutes=minutes_after), morning) == open_for


def test_the_first_hour_of_a_new_shift_does_not_end_what_the_last_one_missed() -> None:
    monday = check(TUESDAY - timedelta(days=1))
    assert open_since(TUESDAY, monday) == f"Tue 06:30 {MISSED}"
    assert open_since(TUESDAY, monday, check(TUESDAY - timedelta(minutes=5))) is None


def test_it_is_open_since_the_first_shift_of_the_row_that_was_missed() -> None:
    assert open_since(TUESDAY, check(TUESDAY - timedelta(days=4))) == f"Mon 06:30 {MISSED}"
    assert open_since(TUESDAY) == f"Tue 06:30 {MISSED}", "none was ever made: nobody was asked before"


def test_a_difference_is_told_until_somebody_finds_that_all_agrees() -> None:
    differs = check(TUESDAY - timedelta(minutes=6), agrees=False)
    assert open_since(TUESDAY, differs) == f"Tue 14:32 {DIFFERS}"
    assert open_since(TUESDAY + timedelta(days=1), differs) == f"Tue 14:32 {DIFFERS}"
    assert open_since(TUESDAY, differs, check(TUESDAY - timedelta(minutes=1))) is None


def test_nobody_is_asked_where_no_shift_is_configured() -> None:
    assert trouble_of([], [check(TUESDAY, agrees=False)], TUESDAY) is None


def test_a_shift_begins_by_the_sites_clock_on_the_night_it_changes() -> None:
    monday = datetime(2026, 10, 26, 7, 0, tzinfo=ZURICH)  # the clocks went back on Sunday
    newest = begun(monday)[0].begins
    assert newest == datetime(2026, 10, 26, 5, 30, tzinfo=UTC) and newest.astimezone(ZURICH).hour == 6


@pytest.mark.parametrize("lacking", [{"signed_by": " "}, {"remark": " "}, {"entered_at": datetime(2026, 11, 24)}])  # noqa: DTZ001
def test_a_statement_that_nobody_could_have_meant_is_refused(lacking: dict[str, object]) -> None:
    whole = {"agrees": False, "remark": "TB1", "signed_by": "Doe", "entered_at": TUESDAY}
    with pytest.raises(ValueError, match="a shift check"):
        ShiftCheck(**(whole | lacking))  # type: ignore[arg-type]
