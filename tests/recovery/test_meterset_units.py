"""Metersets in minutes, particles, seconds and pulses: counted in their own unit, and never read as MU."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset

from recovery.course.fractions import count_fractions
from recovery.course.ledger import lay_out
from recovery.tables.object_rows import plan_row, plans_of_rows, record_rows, records_of_rows
from recovery.words import notices
from recovery.words.units import amount
from tests import objects as o
from tests.recovery.clinics import NOW, evidence, row_of
from tests.recovery.courses import BRACHY_RECORD, ION_RECORD, as_plan, as_record, course, day, delivery, plain_plan
from tests.recovery.courses import plain_record as record

MADE_HERE = "R&V database: delivery 17"


def unit_plan(metersets: dict[int, float | None], unit: str | None, fractions: int = 20, **more: Any) -> Dataset:
    ds = o.plan(metersets, fractions=fractions, **more)
    for beam in ds.BeamSequence:
        if unit is not None:
            beam.PrimaryDosimeterUnit = unit
    return ds


def given(
    plan: Dataset, fraction: int, metersets: dict[int, float], specified: float, unit: str | None = None, **more: Any
) -> Dataset:
    end = "NORMAL" if all(m == specified for m in metersets.values()) else "MACHINE"
    beams = [o.beam_item(n, fraction, m, specified=specified, termination=end) for n, m in metersets.items()]
    return o.record(plan.SOPInstanceUID, beams, at=day(fraction), PrimaryDosimeterUnit=unit or "", **more)


def row_made_of(plan: Dataset, *records: Dataset) -> dict[str, Any]:
    """The row of on_treatment, with everything read through the one door and kept in the cache's rows."""
    kept = [r for ds in records for r in records_of_rows([dict(row) for row in record_rows(as_record(ds))])]
    (held,) = plans_of_rows([dict(plan_row(as_plan(plan)))])
    assert kept == [as_record(ds) for ds in records]
    assert held == as_plan(plan)
    return row_of(evidence(kept, [held]), str(plan.SOPInstanceUID))


def interrupted(row: dict[str, Any]) -> tuple[Any, ...]:
    return (
        row["fractions_delivered"],
        row["interrupted_fraction"],
        row["interrupted_meterset_remaining"],
        row["interrupted_remaining_in_words"],
    )


def test_a_helical_plan_in_minutes_is_counted_in_minutes() -> None:
    plan = unit_plan({1: 4.8}, "MINUTE")
    whole = [given(plan, n, {1: 4.8}, 4.8, "MINUTE") for n in (1, 2, 3)]
    row = row_made_of(plan, *whole, given(plan, 4, {1: 4.4}, 4.8, "MINUTE"))
    assert interrupted(row) == (3, 4, None, "0.4 min left")
    assert [str(n) for n in notices.interrupted(row)] == ["■ INTERRUPTED: finish fraction 4 first, 0.4 min left"]
    assert "MU" not in row["remarks"]


@pytest.mark.parametrize(("given_minutes", "is_full"), [(4.8, True), (4.752, True), (4.75, False), (4.4, False)])
def test_half_a_monitor_unit_is_no_tolerance_in_minutes(given_minutes: float, is_full: bool) -> None:
    plan = unit_plan({1: 4.8}, "MINUTE")
    row = row_made_of(plan, given(plan, 1, {1: given_minutes}, 4.8, "MINUTE"))
    assert row["fractions_delivered"] == int(is_full)


def test_particles_of_a_carbon_plan_are_no_monitor_units() -> None:
    plan = unit_plan({1: 3.0e8}, "NP", 16)
    kw = {"sop_class_uid": ION_RECORD}
    whole = [given(plan, n, {1: 3.0e8}, 3.0e8, "NP", **kw) for n in (1, 2)]
    row = row_made_of(plan, *whole, given(plan, 3, {1: 1.0e8}, 3.0e8, "NP", **kw))
    assert interrupted(row) == (2, 3, None, "2e+08 particles left")


def test_the_unit_of_the_records_stands_in_where_the_plan_tells_none() -> None:
    plan = unit_plan({1: 4.8}, None)
    row = row_made_of(plan, given(plan, 1, {1: 4.4}, 4.8, "MINUTE"))
    assert interrupted(row) == (0, 1, None, "0.4 min left")


