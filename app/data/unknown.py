"""Who may have been treated since the newest proof, on every list, as of this moment."""

from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import pandas as pd

from app.data import cached, charted
from app.desk import Desk
from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.entries.charted import stamp_of
from recovery.entries.downtimes import believed_up_to, grace_at
from recovery.lists import day_tables, rows
from recovery.on_treatment.unknown_since import NO_ANSWERS, Answers, Doubt, all_answers, doubt_of
from recovery.tables.relational import SCHEDULE


def as_of_now(loaded: cached.Loaded, desk: Desk) -> cached.Loaded:
    """The list with what is unknown at this moment."""
    doubt = doubt_now(loaded, desk)
    if doubt is None and loaded.table["unknown_since"].isna().all():
        return loaded
    path = desk.config.cache_path
    return _as_of(loaded, doubt, desk.cache, stamp_of(path), cached.stamps_of(path, SCHEDULE))


def answers(loaded: cached.Loaded, desk: Desk, doubt: Doubt) -> Answers:
    """By plan, the times for which people said whether it was treated, and those of which records tell."""
    path = desk.config.cache_path
    return all_answers(charted.answered(path), _recorded(loaded, doubt.since.date(), path))


@lru_cache(maxsize=2)
def _as_of(loaded: cached.Loaded, doubt: Doubt | None, cache: Cache, *stamps: object) -> cached.Loaded:  # noqa: ARG001 the key
    told = charted.answered(cache.path)
    recorded = _recorded(loaded, doubt.since.date(), cache.path) if doubt is not None else NO_ANSWERS
    return replace(loaded, table=rows.with_unknown(loaded.table, schedule_of(cache), doubt, told, recorded))


@lru_cache(maxsize=2)
def _recorded(loaded: cached.Loaded, since: date, cache_path: Path) -> Answers:
    """`loaded` stays the same until something changes."""
    return day_tables.recorded_since(Cache(cache_path), loaded.table, since)


def doubt_now(loaded: cached.Loaded, desk: Desk) -> Doubt | None:
    """The time that no proof tells of, up to this minute; None while the newest proof is fresh."""
    taken_at = loaded.snapshot.taken_at
    try:
        runs = cached.load_runs(desk.config.cache_path)
    except cached.JournalError:
        runs = ()
    proven_at = next((run.started_at for run in reversed(runs) if run.tells_of_records), None)
    up_to = min(proven_at, taken_at) if proven_at is not None else None
    up_to = believed_up_to(desk.config.cache_path, up_to)
    newest = rows.newest_treatment(loaded.table)
    this_minute = desk.now().replace(second=0, microsecond=0)
    grace = grace_at(desk.config.cache_path, desk.config.schedule.grace)
    return doubt_of(up_to, newest, this_minute, desk.config.site.zone, grace)


def schedule_of(cache: Cache) -> pd.DataFrame | None:
    """The appointments, None where they cannot be read: then everybody on treatment may have been treated."""
    try:
        return cached.load_table(cache, SCHEDULE)
    except CacheError:
        return None
