"""Where plan, records or elements are absent, what is proven is counted, and what is not is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from recovery.course.beam_states import BeamState
from recovery.course.fractions import FractionState
from recovery.course.remarks import remarks
from recovery.dicom.plans import FractionGroup, PlannedBeam
from recovery.dicom.records import TreatmentRecord
from recovery.on_treatment.missing import missing_fraction_numbers
from tests import objects as o
from tests.recovery.courses import (
    BRACHY_RECORD,
    FULL,
    ONE_BEAM,
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

# without a plan


def test_without_a_plan_the_records_own_metersets_and_planned_number_stand_in() -> None:
    records = [
        as_record(o.record("1.2.3", [o.beam_item(1, n, m, 100.0), o.beam_item(2, n, 50.0, 50.0)], at=day(n)))
        for n, m in ((1, 100.0), (2, 60.0))
    ]
    counted = course(None, *records)
    assert counted.is_counted_without_plan
    assert (counted.number_of_fractions_planned, counted.fractions_delivered, counted.fractions_remaining) == (
        20,
        1,
        19,
    )
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


def test_a_plan_without_any_beam_keeps_one_fraction_one() -> None:
    bare = plain_plan({})
    beams = [delivery(1, specified=100.0), delivery(2, delivered=20.0, specified=50.0)]
    named = plain_record("a", beams[:1], referenced_fraction_group_number=1)
    unnamed = plain_record("b", beams[1:])
    assert states(course(bare, named, unnamed)) == [(1, False)]


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


@pytest.mark.parametrize(
    ("planned", "delivered", "is_remarked"),
    [(10.0, 15.0, False), (10.0, 15.1, True), (1000.0, 1049.9, False), (1000.0, 1050.1, True)],
)
def test_over_delivery_is_remarked_on_only_past_both(planned: float, delivered: float, is_remarked: bool) -> None:
    plan = as_plan(o.plan({1: planned}))
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
    boost = plain_record(
        "b", [delivery(1, delivered=80.0), delivery(3, delivered=30.0)], referenced_fraction_group_number=2
    )
    counted = course(TWO_GROUPS, primary, boost)
    assert [(f.fraction_group_number, f.fraction_number, f.is_complete) for f in counted.fractions] == [
        (1, 1, True),
        (2, 1, True),
    ]
    assert (counted.number_of_fractions_planned, counted.fractions_remaining) == (30, 28)


@pytest.mark.parametrize("named", [None, 7, 1])
def test_a_record_that_names_no_group_or_a_wrong_one_is_counted_in_the_group_that_has_its_beam(
    named: int | None,
) -> None:
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
    assert (counted.first_treatment_at, counted.last_treatment_at, counted.fractions[0].last_treatment_at) == (
        None,
    ) * 3


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
        *(
            plain_record(
                str(n), [delivery(fraction=n, delivery_type=delivery_type)], treatment_record_content_origin=origin
            )
            for n in numbers
        ),
    )


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


# what mutations showed to be untested


def test_a_fraction_of_no_beam_is_not_complete() -> None:
    assert not FractionState(1, 1, (), None).is_complete


def test_without_a_plan_a_record_without_a_group_is_of_the_first_of_two() -> None:
    first, second = (
        plain_record(uid, [delivery(n, specified=100.0)], referenced_fraction_group_number=n)
        for n, uid in ((1, "a"), (2, "b"))
    )
    unnamed = plain_record("c", [delivery(3, delivered=10.0, specified=100.0)], at=day(1, hours=1))
    groups = {
        (f.fraction_group_number, b.beam_number)
        for f in course(None, first, second, unnamed).fractions
        for b in f.beams
    }
    assert groups == {(1, 1), (1, 3), (2, 2)}


@pytest.mark.parametrize(
    ("earlier", "lacking"),
    [([], [range(1, 5)]), ([1, 4], [range(2, 4)]), ([0, -3, 5, 9], [range(1, 5)]), ([1, 2, 3, 4], [])],
)
def test_numbers_held_elsewhere_lie_between_the_first_and_the_first_held_here(
    earlier: list[int], lacking: list[range]
) -> None:
    own = course(ONE_BEAM, session(ONE_BEAM, 5, {1: 100.0}))
    other = course(ONE_BEAM, *(session(ONE_BEAM, n, {1: 100.0}, at=day(1)) for n in earlier))
    assert list(missing_fraction_numbers(own, [other])) == lacking


# a beam and an application setup of one number


def _source(times: Sequence[tuple[float, float]]) -> TreatmentRecord:
    """An HDR session; by channel, seconds specified and delivered."""
    setup = o.item(
        ReferencedBrachyApplicationSetupNumber=1,
        CurrentFractionNumber=1,
        TreatmentDeliveryType="TREATMENT",
        TreatmentTerminationStatus="MACHINE",
        RecordedChannelSequence=[
            o.item(ChannelNumber=n, SpecifiedChannelTotalTime=a, DeliveredChannelTotalTime=b)
            for n, (a, b) in enumerate(times, start=1)
        ],
    )
    ds = o.record("1.2.3", [], sop_class_uid=BRACHY_RECORD, at=day(1))
    del ds.TreatmentSessionBeamSequence
    ds.TreatmentSessionApplicationSetupSequence = [setup]
    return as_record(ds)


@pytest.mark.parametrize("named", [None, 1, 2])
def test_a_beam_and_an_application_setup_of_one_number_are_told_apart_by_their_kind(named: int | None) -> None:
    plan = plain_plan(
        {},
        fraction_groups=(FractionGroup(1, 1), FractionGroup(2, 1)),
        beams=(
            PlannedBeam(1, None, 1, None, 100.0, None),
            PlannedBeam(1, None, 2, None, 60.0, None, meterset_unit="s"),
        ),
    )
    beam = plain_record("a", [delivery(1)])
    counted = course(plan, beam, replace(_source([(60.0, 60.0)]), referenced_fraction_group_number=named))
    assert [(f.fraction_group_number, f.is_complete) for f in counted.fractions] == [(1, True), (2, True)]


@pytest.mark.parametrize(
    ("times", "delivered"),
    [
        ([(100.0, 100.0), (50.0, 50.0)], 150.0),
        ([(100.0, 150.0), (50.0, 0.0)], 100.0),
        ([(100.0, 103.0), (50.0, 50.0)], 153.0),
        ([(100.0, 60.0), (50.0, 50.0)], 110.0),
    ],
)
def test_what_one_channel_got_beyond_its_time_does_not_make_up_for_another(
    times: list[tuple[float, float]], delivered: float
) -> None:
    assert _source(times).beams[0].delivered_meterset == delivered
