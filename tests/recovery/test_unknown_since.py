"""Who may have been treated since the newest proof: booked, late, in flight, or anybody without a schedule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from recovery.on_treatment import unknown_since as un
from recovery.settings.config import Schedule
from tests.app.clinic import row
from tests.app.relational import appointment

ZURICH = ZoneInfo("Europe/Zurich")
PROOF = datetime(2026, 11, 24, 8, 5, tzinfo=UTC)
"""09:05 in Zurich."""
NOON = datetime(2026, 11, 24, 11, 5, tzinfo=UTC)


def at(hour: int, minute: int = 0, day: int = 24) -> datetime:
    """In November 2026, local to the site."""
    return datetime(2026, 11, day, hour, minute)  # noqa: DTZ001


SINCE = at(9, 5)
DOUBT = un.Doubt(SINCE, at(12, 5))


def judged(booked: Sequence[datetime] | None, patient_id: str = "1", **changes: object) -> datetime | None:
    """Of a patient 1 whose schedule, where there is one, reaches tomorrow."""
    ahead = appointment(99, "9", at(8, day=25), "TB1")
    told = [ahead, *(appointment(n, patient_id, when, "TB1") for n, when in enumerate(booked or ()))]
    [since] = un.unknown_of([row("A", "1", "P", 12, **changes)], told if booked is not None else None, DOUBT)
    return since


@pytest.mark.parametrize(
    ("hour", "minute", "is_unknown"),
    [(9, 15, True), (12, 5, True), (12, 35, True), (12, 36, False), (16, 0, False), (8, 0, True)],
)
def test_who_is_booked_between_the_proof_and_now_is_unknown_and_who_was_late_or_early_too(
    hour: int, minute: int, is_unknown: bool
) -> None:
    assert judged([at(hour, minute)]) == (SINCE if is_unknown else None)


def test_a_recorded_treatment_answers_its_appointment_and_not_the_afternoons() -> None:
    assert judged([at(9)], last_treatment_at=at(8, 40)) is None
    assert judged([at(8), at(11, 30)], last_treatment_at=at(8, 2)) == SINCE
    assert judged([at(9, 30)], last_treatment_at=at(8, 2, day=23)) == SINCE


def test_nobody_who_is_not_booked_and_nobody_of_another_day_is_unknown() -> None:
    assert judged([at(9, 15)], "2") is None
    assert judged([at(9, 15, day=23), at(9, 15, day=25)]) is None


@pytest.mark.parametrize("status", ["completed", "superseded", "closed", "transferred"])
def test_a_plan_that_nobody_goes_on_with_is_not_unknown(status: str) -> None:
    assert judged([at(9, 15)], status=status) is None
    assert judged(None, status=status, in_flight="a field began") is None


def test_who_was_in_flight_at_the_proof_is_unknown_booked_or_not() -> None:
    assert judged([], in_flight="fraction 8 began 09:04") == SINCE
    assert judged([], interrupted_fraction=5, last_treatment_at=at(9, 1)) == SINCE
    assert judged([], interrupted_fraction=5, last_treatment_at=at(9, 1, day=23)) is None


def test_without_a_schedule_everybody_on_treatment_may_have_been_treated() -> None:
    assert judged(None) == SINCE
    assert judged(None, status="ready_to_start", last_treatment_at=None) == SINCE
    assert judged(None, status="on_break") is None


def test_a_schedule_that_ends_before_today_is_none() -> None:
    told = [appointment(1, "1", at(9, 15), "TB1"), appointment(2, "2", at(9, 30), "TB1", status="cancelled")]
    assert un.bookings(told, DOUBT) == {"1": [at(9, 15)]}
    assert un.bookings(told, un.Doubt(SINCE, at(7, day=25))) is None
    assert un.bookings([], DOUBT) is None
    assert un.bookings([appointment(1, "1", at(9), "TB1", treatment_machine_name=None)], DOUBT) is None


def test_a_proof_within_its_grace_leaves_nothing_unknown() -> None:
    assert un.doubt_of(PROOF, None, PROOF + un.GRACE, ZURICH) is None
    aged = PROOF + un.GRACE + timedelta(minutes=1)
    assert un.doubt_of(PROOF, None, aged, ZURICH) == un.Doubt(SINCE, at(9, 36))
    assert un.doubt_of(PROOF, None, PROOF - timedelta(hours=5), ZURICH) is None, "a clock that was set back"
    assert un.unknown_of([row("A", "1", "P", 12)], None, None) == [None]


def test_without_any_known_run_the_newest_record_stands_in() -> None:
    assert un.doubt_of(None, at(9, 1), NOON, ZURICH) == un.Doubt(at(9, 1), at(12, 5))
    assert un.doubt_of(None, None, NOON, ZURICH) is None
    rows = [row("A", "1", "P", 1, last_treatment_at=at(9, 1)), row("B", "2", "P", 0, last_treatment_at=None)]
    assert un.newest_treatment(rows) == at(9, 1)


def test_the_night_of_changing_clocks_makes_no_proof_an_hour_older() -> None:
    before = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)  # 02:50 in summer time
    assert un.doubt_of(before, None, datetime(2026, 10, 25, 1, 10, tzinfo=UTC), ZURICH) is None  # 02:10, winter time
    aged = un.doubt_of(before, None, datetime(2026, 10, 25, 1, 21, tzinfo=UTC), ZURICH)
    assert aged is not None and f"{aged.since:%d %H:%M}" == "25 02:50"
    spring = datetime(2026, 3, 29, 0, 55, tzinfo=UTC)  # 01:55; ten minutes later it is 03:05
    assert un.doubt_of(spring, None, spring + timedelta(minutes=10), ZURICH) is None


def test_past_midnight_the_evening_before_is_still_open_and_said_with_its_day() -> None:
    doubt = un.Doubt(at(21, 30), at(0, 10, day=25))
    told = [appointment(1, "1", at(23, 59), "TB1"), appointment(2, "2", at(8, day=25), "TB1")]
    assert un.unknown_of([row("A", "1", "P", 12)], told, doubt) == [at(21, 30)]


def test_one_plan_treated_answers_for_the_other_what_was_due_before_the_proof_and_nothing_after_it() -> None:
    first = row("A", "1", "P", 12, last_treatment_at=at(8, 3))
    second = row("A", "1", "Boost", 0, status="ready_to_start", last_treatment_at=None)
    for due, expected in ((at(8), [None, None]), (at(9, 30), [SINCE, SINCE])):
        told = [appointment(1, "1", due, "TB1"), appointment(2, "9", at(8, day=25), "TB1")]
        assert un.unknown_of([first, second], told, DOUBT) == expected


@pytest.mark.parametrize("booked_under", ["OLD", "NEW", "TMP"])
@pytest.mark.parametrize("other_rows", [[], ["NEW"], ["NEW", "TMP"]])
def test_whoever_may_be_meant_by_a_changed_number_is_unknown_whatever_other_rows_bear_it(
    booked_under: str, other_rows: list[str]
) -> None:
    """A number that was changed may be a row of its own beside the old one's, and may be named by two rows."""
    first = row("NEWMAN, Nora", "OLD", "Brain", 12, other_patient_ids="NEW\\TMP")
    others = [row("NEWMAN, Nora", own, "Boost", 1, other_patient_ids="TMP\\NEW") for own in other_rows]
    ahead = appointment(99, "9", at(8, day=25), "TB1")
    told = [ahead, appointment(1, booked_under, at(9, 15), "TB1")]
    since = un.unknown_of([first, *others], told, DOUBT)
    assert since[0] == SINCE, "booked under one number, treated under another: nobody was warned"


