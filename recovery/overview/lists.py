"""Write the lists: who is on treatment, beside those of courses that go on resting; who is kept off; who waits."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from recovery.cache.errors import CacheError
from recovery.cache.freshness import known_since
from recovery.identity.one_patient import newest_ids, under_newest
from recovery.on_treatment.pipeline import pipeline
from recovery.overview.wanted_plans import ACTIVE_DAYS
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
