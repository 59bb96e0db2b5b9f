"""The sites of the network for their page: looked at once a minute, side by side, none waiting for another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.lists import day_tables, rows
from recovery.lists.machine_day import Tables
from recovery.on_treatment.unknown_since import Doubt, doubt_of
from recovery.settings.config import Config
from recovery.sites.network import SiteSeen, as_last, look
from recovery.tables.relational import SCHEDULE
from recovery.tables.schema import ON_TREATMENT
from recovery.watch.bounded import begin

SECONDS = 5.0
"""That all sites together are waited for; who takes longer is shown as it was last."""
_EVERY = 60.0
_looked: dict[Path, tuple[float, tuple[SiteSeen, ...]]] = {}


def sites(config: Config, now: datetime) -> tuple[SiteSeen, ...]:
    """Each copy of the config, in its order."""
    at, found = _looked.get(config.file, (0.0, ()))
    if found and time.monotonic() - at < _EVERY:
        return found
    asked = [begin(lambda copy=copy: look(config, copy, now)) for copy in config.site_copies]  # type: ignore[misc]
    until = time.monotonic() + SECONDS
    seen: list[SiteSeen] = []
    for copy, answer in zip(config.site_copies, asked, strict=True):
        try:
            seen.append(answer.result(max(0.0, until - time.monotonic())))
        except TimeoutError:
            seen.append(as_last(config, copy, now, f"does not answer within {SECONDS:g} s"))
    _looked[config.file] = time.monotonic(), tuple(seen)
    return tuple(seen)


def list_of(found: Sequence[SiteSeen], config: Config, now: datetime) -> pd.DataFrame:
    """The lists of all sites one below the other, as `rows.describe` makes them, with `clinic` and `copy`."""
    slot = now.replace(minute=now.minute // 10 * 10, second=0, microsecond=0)
    stands = [replace(seen, mark="", said="") for seen in found if seen.cache_path is not None]
    frames = [_list_of(seen, doubt_about(seen, config, slot)) for seen in stands]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def tables_of(seen: SiteSeen, listed: pd.DataFrame) -> tuple[Tables, list[str]]:
    """The tables of a machine's day, and what is lacking, in sentences."""
    assert seen.cache_path is not None
    return day_tables.read_tables(Cache(seen.cache_path).read_frame, listed, {})


def doubt_about(seen: SiteSeen, config: Config, now: datetime) -> Doubt | None:
    """The time of which a site's copy tells nothing, for whatever reason it is old."""
    known = [at for at in (seen.proven_at, seen.taken_at) if at is not None]
    return doubt_of(min(known) if known else None, None, now, ZoneInfo(seen.time_zone), config.schedule.grace)


@lru_cache(maxsize=64)
def _list_of(seen: SiteSeen, doubt: Doubt | None) -> pd.DataFrame:
    assert seen.cache_path is not None
    cache = Cache(seen.cache_path)
    try:
        table = rows.describe(rows.in_order(cache.read_frame(ON_TREATMENT)))
    except CacheError:
        return pd.DataFrame()
    if doubt is not None:
        schedule = None
        with suppress(CacheError):
            schedule = cache.read_frame(SCHEDULE)
        table = rows.with_unknown(table, schedule, doubt)
    return table.assign(clinic=seen.clinic, copy=seen.copy)
