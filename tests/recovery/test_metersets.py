"""What each beam of a fraction was to give, and when that was given: borders, units, groups and witnesses."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.course.deliveries import Delivery
from recovery.course.metersets import (
    Authority,
    Planned,
    Specified,
    ToGive,
    agree,
    authority_of,
    is_enough,
    planned_by_database,
    planned_metersets,
    specified_metersets,
    with_units,
)
from recovery.dicom.channels import ChannelPulses
from recovery.dicom.plans import PlannedBeam
from recovery.dicom.records import BeamDelivery
from recovery.words.units import MINUTES, MU, PULSES, SECONDS
from tests.recovery.courses import MONDAY, delivery, plain_plan

UNITS = st.sampled_from([MU, MINUTES, SECONDS, PULSES])
AMOUNTS = st.floats(0.1, 1000.0)


def of(beam: BeamDelivery, group: int | None = 1, at: datetime | None = MONDAY, is_brachy: bool = False) -> Delivery:
    return Delivery(group, beam.current_fraction_number, beam, at, is_brachy)


def asks(fraction: int, specified: float | None, *, beam: int = 1, minutes: int = 0, **more: str | None) -> Delivery:
    """Treated on the day of its fraction number, in the order of the numbers."""
    told = delivery(beam, fraction, specified, specified=specified, **more)  # type: ignore[arg-type]
    return of(told, at=MONDAY + timedelta(days=fraction, minutes=minutes))


# enough


@pytest.mark.parametrize(
    ("delivered", "planned", "unit", "enough"),
    [
        (99.0, 100.0, MU, True),
        (98.99, 100.0, MU, False),
        (9.5, 10.0, MU, True),
        (9.49, 10.0, MU, False),
        (0.0, 0.5, MU, True),
        (0.0, 0.51, MU, False),
        (0.99, 1.0, MINUTES, True),
        (0.98, 1.0, MINUTES, False),
        (9.5, 10.0, MINUTES, False),
        (396.0, 400.0, SECONDS, True),
        (395.0, 400.0, SECONDS, False),
        (42, 43, PULSES, False),
        (43, 43, PULSES, True),
        (0.0, 0.0, MINUTES, True),
        (120.0, 100.0, MU, True),
    ],
)
def test_a_beam_is_full_at_99_percent_or_in_monitor_units_within_half_of_one(
    delivered: float, planned: float, unit: str, enough: bool
) -> None:
    assert is_enough(delivered, planned, unit) is enough


@given(AMOUNTS, UNITS)
def test_99_percent_is_enough_however_it_is_computed_and_98_is_not(planned: float, unit: str) -> None:
    assert is_enough(planned - planned / 100, planned, unit) and is_enough(0.99 * planned, planned, unit)
    assert is_enough(0.98 * planned, planned, unit) == (unit == MU and 0.02 * planned <= 0.5)


@pytest.mark.parametrize(
    ("one", "other", "unit", "same"),
    [
        (100.0, 100.5, MU, True),
        (1.1, 0.6, MU, True),  # 0.5000000000000001 apart
        (100.0, 100.6, MU, False),
        (1000.0, 1001.0, MU, False),
        (0.99, 1.0, MINUTES, True),
        (0.98, 1.0, MINUTES, False),
        (1.0, 1.4, MINUTES, False),
        (400.0, 404.0, SECONDS, True),
        (400.0, 405.0, SECONDS, False),
    ],
)
def test_two_metersets_agree_within_half_a_monitor_unit_or_one_percent(
    one: float, other: float, unit: str, same: bool
) -> None:
    assert agree(one, other, unit) is agree(other, one, unit) is same


# what the plan says


def beam(number: int, meterset: float | None, group: int | None = 1, **more: object) -> PlannedBeam:
    return PlannedBeam(number, None, group, "TREATMENT", meterset, "TB1", **more)  # type: ignore[arg-type]


def test_the_plan_says_what_to_give_by_group_and_beam_in_monitor_units_where_it_names_no_other() -> None:
    plan = dataclasses.replace(
        plain_plan({}),
        beams=(
            beam(1, 100.0),
            beam(2, 4.8, meterset_unit=MINUTES),
            beam(1, 300.0, group=2, meterset_unit=SECONDS, pulses=((1, 40), (2, 43))),
            dataclasses.replace(beam(9, 5.0), treatment_delivery_type="SETUP"),
        ),
    )
    assert planned_metersets(plan) == {
        1: {1: ToGive(100.0), 2: ToGive(4.8, MINUTES)},
        2: {1: ToGive(300.0, SECONDS, {1: 40, 2: 43})},
    }
    assert planned_metersets(None) == {}


def test_the_records_tell_the_unit_where_the_plan_does_not_and_never_where_it_does() -> None:
    plan = dataclasses.replace(plain_plan({}), beams=(beam(1, 4.8), beam(2, 4.8, meterset_unit=MU), beam(3, 1.0)))
    own = [of(delivery(n, unit=unit)) for n, unit in ((1, None), (1, MINUTES), (1, SECONDS), (2, MINUTES))]
    elsewhere = of(delivery(3, unit=MINUTES), group=2)
    found = with_units(planned_metersets(plan), plan, [*own, elsewhere])
    assert {n: one.unit for n, one in found[1].items()} == {1: MINUTES, 2: MU, 3: MU}
    assert with_units({1: {1: ToGive(1.0)}}, None, own)[1][1].unit == MINUTES


def test_pulses_that_the_plan_does_not_tell_are_the_most_that_a_record_specifies_of_a_channel() -> None:
    def pulsed(*channels: tuple[int, int | None]) -> Delivery:
        told = delivery(1, unit=None)
        return of(dataclasses.replace(told, pulses=tuple(ChannelPulses(n, m, None) for n, m in channels)))

    own = [pulsed((1, 40), (2, None), (3, 1), (4, 2)), pulsed((1, 43)), pulsed((1, 20))]
    assert with_units({1: {1: ToGive(300.0, SECONDS)}}, None, own)[1][1].pulses == {1: 43, 4: 2}
    planned: Planned = {1: {1: ToGive(300.0, SECONDS, {1: 10})}}
    assert with_units(planned, None, own)[1][1].pulses == {1: 10}, "the plan's hold where it has them"


def test_without_a_plan_the_largest_that_the_records_specify_of_a_beam_is_what_was_planned() -> None:
    own = [
        of(delivery(None, specified=999.0)),
        of(delivery(1, specified=60.0)),
        of(delivery(1, specified=100.0)),
        of(delivery(1, specified=None)),
        of(delivery(1, specified=300.0, unit=MINUTES)),
        of(delivery(2, specified=4.8, unit=MINUTES)),
        of(delivery(3, specified=None, unit=None)),
        of(delivery(1, specified=7.0, unit=None), group=2),
    ]
    assert specified_metersets(own) == {
        1: {1: ToGive(100.0), 2: ToGive(4.8, MINUTES), 3: ToGive(None)},
        2: {1: ToGive(7.0)},
    }


def test_the_database_says_what_a_whole_was_and_no_continuation_rest_or_nothing() -> None:
    def row(fraction: int | None, number: int | None, planned: float | None, kind: str | None) -> dict[str, object]:
        names = ("fraction_number", "beam_number", "planned_meterset", "delivery_type")
        return dict(zip(names, (fraction, number, planned, kind), strict=True))

    rows = [
        row(1, 1, 60.0, "TREATMENT"), row(1, 1, 100.0, "TREATMENT"), row(1, 1, 40.0, None),
        row(2, 1, 100.0, "CONTINUATION"), row(3, 1, 100.0, "SETUP"), row(4, 1, 0.0, None), row(5, 1, None, None),
        row(None, 1, 5.0, None), row(6, None, 5.0, None), row(6, 2, 0.5, None),
    ]  # fmt: skip
    assert planned_by_database(rows) == {(1, 1): 100.0, (6, 2): 0.5}


# whose meterset holds


PLANNED: Planned = {1: {1: ToGive(120.0), 2: ToGive(80.0)}}


def test_another_meterset_holds_when_two_fractions_ask_for_it_and_is_asked_for_again() -> None:
    found = authority_of(PLANNED, [asks(1, 120.0), asks(2, 108.0), asks(3, 108.3)], {})
    assert found.asked == {(1, 2, 1): 108.0, (1, 3, 1): 108.3}
    assert found.asked_last == {(1, 1): 108.3}
    assert found.specified == (Specified(1, (2, 3), 120.0, 108.0, MU, True),)


def test_what_differs_by_one_percent_is_another_meterset_in_monitor_units_and_the_same_in_minutes() -> None:
    edited = authority_of(PLANNED, [asks(1, 119.0), asks(2, 119.2)], {})
    assert edited.asked == {(1, 1, 1): 119.0, (1, 2, 1): 119.2}
    apart = [asks(1, 108.0), asks(2, 108.9)]
    assert authority_of(PLANNED, apart, {}).asked == {}, "neither is a witness of the other"
    assert authority_of(PLANNED, [*apart, asks(4, 108.0)], {(1, 1): 108.9}).asked == {
        (1, 2, 1): 108.9,
        (1, 4, 1): 108.0,
    }
    twice = authority_of(PLANNED, [*apart, asks(3, 108.9), asks(4, 108.0)], {})
    assert [one.fraction_numbers for one in twice.specified] == [(1, 4), (2, 3)]
    minutes: Planned = {1: {1: ToGive(0.8, MINUTES)}}
    own = [asks(n, meterset, unit=MINUTES) for n, meterset in ((1, 0.6), (2, 0.603), (3, 0.805), (4, 0.5))]
    found = authority_of(minutes, own, {(4, 1): 0.502})
    assert found.asked == {(1, 1, 1): 0.6, (1, 2, 1): 0.603, (1, 4, 1): 0.5}
    assert [one.fraction_numbers for one in found.specified] == [(1, 2), (4,)]
    assert found.to_give(1, 1, [1]) == {1: ToGive(0.6, MINUTES)}


def test_two_beams_that_were_edited_are_both_given_as_asked_for() -> None:
    own = [asks(n, meterset, beam=beam) for n in (1, 2) for beam, meterset in ((1, 108.0), (2, 70.0))]
    of_no_group = of(delivery(1, 1, specified=5.0), group=7, at=None)
    found = authority_of(PLANNED, [asks(0, 0.0), of_no_group, *own], {})
    assert found.asked == {(1, n, beam): meterset for n in (1, 2) for beam, meterset in ((1, 108.0), (2, 70.0))}
    assert found.asked_last == {(1, 1): 108.0, (1, 2): 70.0}
    second = [asks(n, meterset, beam=beam) for n in (1, 2) for beam, meterset in ((1, 120.0), (2, 70.0))]
    assert set(authority_of(PLANNED, second, {}).asked) == {(1, 1, 2), (1, 2, 2)}


def test_a_rest_that_is_asked_for_after_an_interruption_is_not_the_whole() -> None:
    first, rest = asks(2, 108.0), asks(2, 30.0, minutes=20)
    found = authority_of(PLANNED, [first, rest, asks(3, 108.0)], {})
    assert found.asked == {(1, 2, 1): 108.0, (1, 3, 1): 108.0}
    continued = asks(2, 500.0, minutes=20, delivery_type="CONTINUATION")
    assert authority_of(PLANNED, [first, continued, asks(3, 108.0)], {}).asked == found.asked


def test_one_fraction_is_no_witness_of_itself_but_the_database_is_one() -> None:
    alone = authority_of(PLANNED, [asks(1, 120.0), asks(2, 108.0)], {})
    assert (alone.asked, alone.asked_last) == ({}, {})
    assert alone.specified == (Specified(1, (2,), 120.0, 108.0, MU, False),)
    told = authority_of(PLANNED, [asks(1, 120.0), asks(2, 108.0)], {(2, 1): 108.0})
    assert (told.asked, told.asked_last) == ({(1, 2, 1): 108.0}, {(1, 1): 108.0})
    assert authority_of(PLANNED, [asks(2, 108.0)], {(2, 2): 108.0}).asked == {}, "of another beam"
    assert authority_of(PLANNED, [asks(2, 108.0)], {(9, 1): 108.0}).asked == {(1, 2, 1): 108.0}


def test_what_the_database_calls_a_part_of_a_larger_whole_does_not_hold() -> None:
    found = authority_of(PLANNED, [asks(2, 30.0), asks(3, 30.0)], {(2, 1): 120.0})
    assert found.asked == {(1, 3, 1): 30.0}
    smaller = authority_of(PLANNED, [asks(2, 130.0), asks(3, 130.0)], {(2, 1): 120.0})
    assert smaller.asked == {(1, 2, 1): 130.0, (1, 3, 1): 130.0}


def test_what_was_asked_for_before_the_plans_meterset_came_back_is_not_asked_for_again() -> None:
    found = authority_of(PLANNED, [asks(1, 108.0), asks(2, 108.0), asks(3, 120.0)], {})
    assert found.asked_last == {} and set(found.asked) == {(1, 1, 1), (1, 2, 1)}
    by_time = [asks(3, 108.0), asks(4, 108.0), asks(2, 120.0, minutes=60 * 24 * 9)]
    assert authority_of(PLANNED, by_time, {}).asked_last == {}, "the newest is the last that was treated"


def test_fractions_that_ask_for_different_metersets_are_told_apart() -> None:
    own = [asks(1, 108.0), asks(2, 60.0), asks(3, 108.0), asks(4, 60.0), asks(5, 33.0), asks(6, 120.2)]
    assert authority_of(PLANNED, own, {}).specified == (
        Specified(1, (1, 3), 120.0, 108.0, MU, True),
        Specified(1, (2, 4), 120.0, 60.0, MU, True),
        Specified(1, (5,), 120.0, 33.0, MU, False),
    )


def test_what_cannot_be_held_against_the_plan_is_not_asked() -> None:
    silent: Planned = {1: {1: ToGive(None), 3: ToGive(400.0, SECONDS)}}
    own = [
        asks(1, 108.0), asks(2, 108.0), asks(1, 300.0, beam=3, unit=None), asks(2, 300.0, beam=3, unit=None),
        asks(1, 5.0, beam=7), asks(2, 5.0, beam=7),
    ]  # fmt: skip
    assert authority_of(silent, own, {}) == Authority(silent, {}, {})
    in_minutes = [asks(1, 108.0, unit=MINUTES), asks(2, 108.0, unit=MINUTES), asks(3, 0.0), asks(4, None)]
    assert authority_of(PLANNED, in_minutes, {}).asked == {}
    unit_untold = [asks(1, 108.0, unit=None), asks(2, 108.0, unit=None)]
    assert len(authority_of(PLANNED, unit_untold, {}).asked) == 2
    nowhere = [of(delivery(1, None, specified=108.0)), of(delivery(None, 1, specified=108.0))]
    assert authority_of(PLANNED, nowhere * 2, {(1, 1): 108.0}).specified == ()


def test_a_fraction_gives_as_it_was_asked_for_and_what_nobody_began_as_it_was_asked_for_last() -> None:
    found = Authority(PLANNED, {(1, 2, 1): 108.0}, {(1, 1): 110.0, (1, 2): 75.0})
    assert found.to_give(1, 2, [1]) == {1: ToGive(108.0), 2: ToGive(75.0)}
    assert found.to_give(1, 3, [1, 2]) == {1: ToGive(120.0), 2: ToGive(80.0)}
    assert found.to_give(1, 3, []) == {1: ToGive(110.0), 2: ToGive(75.0)}
    assert found.to_give(2, 1, []) == {}
    assert found.next_metersets() == {1: ToGive(110.0), 2: ToGive(75.0)}


def test_the_next_fraction_gives_pulses_but_no_seconds_of_a_source() -> None:
    source = {3: ToGive(300.0, SECONDS), 4: ToGive(300.0, SECONDS, {1: 40, 2: 43})}
    planned: Planned = {1: {1: ToGive(100.0), **source}, 2: {}}
    assert Authority(planned, {}, {}).next_metersets() == {
        1: ToGive(100.0),
        3: ToGive(None, SECONDS),
        4: ToGive(43.0, PULSES),
    }


def test_of_several_fraction_groups_no_next_fraction_gives_what_another_group_does() -> None:
    planned: Planned = {1: {1: ToGive(100.0), 2: ToGive(50.0)}, 2: {2: ToGive(50.0), 5: ToGive(4.8, MINUTES)}}
    assert Authority(planned, {}, {}).next_metersets() == {
        1: ToGive(None),
        2: ToGive(None),
        5: ToGive(None, MINUTES),
    }
