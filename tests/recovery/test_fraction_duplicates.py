"""One delivery under two SOP Instance UIDs is one delivery, and two deliveries are two."""

# ruff: noqa: DTZ001  treatment times are local to the site, and naive
from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pydicom import Dataset

from recovery.course.fractions import Course
from recovery.course.remarks import remarks
from recovery.dicom.plans import FractionGroup, PlannedBeam
from tests import objects as o
from tests.recovery.courses import (
    MONDAY,
    ONE_BEAM,
    TWO_BEAMS,
    again,
    as_plan,
    as_record,
    course,
    day,
    delivery,
    plain_plan,
    plain_record,
    session,
    states,
)

# duplicates


@pytest.mark.parametrize("delivered", [100.0, 60.0, 33.4])
def test_a_delivery_under_two_uids_is_counted_once_and_remarked_on(delivered: float) -> None:
    record = session(ONE_BEAM, 1, {1: delivered})
    once, twice = course(ONE_BEAM, record), course(ONE_BEAM, record, again(record), again(record))
    assert once.fractions == twice.fractions
    assert (once.duplicates, twice.duplicates) == (0, 2)
    assert "2 deliveries recorded twice, counted once" in remarks(twice, [record], ONE_BEAM)


def test_the_same_record_twice_is_one_record() -> None:
    record = session(ONE_BEAM, 1, {1: 60.0})
    assert course(ONE_BEAM, record, record) == course(ONE_BEAM, record)


def test_two_partial_copies_do_not_add_up_to_a_full_fraction() -> None:
    partial = session(ONE_BEAM, 1, {1: 50.0}, termination="MACHINE")
    counted = course(ONE_BEAM, partial, again(partial))
    assert states(counted) == [(1, False)]
    assert counted.interrupted is not None
    assert counted.interrupted.meterset_remaining == 50.0


def beam_at(number: int, at: str, delivered: float, **more: str) -> Dataset:
    points = [
        o.item(TreatmentControlPointDate="20261102", TreatmentControlPointTime=at),
        o.item(TreatmentControlPointDate="20261102", TreatmentControlPointTime="235900"),
    ]
    return o.beam_item(number, 1, delivered, ControlPointDeliverySequence=points, **more)


def test_copies_per_beam_and_per_session_are_joined_by_their_control_points() -> None:
    beams = [beam_at(1, "093010", 100.0), beam_at(2, "093310.5", 25.0, termination="MACHINE")]
    whole = as_record(o.record("1.2.3", beams, at=MONDAY))
    first = as_record(o.record("1.2.3", beams[:1], at=MONDAY))
    second = as_record(
        o.record("1.2.3", [beam_at(2, "093310", 25.0, termination="MACHINE")], at=MONDAY + timedelta(minutes=3))
    )
    counted = course(TWO_BEAMS, whole, first, second)
    assert counted.duplicates == 2
    assert [b.delivered for b in counted.fractions[0].beams] == [100.0, 25.0]
    assert states(counted) == [(1, False)]


def test_a_copy_whose_metersets_were_counted_from_control_points_is_still_a_copy() -> None:
    at = datetime(2026, 11, 2, 9, 30)
    told = plain_record("a", [delivery(delivered=60.0, at=at)])
    reckoned = plain_record("b", [delivery(delivered=60.1 - 0.1 + 1e-9, at=at, delivery_type=None)])
    counted = course(plain_plan({1: 100.0}), told, reckoned)
    assert (counted.duplicates, counted.fractions_delivered) == (1, 0)


def test_copies_without_any_time_are_joined_because_only_what_is_proven_counts() -> None:
    timeless = [plain_record(uid, [delivery(delivered=60.0)], at=None) for uid in ("a", "b")]
    counted = course(plain_plan({1: 100.0}), *timeless)
    assert (counted.duplicates, counted.fractions_delivered) == (1, 0)
    parts = [
        plain_record("a", [delivery(delivered=60.0)], at=None),
        plain_record("b", [delivery(delivered=40.0)], at=None),
    ]
    assert course(plain_plan({1: 100.0}), *parts).fractions_delivered == 1


def test_two_items_of_one_record_both_count_and_a_copy_of_it_adds_nothing() -> None:
    halves = session(ONE_BEAM, 1, {1: 50.0})
    both = as_record(o.record("1.2.3", [o.beam_item(1, 1, 50.0), o.beam_item(1, 1, 50.0)], at=MONDAY))
    assert states(course(ONE_BEAM, halves)) == [(1, False)]
    for records in ([both], [both, again(both)], [again(halves), both, halves]):
        counted = course(ONE_BEAM, *records)
        assert counted.fractions[0].beams[0].delivered == 100.0
        assert states(counted) == [(1, True)]


def test_treatment_and_continuation_of_equal_metersets_in_one_session_are_two_deliveries() -> None:
    begun = session(ONE_BEAM, 1, {1: 50.0}, termination="MACHINE")
    continued = session(ONE_BEAM, 1, {1: 50.0}, delivery_type="CONTINUATION")
    assert states(course(ONE_BEAM, begun, continued)) == [(1, True)]


