"""Rows of the list as of this moment: with what was charted and decided, and who may have been treated, since it was
built."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.course.charted import Settled
from recovery.course.courses import Chain, Member, told_with_two_plans
from recovery.course.deliveries import treated_since
from recovery.dicom.course_uids import course_uid
from recovery.entries.charted import answers
from recovery.entries.downtimes import believed_up_to, grace_at
from recovery.entries.next_decisions import decision_of
from recovery.identity.one_patient import ids_of, under_newest
from recovery.on_treatment.next_fraction import next_remarks
from recovery.on_treatment.unknown_since import doubt_of, newest_treatment, unknown_of
from recovery.patient.next_decided import before, by_decision, doubted
from recovery.patient.plan_from_rows import counted_courses
from recovery.patient.tables import PatientTables
from recovery.settings.config import Site
from recovery.tables.relational import SCHEDULE
from recovery.words import next_unknown
from recovery.words.sentences import joined, parted
from recovery.words.units import MU

NOTHING_LEFT, MAY_GO_ON = "completed", ("ready_to_start", "on_break", "completed")


def recounted(tables: PatientTables) -> Iterator[dict[str, Any]]:
    """The rows of whoever has something charted, or a next fraction in doubt, all plans of the patient: a course may be
    of several. Beside the columns, `doubted` is what a decision on a doubt is made on, and `next_decided`, `next_rest`
    what was decided."""
    for patient_id, rows in tables.by_patient.get("on_treatment", {}).items():
        told = [decision_of(row, tables.decisions) for row in rows]
        is_charted = any(row["referenced_rt_plan_uid"] in tables.charted or row.get("charted") for row in rows)
        if not (is_charted or any(told) or any(next_unknown.reasons(row["remarks"]) for row in rows)):
            continue
        records = tables.records.get(patient_id, ())
        chains = counted_courses(tables, tables.rows("on_treatment", patient_id))
        for row, decision in zip(rows, told, strict=True):
            planned, member, beside = _of_row(chains, row)
            charted = tables.charted.get(row["referenced_rt_plan_uid"] or "")
            is_own = charted is not None and not charted.patient_ids.isdisjoint(ids_of(row))
            remarks = joined((*next_unknown.of_others(row["remarks"]), *next_remarks(planned, member, beside)))
            own = {**_row(row, planned, member, charted if is_own else None), "remarks": remarks}
            own["doubted"] = replace(doubted(planned, member, beside, records), decision=decision)
            if decision is not None:
                then = before(decision, records)
                known = replace(tables, records={patient_id: tuple(then)})
                judged = _of_row(counted_courses(known, rows), row) if len(then) < len(records) else None
                at_it = doubted(*judged, then) if judged is not None else own["doubted"]
                since = [record for record in records if record not in then]
                own |= by_decision(decision, own, at_it, since, planned, charted if is_own else None)
            yield own


def _of_row(chains: Sequence[Chain], row: Mapping[str, Any]) -> tuple[Chain, Member, list[Member]]:
    """The course and the plan of a row, and all plans of the patient."""
    uid = course_uid(row["referenced_rt_plan_uid"], row["prescription_id"])
    chain, member = next((c, m) for c in chains for m in c.members if m.uid == uid)
    planned = replace(chain, number_of_fractions_planned=row["course_number_of_fractions_planned"])
    return planned, member, [m for c in chains for m in c.members]


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


CourseKey = tuple[str | None, str | None]
"""patient_id, referenced_rt_plan_uid"""


def as_of_now(tables: PatientTables, cache: Cache, site: Site, now: datetime, grace: timedelta) -> PatientTables:
    """The tables with every row of on_treatment as it is now (aware): with what was charted since it was built, and
    with `unknown_since`."""
    counted = {_key(row): row for row in recounted(tables)}
    rows = [counted.get(_key(row), row) for row in tables.everybody]
    own_grace = grace_at(cache.path, grace)
    doubt = doubt_of(believed_up_to(cache.path, tables.as_of), newest_treatment(rows), now, site.zone, own_grace)
    schedule: list[dict[str, Any]] = []
    if doubt is not None:
        with suppress(CacheError):
            schedule = under_newest(cache.read(SCHEDULE), tables.newest)
    records = (record for own in tables.records.values() for record in own)
    recorded = treated_since(records, doubt.since.date()) if doubt is not None else {}
    told = unknown_of(rows, schedule, doubt, answers(cache.path), recorded)
    since = {_key(row): at for row, at in zip(rows, told, strict=True)}
    listed = {
        patient_id: [{**counted.get(_key(row), row), "unknown_since": since.get(_key(row))} for row in own]
        for patient_id, own in tables.by_patient.get("on_treatment", {}).items()
    }
    return replace(tables, by_patient={**tables.by_patient, "on_treatment": listed})


def _key(row: Mapping[str, Any]) -> CourseKey:
    return row["patient_id"], course_uid(row["referenced_rt_plan_uid"], row["prescription_id"])
