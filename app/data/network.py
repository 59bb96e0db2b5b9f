"""The sites of the network for their page: looked at once a minute, side by side, none waiting for another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
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
from recovery.watch.bounded import begin, ended
from recovery.words.notices import STOP_MARK

SECONDS = 5.0
"""That all sites together are waited for; who takes longer is shown as it was last."""
_EVERY = 60.0
_looked: dict[Path, tuple[float, tuple[SiteSeen, ...]]] = {}
_asked: dict[tuple[Path, str], Future[SiteSeen]] = {}
"""The newest question to each copy; until it is answered no other is asked, or a dead line piles up threads."""


def sites(config: Config, now: datetime) -> tuple[SiteSeen, ...]:
    """Each copy of the config, in its order."""
    at, found = _looked.get(config.file, (0.0, ()))
    if found and time.monotonic() - at < _EVERY:
        return found
    for copy in config.site_copies:
        before = _asked.get((config.file, copy.name))
        if before is None or before.done():
            _asked[config.file, copy.name] = begin(lambda copy=copy: look(config, copy, now))  # type: ignore[misc]
    until = time.monotonic() + SECONDS
    seen: list[SiteSeen] = []
    for copy in config.site_copies:
        answer, fault = ended(_asked[config.file, copy.name], max(0.0, until - time.monotonic()))
        seen.append(answer or as_last(config, copy, now, fault))
    _looked[config.file] = time.monotonic(), tuple(seen)
    return tuple(seen)


def listed(found: Sequence[SiteSeen], config: Config, now: datetime) -> tuple[tuple[SiteSeen, ...], pd.DataFrame]:
    """The sites, one whose list cannot be read as such, and the lists of the others one below the other.

    As `rows.describe` makes them, with `clinic` and `copy`.
    """
    slot = now.replace(minute=now.minute // 10 * 10, second=0, microsecond=0)
    sites, frames = [], []
    for seen in found:
        stands = replace(seen, mark="", said="")
        doubt = doubt_about(seen, config, slot)
        # whatever a table of another clinic holds, it costs that clinic's rows
        frame, fault = ended(begin(lambda one=stands, doubt=doubt: _list_of(one, doubt)), SECONDS)  # type: ignore[misc]
        said = ". ".join(filter(None, (seen.said, f"its list {fault}" if fault else "")))
        is_lost = seen.cache_path is not None and frame is None
        sites.append(replace(seen, mark=STOP_MARK, said=said, cache_path=None) if is_lost else seen)
        frames += [] if frame is None else [frame]
    return tuple(sites), pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def path_of(seen: SiteSeen) -> Path:
    """Where what is kept of a site lies; ask for those alone of which something is."""
    assert seen.cache_path is not None
    return seen.cache_path


def tables_of(seen: SiteSeen, listed: pd.DataFrame) -> tuple[Tables, list[str]]:
    """The tables of a machine's day, and what is lacking, in sentences."""
    return day_tables.read_tables(Cache(path_of(seen)).read_frame, listed)


def doubt_about(seen: SiteSeen, config: Config, now: datetime) -> Doubt | None:
    """The time of which a site's copy tells nothing, for whatever reason it is old."""
    known = [at for at in (seen.proven_at, seen.taken_at) if at is not None]
    return doubt_of(min(known) if known else None, None, now, ZoneInfo(seen.time_zone), config.schedule.grace)


@lru_cache(maxsize=64)
def _list_of(seen: SiteSeen, doubt: Doubt | None) -> pd.DataFrame | None:
    """None where nothing of a site was ever here."""
    if seen.cache_path is None:
        return None
    cache = Cache(seen.cache_path)
    table = rows.describe(rows.in_order(cache.read_frame(ON_TREATMENT)))
    if doubt is not None:
        schedule = None
        with suppress(CacheError):
            schedule = cache.read_frame(SCHEDULE)
        table = rows.with_unknown(table, schedule, doubt)
    return table.assign(clinic=seen.clinic, copy=seen.copy)
