"""Which row of the table plans is about which patient's plan, and about no phantom who got the same. Pure, no I/O.

The database's own patient first. Where nobody was treated under that number, those who were treated with the plan and
are the same person by name and birth date.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from recovery.dicom.model import Patient
from recovery.identity.namesakes import fold

PlanKey = tuple[str | None, str | None]
"""patient_id, referenced_rt_plan_uid"""


def told_plans(
    rows: Iterable[Mapping[str, Any]],
    treated: Mapping[PlanKey, Patient],
    people: Mapping[str, Mapping[str, Any]],
) -> dict[PlanKey, Mapping[str, Any]]:
    """Rows of `plans` by the patient and plan that they are about.

    `treated`: who was treated with which plan, as the treatment records say it; `people`: rows of `patients`, by the
    database's number.
    """
    by_plan: dict[str | None, list[PlanKey]] = {}
    for key in treated:
        by_plan.setdefault(key[1], []).append(key)
    told: dict[PlanKey, Mapping[str, Any]] = {}
    for row in rows:
        own = (row["patient_id"], row["sop_instance_uid"])
        others = [key for key in by_plan.get(own[1], ()) if key != own]
        same = [key for key in others if is_same_person(treated[key], people.get(own[0] or ""))]
        if own in treated or not same:
            told[own] = row
        told.update(dict.fromkeys(same, row))
    return told


def by_number_of_the_objects(
    booked: Mapping[str, datetime], told: Mapping[PlanKey, Mapping[str, Any]]
) -> dict[str, datetime]:
    """Next appointments, also by the number that DICOM objects bear where the database has another for their plan."""
    found = dict(booked)
    for (patient_id, _), row in told.items():
        at = booked.get(row["patient_id"])
        if at is not None and patient_id is not None:
            found[patient_id] = min(at, found.get(patient_id, at))
    return found


def is_same_person(patient: Patient, person: Mapping[str, Any] | None) -> bool:
    """Whether a patient of DICOM is a row of `patients`, as far as both tell: nothing known differs."""
    if person is None:
        return True
    names = (patient.patient_name, person["patient_name"])
    births = (patient.patient_birth_date, person["patient_birth_date"])
    are_named_alike = None in names or fold(str(names[0])) == fold(str(names[1]))
    return are_named_alike and (None in births or births[0] == births[1])
