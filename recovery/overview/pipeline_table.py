"""Write who is not on treatment yet, from the cached tables of the R&V database and the list."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from recovery.identity.one_patient import newest_ids, under_newest
from recovery.on_treatment.pipeline import pipeline
from recovery.pacs.workspace import relational_rows
from recovery.tables.pipeline import PIPELINE
from recovery.tables.relational import COURSES, PATIENTS, PHYSICIANS, PLANS, PRESCRIPTIONS, SCHEDULE
from recovery.tables.schema import ON_TREATMENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recovery.pacs.workspace import Workspace

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
    found = pipeline(tables, rows, space.local_now)
    asleep = {str(row["patient_id"]) for row in found if space.resting.is_asleep(row["patient_id"])}
    if asleep:
        resting = space.cache.part().read_where(ON_TREATMENT, "patient_id", asleep)
        found = pipeline(tables, [*rows, *resting], space.local_now)
    patterns = space.config.dashboard.exclude_patient_ids
    kept = [row for row in found if not any(fnmatchcase(row["patient_id"], pattern) for pattern in patterns)]
    space.cache.write(PIPELINE, kept, taken_at=space.now, source="R&V database and RT-PACS")
