"""Which snapshots of the relational tables there are, whether they are whole, and how long they are kept.

How
    Every folder of `<cache>/snapshots` that bears a snapshot's name is one; `manifests` says how it is laid out.
    `Cache(cache_path, snapshot_id)` reads its tables.

Why thinned out
    A clinic's tables change every ten minutes of its day. What was is wanted back by the day, not by the minute.
"""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path

from recovery.cache.manifests import (
    FOLDER,
    Before,
    Kept,
    ManifestError,
    Snapshot,
    TableState,
    before_of,
    current_id,
    fault_of_file,
    fault_of_file_once,
    is_newer,
    load_snapshot,
    newer_of,
    taken_at_of,
)
from recovery.host import system
from recovery.host.clock import believed_ages
from recovery.settings.trust import EVERYBODY, Trust

FLOOR = 7
"""So many snapshots stay whatever their age."""

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
    quarantined: tuple[str, ...] = ()

    @property
    def kept(self) -> tuple[TableState, ...]:
        """The tables that this snapshot took over because they could not be read or were not believed."""
        return tuple(state for state in self.tables if state.kept is not None)


def newest_snapshot(cache_path: Path, snapshot_id: str | None, trust: Trust) -> Snapshot | None:
    """The newest snapshot, or the one that is named; None where there never was one.

    Raises `ManifestError` if it is not believed.
    """
    wanted = snapshot_id or current_id(cache_path)
    snapshot = load_snapshot(cache_path, wanted, trust) if wanted is not None else None
    if snapshot is not None and snapshot_id is None and snapshot.manifest.quarantined:
        raise ManifestError("it is quarantined, and somebody named it the newest")
    return snapshot


def quarantined(cache_path: Path, trust: Trust = EVERYBODY) -> list[Snapshot]:
    """The snapshots that care does not explain and nobody has decided about, oldest first: all since the newest."""
    try:
        newest = current_id(cache_path)
    except ManifestError:
        return []
    found: list[Snapshot] = []
    for snapshot_id in [one for one in snapshot_ids(cache_path) if newest is not None and one[:16] > newest[:16]]:
        with suppress(ManifestError):
            found.append(load_snapshot(cache_path, snapshot_id, trust))
    return [snapshot for snapshot in found if snapshot.manifest.quarantined]


def oldest_since(cache_path: Path, since: datetime, trust: Trust = EVERYBODY) -> Snapshot | None:
    """The oldest that is believed since then, and since the last that a person accepted: that bears the time of the
    quarantined one that it was."""
    ids = snapshot_ids(cache_path)
    accepted = [one[:16] for one, other in pairwise(ids) if one[:16] == other[:16]]
    first = max([f"{since.astimezone(UTC):%Y%m%dT%H%M%SZ}", *accepted])
    for snapshot_id in (one for one in ids if one[:16] >= first):
        with suppress(ManifestError):
            if not (found := load_snapshot(cache_path, snapshot_id, trust)).manifest.quarantined:
                return found
    return None


def in_words(held: Snapshot) -> str:
    """What is said of a quarantined snapshot, and what to do; it names no patient."""
    return (
        "What the R&V database tells is quarantined, and the last good state of its tables stays current: "
        f"{'; '.join(held.manifest.quarantined)}. Look at the R&V system first. If it is right, a physicist accepts "
        f"it: `python -m recovery accept-snapshot {held.snapshot_id} --by NAME --reason WHY`"
    )


def last_that_verifies(cache_path: Path, snapshot_id: str | None, trust: Trust) -> Snapshot | None:
    """The newest snapshot, or the one that is named; where it is not believed, the last one that is. None: no snapshot.

    A table of it whose file is not what was written comes from the last snapshot that has it whole, and is called kept.

    Raises `ManifestError` if no snapshot is believed: what is wrong with the newest.
    """
    doubts: list[str] = []
    try:
        newest = newest_snapshot(cache_path, snapshot_id, trust)
        if newest is None:
            return None
        snapshot = newest
    except ManifestError as error:
        doubts.append(
            f"The newest snapshot of the R&V database's tables is not believed: {error}. An older one stands in for "
            "it: `python -m recovery verify` says what was changed."
        )
        found = next(_believed(cache_path, trust), None)
        if found is None:
            raise
        snapshot = found
    if snapshot_id is None:
        doubts += [f"{in_words(held)}." for held in quarantined(cache_path, trust)[:1]]
    return _mended(cache_path, replace(snapshot, doubts=tuple(doubts)), trust)


