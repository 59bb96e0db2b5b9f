"""Rows of the list with what was charted since it was built: a fraction that two people signed counts at once."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from recovery.course.charted import Settled
from recovery.course.courses import Chain, Member, told_with_two_plans
from recovery.dicom.course_uids import course_uid
from recovery.identity.one_patient import ids_of
from recovery.patient.plan_from_rows import counted_courses
from recovery.patient.tables import PatientTables
from recovery.words.sentences import joined, parted
from recovery.words.units import MU

NOTHING_LEFT, MAY_GO_ON = "completed", ("ready_to_start", "on_break", "completed")


def recounted(tables: PatientTables) -> Iterator[dict[str, Any]]:
    """The rows of whoever has something charted, all plans of the patient: a course may be of several."""
    for patient_id, rows in tables.by_patient.get("on_treatment", {}).items():
        if not any(row["referenced_rt_plan_uid"] in tables.charted or row.get("charted") for row in rows):
            continue
        chains = counted_courses(tables, tables.rows("on_treatment", patient_id))
        for row in rows:
            uid = course_uid(row["referenced_rt_plan_uid"], row["prescription_id"])
            chain, member = next((c, m) for c in chains for m in c.members if m.uid == uid)
            planned = replace(chain, number_of_fractions_planned=row["course_number_of_fractions_planned"])
            charted = tables.charted.get(row["referenced_rt_plan_uid"] or "")
            is_own = charted is not None and not charted.patient_ids.isdisjoint(ids_of(row))
            yield _row(row, planned, member, charted if is_own else None)


def _row(row: Mapping[str, Any], chain: Chain, member: Member, charted: Settled | None) -> dict[str, Any]:
    course, interrupted = member.course, member.course.interrupted
    in_mu = interrupted if interrupted is not None and interrupted.unit == MU else None
    differing = dict.fromkeys((*parted(row["disagreement"]), *(charted.disagreements if charted is not None else ())))
    conflicts = *(charted.conflicts if charted is not None else ()), *told_with_two_plans(chain, member)
    return {
        **row,
        "fractions_delivered": course.fractions_delivered,
        "fractions_remaining": chain.remaining_with(member),
        "course_fractions_delivered": chain.fractions_delivered,
        "interrupted_fraction": interrupted.fraction_number if interrupted is not None else None,
        "interrupted_meterset_remaining": in_mu.meterset_remaining if in_mu is not None else None,
        "interrupted_remaining_in_words": interrupted.left_in_words if interrupted is not None else None,
        "next_fraction_number": chain.next_number(member),
        "first_treatment_at": course.first_treatment_at,
        "last_treatment_at": course.last_treatment_at,
        "treatment_machine_name": course.treatment_machine_name or row["treatment_machine_name"],
        "status": _status(row["status"], chain.remaining_with(member), is_charted=bool(charted and charted.records)),
        "disagreement": joined(differing) or None,
        "charted": (charted.said if charted is not None else "") or None,
        "charted_conflict": joined(conflicts) or None,
    }


def _status(status: str, remaining: int | None, *, is_charted: bool) -> str:
    """As a build will say it, but for what a newer plan does to an older one."""
    if status not in {*MAY_GO_ON, "on_treatment"}:
        return status
    if remaining == 0:
        return NOTHING_LEFT
    return "on_treatment" if status == NOTHING_LEFT or (is_charted and status in MAY_GO_ON) else status
