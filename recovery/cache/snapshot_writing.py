"""Make a new snapshot of the relational tables, beside those that there are.

Goal
    Killed at any moment, on a full disk, on a folder that cannot be written: whoever reads next sees the snapshot
    before this one or this one, never a mix and never a half.

How
    Files are written into a folder beside (`.new-…`), each fsynced, the manifest last; the folder is renamed to the
    snapshot's name; then the pointer `current` is. A table that has not changed is not written again: the new
    folder gets a hard link to its file.

Why hard links, and not a manifest that points into older folders
    The file system itself counts who still needs a file, so that pruning, which is deleting a folder, can never take
    one from a snapshot that stays; and every folder is whole when somebody copies it to a stick. Where a disk knows
    no hard links, the file is copied.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

from recovery.cache import freshness
from recovery.cache.manifests import (
    FOLDER,
    Kept,
    Manifest,
    ManifestError,
    Snapshot,
    TableState,
    before_of,
    current_id,
    fault_of_file,
    load_snapshot,
    newer_of,
)
from recovery.cache.newer_days import add_days
from recovery.cache.snapshot_publishing import (
    ASIDE,
    BESIDE,
    Judge,
    doubts_between,
    not_written,
    publish,
    slow_doubts_of,
    unjudged,
)
from recovery.cache.snapshots import quarantined
from recovery.cache.store import Cache
from recovery.host import durable
from recovery.settings.trust import EVERYBODY, own_trust, signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from recovery.settings.trust import Trust
    from recovery.tables.schema import Row, TableSchema

MOST_QUARANTINED = 7
"""States of which none looks like the one before; what comes then is not kept."""


class SnapshotWriter:
    """One run's snapshot in the making. Every table that the run asked for is written, confirmed or kept.

    `faults`: what of the snapshot before is not what was written, in words.
    """

    def __init__(
        self, cache_path: Path, now: datetime, key: Ed25519PrivateKey | None = None, trust: Trust = EVERYBODY
    ) -> None:
        self._cache_path = cache_path
        self._now = now.astimezone(UTC)
        self._key = key
        self._trust = own_trust(key, trust)
        self._beside = cache_path / FOLDER / f"{BESIDE}{os.getpid()}"
        self._sources, last, self.faults = _last_state(cache_path, self._trust)
        self._last_snapshot = last
        self._last = last.manifest if last is not None else None
        self._before = before_of(last) if last is not None else None
        self._tables: dict[str, TableState] = {}
        self._missing: dict[str, Kept] = {}

    def last(self, name: str) -> TableState | None:
        """What the snapshot before says of a table whose files are whole; None without one."""
        state = self._last.tables.get(name) if self._last is not None and name in self._sources else None
        newer = newer_of(name)
        has_lost = self._last is not None and newer in self._last.tables and newer not in self._sources
        return None if has_lost else state

    def has_newer_days(self, name: str) -> bool:
        """Whether the snapshot before has some days of a table beside it: they had better be written into it."""
        return newer_of(name) in self._sources

    def write(
        self, schema: TableSchema, rows: Iterable[Row], *, source: str, query_sha256: str | None, rows_sha256: str
    ) -> TableState:
        """Write a table that is new or has changed.

        Raises `TableError` if the rows do not fit the schema. The table may still be kept. Raises `CacheError` if the
        disk is full or not writable. The snapshot before still stands.
        """
        self._forget_written(schema.name)
        made = Cache(self._beside).write(schema, rows, taken_at=self._now, source=source, query_sha256=query_sha256)
        data = made.path.read_bytes()
        self._tables[schema.name] = TableState(
            schema.name, hashlib.sha256(data).hexdigest(), len(data), made.row_count, self._now, self._now, source,
            query_sha256, rows_sha256,
        )  # fmt: skip
        return self._tables[schema.name]

    def write_days(
        self, schema: TableSchema, column: str, days: Mapping[date, Sequence[Row]], *, rows_sha256: str
    ) -> TableState:
        """Write the days of a table that say something else, beside the table as it was.

        Raises as `write` does, also `TableError` if two days hold a row of one key: then the whole has to be read.
        """
        last, newer = self._last_known(schema.name), newer_of(schema.name)
        before = self._sources[newer].read_bytes() if newer in self._sources else None
        data, row_count = add_days(schema, self._sources[schema.name].read_bytes(), before, column, days)
        path = self._beside / "tables" / f"{newer}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.replace(path, data)
        state = replace(last, read_at=self._now, row_count=row_count, rows_sha256=rows_sha256, kept=None)
        digest = hashlib.sha256(data).hexdigest()
        self._tables[newer] = replace(state, name=newer, sha256=digest, byte_count=len(data), taken_at=self._now)
        self._tables[schema.name] = state
        return state

    def confirm(self, name: str) -> TableState:
        """A table was read, and is what the snapshot before holds."""
        self._forget_written(name)
        for part in {name, *self._parts(name)}:
            self._tables[part] = replace(self._last_known(part), read_at=self._now, kept=None)
        return self._tables[name]

    def keep(self, name: str, reason: str) -> None:
        """A table could not be read, or was not believed: it stays as it was, and the manifest says since when."""
        self._forget_written(name)
        before = self._last.tables.get(name) if self._last is not None else None
        kept = before.kept if before is not None else self._last.missing.get(name) if self._last is not None else None
        kept = Kept(kept.since if kept is not None else self._now, reason)
        if self.last(name) is None:
            self._missing[name] = kept
            return
        for part in self._parts(name):
            state = self._last_known(part)
            read_at = freshness.last_read(self._cache_path, state)
            self._tables[part] = replace(state, read_at=read_at, kept=kept)

    def files_of(self, name: str) -> str:
        """The hashes of the files of which a table is made in this snapshot."""
        return " ".join(self._tables[part].sha256 for part in (name, newer_of(name)) if part in self._tables)

    def last_files_of(self, name: str) -> str:
        """The same of the snapshot before; empty where they are not whole."""
        if self._last is None or self.last(name) is None:
            return ""
        return " ".join(self._last.tables[part].sha256 for part in self._parts(name))

    def commit(self, judge: Judge = unjudged, slow_judge: Judge = unjudged) -> Snapshot | None:
        """Make the snapshot the newest one; None when it would say nothing new, and only freshness is noted.

        What `judge` doubts, or `slow_judge` of a week, keeps it apart: the snapshot before stays the newest, and the
        one that is quarantined since it began is given, so long as the tables look like that one.

        Raises `CacheError` if it cannot be written. The snapshot before still stands.
        """
        try:
            held = quarantined(self._cache_path, self._trust)
            if not held and not self._says_something_new():
                freshness.confirm(self._cache_path, self._tables.values())
                return None
            for name in self._tables.keys() & self._sources.keys():
                self._link(name)
            manifest = Manifest(self._now, self._tables, self._missing, self._before, site_name=self._trust.site_name)
            made = Snapshot("", self._beside, manifest)
            doubts = self._doubts(made, judge, slow_judge)
            alike = (one for one in held if not doubts_between(one, made, judge))
            stands = next(alike, held[-1] if len(held) >= MOST_QUARANTINED else None) if doubts else None
            if stands is not None:
                return stands
            said = replace(manifest, quarantined=tuple(doubts)).to_json()
            return publish(self._cache_path, self._beside, signed(said, self._key))
        except (OSError, ManifestError) as error:
            raise not_written(self._cache_path, error) from error

    def _doubts(self, made: Snapshot, judge: Judge, slow_judge: Judge) -> list[str]:
        if self._last_snapshot is None:
            return []
        found = doubts_between(self._last_snapshot, made, judge)
        return found or slow_doubts_of(self._cache_path, self._last_snapshot, made, slow_judge, self._trust)

    def discard(self) -> None:
        """Leave nothing of an attempt that was not committed."""
        shutil.rmtree(self._beside, ignore_errors=True)

    def _says_something_new(self) -> bool:
        """Another row, another table, another reason, or a file made anew: anything but the times of reading."""
        if self._last is None or self.faults:
            return True
        if self._missing != self._last.missing or self._tables.keys() != self._last.tables.keys():
            return True
        before = self._last.tables
        return any(
            (state.sha256, state.kept) != (before[name].sha256, before[name].kept)
            for name, state in self._tables.items()
        )

    def _parts(self, name: str) -> list[str]:
        """What the snapshot before has of a table: its file, and that of its newer days."""
        return [part for part in (name, newer_of(name)) if part in self._sources]

    def _forget_written(self, name: str) -> None:
        """What was written of it in this run is not believed after all."""
        for part in (name, newer_of(name)):
            self._tables.pop(part, None)
            (self._beside / "tables" / f"{part}.parquet").unlink(missing_ok=True)

    def _last_known(self, name: str) -> TableState:
        state = self.last(name)
        if state is None:
            raise ValueError(f"no snapshot before this one holds table {name}")
        return state

    def _link(self, name: str) -> None:
        """Take a table's file over from the snapshot before, unless it was written."""
        path = self._beside / "tables" / f"{name}.parquet"
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.hardlink_to(self._sources[name])
        except OSError:  # the disk knows none, or this file has as many as it may
            durable.replace(path, self._sources[name].read_bytes())