def _believed(cache_path: Path, trust: Trust) -> Iterator[Snapshot]:
    """The snapshots whose manifests are believed, newest first."""
    for snapshot_id in reversed(snapshot_ids(cache_path)):
        with suppress(ManifestError):
            snapshot = load_snapshot(cache_path, snapshot_id, trust)
            if not snapshot.manifest.quarantined:
                yield snapshot


def _mended(cache_path: Path, snapshot: Snapshot, trust: Trust) -> Snapshot:
    """The snapshot, with older tables in the place of those whose files are not what was written."""
    tables, elsewhere, doubts = dict(snapshot.manifest.tables), dict(snapshot.elsewhere), list(snapshot.doubts)
    for name in [name for name in snapshot.manifest.tables if not is_newer(name)]:
        fault = _fault_once(snapshot, name)
        older = _last_whole(cache_path, snapshot, name, trust) if fault else None
        if older is not None:
            for part in (name, newer_of(name)):  # newer days are of their own table's file, and of no other
                tables.pop(part, None)
                if (state := older.manifest.tables.get(part)) is not None:
                    tables[part], elsewhere[part] = replace(state, kept=Kept(state.read_at, fault)), older.file(part)
            doubts.append(f"{fault[:1].upper()}{fault[1:]}; an older state of it stands in for it.")
    return replace(
        snapshot, manifest=replace(snapshot.manifest, tables=tables), elsewhere=elsewhere, doubts=tuple(doubts)
    )


def _fault_once(snapshot: Snapshot, name: str) -> str:
    """What is wrong with a table's file, or that of its newer days."""
    parts = [part for part in (name, newer_of(name)) if part in snapshot.manifest.tables]
    return next((fault for part in parts if (fault := fault_of_file_once(snapshot, part))), "")


def _last_whole(cache_path: Path, than: Snapshot, name: str, trust: Trust) -> Snapshot | None:
    older = (one for one in _believed(cache_path, trust) if one.snapshot_id < than.snapshot_id)
    return next((one for one in older if name in one.manifest.tables and not _fault_once(one, name)), None)


def list_snapshots(cache_path: Path, trust: Trust = EVERYBODY) -> list[SnapshotInfo]:
    """All snapshots, newest first; one that is damaged is among them and says so.

    Raises `OSError` if the folder is there and cannot be read.
    """
    try:
        newest = current_id(cache_path)
    except ManifestError:
        newest = None
    infos = []
    for snapshot_id in reversed(snapshot_ids(cache_path)):
        taken_at = taken_at_of(snapshot_id)
        if taken_at is None:
            continue
        try:
            manifest = load_snapshot(cache_path, snapshot_id, trust).manifest
        except ManifestError as error:
            infos.append(SnapshotInfo(snapshot_id, taken_at, snapshot_id == newest, fault=str(error)))
            continue
        said = tuple(manifest.tables.values()), tuple(manifest.missing.items()), "", manifest.quarantined
        infos.append(SnapshotInfo(snapshot_id, taken_at, snapshot_id == newest, *said))
    return infos


def verify_snapshot(cache_path: Path, snapshot_id: str, trust: Trust = EVERYBODY) -> list[str]:
    """Compare every file of a snapshot with its manifest; a sentence for each that does not verify."""
    if taken_at_of(snapshot_id) is None:
        return [f"{snapshot_id}: that is not a snapshot's name"]
    try:
        snapshot = load_snapshot(cache_path, snapshot_id, trust)
    except ManifestError as error:
        return [f"{snapshot_id}: {error}"]
    faults = [fault for name in snapshot.manifest.tables if (fault := fault_of_file(snapshot, name))]
    expected = {snapshot.file(name).name for name in snapshot.manifest.tables}
    found = {path.name for path in (snapshot.folder / "tables").glob("*")}
    faults += [f"{name} is not in the manifest" for name in sorted(found - expected)]
    return [f"{snapshot_id}: {fault}" for fault in faults]


