"""`python -m recovery rebuild --from-copy NAME`: the cache, and what people entered, from a copy off site alone.

How
    The newest state that verifies is read whole before anything is written. The snapshot, the tables and each file of
    entries come back where there is none here, or one that is damaged or older: nobody trades a good one for an older.
"""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recovery.cache.damages import damaged_parts, damaged_tables
from recovery.cache.errors import CacheError
from recovery.cache.journal import Journal, lock
from recovery.cache.manifests import FOLDER, MANIFEST, Manifest, ManifestError, fault_of_file, id_of
from recovery.cache.snapshot_publishing import install
from recovery.cache.snapshots import newest_snapshot
from recovery.cache.store import Cache
from recovery.entries.charted import charted_folder
from recovery.entries.journal_parts import put_together, signed_text
from recovery.host.durable import replace
from recovery.host.entry_lines import entries_folder
from recovery.settings.trust import Trust, trust_of
from recovery.sites.manifests import HISTORY, CopyError
from recovery.sites.place import PlaceError, place_of
from recovery.sites.reading import SiteState, last_seen, note_seen, read_site, seen_file
from recovery.sites.staging import ENTRIES, RUNS
from recovery.tables.schema import ON_TREATMENT
from recovery.words.printable import tell
from recovery.words.refusals import RefusedError
from recovery.words.times import age

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from recovery.settings.config import Config
    from recovery.settings.sites import SiteCopy

_BEFORE = ".before"
"""What stood there and was not what was written stays under this name."""


@dataclass(slots=True)
class Restored:
    """What was restored, in sentences; `problems` are those of something that is not as it should be."""

    said: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def site_of(config: Config, copy: SiteCopy) -> str:
    return copy.site or config.site.known_as


def trust_in(config: Config, copy: SiteCopy) -> Trust:
    """Who signs a copy: for this clinic's own, its own keys."""
    if copy.public_keys or site_of(config, copy) != config.site.known_as:
        return Trust(tuple(copy.public_keys))
    return trust_of(config)


def run(config: Config, name: str, now: datetime) -> int:
    """Rebuild from the copy of this name; returns the exit status."""
    copy = next((one for one in config.own_copies if one.name == name), None)
    if copy is None:
        known = ", ".join(one.name for one in config.own_copies) or "none"
        raise RefusedError(f"The config has no [[site_copies]] {name} of this site; known: {known}")
    try:
        with lock(config.cache_path, "snapshot_tables"), lock(config.cache_path, "build_on_treatment"):
            restored = rebuild_from(config, copy, now)
    except (CopyError, PlaceError) as error:
        raise RefusedError(f"Nothing was restored from {name}: {error}") from error
    except OSError as error:
        raise RefusedError(f"Not everything was restored from {name}: {error}") from error
    tell(*restored.said)
    tell(*restored.problems, file=sys.stderr)
    return 1 if restored.problems else 0


def rebuild_from(config: Config, copy: SiteCopy, now: datetime) -> Restored:
    """Bring back what is lacking, damaged or older here. Hold the locks of the jobs that write it.

    Raises `CopyError` if no state verifies; `PlaceError` if the place cannot be reached: then nothing was written.
    Raises `CacheError` or `OSError` if something cannot be written.
    """
    seen, trust = seen_file(config.cache_path, copy.name), trust_in(config, copy).until(now)
    place = place_of(copy, config.file.parent)
    state = read_site(place, site_of(config, copy), trust, last_seen(seen)[0], lambda path: path != HISTORY)
    at = state.manifest.taken_at.astimezone(config.site.zone)
    elapsed = age(now - state.manifest.taken_at)
    restored = Restored([f"The copy {copy.name} is of {at:%Y-%m-%d %H:%M:%S}, {elapsed} old ({state.name[:10]})."])
    restored.problems += state.doubts
    if not trust.public_keys:
        restored.problems.append(f"Nobody's signature was asked for: the config names no key that signs {copy.name}.")
    _snapshot(config.cache_path, state, trust, restored)
    _tables(config.cache_path, state, restored)
    _journal(config.cache_path, state, restored)
    _entries(config.cache_path, state, restored)
    note_seen(seen, state.name, now)
    return restored


