"""The table `on_treatment`: one row per patient and plan, by the contract's definitions. Pure, no I/O, no clock.

Goal
    Who is on treatment, with which plan, which fraction is next, and could they be treated from the backup?

How
    Records are grouped by patient and plan and counted (`recovery.fractions`); plans of one patient are held against
    each other for adaptation; what the RT-PACS holds comes in as `PlanBackup`.

Why
    The replaced tool kept the latest record per study, and called on treatment whose last record was not the last
    fraction: concurrent plans, boosts, new starts and patients on break were not on its list.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from recovery.course_counts import CourseCounts
from recovery.fractions import Course, missing_fraction_numbers
from recovery.look_alikes import look_alikes
from recovery.model import Patient
from recovery.plan_states import APPROVED_STATUSES, is_closed
from recovery.plans import Plan, StructureSet
from recovery.records import TreatmentRecord
from recovery.remarks import remarks

CourseKey = tuple[str | None, str | None]
"""patient_id, referenced_rt_plan_uid"""


@dataclass(frozen=True, slots=True)
class PlanBackup:
    """What the RT-PACS said it holds of one plan's chain. `missing`: what it does not, in words; `remarks`: what of it
    was found and is named by nobody."""

    plan_held: bool = False
    structure_set_held: bool = False
    images_held: bool = False
    missing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


NOT_ASKED = PlanBackup(missing=("whatever the RT-PACS was not asked for: plan, structure set, images",))
"""Of a plan that no answer is known of: nothing is held that was not said to be."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the rows are made from."""

    records: Sequence[TreatmentRecord]
    plans: Mapping[str, Plan]
    structure_sets: Mapping[str, StructureSet]
    backups: Mapping[str, PlanBackup]
    unproven_records: Mapping[str | None, int] = field(default_factory=dict)
    """By patient: records that the R&V system had and the RT-PACS does not hold."""
    lost_records: Set[str] = frozenset()
    """Records among `records` that the RT-PACS does not hold any more."""
    appointments: Mapping[str, datetime] = field(default_factory=dict)
    """By patient: the next one, local to the site."""
    told: Mapping[CourseKey, str] = field(default_factory=dict)
    """By patient and plan: what the R&V database calls the plan, in the words of `plan_states`."""
    approved_for: Mapping[str, str] = field(default_factory=dict)
    """By plan that the R&V database calls approved, held or not: its patient."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """By plan: its label in the R&V database, for plans that are not held."""
    counted: CourseCounts = field(default_factory=CourseCounts, compare=False)
    """Courses that were counted already, with these records or earlier."""


@dataclass(slots=True)
class _Entry:
    """One patient and plan while rows are made."""

    key: CourseKey
    records: list[TreatmentRecord]
    plan: Plan | None
    course: Course
    is_closed: bool = False
    """The R&V database says that it is not to be treated any more."""
    predecessors: list[_Entry] = field(default_factory=list)
    """Plans on the same anatomy that were last treated before this one was first treated."""
    is_superseded: bool = False

    @property
    def superseded(self) -> list[_Entry]:
        """The predecessors that this plan replaced before they were completed."""
        return [e for e in self.predecessors if e.is_superseded]


def build_rows(
    evidence: Evidence, now: datetime, *, on_treatment_days: int, exclude_patient_ids: Sequence[str] = ()
) -> tuple[list[dict[str, object]], list[str]]:
    """Make the rows of `on_treatment`, sorted by name, and list the patient ids that a pattern excluded.

    Parameters
    ----------
    now
        Naive, local to the site, as treatment times are.
    """
    entries = _entries(evidence)
    excluded = sorted(
        {
            e.key[0]
            for e in entries
            if e.key[0] is not None and any(fnmatch.fnmatchcase(e.key[0], pattern) for pattern in exclude_patient_ids)
        }
    )
    entries = [e for e in entries if e.key[0] not in excluded]
    by_patient: dict[str | None, list[_Entry]] = {}
    for entry in entries:
        by_patient.setdefault(entry.key[0], []).append(entry)
    for entry in entries:
        entry.is_closed = is_closed(evidence.told.get(entry.key))
    for siblings in by_patient.values():
        _supersede(siblings, evidence.structure_sets)
    met = _met(evidence) if any(not e.records and e.plan is None for e in entries) else {}
    rows = [_row(entry, evidence, now, on_treatment_days, met) for entry in entries]
    rows.sort(key=lambda r: tuple(str(r[c] or "") for c in ("patient_name", "patient_id", "referenced_rt_plan_uid")))
    return rows, excluded


def _entries(evidence: Evidence) -> list[_Entry]:
    """Plans with records, then plans that are approved and booked and were never treated.

    Approved by one of two sources is enough where the other has closed the plan: then it is seen, as closed. Records
    of the plan under another number are the same person's, unless the R&V database tells the two apart (`told`).
    """
    groups: dict[CourseKey, list[TreatmentRecord]] = {}
    for record in evidence.records:
        groups.setdefault((record.ref.patient_id, record.referenced_rt_plan_uid), []).append(record)
    entries = []
    for key, records in groups.items():
        plan = evidence.plans.get(key[1] or "")
        entries.append(_Entry(key, records, plan, evidence.counted.of(records, plan)))
    with_records = {uid for _, uid in groups}
    patients = {uid: plan.ref.patient_id for uid, plan in evidence.plans.items()}
    for uid, patient_id in {**evidence.approved_for, **patients}.items():
        plan = evidence.plans.get(uid)
        is_anothers = (patient_id, uid) in evidence.told and (patient_id, uid) not in groups
        if (uid in with_records and not is_anothers) or patient_id not in evidence.appointments:
            continue
        is_seen = is_closed(evidence.told.get((patient_id, uid))) and _is_approved_in_dicom(plan)
        if is_seen or _is_approved((patient_id, uid), plan, evidence):
            entries.append(_Entry((patient_id, uid), [], plan, evidence.counted.of([], plan)))
    return entries


def _is_approved(key: CourseKey, plan: Plan | None, evidence: Evidence) -> bool:
    """By the R&V database where it knows the plan, else by the plan's own ApprovalStatus (300E,0002)."""
    if (told := evidence.told.get(key)) is not None:
        return told in APPROVED_STATUSES
    return _is_approved_in_dicom(plan) if plan is not None else key[1] in evidence.approved_for


