"""Who is not on treatment yet and must not be forgotten, by what the R&V database last told. Pure, no I/O, no clock.

Goal
    In an outage whoever is on treatment has a record. Who was referred, simulated or is being planned has none, and was
    looked for in papers (a hundred patients, in 2021).

How
    Of each patient the plans that nobody was treated with, then prescriptions without a plan, then, of who has neither
    and is not being treated, what appointments and courses tell. Beside a plan that is approved or treated, another of
    its course is only told where it is approved too, or of another prescription: a boost to come, not a draft left
    lying.

Why an appointment of this day still stands when its hour has passed
    Nobody was treated at it, or the list would know: the first appointment of a day is that of the day's treatment,
    also where it was given early. By tomorrow somebody has looked.

Why a CT scanner tells of a simulation
    Activities are named in the clinic's language. A machine that treats nobody is known by its fields.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from recovery.tables.relational import CANCELLED_STATUSES, PHONES
from recovery.words.plan_states import APPROVED_STATUSES, is_closed
from recovery.words.prescription import prescribed_or_planned
from recovery.words.statuses import STAGES, is_over
from recovery.words.times import day_or_time

Row = Mapping[str, Any]

WAITING = frozenset({"planning approved", "reviewed"})
"""The words of `plans.approval_status` after which only the signature to treat is missing."""
NO_TREATMENT = frozenset({"VERIFICATION", "MACHINE_QA", "RESEARCH", "SERVICE"})
OVER = frozenset({"completed", "closed", "void", "cancelled", "retired", "rejected", "completed early"})
"""Words of a course's or prescription's status with which nothing more comes of it."""


@dataclass(slots=True)
class Told:
    """The rows of one patient, by table."""

    person: Row
    listed: list[Row] = field(default_factory=list)
    plans: list[Row] = field(default_factory=list)
    prescriptions: list[Row] = field(default_factory=list)
    courses: list[Row] = field(default_factory=list)
    schedule: list[Row] = field(default_factory=list)
    physicians: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """What waits: its stage, in words what is told of it and since when, and the rows that it is about."""

    stage: str
    told: str
    since: datetime | None
    plan: Row | None = None
    prescription: Row | None = None
    course: Row | None = None
    next_at: Row | None = None


def pipeline(tables: Mapping[str, Iterable[Row]], listed: Iterable[Row], now: datetime) -> list[dict[str, Any]]:
    """The rows of the table pipeline, the furthest first.

    `tables`: patients, plans, prescriptions, courses, schedule and physicians, each under a patient's newest number;
    `listed`: rows of on_treatment; `now`: up to when the tables tell, local to the site, naive.
    """
    people = {str(row["patient_id"]): Told(row) for row in tables["patients"] if row["patient_id"]}
    for name in ("plans", "prescriptions", "courses", "schedule", "physicians"):
        for row in tables[name]:
            if row.get("plan_intent") in NO_TREATMENT:  # what is measured on a phantom settles nothing of the patient's
                continue
            if (told := people.get(str(row["patient_id"]))) is not None:
                getattr(told, name).append(row)
    for row in listed:
        if (told := people.get(str(row["patient_id"]))) is not None:
            told.listed.append(row)
    rows = [_row(told, found, now) for told in people.values() for found in _of_patient(told, now)]
    return sorted(rows, key=_in_order)


def _in_order(row: Row) -> tuple[int, datetime, str]:
    """Who is booked by appointment, others by how long they wait; who waits nobody knows how long comes last."""
    at = row["next_appointment_at"] if row["stage"] == "booked" else row["since"]
    return list(STAGES).index(row["stage"]), at or datetime.max, row["patient_id"]  # noqa: DTZ901  for order only


def _of_patient(told: Told, now: datetime) -> Iterator[Found]:
    treated = [row for row in told.listed if row["first_treatment_at"] is not None]
    uids = {row["referenced_rt_plan_uid"] for row in treated}
    settled = [plan for plan in told.plans if plan["sop_instance_uid"] in uids or _is_approved(plan)]
    courses = {plan["course_id"] for plan in settled} - {None}
    answered = {plan["prescription_id"] for plan in settled} | {row["prescription_id"] for row in treated}
    over = {row["referenced_rt_plan_uid"] for row in told.listed if row["status"] in {"closed", "superseded"}}
    is_treated = any(not is_over(row["status"]) for row in treated)
    ahead = _ahead(told.schedule, now, _last_treated_at(treated))
    own = ahead if not is_treated else None  # else it is the other plan's
    found: list[Found] = []
    for plan in told.plans:
        word, uid = plan["approval_status"], plan["sop_instance_uid"]
        if uid in uids | over or is_closed(word):
            continue
        is_draft = plan["course_id"] in courses and plan["prescription_id"] in answered | {None}
        if _is_approved(plan) or not is_draft:
            found.append(_of_plan(plan, own, is_treated=is_treated))
    named = {plan["prescription_id"] for plan in told.plans if not is_closed(plan["approval_status"])} | answered
    for one in told.prescriptions:
        if one["prescription_id"] not in named and one["status"] not in OVER:
            found.append(Found("prescribed", f"prescribed {one['prescription_name'] or ''}".strip(), one["created_at"],
                               prescription=one, next_at=own))  # fmt: skip
    yield from found
    if not found and not any(row["status"] not in {"completed", "closed", "superseded"} for row in told.listed):
        yield from _of_appointments(told, now, ahead)


def _is_approved(plan: Row) -> bool:
    return plan["approval_status"] in APPROVED_STATUSES


def _of_plan(plan: Row, ahead: Row | None, *, is_treated: bool) -> Found:
    """`ahead`: the next appointment, where it can only be this plan's."""
    word, also = plan["approval_status"], "; being treated with another plan" if is_treated else ""
    at = plan["status_changed_at"] or plan["approved_at"]
    if _is_approved(plan):
        return Found("booked" if ahead is not None else "approved", f"plan {word}{also}", at, plan, next_at=ahead)
    stage = "waiting_for_approval" if word in WAITING else "being_planned"
    return Found(stage, f"plan {word or 'without a status'}{also}", at, plan, next_at=ahead)


