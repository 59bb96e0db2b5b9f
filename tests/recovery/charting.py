"""Charted fractions for the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from recovery.course.charted import deliveries_of, settle_all
from recovery.course.charted_entries import ChartedBeam, ChartedFraction, KnownDelivery, standing
from recovery.course.fractions import Course, count_fractions
from recovery.dicom.plans import Plan
from recovery.dicom.records import TreatmentRecord
from tests.recovery.courses import day

FULL = {1: 100.0, 2: 50.0}

ENTERED = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)


def entry(
    entry_id: str, number: int | None, given: Mapping[int, float], at: datetime | None = None, **more: Any
) -> ChartedFraction:
    """An entry of `plan`, by default of the day of its number; a continuation where it says what it knows."""
    beams = tuple(ChartedBeam(beam, f"Field {beam}", FULL[beam], mu) for beam, mu in given.items())
    values: dict[str, Any] = {
        "entry_id": entry_id,
        "patient_id": "1",
        "patient_name": "BASALT, Osprey",
        "patient_birth_date": date(1958, 7, 4),
        "referenced_rt_plan_uid": "plan",
        "fraction_number": number,
        "treated_at": at if at is not None else day(number or 1),
        "treatment_machine_name": "TB1",
        "beams": beams,
        "signed_by": "A",
        "second_by": "B",
        "entered_at": ENTERED,
    }
    return ChartedFraction(**(values | more))


def knowing(records: Sequence[TreatmentRecord]) -> tuple[KnownDelivery, ...]:
    return tuple(deliveries_of(records))


def counted(entries: Sequence[ChartedFraction], records: Sequence[TreatmentRecord], plan: Plan) -> Course:
    """The course of `plan` with what was charted."""
    settled = settle_all(standing(entries), records)
    return count_fractions([*records, *(r for one in settled.values() for r in one.records)], plan)
