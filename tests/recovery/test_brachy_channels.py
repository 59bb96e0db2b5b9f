"""Brachytherapy by channel: which records tell of it does not matter, and no channel makes up for another."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from recovery.course.remarks import remarks
from recovery.dicom.channels import ChannelTime
from recovery.dicom.model import InstanceRef
from recovery.dicom.plans import Plan, PlannedBeam
from recovery.dicom.records import TreatmentRecord
from recovery.tables.object_rows import plan_row, plans_of_rows, record_rows, records_of_rows
from tests.recovery.courses import BRACHY_RECORD, MONDAY, course, delivery, plain_plan, plain_record


def _channels(*told: tuple[int, float, float], at: datetime = MONDAY, kind: str = "TREATMENT") -> TreatmentRecord:
    """A record of one fraction; of each channel its number, seconds specified and delivered."""
    times = tuple(ChannelTime(*one) for one in told)
    specified, delivered = (sum(one[n] for one in told) for n in (1, 2))
    beam = replace(delivery(1, 1, delivered, specified=specified, delivery_type=kind, unit="s"), channel_times=times)
    ref = InstanceRef(f"{told} {at}", BRACHY_RECORD, patient_id="1")
    return replace(plain_record("x", [beam], at=at), ref=ref)


def _of_channels(*times: float) -> Plan:
    by_channel = tuple(enumerate(times, start=1))
    beam = PlannedBeam(1, None, 1, None, sum(times), None, meterset_unit="s", channel_times=by_channel)
    return replace(plain_plan({}), beams=(beam,))


LATER = MONDAY + timedelta(hours=1)


@pytest.mark.parametrize(
    ("records", "is_complete", "left"),
    [
        ([_channels((1, 50, 50)), _channels((2, 50, 50)), _channels((3, 50, 50))], True, "0.0 s left"),
        ([_channels((1, 50, 50))], False, "— left"),
        ([_channels((1, 120, 120)), _channels((2, 120, 120))], False, "— left"),
        ([_channels((1, 50, 50), (2, 50, 10), (3, 50, 50))], False, "40.0 s left"),
        ([_channels((1, 50, 50), (2, 50, 10), (3, 50, 50)), _channels((3, 40, 40), at=LATER)], False, "40.0 s left"),
        (
            [_channels((1, 50, 50), (2, 50, 10), (3, 50, 50)), _channels((2, 40, 40), at=LATER, kind="CONTINUATION")],
            True,
            "0.0 s left",
        ),
        ([_channels((7, 50, 50), (8, 50, 50))], False, "— left"),
        ([_channels((7, 50, 50), (8, 50, 50), (9, 50, 50))], True, "0.0 s left"),
    ],
    ids=["one record each", "one of three", "a weak source", "aborted", "another channel", "the same", "7 8", "7 8 9"],
)
def test_each_channel_of_a_source_has_to_get_its_time(
    records: list[TreatmentRecord], is_complete: bool, left: str
) -> None:
    """Whichever records tell of it. The seconds hold on their day alone: of a channel untold nobody knows them."""
    plan = _of_channels(50.0, 50.0, 50.0)
    [fraction] = course(plan, *records).fractions
    assert (fraction.is_complete, fraction.left_in_words) == (is_complete, left)


def test_a_channel_of_a_moment_that_an_afterloader_drops_is_not_waited_for() -> None:
    plan = _of_channels(100.0, 100.0, 0.1)
    [fraction] = course(plan, _channels((1, 100, 100), (2, 100, 100))).fractions
    assert fraction.is_complete


def test_channels_that_no_record_tells_of_are_remarked_on() -> None:
    plan, records = _of_channels(50.0, 50.0, 50.0), [_channels((1, 50, 50))]
    assert "fraction 1 beam 1: no record of 2 channels of the plan" in list(
        remarks(course(plan, *records), records, plan)
    )


def test_channels_come_back_from_their_tables() -> None:
    record, plan = _channels((1, 50, 50), (2, 50, 10)), _of_channels(50.0, 50.0)
    [again], [planned] = records_of_rows(list(record_rows(record))), plans_of_rows([plan_row(plan)])
    assert (again.beams[0].channel_times, planned.beams) == (record.beams[0].channel_times, plan.beams)
