"""Make a folder of tables and its manifest the newest snapshot: its name is given, and the pointer set, last.

One that is quarantined gets its name, and nothing points at it until somebody accepts it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from recovery.cache.errors import CacheError
from recovery.cache.manifests import (
    FOLDER,
    MANIFEST,
    POINTER,
    Before,
    Manifest,
    ManifestError,
    Snapshot,
    before_of,
    current_id,
    fault_of_file,
    fault_of_file_once,
    id_of,
    is_newer,
    load_snapshot,
    newer_of,
)
from recovery.cache.newer_days import whole_table
from recovery.cache.snapshots import oldest_since
from recovery.host import durable, system
from recovery.settings.trust import signed
from recovery.tables.relational import RELATIONAL_TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from recovery.settings.trust import Trust

BESIDE = ".new-"
ASIDE = ".old-"

SLOWLY = timedelta(days=7)

Judge = Callable[[str, pa.Table, pa.Table, bool], list[str]]
"""Says what is to be doubted: a table's name, as it was, as it is, and whether the same query told both."""


def unjudged(*_: object) -> list[str]:
    """A judge who doubts nothing."""
    return []


def doubts_between(before: Snapshot, after: Snapshot, judge: Judge, last: Snapshot | None = None) -> list[str]:
    """What is doubted of the tables that differ between two snapshots. One whose file is lost is not compared, nor what
    is as in the `last`: that was judged then."""
    found = []
    for name, state in after.manifest.tables.items():
        old = before.manifest.tables.get(name)
        if (
            is_newer(name)
            or old is None
            or _hashes(after, name) in (_hashes(before, name), last and _hashes(last, name))
        ):
            continue
        if any(fault_of_file_once(before, part) for part in _hashes(before, name)):
            continue
        found += judge(name, _table(before, name), _table(after, name), state.query_sha256 == old.query_sha256)
    return found


def slow_doubts_of(cache_path: Path, last: Snapshot, after: Snapshot, judge: Judge, trust: Trust) -> list[str]:
    """What is doubted of all that changed since a week ago, or since a person last accepted what was doubted."""
    base = oldest_since(cache_path, after.manifest.taken_at - SLOWLY, trust)
    if base is None or base.snapshot_id == last.snapshot_id:
        return []
    found = doubts_between(base, after, judge, last)
    return [f"{said} since {base.manifest.taken_at:%Y-%m-%d %H:%M} UTC, little by little" for said in found]


def _hashes(snapshot: Snapshot, name: str) -> dict[str, str]:
    """Of a table's files: its own, and that of its newer days."""
    tables = snapshot.manifest.tables
    return {part: tables[part].sha256 for part in (name, newer_of(name)) if part in tables}


def _table(snapshot: Snapshot, name: str) -> pa.Table:
    return whole_table(RELATIONAL_TABLES[name], *(snapshot.file(part).read_bytes() for part in _hashes(snapshot, name)))


def install(cache_path: Path, manifest: bytes, files: Mapping[str, bytes]) -> Snapshot:
    """Write a snapshot that came from elsewhere, bit for bit, and make it the newest. Hold the job's lock.

    Raises `CacheError` if it cannot be written. The snapshot before still stands. Raises `ManifestError` if the files
    are not those that the manifest names.
    """
    beside = cache_path / FOLDER / f"{BESIDE}{os.getpid()}"
    try:
        (beside / "tables").mkdir(parents=True)
        for name, data in files.items():
            durable.replace(beside / "tables" / f"{name}.parquet", data)
        return publish(cache_path, beside, manifest)
    except OSError as error:
        raise not_written(cache_path, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def acceptable(cache_path: Path, snapshot_id: str, trust: Trust) -> tuple[Snapshot, Before]:
    """A quarantined snapshot about which nobody has decided, and the one that is current.

    Raises `ManifestError` if there is nothing to accept: no such snapshot, or one not quarantined, damaged or past.
    """
    held, current = load_snapshot(cache_path, snapshot_id, trust), current_id(cache_path)
    if not held.manifest.quarantined:
        raise ManifestError("it is not quarantined")
    if current is None or held.snapshot_id[:16] <= current[:16]:
        raise ManifestError("the tables have been believed since: there is nothing to accept")
    if fault := _fault(held):
        raise ManifestError(fault)
    return held, before_of(load_snapshot(cache_path, current, trust))


def accept(cache_path: Path, snapshot_id: str, key: Ed25519PrivateKey | None, trust: Trust) -> Snapshot:
    """Make a quarantined snapshot the newest: the same tables and time, in a manifest of its own. Hold the job's lock.

    Raises `CacheError` if it cannot be written. The snapshot before still stands. Raises `ManifestError` as
    `acceptable` does.
    """
    held, before = acceptable(cache_path, snapshot_id, trust)
    manifest = replace(held.manifest, quarantined=(), before=before).to_json()
    files = {name: held.file(name).read_bytes() for name in held.manifest.tables}
    return install(cache_path, signed(manifest, key), files)


def publish(cache_path: Path, beside: Path, manifest: bytes) -> Snapshot:
    """Complete a folder with its manifest, give it its name, and point at it unless it is quarantined.

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
    aside = folder.with_name(f"{ASIDE}{folder.name}")
    stands = replace(made, folder=folder)
    if folder.exists() and not _stands(cache_path, stands):  # the same snapshot, damaged since
        system.move(folder, aside)
    if not folder.exists():
        system.move(beside, folder)
    system.sync_folder(folder.parent)
    if not said.quarantined:
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


def not_written(cache_path: Path, error: Exception) -> CacheError:
    if isinstance(error, CacheError):
        return error
    return CacheError(f"{cache_path / FOLDER} cannot be written: {error}. The snapshot before still stands.")
