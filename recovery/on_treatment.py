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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from recovery.fractions import Course, count_fractions, missing_fraction_numbers
from recovery.model import Patient
from recovery.plans import Plan, StructureSet
from recovery.records import TreatmentRecord
from recovery.remarks import remarks

CourseKey = tuple[str | None, str | None]
"""patient_id, referenced_rt_plan_uid"""


@dataclass(frozen=True, slots=True)
class PlanBackup:
    """What the RT-PACS said it holds of one plan's chain. `missing`: what it does not, in words."""

    plan_held: bool = False
    structure_set_held: bool = False
    images_held: bool = False
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the rows are made from."""

    records: Sequence[TreatmentRecord]
    plans: Mapping[str, Plan]
    structure_sets: Mapping[str, StructureSet]
    backups: Mapping[str, PlanBackup]
    unproven_records: Mapping[str | None, int] = field(default_factory=dict)
    """By patient: records that the R&V system had and the RT-PACS does not hold."""
    appointments: Mapping[str, datetime] = field(default_factory=dict)
    """By patient: the next one, local to the site."""
    approvals: Mapping[str, bool] = field(default_factory=dict)
    """By plan: whether the R&V database calls it approved for treatment."""


@dataclass(slots=True)
class _Entry:
    """One patient and plan while rows are made."""

    key: CourseKey
    records: list[TreatmentRecord]
    plan: Plan | None
    course: Course
    superseded: list[_Entry] = field(default_factory=list)
    is_superseded: bool = False


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
    for siblings in by_patient.values():
        _supersede(siblings, evidence.structure_sets)
    rows = [_row(entry, evidence, now, on_treatment_days) for entry in entries]
    rows.sort(key=lambda r: tuple(str(r[c] or "") for c in ("patient_name", "patient_id", "referenced_rt_plan_uid")))
    return rows, excluded


def _entries(evidence: Evidence) -> list[_Entry]:
    """Plans with records, then plans that are approved and booked and were never treated."""
    groups: dict[CourseKey, list[TreatmentRecord]] = {}
    for record in evidence.records:
        groups.setdefault((record.ref.patient_id, record.referenced_rt_plan_uid), []).append(record)
    entries = []
    for key, records in groups.items():
        plan = evidence.plans.get(key[1] or "")
        entries.append(_Entry(key, records, plan, count_fractions(records, plan)))
    with_records = {uid for _, uid in groups}
    for uid, plan in evidence.plans.items():
        patient_id = plan.ref.patient_id
        if uid not in with_records and patient_id in evidence.appointments and _is_approved(uid, plan, evidence):
            entries.append(_Entry((patient_id, uid), [], plan, count_fractions([], plan)))
    return entries


def _is_approved(uid: str, plan: Plan, evidence: Evidence) -> bool:
    """By the R&V database where it knows the plan, else by the plan's own ApprovalStatus (300E,0002)."""
    return evidence.approvals.get(uid, plan.approval_status == "APPROVED")


def _supersede(siblings: list[_Entry], structure_sets: Mapping[str, StructureSet]) -> None:
    """Find, among one patient's plans, those that an adapted plan replaced.

    A plan is superseded by one on the same frame of reference or structure set that was FIRST treated after it was
    LAST treated. A completed plan is not; two plans treated in turn never are.
    """
    anatomy = {id(e): _anatomy(e.plan, structure_sets) for e in siblings}
    for earlier in siblings:
        if earlier.course.last_treatment_at is None or earlier.course.fractions_remaining == 0:
            continue
        for later in siblings:
            first = later.course.first_treatment_at
            if later is earlier or first is None or first <= earlier.course.last_treatment_at:
                continue
            if anatomy[id(earlier)] & anatomy[id(later)]:
                earlier.is_superseded = True
                later.superseded.append(earlier)


def _anatomy(plan: Plan | None, structure_sets: Mapping[str, StructureSet]) -> set[str]:
    """The frames of reference and structure sets that a plan stands on; none are known of a plan not held."""
    if plan is None:
        return set()
    frames = {
        uid for s in plan.structure_set_uids if s in structure_sets for uid in structure_sets[s].frame_of_reference_uids
    }
    own = {plan.frame_of_reference_uid} if plan.frame_of_reference_uid else set()
    return own | frames | set(plan.structure_set_uids)


