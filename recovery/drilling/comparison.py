"""Two caches, table by table and column by column: what one has otherwise than the other. No patient is named.

What the live cache itself changed while the other was made may be as it was before or as it is after. Tables that tell
of this machine's own questions (what it asked when, what rests) differ by nature and are not compared. What came with
loss into the other is told beside it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from recovery.cache.copy_age import AHEAD
from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.manifests import FOLDER, taken_at_of
from recovery.cache.store import Cache
from recovery.course.charted_entries import ChartedFraction
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import (
    EXCLUDED_PATIENTS,
    ON_TREATMENT,
    PIPELINE,
    RT_PLANS,
    STRUCTURE_SETS,
    TREATMENT_RECORDS,
    TableSchema,
)
from recovery.words.times import at_time
from recovery.words.values import counted

FROM_DICOM = (ON_TREATMENT, TREATMENT_RECORDS, RT_PLANS, STRUCTURE_SETS, EXCLUDED_PATIENTS, PIPELINE)
OF_THE_MOMENT = {ON_TREATMENT.name: {"unknown_since"}}
"""Columns that say how old the live copy was, which a copy made just now cannot say."""
NAMED = 3
"""UIDs that a difference names."""
LACKS, MORE = "rows that the rebuilt table lacks", "rows that only the rebuilt table has"


@dataclass(frozen=True, slots=True)
class Difference:
    """A column, or rows, of a table in which the two are not the same."""

    what: str
    rows: int
    uids: tuple[str, ...] = ()


Found = list[tuple[Difference, "pd.Index[Any]"]]
"""What differs, each with the keys of its rows."""


@dataclass(frozen=True, slots=True)
class ComparedTable:
    """A table, how many rows it has live and rebuilt, and in what they differ. `why_not`: why it was not compared."""

    name: str
    live: int
    rebuilt: int
    columns: int
    differences: tuple[Difference, ...] = ()
    changed_meanwhile: int = 0
    why_not: str = ""


def frames_of(cache: Cache) -> dict[str, pd.DataFrame]:
    """The tables made from DICOM, by name; one that cannot be read is left out."""
    found = {}
    for schema in FROM_DICOM:
        frame = _frame(cache, schema)
        if isinstance(frame, pd.DataFrame):
            found[schema.name] = frame
    return found


def compare_caches(
    before: Mapping[str, pd.DataFrame], live: Cache, live_relational: Cache, rebuilt: Cache
) -> list[ComparedTable]:
    """Every table. `before`: the live ones as they were when the drill began; `live_relational`: at the snapshot that
    was brought from the RT-PACS, where it is still there."""
    told = [_compared(schema, live, rebuilt, before.get(schema.name)) for schema in FROM_DICOM]
    return told + [_compared(schema, live_relational, rebuilt, None) for schema in RELATIONAL_TABLES.values()]


def differences(schema: TableSchema, live: pd.DataFrame, rebuilt: pd.DataFrame) -> list[tuple[Difference, pd.Index]]:
    """In what two states of a table differ, each with the keys of its rows."""
    one, other = _by_key(schema, live), _by_key(schema, rebuilt)
    found = []
    for what, keys in ((LACKS, one.index.difference(other.index)), (MORE, other.index.difference(one.index))):
        if len(keys):
            found.append((Difference(what, len(keys), _uids(schema, keys)), keys))
    both = one.index.intersection(other.index)
    for column in (name for name in schema.columns if name not in OF_THE_MOMENT.get(schema.name, ())):
        left, right = one.loc[both, column], other.loc[both, column]
        same = (left == right).fillna(False).astype(bool) | (left.isna() & right.isna())
        keys = both[~same.to_numpy()]
        if len(keys):
            found.append((Difference(column, len(keys), _uids(schema, keys)), keys))
    return found


def _compared(schema: TableSchema, live: Cache, rebuilt: Cache, before: pd.DataFrame | None) -> ComparedTable:
    left, right = _frame(live, schema), _frame(rebuilt, schema)
    if not isinstance(left, pd.DataFrame) or not isinstance(right, pd.DataFrame):
        if isinstance(left, str) and isinstance(right, str) and not left + right:
            return ComparedTable(schema.name, 0, 0, 0, why_not="neither has it")
        there = [len(frame) for frame in (left, right) if isinstance(frame, pd.DataFrame)]
        lost = Difference("the whole table", sum(there))
        where = "it cannot be read live" if isinstance(left, str) else "it was not rebuilt"
        return ComparedTable(schema.name, 0, 0, 0, (lost,), why_not=where)
    found = differences(schema, left, right)
    changed: set[Any] = set()
    if before is not None:
        changed = {key for _, keys in differences(schema, before, left) for key in keys}
        found = _in_both(schema, found, differences(schema, before, right)) if changed else found
    told = tuple(difference for difference, _ in found)
    return ComparedTable(schema.name, len(left), len(right), len(schema.columns), told, len(changed))


def _in_both(schema: TableSchema, now: Found, before: Found) -> Found:
    """In what a table differs from the live one as it is, and as it was before."""
    earlier = {one.what: keys for one, keys in before}
    both = [(one.what, keys.intersection(earlier[one.what])) for one, keys in now if one.what in earlier]
    return [(Difference(what, len(keys), _uids(schema, keys)), keys) for what, keys in both if len(keys)]


def _frame(cache: Cache, schema: TableSchema) -> pd.DataFrame | str:
    """A table, or why it cannot be read; empty where it never was."""
    try:
        return cache.read_frame(schema)
    except TableMissingError:
        return ""
    except CacheError as error:
        return str(error)


def _by_key(schema: TableSchema, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows under their key, as texts: part of it may be null. Of a table without one, all columns and a number are
    the key: rows may be the same there."""
    texts = frame[list(schema.key or schema.columns)].astype("string").fillna("")
    numbers = texts.groupby(list(texts.columns)).cumcount()
    keys = pd.Index(
        [(*key, number) for key, number in zip(texts.to_numpy(), numbers, strict=True)], tupleize_cols=False
    )
    return frame.set_axis(keys, axis="index")


