"""`python -m recovery rebuild --from-copy NAME`: the cache, and what people entered, from a copy off site alone.

How
    The newest state that verifies is read whole before anything is written. The snapshot and the tables come back where
    there are none here, or damaged or older ones: nobody trades a good one for an older. What people entered is put
    together. An opened rescue bundle is taken in by the same door (`take_cache`).
"""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recovery.cache.damages import damaged_parts, damaged_tables
from recovery.cache.errors import CacheError
from recovery.cache.journal import Journal
from recovery.cache.manifests import ManifestError, fault_of_file
from recovery.cache.snapshot_publishing import install
from recovery.cache.store import Cache
from recovery.entries.statement_lines import take_entries
from recovery.host import system
from recovery.settings.trust import Trust, trust_of
from recovery.sites.manifests import HISTORY, CopyError
from recovery.sites.place import PlaceError, place_of
from recovery.sites.reading import last_seen, note_seen, read_site, seen_file
from recovery.sites.staging import RUNS, unpack
from recovery.tables.schema import ON_TREATMENT, TREATMENT_RECORDS
from recovery.words.printable import tell
from recovery.words.refusals import RefusedError
from recovery.words.times import age
from recovery.words.values import counted

if TYPE_CHECKING:
    from datetime import datetime

    from recovery.settings.config import Config
    from recovery.settings.sites import SiteCopy


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
    room = config.cache_path / ".from-copy"
    try:
        shutil.rmtree(room, ignore_errors=True)
        unpack(state.files, room / "cache")
        take_cache(Cache(room / "cache", trust=trust), Cache(config.cache_path, trust=trust), restored)
    finally:
        shutil.rmtree(room, ignore_errors=True)
    note_seen(seen, state.name, now)
    return restored


def take_cache(there: Cache, own: Cache, restored: Restored) -> None:
    """Make another cache, which verifies, this computer's where it is newer or this one is damaged, and tell.

    Raises `OSError` if something cannot be written.
    """
    came = take_entries(there.path, own.path)
    restored.said += [f"{counted(came.new, 'statement')} of people came with it."] if came.new else []
    restored.problems += came.aside
    try:
        restored.said.append(_take_snapshot(there, own))
    except CacheError as error:
        restored.problems.append(f"Its snapshot of the R&V database's tables was not restored: {error}")
    try:
        is_taken = _take_list(there, own)
    except CacheError as error:
        restored.problems.append(f"It holds no tables of the list: {error}")
        return
    stays = "The tables of the list here are whole and not older: they stay."
    taken = f"The tables of the list restored, {counted(own.snapshot(ON_TREATMENT).row_count, 'row')} in on_treatment."
    restored.said.append(taken if is_taken else stays)


def _take_snapshot(there: Cache, own: Cache) -> str:
    """Make another cache's snapshot this one's unless it has one that is whole and not older; a sentence of it.

    Raises `CacheError` if it is not what was written, or cannot be written.
    """
    if (snapshot := there.open_snapshot()) is None:
        return "It holds no snapshot of the R&V database's tables."
    manifest = snapshot.manifest
    with suppress(CacheError):
        held = own.open_snapshot()
        is_whole = held is not None and not any(fault_of_file(held, name) for name in held.manifest.tables)
        if held is not None and is_whole and held.manifest.taken_at >= manifest.taken_at:
            return "The snapshot here is whole and not older: it stays."
    try:
        files = {name: snapshot.file(name).read_bytes() for name in manifest.tables}
        install(own.path, snapshot.manifest_file.read_bytes(), files)
    except (ManifestError, OSError) as error:
        raise CacheError(str(error)) from error
    rows = sum(table.row_count for table in manifest.tables.values())
    return f"{len(files)} tables of the R&V database restored, {rows} rows."


def _take_list(there: Cache, own: Cache) -> bool:
    """Make another cache's own tables this one's, unless they are whole here and not older.

    Raises `CacheError` if there are none; `OSError` if they cannot be written.
    """
    taken_at = there.snapshot(ON_TREATMENT).taken_at
    with suppress(CacheError):
        is_whole = not (damaged_tables(own.path) or damaged_parts(own.path))
        if is_whole and all(own.snapshot(one).taken_at >= taken_at for one in (ON_TREATMENT, TREATMENT_RECORDS)):
            return False
    beside = own.path / ".carried"
    shutil.rmtree(beside, ignore_errors=True)
    for name in (name for name in ("resting", "tables") if (there.path / name).is_dir()):
        shutil.copytree(there.path / name, beside / name)
        if (own.path / name).exists():
            system.move(own.path / name, beside / f"old-{name}")
        system.move(beside / name, own.path / name)
    shutil.rmtree(beside, ignore_errors=True)
    journal = Journal(own.path)  # its end tells how old the newest proof is
    if (there.path / RUNS).exists() and not journal.runs():
        if journal.path.exists():
            shutil.copyfile(journal.path, journal.path.with_name(f"{journal.path.name}.before"))
        shutil.copyfile(there.path / RUNS, journal.path)
    return True
