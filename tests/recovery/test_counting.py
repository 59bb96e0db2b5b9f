"""Counting as arithmetic: what a fraction lacks, what is left of a course, which number comes next."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.course.beam_states import BeamState
from recovery.course.by_session import is_by_session
from recovery.course.fractions import Course, FractionState, count_fractions
from recovery.on_treatment.missing import missing_fraction_numbers
from recovery.words.units import MINUTES, MU, PULSES
from tests.recovery.courses import day, delivery, plain_plan, plain_record


def lacks(number: int, planned: float | None, delivered: float, unit: str = MU, *, is_known: bool = True) -> BeamState:
    return BeamState(number, planned, delivered, False, unit, is_known)


def fraction(number: int, *beams: BeamState) -> FractionState:
    return FractionState(1, number, beams, day(number))


def course(*fractions: FractionState, planned: int | None = 20, held: set[int] | None = None) -> Course:
    numbers = held if held is not None else {f.fraction_number for f in fractions}
    return Course(planned, fractions, None, None, None, bool(fractions), frozenset(numbers), False, 0)


FULL, HALF, UNKNOWN = lacks(1, 100.0, 100.0), lacks(2, 50.0, 20.0), lacks(3, None, 20.0)


# what a fraction lacks


@pytest.mark.parametrize(
    ("beams", "unit", "remaining", "words"),
    [
        ((FULL,), MU, 0.0, "0.0 MU left"),
        ((FULL, HALF), MU, 30.0, "30.0 MU left"),
        ((HALF, HALF), MU, 60.0, "60.0 MU left"),
        ((HALF, UNKNOWN), MU, None, "— left"),
        ((FULL, lacks(2, 4.8, 4.4, MINUTES)), MINUTES, 0.4, "0.4 min left"),
        ((HALF, lacks(3, 4.8, 4.4, MINUTES)), None, None, "30.0 MU and 0.4 min left"),
        ((lacks(3, 4.8, 4.4, MINUTES), HALF), None, None, "0.4 min and 30.0 MU left"),
        ((lacks(1, 43, 20, PULSES), lacks(2, 40, 30, PULSES)), PULSES, 23, "23 of 43 pulses left"),
        ((lacks(1, 40, 30, PULSES), lacks(2, 43, 20, PULSES)), PULSES, 23, "23 of 43 pulses left"),
        ((lacks(1, 43, 43, PULSES),), PULSES, 0.0, "0 pulses left"),
        ((lacks(1, 100.0, 60.0, is_known=False), FULL), MU, None, "— left"),
    ],
)
def test_what_a_fraction_lacks_has_its_unit_and_is_a_dash_where_one_beam_cannot_tell(
    beams: tuple[BeamState, ...], unit: str | None, remaining: float | None, words: str
) -> None:
    one = fraction(1, *beams)
    assert (one.unit, one.left_in_words) == (unit, words)
    assert one.meterset_remaining == (remaining if remaining is None else pytest.approx(remaining, abs=1e-9))


def test_a_fraction_is_complete_when_all_its_beams_are_and_none_without_a_beam_is() -> None:
    assert fraction(1, FULL, FULL).is_complete
    assert not fraction(1, FULL, HALF).is_complete
    assert not fraction(1).is_complete


def test_three_thirds_that_lack_leave_no_crumbs() -> None:
    assert fraction(1, *(lacks(n, 0.1, 0.0, MINUTES) for n in range(3))).meterset_remaining == 0.3
    assert fraction(1, lacks(1, 1.23456, 0.0, MINUTES)).meterset_remaining == 1.2346


# what is left of a course


WHOLE, BEGUN = fraction(1, FULL), fraction(2, HALF)


def test_only_whole_fractions_count_and_no_fewer_than_none_remain() -> None:
    assert (course(WHOLE, BEGUN).fractions_delivered, course(WHOLE, BEGUN).fractions_remaining) == (1, 19)
    assert course(WHOLE, fraction(2, FULL), planned=1).fractions_remaining == 0
    assert course(WHOLE, planned=None).fractions_remaining is None
    assert course(planned=0).fractions_remaining == 0


@pytest.mark.parametrize(
    ("fractions", "planned", "following"),
    [
        ((), 20, 1),
        ((WHOLE,), 20, 2),
        ((WHOLE, BEGUN), 20, 2),
        ((fraction(1, HALF), fraction(2, FULL)), 20, 1),
        ((fraction(1, HALF), fraction(4, HALF), fraction(5, FULL)), 20, 4),
        ((fraction(14, FULL),), 20, 15),
        ((fraction(0, FULL),), 20, 1),
        ((fraction(-3, FULL),), 20, 1),
        ((WHOLE,), 1, None),
        ((WHOLE, BEGUN), 1, None),
        ((WHOLE,), None, 2),
    ],
)
def test_the_next_number_is_the_interrupted_fractions_else_after_the_highest_and_none_when_all_was_given(
    fractions: tuple[FractionState, ...], planned: int | None, following: int | None
) -> None:
    assert course(*fractions, planned=planned).next_fraction_number == following


def test_the_unit_of_a_course_is_that_of_all_its_beams() -> None:
    minutes = fraction(2, lacks(1, 4.8, 4.8, MINUTES))
    assert (course(WHOLE).unit, course(minutes).unit, course(WHOLE, minutes).unit) == (MU, MINUTES, None)
    assert count_fractions([], plain_plan({1: 100.0})).unit == MU, "of what is ahead, where nothing was given"


# numbers that no record tells of


def ranges(found: tuple[range, ...]) -> list[tuple[int, int]]:
    return [(one.start, one.stop - 1) for one in found]


@pytest.mark.parametrize(
    ("held", "elsewhere", "missing"),
    [
        (set(), [], []),
        ({1, 2}, [], []),
        ({2}, [], [(1, 1)]),
        ({5, 9}, [], [(1, 4)]),
        ({0, 5}, [], [(1, 4)]),
        ({-2}, [], []),
        ({5}, [{1, 2}], [(3, 4)]),
        ({5}, [{2}, {4}], [(1, 1), (3, 3)]),
        ({5}, [{1}, {2, 3}, {4}], []),
        ({5}, [{5, 6, 0}], [(1, 4)]),
        ({2147483647}, [{2}], [(1, 1), (3, 2147483646)]),
    ],
)
def test_what_must_have_been_given_before_the_first_record_held_is_missing(
    held: set[int], elsewhere: list[set[int]], missing: list[tuple[int, int]]
) -> None:
    found = missing_fraction_numbers(course(held=held), [course(held=other) for other in elsewhere])
    assert ranges(found) == missing


@given(st.sets(st.integers(1, 30), min_size=1), st.sets(st.integers(-3, 30)))
def test_missing_numbers_are_those_before_the_first_that_nobody_holds(held: set[int], elsewhere: set[int]) -> None:
    found = missing_fraction_numbers(course(held=held), [course(held=elsewhere)])
    assert {n for one in found for n in one} == set(range(1, min(held))) - elsewhere
    assert all(one for one in found)


# from the records


def record(uid: str, number: int, at: datetime | None, beam: int = 1, **more: Any) -> Any:
    group = more.pop("group", None)
    return plain_record(
        uid, [delivery(beam, number, specified=100.0)], at=at, referenced_fraction_group_number=group, **more
    )


def test_first_and_last_treatment_machine_and_planned_number_are_told_by_the_records() -> None:
    own = [
        record("b", 2, day(2), treatment_machine_name="TB2", number_of_fractions_planned=25),
        record("a", 1, day(1), treatment_machine_name="TB1", number_of_fractions_planned=20),
        record("c", 3, day(3)),
    ]
    counted = count_fractions(own, None)
    assert (counted.first_treatment_at, counted.last_treatment_at) == (day(1), day(3))
    assert (counted.treatment_machine_name, counted.number_of_fractions_planned) == ("TB2", 25)
    assert (counted.is_counted_without_plan, counted.is_treated, counted.fractions_delivered) == (True, True, 3)
    assert counted.held_fraction_numbers == {1, 2, 3}
    planned = count_fractions(own, plain_plan({1: 100.0}, 7))
    assert (planned.number_of_fractions_planned, planned.is_counted_without_plan) == (7, False)
    silent = count_fractions(own, plain_plan({1: 100.0}, None))
    assert silent.number_of_fractions_planned is None, "a plan that tells none is not overruled by a record"


def test_nothing_recorded_is_nothing_treated() -> None:
    counted = count_fractions([], plain_plan({1: 100.0}))
    assert (counted.is_treated, counted.first_treatment_at, counted.last_treatment_at) == (False, None, None)
    assert (counted.fractions, counted.duplicates, counted.next_fraction_number) == ((), 0, 1)


def test_a_plan_that_tells_no_meterset_is_counted_by_what_its_records_specify() -> None:
    own = plain_record("a", [delivery(1, 1, 60.0, specified=100.0)])
    counted = count_fractions([own], plain_plan({1: None}))
    assert (counted.is_counted_without_plan, counted.fractions[0].meterset_remaining) == (True, 40.0)


def test_the_unit_that_the_plan_tells_holds_and_what_was_given_in_another_is_not_counted() -> None:
    plan = plain_plan({1: 100.0})
    plan = dataclasses.replace(plan, beams=(dataclasses.replace(plan.beams[0], meterset_unit=MU),))
    [one] = count_fractions([plain_record("a", [delivery(1, 1, 100.0, unit=MINUTES)])], plan).fractions
    assert (one.is_complete, one.unit, one.beams[0].delivered, one.meterset_remaining) == (False, MU, 0.0, None)


def test_fractions_stand_in_order_of_their_numbers_and_end_with_their_last_beam() -> None:
    own = [
        plain_record("c", [delivery(1, 3), delivery(2, 3, at=day(3, minutes=9))], at=day(3)),
        plain_record("a", [delivery(2, 1), delivery(1, 1)], at=day(5)),
        plain_record("b", [delivery(1, 2)], at=None),
    ]
    counted = count_fractions(own, plain_plan({1: 100.0, 2: 100.0}))
    assert [f.fraction_number for f in counted.fractions] == [1, 2, 3]
    assert [f.last_treatment_at for f in counted.fractions] == [day(5), None, day(3, minutes=9)]
    assert [len(f.deliveries) for f in counted.fractions] == [2, 1, 2]
    assert [[b.delivered for b in f.beams] for f in counted.fractions] == [[100.0, 100.0], [100.0, 0.0], [100.0, 100.0]]


def test_fractions_of_two_groups_stand_in_order_of_their_numbers_then_of_the_groups() -> None:
    one, two = plain_plan({1: 100.0, 2: 100.0}).beams
    plan = dataclasses.replace(plain_plan({}), beams=(one, dataclasses.replace(two, fraction_group_number=2)))
    own = [record(f"{beam} {number}", number, day(number), beam) for beam, number in ((2, 2), (1, 2), (2, 1))]
    counted = count_fractions(own, plan)
    assert [(f.fraction_number, f.fraction_group_number) for f in counted.fractions] == [(1, 2), (2, 1), (2, 2)]


def test_the_last_treatment_is_when_the_last_beam_of_the_last_session_was_given() -> None:
    early = plain_record("a", [delivery(1, 1), delivery(2, 1, at=day(1, minutes=40))], at=day(1))
    late = plain_record("b", [delivery(1, 2, delivery_type="SETUP")], at=day(2))
    counted = count_fractions([early, late], plain_plan({1: 100.0, 2: 100.0}))
    assert counted.last_treatment_at == day(1, minutes=40)
    assert counted.first_treatment_at == day(1)
    assert counted.held_fraction_numbers == {1, 2}, "who lay there for a setup had come that day"


def test_beams_that_are_not_the_plans_begin_no_fraction() -> None:
    own = [plain_record("a", [delivery(9, 1), delivery(None, 2), delivery(1, None)], at=day(1))]
    counted = count_fractions(own, plain_plan({1: 100.0}))
    assert (counted.fractions, counted.is_treated, counted.last_treatment_at) == ((), True, day(1))


def test_a_delivery_within_a_second_of_another_record_of_it_is_a_copy_and_an_hour_later_it_is_not() -> None:
    plan = plain_plan({1: 100.0})
    for apart, duplicates in ((0.0, 1), (0.9, 1), (1.0, 0), (3600.0, 0)):
        at = (day(1), day(1) + timedelta(seconds=apart))
        own = [plain_record(str(n), [delivery(1, 1, 60.0, specified=60.0)], at=when) for n, when in enumerate(at)]
        assert count_fractions(own, plan).duplicates == duplicates, apart


def test_fractions_are_counted_by_session_when_nothing_that_treats_names_a_beam() -> None:
    typed = dataclasses.replace(delivery(None, 1), beam_description="R&V database: delivery 17")
    setup = delivery(9, 1, delivery_type="SETUP")
    assert is_by_session([plain_record("a", [typed]), plain_record("b", [typed, setup])])
    assert not is_by_session([plain_record("a", [typed]), plain_record("b", [delivery(1, 2)])])
    assert not is_by_session([plain_record("a", [dataclasses.replace(typed, beam_number=1)])])
    assert not is_by_session([plain_record("a", [delivery(None, 1)])]), "a record that somebody else made"
    assert not is_by_session([plain_record("a", [setup])]) and not is_by_session([])
