"""The tables and runs that the pages show, read from the cache once per change.

Goal
    A page always shows one whole state of the cache, and reads a file again only when it has changed.

How
    Files are known by modification time and size. A table and the time written inside it come from the same file:
    when a job replaced the file between two readings, both are read again. Frames are shared between visitors and
    are never changed in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.journal import Journal, is_stopped
from recovery.cache.manifests import FOLDER, POINTER
from recovery.cache.store import Cache
from recovery.dicom.model import JobRun
from recovery.entries.charted import stamp_of as charted_stamp
from recovery.entries.downtimes import DowntimeEntry
from recovery.entries.next_decisions import NextDecision
from recovery.entries.transfers import TransferEntry
from recovery.host.entry_lines import file_of
from recovery.lists import rows
from recovery.settings.config import Site
from recovery.tables.relational import ALL_TABLES, RELATIONAL_TABLES
from recovery.tables.schema import ON_TREATMENT, TableSchema, TableSnapshot

if TYPE_CHECKING:
    from recovery.patient.file import PatientFile

_ATTEMPTS = 3


class JournalError(OSError):
    """The journal of runs is there and cannot be read."""


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A table as `rows.describe` makes it: one row per patient and plan, sorted by name; and when it was taken.

    One object as long as its files stay the same: what is made from it is known by it.
    """

    snapshot: TableSnapshot
    table: pd.DataFrame


def load_on_treatment(cache_path: Path) -> Loaded:
    """Read the table on_treatment, sorted by name, then ID, then first treatment, and described in words.

    Raises `TableMissingError` or `CacheError` as `Cache.read_frame` does.
    """
    cache = Cache(cache_path)
    for _ in range(_ATTEMPTS):
        before = cache.snapshot(ON_TREATMENT)
        stamps = stamp_of(before.path), stamp_of(file_of(cache_path, TransferEntry))
        loaded = _loaded(cache_path, before, stamps)
        if cache.snapshot(ON_TREATMENT) == before:
            return loaded
    raise CacheError("The table on_treatment changes faster than it can be read. Reload this page.")


def load_patient_file(cache: Cache, site: Site, patient_id: str, now: datetime, grace: timedelta) -> PatientFile:
    """Everything that the cache knows of one patient; read again when a table has changed, and every minute.

    Raises `PatientNotFoundError` if no table knows the ID; `TableMissingError` or `CacheError` as `read_patient_file`
    does.
    """
    minute = now.replace(second=0, microsecond=0)
    stamps = tuple(sorted((path.name, *stamp_of(path)) for path in (cache.path / "tables").glob("*.parquet")))
    files = (file_of(cache.path, kind) for kind in (DowntimeEntry, TransferEntry, NextDecision))
    entered = charted_stamp(cache.path), *map(stamp_of, files)
    return _patient_file(cache, site, patient_id, minute, grace, (*stamps, stamp_of(Journal(cache.path).path), entered))


def load_runs(cache_path: Path) -> tuple[JobRun, ...]:
    """Read the runs that the journal knows, oldest first, without the last one of a job where that was killed.

    Raises `JournalError` if the journal cannot be read.
    """
    try:
        return _without_killed(cache_path, _runs(cache_path, stamp_of(Journal(cache_path).path)))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise JournalError(
            f"The journal of runs in {cache_path} cannot be read ({type(error).__name__}). "
            "Move runs.jsonl aside; the next run starts a new one."
        ) from error


def _without_killed(cache_path: Path, runs: tuple[JobRun, ...]) -> tuple[JobRun, ...]:
    """A run that noted no end is under way only while it holds its job's lock."""
    newest = {run.job: run for run in runs}
    killed = [run for job, run in newest.items() if run.outcome is None and is_stopped(cache_path, job)]
    return tuple(run for run in runs if run not in killed) if killed else runs


def load_table(cache: Cache, schema: TableSchema) -> pd.DataFrame:
    """Read any table as it is, again only when its file has changed. Frames are shared: never change one.

    Relational tables come from the snapshot that `cache` is held at, or from the newest: see `Cache.pin`.

    Raises `TableMissingError` or `CacheError` as `Cache.read_frame` does.
    """
    return _table(cache, schema.name, *stamps_of(cache.path, schema))


def stamps_of(cache_path: Path, *schemas: TableSchema) -> tuple[tuple[int, int], ...]:
    """What the tables' files are known by; whatever is made from them is good for as long as these are the same."""
    files = [f"tables/{schema.name}.parquet" for schema in schemas]
    files += [f"{FOLDER}/{POINTER}"] if any(schema.name in RELATIONAL_TABLES for schema in schemas) else []
    return tuple(stamp_of(cache_path / file) for file in files)


def state_of(cache_path: Path) -> str:
    """A short text that differs whenever the shown table does: a page that watches it knows when to redraw."""
    try:
        snapshot = Cache(cache_path).snapshot(ON_TREATMENT)
    except TableMissingError:
        return "missing"
    except CacheError:
        return "damaged"
    return f"{snapshot.taken_at.isoformat()} {stamp_of(snapshot.path)}"


def stamp_of(path: Path) -> tuple[int, int]:
    """What a file is known by; zeros where there is none."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=2)
def _loaded(cache_path: Path, snapshot: TableSnapshot, stamps: tuple[object, ...]) -> Loaded:  # noqa: ARG001 the key
    built = rows.with_transfers(Cache(cache_path).read_frame(ON_TREATMENT), cache_path)
    return Loaded(snapshot, rows.describe(rows.in_order(built)))


@lru_cache(maxsize=8)
def _table(cache: Cache, name: str, *stamps: tuple[int, int]) -> pd.DataFrame:  # noqa: ARG001 they are the key
    return cache.read_frame(ALL_TABLES[name])


@lru_cache(maxsize=16)
def _patient_file(
    cache: Cache,
    site: Site,
    patient_id: str,
    minute: datetime,
    grace: timedelta,
    stamps: tuple[object, ...],  # noqa: ARG001 the key
) -> PatientFile:
    from recovery.patient.file import read_patient_file  # with pydicom behind it, which no list needs

    return read_patient_file(cache, site, patient_id, minute, grace)


@lru_cache(maxsize=4)
def _runs(cache_path: Path, stamp: tuple[int, int]) -> tuple[JobRun, ...]:  # noqa: ARG001 it is the key
    return tuple(sorted(Journal(cache_path).runs(), key=lambda run: run.started_at))