def test_a_record_under_the_new_number_answers_what_was_booked_under_the_old_one() -> None:
    first = row("NEWMAN, Nora", "OLD", "Brain", 12, other_patient_ids="NEW")
    second = row("NEWMAN, Nora", "NEW", "Brain", 12, last_treatment_at=at(8, 3))
    told = [appointment(99, "9", at(8, day=25), "TB1"), appointment(1, "NEW", at(8), "TB1")]
    assert un.unknown_of([first, second], told, DOUBT) == [None, None]


@pytest.mark.parametrize(("minutes", "grace"), [(10, 30), (5, 15), (30, 90), (1440, 120)])
def test_the_grace_is_three_cycles_of_the_config_and_never_longer_than_two_hours(minutes: int, grace: int) -> None:
    own = Schedule(minutes).grace
    assert own == timedelta(minutes=grace) and Schedule().grace == un.GRACE
    assert un.doubt_of(PROOF, None, PROOF + own, ZURICH, own) is None
    assert un.doubt_of(PROOF, None, PROOF + own + timedelta(minutes=1), ZURICH, own) is not None


@pytest.mark.parametrize(
    ("booked", "answered", "is_unknown"),
    [
        ((9, 16), (16,), True),
        ((9, 16), (9,), True),
        ((9, 16), (9, 16), False),
        ((10,), (16,), False),
        ((9, 10), (10,), False),
    ],
)
def test_what_was_charted_in_the_afternoon_does_not_answer_for_the_morning(
    booked: Sequence[int], answered: Sequence[int], is_unknown: bool
) -> None:
    """An answer is its own appointment's, and those of one long session; somebody who ran late is answered."""
    doubt, last = un.Doubt(at(8, 40), at(17)), at(answered[-1], 5)
    [charted] = [row("A", "1", "P", 12, last_treatment_at=last)]
    told = [appointment(99, "9", at(8, day=25), "TB1")]
    told += [appointment(n, "1", at(hour), "TB1") for n, hour in enumerate(booked)]
    answers = {charted["referenced_rt_plan_uid"]: tuple(at(hour, 5) for hour in answered)}
    assert un.unknown_of([charted], told, doubt, answers) == [doubt.since if is_unknown else None]