def test_a_unit_that_nobody_tells_is_remarked_on() -> None:
    plan = unit_plan({1: 100.0}, None)
    row = row_made_of(plan, given(plan, 1, {1: 60.0}, 100.0))
    assert interrupted(row) == (0, 1, 40.0, "40.0 MU left")
    assert "no object says the unit of the metersets, MU is taken" in row["remarks"]


@pytest.mark.parametrize(("planned", "recorded"), [("MU", "MINUTE"), ("MINUTE", "MU"), ("NP", "MU")])
def test_what_is_recorded_in_another_unit_is_not_added_up(planned: str, recorded: str) -> None:
    plan = unit_plan({1: 100.0}, planned)
    row = row_made_of(plan, given(plan, 1, {1: 100.0}, 100.0, planned), given(plan, 2, {1: 100.0}, 100.0, recorded))
    assert interrupted(row) == (1, 2, None, "— left")
    assert "fraction 2 beam 1: planned in" in row["remarks"]
    assert "not added up" in row["remarks"]


def test_beams_of_two_units_in_one_plan_are_each_told_in_their_own() -> None:
    plan = unit_plan({1: 100.0, 2: 4.8}, "MU")
    plan.BeamSequence[1].PrimaryDosimeterUnit = "MINUTE"
    beams = [o.beam_item(1, 1, 60.0, specified=100.0), o.beam_item(2, 1, 4.4, specified=4.8)]
    beams[1].PrimaryDosimeterUnit = "MINUTE"
    row = row_made_of(plan, o.record(plan.SOPInstanceUID, beams, at=day(1)))
    assert interrupted(row) == (0, 1, None, "40.0 MU and 0.4 min left")
    book = lay_out(course(as_plan(plan), as_record(o.record(plan.SOPInstanceUID, beams, at=day(1)))), NOW)
    assert (book.unit, [beam.unit for beam in book.fractions[0].beams]) == (None, ["MU", "MINUTE"])


def test_one_beam_that_lacks_monitor_units_beside_a_full_one_in_minutes_is_told_in_monitor_units() -> None:
    plan = plain_plan({1: 100.0, 2: 50.0})
    records = [record("r", [delivery(1, 1, 60.0), delivery(2, 1, 50.0)])]
    counted = count_fractions(records, plan)
    assert counted.interrupted is not None
    assert counted.interrupted.meterset_remaining == 40.0


def test_a_record_made_of_the_database_knows_no_unit_but_the_plans() -> None:
    """MOSAIQ's history has no unit: a helical plan's minutes stand in a record that says MU."""
    plan = unit_plan({1: 4.8}, "MINUTE")
    beam = o.beam_item(1, 1, 4.8, specified=4.8, BeamDescription=MADE_HERE)
    row = row_made_of(plan, o.record(plan.SOPInstanceUID, [beam], at=day(1), PrimaryDosimeterUnit="MU"))
    assert (row["fractions_delivered"], row["interrupted_fraction"]) == (1, None)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (50.0, "MU", "50.0 MU"),
        (0.4, "MINUTE", "0.4 min"),
        (4.756, "MINUTE", "4.76 min"),
        (2.0e8, "NP", "2e+08 particles"),
        (80.0, "s", "80.0 s"),
        (23, "pulses", "23 pulses"),
        (1.5, "COULOMB", "1.5 COULOMB"),
        (None, "MU", "—"),
    ],
)
def test_an_amount_reads_with_its_unit(value: float | None, unit: str, said: str) -> None:
    assert amount(value, unit) == said


# brachytherapy

CHANNELS = {1: 276.3, 2: 69.0, 3: 54.6}


def pulsed_plan(pulses: int | None = 43, fractions: int = 1) -> Dataset:
    ds = o.plan({}, fractions=fractions)
    del ds.BeamSequence
    ds.FractionGroupSequence[0].ReferencedBrachyApplicationSetupSequence = [
        o.item(ReferencedBrachyApplicationSetupNumber=1)
    ]
    channels = [o.item(ChannelNumber=n, ChannelTotalTime=t) for n, t in CHANNELS.items()]
    for channel in channels:
        if pulses is not None:
            channel.NumberOfPulses = pulses
    ds.ApplicationSetupSequence = [o.item(ApplicationSetupNumber=1, ChannelSequence=channels)]
    return ds


