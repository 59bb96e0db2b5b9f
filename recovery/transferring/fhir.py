"""A patient's radiotherapy as a FHIR R4 bundle, after HL7 CodeX Radiation Therapy STU2 (2.0.0). Pure, no I/O.

How
    A course summary for each course, a treated phase, a prescription and a volume for each plan, the patient, the
    diagnoses in the words of the R&V database. A resource names a profile only where it has all that this asks for.

Why numbers may lack
    Fractions and dose stand here only where they are counted whole: while records are known to be missing, or what was
    charted is in conflict, a number would be read as all that was given. The note then says what is proven.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5
from zoneinfo import ZoneInfo

from recovery.patient import notices as plan_notices
from recovery.patient.file import PatientFile
from recovery.patient.plan import PlanFile
from recovery.transferring.summary import dose_given, is_counted
from recovery.words.values import absent

Resource = dict[str, Any]

_CODEX = "http://hl7.org/fhir/us/codex-radiation-therapy/StructureDefinition/codexrt-"
_MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-"
_SNOMED = "http://snomed.info/sct"
_OWN = UUID("5b5cf5a4-1f0e-5a53-9a53-3f6a1d3f0c27")
"""The space of this program's own names and identifiers."""
_LABELS = f"urn:uuid:{uuid5(_OWN, 'labels')}"
_CATEGORY = {"coding": [{"system": _SNOMED, "code": "108290001"}]}
_COURSE, _PHASE = (
    {"coding": [{"system": _SNOMED, "code": code}], "text": text}
    for code, text in (("1217123003", "Radiotherapy course of treatment"), ("1222565005", "Radiotherapy phase"))
)
_INTENTS = {"curative": "373808002", "palliative": "363676003"}
_SEXES = {"M": "male", "F": "female", "O": "other"}
_STATUSES = {"on_treatment": "in-progress", "ready_to_start": "in-progress", "on_break": "on-hold"}
_OVER = {"completed": "completed"}
"""Whatever else is over was stopped here."""


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
                *(one for plan in plans for one in self._of_plan(plan, course)),
            ]
            treated = [plan for plan in plans if plan.row.first_treatment_at is not None]
            entries += [self._summary(course, treated)] if treated else []
        return {
            "resourceType": "Bundle",
            "type": "collection",
            "timestamp": now.astimezone(self.zone).isoformat(timespec="seconds"),
            "entry": [{"fullUrl": f"urn:uuid:{one['id']}", "resource": _without_absent(one)} for one in entries],
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

    def _of_plan(self, plan: PlanFile, course: str) -> list[Resource]:
        key, rx = _key(plan), plan.prescription
        found = [self._volume(plan)]
        if rx is not None:
            has_all = self._target(plan) is not None and rx.number_of_fractions is not None
            dose = [
                {"url": "volume", "valueReference": self._to("volume", key)},
                *_dose("fractionDose", rx.dose_per_fraction),
                *_dose("totalDose", rx.total_dose),
            ]
            fractions = {"valuePositiveInt": rx.number_of_fractions}
            asked = (
                [{"url": f"{_CODEX}radiotherapy-fractions-prescribed", **fractions}] if rx.number_of_fractions else []
            )
            found.append(
                {
                    "resourceType": "ServiceRequest",
                    **self._head("prescription", plan, "radiotherapy-phase-prescription" if has_all else None),
                    "extension": [
                        *asked,
                        {"url": f"{_CODEX}radiotherapy-dose-prescribed-to-volume", "extension": dose},
                    ],
                    "status": "unknown",
                    "intent": "original-order",
                    "category": [_CATEGORY],
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
        official = [_uid(target.uid)] if target is not None else []
        own = [f"{_CODEX}radiotherapy-volume"] if official else []
        return {
            "resourceType": "BodyStructure",
            "id": self._id("volume", _key(plan)),
            "meta": {"profile": [*own, f"{_MCODE}radiotherapy-volume"]},
            "identifier": [{"use": "usual", "system": _LABELS, "value": name}, *official],
            "location": {"text": site} if site else None,
            "description": f"Plan {plan.label}" if plan.label else None,
            "patient": self._to("patient"),
        }

    def _phase(self, plan: PlanFile, course: str) -> Resource:
        counted = is_counted(plan)
        fractions = {"valueUnsignedInt": plan.row.fractions_delivered}
        given = [{"url": f"{_CODEX}radiotherapy-fractions-delivered", **fractions}] if counted else []
        asked = {"basedOn": [self._to("prescription", _key(plan))]} if plan.prescription is not None else {}
        return {
            "resourceType": "Procedure",
            **self._head("phase", plan, "radiotherapy-treated-phase"),
            "extension": [*given, *self._dose_given(plan, of_course=False)],
            **asked,
            "partOf": [self._to("course", course)],
            "status": _status([plan]),
            "category": _CATEGORY,
            "code": _PHASE,
            **self._performed([plan]),
            **self._reason(course),
            "note": [{"text": said} for said in _said(plan)],
        }

    def _summary(self, course: str, plans: Sequence[PlanFile]) -> Resource:
        intents = {(plan.intent or "").casefold() for plan in plans}
        code = _INTENTS.get(intents.pop()) if len(intents) == 1 else None
        intent = {"valueCodeableConcept": {"coding": [{"system": _SNOMED, "code": code}]}}
        profiles = [f"{_CODEX}radiotherapy-course-summary", f"{_MCODE}radiotherapy-course-summary"]
        return {
            "resourceType": "Procedure",
            "id": self._id("course", course),
            "meta": {"profile": profiles},
            "identifier": _names(course.partition("\n")[2], self._id("course", course)),
            "extension": [
                *([{"url": f"{_MCODE}procedure-intent", **intent}] if code else []),
                *(one for plan in plans for one in self._dose_given(plan, of_course=True)),
            ],
            "status": _status(plans),
            "category": _CATEGORY,
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
            parts += [{"url": f"{_CODEX}radiotherapy-uniform-fractionation", "valueBoolean": is_uniform}]
        parts += _dose("totalDoseDelivered", dose)
        parts += [{"url": "fractionsDelivered", "valueUnsignedInt": plan.row.fractions_delivered}] if of_course else []
        return [{"url": f"{_MCODE}radiotherapy-dose-delivered-to-volume", "extension": parts}]

    def _head(self, kind: str, plan: PlanFile, profile: str | None) -> Resource:
        own = self._id(kind, _key(plan))
        names = _names(absent(plan.label), own)
        names += [_uid(plan.uid) | {"use": "secondary"}] if plan.uid is not None else []
        return {"id": own, **({"meta": {"profile": [f"{_CODEX}{profile}"]}} if profile else {}), "identifier": names}

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


def _status(plans: Sequence[PlanFile]) -> str:
    """Of the plan that goes on furthest: while one is treated, the course is."""
    own = [str(plan.row.status) for plan in plans]
    live = [_STATUSES[one] for one in own if one in _STATUSES]
    return min(live, default=None, key=("in-progress", "on-hold").index) or (
        "stopped" if any(one == "transferred" for one in own) else _OVER.get(own[-1], "stopped")
    )


def _said(plan: PlanFile) -> list[str]:
    return [f"Next fraction: {plan_notices.next_fraction(plan)}", *map(str, plan_notices.of_plan(plan))]


def _names(label: str, own: str) -> list[Resource]:
    official = {"use": "official", "system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{own}"}
    return [{"use": "usual", "system": _LABELS, "value": label}, official]


def _uid(uid: str) -> Resource:
    return {"use": "official", "system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}


def _dose(url: str, gray: float | None) -> list[Resource]:
    """In cGy, as the guide has it."""
    if gray is None:
        return []
    quantity = {"value": round(gray * 100, 4), "unit": "cGy", "system": "http://unitsofmeasure.org", "code": "cGy"}
    return [{"url": url, "valueQuantity": quantity}]


def _without_absent(resource: Resource) -> Resource:
    return {name: value for name, value in resource.items() if value is not None and value != []}
