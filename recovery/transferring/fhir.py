"""A patient's radiotherapy as a FHIR R4 bundle, after HL7 CodeX Radiation Therapy STU2 (2.0.0). Pure, no I/O.

How
    A prescription and a summary for each course; a treated phase, a prescription and a volume for each plan; the
    patient, the diagnoses in the words of the R&V database. A resource names a profile only where it has all that this
    asks for.

Why numbers may lack
    Fractions and dose stand here only where they are counted whole: while records are known to be missing, or what was
    charted is in conflict, a number would be read as all that was given. The note then says what is proven.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_OID, uuid5
from zoneinfo import ZoneInfo

from recovery.patient import notices as plan_notices
from recovery.patient.file import PatientFile
from recovery.patient.plan import PlanFile
from recovery.transferring.resources import (
    CATEGORY,
    CODEX,
    LABELS,
    MCODE,
    SNOMED,
    Resource,
    dose_in,
    intent_of,
    names_of,
    official_uid,
    status_of,
    without_absent,
)
from recovery.transferring.summary import dose_given, is_counted
from recovery.words.values import absent

_COURSE, _PHASE = (
    {"coding": [{"system": SNOMED, "code": code}], "text": text}
    for code, text in (("1217123003", "Radiotherapy course of treatment"), ("1222565005", "Radiotherapy phase"))
)
_SEXES = {"M": "male", "F": "female", "O": "other"}


@dataclass(frozen=True, slots=True)
class Volume:
    """A target of a plan: an item of its DoseReferenceSequence (300A,0010) of type TARGET."""

    uid: str
    description: str | None


def as_json(file: PatientFile, volumes: Mapping[str, Sequence[Volume]], now: datetime, zone: ZoneInfo) -> bytes:
    """The bundle. `volumes`: by plan UID, the targets that it names; `now`: aware."""
    return (json.dumps(Bundle(file, volumes, zone).made(now), indent=1, ensure_ascii=False) + "\n").encode()


@dataclass(frozen=True, slots=True)
class Bundle:
    """One patient's bundle, in the making."""

    file: PatientFile
    volumes: Mapping[str, Sequence[Volume]]
    zone: ZoneInfo

    def made(self, now: datetime) -> Resource:
        entries = [self._patient()]
        courses: dict[str, list[PlanFile]] = {}
        for plan in self.file.plans:
            courses.setdefault(_course_of(plan), []).append(plan)
        for course, plans in courses.items():
            entries += [
                *self._diagnosis(course, plans),
                *self._asked(course, plans),
                *(one for plan in plans for one in self._of_plan(plan, course)),
            ]
            treated = [plan for plan in plans if plan.row.first_treatment_at is not None]
            entries += [self._summary(course, treated)] if treated else []
        return {
            "resourceType": "Bundle",
            "type": "collection",
            "timestamp": now.astimezone(self.zone).isoformat(timespec="seconds"),
            "entry": [{"fullUrl": f"urn:uuid:{one['id']}", "resource": without_absent(one)} for one in entries],
        }

    def _id(self, *names: str) -> str:
        """The same for the same thing in each packet of the patient."""
        return str(
            uuid5(uuid5(NAMESPACE_OID, f"{self.file.site_name}\n{self.file.identity.patient_id}"), "\n".join(names))
        )

    def _to(self, *names: str) -> dict[str, str]:
        return {"reference": f"urn:uuid:{self._id(*names)}"}

    def _patient(self) -> Resource:
        who = self.file.identity
        family, _, given = (who.patient_name or "").partition(", ")
        name = {"text": who.patient_name, "family": family, **({"given": [given]} if given else {})}
        numbers = (who.patient_id, *self.file.older_patient_ids)
        return {
            "resourceType": "Patient",
            "id": self._id("patient"),
            "identifier": [{"value": number} for number in numbers],
            "name": [name] if who.patient_name else None,
            "gender": _SEXES.get(who.patient_sex or ""),
            "birthDate": who.patient_birth_date.isoformat() if who.patient_birth_date else None,
            "telecom": [{"system": "phone", "value": number, "use": use} for use, number in self.file.contacts.phones],
        }

    def _diagnosis(self, course: str, plans: Sequence[PlanFile]) -> list[Resource]:
        told = next((plan.course for plan in plans if plan.course is not None and plan.course.diagnoses), None)
        if told is None:
            return []
        said = " ".join(filter(None, (told.diagnosis_codes, told.diagnoses)))
        patient = self._to("patient")
        return [
            {
                "resourceType": "Condition",
                "id": self._id("diagnosis", course),
                "code": {"text": said},
                "subject": patient,
            }
        ]

    def _asked(self, course: str, plans: Sequence[PlanFile]) -> list[Resource]:
        """What was prescribed in all: each prescription once, however many plans were made for it, of the volume of
        the first, which is one that may still be treated."""
        prescribed = {plan.prescription.prescription_id: plan for plan in reversed(plans) if plan.prescription}
        doses = [
            {"url": f"{CODEX}radiotherapy-dose-prescribed-to-volume", "extension": parts}
            for plan in prescribed.values()
            if (rx := plan.prescription) is not None and (parts := self._dose_asked(plan, rx.total_dose))
        ]
        if not prescribed:
            return []
        has_all = len(doses) == len(prescribed) and all(self._target(plan) for plan in prescribed.values())
        own = self._id("course prescription", course)
        return [
            {
                "resourceType": "ServiceRequest",
                "id": own,
                **({"meta": {"profile": [f"{CODEX}radiotherapy-course-prescription"]}} if has_all else {}),
                "identifier": names_of(course.partition("\n")[2], own),
                "extension": [*intent_of(plans), *doses],
                "status": "unknown",
                "intent": "original-order",
                "category": [CATEGORY],
                "code": _COURSE,
                "subject": self._to("patient"),
                **self._reason(course),
            }
        ]

    def _dose_asked(self, plan: PlanFile, total: float | None) -> list[Resource]:
        """Of a course a volume's whole dose, with the fractions that give it."""
        number = plan.prescription.number_of_fractions if plan.prescription is not None else None
        fractions = [{"url": "fractions", "valuePositiveInt": number}] if number else []
        volume: Resource = {"url": "volume", "valueReference": self._to("volume", _key(plan))}
        return [volume, *dose_in("totalDose", total), *fractions] if total is not None else []

    def _of_plan(self, plan: PlanFile, course: str) -> list[Resource]:
        key, rx = _key(plan), plan.prescription
        found = [self._volume(plan)]
        if rx is not None:
            has_all = self._target(plan) is not None and rx.number_of_fractions is not None
            dose = [
                {"url": "volume", "valueReference": self._to("volume", key)},
                *dose_in("fractionDose", rx.dose_per_fraction),
                *dose_in("totalDose", rx.total_dose),
            ]
            fractions = {"valuePositiveInt": rx.number_of_fractions}
            asked = (
                [{"url": f"{CODEX}radiotherapy-fractions-prescribed", **fractions}] if rx.number_of_fractions else []
            )
            found.append(
                {
                    "resourceType": "ServiceRequest",
                    **self._head("prescription", plan, "radiotherapy-phase-prescription" if has_all else None),
                    "extension": [
                        *asked,
                        {"url": f"{CODEX}radiotherapy-dose-prescribed-to-volume", "extension": dose},
                    ],
                    "status": "unknown",
                    "intent": "original-order",
                    "basedOn": [self._to("course prescription", course)],
                    "category": [CATEGORY],
                    "code": _PHASE,
                    "subject": self._to("patient"),
                    **self._reason(course),
                }
            )
        return [*found, *([self._phase(plan, course)] if plan.row.first_treatment_at is not None else [])]

    def _target(self, plan: PlanFile) -> Volume | None:
        """The volume that the dose is told of: which of several, nobody says."""
        named = self.volumes.get(plan.uid or "", ())
        return named[0] if len(named) == 1 else None

    def _volume(self, plan: PlanFile) -> Resource:
        target, rx = self._target(plan), plan.prescription
        site = " ".join(filter(None, (rx.site if rx is not None else None, plan.laterality))) or None
        name = (target.description if target is not None else None) or site or absent(plan.label)
        official = [official_uid(target.uid)] if target is not None else []
        own = [f"{CODEX}radiotherapy-volume"] if official else []
        return {
            "resourceType": "BodyStructure",
            "id": self._id("volume", _key(plan)),
            "meta": {"profile": [*own, f"{MCODE}radiotherapy-volume"]},
            "identifier": [{"use": "usual", "system": LABELS, "value": name}, *official],
            "location": {"text": site} if site else None,
            "description": f"Plan {plan.label}" if plan.label else None,
            "patient": self._to("patient"),
        }

    def _phase(self, plan: PlanFile, course: str) -> Resource:
        counted = is_counted(plan)
        fractions = {"valueUnsignedInt": plan.row.fractions_delivered}
        given = [{"url": f"{CODEX}radiotherapy-fractions-delivered", **fractions}] if counted else []
        asked = {"basedOn": [self._to("prescription", _key(plan))]} if plan.prescription is not None else {}
        return {
            "resourceType": "Procedure",
            **self._head("phase", plan, "radiotherapy-treated-phase"),
            "extension": [*given, *self._dose_given(plan, of_course=False)],
            **asked,
            "partOf": [self._to("course", course)],
            "status": status_of([plan]),
            "category": CATEGORY,
            "code": _PHASE,
            **self._performed([plan]),
            **self._reason(course),
            "note": [{"text": said} for said in _said(plan)],
        }

    def _summary(self, course: str, plans: Sequence[PlanFile]) -> Resource:
        profiles = [f"{CODEX}radiotherapy-course-summary", f"{MCODE}radiotherapy-course-summary"]
        return {
            "resourceType": "Procedure",
            "id": self._id("course", course),
            "meta": {"profile": profiles},
            "identifier": names_of(course.partition("\n")[2], self._id("course", course)),
            "extension": [
                *intent_of(plans),
                *(one for plan in plans for one in self._dose_given(plan, of_course=True)),
            ],
            "status": status_of(plans),
            "category": CATEGORY,
            "code": _COURSE,
            **self._performed(plans),
            **self._reason(course),
        }

    def _dose_given(self, plan: PlanFile, *, of_course: bool) -> list[Resource]:
        """What the ledger proves of one plan: its whole fractions, each of the dose per fraction."""
        dose = dose_given(plan)
        if not is_counted(plan) or dose is None:
            return []
        parts: list[Resource] = [{"url": "volume", "valueReference": self._to("volume", _key(plan))}]
        if of_course:
            is_uniform = plan.row.interrupted_fraction is None
            parts += [{"url": f"{CODEX}radiotherapy-uniform-fractionation", "valueBoolean": is_uniform}]
        parts += dose_in("totalDoseDelivered", dose)
        parts += [{"url": "fractionsDelivered", "valueUnsignedInt": plan.row.fractions_delivered}] if of_course else []
        return [{"url": f"{MCODE}radiotherapy-dose-delivered-to-volume", "extension": parts}]

    def _head(self, kind: str, plan: PlanFile, profile: str | None) -> Resource:
        own = self._id(kind, _key(plan))
        names = names_of(absent(plan.label), own)
        names += [official_uid(plan.uid) | {"use": "secondary"}] if plan.uid is not None else []
        return {"id": own, **({"meta": {"profile": [f"{CODEX}{profile}"]}} if profile else {}), "identifier": names}

    def _performed(self, plans: Sequence[PlanFile]) -> Resource:
        first = min(plan.row.first_treatment_at for plan in plans if plan.row.first_treatment_at is not None)
        last = max((plan.row.last_treatment_at for plan in plans if plan.row.last_treatment_at), default=first)
        told = {"start": first, "end": last}
        period = {name: at.replace(tzinfo=self.zone).isoformat(timespec="seconds") for name, at in told.items()}
        return {"subject": self._to("patient"), "performedPeriod": period}

    def _reason(self, course: str) -> Resource:
        named = any(p.course is not None and p.course.diagnoses for p in self.file.plans if _course_of(p) == course)
        return {"reasonReference": [self._to("diagnosis", course)]} if named else {}


def _course_of(plan: PlanFile) -> str:
    """What tells a course apart, and after a line's end its name: the R&V system's, else of the plans that make one."""
    if plan.course is not None:
        return f"course\n{plan.course.course_id}"
    return (
        f"plans\n{plan.row.course_plan_labels}"
        if plan.row.course_plan_labels
        else f"{_key(plan)}\n{absent(plan.label)}"
    )


def _key(plan: PlanFile) -> str:
    return plan.course_uid or ""


def _said(plan: PlanFile) -> list[str]:
    return [f"Next fraction: {plan_notices.next_fraction(plan)}", *map(str, plan_notices.of_plan(plan))]
