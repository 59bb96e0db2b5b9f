"""Make the dashboard's tables from the RT-PACS, asking nobody else.

Goal
    The list of patients on treatment is true while the R&V system is down, and can be had again from nothing but
    the RT-PACS.

How
    Read the records that are new, read the plans and structure sets that they lead to, ask what of each chain is
    held, count, write.

Why incremental
    Every ten minutes one or two records are new. Whatever was parsed before is in the cache; a cache that was
    deleted comes back by itself, because an empty collection is filled from everything that the RT-PACS holds.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from recovery.cache import Cache, CacheError
from recovery.collection import Collection
from recovery.course_counts import CourseCounts
from recovery.course_number import Prescribed
from recovery.damages import damaged_tables, forget_damaged_tables
from recovery.database_tables import (
    database_sessions,
    planned_by_database,
    plans_told,
    relational_rows,
    with_second_source,
)
from recovery.delivered_records import without_amended
from recovery.holdings import Holdings
from recovery.model import DateRange, InstanceRef
from recovery.on_treatment import Evidence, build_rows
from recovery.one_patient import newest_ids, under_newest
from recovery.patient_tables import proven_up_to
from recovery.plan_origins import read_origins
from recovery.reading import read_chains, read_new_records
from recovery.record_holdings import lost_records
from recovery.relational_tables import APPROVED_STATUSES, CANCELLED_STATUSES, PLANS, PRESCRIPTIONS, SCHEDULE
from recovery.tables import EXCLUDED_PATIENTS, ON_TREATMENT
from recovery.told_plans import by_number_of_the_objects
from recovery.unknown_since import doubt_of, unknown_of

if TYPE_CHECKING:
    from recovery.config import Config
    from recovery.dimse import Peer
    from recovery.memory import Memory
    from recovery.told_plans import by_number_of_the_objects

log = logging.getLogger(__name__)

ACTIVE_DAYS = 60
"""Courses treated in this time are asked about in every run; older ones in turn."""
OLDER_PLANS_PER_RUN = 100
"""Plans of older courses asked about in every run, the longest not asked first; new ones come on top."""


@dataclass(slots=True)
class Workspace:
    """What the jobs of one run share: the cache's content, and what was asked just now."""

    config: Config
    now: datetime
    cache: Cache
    memory: Memory
    collection: Collection
    holdings: Holdings
    held_records: set[InstanceRef] | None = None
    """Records that the RT-PACS said in this run that it holds; None when it was not asked yet."""
    records_were_asked: bool = False
    """Whether this run has asked for the records known before by name."""
    delivered_plans: frozenset[str] = frozenset()
    """Plans that the R&V database's deliveries of this run name, where records are made of them."""
    relational: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Relational tables, each read from the cache once a run, all of one snapshot."""
    pinned: Cache | None = None
    counted: CourseCounts = field(default_factory=CourseCounts)
    booked: tuple[list[dict[str, Any]], dict[str, datetime]] | None = None
    """The rows of the schedule, and what they say of the next appointments."""
    refused: list[str] = field(default_factory=list)
    """What was sent here in this job and nobody had asked for, in words."""
    damaged: list[str] = field(default_factory=list)
    """Tables of the cache that were not what was written when this run began: they are made again."""
    unreadable_tables: list[str] = field(default_factory=list)
    """Relational tables that are there and cannot be read: the list lacks what they say."""

    @property
    def local_now(self) -> datetime:
        """Now, naive, local to the site, as treatment times are."""
        return self.now.astimezone(self.config.site.zone).replace(tzinfo=None)

    def keep(self) -> None:
        """Write what was learnt so far, as well as the cache allows: for a run that is stopped."""
        with suppress(CacheError):
            self.collection.save(self.cache, self.now)
        self.memory.save()

    def window(self, days_back: int) -> DateRange:
        """The last days, and one more on either side: a clock that is ahead, or a date that is written in another zone,
        must not hide a record of them."""
        today = self.local_now.date()
        return DateRange(today - timedelta(days=days_back + 1), today + timedelta(days=1))


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build read and wrote. `unreadable`: why, by SOP Instance UID. `lost`: what the RT-PACS held once."""

    records: int
    records_read: int
    rows: int
    excluded: int
    unreadable: dict[str, str] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()


def open_workspace(config: Config, memory: Memory, now: datetime) -> Workspace:
    """Load what the cache has; what is not there, or is damaged, is read again."""
    cache = Cache(config.cache_path)
    damaged = damaged_tables(config.cache_path)
    if damaged:
        log.warning("damaged, and made again from the RT-PACS: %s", ", ".join(damaged))
        memory.forget("chain ")
    collection = Collection.load(cache, config.site.zone)
    return Workspace(config, now, cache, memory, collection, Holdings.load(cache), damaged=damaged)


def build_overview(space: Workspace, pacs: Peer) -> BuildReport:
    """Bring the tables up to date with the RT-PACS.

    Raises
    ------
    DimseError
        If the RT-PACS cannot be asked.
    CacheError
        If the cache cannot be written; the tables before still stand.
    """
    read, unreadable = read_new_records(space, pacs, plan_uids_of_records(space))
    plan_uids = plan_uids_of_records(space)
    unreadable |= read_chains(space, pacs, plan_uids)
    unreadable |= read_origins(space, pacs, plan_uids)
    space.collection.save(space.cache, space.now)
    evidence = evidence_of(space)
    rows, excluded = overview_rows(space, evidence)
    space.holdings.save(space.cache, space.now)
    space.cache.write(
        EXCLUDED_PATIENTS,
        [{"patient_id": p} for p in excluded],
        taken_at=space.now,
        source="[dashboard] exclude_patient_ids",
    )
    rows = with_unknown(space, with_second_source(space, rows))
    space.cache.write(ON_TREATMENT, rows, taken_at=space.now, source="RT-PACS")
    forget_damaged_tables(space.config.cache_path)
    lost = frozenset(evidence.lost_records)
    return BuildReport(len(space.collection.records), read, len(rows), len(excluded), unreadable, lost)