@pytest.mark.parametrize("rest", [{1: 40.0}, {1: 60.0}])
def test_a_second_delivery_in_one_session_is_told_from_the_first_by_its_metersets(
    rest: dict[int, float | None],
) -> None:
    begun = session(ONE_BEAM, 1, {1: 60.0}, specified=100.0, termination="MACHINE")
    again_in_the_session = session(ONE_BEAM, 1, rest, specified=40.0)
    assert states(course(ONE_BEAM, begun, again_in_the_session)) == [(1, True)]


def test_two_beams_of_equal_metersets_are_two_deliveries() -> None:
    plan = as_plan(o.plan({1: 100.0, 2: 100.0}))
    for records in ([session(plan, 1, {1: 100.0, 2: 100.0})], [session(plan, 1, {n: 100.0}) for n in (1, 2)]):
        counted = course(plan, *records)
        assert (states(counted), counted.duplicates) == ([(1, True)], 0)


def test_the_same_metersets_on_another_day_or_of_another_fraction_are_another_delivery() -> None:
    records = [
        session(ONE_BEAM, 1, {1: 50.0}),
        session(ONE_BEAM, 1, {1: 50.0}, at=day(2)),
        session(ONE_BEAM, 2, {1: 100.0}, at=day(2)),
        session(ONE_BEAM, 3, {1: 100.0}, at=day(2)),
    ]
    counted = course(ONE_BEAM, *records)
    assert (counted.fractions_delivered, counted.duplicates) == (3, 0)


# a hair apart in rounding


@pytest.mark.parametrize(
    ("one", "other"),
    [(60.004, 60.006), (60.0, 60.01), (60.0, 60.04), (60.04, 60.0), (29.97, 30.0), (33.4, 33.400001525878906)],
)
def test_metersets_that_differ_by_rounding_only_are_one_delivery(one: float, other: float) -> None:
    copies = [plain_record(uid, [delivery(delivered=m, specified=60.0)]) for uid, m in (("a", one), ("b", other))]
    counted = course(plain_plan({1: 60.0}), *copies)
    assert counted.duplicates == 1
    assert counted.fractions[0].beams[0].delivered <= max(one, other)


@pytest.mark.parametrize(("one", "other"), [(60.0, 60.1), (60.02, 60.04), (0.0, 0.2), (30.0, 30.5)])
def test_metersets_that_no_rounding_makes_equal_are_two_deliveries(one: float, other: float) -> None:
    both = [plain_record(uid, [delivery(delivered=m)]) for uid, m in (("a", one), ("b", other))]
    assert course(plain_plan({1: 120.0}), *both).duplicates == 0


def test_a_second_that_was_rounded_up_is_the_same_second() -> None:
    def at(second: int, microsecond: int) -> Course:
        times = [datetime(2026, 11, 2, 9, 30, 10, 900_000), datetime(2026, 11, 2, 9, 30, second, microsecond)]
        return course(plain_plan({1: 60.0}), *(plain_record(f"{n}", [delivery()], at=t) for n, t in enumerate(times)))

    assert [at(*t).duplicates for t in ((11, 0), (10, 0), (12, 0), (11, 950_000))] == [1, 1, 0, 0]


def test_one_time_and_none_are_two_deliveries() -> None:
    timed, timeless = plain_record("a", [delivery(delivered=50.0)]), plain_record("b", [delivery(delivered=50.0)], None)
    assert course(ONE_BEAM, timed, timeless).duplicates == 0


@pytest.mark.parametrize(("one", "other", "copies"), [(4.4, 4.402, 1), (4.4, 4.44, 0), (3.0e8, 3.0e8 + 20, 1)])
def test_minutes_and_particles_are_rounded_in_proportion(one: float, other: float, copies: int) -> None:
    unit = "NP" if one > 1e6 else "MINUTE"
    both = [plain_record(uid, [delivery(delivered=m, unit=unit)]) for uid, m in (("a", one), ("b", other))]
    assert course(plain_plan({1: 2 * one}), *both).duplicates == copies


def test_the_same_beam_of_two_fraction_groups_is_two_deliveries() -> None:
    plan = plain_plan(
        {1: 100.0},
        fraction_groups=(FractionGroup(1, 5), FractionGroup(2, 5)),
        beams=tuple(PlannedBeam(1, None, group, "TREATMENT", 100.0, "TB1") for group in (1, 2)),
    )
    both = [plain_record(f"{g}", [delivery()], referenced_fraction_group_number=g) for g in (1, 2)]
    counted = course(plan, *both)
    assert (counted.duplicates, counted.fractions_delivered) == (0, 2)


def test_a_meterset_and_none_are_two_deliveries() -> None:
    both = [
        plain_record("a", [delivery(delivered=50.0)]),
        plain_record("b", [delivery(delivered=50.0, specified=50.0)]),
    ]
    assert course(ONE_BEAM, *both).duplicates == 0
