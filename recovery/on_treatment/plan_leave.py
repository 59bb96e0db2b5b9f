"""Whether a plan may be treated: as the R&V database says, else as the plan itself does. Pure, no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recovery.words.plan_states import APPROVED_STATUSES

if TYPE_CHECKING:
    from recovery.dicom.plans import Plan
    from recovery.identity.one_patient import Identities
    from recovery.on_treatment.evidence import Evidence

_Key = tuple[str | None, str | None]


def told_of(key: _Key, evidence: Evidence, who: Identities) -> str | None:
    """What the R&V database calls a patient's plan, under the newest of the patient's IDs that it knows it by."""
    ids = (key[0], *who.others(key[0]))
    return next((word for i in ids if (word := evidence.told.get((i, key[1]))) is not None), None)


def is_approved(key: _Key, plan: Plan | None, evidence: Evidence, who: Identities) -> bool:
    """By the R&V database where it knows the plan, else by the plan's own ApprovalStatus (300E,0002)."""
    if (told := told_of(key, evidence, who)) is not None:
        return told in APPROVED_STATUSES
    return is_approved_in_dicom(plan) if plan is not None else key[1] in evidence.approved_for


def is_approved_in_dicom(plan: Plan | None) -> bool:
    return plan is not None and plan.approval_status == "APPROVED"
