"""Make a folder of tables and its manifest the newest snapshot: its name is given, and the pointer set, last."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from recovery.cache.errors import CacheError
from recovery.cache.manifests import (
    FOLDER,
    MANIFEST,
    POINTER,
    Manifest,
    ManifestError,
    Snapshot,
    fault_of_file,
    id_of,
    load_snapshot,
)
from recovery.host import durable, system

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BESIDE = ".new-"
ASIDE = ".old-"


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


def publish(cache_path: Path, beside: Path, manifest: bytes) -> Snapshot:
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
    aside = folder.with_name(f"{ASIDE}{folder.name}")
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


def not_written(cache_path: Path, error: Exception) -> CacheError:
    if isinstance(error, CacheError):
        return error
    return CacheError(f"{cache_path / FOLDER} cannot be written: {error}. The snapshot before still stands.")
