"""What the R&V database calls a plan, what it means, and what follows from it. Pure, no I/O.

One table of the words of `plans.approval_status`. A word that is not in it is kept as it is, is no leave to treat, and
closes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recovery.words.sentences import in_dicom_and_database

_BOTH = frozenset({"APPROVED", "UNAPPROVED"})


@dataclass(frozen=True, slots=True)
class PlanState:
    """One word. `agrees_with`: the plan's own ApprovalStatus (300E,0002) beside which it is no disagreement."""

    meaning: str
    agrees_with: frozenset[str]
    may_be_treated: bool = False
    is_closed: bool = False


def _open(meaning: str, agrees_with: frozenset[str] = _BOTH) -> PlanState:
    return PlanState(meaning, agrees_with)


def _approved(meaning: str) -> PlanState:
    return PlanState(meaning, frozenset({"APPROVED"}), may_be_treated=True)


def _closed(meaning: str) -> PlanState:
    return PlanState(meaning, frozenset({"UNAPPROVED", "REJECTED"}), is_closed=True)


PLAN_STATES: Mapping[str, PlanState] = {
    "treatment approved": _approved(
        "ARIA TreatApproval; MOSAIQ: the prescription is approved (Site.Status_Enum 5, or signed where it has no"
        " number) and every treatment field of it is signed (TxField.Sanct_DtTm)"
    ),
    "externally approved": _approved("ARIA ExternalApproval: signed in another system"),
    "planning approved": _open("ARIA PlanApproval: the physicists' signature, not the one to treat"),
    "reviewed": _open("ARIA Reviewed"),
    "unapproved": _open(
        "ARIA UnApproved; MOSAIQ: pending (Site.Status_Enum 7 or none), or a treatment field is not signed, or its"
        " prescriptions say different things",
        frozenset({"UNAPPROVED"}),
    ),
    "on hold": _open("MOSAIQ Site.Status_Enum 4: to go on or not, somebody decides"),
    "locked by a process": _open("MOSAIQ Site.Status_Enum 6: passes by itself"),
    "completed": _closed("ARIA Completed; MOSAIQ Site.Status_Enum 3"),
    "completed early": _closed("ARIA CompletedEarly: fractions were left out on purpose"),
    "retired": _closed("ARIA Retired: taken out of use"),
    "rejected": _closed("ARIA Rejected"),
    "closed": _closed("MOSAIQ Site.Status_Enum 2"),
    "void": _closed("MOSAIQ Site.Status_Enum 1: entered in error"),
    "hidden": _closed("MOSAIQ: every treatment field of it is hidden (TxField.IsHidden 1)"),
    "replaced": _closed("MOSAIQ: no field of it is the newest version of itself (TxField.Version 0)"),
}
"""By the word of `plans.approval_status`. Closed: not to be treated with any more."""

APPROVED_STATUSES = frozenset(word for word, state in PLAN_STATES.items() if state.may_be_treated)
"""The words of `plans.approval_status` with which a plan may be treated."""
CLOSED_STATUSES = frozenset(word for word, state in PLAN_STATES.items() if state.is_closed)
"""The words of `plans.approval_status` with which it is closed."""


def is_closed(word: str | None) -> bool:
    """Whether the R&V database says that a plan is not to be treated any more."""
    return word in CLOSED_STATUSES


def approval_disagreement(row: Mapping[str, Any], word: str | None, dicom: str | None) -> str | None:
    """Where the plan's own ApprovalStatus and the R&V database's word differ; both in a sentence.

    Of a course that is completed by its records, `completed` in the database says the same.
    """
    if word is None or dicom is None or (word == "completed" and row["status"] == "completed"):
        return None
    state = PLAN_STATES.get(word)
    if state is not None and dicom in state.agrees_with:
        return None
    return in_dicom_and_database("plan", dicom, word)