def _snapshot(cache_path: Path, state: SiteState, trust: Trust, restored: Restored) -> None:
    manifests = [path for path in state.files if path.startswith(f"{FOLDER}/") and path.endswith(f"/{MANIFEST}")]
    if not manifests:
        restored.said.append("It holds no snapshot of the R&V database's tables.")
        return
    folder, data = manifests[0].rpartition("/")[0], state.files[manifests[0]]
    try:
        manifest = Manifest.from_json(data)
        fault = trust.fault_of(data, id_of(data, manifest.taken_at), manifest.taken_at)
        if not fault and _has_as_new(cache_path, manifest, trust):
            restored.said.append("The snapshot here is whole and not older: it stays.")
            return
        if fault:
            restored.problems.append(f"The snapshot of the copy was not restored: {fault}.")
            return
        names = {name: f"{folder}/tables/{name}.parquet" for name in manifest.tables}
        install(cache_path, data, {name: state.files[path] for name, path in names.items() if path in state.files})
    except ManifestError as error:
        restored.problems.append(f"The snapshot of the copy was not restored: {error}.")
        return
    rows = sum(table.row_count for table in manifest.tables.values())
    restored.said.append(f"{len(manifest.tables)} tables of the R&V database restored, {rows} rows.")


def _has_as_new(cache_path: Path, manifest: Manifest, trust: Trust) -> bool:
    try:
        own = newest_snapshot(cache_path, None, trust)
    except ManifestError:
        return False
    is_whole = own is not None and not any(fault_of_file(own, name) for name in own.manifest.tables)
    return is_whole and own is not None and own.manifest.taken_at >= manifest.taken_at


def _tables(cache_path: Path, state: SiteState, restored: Restored) -> None:
    files = {path: data for path, data in state.files.items() if path.startswith(("tables/", "resting/"))}
    if not files:
        restored.problems.append("It holds no tables of the list.")
        return
    with suppress(CacheError):
        own = Cache(cache_path).snapshot(ON_TREATMENT).taken_at.replace(microsecond=0)
        if own >= state.manifest.taken_at and not (damaged_tables(cache_path) or damaged_parts(cache_path)):
            restored.said.append("The tables of the list here are whole and not older: they stay.")
            return
    shutil.rmtree(cache_path / "resting", ignore_errors=True)
    for path, data in sorted(files.items()):  # those that rest come first: the table that names them last
        _write(cache_path / path, data)
    restored.said.append(
        f"{len(files)} tables of the list restored. `python -m recovery rebuild` asks the RT-PACS anew."
    )


def _journal(cache_path: Path, state: SiteState, restored: Restored) -> None:
    """Where nothing of the journal of runs can be read, its end: it tells how old the newest proof is."""
    journal = Journal(cache_path)
    if RUNS not in state.files or journal.runs():
        return
    _aside(journal.path)
    _write(journal.path, state.files[RUNS])
    restored.said.append("The end of the journal of runs restored.")


def _entries(cache_path: Path, state: SiteState, restored: Restored) -> None:
    """What people entered: files that only grow. Journals of charted fractions are put together line by line."""
    folder, charted = entries_folder(cache_path), charted_folder(cache_path)
    parts = []
    for path, data in sorted(state.files.items()):
        if not path.startswith(f"{ENTRIES}/"):
            continue
        file = folder / path.removeprefix(f"{ENTRIES}/")
        if file.parent == charted:
            parts += [part for line in data.split(b"\n") if (part := signed_text(file.stem, line)) is not None]
            continue
        own = file.read_bytes() if file.exists() else b""
        if own.startswith(data):
            continue
        if not data.startswith(own):
            _aside(file)
            restored.problems.append(f"{file.name} was not what the copy has, and stays as {file.name}{_BEFORE}.")
        _write(file, data)
        restored.said.append(f"{file.name} restored.")
    new = sum(put_together(cache_path, parts).values()) if parts else 0
    restored.said += [f"{new} charted entries restored."] if new else []


def _aside(file: Path) -> None:
    if file.exists():
        _write(file.with_name(f"{file.name}{_BEFORE}"), file.read_bytes())


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace(file, data, private=file.suffix != ".parquet")
