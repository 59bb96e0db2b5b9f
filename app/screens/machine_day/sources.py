"""The relational tables behind a machine's day, and what the list lacks where one cannot be read."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from app.components.output import list_export
from app.data import cached
from app.desk import Desk
from app.lists import older_ids
from app.lists.machine_day import Tables
from app.wording import words
from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.freshness import known_since
from recovery.tables.relational import PATIENTS, PLAN_FIELDS, SCHEDULE, SETUP_NOTES
from recovery.words.times import moment as moment_in_words

_LACKS = {
    SCHEDULE.name: "no appointment is known, and everybody treated on the machine stands in one list",
    PLAN_FIELDS.name: "energies and techniques are not known here",
    SETUP_NOTES.name: "some setup notes are not known here",
    PATIENTS.name: "alerts and phone numbers are not known here",
}


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
    names = older_ids.names_of(listed)
    frames, told = {}, []
    try:
        cache = desk.cache.pin()
    except CacheError:
        cache = desk.cache  # the tables say themselves that they cannot be read
    for schema in (SCHEDULE, PLAN_FIELDS, SETUP_NOTES, PATIENTS):
        try:
            frames[schema.name] = older_ids.under_newest(cached.load_table(cache, schema), names)
        except TableMissingError:
            told.append(f"▲ There is no table {schema.name} in the cache: {_LACKS[schema.name]}.")
        except CacheError:
            told.append(f"▲ The table {schema.name} cannot be read: {_LACKS[schema.name]}. See Backup health.")
    sentences = [f":orange[{words.as_markdown(sentence)}]" for sentence in told]
    aged = ""
    if SCHEDULE.name in frames:
        since = known_since(cache, SCHEDULE)
        aged = f"Appointments as of {moment_in_words(since, desk.now(), desk.config.site.zone)}."
        sentences.append(f":small[{words.as_markdown(f'{aged} {_counted(desk)}')}]")
    return Found(Tables(**frames), sentences, " ".join([aged, *told]).strip())


def _counted(desk: Desk) -> str:
    """Two sources, two times: what the fractions on the page count, whatever the appointments are of."""
    at = list_export.as_of(desk)
    if at is None:
        return "Fractions count the records that are held; nothing is proven."
    return f"Fractions count what was proven up to {moment_in_words(at, desk.now(), desk.config.site.zone)}."