def _row(entry: _Entry, evidence: Evidence, now: datetime, on_treatment_days: int) -> dict[str, object]:
    course, plan = entry.course, entry.plan
    newest = max(entry.records, key=lambda r: (r.treated_at or datetime.min, r.ref.sop_instance_uid), default=None)  # noqa: DTZ901
    patient = (
        newest.patient if newest is not None else plan.patient if plan is not None else Patient(None, None, None, None)
    )
    backup = evidence.backups.get(entry.key[1] or "", PlanBackup())
    lost = missing_fraction_numbers(course, (e.course for e in entry.superseded))
    unproven = evidence.unproven_records.get(entry.key[0], 0)
    missing = [*_missing_plan(entry), *backup.missing, *_missing_records(lost, unproven)]
    interrupted = course.interrupted
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
        "interrupted_fraction": interrupted.fraction_number if interrupted is not None else None,
        "interrupted_meterset_remaining": interrupted.meterset_remaining if interrupted is not None else None,
        "first_treatment_at": course.first_treatment_at,
        "last_treatment_at": course.last_treatment_at,
        "next_appointment_at": evidence.appointments.get(entry.key[0] or ""),
        "status": _status(entry, evidence, now, on_treatment_days),
        "plan_held": backup.plan_held,
        "structure_set_held": backup.structure_set_held,
        "images_held": backup.images_held,
        "records_held": not lost and not unproven,
        "ready": not missing,
        "missing": "; ".join(missing),
        "earlier_plans": "; ".join(_delivered_in_words(e) for e in sorted(entry.superseded, key=_first_treated)),
        "remarks": "; ".join(remarks(course, entry.records, plan)),
    }


def _status(entry: _Entry, evidence: Evidence, now: datetime, on_treatment_days: int) -> str:
    course = entry.course
    if course.fractions_remaining == 0:
        return "completed"
    if entry.is_superseded:
        return "superseded"
    appointment = evidence.appointments.get(entry.key[0] or "")
    if not course.is_treated and appointment is not None and entry.plan is not None:
        if _is_approved(entry.key[1] or "", entry.plan, evidence):
            return "ready_to_start"
    days = timedelta(days=on_treatment_days)
    last = course.last_treatment_at
    is_recent = last is not None and now.date() - last.date() <= days
    is_booked = appointment is not None and appointment.date() - now.date() <= days
    return "on_treatment" if is_recent or is_booked else "on_break"


def _missing_plan(entry: _Entry) -> list[str]:
    if entry.key[1] is None:
        return ["the records name no plan; their own metersets are counted"]
    if entry.course.is_treated and entry.course.is_counted_without_plan:
        if entry.plan is None:
            return ["plan (fractions are counted by the records' own metersets)"]
        return ["metersets of the plan (fractions are counted by the records' own)"]
    return [] if entry.plan is not None else ["plan"]


def _missing_records(lost: Sequence[int], unproven: int) -> list[str]:
    words = []
    if lost:
        numbers = f"fraction {lost[0]}" if len(lost) == 1 else f"fractions {in_ranges(lost)}"
        words.append(f"records of {numbers}")
    if unproven:
        words.append(f"{unproven} treatment {'record' if unproven == 1 else 'records'} of the R&V system")
    return words


def in_ranges(numbers: Sequence[int]) -> str:
    """`1-13, 15` for 1 to 13 and 15; ascending numbers."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _delivered_in_words(entry: _Entry) -> str:
    label = entry.plan.rt_plan_label if entry.plan is not None and entry.plan.rt_plan_label else entry.key[1]
    planned = entry.course.number_of_fractions_planned
    return f"{label}: {entry.course.fractions_delivered} of {'—' if planned is None else planned}"


def _first_treated(entry: _Entry) -> datetime:
    return entry.course.first_treatment_at or datetime.min  # noqa: DTZ901  site-local, for order only


def _physicians(records: Iterable[TreatmentRecord]) -> str | None:
    by_time = sorted(records, key=lambda r: r.treated_at or datetime.min, reverse=True)  # noqa: DTZ901
    return next((r.physicians_of_record for r in by_time if r.physicians_of_record is not None), None)


def _planned_machine(plan: Plan | None) -> str | None:
    return next((b.treatment_machine_name for b in plan.beams if b.treatment_machine_name), None) if plan else None
