"""Which fractions were given on a day, by the treatment records: the number beside "Treated 08:33" is of that.

The records of whoever may have been treated on that day, read from the cache once per change of it. Where no record can
be read, that somebody was treated is known by the list, and the number is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

import pandas as pd

from app.data import cached
from app.lists.appointments import Given, PlanKey
from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.tables.schema import TREATMENT_RECORDS


def given_on(cache_path: Path, table: pd.DataFrame, day: date) -> Mapping[PlanKey, Sequence[Given]]:
    """By patient and plan, what was given on a day, in order of time; `table` is on_treatment."""
    may_have_been = table["last_treatment_at"].dt.date >= day
    ids = tuple(sorted(set(table.loc[may_have_been.fillna(False).astype(bool), "patient_id"].dropna())))
    if not ids:
        return {}
    try:
        return _given(cache_path, ids, day, *cached.stamps_of(cache_path, TREATMENT_RECORDS))
    except CacheError:
        return {}


@lru_cache(maxsize=8)
def _given(
    cache_path: Path,
    ids: tuple[str, ...],
    day: date,
    *stamps: tuple[int, int],  # noqa: ARG001 they are the key
) -> Mapping[PlanKey, Sequence[Given]]:
    from recovery.course.deliveries import TREATING, is_session
    from recovery.objects.treatment_record import without_amended
    from recovery.tables.object_rows import records_of_rows  # with pydicom behind it, which no list needs

    rows = Cache(cache_path).read_where(TREATMENT_RECORDS, "patient_id", ids)
    records = {record.ref.sop_instance_uid: record for record in records_of_rows(rows)}
    found: dict[PlanKey, dict[tuple[int | None, datetime], Given]] = {}
    for record in filter(is_session, without_amended(records)):
        at = record.treated_at
        if at is None or at.date() != day:
            continue
        own = found.setdefault((record.ref.patient_id, record.course_uid), {})
        for beam in record.beams:
            if beam.treatment_delivery_type in TREATING and beam.delivered_meterset != 0:
                began = beam.started_at or at
                one = Given(began if began.date() == day else at, beam.current_fraction_number)
                own[one.number, one.at] = one
    return {key: sorted(own.values(), key=lambda one: one.at) for key, own in found.items()}
