"""What is said of one plan and of its patient, on the patient's page and on the paper chart alike. Pure, no I/O.

The notices of the plan's row (`recovery.words.notices`), with what the patient's file knows beyond the row: what each
beam lacks, who approved, alerts, namesakes, disagreements of the person's data.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from recovery.words import notices
from recovery.words.notices import Notice
from recovery.words.plan_states import APPROVED_STATUSES
from recovery.words.units import amount, common, number
from recovery.words.values import ABSENT, counted

if TYPE_CHECKING:
    from recovery.patient.file import PatientFile
    from recovery.patient.plan import PlanFile

MOST_NAMESAKES = 4


def of_plan(plan: PlanFile) -> Iterator[Notice]:
    """Of a plan that may be treated: everything to look at. Of another: why it may not, and where sources differ."""
    row = plan.told
    yield from notices.ended(row, plan.approval.approval_status)
    yield from notices.conflict(row)
    if plan.is_unfinished:
        if plan.ledger is None:
            yield Notice("NO RECORDS", "the next fraction cannot be told, for the cache has none", is_stop=True)
        yield from notices.next_unknown(row)
        yield from notices.interrupted(row, _lacking(plan))
    yield from notices.not_recorded(row)
    if plan.is_unfinished:
        yield from notices.not_ready(row)
        if (status := not_approved(plan)) is not None:
            yield notices.not_approved(status)
    yield from map(notices.differing, plan.disagreements)
    if plan.is_unfinished:
        yield from notices.decided(row)
        yield from notices.unknown(row)
    yield from notices.charted(row)
    yield from notices.remark(row)


def next_fraction(plan: PlanFile) -> str:
    """As every list says it; of a plan whose records the cache lacks, that nobody can tell."""
    if plan.ledger is None:
        return "unknown: not all tables that it is counted from are there"
    return notices.next_fraction(plan.told)[0]


def of_patient(file: PatientFile) -> Iterator[Notice]:
    """Disagreements about who it is, then alerts, needs and namesakes."""
    yield from map(notices.differing, file.disagreements)
    if file.alerts:
        yield notices.alert(file.alerts)
    if file.contacts.special_needs:
        yield Notice("NEEDS", file.contacts.special_needs, is_stop=False)
    yield from namesakes(file)


def is_stopped(file: PatientFile, plan: PlanFile) -> bool:
    """Whether somebody must look before this plan is treated, for what is said of it or of who the patient is."""
    said = (*of_plan(plan), *of_patient(file))
    return plan.is_unfinished and (not plan.is_next_proven or any(notice.is_stop for notice in said))


def namesakes(file: PatientFile) -> Iterator[Notice]:
    """One for each patient who could be taken for this one, the likeliest first."""
    for other in file.namesakes[:MOST_NAMESAKES]:
        born = other.patient_birth_date.isoformat() if other.patient_birth_date is not None else ABSENT
        yield notices.namesake(other.patient_name or ABSENT, f"ID {other.patient_id}", f"born {born} ({other.why})")
    more = len(file.namesakes) - MOST_NAMESAKES
    if more > 0:
        patients = counted(more, "more patient has", "more patients have")
        yield notices.namesake(f"{patients} a similar name or the same birth date")


def _lacking(plan: PlanFile) -> Iterator[tuple[str, str]]:
    """Of each beam of the begun fraction that is not full: its name, and what it lacks."""
    unfinished = plan.ledger.next.unfinished if plan.ledger is not None else None
    beams = [b for b in (unfinished.beams if unfinished is not None else ()) if b.remaining is None or b.remaining > 0]
    said = number if common(beam.unit for beam in beams) is not None else amount
    for beam in beams:
        yield beam.beam_name or str(beam.beam_number), said(beam.remaining, beam.unit)


def not_approved(plan: PlanFile) -> str | None:
    """By the R&V database where it knows the plan, else by the plan's own ApprovalStatus; None when approved."""
    told = plan.approval
    if told.approval_status is not None:
        return None if told.approval_status in APPROVED_STATUSES else told.approval_status
    own = told.dicom_approval_status
    return None if own == "APPROVED" else own.lower() if own else "of unknown approval"
