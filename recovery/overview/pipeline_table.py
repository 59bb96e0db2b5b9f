"""Write who is not on treatment yet, from the cached tables of the R&V database and the list."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from recovery.cache.errors import CacheError
from recovery.cache.freshness import known_since
from recovery.identity.one_patient import newest_ids, under_newest
from recovery.on_treatment.pipeline import pipeline
from recovery.pacs.workspace import Workspace, relational_rows
from recovery.tables.pipeline import PIPELINE
from recovery.tables.relational import COURSES, PATIENTS, PHYSICIANS, PLANS, PRESCRIPTIONS, SCHEDULE
from recovery.tables.schema import ON_TREATMENT

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
