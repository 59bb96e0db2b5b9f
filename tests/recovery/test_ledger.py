"""The ledger of a plan: which fraction comes next and counts as which, dose, gaps, and what only the database tells."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest

from recovery.course.fractions import Course, count_fractions
from recovery.course.ledger import CourseSoFar, DosePoint, Gap, Ledger, NextFraction, lay_out
from recovery.dicom.records import TreatmentRecord
from recovery.words.times import day_or_time
from recovery.words.units import MINUTES
from tests.recovery.courses import day, delivery, plain_plan, plain_record

PLAN = plain_plan({1: 100.0, 2: 50.0}, 20)
AT_NOON = day(15, hours=3)


def given(
    fraction: int, at: datetime | None, *delivered: float, uid: str = "", machine: str | None = None, **more: Any
) -> TreatmentRecord:
    """Beams 1, 2, … of one fraction; what is not given whole was stopped by the machine."""
    beams = [
        delivery(n, fraction, m, at, termination="NORMAL" if m >= whole else "MACHINE", **more)
        for (n, m), whole in zip(enumerate(delivered or (100.0, 50.0), start=1), (100.0, 50.0), strict=False)
    ]
    return plain_record(f"{fraction} {at} {uid}", beams, at=at, treatment_machine_name=machine)


def row(fraction: int | None, **columns: Any) -> dict[str, Any]:
    """Of the table `deliveries`."""
    values = {"treatment_record_uid": None, "delivery_id": "1", "beam_number": 1, "delivery_type": "TREATMENT"}
    return {"fraction_number": fraction, "delivered_meterset": 100.0, **values, **columns}


def laid_out(*records: TreatmentRecord, now: datetime = AT_NOON, plan: Any = PLAN, **more: Any) -> Ledger:
    return lay_out(count_fractions(records, plan), now, **more)


# what comes next


def test_after_three_whole_fractions_the_fourth_is_next_and_counts_as_the_fourth() -> None:
    found = laid_out(*(given(n, day(n)) for n in (1, 2, 3)))
    assert found.next == NextFraction(4, None, None)
    assert (found.number_of_fractions_planned, found.fractions_delivered) == (20, 3)
    assert [f.state for f in found.fractions] == ["complete"] * 3
    assert {(f.fraction_group_number, f.meterset_remaining) for f in found.fractions} == {(1, 0.0)}


def test_an_interrupted_fraction_is_finished_first_and_the_next_number_is_after_the_highest() -> None:
    found = laid_out(given(1, day(1)), given(5, day(2), 60.0))
    [whole, begun] = found.fractions
    assert found.next == NextFraction(5, begun, 6)
    assert (begun.state, begun.meterset_remaining, begun.left_in_words) == ("interrupted", 90.0, "90.0 MU left")
    assert [(b.planned, b.delivered, b.remaining) for b in begun.beams] == [(100.0, 60.0, 40.0), (50.0, 0.0, 50.0)]
    assert [(b.beam_number, b.planned, b.delivered, b.remaining) for b in whole.beams] == [
        (1, 100.0, 100.0, 0.0),
        (2, 50.0, 50.0, 0.0),
    ]


def test_of_two_that_were_begun_the_newest_is_interrupted_and_the_older_was_given_in_part() -> None:
    found = laid_out(given(1, day(1), 60.0), given(2, day(2), 60.0), given(3, day(3)))
    assert [f.state for f in found.fractions] == ["in part", "interrupted", "complete"]
    assert (found.next.fraction_number, found.next.number_after) == (2, 4)


def test_when_the_interrupted_fraction_is_the_last_nothing_comes_after_it() -> None:
    plan = plain_plan({1: 100.0, 2: 50.0}, 2)
    last = laid_out(given(1, day(1)), given(2, day(2), 60.0), plan=plan)
    assert last.next == NextFraction(2, last.fractions[1], None)
    over = laid_out(given(1, day(1)), given(2, day(2)), plan=plan)
    assert over.next == NextFraction(None, None, None)
    unknown = laid_out(given(1, day(1)), given(2, day(2), 60.0), plan=plain_plan({1: 100.0, 2: 50.0}, None))
    assert (unknown.next.fraction_number, unknown.next.number_after) == (2, 3)


def test_after_a_fraction_that_bears_no_number_of_a_fraction_the_first_comes() -> None:
    assert laid_out(given(0, day(1), 60.0)).next.number_after == 1
    assert laid_out(given(-7, day(1), 60.0)).next.number_after == 1


def test_nothing_given_yet_the_first_is_next() -> None:
    found = laid_out()
    assert found.next == NextFraction(1, None, None)
    assert (found.gaps, found.dose_over_time, found.fractions) == ((), (), ())


def test_of_several_plans_of_a_course_the_courses_numbers_and_days_hold() -> None:
    begun = given(9, day(8, hours=1), 5.0, uid="begun")
    other = count_fractions([begun, *(given(n, day(n), uid="other") for n in (1, 2, 8))], PLAN)
    own = count_fractions([given(3, day(15), 60.0)], PLAN)
    whole = CourseSoFar(30, 3, 27, 3, (other,))
    found = lay_out(own, AT_NOON + timedelta(days=1), whole=whole, dose_per_fraction=2.0)
    assert (found.next.fraction_number, found.next.number_after) == (3, 10)
    assert (found.number_of_fractions_planned, found.fractions_delivered, found.dose_delivered) == (30, 3, 6.0)
    assert [f.fraction_number for f in found.fractions] == [3]
    assert [number for _, number in found.fractions_over_time] == [1, 2, 8]
    assert found.gaps[-1] == Gap(day(8).date(), day(15).date(), 6, 4)
    alone = CourseSoFar.of_one_plan(own)
    assert alone == CourseSoFar(20, 0, 20, 3)


# dose


def test_dose_grows_with_each_whole_fraction_in_order_of_time() -> None:
    records = [given(2, day(1)), given(1, day(2)), given(3, day(3), 60.0)]
    found = laid_out(*records, dose_per_fraction=2.67)
    assert found.dose_over_time == (DosePoint(day(1), 2, 2.67), DosePoint(day(2), 1, 5.34))
    assert found.fractions_over_time == ((day(1), 2), (day(2), 1))
    assert (found.dose_delivered, found.dose_per_fraction) == (5.34, 2.67)
    unknown = laid_out(*records)
    assert (unknown.dose_over_time, unknown.dose_delivered) == ((), None)


def test_a_fraction_counts_when_its_last_part_was_given_and_one_without_a_time_counts_first() -> None:
    finished = given(1, day(3, hours=2), 40.0, uid="rest", delivery_type="CONTINUATION")
    found = laid_out(given(1, day(1), 60.0, 50.0), finished, given(2, day(2)), given(3, None), given(4, None))
    assert found.fractions_over_time == ((None, 3), (None, 4), (day(2), 2), (day(3, hours=2), 1))
    assert found.fractions[0].started_at == day(1)


def test_a_fraction_was_given_when_its_last_beam_began_as_the_course_was_last_treated() -> None:
    morning = given(1, day(1))
    beams = [dataclasses.replace(morning.beams[0], started_at=day(1, minutes=at)) for at in (0, 1)]
    two = dataclasses.replace(morning, beams=(beams[0], dataclasses.replace(beams[1], beam_number=2)))
    course = count_fractions([two], PLAN)
    [fraction] = lay_out(course, AT_NOON).fractions
    assert course.last_treatment_at == day(1, minutes=1) != fraction.started_at
    assert fraction.when() == "Mon 2 Nov 2026 09:31" == day_or_time(course.last_treatment_at)
    rest = given(1, day(2, hours=2), 40.0, uid="rest", delivery_type="CONTINUATION")
    [twice] = laid_out(given(1, day(1), 60.0, 50.0), rest).fractions
    assert twice.when(day(1).date()) == "Mon 2 Nov 09:30 + Tue 3 Nov 11:30"
    assert [one.when() for one in laid_out(given(1, None)).fractions] == ["—"]


def test_of_what_bears_no_time_nobody_knows_when_it_began() -> None:
    found = laid_out(given(1, None), given(2, None, 60.0, 50.0), given(2, day(3), 40.0))
    assert [f.started_at for f in found.fractions] == [None, day(3)]
    assert found.fractions_over_time == ((None, 1), (day(3), 2))


def test_three_times_a_third_of_a_gray_is_one_gray() -> None:
    found = laid_out(*(given(n, day(n)) for n in (1, 2, 3)), dose_per_fraction=0.1)
    assert found.dose_delivered == found.dose_over_time[-1].dose == 0.3
    fine = laid_out(given(1, day(1)), dose_per_fraction=1.123456)
    assert fine.dose_delivered == fine.dose_over_time[-1].dose == 1.123456


# gaps


@pytest.mark.parametrize(
    ("before", "after", "days", "weekdays"),
    [
        (1, 2, None, None),  # Monday, Tuesday
        (1, 3, 1, 1),  # Monday, Wednesday
        (5, 8, None, None),  # Friday, Monday: a weekend is no gap
        (4, 8, 3, 1),  # Thursday, Monday
        (5, 9, 3, 1),  # Friday, Tuesday
        (6, 8, None, None),  # Saturday, Monday
        (1, 15, 13, 9),
    ],
)
def test_a_gap_has_a_weekday_between_two_days_of_treatment(
    before: int, after: int, days: int | None, weekdays: int | None
) -> None:
    found = laid_out(given(1, day(before)), given(2, day(after)), now=day(after, hours=3))
    gap = Gap(day(before).date(), day(after).date(), days, weekdays) if days and weekdays else None
    assert found.gaps == ((gap,) if gap else ())
    going_on = laid_out(given(1, day(before)), now=day(after, hours=3))
    expected = (Gap(day(before).date(), None, days, weekdays),) if days and weekdays else ()
    assert going_on.gaps == expected


def test_the_gap_to_this_day_begins_with_the_last_day_of_treatment() -> None:
    found = laid_out(given(1, day(1)), given(2, day(3)), given(3, day(4)), now=day(9, hours=-9))
    assert found.gaps == (Gap(day(1).date(), day(3).date(), 1, 1), Gap(day(4).date(), None, 4, 2))


def test_a_course_that_is_over_has_no_gap_to_this_day() -> None:
    plan = plain_plan({1: 100.0, 2: 50.0}, 2)
    found = laid_out(given(1, day(1)), given(2, day(4)), plan=plan)
    assert found.gaps == (Gap(day(1).date(), day(4).date(), 2, 2),)


# what only the database tells


def test_a_fraction_that_only_the_database_shows_as_treated_is_told() -> None:
    rows = [
        row(3), row(1), row(2), row(3), row(None),
        row(4, delivery_type="SETUP"), row(5, delivered_meterset=0.0), row(6, delivered_meterset=None),
        row(7, delivery_type=None),
    ]  # fmt: skip
    assert laid_out(given(1, day(1)), database=rows).only_in_database == (2, 3, 7)


def test_an_override_and_the_end_of_a_delivery_are_told_of_that_delivery_alone() -> None:
    first, second = given(1, day(1)), given(2, day(2), 60.0)
    uid = first.ref.sop_instance_uid
    rows = [
        row(1, treatment_record_uid=uid, was_overridden=True, termination_reason="couch"),
        row(1, treatment_record_uid=uid, beam_number=2, was_overridden=False, termination_reason=None),
        row(2, delivery_id="9", was_overridden=True, termination_reason="nobody's"),
    ]
    whole, begun = laid_out(first, second, database=rows).fractions
    assert [(b.was_overridden, b.termination_reason) for s in whole.sessions for b in s.beams] == [
        (True, "couch"),
        (False, None),
    ]
    assert (whole.was_overridden, whole.terminations) == (True, ())
    assert (begun.was_overridden, begun.terminations) == (None, ("MACHINE",))
    denied = [row(1, treatment_record_uid=uid, was_overridden=False, termination_reason=None)]
    assert laid_out(first, database=denied).fractions[0].was_overridden is False


def test_what_was_made_of_a_row_of_the_database_is_told_by_its_key() -> None:
    made = plain_record("made", [delivery(1, 1, 100.0)], at=day(1))
    made = dataclasses.replace(
        made, beams=(dataclasses.replace(made.beams[0], beam_description="R&V database: delivery 17"),)
    )
    rows = [row(1, delivery_id="17", was_overridden=True, termination_reason="beam off")]
    [fraction] = laid_out(made, database=rows, plan=plain_plan({1: 100.0})).fractions
    assert [(b.was_overridden, b.termination_reason) for b in fraction.sessions[0].beams] == [(True, "beam off")]


# names


def test_beams_are_called_as_the_plan_calls_them_else_as_their_records_do() -> None:
    record = given(1, day(1))
    named = dataclasses.replace(
        record, beams=tuple(dataclasses.replace(b, beam_name=f"record {b.beam_number}") for b in record.beams)
    )
    [fraction] = laid_out(named, beam_names={1: "plan 1", 2: None}).fractions
    assert [b.beam_name for b in fraction.beams] == ["plan 1", "record 2"]
    later = given(1, day(1, hours=4), uid="later, without names")
    assert [b.beam_name for b in laid_out(named, later).fractions[0].beams] == ["record 1", "record 2"]
    [nameless] = laid_out(record).fractions
    assert [b.beam_name for b in nameless.beams] == [None, None]


def test_machines_are_named_once_each_in_order_of_time() -> None:
    parts = [given(1, day(1, hours=h), 20.0, machine=m, uid=str(h)) for h, m in ((0, "TB2"), (4, None), (8, "TB1"))]
    [fraction] = laid_out(*parts, given(1, day(1, hours=12), 20.0, machine="TB2")).fractions
    assert fraction.treatment_machine_names == ("TB2", "TB1")
    assert len(fraction.sessions) == 4


def test_the_unit_of_a_beam_and_of_the_plan_is_told_with_every_number() -> None:
    plan = plain_plan({1: 4.8})
    plan = dataclasses.replace(plan, beams=(dataclasses.replace(plan.beams[0], meterset_unit=MINUTES),))
    record = plain_record("1", [delivery(1, 1, 4.0, unit=MINUTES, termination="MACHINE")])
    untold = plain_record("2", [delivery(1, 1, 0.2, unit=None, termination="MACHINE")], at=day(1, hours=5))
    course: Course = count_fractions([record, untold], plan)
    found = lay_out(course, AT_NOON)
    assert (found.unit, found.fractions[0].beams[0].unit, found.next_metersets) == (
        MINUTES, MINUTES, course.next_metersets,
    )  # fmt: skip
    assert [b.unit for s in found.fractions[0].sessions for b in s.beams] == [MINUTES, MINUTES]
    assert found.fractions[0].left_in_words == "0.6 min left"
