"""Which plans the RT-PACS is asked about in one run: those treated lately, those booked, and some of the others."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from recovery.entries.charted import read_charted
from recovery.overview.rv_columns import database_sessions, deliveries_without_beams
from recovery.pacs.workspace import Workspace, relational_rows
from recovery.tables.relational import CANCELLED_STATUSES, PLANS, SCHEDULE
from recovery.words.plan_states import APPROVED_STATUSES

ACTIVE_DAYS = 60
"""Courses treated in this time are asked about in every run; older ones in turn."""


OLDER_PLANS_PER_RUN = 100
"""Plans of older courses asked about in every run, the longest not asked first; new ones come on top."""


def plan_uids_of_records(space: Workspace, delivered: Iterable[str] = ()) -> list[str]:
    """Plans to ask about: of courses treated lately, of plans booked, those `delivered`, and some others in turn."""
    since = space.local_now - timedelta(days=ACTIVE_DAYS)
    active: dict[str, None] = {}
    older: dict[str, None] = {}
    for record in space.collection.records.values():
        uid, treated_at = record.referenced_rt_plan_uid, record.treated_at
        if uid is not None:
            (active if treated_at is None or treated_at >= since else older).setdefault(uid)
    never_treated = (uid for uid in space.collection.plans if uid not in older)
    for uid in (*booked_plan_uids(space), *_plan_uids_of_sessions(space), *delivered, *never_treated):
        active.setdefault(uid)
    return [*active, *_in_turn(space, [uid for uid in older if uid not in active])]


def _in_turn(space: Workspace, plan_uids: list[str]) -> list[str]:
    """Those of these plans that this run asks about: by the number of the run, for a clock may lie."""
    answers = space.holdings.answers
    unasked = [uid for uid in plan_uids if uid not in answers]
    chosen = [uid for uid in plan_uids if uid in space.holdings.asked]
    if not chosen:
        known = sorted((uid for uid in plan_uids if uid in answers), key=lambda uid: (answers[uid].turn, uid))
        chosen = known[:OLDER_PLANS_PER_RUN]
    return [*unasked, *chosen]


def wake_named(space: Workspace) -> None:
    """Wake whom the R&V database books or tells sessions of, of whom a record is owed, and who
    was charted: they do not rest."""
    booked = next_appointments(space)
    plans = (row["sop_instance_uid"] for row in relational_rows(space, PLANS) if row["patient_id"] in booked)
    told = deliveries_without_beams(space)
    names = (name for row in told for name in (row["patient_id"], row["referenced_rt_plan_uid"]))
    charted = read_charted(space.config.cache_path).entries
    hand = (name for entry in charted for name in (entry.patient_id, entry.referenced_rt_plan_uid))
    space.resting.keep_awake(filter(None, (*booked, *plans, *names, *hand, *space.memory.owed_to)))


def treated_plan_uids(space: Workspace) -> frozenset[str]:
    """Plans that somebody is treated with or is about to be: those of records, and those approved and booked."""
    of_records = (record.referenced_rt_plan_uid for record in space.collection.records.values())
    named = (uid for uid in of_records if uid is not None)
    return frozenset((*named, *booked_plan_uids(space), *_plan_uids_of_sessions(space)))


def _plan_uids_of_sessions(space: Workspace) -> list[str]:
    """Plans that somebody was treated with of whom no record tells, but the database: brachytherapy of MOSAIQ."""
    sessions = database_sessions(space, space.collection.records.values())
    return [uid for session in sessions if (uid := session.referenced_rt_plan_uid) is not None]


def booked_plan_uids(space: Workspace) -> list[str]:
    """Plans that the R&V database calls approved, of patients who have an appointment."""
    return list(patients_of_booked_plans(space))


def patients_of_booked_plans(space: Workspace) -> dict[str, str]:
    """By plan that the R&V database calls approved and whose patient has an appointment: that patient."""
    appointments = next_appointments(space)
    return {
        str(row["sop_instance_uid"]): row["patient_id"]
        for row in relational_rows(space, PLANS)
        if row["approval_status"] in APPROVED_STATUSES and row["patient_id"] in appointments
    }


def next_appointments(space: Workspace) -> dict[str, datetime]:
    """By patient, the next appointment on a treatment machine, local to the site."""
    return space.tables.once("next appointments", lambda: _next_appointments(space))


def _next_appointments(space: Workspace) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for row in relational_rows(space, SCHEDULE):
        at = row["appointment_at"]
        if at is None or at < space.local_now or row["status"] in CANCELLED_STATUSES:
            continue
        if row["treatment_machine_name"] is not None:
            found[row["patient_id"]] = min(at, found.get(row["patient_id"], at))
    return found
