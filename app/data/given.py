"""Which fractions were given on a day, by the treatment records: the number beside "Treated 08:33" is of that.

The records of whoever may have been treated on that day, read from the cache once per change of it. Where no record can
be read, that somebody was treated is known by the list, and the number is not.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path

import pandas as pd

from app.data import cached
from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.entries.charted import stamp_of
from recovery.lists import day_tables
from recovery.lists.appointments import Given, PlanKey
from recovery.tables.schema import TREATMENT_RECORDS


def given_on(cache_path: Path, table: pd.DataFrame, day: date) -> Mapping[PlanKey, Sequence[Given]]:
    """By patient and plan, what was given on a day, in order of time; `table` is on_treatment."""
    ids = day_tables.ids_treated(table, day)
    if not ids:
        return {}
    try:
        stamps = cached.stamps_of(cache_path, TREATMENT_RECORDS)
        return _given(cache_path, ids, day, *stamps, stamp_of(cache_path))
    except CacheError:
        return {}


@lru_cache(maxsize=8)
def _given(
    cache_path: Path,
    ids: tuple[str, ...],
    day: date,
    *stamps: object,  # noqa: ARG001 they are the key
) -> Mapping[PlanKey, Sequence[Given]]:
    return day_tables.given_on(Cache(cache_path), ids, day)
