"""How many fractions were delivered in full, which one was begun, and what it lacks: word by word by the contract."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from recovery.course.remarks import remarks
from recovery.dicom.model import InstanceRef
from recovery.dicom.records import TreatmentRecord
from tests import objects as o
from tests.recovery.courses import (
    BRACHY_RECORD,
    FULL,
    ION_RECORD,
    ONE_BEAM,
    TWO_BEAMS,
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
from tests.recovery.test_plans import BRACHY_PLAN_ITEMS

# what a fraction is


def test_one_record_per_session_and_one_record_per_beam_count_alike() -> None:
    per_session = [session(TWO_BEAMS, n, FULL) for n in (1, 2, 3)]
    per_beam = [session(TWO_BEAMS, n, {b: m}) for n in (1, 2, 3) for b, m in FULL.items()]
    for records in (per_session, per_beam):
        counted = course(TWO_BEAMS, *records)
        assert states(counted) == [(1, True), (2, True), (3, True)]
        assert (counted.fractions_delivered, counted.fractions_remaining) == (3, 17)
        assert counted.interrupted is None
        assert (counted.first_treatment_at, counted.last_treatment_at) == (day(1), day(3))
        assert list(remarks(counted, records, TWO_BEAMS)) == ["the plan names no structure set"]


def test_a_fraction_with_a_beam_never_begun_is_not_complete_and_lacks_that_beam() -> None:
    counted = course(TWO_BEAMS, session(TWO_BEAMS, 1, FULL), session(TWO_BEAMS, 2, {1: 100.0}))
    assert states(counted) == [(1, True), (2, False)]
    assert counted.interrupted is not None
    assert (counted.interrupted.fraction_number, counted.interrupted.meterset_remaining) == (2, 50.0)


def test_an_interrupted_fraction_is_not_delivered_and_tells_what_it_lacks_over_all_beams() -> None:
    counted = course(TWO_BEAMS, session(TWO_BEAMS, 1, {1: 61.37}, termination="MACHINE"))
    assert counted.fractions_delivered == 0
    assert counted.fractions_remaining == 20
    assert counted.interrupted is not None
    assert counted.interrupted.meterset_remaining == pytest.approx(38.63 + 50.0)


@pytest.mark.parametrize("later", [{"minutes": 10}, {"hours": 6}, {"days": 1}, {"days": 9}])
@pytest.mark.parametrize("delivery_type", ["CONTINUATION", "TREATMENT", None])
def test_a_continuation_of_the_same_number_completes_the_fraction_whenever_it_comes(later, delivery_type) -> None:
    begun = session(TWO_BEAMS, 1, {1: 61.5}, termination="MACHINE")
    made_up = session(TWO_BEAMS, 1, {1: 38.5, 2: 50.0}, at=day(1) + timedelta(**later), delivery_type=delivery_type)
    counted = course(TWO_BEAMS, begun, made_up)
    assert states(counted) == [(1, True)]
    assert counted.interrupted is None
    assert counted.last_treatment_at == day(1) + timedelta(**later)


def test_a_fraction_interrupted_three_times_adds_up() -> None:
    parts = [session(ONE_BEAM, 1, {1: 25.0}, at=day(1, minutes=n)) for n in range(3)]
    assert states(course(ONE_BEAM, *parts)) == [(1, False)]
    assert states(course(ONE_BEAM, *parts, session(ONE_BEAM, 1, {1: 25.0}, at=day(1, minutes=9)))) == [(1, True)]


def test_a_restart_at_zero_mu_begins_a_fraction_and_delivers_nothing_of_it() -> None:
    tripped = session(ONE_BEAM, 1, {1: 0.0}, termination="MACHINE")
    counted = course(ONE_BEAM, tripped)
    assert states(counted) == [(1, False)]
    assert counted.interrupted is not None
    assert counted.interrupted.meterset_remaining == 100.0
    assert states(course(ONE_BEAM, tripped, session(ONE_BEAM, 1, {1: 100.0}, at=day(1, minutes=5)))) == [(1, True)]


def test_two_fractions_may_fall_on_one_day() -> None:
    bid = [session(TWO_BEAMS, n, FULL, at=day(1, hours=6 * (n - 1))) for n in (1, 2)]
    assert course(TWO_BEAMS, *bid).fractions_delivered == 2


def test_two_full_deliveries_of_one_number_are_one_fraction_and_are_remarked_on() -> None:
    twice = [session(ONE_BEAM, 1, {1: 100.0}), session(ONE_BEAM, 1, {1: 100.0}, at=day(1, hours=6))]
    counted = course(ONE_BEAM, *twice)
    assert counted.fractions_delivered == 1
    assert "fraction 1 beam 1: 200.0 MU delivered of 100.0 planned" in remarks(counted, twice, ONE_BEAM)


@pytest.mark.parametrize("numbers", [(1, 2, 3), (3, 7, 8), (5, 1, 9)])
def test_numbers_need_not_be_consecutive(numbers: tuple[int, ...]) -> None:
    counted = course(ONE_BEAM, *(session(ONE_BEAM, n, {1: 100.0}) for n in numbers))
    assert counted.fractions_delivered == 3
    assert [f.fraction_number for f in counted.fractions] == sorted(numbers)


def test_of_two_open_fractions_the_newest_is_named_and_the_other_remarked_on() -> None:
    records = [session(ONE_BEAM, n, {1: 100.0 if n == 2 else 40.0}) for n in (1, 2, 3)]
    counted = course(ONE_BEAM, *records)
    assert counted.interrupted is not None
    assert counted.interrupted.fraction_number == 3
    assert "also begun and not complete: fraction 1" in remarks(counted, records, ONE_BEAM)


# 99 % or 0.5 MU


@pytest.mark.parametrize(
    ("planned", "delivered", "is_full"),
    [
        (100.0, 100.0, True),
        (100.0, 99.0, True),
        (100.0, 98.999, False),
        (100.0, 98.99, False),
        (100.0, 120.0, True),
        (1000.0, 990.0, True),
        (1000.0, 989.9, False),
        (333.3, 329.967, True),
        (333.3, 329.96, False),
        (10.0, 9.5, True),
        (10.0, 9.499, False),
        (10.0, 9.9, True),
        (20.3, 19.8, True),
        (20.3, 19.79, False),
        (0.5, 0.0, True),
        (0.6, 0.0, False),
        (0.6, 0.1, True),
        (50.1, 49.599, True),
        (0.0, 0.0, True),
        (0.0, 3.0, True),
    ],
)
def test_a_beam_is_full_at_99_percent_or_within_half_a_mu(planned: float, delivered: float, is_full: bool) -> None:
    plan = as_plan(o.plan({1: planned}))
    counted = course(plan, session(plan, 1, {1: delivered}, termination="OPERATOR"))
    assert states(counted) == [(1, is_full)]
    [beam] = counted.fractions[0].beams
    assert beam.remaining == (0.0 if is_full else pytest.approx(planned - delivered))


def test_parts_that_add_up_to_exactly_99_percent_are_full_whatever_floats_do() -> None:
    parts = [session(ONE_BEAM, 1, {1: 9.9}, at=day(1, minutes=n)) for n in range(10)]
    assert states(course(ONE_BEAM, *parts)) == [(1, True)]


def test_99_percent_of_the_fraction_is_not_99_percent_of_each_beam() -> None:
    plan = as_plan(o.plan({1: 1000.0, 2: 5.0}))
    assert states(course(plan, session(plan, 1, {1: 1000.0}))) == [(1, False)]
    assert states(course(plan, session(plan, 1, {1: 1010.0, 2: 4.0}))) == [(1, False)]


def test_a_normal_termination_does_not_make_up_for_a_meterset_that_is_short() -> None:
    assert states(course(ONE_BEAM, session(ONE_BEAM, 1, {1: 60.0}, termination="NORMAL"))) == [(1, False)]


@pytest.mark.parametrize("termination", ["NORMAL", "OPERATOR", "MACHINE", "UNKNOWN", ""])
def test_what_was_delivered_counts_however_it_ended(termination: str) -> None:
    assert states(course(ONE_BEAM, session(ONE_BEAM, 1, {1: 100.0}, termination=termination))) == [(1, True)]


def test_a_beam_of_zero_mu_neither_holds_up_a_fraction_nor_makes_one() -> None:
    plan = as_plan(o.plan({1: 100.0, 2: 0.0}))
    assert states(course(plan, session(plan, 1, {1: 100.0}))) == [(1, True)]
    assert states(course(plan, session(plan, 1, {2: 0.0}))) == [(1, False)]


def test_a_beam_without_beam_meterset_does_not_treat() -> None:
    plan = as_plan(o.plan({1: 100.0, 2: None}))
    assert states(course(plan, session(plan, 1, {1: 100.0}))) == [(1, True)]
    assert states(course(plan, session(plan, 1, {2: 100.0}))) == []


@pytest.mark.parametrize("kind", ["SETUP", "OPEN_PORTFILM", "TRMT_PORTFILM"])
def test_setup_and_portfilm_beams_of_the_plan_are_not_waited_for(kind: str) -> None:
    plan = as_plan(o.plan({1: 100.0, 9: 5.0}, delivery_types={9: kind}))
    assert states(course(plan, session(plan, 1, {1: 100.0}))) == [(1, True)]
    assert states(course(plan, session(plan, 1, {9: 5.0}))) == []
    records = [session(plan, 1, {1: 100.0, 9: 5.0})]
    assert "delivered beams that the plan does not treat with: 9" in remarks(course(plan, *records), records, plan)


@pytest.mark.parametrize("kind", ["SETUP", "OPEN_PORTFILM", "TRMT_PORTFILM", "VERIFICATION"])
def test_deliveries_that_do_not_treat_are_not_counted(kind: str) -> None:
    record = session(ONE_BEAM, 1, {1: 100.0}, delivery_type=kind)
    counted = course(ONE_BEAM, record)
    assert states(counted) == []
    assert not counted.is_treated
    assert counted.last_treatment_at is None
    mixed = course(ONE_BEAM, record, session(ONE_BEAM, 1, {1: 60.0}, termination="MACHINE"))
    assert mixed.interrupted is not None
    assert mixed.interrupted.meterset_remaining == 40.0


@pytest.mark.parametrize("kind", ["SETUP", "OPEN_PORTFILM", "TRMT_PORTFILM", "VERIFICATION"])
def test_what_does_not_treat_is_left_out_of_a_session_that_treats(kind: str) -> None:
    beams = [o.beam_item(1, 1, 60.0, termination="MACHINE"), o.beam_item(1, 1, 40.0, delivery_type=kind)]
    counted = course(ONE_BEAM, as_record(o.record("1.2.3", beams)))
    assert states(counted) == [(1, False)]
    assert counted.fractions[0].beams[0].delivered == 60.0


@pytest.mark.parametrize(("origin", "counts"), [("SIMULATION", 0), ("USER", 1), ("DEVICE", 1), (None, 1)])
def test_a_simulated_session_is_not_counted_and_one_re_entered_from_paper_is(origin: str | None, counts: int) -> None:
    ds = o.record(ONE_BEAM.ref.sop_instance_uid, [o.beam_item(1, 1, 100.0)])
    if origin is not None:
        ds.TreatmentRecordContentOrigin = origin
    counted = course(ONE_BEAM, as_record(ds))
    assert counted.fractions_delivered == counts
    assert counted.is_treated is bool(counts)
    assert counted.held_fraction_numbers == (frozenset({1}) if counts else frozenset())


# ion and brachytherapy


def test_ion_fractions_are_counted() -> None:
    records = [
        as_record(o.record("1.2.3", [o.beam_item(1, n, m)], at=day(n), sop_class_uid=ION_RECORD))
        for n, m in ((1, 100.0), (2, 70.0))
    ]
    assert states(course(ONE_BEAM, *records)) == [(1, True), (2, False)]


def brachy_record(
    fraction: int, delivered: float, specified: float | None, delivery_type: str = "TREATMENT"
) -> TreatmentRecord:
    channel = o.item(DeliveredChannelTotalTime=delivered)
    if specified is not None:
        channel.SpecifiedChannelTotalTime = specified
    setup = o.item(
        ReferencedBrachyApplicationSetupNumber=1,
        CurrentFractionNumber=fraction,
        TreatmentDeliveryType=delivery_type,
        TreatmentTerminationStatus="OPERATOR",
        RecordedChannelSequence=[channel],
    )
    at = day(fraction, minutes=delivery_type == "CONTINUATION")
    return as_record(
        o.record("1.2.3", [], at=at, sop_class_uid=BRACHY_RECORD, TreatmentSessionApplicationSetupSequence=[setup])
    )


def test_brachytherapy_is_held_against_the_seconds_of_the_day_because_the_source_decays() -> None:
    plan = as_plan(o.plan({}, **BRACHY_PLAN_ITEMS))  # 200 s on the plan's day
    fresh_source = brachy_record(1, 140.0, 140.0)
    old_source = brachy_record(2, 200.0, 240.0)
    continued = brachy_record(2, 40.0, 40.0, "CONTINUATION")
    as_planned = brachy_record(3, 200.0, None)
    counted = course(plan, fresh_source, old_source, as_planned)
    assert states(counted) == [(1, True), (2, False), (3, True)]
    assert counted.interrupted is not None
    assert counted.interrupted.meterset_remaining == 40.0
    assert states(course(plan, fresh_source, old_source, continued)) == [(1, True), (2, True)]


def test_brachytherapy_without_a_plan_is_held_against_its_own_seconds_too() -> None:
    records = [brachy_record(1, 240.0, 240.0), brachy_record(2, 140.0, 140.0), brachy_record(3, 100.0, 140.0)]
    assert states(course(None, *records)) == [(1, True), (2, True), (3, False)]


def test_of_the_seconds_that_the_records_of_one_day_specify_the_most_were_to_be_given() -> None:
    """A fraction in two parts: the second record specifies the rest."""
    parts = [
        dataclasses.replace(
            plain_record(f"{n}", [delivery(1, 1, given, specified=asked, unit="s")], at=day(1, hours=n)),
            ref=InstanceRef(f"{n}", BRACHY_RECORD, patient_id="1"),
        )
        for n, (given, asked) in enumerate([(60.0, 100.0), (30.0, 40.0)])
    ]
    counted = course(plain_plan({1: 110.0}), *parts)
    assert counted.interrupted is not None
    assert (counted.interrupted.beams[0].planned, counted.interrupted.meterset_remaining) == (100.0, 10.0)
