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
from recovery.cache.errors import CacheError
from recovery.cache.manifests import (
    FOLDER,
    MANIFEST,
    POINTER,
    Kept,
    Manifest,
    ManifestError,
    Snapshot,
    TableState,
    before_of,
    current_id,
    fault_of_file,
    id_of,
    load_snapshot,
)
from recovery.cache.store import Cache
from recovery.host import durable, system
from recovery.settings.trust import EVERYBODY, own_trust, signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from recovery.settings.trust import Trust
    from recovery.tables.schema import Row, TableSchema, TableSnapshot

_BESIDE = ".new-"
_ASIDE = ".old-"


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
        self._beside = cache_path / FOLDER / f"{_BESIDE}{os.getpid()}"
        self._sources, last, self.faults = _last_state(cache_path, own_trust(key, trust))
        self._last = last.manifest if last is not None else None
        self._before = before_of(last) if last is not None else None
        self._tables: dict[str, TableState] = {}
        self._missing: dict[str, Kept] = {}

    def last(self, name: str) -> TableState | None:
        """What the snapshot before says of a table whose file is whole; None without one."""
        return self._last.tables.get(name) if self._last is not None and name in self._sources else None

    def write(
        self, schema: TableSchema, rows: Iterable[Row], *, source: str, query_sha256: str | None, rows_sha256: str
    ) -> TableState:
        """Write a table that is new or has changed.

        Raises `TableError` if the rows do not fit the schema. The table may still be kept. Raises `CacheError` if the
        disk is full or not writable. The snapshot before still stands.
        """
        made = Cache(self._beside).write(schema, rows, taken_at=self._now, source=source, query_sha256=query_sha256)
        return self._written(made, rows_sha256)

    def write_days(
        self, schema: TableSchema, column: str, days: Mapping[date, Sequence[Row]], *, rows_sha256: str
    ) -> TableState:
        """Write a table of which some days say something else: as it was, with these rows in their place.

        Raises as `write` does, also `TableError` if two days hold a row of one key: then the whole has to be read.
        """
        last = self._last_known(schema.name)
        made = Cache(self._beside).write_with_days(
            schema, self._sources[schema.name].read_bytes(), column, days, taken_at=self._now, source=last.source,
            query_sha256=last.query_sha256,
        )  # fmt: skip
        return self._written(made, rows_sha256)

    def confirm(self, name: str) -> TableState:
        """A table was read, and is what the snapshot before holds."""
        self._forget_written(name)
        self._tables[name] = replace(self._last_known(name), read_at=self._now, kept=None)
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
        state = self._last_known(name)
        read_at = freshness.last_read(self._cache_path, state)
        self._tables[name] = replace(state, read_at=read_at, kept=kept)

    def commit(self) -> Snapshot | None:
        """Make the snapshot the newest one; None when it would say nothing new, and only freshness is noted.

        Raises `CacheError` if it cannot be written. The snapshot before still stands.
        """
        try:
            if not self._says_something_new():
                freshness.confirm(self._cache_path, self._tables.values())
                return None
            for name in self._tables.keys() & self._sources.keys():
                self._link(name)
            manifest = Manifest(self._now, self._tables, self._missing, self._before).to_json()
            return _publish(self._cache_path, self._beside, signed(manifest, self._key))
        except (OSError, ManifestError) as error:
            raise _not_written(self._cache_path, error) from error

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

    def _forget_written(self, name: str) -> None:
        """What was written of it in this run is not believed after all."""
        (self._beside / "tables" / f"{name}.parquet").unlink(missing_ok=True)

    def _written(self, made: TableSnapshot, rows_sha256: str) -> TableState:
        data = made.path.read_bytes()
        self._tables[made.name] = TableState(
            made.name, hashlib.sha256(data).hexdigest(), len(data), made.row_count, self._now, self._now, made.source,
            made.query_sha256, rows_sha256,
        )  # fmt: skip
        return self._tables[made.name]

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
    for left_over in _folders(cache_path, _BESIDE, _ASIDE):
        shutil.rmtree(left_over, ignore_errors=True)
    writer = SnapshotWriter(cache_path, now, key, trust)
    try:
        yield writer
    finally:
        writer.discard()


def install(cache_path: Path, manifest: bytes, files: Mapping[str, bytes]) -> Snapshot:
    """Write a snapshot that came from elsewhere, bit for bit, and make it the newest. Hold the job's lock.

    Raises `CacheError` if it cannot be written. The snapshot before still stands. Raises `ManifestError` if the files
    are not those that the manifest names.
    """
    beside = cache_path / FOLDER / f"{_BESIDE}{os.getpid()}"
    try:
        (beside / "tables").mkdir(parents=True)
        for name, data in files.items():
            durable.replace(beside / "tables" / f"{name}.parquet", data)
        return _publish(cache_path, beside, manifest)
    except OSError as error:
        raise _not_written(cache_path, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _publish(cache_path: Path, beside: Path, manifest: bytes) -> Snapshot:
    """Complete a folder with its manifest, give it its name, and point at it.

    Raises `OSError` if it cannot be written; `ManifestError` if its files are not those that the manifest names.
    """
    said = Manifest.from_json(manifest)
    (beside / "tables").mkdir(parents=True, exist_ok=True)
    system.sync_folder(beside / "tables")
    durable.replace(beside / MANIFEST, manifest)
    made = Snapshot(id_of(manifest, said.taken_at), beside, said)
    if fault := _fault(made):
        raise ManifestError(fault)
    folder = cache_path / FOLDER / made.snapshot_id
    aside = folder.with_name(f"{_ASIDE}{folder.name}")
    stands = replace(made, folder=folder)
    if folder.exists() and not _stands(cache_path, stands):  # the same snapshot, damaged since
        system.move(folder, aside)
    if not folder.exists():
        system.move(beside, folder)
    system.sync_folder(folder.parent)
    durable.replace(folder.parent / POINTER, f"{folder.name}\n".encode())
    shutil.rmtree(aside, ignore_errors=True)
    return stands


def _fault(snapshot: Snapshot) -> str:
    return next((fault for name in snapshot.manifest.tables if (fault := fault_of_file(snapshot, name))), "")


def _stands(cache_path: Path, snapshot: Snapshot) -> bool:
    try:
        return not _fault(load_snapshot(cache_path, snapshot.snapshot_id))
    except ManifestError:
        return False


def _not_written(cache_path: Path, error: Exception) -> CacheError:
    if isinstance(error, CacheError):
        return error
    return CacheError(f"{cache_path / FOLDER} cannot be written: {error}. The snapshot before still stands.")


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
