"""Who the patient of a row is, and who treats: as the newest object that says so tells. Pure, no I/O."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from recovery.identity.namesakes import fold

if TYPE_CHECKING:
    from recovery.course.fractions import Course
    from recovery.dicom.model import Patient
    from recovery.dicom.plans import Plan
    from recovery.dicom.records import TreatmentRecord
    from recovery.identity.one_patient import Identities
    from recovery.on_treatment.evidence import Evidence


def physicians(records: Iterable[TreatmentRecord]) -> str | None:
    """Those whom the newest record names that names any."""
    return next((r.physicians_of_record for r in newest_first(records) if r.physicians_of_record is not None), None)


def met_in(records: Iterable[TreatmentRecord], plan: Plan | None) -> Patient | None:
    """As the newest record that bears a name says, else the plan; None where there is neither."""
    own = [r.patient for r in newest_first(records)] + ([plan.patient] if plan is not None else [])
    return next((p for p in own if p.patient_name is not None), own[0] if own else None)


def born_otherwise(
    patient_id: str | None, plans: Iterable[tuple[Iterable[TreatmentRecord], Plan | None]]
) -> Iterator[str]:
    """Of all plans of one ID, each with its records, where others' objects tell several birth dates: two hospitals may
    give two people one ID, and IssuerOfPatientID (0010,0021) is seldom filled in.

    Objects of one plan that bear one name are one person's, whose date was corrected.
    """
    people: list[set[date]] = []
    for records, plan in plans:
        told: dict[object, set[date]] = {}
        met = [(r.patient, r.referenced_rt_plan_uid is not None) for r in records if not r.is_of_database]
        for patient, is_of_plan in [*met, (plan.patient, True)] if plan is not None else met:
            if (born := patient.patient_birth_date) is not None:
                name = fold(patient.patient_name or "") if is_of_plan else ""
                told.setdefault(name or born, set()).add(born)
        for own in told.values():
            same = [person for person in people if person & own]
            people = [*(person for person in people if person not in same), own.union(*same)]
    if patient_id is not None and len(people) > 1:
        born_on = sorted(str(day) for day in set().union(*people))
        yield f"born {' or '.join(born_on)}: objects of two people may bear this patient ID"


def everybody_met(evidence: Evidence, who: Identities) -> dict[str | None, Patient]:
    """Each patient as the newest object that bears a name says: sorted once, for however many plans are not held."""
    met: dict[str | None, Patient] = {}
    for patient in [r.patient for r in newest_first(evidence.records)] + [p.patient for p in evidence.plans.values()]:
        patient_id = who.newest(patient.patient_id)
        known = met.get(patient_id)
        if known is None or (known.patient_name is None and patient.patient_name is not None):
            met[patient_id] = patient
    return met


def newest_first(records: Iterable[TreatmentRecord]) -> list[TreatmentRecord]:
    """By time of treatment; one without comes last."""
    return sorted(records, key=lambda r: (r.treated_at or datetime.min, r.ref.sop_instance_uid), reverse=True)  # noqa: DTZ901


def next_appointment(patient_id: str | None, evidence: Evidence, who: Identities) -> datetime | None:
    """The patient's next one, under whichever ID it was booked."""
    ids = (patient_id or "", *who.others(patient_id))
    return min((evidence.appointments[i] for i in ids if i in evidence.appointments), default=None)


def plans_by_patient(evidence: Evidence, who: Identities) -> dict[str | None, dict[str, Plan]]:
    """By patient and UID, the plans that are held, under the newest of the patient's IDs."""
    found: dict[str | None, dict[str, Plan]] = {}
    for uid, plan in evidence.plans.items():
        found.setdefault(who.newest(plan.ref.patient_id), {})[uid] = plan
    return found


def planned_machine(plan: Plan | None) -> str | None:
    return next((b.treatment_machine_name for b in plan.beams if b.treatment_machine_name), None) if plan else None


def last_day(records: Iterable[TreatmentRecord], course: Course) -> date | None:
    """The last day of treatment; of a record without any treatment date, the day on which it was written."""
    undated = [r.written_date for r in records if r.treated_at is None and r.written_date is not None]
    last = course.last_treatment_at
    return max([*undated, *([last.date()] if last is not None else [])], default=None)


def is_excluded(patient_id: str, who: Identities, patterns: Sequence[str]) -> bool:
    """Whether a pattern meets every ID of the patient: one ID that is a patient's keeps them on the list."""
    ids = (patient_id, *who.others(patient_id))
    return all(any(fnmatch.fnmatchcase(i, pattern) for pattern in patterns) for i in ids)
