"""Make the dashboard's tables from the RT-PACS, asking nobody else.

Read the records that are new, read the plans and structure sets that they lead to, ask what of each chain is held,
count, write: who is on treatment, who is kept off, who has not started. What was parsed before is in the cache; a cache
that was deleted is filled from everything that the RT-PACS holds. Rows of courses that rest stay until their turn
(`recovery.pacs.resting`).
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from recovery.cache.copy_age import proven_up_to
from recovery.cache.damages import forget_damaged_tables
from recovery.cache.errors import CacheError
from recovery.cache.freshness import known_since
from recovery.course.deliveries import treated_since
from recovery.dimse import Peer
from recovery.entries.charted import answers
from recovery.entries.downtimes import believed_up_to, grace_at
from recovery.entries.transfers import standing_at, with_transfers
from recovery.identity.one_patient import newest_ids, under_newest
from recovery.objects.treatment_record import without_amended
from recovery.on_treatment.evidence import Evidence, Listed
from recovery.on_treatment.pipeline import pipeline
from recovery.on_treatment.rows import build_rows
from recovery.on_treatment.unknown_since import NO_ANSWERS, doubt_of, unknown_of
from recovery.overview.evidence import evidence_of
from recovery.overview.rv_columns import with_second_source
from recovery.overview.wanted_plans import ACTIVE_DAYS, plan_uids_of_records, wake_named
from recovery.pacs.retrieval import read_chains, read_new_records, read_origins
from recovery.pacs.workspace import Workspace, relational_rows
from recovery.tables.relational import COURSES, PATIENTS, PHYSICIANS, PLANS, PRESCRIPTIONS, SCHEDULE
from recovery.tables.schema import EXCLUDED_PATIENTS, ON_TREATMENT, PIPELINE

Rows = list[dict[str, Any]]


def write_list(space: Workspace, rows: Rows) -> int:
    """Write `on_treatment`, and who rests: rows of courses that do are a file of their own, written where they changed.

    Returns how many rows the whole list has.

    Raises `CacheError` if something cannot be written; nobody is off the list.
    """
    config = space.config
    days = max(ACTIVE_DAYS, config.dashboard.on_treatment_days, config.jobs.sync_records.days_back)
    plan = space.resting.plan((space.local_now - timedelta(days=days + 2)).date())
    at_rest = [row for row in rows if row["patient_id"] in plan.resting]
    apart = plan.resting | plan.unclear
    active = [row for row in rows if row["patient_id"] not in apart]
    _write_resting(space, at_rest, plan.resting)
    space.resting.write(plan, space.now)
    space.cache.write(ON_TREATMENT, active, taken_at=space.now, source="RT-PACS")
    if plan.is_any_woken:
        _write_resting(space, at_rest, {*plan.resting, *(str(row["patient_id"]) for row in active)})
    rests = bool(space.resting.places)
    return len(active) + (space.cache.part().snapshot(ON_TREATMENT).row_count if rests else 0)


def _write_resting(space: Workspace, rows: Rows, names: set[str]) -> None:
    """Put these rows in the place of those of `names`, unless they are what is there."""
    part = space.cache.part()
    if space.resting.is_made_anew or space.resting.is_list_lost:
        part.write(ON_TREATMENT, rows, taken_at=space.now, source="RT-PACS")
        return
    try:
        known: Rows | None = part.read_where(ON_TREATMENT, "patient_id", names) if names else []
    except CacheError:
        known = None
    if known != rows:
        part.replace_where(ON_TREATMENT, "patient_id", names, rows, space.now)


def write_excluded(space: Workspace, excluded: Iterable[str]) -> None:
    """Write whom a pattern keeps off the list: with those who rest, of whom this run knows nothing else.

    Raises `CacheError` if it cannot be written.
    """
    try:
        known = [str(row["patient_id"]) for row in space.cache.read(EXCLUDED_PATIENTS)]
    except CacheError:
        known = []
    listed = sorted({*excluded, *filter(space.resting.is_asleep, known)})
    rows = [{"patient_id": patient_id} for patient_id in listed]
    space.cache.write(EXCLUDED_PATIENTS, rows, taken_at=space.now, source="[dashboard] exclude_patient_ids")


FROM = (PATIENTS, PLANS, PRESCRIPTIONS, COURSES, SCHEDULE, PHYSICIANS)


def write_pipeline(space: Workspace, rows: Sequence[dict[str, Any]]) -> None:
    """Write the table pipeline. Without a database there is none; where one of its tables cannot be read the one of
    before stays, for somebody would be missing.

    `rows`: of the list, as made in this run; of who rests they are read.

    Raises `CacheError` if it cannot be written.
    """
    names = newest_ids(rows)
    tables = {schema.name: under_newest(relational_rows(space, schema), names) for schema in FROM}
    if not tables[PATIENTS.name] or space.tables.unreadable & set(tables):
        return
    told_at = _told_at(space)
    found = pipeline(tables, rows, told_at)
    asleep = {str(row["patient_id"]) for row in found if space.resting.is_asleep(row["patient_id"])}
    if asleep:
        resting = space.cache.part().read_where(ON_TREATMENT, "patient_id", asleep)
        found = pipeline(tables, [*rows, *resting], told_at)
    patterns = space.config.dashboard.exclude_patient_ids
    kept = [row for row in found if not any(fnmatchcase(row["patient_id"], pattern) for pattern in patterns)]
    space.cache.write(PIPELINE, kept, taken_at=space.now, source="R&V database and RT-PACS")


def _told_at(space: Workspace) -> datetime:
    """Up to when the database tells of appointments, local to the site. In an outage nobody is taken for not booked
    because the day of his first appointment has passed."""
    at = space.now
    with suppress(CacheError):
        at = min(at, known_since(space.cache, SCHEDULE))
    return at.astimezone(space.config.site.zone).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build read and wrote. `rows`: of the whole list. `listed`: those made in this run, without what the R&V
    database tells of them. `unreadable`: why, by SOP Instance UID. `lost`: records that were read and are not held as
    they were, and what became of each. `purged`: those that the R&V system denies, and that
    came before all that it has; `untold`: of which its database tells nothing, where all others are made of that."""

    records: int
    records_read: int
    rows: int
    listed: Listed
    unreadable: dict[str, str] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    purged: Set[str] = frozenset()
    untold: Set[str] = frozenset()