def pulsed_record(
    plan: Dataset,
    pulses: dict[int, int | None],
    end: str = "MACHINE",
    kind: str = "TREATMENT",
    hours: int = 0,
    share: float = 1.0,
    specified: int | None = 43,
) -> Dataset:
    channels = []
    for number, delivered in pulses.items():
        time = CHANNELS[number]
        channel = o.item(
            ChannelNumber=number, SpecifiedChannelTotalTime=time, DeliveredChannelTotalTime=round(share * time, 3)
        )
        if specified is not None:
            channel.SpecifiedNumberOfPulses = specified
        if delivered is not None:
            channel.DeliveredNumberOfPulses = delivered
        channels.append(channel)
    setup = o.item(
        ReferencedBrachyApplicationSetupNumber=1,
        CurrentFractionNumber=1,
        TreatmentDeliveryType=kind,
        TreatmentTerminationStatus=end,
        RecordedChannelSequence=channels,
    )
    ds = o.record(plan.SOPInstanceUID, [], at=day(1, hours=hours), sop_class_uid=BRACHY_RECORD)
    del ds.TreatmentSessionBeamSequence
    ds.TreatmentSessionApplicationSetupSequence = [setup]
    return ds


def all_of(pulses: int | None) -> dict[int, int | None]:
    return dict.fromkeys(CHANNELS, pulses)


def test_pulses_that_were_not_given_are_missing_though_every_pulse_was_whole() -> None:
    plan = pulsed_plan()
    row = row_made_of(plan, pulsed_record(plan, all_of(20)))
    assert interrupted(row) == (0, 1, None, "23 of 43 pulses left")
    assert row["status"] == "on_treatment"


def test_all_pulses_are_a_whole_fraction() -> None:
    plan = pulsed_plan()
    row = row_made_of(plan, pulsed_record(plan, all_of(43), "NORMAL"))
    assert interrupted(row) == (1, None, None, None)
    assert row["status"] == "completed"


def test_pulses_of_a_continuation_add_up_by_channel() -> None:
    plan = pulsed_plan()
    begun = pulsed_record(plan, all_of(20))
    whole = row_made_of(plan, begun, pulsed_record(plan, all_of(23), "NORMAL", "CONTINUATION", 4))
    assert whole["fractions_delivered"] == 1
    assert "delivered of" not in whole["remarks"]
    one_channel = row_made_of(plan, begun, pulsed_record(plan, {1: 23}, "NORMAL", "CONTINUATION", 4))
    assert interrupted(one_channel) == (0, 1, None, "23 of 43 pulses left")


def test_one_channel_that_lacks_pulses_makes_the_fraction_incomplete() -> None:
    plan = pulsed_plan()
    assert interrupted(row_made_of(plan, pulsed_record(plan, {1: 43, 2: 43, 3: 40}))) == (
        0, 1, None, "3 of 43 pulses left",
    )  # fmt: skip
    assert row_made_of(plan, pulsed_record(plan, {1: 43, 2: 43}))["fractions_delivered"] == 0


def test_whole_pulses_of_half_the_time_are_not_a_fraction() -> None:
    plan = pulsed_plan()
    row = row_made_of(plan, pulsed_record(plan, all_of(43), share=0.5))
    assert interrupted(row) == (0, 1, None, "200.0 s left")


def test_pulses_that_only_the_record_specifies_count_too() -> None:
    plan = pulsed_plan(None)
    assert interrupted(row_made_of(plan, pulsed_record(plan, all_of(20)))) == (0, 1, None, "23 of 43 pulses left")


def test_pulses_that_the_record_does_not_tell_are_unknown_unless_it_ended_normally() -> None:
    plan = pulsed_plan()
    assert interrupted(row_made_of(plan, pulsed_record(plan, all_of(None)))) == (0, 1, None, "— left")
    assert row_made_of(plan, pulsed_record(plan, all_of(None), "NORMAL"))["fractions_delivered"] == 1


@pytest.mark.parametrize("pulses", [None, 1])
def test_high_dose_rate_stays_seconds(pulses: int | None) -> None:
    plan = pulsed_plan(pulses)
    row = row_made_of(plan, pulsed_record(plan, all_of(pulses), share=0.5, specified=pulses))
    assert interrupted(row) == (0, 1, None, "200.0 s left")


def test_a_pulse_too_many_is_remarked_on() -> None:
    plan = pulsed_plan()
    row = row_made_of(plan, pulsed_record(plan, {1: 44, 2: 43, 3: 43}, "NORMAL"))
    assert "fraction 1 beam 1: 44 pulses delivered of 43 planned" in row["remarks"]
