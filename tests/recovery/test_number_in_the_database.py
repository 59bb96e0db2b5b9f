"""A patient's number that was changed in the R&V database, and not in the DICOM objects that there are."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from recovery.dicom.model import Patient
from recovery.overview.build import overview_rows
from recovery.overview.evidence import evidence_of
from recovery.overview.rv_columns import with_second_source
from recovery.tables.relational import PATIENTS, PHYSICIANS, PLANS, PRESCRIPTIONS, SCHEDULE
from tests.recovery.clinics import planned, treated
from tests.recovery.courses import day
from tests.recovery.test_second_source import space_of, told

UID = "plan"
SAME = {"patient_name": "NAME, 1", "patient_birth_date": date(1960, 5, 17)}
NOW = day(4)


def rows(folder: Path, person: dict[str, Any], *, is_treated: bool) -> list[dict[str, Any]]:
    """The list: DICOM objects of patient `1`; by the database the plan is of patient `99`, who is `person`."""
    space = space_of(folder, NOW.astimezone())
    known = Patient("1", "NAME, 1", date(1960, 5, 17), None)
    space.collection.plans.clear()
    space.collection.plans[UID] = planned(UID, patient=known)
    records = treated(UID, [1, 2], 1, patient=known) if is_treated else []
    space.collection.records.update({record.ref.sop_instance_uid: record for record in records})
    approved = {"approval_status": "treatment approved", "prescription_id": "7"}
    at = space.local_now + timedelta(days=1)
    for name, told_rows in {
        "patients": [told(PATIENTS, patient_id="99", phone_mobile="079 1", alerts="Pacemaker", **person)],
        "physicians": [told(PHYSICIANS, patient_id="99", physician_name="Green, Gloria", is_primary=True)],
        "plans": [told(PLANS, patient_id="99", sop_instance_uid=UID, **approved)],
        "prescriptions": [told(PRESCRIPTIONS, patient_id="99", prescription_id="7", site="Breast")],
        "schedule": [told(SCHEDULE, patient_id="99", appointment_at=at, treatment_machine_name="TB1", status="booked")],
        "courses": [],
        "in_flight": [],
    }.items():
        space.tables.once(name, lambda rows=told_rows: rows)
    return with_second_source(space, overview_rows(space, evidence_of(space)).rows)


@pytest.mark.parametrize("is_treated", [True, False])
def test_a_number_changed_in_the_database_is_matched_by_the_plan_and_both_numbers_are_named(
    tmp_path: Path, *, is_treated: bool
) -> None:
    (row,) = rows(tmp_path, SAME, is_treated=is_treated)
    assert (row["patient_id"], row["other_patient_ids"]) == ("1", "99")
    assert "patient ID 1 in DICOM, 99 in the R&V database" in row["disagreement"]
    told_of = (row["phone"], row["alerts"], row["physician"], row["site"])
    assert told_of == ("079 1", "Pacemaker", "Green, Gloria", "Breast")
    assert row["next_appointment_at"] is not None
    assert row["status"] == ("on_treatment" if is_treated else "ready_to_start")


@pytest.mark.parametrize("other", [{"patient_name": "OTHER, Person"}, {"patient_birth_date": date(1980, 1, 1)}])
def test_another_person_with_the_same_plan_lends_neither_phone_nor_alerts(
    tmp_path: Path, other: dict[str, Any]
) -> None:
    (row, *_) = [r for r in rows(tmp_path, SAME | other, is_treated=True) if r["patient_id"] == "1"]
    assert (row["phone"], row["alerts"], row["physician"], row["site"]) == (None, None, None, None)
    assert row["next_appointment_at"] is None