def _of_appointments(told: Told, now: datetime, ahead: Row | None) -> Iterator[Found]:
    """Of who has neither plan nor prescription: a machine that treats nobody is a scanner; an open course a referral.

    Of who was treated before, only what came after that: a scan that was not for it, a course of none of its plans.
    One whom a linac expects without a plan is the most urgent of all: somebody knows more than the database.
    """
    kept = [row for row in told.schedule if row["status"] not in CANCELLED_STATUSES and row["appointment_at"]]
    scans = sorted((row for row in kept if row["other_machine_name"]), key=lambda row: row["appointment_at"])
    treated = [row for row in told.listed if row["first_treatment_at"] is not None]
    last = _last_treated_at(treated)
    scans = [row for row in scans if last is None or row["appointment_at"] > last]
    past = [row for row in scans if row["appointment_at"] <= now]
    of_plans = {plan["sop_instance_uid"]: plan["course_id"] for plan in told.plans}
    before = {of_plans.get(row["referenced_rt_plan_uid"]) for row in treated}
    is_told_apart = None not in before
    course = next((r for r in told.courses if r["status"] not in OVER and r["course_id"] not in before), None)
    if ahead is not None:
        yield Found("booked", "booked, and no plan is known", None, course=course, next_at=ahead)
    elif past:
        at = past[-1]["appointment_at"]
        told_ = f"at {past[-1]['other_machine_name']} {day_or_time(at)}"
        yield Found("simulated", told_, at, course=course)
    elif scans:
        yield Found("simulation_booked", f"at {scans[0]['other_machine_name']}", None, course=course, next_at=scans[0])
    elif course is not None and is_told_apart:
        yield Found("referred", f"course {course['course_id']} is open", course["started_at"], course=course)
    elif kept and not told.listed and kept[-1]["treatment_machine_name"] is None:
        visit = max(kept, key=lambda row: row["appointment_at"])
        yield Found("referred", f"{visit['activity'] or 'appointment'}", visit["appointment_at"])


def _last_treated_at(treated: Iterable[Row]) -> datetime | None:
    return max((row["last_treatment_at"] or row["first_treatment_at"] for row in treated), default=None)


def _ahead(schedule: Sequence[Row], now: datetime, last: datetime | None) -> Row | None:
    """The next appointment at a machine that treats, but for those that the `last` treatment answers."""
    coming = sorted(_coming(schedule, now), key=lambda row: row["appointment_at"])
    if last is not None and coming and coming[0]["appointment_at"].date() == last.date():
        coming = [row for row in coming[1:] if row["appointment_at"] > last]
    return next(iter(coming), None)


def _coming(schedule: Sequence[Row], now: datetime) -> list[Row]:
    return [
        row
        for row in schedule
        if row["treatment_machine_name"]
        and row["appointment_at"] is not None
        and row["appointment_at"].date() >= now.date()
        and row["status"] not in CANCELLED_STATUSES
    ]


def _row(told: Told, found: Found, now: datetime) -> dict[str, Any]:
    person, plan = told.person, found.plan or defaultdict(lambda: None)
    wanted = plan["prescription_id"]
    prescription = found.prescription or next(
        (row for row in told.prescriptions if wanted is not None and row["prescription_id"] == wanted), None
    )
    course_id = plan["course_id"] or (prescription or {}).get("course_id") or (found.course or {}).get("course_id")
    course = next((row for row in told.courses if row["course_id"] == course_id), {})
    appointment = found.next_at or {}
    first = sorted(told.physicians, key=lambda row: not row["is_primary"])
    return {
        **{column: person[column] for column in ("patient_id", "patient_name", "patient_birth_date")},
        "stage": found.stage,
        "waits_for": STAGES[found.stage].waits_for,
        "told": found.told,
        "since": found.since if found.since is not None and found.since <= now else None,
        "next_appointment_at": appointment.get("appointment_at"),
        "treatment_machine_name": appointment.get("treatment_machine_name"),
        "rt_plan_label": plan["rt_plan_label"],
        "referenced_rt_plan_uid": plan["sop_instance_uid"],
        "prescription_id": wanted or (prescription or {}).get("prescription_id"),
        "course_id": course_id,
        "site": (prescription or {}).get("site") or course.get("diagnoses"),
        "intent": (prescription or {}).get("intent") or course.get("intent"),
        "prescription": prescribed_or_planned(prescription, found.plan),
        "physician": first[0]["physician_name"] if first else None,
        "phone": next((person[column] for column in PHONES if person[column]), None),
    }