def _is_approved_in_dicom(plan: Plan | None) -> bool:
    return plan is not None and plan.approval_status == "APPROVED"


def _supersede(siblings: list[_Entry], structure_sets: Mapping[str, StructureSet]) -> None:
    """Find, among one patient's plans, those that an adapted plan replaced.

    A plan is superseded by one on the same frame of reference or structure set that was FIRST treated after it was
    LAST treated. A completed plan is not; two plans treated in turn never are. What was given with a plan that the
    R&V system has closed stands beside a plan that nobody was treated with yet: it goes on there.
    """
    anatomy = {id(e): _anatomy(e.plan, structure_sets) for e in siblings}
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
                earlier.is_superseded = earlier.course.fractions_remaining != 0
                later.predecessors.append(earlier)


def _anatomy(plan: Plan | None, structure_sets: Mapping[str, StructureSet]) -> set[str]:
    """The frames of reference and structure sets that a plan stands on; none are known of a plan not held."""
    if plan is None:
        return set()
    frames = {
        uid for s in plan.structure_set_uids if s in structure_sets for uid in structure_sets[s].frame_of_reference_uids
    }
    own = {plan.frame_of_reference_uid} if plan.frame_of_reference_uid else set()
    return own | frames | set(plan.structure_set_uids)


def _row(
    entry: _Entry, evidence: Evidence, now: datetime, on_treatment_days: int, met: Mapping[str | None, Patient]
) -> dict[str, object]:
    course, plan = entry.course, entry.plan
    patient = _patient(entry, met)
    backup = evidence.backups.get(entry.key[1] or "", NOT_ASKED)
    lost = missing_fraction_numbers(course, (e.course for e in entry.predecessors))
    unproven = evidence.unproven_records.get(entry.key[0], 0)
    gone = sum(record.ref.sop_instance_uid in evidence.lost_records for record in entry.records)
    missing = [*_missing_plan(entry, evidence), *backup.missing, *_missing_records(lost, unproven, gone)]
    interrupted = course.interrupted
    in_mu = interrupted if course.unit == "MU" else None
    return {
        "patient_id": entry.key[0],
        "patient_name": patient.patient_name,
        "patient_birth_date": patient.patient_birth_date,
        "patient_sex": patient.patient_sex,
        "physicians_of_record": _physicians(entry.records),
        "referenced_rt_plan_uid": entry.key[1],
        "rt_plan_label": plan.rt_plan_label if plan is not None else None,
        "treatment_machine_name": course.treatment_machine_name or _planned_machine(plan),
        "number_of_fractions_planned": course.number_of_fractions_planned,
        "fractions_delivered": course.fractions_delivered,
        "fractions_remaining": course.fractions_remaining,
        "course_fractions_delivered": course.fractions_delivered,
        "course_number_of_fractions_planned": course.number_of_fractions_planned,
        "course_plan_labels": "",
        "interrupted_fraction": interrupted.fraction_number if interrupted is not None else None,
        "interrupted_meterset_remaining": in_mu.meterset_remaining if in_mu is not None else None,
        "next_fraction_number": course.next_fraction_number,
        "first_treatment_at": course.first_treatment_at,
        "last_treatment_at": course.last_treatment_at,
        "next_appointment_at": evidence.appointments.get(entry.key[0] or ""),
        "unknown_since": None,
        "proven_at": None,
        "status": _status(entry, evidence, now, on_treatment_days),
        "plan_held": backup.plan_held,
        "structure_set_held": backup.structure_set_held,
        "images_held": backup.images_held,
        "records_held": not lost and not unproven and not gone,
        "ready": not missing,
        "missing": "; ".join(missing),
        "earlier_plans": "; ".join(_delivered_in_words(e) for e in sorted(entry.superseded, key=_first_treated)),
        "remarks": "; ".join([*remarks(course, entry.records, plan), *backup.remarks]),
    }


