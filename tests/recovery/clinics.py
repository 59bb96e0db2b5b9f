"""What a clinic knows about its patients, and the rows that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from recovery.dicom.model import InstanceRef, Patient
from recovery.dicom.plans import Plan
from recovery.dicom.records import TreatmentRecord
from recovery.on_treatment.evidence import Evidence, PlanBackup
from recovery.on_treatment.rows import build_rows
from tests.recovery.courses import day, delivery, plain_plan, plain_record

HELD = PlanBackup(plan_held=True, structure_set_held=True, images_held=True)
NOW = day(12, hours=3)


def treated(
    uid: str, numbers: Sequence[int], first_day: int, patient_id: str | None = "1", meterset: float = 100.0, **more: Any
) -> list[TreatmentRecord]:
    """Records of plan `uid`, one fraction a day from `first_day` on."""
    return [
        plain_record(
            f"{uid} {patient_id} {number}",
            [delivery(fraction=number, delivered=meterset, specified=100.0)],
            at=day(first_day + n),
            plan_uid=uid,
            **{
                "ref": InstanceRef(f"{uid} {patient_id} {number}", patient_id=patient_id),
                "patient": Patient(patient_id, f"NAME, {patient_id}", None, None),
                **more,
            },
        )
        for n, number in enumerate(numbers)
    ]


def planned(uid: str, fractions: int | None = 20, patient_id: str | None = "1", **more: Any) -> Plan:
    values = {
        "ref": InstanceRef(uid, patient_id=patient_id),
        "patient": Patient(patient_id, f"NAME, {patient_id}", None, None),
    }
    return plain_plan({1: 100.0}, fractions, uid, **(values | more))


def evidence(records: Sequence[TreatmentRecord] = (), plans: Sequence[Plan] = (), **more: Any) -> Evidence:
    by_uid = {p.ref.sop_instance_uid: p for p in plans}
    values: dict[str, Any] = {"structure_sets": {}, "backups": dict.fromkeys(by_uid, HELD)}
    return Evidence(records=list(records), plans=by_uid, **(values | more))


def rows_of(known: Evidence, now: datetime = NOW, days: int = 14, exclude: Sequence[str] = ()) -> list[dict[str, Any]]:
    return build_rows(known, now, on_treatment_days=days, exclude_patient_ids=exclude).rows


def row_of(known: Evidence, uid: str | None, now: datetime = NOW, days: int = 14) -> dict[str, Any]:
    [row] = [r for r in rows_of(known, now, days) if r["referenced_rt_plan_uid"] == uid]
    return row
