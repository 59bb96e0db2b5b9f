"""Courses for the tests: real datasets read through the one door, and dataclasses where hypothesis builds thousands."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from pydicom import Dataset, dcmread

from recovery.course.fractions import Course, count_fractions
from recovery.dicom.model import InstanceRef, Patient
from recovery.dicom.plans import FractionGroup, Plan, PlannedBeam
from recovery.dicom.records import BeamDelivery, TreatmentRecord
from tests import objects as o

ION_RECORD = "1.2.840.10008.5.1.4.1.1.481.9"
BRACHY_RECORD = "1.2.840.10008.5.1.4.1.1.481.6"
MONDAY = datetime(2026, 11, 2, 9, 30)  # noqa: DTZ001  site-local


def reread(ds: Dataset) -> Dataset:
    """As it comes back from a file: values raw, converted on access."""
    return dcmread(io.BytesIO(o.encode(ds)))


ZURICH = ZoneInfo("Europe/Zurich")


def as_record(ds: Dataset, zone: tzinfo = ZURICH) -> TreatmentRecord:
    return TreatmentRecord.from_dataset(reread(ds), zone)


def as_plan(ds: Dataset) -> Plan:
    return Plan.from_dataset(reread(ds))


def day(number: int, **more: float) -> datetime:
    """The `number`th day of treatment, 9:30; `hours=6` later on that day."""
    return MONDAY + timedelta(days=number - 1, **more)


TWO_BEAMS = as_plan(o.plan({1: 100.0, 2: 50.0}))
ONE_BEAM = as_plan(o.plan({1: 100.0}))
FULL: dict[int, float | None] = {1: 100.0, 2: 50.0}
"""What a full fraction of `TWO_BEAMS` delivers, MU by beam number."""


def session(
    plan: Plan | str | None,
    fraction: int | None,
    delivered: dict[int, float | None],
    at: datetime | None = None,
    **beam: Any,
) -> TreatmentRecord:
    """One record of one session; `delivered` in MU by beam number; by default on the day of its fraction number."""
    uid = plan.ref.sop_instance_uid if isinstance(plan, Plan) else plan
    beams = [o.beam_item(number, fraction, meterset, **beam) for number, meterset in delivered.items()]
    return as_record(o.record(uid, beams, at=at if at is not None else day(fraction or 1)))


def course(plan: Plan | None, *records: TreatmentRecord) -> Course:
    return count_fractions(records, plan)


def states(counted: Course) -> list[tuple[int, bool]]:
    """Fraction numbers, and whether each is complete."""
    return [(f.fraction_number, f.is_complete) for f in counted.fractions]


def again(record: TreatmentRecord) -> TreatmentRecord:
    """The same content under another SOP Instance UID."""
    return dataclasses.replace(record, ref=dataclasses.replace(record.ref, sop_instance_uid=o.uid()))


# dataclasses, for hypothesis

NOBODY = Patient("1", "BASALT, Osprey", None, None)


def delivery(
    beam: int | None = 1,
    fraction: int | None = 1,
    delivered: float | None = 100.0,
    at: datetime | None = None,
    delivery_type: str | None = "TREATMENT",
    termination: str | None = "NORMAL",
    specified: float | None = None,
    unit: str | None = "MU",
) -> BeamDelivery:
    return BeamDelivery(beam, None, fraction, delivery_type, termination, specified, delivered, at, meterset_unit=unit)


def plain_record(
    uid: str, beams: Iterable[BeamDelivery], at: datetime | None = MONDAY, plan_uid: str | None = "plan", **more: Any
) -> TreatmentRecord:
    values: dict[str, Any] = {
        "ref": InstanceRef(uid, patient_id="1"),
        "patient": NOBODY,
        "physicians_of_record": None,
        "treatment_date": at.date() if at is not None else None,
        "treatment_time": at.time() if at is not None else None,
        "referenced_rt_plan_uid": plan_uid,
        "referenced_fraction_group_number": None,
        "number_of_fractions_planned": None,
        "treatment_machine_name": None,
        "treatment_record_content_origin": None,
        "beams": tuple(beams),
    }
    return TreatmentRecord(**(values | more))


def plain_plan(metersets: dict[int, float | None], fractions: int | None = 20, uid: str = "plan", **more: Any) -> Plan:
    values: dict[str, Any] = {
        "ref": InstanceRef(uid, patient_id="1"),
        "patient": NOBODY,
        "rt_plan_label": uid.title(),
        "plan_intent": None,
        "rt_plan_geometry": "PATIENT",
        "approval_status": "APPROVED",
        "frame_of_reference_uid": "frame",
        "fraction_groups": (FractionGroup(1, fractions),),
        "beams": tuple(PlannedBeam(n, None, 1, "TREATMENT", m, "TB1") for n, m in metersets.items()),
        "structure_set_uids": (),
        "dose_uids": (),
        "reference_image_uids": (),
    }
    return Plan(**(values | more))
