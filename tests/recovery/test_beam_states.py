"""One beam in one fraction: how much of it was given, and how much is left."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.course.beam_states import BeamState, beam_state
from recovery.course.deliveries import Delivery
from recovery.course.metersets import ToGive
from recovery.dicom.channels import ChannelPulses
from recovery.dicom.records import BeamDelivery
from recovery.words.units import MINUTES, MU, PULSES, SECONDS
from tests.recovery.courses import MONDAY, delivery


def given_by(beam: BeamDelivery, **more: object) -> Delivery:
    return Delivery(1, 1, beam, MONDAY, **more)  # type: ignore[arg-type]


def of_source(specified: float | None, delivered: float | None, termination: str = "MACHINE") -> Delivery:
    """A brachytherapy treatment, in seconds."""
    told = delivery(delivered=delivered, specified=specified, termination=termination, unit=None)
    return given_by(told, is_brachy=True)


def pulsed(*channels: tuple[int, int | None], termination: str | None = "MACHINE", seconds: float = 100.0) -> Delivery:
    told = delivery(delivered=seconds, specified=100.0, termination=termination, unit=None)
    pulses = tuple(ChannelPulses(number, None, delivered) for number, delivered in channels)
    return given_by(dataclasses.replace(told, pulses=pulses), is_brachy=True)


# seconds of a source


def test_of_a_source_the_longest_time_asked_for_on_the_day_is_the_whole_and_a_rest_asked_for_later_is_not() -> None:
    state = beam_state(1, ToGive(400.0, SECONDS), [of_source(300.0, 100.0), of_source(200.0, 50.0)])
    assert (state.planned, state.delivered, state.remaining, state.is_full) == (300.0, 150.0, 150.0, False)


@pytest.mark.parametrize("specified", [[None], [None, None]])
def test_of_a_source_the_plans_time_stands_in_where_no_record_asks_for_another(specified: list[None]) -> None:
    state = beam_state(1, ToGive(400.0, SECONDS), [of_source(one, 100.0) for one in specified])
    assert (state.planned, state.remaining) == (400.0, None), "on another day it was another time"
    full = beam_state(1, ToGive(400.0, SECONDS), [of_source(None, 400.0)])
    assert (full.is_full, full.remaining) == (True, 0.0)


def test_of_a_linac_the_record_does_not_say_what_was_planned() -> None:
    state = beam_state(1, ToGive(100.0), [given_by(delivery(delivered=60.0, specified=60.0))])
    assert (state.planned, state.remaining) == (100.0, 40.0)


# what adds up


METERSETS = st.floats(0.1, 300.0).map(lambda m: round(m, 1))


@given(METERSETS, st.lists(METERSETS, max_size=4))
def test_what_was_given_and_what_is_left_make_what_was_planned(planned: float, parts: list[float]) -> None:
    state = beam_state(
        1, ToGive(planned), [given_by(delivery(delivered=part, termination="MACHINE")) for part in parts]
    )
    assert state.delivered == pytest.approx(sum(parts), abs=1e-5)
    assert state.remaining is not None
    if state.is_full:
        assert state.remaining == 0.0
    else:
        assert state.remaining == pytest.approx(planned - sum(parts), abs=1e-5) and state.remaining > 0.5


def test_what_is_in_another_unit_is_not_added_and_what_is_left_is_then_unknown() -> None:
    own = [given_by(delivery(delivered=60.0)), given_by(delivery(delivered=0.3, unit=MINUTES))]
    state = beam_state(1, ToGive(100.0), own)
    assert (state.delivered, state.remaining, state.is_known, state.unit) == (60.0, None, False, MU)


def test_a_treatment_that_tells_no_meterset_and_ended_normally_gave_what_was_planned() -> None:
    state = beam_state(1, ToGive(100.0), [given_by(delivery(delivered=None))])
    assert (state.delivered, state.remaining, state.is_full) == (100.0, 0.0, True)


def test_given_twice_without_a_meterset_is_given_twice() -> None:
    state = beam_state(1, ToGive(100.0), [given_by(delivery(delivered=None))] * 2)
    assert state.delivered == 200.0
    begun = given_by(delivery(delivered=60.0, termination="MACHINE"))
    assert beam_state(1, ToGive(100.0), [begun, given_by(delivery(delivered=None))]).delivered == 160.0


def test_a_continuation_that_tells_no_meterset_and_ended_normally_gave_what_lacked_and_no_more() -> None:
    rest = given_by(delivery(delivered=None, delivery_type="CONTINUATION"))
    state = beam_state(1, ToGive(100.0), [given_by(delivery(delivered=60.0, termination="MACHINE")), rest])
    assert (state.delivered, state.remaining) == (100.0, 0.0)
    over = beam_state(1, ToGive(100.0), [given_by(delivery(delivered=120.0)), rest])
    assert over.delivered == 120.0, "what was given too much does not go away"


def test_of_what_tells_no_meterset_and_did_not_end_normally_nobody_knows_what_is_left() -> None:
    untold = given_by(delivery(delivered=None, termination="MACHINE"))
    state = beam_state(1, ToGive(100.0), [untold])
    assert (state.delivered, state.remaining) == (0.0, None)
    state = beam_state(1, ToGive(100.0), [given_by(delivery(delivered=60.0, termination="MACHINE")), untold])
    assert (state.delivered, state.remaining) == (60.0, None)
    state = beam_state(1, ToGive(100.0), [untold, given_by(delivery(delivered=100.0))])
    assert (state.is_full, state.remaining) == (True, 0.0)


def test_where_nothing_says_how_much_was_planned_only_a_normal_end_is_full() -> None:
    ended = beam_state(1, ToGive(None), [given_by(delivery(delivered=60.0))])
    assert (ended.is_full, ended.remaining, ended.planned) == (True, 0.0, None)
    stopped = beam_state(1, ToGive(None), [given_by(delivery(delivered=60.0, termination="MACHINE"))])
    assert (stopped.is_full, stopped.remaining, stopped.delivered) == (False, None, 60.0)
    silent = beam_state(1, ToGive(None), [given_by(delivery(delivered=None))])
    assert (silent.is_full, silent.delivered) == (True, 0.0)


def test_nothing_begun_is_nothing_given() -> None:
    assert beam_state(3, ToGive(100.0, MINUTES), []) == BeamState(3, 100.0, 0.0, False, MINUTES, True)


def test_thirds_of_a_monitor_unit_leave_no_crumbs() -> None:
    state = beam_state(1, ToGive(100.0), [given_by(delivery(delivered=0.1, termination="MACHINE"))] * 3)
    assert state.delivered == 0.3


# pulses


FORTY = ToGive(100.0, SECONDS, {1: 40, 2: 40})


def test_the_channel_that_lacks_most_pulses_is_told() -> None:
    state = beam_state(1, FORTY, [pulsed((1, 39), (2, 20))])
    assert state == BeamState(1, 40, 20, False, PULSES, True) and state.remaining == 20


def test_where_no_channel_lacks_pulses_the_one_that_got_most_beyond_is_told() -> None:
    state = beam_state(1, FORTY, [pulsed((1, 41), (2, 43))])
    assert (state.unit, state.planned, state.delivered, state.is_full) == (PULSES, 40, 43, True)
    uneven = beam_state(1, ToGive(100.0, SECONDS, {1: 40, 2: 10}), [pulsed((1, 30), (2, 5))])
    assert (uneven.planned, uneven.remaining) == (40, 10), "ten lack, which is more than five"
    mixed = beam_state(1, FORTY, [pulsed((1, 30), (2, 50))])
    assert (mixed.delivered, mixed.remaining) == (30, 10), "one channel too many makes none of the other's good"


def test_pulses_of_several_records_add_up_by_channel() -> None:
    state = beam_state(1, FORTY, [pulsed((1, 10)), pulsed((2, 40)), pulsed((1, 15))])
    assert (state.delivered, state.remaining, state.is_known) == (25, 15, True)


def test_a_record_of_other_channels_makes_nothing_unknown() -> None:
    state = beam_state(1, ToGive(100.0, SECONDS, {1: 40}), [pulsed((1, 30)), pulsed((7, 5))])
    assert (state.delivered, state.is_known, state.remaining) == (30, True, 10)
    of_the_second = beam_state(1, ToGive(100.0, SECONDS, {1: 40, 2: 50}), [pulsed((2, 45)), pulsed((1, 40))])
    assert (of_the_second.planned, of_the_second.delivered, of_the_second.remaining) == (50, 45, 5)


def test_pulses_that_are_not_told_are_all_given_after_a_normal_end_and_unknown_after_any_other() -> None:
    ended = beam_state(1, FORTY, [pulsed(termination="NORMAL")])
    assert (ended.delivered, ended.is_full, ended.is_known) == (40, True, True)
    stopped = beam_state(1, FORTY, [pulsed((1, None), (2, 40))])
    assert (stopped.is_full, stopped.is_known, stopped.remaining) == (False, False, None)
    over = beam_state(1, ToGive(100.0, SECONDS, {1: 40}), [pulsed((1, 50)), pulsed(termination="NORMAL")])
    assert over.delivered == 50, "never fewer than were told"


def test_whole_pulses_of_too_short_a_time_leave_seconds() -> None:
    state = beam_state(1, FORTY, [pulsed((1, 40), (2, 40), seconds=60.0)])
    assert (state.unit, state.planned, state.delivered, state.remaining) == (SECONDS, 100.0, 60.0, 40.0)


def test_pulses_that_lack_are_told_before_seconds_that_lack() -> None:
    state = beam_state(1, FORTY, [pulsed((1, 40), (2, 10), seconds=60.0)])
    assert (state.unit, state.remaining) == (PULSES, 30)


def test_a_beam_of_pulses_ended_normally_when_one_of_its_records_did() -> None:
    state = beam_state(1, FORTY, [pulsed((1, 10)), pulsed((1, 30), (2, 40), termination="NORMAL")])
    assert state.ended_normally and state.is_full
    assert not beam_state(1, FORTY, [pulsed((1, 40), (2, 40))]).ended_normally
