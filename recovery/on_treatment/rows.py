"""The table `on_treatment`: one row per patient and plan, by the contract's definitions. Pure, no I/O, no clock.

Records are grouped by patient and plan and counted (`recovery.course.fractions`); plans of one patient are held against
each other for adaptation; what the RT-PACS holds comes in as `PlanBackup`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from recovery.course.by_session import lacking_records
from recovery.course.courses import Chain, Member, chains, told_with_two_plans
from recovery.course.fractions import Course, count_fractions
from recovery.course.planned_number import is_origin, with_number
from recovery.course.remarks import remarks, specified_in_words
from recovery.dicom.model import Patient
from recovery.dicom.plans import NOBODY, Plan, StructureSet, anatomy_of
from recovery.dicom.records import TreatmentRecord
from recovery.identity.one_patient import SEPARATOR, Identities, identify, own_plan
from recovery.on_treatment import whose_row
from recovery.on_treatment.course_remarks import course_labels, course_remarks, earlier_in_words, planned_otherwise
from recovery.on_treatment.evidence import ANOTHERS, NOT_ASKED, Counted, Evidence, Listed, PlanBackup
from recovery.on_treatment.missing import (
    is_approved,
    is_approved_in_dicom,
    missing_fraction_numbers,
    missing_leave,
    missing_plan,
    missing_records,
    told_of,
)
from recovery.on_treatment.next_fraction import goes_on, next_remarks
from recovery.words.plan_states import is_closed
from recovery.words.sentences import joined
from recovery.words.units import MU

_ORDER = ("patient_name", "patient_id", "referenced_rt_plan_uid", "prescription_id")
CourseKey = tuple[str | None, str | None]
"""patient_id, referenced_rt_plan_uid; of records that name no plan the prescription in its place (`course_uid`)"""


@dataclass(slots=True)
class _Entry:
    """One patient and plan while rows are made. `key` bears the newest of the patient's IDs."""

    key: CourseKey
    records: list[TreatmentRecord]
    plan: Plan | None
    course: Course
    member: Member
    chain: Chain
    is_closed: bool = False
    """The R&V database says that it is not to be treated any more."""
    predecessors: list[_Entry] = field(default_factory=list)
    """Plans on the same anatomy that were last treated before this one was first treated."""
    is_superseded: bool = False
    beside: Sequence[Member] = ()
    """All plans of the patient, this one too."""
    born_otherwise: tuple[str, ...] = ()

    @property
    def fractions_remaining(self) -> int | None:
        return self.chain.remaining_with(self.member)

    @property
    def superseded(self) -> list[_Entry]:
        """The predecessors that this plan replaced before they were completed."""
        return [e for e in self.predecessors if e.is_superseded]


def build_rows(
    evidence: Evidence, now: datetime, *, on_treatment_days: int, exclude_patient_ids: Sequence[str] = ()
) -> Listed:
    """Make the rows of `on_treatment`, sorted by name.

    `now`: naive, local to the site, as treatment times are.
    """
    who = identify(evidence.records, evidence.plans.values())
    entries = _entries(evidence, who)
    excluded = sorted(
        {i for e in entries if (i := e.key[0]) is not None and whose_row.is_excluded(i, who, exclude_patient_ids)}
    )
    entries = [e for e in entries if e.key[0] not in excluded]
    by_patient: dict[str | None, list[_Entry]] = {}
    for entry in sorted(entries, key=lambda entry: str(entry.key[1])):
        by_patient.setdefault(entry.key[0], []).append(entry)
    plans = whose_row.plans_by_patient(evidence, who)
    for entry in entries:
        entry.is_closed = is_closed(told_of(entry.key, evidence, who))
    for patient_id, siblings in by_patient.items():
        born = tuple(whose_row.born_otherwise(patient_id, ((e.records, e.plan) for e in siblings)))
        for entry in siblings:
            entry.beside, entry.born_otherwise = [e.member for e in siblings], born
        own = {e.key[1]: e.plan for e in siblings if e.key[1] is not None and e.plan is not None}
        _chain(siblings, plans.get(patient_id, {}) | own, evidence, who)
        _supersede(siblings, evidence.structure_sets)
    met = whose_row.everybody_met(evidence, who) if any(not e.records and e.plan is None for e in entries) else {}
    rows = [_row(entry, evidence, who, now, on_treatment_days, met) for entry in entries]
    rows.sort(key=lambda r: tuple(str(r[c] or "") for c in _ORDER))
    return Listed(rows, excluded, {e.key: Counted(e.records, e.plan, e.course) for e in entries})


