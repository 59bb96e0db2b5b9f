"""What was charted since the list was built, and what was given on a day: read from the cache once per change of it.

Where no record can be read, that somebody was treated is known by the list, and the number of the fraction is not."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from threading import Lock

import pandas as pd

from app.data import cached
from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.entries.charted import answers, stamp_of
from recovery.entries.next_decisions import NextDecision
from recovery.host.entry_lines import file_of
from recovery.lists import day_tables, rows
from recovery.lists.appointments import Given, PlanKey
from recovery.tables.schema import RT_PLANS, TREATMENT_RECORDS


def with_charted(loaded: cached.Loaded, cache_path: Path) -> cached.Loaded:
    """The list as `rows.with_charted` makes it, once per change. Raises `CacheError` as that does."""
    stamp, decided = stamp_of(cache_path), cached.stamp_of(file_of(cache_path, NextDecision))
    if not stamp and not any(decided):
        return loaded
    with _ONE_COUNTS:
        return _counted(loaded, cache_path, cached.stamps_of(cache_path, TREATMENT_RECORDS, RT_PLANS), (stamp, decided))


def answered(cache_path: Path) -> Mapping[str | None, Sequence[datetime]]:
    """By plan, the times for which somebody said whether it was treated."""
    return answers(cache_path)


_ONE_COUNTS = Lock()
"""After each entry all open pages ask at once: the first one counts, and the others have it from there."""


@lru_cache(maxsize=2)
def _counted(loaded: cached.Loaded, cache_path: Path, tables: object, stamp: object) -> cached.Loaded:  # noqa: ARG001 the key
    known = _recounts(loaded, cache_path, tables)
    return replace(loaded, table=rows.with_charted(loaded.table, Cache(cache_path), known))


@lru_cache(maxsize=2)
def _recounts(loaded: cached.Loaded, cache_path: Path, tables: object) -> rows.Recounts:  # noqa: ARG001 they are the key
    return rows.Recounts()


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
