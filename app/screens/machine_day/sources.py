"""The relational tables behind a machine's day, and what the list lacks where one cannot be read."""

from dataclasses import dataclass
from functools import partial

import pandas as pd

from app.components.output import list_export
from app.data import cached
from app.desk import Desk
from app.wording import words
from recovery.cache.errors import CacheError
from recovery.cache.freshness import known_since
from recovery.entries.charted import read_charted
from recovery.lists import day_tables
from recovery.lists.machine_day import Tables
from recovery.tables.relational import SCHEDULE
from recovery.words.times import moment as moment_in_words


@dataclass(frozen=True, slots=True)
class Found:
    """What could be read; `sentences` as markdown and `remark` as plain text say what could not, and how old it is."""

    tables: Tables
    sentences: list[str]
    remark: str


def load(desk: Desk, listed: pd.DataFrame) -> Found:
    """Read what is there. A table that is missing or damaged is told, and never stops the list.

    `listed`: the list of patients, by which their older IDs are known.
    """
    try:
        cache = desk.cache.pin()
    except CacheError:
        cache = desk.cache  # the tables say themselves that they cannot be read
    tables, told = day_tables.read_tables(partial(cached.load_table, cache), listed)
    tables, of_plans = day_tables.with_plans(tables, desk.config.cache_path, desk.today())
    told += of_plans
    sentences = [f":{'red' if one.startswith('■') else 'orange'}[{words.as_markdown(one)}]" for one in told]
    aged = ""
    if tables.schedule is not None and not any(f"table {SCHEDULE.name} " in sentence for sentence in told):
        since = known_since(cache, SCHEDULE)
        aged = f"Appointments as of {moment_in_words(since, desk.now(), desk.config.site.zone)}."
        sentences.append(f":small[{words.as_markdown(f'{aged} {_counted(desk)}')}]")
    return Found(tables, sentences, " ".join([aged, *told]).strip())


def _counted(desk: Desk) -> str:
    """Two sources, two times: what the fractions on the page count, whatever the appointments are of."""
    at = list_export.as_of(desk)
    if at is None:
        return "Fractions count the records that are held; nothing is proven."
    by_hand = ", and what was charted" if read_charted(desk.config.cache_path).entries else ""
    return f"Fractions count what was proven up to {moment_in_words(at, desk.now(), desk.config.site.zone)}{by_hand}."