def _entries(evidence: Evidence, who: Identities) -> list[_Entry]:
    """Plans with records, then plans that are approved and booked and were never treated.

    Approved by one of two sources is enough where the other has closed the plan: then it is seen, as closed. Records
    of the plan under another number are the same person's, unless the R&V database tells the two apart (`told`).
    """
    groups: dict[CourseKey, list[TreatmentRecord]] = {}
    for record in evidence.records:
        patient_id = who.of(record.referenced_rt_plan_uid, record.ref.patient_id)
        groups.setdefault((patient_id, record.course_uid), []).append(record)
    entries = []
    for key, records in groups.items():
        plan = own_plan(evidence.plans.get(key[1] or ""), records)
        entries.append(_entry(key, records, plan, evidence))
    with_records = {uid for _, uid in groups}
    patients = {uid: plan.ref.patient_id for uid, plan in evidence.plans.items()}
    for uid, named in {**evidence.approved_for, **patients}.items():
        plan, key = evidence.plans.get(uid), (who.newest(named), uid)
        is_anothers = (named, uid) in evidence.told and key not in groups
        if (uid in with_records and not is_anothers) or whose_row.next_appointment(key[0], evidence, who) is None:
            continue
        is_seen = is_closed(told_of(key, evidence, who)) and is_approved_in_dicom(plan)
        if is_seen or is_approved(key, plan, evidence, who):
            entries.append(_entry(key, [], plan, evidence))
    return entries


def _entry(key: CourseKey, records: list[TreatmentRecord], plan: Plan | None, evidence: Evidence) -> _Entry:
    course = count_fractions(records, plan, evidence.planned_by_database.get(key[1] or "") if records else None)
    member = Member(key[1], plan, course)
    return _Entry(key, records, plan, course, member, Chain((member,)))


def _chain(siblings: Sequence[_Entry], plans: Mapping[str, Plan], evidence: Evidence, who: Identities) -> None:
    """Find which plans of one patient make one course, and how many fractions that has."""
    treated = {e.key[1] for e in siblings if e.course.is_treated}
    patient_id = siblings[0].key[0]
    waiting = [p for u, p in plans.items() if u not in treated and is_approved((patient_id, u), p, evidence, who)]
    found = chains([e.member for e in siblings], plans, evidence.plans.keys())
    is_only_booked = len(found) == 1 and not waiting and bool(whose_row.next_appointment(patient_id, evidence, who))
    numbered = [with_number(c, plans, waiting, evidence.prescribed, is_only_booked=is_only_booked) for c in found]
    for entry in siblings:
        entry.chain = next(chain for chain in numbered if entry.member in chain.members)
        if entry.plan is not None and not entry.course.is_treated and not entry.chain.is_several:
            origin_of = [chain for chain in numbered if is_origin(entry.plan, chain, evidence.prescribed)]
            for chain in origin_of[:1]:
                uids = chain.reference_uids | {entry.plan.ref.sop_instance_uid}
                entry.chain = replace(chain, reference_uids=uids)


def _supersede(siblings: list[_Entry], structure_sets: Mapping[str, StructureSet]) -> None:
    """Find, among one patient's plans, those that an adapted plan replaced.

    A plan is superseded by one on the same frame of reference or structure set that was FIRST treated after it was
    LAST treated. A completed plan is not; two plans treated in turn never are. What was given with a plan that the
    R&V system has closed stands beside a plan that nobody was treated with yet: it goes on there.
    """
    anatomy = {id(e): anatomy_of(e.plan, structure_sets) for e in siblings}
    for earlier in siblings:
        if earlier.course.last_treatment_at is None:
            continue
        for later in siblings:
            first = later.course.first_treatment_at
            goes_on = first is None and earlier.is_closed and not later.is_closed
            is_after = first is not None and first > earlier.course.last_treatment_at
            if later is earlier or not (is_after or goes_on):
                continue
            if anatomy[id(earlier)] & anatomy[id(later)]:
                earlier.is_superseded = earlier.fractions_remaining != 0
                later.predecessors.append(earlier)


def _row(
    entry: _Entry,
    evidence: Evidence,
    who: Identities,
    now: datetime,
    on_treatment_days: int,
    met: Mapping[str | None, Patient],
) -> dict[str, object]:
    course, plan = entry.course, entry.plan
    patient_id, (uid, prescription_id) = entry.key[0], _named(entry)
    patient = whose_row.met_in(entry.records, plan) or met.get(patient_id, NOBODY)
    is_anothers = plan is None and uid in evidence.plans
    charted = evidence.charted_of(uid, patient_id, who)
    backup = ANOTHERS if is_anothers else evidence.backups.get(uid or "", NOT_ASKED)
    own = *entry.born_otherwise, *planned_otherwise(entry.chain, entry.member, entry.beside, entry.records)
    told = *specified_in_words(course), *charted.disagreements, *evidence.doubted.differing(entry.records)
    return {
        "patient_id": patient_id,
        "patient_name": patient.patient_name,
        "patient_birth_date": patient.patient_birth_date,
        "patient_sex": patient.patient_sex,
        "physicians_of_record": whose_row.physicians(entry.records),
        "referenced_rt_plan_uid": uid,
        "prescription_id": prescription_id,
        "rt_plan_label": plan.rt_plan_label if plan is not None else None,
        "treatment_machine_name": course.treatment_machine_name or whose_row.planned_machine(plan),
        **_counts(entry, evidence),
        "first_treatment_at": course.first_treatment_at,
        "last_treatment_at": course.last_treatment_at,
        "next_appointment_at": whose_row.next_appointment(patient_id, evidence, who),
        "unknown_since": None,
        "proven_at": backup.proven_at,
        "status": _status(entry, evidence, who, now, on_treatment_days),
        **_held(entry, evidence, who, backup),
        "earlier_plans": earlier_in_words(e.member for e in entry.superseded),
        "remarks": joined((*_said(entry, who, now), *backup.remarks, *evidence.doubted.remarks(entry.records))),
        "other_patient_ids": SEPARATOR.join(who.others(patient_id)) or None,
        "disagreement": joined((*own, *told)) or None,
        "charted": charted.said or None,
        "charted_conflict": joined((*charted.conflicts, *told_with_two_plans(entry.chain, entry.member))) or None,
    }


