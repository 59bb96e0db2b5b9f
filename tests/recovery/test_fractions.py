"""How many fractions were delivered in full, which one was begun, and what it lacks: word by word by the contract."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pydicom import Dataset

from recovery.fractions import BeamState, missing_fraction_numbers
from recovery.plans import FractionGroup, PlannedBeam
from recovery.records import TreatmentRecord
from recovery.remarks import remarks
from tests import objects as o
from tests.recovery.courses import (
    BRACHY_RECORD,
    ION_RECORD,
    MONDAY,
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

TWO_BEAMS = as_plan(o.plan({1: 100.0, 2: 50.0}))
ONE_BEAM = as_plan(o.plan({1: 100.0}))
FULL: dict[int, float | None] = {1: 100.0, 2: 50.0}


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
        (100.0, 100.0, True), (100.0, 99.0, True), (100.0, 98.999, False), (100.0, 98.99, False), (100.0, 120.0, True),
        (1000.0, 990.0, True), (1000.0, 989.9, False), (333.3, 329.967, True), (333.3, 329.96, False),
        (10.0, 9.5, True), (10.0, 9.499, False), (10.0, 9.9, True), (20.3, 19.8, True), (20.3, 19.79, False),
        (0.5, 0.0, True), (0.6, 0.0, False), (0.6, 0.1, True), (0.0, 0.0, True), (0.0, 3.0, True),
    ],
)  # fmt: skip
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


def brachy_record(fraction: int, delivered: float, specified: float | None, delivery_type: str = "TREATMENT") -> TreatmentRecord:
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


# duplicates


def again(record: TreatmentRecord) -> TreatmentRecord:
    """The same content under another SOP Instance UID."""
    import dataclasses

    return dataclasses.replace(record, ref=dataclasses.replace(record.ref, sop_instance_uid=o.uid()))


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
    second = as_record(o.record("1.2.3", [beam_at(2, "093310", 25.0, termination="MACHINE")], at=MONDAY + timedelta(minutes=3)))
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
    parts = [plain_record("a", [delivery(delivered=60.0)], at=None), plain_record("b", [delivery(delivered=40.0)], at=None)]
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


def test_the_same_metersets_on_another_day_or_of_another_fraction_are_another_delivery() -> None:
    records = [
        session(ONE_BEAM, 1, {1: 50.0}),
        session(ONE_BEAM, 1, {1: 50.0}, at=day(2)),
        session(ONE_BEAM, 2, {1: 100.0}, at=day(2)),
        session(ONE_BEAM, 3, {1: 100.0}, at=day(2)),
    ]
    counted = course(ONE_BEAM, *records)
    assert (counted.fractions_delivered, counted.duplicates) == (3, 0)


# without a plan


def test_without_a_plan_the_records_own_metersets_and_planned_number_stand_in() -> None:
    records = [
        as_record(o.record("1.2.3", [o.beam_item(1, n, m, 100.0), o.beam_item(2, n, 50.0, 50.0)], at=day(n)))
        for n, m in ((1, 100.0), (2, 60.0))
    ]
    counted = course(None, *records)
    assert counted.is_counted_without_plan
    assert (counted.number_of_fractions_planned, counted.fractions_delivered, counted.fractions_remaining) == (20, 1, 19)
    assert counted.interrupted is not None
    assert counted.interrupted.meterset_remaining == 40.0


def test_without_a_plan_a_beam_that_other_fractions_had_is_waited_for() -> None:
    records = [session(None, 1, FULL, specified=None), session(None, 2, {1: 100.0})]
    assert states(course(None, *records)) == [(1, True), (2, False)]


def test_without_a_plan_a_continuation_alone_is_held_against_the_whole_beam() -> None:
    whole = as_record(o.record("1.2.3", [o.beam_item(1, 1, 100.0, 100.0)], at=day(1)))
    rest = as_record(o.record("1.2.3", [o.beam_item(1, 2, 40.0, 40.0, "CONTINUATION")], at=day(2)))
    assert states(course(None, whole, rest)) == [(1, True), (2, False)]


def test_without_a_plan_one_fraction_is_one_whether_or_not_its_records_name_the_fraction_group() -> None:
    named = as_record(o.record("1.2.3", [o.beam_item(1, 1, 100.0, 100.0)], ReferencedFractionGroupNumber=1))
    unnamed = as_record(o.record("1.2.3", [o.beam_item(2, 1, 20.0, 50.0)]))
    counted = course(None, named, unnamed)
    assert states(counted) == [(1, False)]
    assert course(None, named, again(as_record(o.record("1.2.3", [o.beam_item(1, 1, 100.0, 100.0)])))).duplicates == 1


def test_without_plan_and_specified_metersets_a_normal_end_is_full_and_any_other_is_unknown() -> None:
    records = [session(None, 1, {1: 100.0}), session(None, 2, {1: 70.0}, termination="MACHINE")]
    counted = course(None, *records)
    assert states(counted) == [(1, True), (2, False)]
    assert counted.interrupted is not None
    assert counted.interrupted.meterset_remaining is None


def test_a_plan_without_any_meterset_is_counted_by_the_records_own() -> None:
    plan = as_plan(o.plan({1: None}))
    counted = course(plan, as_record(o.record("1.2.3", [o.beam_item(1, 1, 60.0, 100.0)])))
    assert counted.is_counted_without_plan
    assert states(counted) == [(1, False)]


def test_the_planned_number_is_the_plans_even_where_it_is_empty_there() -> None:
    plan = as_plan(o.plan({1: 100.0}, fractions=None))
    counted = course(plan, session(plan, 1, {1: 100.0}))
    assert counted.number_of_fractions_planned is None
    assert counted.fractions_remaining is None
    assert counted.fractions_delivered == 1


def test_of_several_planned_numbers_of_records_the_newest_stands_in() -> None:
    def planned(number: int | None, at: datetime) -> TreatmentRecord:
        ds = o.record("1.2.3", [o.beam_item(1, 1, 100.0, 100.0)], at=at)
        ds.NumberOfFractionsPlanned = number
        return as_record(ds)

    counted = course(None, planned(None, day(9)), planned(25, day(5)), planned(20, day(1)))
    assert counted.number_of_fractions_planned == 25


def test_more_fractions_than_planned_leave_none_and_are_remarked_on() -> None:
    plan = as_plan(o.plan({1: 100.0}, fractions=2))
    records = [session(plan, n, {1: 100.0}) for n in (1, 2, 3)]
    counted = course(plan, *records)
    assert (counted.fractions_delivered, counted.fractions_remaining) == (3, 0)
    assert "3 fractions delivered of 2 planned" in remarks(counted, records, plan)


@pytest.mark.parametrize(("delivered", "is_remarked"), [(105.0, False), (105.01, True), (100.0, False)])
def test_over_delivery_is_remarked_on_past_5_percent_and_5_mu(delivered: float, is_remarked: bool) -> None:
    records = [session(ONE_BEAM, 1, {1: delivered})]
    assert any("MU delivered of" in r for r in remarks(course(ONE_BEAM, *records), records, ONE_BEAM)) is is_remarked


def test_over_delivery_of_a_small_beam_is_remarked_on_past_5_mu() -> None:
    plan = as_plan(o.plan({1: 10.0}))
    for delivered, is_remarked in ((15.0, False), (15.1, True)):
        records = [session(plan, 1, {1: delivered})]
        assert any("MU delivered of" in r for r in remarks(course(plan, *records), records, plan)) is is_remarked


# two fraction groups


TWO_GROUPS = plain_plan(
    {},
    fraction_groups=(FractionGroup(1, 25), FractionGroup(2, 5)),
    beams=(
        PlannedBeam(1, None, 1, None, 100.0, None),
        PlannedBeam(2, None, 1, None, 50.0, None),
        PlannedBeam(1, None, 2, None, 80.0, None),
        PlannedBeam(3, None, 2, None, 30.0, None),
    ),
)


def test_fractions_of_two_fraction_groups_are_held_against_their_own_groups_beams() -> None:
    primary = plain_record("a", [delivery(1), delivery(2, delivered=50.0)], referenced_fraction_group_number=1)
    boost = plain_record("b", [delivery(1, delivered=80.0), delivery(3, delivered=30.0)], referenced_fraction_group_number=2)
    counted = course(TWO_GROUPS, primary, boost)
    assert [(f.fraction_group_number, f.fraction_number, f.is_complete) for f in counted.fractions] == [
        (1, 1, True), (2, 1, True)
    ]  # fmt: skip
    assert (counted.number_of_fractions_planned, counted.fractions_remaining) == (30, 28)


@pytest.mark.parametrize("named", [None, 7, 1])
def test_a_record_that_names_no_group_or_a_wrong_one_is_counted_in_the_group_that_has_its_beam(named: int | None) -> None:
    record = plain_record("a", [delivery(3, delivered=30.0)], referenced_fraction_group_number=named)
    [fraction] = course(TWO_GROUPS, record).fractions
    assert fraction.fraction_group_number == 2
    assert fraction.meterset_remaining == 80.0


def test_a_plan_whose_group_has_no_number_is_counted() -> None:
    ds = o.plan({1: 100.0})
    del ds.FractionGroupSequence[0].FractionGroupNumber
    plan = as_plan(ds)
    record = o.record("1.2.3", [o.beam_item(1, 1, 100.0)], ReferencedFractionGroupNumber=1)
    assert states(course(plan, as_record(record))) == [(1, True)]


# what records leave out


def test_a_beam_that_reports_no_meterset_and_ended_normally_gave_what_was_planned_and_is_remarked_on() -> None:
    records = [session(ONE_BEAM, 1, {1: None}), session(ONE_BEAM, 2, {1: None}, termination="OPERATOR")]
    counted = course(ONE_BEAM, *records)
    assert states(counted) == [(1, True), (2, False)]
    assert "2 delivered beams without a meterset; NORMAL is taken as full" in remarks(counted, records, ONE_BEAM)


def test_a_continuation_that_reports_no_meterset_gave_what_lacked_and_no_more() -> None:
    records = [
        session(ONE_BEAM, 1, {1: 60.0}, termination="MACHINE"),
        session(ONE_BEAM, 1, {1: None}, delivery_type="CONTINUATION", at=day(1, minutes=5)),
    ]
    counted = course(ONE_BEAM, *records)
    assert counted.fractions[0].beams == (BeamState(1, 100.0, 100.0, ended_normally=True),)
    assert not any("MU delivered of" in r for r in remarks(counted, records, ONE_BEAM))


def test_a_delivery_without_fraction_number_treats_but_counts_for_no_fraction() -> None:
    records = [session(ONE_BEAM, None, {1: 100.0}, at=day(4))]
    counted = course(ONE_BEAM, *records)
    assert states(counted) == []
    assert counted.is_treated
    assert counted.last_treatment_at == day(4)
    assert "1 delivered beam without a fraction number, not counted" in remarks(counted, records, ONE_BEAM)


def test_a_record_without_beams_treats_but_counts_for_no_fraction() -> None:
    ds = o.record("1.2.3", [], at=day(4))
    del ds.TreatmentSessionBeamSequence
    counted = course(ONE_BEAM, as_record(ds))
    assert (counted.fractions, counted.is_treated, counted.last_treatment_at) == ((), True, day(4))
    assert "1 record without beams, not counted" in remarks(counted, [as_record(ds)], ONE_BEAM)


def test_a_delivery_without_beam_number_is_not_counted_and_is_remarked_on() -> None:
    records = [plain_record("a", [delivery(None)])]
    for plan in (plain_plan({1: 100.0}), None):
        counted = course(plan, *records)
        assert counted.fractions == ()
        assert "1 delivered beam without a beam number, not counted" in remarks(counted, records, plan)


def test_an_undated_record_is_counted_and_its_time_is_unknown() -> None:
    undated = as_record(o.record("1.2.3", [o.beam_item(1, 1, 100.0)], at=None))
    counted = course(ONE_BEAM, undated)
    assert (counted.fractions_delivered, counted.is_treated) == (1, True)
    assert (counted.first_treatment_at, counted.last_treatment_at, counted.fractions[0].last_treatment_at) == (None,) * 3


def test_no_records_at_all_count_nothing_and_remain_all() -> None:
    counted = course(ONE_BEAM)
    assert (counted.fractions_delivered, counted.fractions_remaining, counted.is_treated) == (0, 20, False)
    assert course(None).fractions_remaining is None


def test_the_machine_is_that_of_the_newest_record() -> None:
    records = [as_record(o.record("1.2.3", [o.beam_item(1, n, 100.0)], at=day(n), machine=f"TB{n}")) for n in (2, 3, 1)]
    assert course(ONE_BEAM, *records).treatment_machine_name == "TB3"


# fractions that must exist and are not held


def held(*numbers: int, delivery_type: str = "TREATMENT", origin: str | None = None):
    return course(
        plain_plan({1: 100.0}),
        *(plain_record(str(n), [delivery(fraction=n, delivery_type=delivery_type)], treatment_record_content_origin=origin) for n in numbers),
    )  # fmt: skip


def test_when_the_first_held_is_number_14_then_1_to_13_are_missing_and_not_counted() -> None:
    counted = held(14, 15)
    assert missing_fraction_numbers(counted, []) == (range(1, 14),)
    assert counted.fractions_delivered == 2


@pytest.mark.parametrize("numbers", [(), (1,), (1, 5, 9), (0,), (0, 1)])
def test_gaps_after_the_first_held_number_prove_nothing(numbers: tuple[int, ...]) -> None:
    assert missing_fraction_numbers(held(*numbers), []) == ()


def test_numbers_that_an_earlier_plan_bears_are_held() -> None:
    assert missing_fraction_numbers(held(9, 10), [held(*range(1, 9))]) == ()
    assert missing_fraction_numbers(held(9), [held(1, 2), held(5)]) == (range(3, 5), range(6, 9))


def test_a_session_that_took_only_a_portfilm_is_held_and_a_rehearsal_is_not() -> None:
    plan = plain_plan({1: 100.0})
    treated = plain_record("t", [delivery(fraction=14)])

    def early(delivery_type: str, number: int = 1, origin: str | None = None) -> TreatmentRecord:
        beams = [delivery(fraction=number, delivery_type=delivery_type)]
        return plain_record("e", beams, treatment_record_content_origin=origin)

    assert missing_fraction_numbers(course(plan, treated, early("SETUP")), []) == ()
    for rehearsal in (early("VERIFICATION"), early("TREATMENT", origin="SIMULATION"), early("SETUP", number=0)):
        assert missing_fraction_numbers(course(plan, treated, rehearsal), []) == (range(1, 14),)


def test_an_accident_of_a_fraction_number_does_not_fill_the_memory() -> None:
    assert missing_fraction_numbers(held(2147483647), []) == (range(1, 2147483647),)