def prune(cache_path: Path, keep_days: int, trust: Trust = EVERYBODY, floor: int = FLOOR) -> list[str]:
    """Delete what is older than `keep_days`, and of each day but the last two all but its last; returns their names.

    Ages are counted from the newest snapshot, which always stays: a cache that was not written for a year still has
    its history. So do the last `floor` that are believed. Nothing goes unless every byte of the newest is what was
    written. A file that another snapshot shares stays with that one: both are hard links to it. One that is quarantined
    stays until somebody decides, and then as long as the last of a day.
    """
    try:
        newest = current_id(cache_path)
        ids = snapshot_ids(cache_path)
    except (ManifestError, OSError):
        return []  # who does not know what is newest deletes nothing
    newest_at = taken_at_of(newest) if newest is not None else None
    if newest is None or newest_at is None:
        return []
    made = [(snapshot_id, at) for snapshot_id in ids if (at := taken_at_of(snapshot_id)) and at <= newest_at]
    held = {one for one, at in made if newest_at - at > KEEP_ALL and _is_quarantined(cache_path, one)}
    last_of_day = {at.date(): snapshot_id for snapshot_id, at in made if snapshot_id not in held}
    keep = timedelta(days=keep_days)
    doomed = []
    for (snapshot_id, at), age in zip(made, believed_ages([at for _, at in made], newest_at, keep), strict=True):
        is_old = age > keep or (snapshot_id not in held and last_of_day[at.date()] != snapshot_id)
        if is_old and age > KEEP_ALL and snapshot_id != newest:
            doomed.append(snapshot_id)
    if not doomed or verify_snapshot(cache_path, newest, trust):
        return []
    stay = {one.snapshot_id for one in islice(_believed(cache_path, trust), floor)}
    doomed = [snapshot_id for snapshot_id in doomed if snapshot_id not in stay]
    for snapshot_id in doomed:
        _delete(cache_path / FOLDER / snapshot_id)
    return doomed


def _is_quarantined(cache_path: Path, snapshot_id: str) -> bool:
    with suppress(ManifestError):
        return bool(load_snapshot(cache_path, snapshot_id).manifest.quarantined)
    return False


def broken_chain(cache_path: Path, keep_days: int) -> list[str]:
    """Where the chain of manifests is not what was written, a sentence each: one was changed, or is gone.

    What pruning takes is no break, nor that a cache which was rebuilt begins with its first.
    """
    chain = list(_believed(cache_path, EVERYBODY))  # newest first
    found = []
    for number, snapshot in enumerate(chain):
        before, older = snapshot.manifest.before, chain[number + 1 :]
        named = next((one for one in older if before is not None and one.snapshot_id == before.snapshot_id), None)
        if before is None and any(one.manifest.before is not None for one in older):
            found.append(f"{snapshot.snapshot_id} names none before it: the one before was not what was written")
        elif named is not None and before_of(named) != before:
            found.append(f"{named.snapshot_id} is another than when {snapshot.snapshot_id} was made")
        elif before is not None and named is None and older and not _is_prunable(before, snapshot, chain[0], keep_days):
            found.append(f"{before.snapshot_id}, which was before {snapshot.snapshot_id}, is gone, and is not that old")
    return found


def _is_prunable(before: Before, after: Snapshot, newest: Snapshot, keep_days: int) -> bool:
    """Whether pruning may have taken the snapshot before another."""
    at = taken_at_of(before.snapshot_id)
    if at is None:
        return False
    age = newest.manifest.taken_at - at
    return age > KEEP_ALL and (age > timedelta(days=keep_days) or at.date() == after.manifest.taken_at.date())


def _delete(folder: Path) -> None:
    """Take its name first: a run that is killed here leaves no half of a snapshot under a whole one's name."""
    aside = folder.with_name(f".old-{folder.name}")
    try:
        system.move(folder, aside)
    except OSError:
        return  # the next run tries again
    shutil.rmtree(aside, ignore_errors=True)


def snapshot_ids(cache_path: Path) -> list[str]:
    """The names of all snapshots, oldest first."""
    try:
        return sorted(path.name for path in (cache_path / FOLDER).iterdir() if taken_at_of(path.name) is not None)
    except FileNotFoundError:
        return []
