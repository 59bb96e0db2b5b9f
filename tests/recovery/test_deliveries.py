"""What reached the patient, each once and in its place: sessions, fraction groups, copies, rounding."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest

from recovery.course.deliveries import Delivery, distinct_deliveries, is_rounding, is_session, session_numbers
from recovery.course.fractions import count_fractions
from recovery.course.ledger import lay_out
from recovery.course.sessions import Session, sessions_of
from recovery.dicom.channels import ChannelPulses
from recovery.dicom.model import RT_BRACHY_TREATMENT_RECORD, InstanceRef
from recovery.dicom.plans import FractionGroup, Plan, PlannedBeam
from recovery.dicom.records import BeamDelivery, TreatmentRecord
from recovery.words.units import MINUTES, MU, PARTICLES, PULSES, SECONDS
from tests.recovery.courses import MONDAY, day, delivery, plain_plan, plain_record

PLAN = plain_plan({1: 100.0, 2: 50.0})


def record(uid: str, *beams: BeamDelivery, at: datetime | None = MONDAY, group: int | None = None, **more: Any) -> Any:
    return plain_record(uid, beams, at=at, referenced_fraction_group_number=group, **more)


def brachy(uid: str, *beams: BeamDelivery, **more: Any) -> TreatmentRecord:
    ref = InstanceRef(uid, RT_BRACHY_TREATMENT_RECORD, patient_id="1")
    return record(uid, *(dataclasses.replace(b, meterset_unit=None) for b in beams), ref=ref, **more)


# who was treated


@pytest.mark.parametrize("kind", ["SETUP", "VERIFICATION", "OPEN_PORTFILM", "TRMT_PORTFILM"])
def test_what_does_not_treat_is_no_session_unless_something_beside_it_treats(kind: str) -> None:
    idle = delivery(delivery_type=kind)
    assert not is_session(record("a", idle))
    for treats in ("TREATMENT", "CONTINUATION", None):
        assert is_session(record("a", idle, delivery(delivery_type=treats)))
    assert is_session(record("a")), "a record that tells nothing of its beams"
    assert not is_session(record("a", delivery(), treatment_record_content_origin="SIMULATION"))
    assert is_session(record("a", delivery(), treatment_record_content_origin="USER"))


def test_a_portfilm_bears_a_number_of_a_session_and_a_verification_or_a_rehearsal_bears_none() -> None:
    held = [
        record("a", delivery(fraction=1), delivery(fraction=2, delivery_type="SETUP"), delivery(fraction=None)),
        record("b", delivery(fraction=3, delivery_type="VERIFICATION")),
        record("c", delivery(fraction=4), treatment_record_content_origin="SIMULATION"),
        record("d", delivery(fraction=5), treatment_record_content_origin="USER"),
    ]
    assert session_numbers(held) == {1, 2, 5}


def test_a_delivery_knows_where_when_and_on_which_machine_it_was_given() -> None:
    beam = delivery(2, 3, at=day(3, minutes=5))
    own = record("a", beam, at=day(3), treatment_machine_name="TB1", treatment_record_content_origin="USER")
    assert distinct_deliveries([own], PLAN) == ([Delivery(1, 3, beam, day(3), False, "a", "TB1", "USER")], 0)
    untimed = record("b", beam, at=None)
    assert distinct_deliveries([untimed], PLAN)[0][0].treated_at == day(3, minutes=5)
    assert distinct_deliveries([brachy("c", beam)], PLAN)[0][0].is_brachy


def test_the_unit_of_a_delivery_is_its_records_else_seconds_for_a_source_and_none_where_we_made_the_record() -> None:
    assert Delivery(1, 1, delivery(unit=MINUTES), MONDAY).unit == MINUTES
    assert Delivery(1, 1, delivery(unit=None), MONDAY).unit is None
    assert Delivery(1, 1, delivery(unit=None), MONDAY, is_brachy=True).unit == SECONDS
    made_here = dataclasses.replace(delivery(unit=MU), beam_description="R&V database: delivery 17")
    assert Delivery(1, 1, made_here, MONDAY).unit is None


# which fraction group


def grouped(*beams: tuple[int, int, str]) -> Plan:
    """Beams by number, fraction group and unit."""
    made = tuple(PlannedBeam(n, None, g, "TREATMENT", 100.0, "TB1", meterset_unit=unit) for n, g, unit in beams)
    groups = tuple(FractionGroup(g, 20) for g in dict.fromkeys(g for _, g, _ in beams))
    return dataclasses.replace(plain_plan({}), beams=made, fraction_groups=groups)


def group_of(own: TreatmentRecord, plan: Plan | None) -> int | None:
    [found] = distinct_deliveries([own], plan)[0]
    return found.fraction_group_number


def test_a_delivery_is_of_the_group_that_its_record_names_where_that_has_the_beam_else_of_the_beams() -> None:
    plan = grouped((1, 1, MU), (2, 2, MU), (3, 1, MU), (3, 2, MU))
    assert group_of(record("a", delivery(2)), plan) == 2
    assert group_of(record("a", delivery(2), group=1), plan) == 2
    assert group_of(record("a", delivery(3), group=2), plan) == 2
    assert group_of(record("a", delivery(3)), plan) == 1
    assert group_of(record("a", delivery(9), group=2), plan) == 2
    assert group_of(record("a", delivery(9)), plan) == 1
    assert group_of(record("a", delivery(9), group=7), plan) == 1
    assert group_of(record("a", delivery(1)), dataclasses.replace(plan, beams=(), fraction_groups=())) is None


def test_a_beam_and_an_application_setup_of_one_number_are_told_apart_by_their_kind() -> None:
    plan = grouped((1, 1, MU), (1, 2, SECONDS))
    assert group_of(record("a", delivery(1)), plan) == 1
    assert group_of(record("a", delivery(1), group=2), plan) == 1
    assert group_of(brachy("a", delivery(1)), plan) == 2
    assert group_of(brachy("a", delivery(1)), grouped((1, 5, MU))) == 5, "where only the other kind is planned"


def test_without_a_plan_the_records_own_number_holds_else_the_courses_first() -> None:
    held = [record("a", delivery(1), group=3), record("b", delivery(2), group=2), record("c", delivery(1, 2))]
    found, _ = distinct_deliveries(held, None)
    assert [d.fraction_group_number for d in found] == [3, 2, 2]
    assert group_of(record("a", delivery(1)), None) is None


# copies


def counted(*held: TreatmentRecord) -> tuple[list[float | None], int]:
    found, again = distinct_deliveries(held, PLAN)
    return [d.beam.delivered_meterset for d in found], again


def later(seconds: float, delivered: float = 60.0, **more: Any) -> TreatmentRecord:
    at = MONDAY + timedelta(seconds=seconds)
    return record(f"{seconds} {delivered} {sorted(more)}", delivery(1, 1, delivered, specified=100.0, **more), at=at)


@pytest.mark.parametrize(
    ("seconds", "is_copy"), [(0.0, True), (0.4, True), (0.999, True), (1.0, False), (-0.4, True), (3600.0, False)]
)
def test_a_record_that_began_within_the_second_with_the_same_outcome_is_a_copy(seconds: float, is_copy: bool) -> None:
    assert counted(later(0), later(seconds, 60.001)) == (([60.0], 1) if is_copy else ([60.0, 60.001], 0))


@pytest.mark.parametrize(
    "other",
    [
        delivery(2, 1, 60.0, specified=100.0),
        delivery(1, 2, 60.0, specified=100.0),
        delivery(1, 1, 60.0, specified=40.0),
        delivery(1, 1, 40.0, specified=100.0),
        delivery(1, 1, None, specified=100.0),
        delivery(1, 1, 60.0, specified=100.0, delivery_type="CONTINUATION"),
        delivery(1, 1, 60.0, specified=100.0, at=MONDAY + timedelta(minutes=5)),
    ],
)
def test_another_beam_number_outcome_kind_or_time_is_another_delivery(other: BeamDelivery) -> None:
    assert distinct_deliveries([later(0), record("other", other)], PLAN)[1] == 0


def test_a_kind_that_is_not_told_is_a_treatment_of_which_there_may_be_a_copy() -> None:
    assert counted(later(0), later(0, delivery_type=None)) == ([60.0], 1)


def test_within_one_record_every_item_counts_and_the_fullest_of_several_records_is_kept() -> None:
    twice = record("twice", *(delivery(1, 1, 60.0, specified=100.0) for _ in range(2)))
    assert counted(twice) == ([60.0, 60.0], 0)
    assert counted(later(0), twice) == ([60.0, 60.0], 1)
    assert counted(later(0), twice, later(0.2), later(0.3)) == ([60.0, 60.0], 3)


def test_where_no_record_gives_a_time_the_same_outcome_is_the_same_delivery_and_one_time_is_no_proof() -> None:
    untimed = [record(uid, delivery(1, 1, 60.0, specified=100.0), at=None) for uid in "ab"]
    assert counted(*untimed) == ([60.0], 1)
    assert counted(untimed[0], later(0)) == ([60.0, 60.0], 0)


def test_a_chain_of_near_copies_is_one_delivery_in_whatever_order() -> None:
    chain = [later(0, 60.0), later(0.6, 60.0), later(1.2, 60.0)]
    for order in ([0, 1, 2], [0, 2, 1], [2, 0, 1], [1, 0, 2]):
        assert counted(*(chain[n] for n in order)) == ([60.0], 2)
    assert counted(chain[0], chain[2]) == ([60.0, 60.0], 0)


def test_the_hour_that_a_night_repeats_is_told_apart() -> None:
    first = record("a", delivery(1, 1, 60.0, specified=100.0))
    again = record("b", delivery(1, 1, 60.0, specified=100.0), at=MONDAY.replace(fold=1))
    assert counted(first, again)[1] == 0


def test_what_is_kept_stands_in_the_order_of_the_records() -> None:
    held = [record("a", delivery(2, 1, 50.0)), record("b", delivery(1, 1, 100.0)), record("c", delivery(2, 1, 50.0))]
    assert counted(*held) == ([50.0, 100.0], 1)


@pytest.mark.parametrize(
    ("one", "other", "unit", "same"),
    [
        (60.0, 60.0, MU, True),
        (61.37, 61.4, MU, True),
        (61.4, 61.37, MU, True),
        (61.37, 61.3, MU, False),
        (61.37, 61.38, MU, True),
        (61.37, 61.39, MU, False),
        (33.3, 33.2999992370605, MU, True),
        (400.26, 400.3, SECONDS, True),
        (61.37, 61.4, None, True),
        (4.801, 4.8, MINUTES, True),
        (4.81, 4.8, MINUTES, False),
        (0.44, 0.4, MINUTES, False),
        (1.0e9, 1.0005e9, PARTICLES, True),
        (1.0e9, 1.002e9, PARTICLES, False),
        (900000.0, 900000.5, MU, True),
        (None, None, MU, True),
        (None, 0.0, MU, False),
        (0.0, None, MU, False),
    ],
)
def test_two_metersets_are_one_number_when_one_is_the_other_with_fewer_digits(
    one: float | None, other: float | None, unit: str | None, same: bool
) -> None:
    assert is_rounding(one, other, unit) is same


def test_copies_of_minutes_are_told_by_three_figures_though_one_record_names_no_unit() -> None:
    def minutes(uid: str, delivered: float, unit: str | None) -> TreatmentRecord:
        return record(uid, delivery(1, 1, delivered, specified=4.8, unit=unit))

    assert counted(minutes("a", 4.44, MINUTES), minutes("b", 4.4, None)) == ([4.44, 4.4], 0)
    assert counted(minutes("a", 4.44, None), minutes("b", 4.4, MINUTES)) == ([4.44, 4.4], 0)


# sessions


def given(minutes: float | None, number: int = 1, uid: str | None = None, machine: str | None = "TB1") -> Delivery:
    at = MONDAY + timedelta(minutes=minutes) if minutes is not None else None
    return Delivery(1, 1, delivery(number), at, False, uid, machine, None)


def parts(*own: Delivery) -> list[list[int | None]]:
    return [[beam.beam_number for beam in session.beams] for session in sessions_of(own, {})]


def test_beams_of_one_machine_within_two_hours_of_each_other_are_one_session() -> None:
    assert parts(given(0, 1), given(120, 2), given(240, 3)) == [[1, 2, 3]]
    assert parts(given(0, 1), given(120.1, 2)) == [[1], [2]]
    assert parts(given(0, 1), given(10, 2, machine="TB2")) == [[1], [2]]
    assert parts(given(10, 2), given(0, 1)) == [[1, 2]], "in order of time"
    assert parts(given(0, 1), given(200, 2), given(300, 3)) == [[1], [2, 3]]
    assert parts(given(0, 3), given(0, 1), given(0, None)) == [[None, 1, 3]]  # type: ignore[arg-type]


def test_what_stands_in_one_record_is_one_session_and_what_bears_no_time_stands_alone_at_the_end() -> None:
    assert parts(given(0, 1, "a"), given(300, 2, "a", "TB2")) == [[1, 2]]
    assert parts(given(None, 1), given(0, 2), given(None, 3)) == [[2], [1], [3]]
    assert parts(given(None, 1, "a"), given(None, 2, "a")) == [[1, 2]]


def test_a_session_ends_with_its_day() -> None:
    late = MONDAY.replace(hour=23, minute=50)
    own = [Delivery(1, 1, delivery(n), late + timedelta(minutes=10 * n), False, None, "TB1") for n in (0, 1)]
    assert parts(*own) == [[0], [1]]


def test_a_session_began_with_its_first_record_and_its_beams_at_their_own_times() -> None:
    beam = delivery(1, at=MONDAY + timedelta(minutes=6))
    own = [
        Delivery(1, 1, beam, MONDAY + timedelta(minutes=2), False, "a", "TB1", "USER"),
        Delivery(1, 1, delivery(2), MONDAY + timedelta(minutes=9), False, "b", "TB1"),
        Delivery(1, 1, delivery(3), MONDAY + timedelta(minutes=9), False, None, "TB1"),
    ]
    [session] = sessions_of(own, {})
    assert (session.started_at, session.treatment_machine_name) == (MONDAY + timedelta(minutes=2), "TB1")
    assert (session.treatment_record_content_origin, session.sop_instance_uids) == ("USER", ("a", "b"))
    assert [(b.started_at - MONDAY).seconds // 60 for b in session.beams if b.started_at] == [6, 9, 9]


def test_a_beam_of_a_session_is_told_as_its_record_has_it() -> None:
    told = dataclasses.replace(
        delivery(2, 1, 60.0, termination="MACHINE", specified=100.0, delivery_type="CONTINUATION"), beam_name="AP"
    )
    [session] = sessions_of([Delivery(1, 1, told, MONDAY, False, "a")], {})
    [beam] = session.beams
    assert (beam.beam_number, beam.beam_name, beam.unit, beam.pulses) == (2, "AP", MU, None)
    assert (beam.specified_meterset, beam.delivered_meterset) == (100.0, 60.0)
    assert (beam.treatment_delivery_type, beam.treatment_termination_status) == ("CONTINUATION", "MACHINE")
    assert (beam.termination_reason, beam.was_overridden, beam.sop_instance_uid) == (None, None, "a")


def test_the_unit_of_a_beam_is_its_records_else_the_plans_and_seconds_where_pulses_were_planned() -> None:
    def unit(said: str | None, planned: dict[int, str], number: int | None = 1) -> str:
        [session] = sessions_of([Delivery(1, 1, delivery(number, unit=said), MONDAY)], {}, planned)
        return session.beams[0].unit

    assert unit(None, {1: MINUTES}) == MINUTES
    assert unit(MU, {1: MINUTES}) == MU
    assert unit(None, {1: PULSES}) == SECONDS
    assert unit(None, {2: MINUTES}) == MU
    assert unit(None, {1: MINUTES}, None) == MU


def test_pulses_of_a_session_are_told_once_where_all_channels_got_alike_and_by_channel_where_not() -> None:
    def said(*channels: tuple[int | None, int | None]) -> str | None:
        pulses = tuple(ChannelPulses(n, *one) for n, one in enumerate(channels))
        own = Delivery(1, 1, dataclasses.replace(delivery(1), pulses=pulses), MONDAY)
        return sessions_of([own], {})[0].beams[0].pulses

    assert said((43, 20), (43, 20)) == "20 of 43"
    assert said((43, 20), (43, 43)) == "20 of 43, 43 of 43"
    assert said((None, 20), (43, None)) == "20 of —, — of 43"
    assert said((1, 1)) is None and said() is None


def test_no_delivery_is_no_session() -> None:
    assert sessions_of([], {}) == ()
    assert Session(None, None, None, ()).sop_instance_uids == ()
    assert lay_out(count_fractions([], PLAN), MONDAY).fractions == ()