def _status(entry: _Entry, evidence: Evidence, now: datetime, on_treatment_days: int) -> str:
    course = entry.course
    if entry.is_closed and not (evidence.told[entry.key] == "completed" and course.fractions_remaining == 0):
        return "closed"
    if course.fractions_remaining == 0:
        return "completed"
    if entry.is_superseded:
        return "superseded"
    appointment = evidence.appointments.get(entry.key[0] or "")
    is_approved = _is_approved(entry.key, entry.plan, evidence)
    if not course.is_treated and appointment is not None and is_approved:
        return "ready_to_start"
    days = timedelta(days=on_treatment_days)
    last = _last_day(entry)
    is_recent = last is not None and now.date() - last <= days
    is_booked = appointment is not None and appointment.date() - now.date() <= days
    return "on_treatment" if is_recent or is_booked else "on_break"


def _last_day(entry: _Entry) -> date | None:
    """The last day of treatment; of a record without any treatment date, the day on which it was written."""
    undated = [r.written_date for r in entry.records if r.treated_at is None and r.written_date is not None]
    last = entry.course.last_treatment_at
    return max([*undated, *([last.date()] if last is not None else [])], default=None)


def _missing_plan(entry: _Entry, evidence: Evidence) -> list[str]:
    return [*_missing_leave(entry, evidence), *_missing_object(entry, evidence)]


def _missing_leave(entry: _Entry, evidence: Evidence) -> list[str]:
    word = evidence.told.get(entry.key)
    return [f"leave to treat: the plan is {word} in the R&V database"] if entry.is_closed else []


def _missing_object(entry: _Entry, evidence: Evidence) -> list[str]:
    if entry.key[1] is None:
        return ["the records name no plan; their own metersets are counted"]
    if entry.plan is None:
        alike = look_alikes(entry.records, evidence.plans, evidence.labels.get(entry.key[1]))
        hint = f"; plan {alike[0]} has the same beams and was not joined" if alike else ""
        counted = f" (fractions are counted by the records' own metersets{hint})" if entry.records else ""
        return [f"plan{counted}"]
    if entry.course.is_treated and entry.course.is_counted_without_plan:
        return ["metersets of the plan (fractions are counted by the records' own)"]
    return []


def _missing_records(lost: Sequence[range], unproven: int, gone: int) -> list[str]:
    words = []
    if lost:
        is_one = len(lost) == 1 and len(lost[0]) == 1
        words.append(f"records of {'fraction' if is_one else 'fractions'} {in_ranges(lost)}")
    if unproven:
        words.append(f"{unproven} treatment {'record' if unproven == 1 else 'records'} of the R&V system")
    if gone:
        records = "record" if gone == 1 else "records"
        words.append(f"{gone} treatment {records} that the RT-PACS held once (counted from what was read then)")
    return words


def in_ranges(runs: Sequence[range]) -> str:
    """`1-13, 15` for 1 to 13 and 15."""
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _delivered_in_words(entry: _Entry) -> str:
    label = entry.plan.rt_plan_label if entry.plan is not None and entry.plan.rt_plan_label else entry.key[1]
    planned = entry.course.number_of_fractions_planned
    return f"{label}: {entry.course.fractions_delivered} of {'—' if planned is None else planned}"


def _first_treated(entry: _Entry) -> datetime:
    return entry.course.first_treatment_at or datetime.min  # noqa: DTZ901  site-local, for order only


def _newest_first(records: Iterable[TreatmentRecord]) -> list[TreatmentRecord]:
    return sorted(records, key=lambda r: (r.treated_at or datetime.min, r.ref.sop_instance_uid), reverse=True)  # noqa: DTZ901


def _physicians(records: Iterable[TreatmentRecord]) -> str | None:
    return next((r.physicians_of_record for r in _newest_first(records) if r.physicians_of_record is not None), None)


def _patient(entry: _Entry, met: Mapping[str | None, Patient]) -> Patient:
    """As the newest record that bears a name says, else the plan, else any object of the same patient."""
    own = [r.patient for r in _newest_first(entry.records)] + ([entry.plan.patient] if entry.plan is not None else [])
    if not own:
        return met.get(entry.key[0], Patient(None, None, None, None))
    return next((p for p in own if p.patient_name is not None), own[0])


def _met(evidence: Evidence) -> dict[str | None, Patient]:
    """Each patient as the newest object that bears a name says: sorted once, for however many plans are not held."""
    met: dict[str | None, Patient] = {}
    for patient in [r.patient for r in _newest_first(evidence.records)] + [p.patient for p in evidence.plans.values()]:
        known = met.get(patient.patient_id)
        if known is None or (known.patient_name is None and patient.patient_name is not None):
            met[patient.patient_id] = patient
    return met


def _planned_machine(plan: Plan | None) -> str | None:
    return next((b.treatment_machine_name for b in plan.beams if b.treatment_machine_name), None) if plan else None