def build_overview(space: Workspace, pacs: Peer) -> BuildReport:
    """Bring the tables up to date with the RT-PACS.

    Raises `DimseError` if the RT-PACS cannot be asked; `CacheError` if the cache cannot be written; the tables before
    still stand.
    """
    wake_named(space)
    read, unreadable = read_new_records(space, pacs, plan_uids_of_records(space))
    plan_uids = plan_uids_of_records(space)
    unreadable |= read_chains(space, pacs, plan_uids)
    unreadable |= read_origins(space, pacs, plan_uids)
    space.doubted.save(space.cache, space.now)  # first: what nobody asked about must not look as if it were known
    if not space.collection.is_saved:  # what was read is not read again, should this run be killed
        space.save()
    evidence = evidence_of(space)
    listed = overview_rows(space, evidence)
    write_excluded(space, listed.excluded)
    told = whole_rows(space, listed)
    rows = write_list(space, told)
    write_pipeline(space, told)
    forget_damaged_tables(space.cache)
    records = len(space.collection.records) + space.resting.sleeping_records
    of = evidence.doubted
    return BuildReport(records, read, rows, listed, unreadable, evidence.lost_records, of.purged, of.untold)


def overview_rows(space: Workspace, evidence: Evidence) -> Listed:
    """The rows of `on_treatment` as they stand now."""
    return build_rows(
        evidence,
        space.local_now,
        on_treatment_days=space.config.dashboard.on_treatment_days,
        exclude_patient_ids=space.config.dashboard.exclude_patient_ids,
    )


def whole_rows(space: Workspace, listed: Listed) -> list[dict[str, Any]]:
    """The list's rows with every column: what the R&V database, those who signed and the clock say beside the
    RT-PACS."""
    rows = with_second_source(space, listed.rows)
    return with_unknown(space, with_transfers(rows, standing_at(space.config.cache_path)))


def with_unknown(space: Workspace, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with `unknown_since`: who may have been treated since the newest proof. Null where no proof is known:
    the same objects make the same table, also after a rebuild; pages and charts say that nothing is proven."""
    config = space.config
    proven_at = believed_up_to(config.cache_path, proven_up_to(space.cache, space.now))
    grace = grace_at(config.cache_path, config.schedule.grace)
    doubt = doubt_of(proven_at, None, space.now, config.site.zone, grace)
    answered = answers(config.cache_path)
    booked = under_newest(relational_rows(space, SCHEDULE), newest_ids(rows))
    known = without_amended(space.collection.records)
    recorded = treated_since(known, doubt.since.date()) if doubt is not None else NO_ANSWERS
    told = unknown_of(rows, booked, doubt, answered, recorded)
    return [{**row, "unknown_since": since} for row, since in zip(rows, told, strict=True)]
