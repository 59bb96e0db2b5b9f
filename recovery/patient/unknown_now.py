"""Who may have been treated since the newest proof, as of this moment: also when no job has built the list since."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.course.charted_entries import answers
from recovery.dicom.course_uids import course_uid
from recovery.entries.charted import read_charted
from recovery.entries.downtimes import believed_up_to, grace_at
from recovery.identity.one_patient import under_newest
from recovery.on_treatment.unknown_since import doubt_of, newest_treatment, unknown_of
from recovery.patient.recounted import recounted
from recovery.patient.tables import PatientTables
from recovery.settings.config import Site
from recovery.tables.relational import SCHEDULE

CourseKey = tuple[str | None, str | None]
"""patient_id, referenced_rt_plan_uid"""


def as_of_now(tables: PatientTables, cache: Cache, site: Site, now: datetime, grace: timedelta) -> PatientTables:
    """The tables with every row of on_treatment as it is now (aware): with what was charted since it was built, and
    with `unknown_since`."""
    counted = {_key(row): row for row in recounted(tables)}
    rows = [counted.get(_key(row), row) for row in tables.everybody]
    own_grace = grace_at(cache.path, grace)
    doubt = doubt_of(believed_up_to(cache.path, tables.as_of), newest_treatment(rows), now, site.zone, own_grace)
    schedule: list[dict[str, Any]] = []
    if doubt is not None:
        with suppress(CacheError):
            schedule = under_newest(cache.read(SCHEDULE), tables.newest)
    told = unknown_of(rows, schedule, doubt, answers(read_charted(cache.path).entries))
    since = {_key(row): at for row, at in zip(rows, told, strict=True)}
    listed = {
        patient_id: [{**counted.get(_key(row), row), "unknown_since": since.get(_key(row))} for row in own]
        for patient_id, own in tables.by_patient.get("on_treatment", {}).items()
    }
    return replace(tables, by_patient={**tables.by_patient, "on_treatment": listed})


def _key(row: Mapping[str, Any]) -> CourseKey:
    return row["patient_id"], course_uid(row["referenced_rt_plan_uid"], row["prescription_id"])