def _uids(schema: TableSchema, keys: pd.Index) -> tuple[str, ...]:
    """What of the first keys is a UID; a patient's number is none."""
    places = [place for place, name in enumerate(schema.key) if name.endswith("_uid")]
    return tuple(str(key[places[0]]) for key in keys[:NAMED]) if places else ()


def newest_given(rows: Iterable[Mapping[str, Any]], now: datetime) -> tuple[datetime | None, list[str]]:
    """When the newest fraction was given, of those that can have been; and how many rows tell of the future. Times are
    naive, local to the site."""
    told = [at for row in rows if (at := row["last_treatment_at"]) is not None]
    given = [at for at in told if at <= now + AHEAD]
    ahead = len(told) - len(given)
    of_the_future = f"of {counted(ahead, 'plan')} the last fraction was given in the future: a clock is or was wrong"
    return max(given, default=None), [of_the_future] if ahead else []


def charted_not_back(live: Iterable[ChartedFraction], back: Iterable[ChartedFraction], before: datetime) -> list[str]:
    """Entries charted before a time, aware, that the live journals have and the RT-PACS did not give."""
    there = {one.entry_id for one in back}
    lost = sum(one.entry_id not in there and one.entered_at < before for one in live)
    return [f"{counted(lost, 'entry', 'entries')} charted by hand did not come from the RT-PACS"] if lost else []


def snapshots_not_sent(cache_path: Path, came: datetime, before: datetime, zone: ZoneInfo) -> list[str]:
    """That the RT-PACS's newest snapshot of the database is of `came`, although a newer one was taken before a time."""
    taken = (taken_at_of(path.name) for path in (cache_path / FOLDER).glob("*"))
    waiting = [at for at in taken if at is not None and at > came and at < before]
    if not waiting:
        return []
    since = at_time(min(waiting).astimezone(zone))
    told = f"the newest snapshot of the database in the RT-PACS is of {at_time(came.astimezone(zone))}"
    return [f"{told}: that of {since}, and what followed, never got there"]