def overview_rows(space: Workspace, evidence: Evidence) -> tuple[list[dict[str, object]], list[str]]:
    """The rows of `on_treatment` as they stand now, and the patient ids that a pattern excluded."""
    return build_rows(
        evidence,
        space.local_now,
        on_treatment_days=space.config.dashboard.on_treatment_days,
        exclude_patient_ids=space.config.dashboard.exclude_patient_ids,
    )


def with_unknown(space: Workspace, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with `unknown_since`: who may have been treated since the newest proof. Null where no proof is known:
    the same objects make the same table, also after a rebuild; pages and charts say that nothing is proven."""
    config = space.config
    doubt = doubt_of(proven_up_to(space.cache, space.now), None, space.now, config.site.zone, config.schedule.grace)
    told = unknown_of(rows, under_newest(relational_rows(space, SCHEDULE), newest_ids(rows)), doubt)
    return [{**row, "unknown_since": since} for row, since in zip(rows, told, strict=True)]


def plan_uids_of_records(space: Workspace) -> list[str]:
    """Plans to ask about: of courses treated lately, of plans booked, and some of the others in turn."""
    since = space.local_now - timedelta(days=ACTIVE_DAYS)
    active: dict[str, None] = {}
    older: dict[str, None] = {}
    for record in space.collection.records.values():
        uid, treated_at = record.referenced_rt_plan_uid, record.treated_at
        if uid is not None:
            (active if treated_at is None or treated_at >= since else older).setdefault(uid)
    never_treated = (uid for uid in space.collection.plans if uid not in older)
    for uid in (*booked_plan_uids(space), *_plan_uids_of_sessions(space), *space.delivered_plans, *never_treated):
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


def treated_plan_uids(space: Workspace) -> frozenset[str]:
    """Plans that somebody is treated with or is about to be: those of records, and those approved and booked."""
    of_records = (record.referenced_rt_plan_uid for record in space.collection.records.values())
    named = (uid for uid in of_records if uid is not None)
    return frozenset((*named, *booked_plan_uids(space), *_plan_uids_of_sessions(space), *space.delivered_plans))


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


def plan_labels(space: Workspace) -> dict[str, str]:
    """By plan, its label in the R&V database."""
    return {
        row["sop_instance_uid"]: row["rt_plan_label"] for row in relational_rows(space, PLANS) if row["rt_plan_label"]
    }


def next_appointments(space: Workspace) -> dict[str, datetime]:
    """By patient, the next appointment on a treatment machine, local to the site. Looked through once for each reading
    of the schedule."""
    rows = relational_rows(space, SCHEDULE)
    if space.booked is None or space.booked[0] is not rows:
        found: dict[str, datetime] = {}
        for row in rows:
            at = row["appointment_at"]
            if at is None or at < space.local_now or row["status"] in CANCELLED_STATUSES:
                continue
            if row["treatment_machine_name"] is not None:
                found[row["patient_id"]] = min(at, found.get(row["patient_id"], at))
        space.booked = rows, found
    return space.booked[1]


def evidence_of(space: Workspace) -> Evidence:
    """Everything that the rows are made from, as far as it is known here; a record that another replaces is none."""
    owed: dict[str | None, int] = {}
    for patient_id in space.memory.owed.values():
        owed[patient_id or None] = owed.get(patient_id or None, 0) + 1
    uids = {r.referenced_rt_plan_uid for r in space.collection.records.values()} | set(space.collection.plans)
    records = list(without_amended(space.collection.records))
    met = {(r.ref.patient_id, r.referenced_rt_plan_uid): r.patient for r in records}
    treated = {uid for _, uid in met}
    untreated = (plan for uid, plan in space.collection.plans.items() if uid not in treated)
    told = plans_told(space, met | {(p.ref.patient_id, p.ref.sop_instance_uid): p.patient for p in untreated})
    return Evidence(
        records=[*records, *database_sessions(space, records)],
        plans=space.collection.plans,
        structure_sets=space.collection.structure_sets,
        backups={uid: space.holdings.backup_of(uid, space.collection) for uid in uids if uid is not None},
        unproven_records=owed,
        lost_records=lost_records(space.holdings) & space.collection.records.keys(),
        appointments=by_number_of_the_objects(next_appointments(space), told),
        told={key: word for key, row in told.items() if (word := row["approval_status"]) is not None},
        approved_for={
            str(uid): str(patient_id)
            for (patient_id, uid), row in told.items()
            if row["approval_status"] in APPROVED_STATUSES and patient_id is not None
        },
        labels=plan_labels(space),
        prescribed=prescriptions_of_plans(space),
        planned_by_database=planned_by_database(space, records),
        counted=space.counted,
    )


def prescriptions_of_plans(space: Workspace) -> dict[str, Prescribed]:
    """By plan, the prescription that the R&V database names, where that says how many fractions."""
    numbers = {
        (row["patient_id"], row["prescription_id"]): row["number_of_fractions"]
        for row in relational_rows(space, PRESCRIPTIONS)
    }
    return {
        row["sop_instance_uid"]: Prescribed(row["prescription_id"], number)
        for row in relational_rows(space, PLANS)
        if (number := numbers.get((row["patient_id"], row["prescription_id"])))
    }
