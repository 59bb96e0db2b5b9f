"""What lacks to treat from the backup, in the words of the column `missing`; whether a plan may be treated. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from recovery.course.by_session import COUNTED, is_by_session
from recovery.course.fractions import Course
from recovery.course.look_alikes import look_alikes
from recovery.dicom.plans import Plan
from recovery.dicom.records import TreatmentRecord
from recovery.identity.one_patient import Identities
from recovery.on_treatment.evidence import Evidence
from recovery.words.plan_states import APPROVED_STATUSES
from recovery.words.values import counted

HELD_ONCE = "that the RT-PACS held once"


def missing_leave(word: str | None) -> list[str]:
    """Of a plan that the R&V database has closed."""
    return [f"leave to treat: the plan is {word} in the R&V database"]


def missing_plan(
    records: Sequence[TreatmentRecord], uid: str | None, plan: Plan | None, course: Course, evidence: Evidence
) -> list[str]:
    """What of the plan is not held, and what then stood in for it."""
    if is_by_session(records):
        what = "the records name no plan" if uid is None else "the plan" if plan is None else "which fields were given"
        return [f"{what} ({COUNTED})"]
    if uid is None:
        return ["the records name no plan; their own metersets are counted"]
    if plan is None:
        alike = look_alikes(records, evidence.plans, evidence.labels.get(uid))
        hint = f"; plan {alike[0]} has the same beams and was not joined" if alike else ""
        counted = f" (fractions are counted by the records' own metersets{hint})" if records else ""
        return [f"plan{counted}"]
    if course.is_treated and course.is_counted_without_plan:
        return ["metersets of the plan (fractions are counted by the records' own)"]
    return []


def missing_fraction_numbers(course: Course, earlier: Iterable[Course]) -> tuple[range, ...]:
    """Fractions that must have been delivered before the first one held, and of which no record is held.

    Ascending ranges, never enumerated: a number may be an accident as large as 2147483647. Numbers that stand in
    `earlier`, the courses of plans that this one continues, are held: after a replan the numbering may go on. Gaps
    after the first number prove nothing: numbers need not be consecutive.
    """
    first = min((number for number in course.held_fraction_numbers if number > 0), default=1)
    elsewhere = {number for other in earlier for number in other.held_fraction_numbers if number in range(1, first)}
    bounds = pairwise([0, *sorted(elsewhere), first])
    return tuple(range(before + 1, after) for before, after in bounds if after - before > 1)


def missing_records(lost: Sequence[range], unproven: int, gone: Sequence[str]) -> list[str]:
    """Records of which fractions are not held, how many that the R&V system had, and what became of how many that
    were read: held once, altered."""
    words = []
    if lost:
        is_one = len(lost) == 1 and len(lost[0]) == 1
        words.append(f"records of {'fraction' if is_one else 'fractions'} {in_ranges(lost)}")
    if unproven:
        words.append(f"{counted(unproven, 'treatment record')} of the R&V system")
    for what, number in Counter(gone).items():
        words.append(f"{counted(number, 'treatment record')} {what} (counted from what was read then)")
    return words


def in_ranges(runs: Sequence[range]) -> str:
    """`1-13, 15` for 1 to 13 and 15."""
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


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