def _said(entry: _Entry, who: Identities, now: datetime) -> tuple[str, ...]:
    """What is odd about the course, and about whose it is."""
    return (
        *remarks(entry.course, entry.records, entry.plan, now),
        *course_remarks(entry.chain, entry.member),
        *next_remarks(entry.chain, entry.member, entry.beside),
        *who.remarks(_named(entry)[0], entry.key[0]),
    )


def _counts(entry: _Entry, evidence: Evidence) -> dict[str, object]:
    """What was delivered with this plan, and in its whole course."""
    course, chain = entry.course, entry.chain
    interrupted = course.interrupted
    in_mu = interrupted if interrupted is not None and interrupted.unit == MU else None
    return {
        "number_of_fractions_planned": course.number_of_fractions_planned,
        "fractions_delivered": course.fractions_delivered,
        "fractions_remaining": entry.fractions_remaining,
        "course_fractions_delivered": chain.fractions_delivered,
        "course_number_of_fractions_planned": chain.number_of_fractions_planned,
        "course_plan_labels": course_labels(chain, evidence),
        "interrupted_fraction": interrupted.fraction_number if interrupted is not None else None,
        "interrupted_meterset_remaining": in_mu.meterset_remaining if in_mu is not None else None,
        "interrupted_remaining_in_words": interrupted.left_in_words if interrupted is not None else None,
        "next_fraction_number": chain.next_number(entry.member),
    }


def _held(entry: _Entry, evidence: Evidence, who: Identities, backup: PlanBackup) -> dict[str, object]:
    """What the RT-PACS holds of all that a treatment from it needs."""
    ids = (entry.key[0], *who.others(entry.key[0]))
    lost = missing_fraction_numbers(entry.course, (m.course for m in _sisters(entry)))
    unproven = sum(evidence.unproven_records.get(i, 0) for i in ids)
    gone = [what for r in entry.records if (what := evidence.lost_records.get(r.ref.sop_instance_uid))]
    leave = missing_leave(told_of(entry.key, evidence, who)) if entry.is_closed else []
    lacking = missing_plan(entry.records, _named(entry)[0], entry.plan, entry.course, evidence)
    nowhere = [*lacking_records(entry.records), *evidence.doubted.missing(ids)]
    missing = [*leave, *lacking, *backup.missing, *missing_records(lost, unproven, gone), *nowhere]
    return {
        "plan_held": backup.plan_held,
        "structure_set_held": backup.structure_set_held,
        "images_held": backup.images_held,
        "records_held": not lost and not unproven and not gone and not nowhere,
        "ready": not missing,
        "missing": joined(missing),
    }


def _named(entry: _Entry) -> tuple[str | None, str | None]:
    """The plan's UID; where the records name none, the prescription that they are told apart by."""
    if not entry.records:
        return entry.key[1], None
    return entry.records[0].referenced_rt_plan_uid, entry.records[0].prescription_id


def _sisters(entry: _Entry) -> list[Member]:
    """The plans whose fraction numbers this one may go on with: not those that gave the same numbers."""
    gone_on = [m for m in entry.beside if goes_on(m, entry.member) and not m.numbers & entry.member.numbers]
    return [
        *(e.member for e in entry.predecessors),
        *gone_on,
        *(m for m in entry.chain.members if m is not entry.member),
    ]


def _status(entry: _Entry, evidence: Evidence, who: Identities, now: datetime, on_treatment_days: int) -> str:
    course = entry.course
    is_given = entry.fractions_remaining == 0
    if entry.is_closed and not (
        told_of(entry.key, evidence, who) == "completed" and (is_given or _is_of_one_day(entry))
    ):
        return "closed"
    if is_given:
        return "completed"
    if entry.is_superseded or entry.chain.is_older(entry.member):
        return "superseded"
    appointment = whose_row.next_appointment(entry.key[0], evidence, who)
    is_waiting = not course.is_treated and is_approved(entry.key, entry.plan, evidence, who)
    if is_waiting and appointment is not None:
        return "ready_to_start"
    days = timedelta(days=on_treatment_days)
    last = whose_row.last_day(entry.records, entry.course)
    is_recent = last is not None and now.date() - last <= days
    is_booked = appointment is not None and appointment.date() - now.date() <= days
    return "on_treatment" if is_recent or is_booked else "on_break"


def _is_of_one_day(entry: _Entry) -> bool:
    """Whether a plan was made for one day of a course: once it was given it is completed, and the course goes on."""
    return entry.chain.is_several and entry.member.own_number is None and entry.course.fractions_remaining == 0