@contextlib.contextmanager
def open_writer(
    cache_path: Path, now: datetime, key: Ed25519PrivateKey | None = None, trust: Trust = EVERYBODY
) -> Iterator[SnapshotWriter]:
    """A new snapshot in the making; whatever is not committed leaves nothing. `now` is aware; `key` signs it.

    One writer at a time: hold the lock of the job `snapshot_tables`. With a key, nothing is taken over from a snapshot
    that no key of `trust`, nor this one, has signed.
    """
    for left_over in _folders(cache_path, BESIDE, ASIDE):
        shutil.rmtree(left_over, ignore_errors=True)
    writer = SnapshotWriter(cache_path, now, key, trust)
    try:
        yield writer
    finally:
        writer.discard()


def _last_state(cache_path: Path, trust: Trust) -> tuple[dict[str, Path], Snapshot | None, list[str]]:
    """The newest snapshot, where those of its tables lie that are whole, and what is not.

    What is damaged is as good as never written: the run that finds it reads everything anew.
    """
    try:
        snapshot_id = current_id(cache_path)
        if snapshot_id is not None:
            last = load_snapshot(cache_path, snapshot_id, trust)
            faults = {name: fault_of_file(last, name) for name in last.manifest.tables}
            whole = {name: last.file(name) for name, fault in faults.items() if not fault}
            return whole, last, [fault for fault in faults.values() if fault]
    except ManifestError as error:
        return {}, None, [str(error)]
    return {}, None, []


def _folders(cache_path: Path, *prefixes: str) -> list[Path]:
    try:
        return [path for path in (cache_path / FOLDER).iterdir() if path.name.startswith(prefixes)]
    except OSError:
        return []
