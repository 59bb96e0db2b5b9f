"""What a chart says in capitals: why not to treat, what to look at, and which fraction is next. Pure, no I/O.

Why two kinds
    A page full of warnings is a page without. What forbids treatment before somebody has looked is printed white on
    black; what should be read stands in a frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from recovery import unknown_since
from recovery.charting import say
from recovery.relational_tables import APPROVED_STATUSES

if TYPE_CHECKING:
    from recovery.ledger import Ledger
    from recovery.patient_file import PatientFile
    from recovery.plan_file import PlanFile

STALE_AFTER = timedelta(hours=2)
"""From this age on, treatments may well be missing: the dashboard turns red at the same age."""
LOOK_AFTER = timedelta(minutes=30)


def stops(file: PatientFile, plan: PlanFile | None) -> Iterator[str]:
    """Sentences: do not treat before somebody has looked."""
    if plan is None:
        yield "NO PLAN: the safety copy has no plan of this patient."
    else:
        yield from _plan_stops(file, plan)
    if file.as_of is None:
        yield "NOTHING PROVEN: no run is known that asked both sides for records. Count fractions anew."
    elif file.now - file.as_of > STALE_AFTER:
        yield f"OLD COPY: {_as_of(file)} Add every fraction given since."


def _plan_stops(file: PatientFile, plan: PlanFile) -> Iterator[str]:
    row = plan.row
    if row.status == "completed":
        yield "COMPLETED: nothing of this plan remains to be given."
        return
    if row.status == "superseded":
        yield "SUPERSEDED: another plan replaced this one. Do not treat with it."
        return
    if row.status == "closed":
        yield f"CLOSED: the plan is {plan.approval.approval_status} in the R&V database. Do not treat with it."
        if row.in_flight:
            yield f"NOT RECORDED: {row.in_flight}."
        return
    if row.unknown_since is not None:
        yield unknown_since.in_capitals(row.unknown_since, file.now.date())
    if plan.ledger is None:
        yield "NO RECORDS: the cache has no treatment records. The next fraction cannot be told from here."
    elif plan.ledger.next.unfinished is not None:
        missing = "" if plan.is_next_proven else " Records are missing: that may have been done."
        yield _interrupted(plan.ledger) + missing
    if row.in_flight:
        yield f"NOT RECORDED: {row.in_flight}."
    if row.ready is not True:
        why = row.missing or "nobody asked the RT-PACS what it holds of this plan"
        yield f"NOT READY to be treated from the backup. Missing: {why}."
    if (status := _not_approved(plan)) is not None:
        yield f"NOT APPROVED for treatment: {status}."


def _interrupted(ledger: Ledger) -> str:
    unfinished, unit = ledger.next.unfinished, ledger.unit
    if unfinished is None:
        return ""
    left = ", ".join(
        f"field {b.beam_number}: {say.fixed(b.remaining, 1)}" for b in unfinished.beams if b.remaining != 0
    )
    after = f" Then fraction {ledger.next.number_after}." if ledger.next.number_after is not None else ""
    total = say.fixed(unfinished.meterset_remaining, 1, unit)
    return f"INTERRUPTED: finish fraction {unfinished.fraction_number} first. {total} left ({left}).{after}"


def _not_approved(plan: PlanFile) -> str | None:
    """By the R&V database where it knows the plan, else by the plan's own ApprovalStatus; None when approved."""
    told = plan.approval
    if told.approval_status is not None:
        return None if told.approval_status in APPROVED_STATUSES else told.approval_status
    own = told.dicom_approval_status
    return None if own == "APPROVED" else own.lower() if own else "no source says that it is"


def looks(file: PatientFile, plan: PlanFile | None) -> Iterator[str]:
    """Sentences: read before treating."""
    if file.alerts:
        yield f"ALERT: {file.alerts}"
    if file.contacts.special_needs:
        yield f"NEEDS: {file.contacts.special_needs}"
    for other in file.namesakes[:4]:
        born = other.patient_birth_date.isoformat() if other.patient_birth_date is not None else say.ABSENT
        yield f"NOT TO BE TAKEN FOR: {say.text(other.patient_name)}, ID {other.patient_id}, born {born} ({other.why})"
    if len(file.namesakes) > 4:
        yield f"{len(file.namesakes) - 4} more patients have a similar name or the same birth date."
    if file.as_of is not None and LOOK_AFTER < file.now - file.as_of <= STALE_AFTER:
        yield _as_of(file)
    for sentence in file.disagreements:
        yield f"SOURCES DIFFER: {sentence}."
    if plan is not None:
        yield from _plan_looks(file, plan)


def _plan_looks(file: PatientFile, plan: PlanFile) -> Iterator[str]:
    if plan.prescription is None:
        yield "NO PRESCRIPTION in the safety copy: get site, laterality and dose from the physician."
    for sentence in plan.disagreements:
        yield f"SOURCES DIFFER: {sentence}."
    if plan.row.status == "on_break":
        yield f"ON BREAK: last treated {say.moment(plan.row.last_treatment_at)}."
    gap = next((g for g in (plan.ledger.gaps if plan.ledger is not None else ()) if g.first_day_after is None), None)
    if gap is not None:
        days = "weekday" if gap.weekdays == 1 else "weekdays"
        yield f"GAP: {gap.weekdays} {days} without treatment since {say.day(gap.last_day_before)}."
    if plan.row.earlier_plans:
        yield f"EARLIER PLANS delivered: {plan.row.earlier_plans}."
    if plan.row.remarks:
        yield f"REMARKS: {plan.row.remarks}."
    others = [p.row.rt_plan_label or say.short_uid(p.uid) for p in file.unfinished_plans if p is not plan]
    if others:
        yield f"ALSO UNDER TREATMENT with: {', '.join(others)}. Each plan has its own sheet."
    if file.tables_missing:
        yield "Not in the safety copy, so unknown here: " + ", ".join(sorted(file.tables_missing)) + "."


def _as_of(file: PatientFile) -> str:
    age = say.age(file.now - file.as_of) if file.as_of is not None else say.ABSENT
    return f"This copy was {age} old when it was printed. What was treated after {say.moment(file.as_of)} is not on it."


def next_in_words(plan: PlanFile, now: datetime) -> str:
    """`Fraction 8 of 15`, `Finish fraction 5, then 6`; how many are planned counts whole fractions.

    `Fraction 8 of 15, unless given since 09:05` where that may have been. `now` is naive, local to the site.
    """
    said, since = _next(plan), plan.row.unknown_since
    return said if since is None else unknown_since.unless_given(said, since, now.date())


def _next(plan: PlanFile) -> str:
    ledger = plan.ledger
    if not plan.is_unfinished:
        return "None"
    if ledger is None:
        return "Cannot be told"
    ahead = ledger.next
    if ahead.fraction_number is None:
        return "None: all planned fractions are delivered"
    if not plan.is_next_proven:
        begun = "is begun" if ahead.unfinished is not None else "is next"
        return f"Not proven: records are missing (by those held, {ahead.fraction_number} {begun})"
    if ahead.unfinished is not None:
        then = f", then {ahead.number_after}" if ahead.number_after is not None else ""
        return f"Finish fraction {ahead.fraction_number}{then}"
    planned = say.text(ledger.number_of_fractions_planned)
    if ahead.counts_as == ahead.fraction_number:
        return f"Fraction {ahead.fraction_number} of {planned}"
    return f"Fraction {ahead.fraction_number} ({ahead.counts_as} of {planned} by the records held)"
