"""How a FHIR R4 resource after HL7 CodeX Radiation Therapy says what every one of them says. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from recovery.patient.plan import PlanFile

Resource = dict[str, Any]

CODEX = "http://hl7.org/fhir/us/codex-radiation-therapy/StructureDefinition/codexrt-"
MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-"
SNOMED = "http://snomed.info/sct"
OWN = UUID("5b5cf5a4-1f0e-5a53-9a53-3f6a1d3f0c27")
"""The space of this program's own names and identifiers."""
LABELS = f"urn:uuid:{uuid5(OWN, 'labels')}"
CATEGORY = {"coding": [{"system": SNOMED, "code": "108290001"}]}
_INTENTS = {"curative": "373808002", "palliative": "363676003"}
_STATUSES = {"on_treatment": "in-progress", "ready_to_start": "in-progress", "on_break": "on-hold"}
_OVER = {"completed": "completed"}
"""Whatever else is over was stopped here."""


def status_of(plans: Sequence[PlanFile]) -> str:
    """Of the plan that goes on furthest: while one is treated, the course is."""
    own = [str(plan.row.status) for plan in plans]
    live = [_STATUSES[one] for one in own if one in _STATUSES]
    return min(live, default=None, key=("in-progress", "on-hold").index) or (
        "stopped" if any(one == "transferred" for one in own) else _OVER.get(own[-1], "stopped")
    )


def intent_of(plans: Sequence[PlanFile]) -> list[Resource]:
    """Where all plans have one that the guide knows."""
    intents = {(plan.intent or "").casefold() for plan in plans}
    code = _INTENTS.get(intents.pop()) if len(intents) == 1 else None
    told = {"valueCodeableConcept": {"coding": [{"system": SNOMED, "code": code}]}}
    return [{"url": f"{MCODE}procedure-intent", **told}] if code else []


def names_of(label: str, own: str) -> list[Resource]:
    official = {"use": "official", "system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{own}"}
    return [{"use": "usual", "system": LABELS, "value": label}, official]


def official_uid(uid: str) -> Resource:
    return {"use": "official", "system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}


def dose_in(url: str, gray: float | None) -> list[Resource]:
    """In cGy, as the guide has it."""
    if gray is None:
        return []
    quantity = {"value": round(gray * 100, 4), "unit": "cGy", "system": "http://unitsofmeasure.org", "code": "cGy"}
    return [{"url": url, "valueQuantity": quantity}]


def without_absent(resource: Resource) -> Resource:
    return {name: value for name, value in resource.items() if value is not None and value != []}
