"""Which snapshots of the relational tables there are, whether they are whole, and how long they are kept.

How
    Every folder of `<cache>/snapshots` that bears a snapshot's name is one; `manifests` says how it is laid out.
    `Cache(cache_path, snapshot_id)` reads its tables.

Why thinned out
    A clinic's tables change every ten minutes of its day. What was is wanted back by the day, not by the minute.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from recovery.cache.manifests import FOLDER, ManifestError, current_id, fault_of_file, load_snapshot, taken_at_of
from recovery.host import system
from recovery.host.believed_ages import believed_ages

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from recovery.cache.manifests import Kept, TableState

KEEP_ALL = timedelta(days=2)
"""How long every snapshot is kept; older ones are kept one a day, the last."""


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """One snapshot as a list shows it. `taken_at` is aware, UTC, to the second.

    `fault` says why it cannot be trusted, as far as its manifest alone tells; `verify_snapshot` looks at every file.
    """

    snapshot_id: str
    taken_at: datetime
    is_newest: bool
    tables: tuple[TableState, ...] = ()
    missing: tuple[tuple[str, Kept], ...] = ()
    fault: str = ""

    @property
    def kept(self) -> tuple[TableState, ...]:
        """The tables that this snapshot took over because they could not be read or were not believed."""
        return tuple(state for state in self.tables if state.kept is not None)


def list_snapshots(cache_path: Path) -> list[SnapshotInfo]:
    """All snapshots, newest first; one that is damaged is among them and says so.

    Raises `OSError` if the folder is there and cannot be read.
    """
    try:
        newest = current_id(cache_path)
    except ManifestError:
        newest = None
    infos = []
    for snapshot_id in reversed(_ids(cache_path)):
        taken_at = taken_at_of(snapshot_id)
        if taken_at is None:
            continue
        try:
            manifest = load_snapshot(cache_path, snapshot_id).manifest
        except ManifestError as error:
            infos.append(SnapshotInfo(snapshot_id, taken_at, snapshot_id == newest, fault=str(error)))
            continue
        tables, missing = tuple(manifest.tables.values()), tuple(manifest.missing.items())
        infos.append(SnapshotInfo(snapshot_id, taken_at, snapshot_id == newest, tables, missing))
    return infos


def verify_snapshot(cache_path: Path, snapshot_id: str) -> list[str]:
    """Compare every file of a snapshot with its manifest; a sentence for each that does not verify."""
    if taken_at_of(snapshot_id) is None:
        return [f"{snapshot_id}: that is not a snapshot's name"]
    try:
        snapshot = load_snapshot(cache_path, snapshot_id)
    except ManifestError as error:
        return [f"{snapshot_id}: {error}"]
    faults = [fault for name in snapshot.manifest.tables if (fault := fault_of_file(snapshot, name))]
    expected = {snapshot.file(name).name for name in snapshot.manifest.tables}
    found = {path.name for path in (snapshot.folder / "tables").glob("*")}
    faults += [f"{name} is not in the manifest" for name in sorted(found - expected)]
    return [f"{snapshot_id}: {fault}" for fault in faults]


def prune(cache_path: Path, keep_days: int) -> list[str]:
    """Delete what is older than `keep_days`, and of each day but the last two all but its last; returns their names.

    Ages are counted from the newest snapshot, which always stays: a cache that was not written for a year still has
    its history. A file that another snapshot shares stays with that one, because both are hard links to it.
    """
    try:
        newest = current_id(cache_path)
        ids = _ids(cache_path)
    except (ManifestError, OSError):
        return []  # who does not know what is newest deletes nothing
    newest_at = taken_at_of(newest) if newest is not None else None
    if newest_at is None:
        return []
    made = [(snapshot_id, at) for snapshot_id in ids if (at := taken_at_of(snapshot_id)) and at <= newest_at]
    last_of_day = {at.date(): snapshot_id for snapshot_id, at in made}
    keep = timedelta(days=keep_days)
    doomed = []
    for (snapshot_id, at), age in zip(made, believed_ages([at for _, at in made], newest_at, keep), strict=True):
        is_old = age > keep or last_of_day[at.date()] != snapshot_id
        if is_old and age > KEEP_ALL and snapshot_id != newest:
            doomed.append(snapshot_id)
    for snapshot_id in doomed:
        _delete(cache_path / FOLDER / snapshot_id)
    return doomed


def _delete(folder: Path) -> None:
    """Take its name first: a run that is killed here leaves no half of a snapshot under a whole one's name."""
    aside = folder.with_name(f".old-{folder.name}")
    try:
        system.move(folder, aside)
    except OSError:
        return  # the next run tries again
    shutil.rmtree(aside, ignore_errors=True)


def _ids(cache_path: Path) -> list[str]:
    """The names of all snapshots, oldest first."""
    try:
        return sorted(path.name for path in (cache_path / FOLDER).iterdir() if taken_at_of(path.name) is not None)
    except FileNotFoundError:
        return []
