"""The sites of a network, each as its copy says: the newest state that verifies, kept here as a small cache of its own.

A site that cannot be reached, or of which nothing verifies, is shown as it was last, and says so.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from recovery.cache.copy_age import newest_proof
from recovery.cache.manifests import FOLDER
from recovery.cache.store import Cache
from recovery.entries.machines import MachineEntry
from recovery.entries.priority_entries import PriorityEntry
from recovery.host import durable, system
from recovery.settings.config import STOP_AFTER, CacheSettings, Config, Site
from recovery.settings.sites import SiteCopy
from recovery.settings.trust import Trust
from recovery.sites.manifests import HISTORY, CopyError, SiteManifest
from recovery.sites.place import PlaceError, place_of
from recovery.sites.reading import last_seen, note_seen, read_site, seen_file
from recovery.sites.restoring import site_of, trust_in
from recovery.sites.staging import ENTRIES, RUNS, unpack
from recovery.tables.schema import ON_TREATMENT
from recovery.words.notices import LOOK_MARK, STOP_MARK
from recovery.words.refusals import RefusedError
from recovery.words.times import age

TABLES = frozenset({"schedule", "plan_fields", "setup_notes", "patients"})
_MANIFEST = "site.json"


@dataclass(frozen=True, slots=True)
class SiteSeen:
    """A site as it is shown. `cache_path`: its small cache; None where there never was one. `said`: what is wrong.

    `taken_at`: of the state; `proven_at`: when its own jobs last proved everything. Both aware.
    """

    copy: str
    site: str
    clinic: str
    mark: str = ""
    said: str = ""
    cache_path: Path | None = None
    taken_at: datetime | None = None
    proven_at: datetime | None = None
    time_zone: str = "UTC"


def look(config: Config, copy: SiteCopy, now: datetime) -> SiteSeen:
    """Bring what is new of a site here, and tell how it is."""
    site, trust = site_of(config, copy), trust_in(config, copy).until(now)
    folder, seen = config.cache_path / "network" / copy.name, seen_file(config.cache_path, copy.name)
    doubts: tuple[str, ...] = ()
    fault = ""
    try:
        known, near = last_seen(seen)[0], (newest := _newest(folder)) and newest / "cache"
        state = read_site(place_of(copy, config.file.parent), site, trust, known, _is_shown, near)
        doubts = state.doubts
        _keep(folder, state.manifest, state.files)
        if state.name > known:  # who writes this copy here tells by it since when nothing went there
            with suppress(OSError):
                note_seen(seen, state.name, now)
    except PlaceError as error:
        fault = f"cannot be reached: ask the clinic itself. Its IT looks for the cause: {error}"
    except CopyError as error:
        fault = f"is not believed: ask the clinic itself. Its IT looks for the cause: {error}"
    except OSError as error:
        fault = f"cannot be kept here: {error}"
    return _told(SiteSeen(copy.name, site, site), folder, trust, now, fault, doubts)


def as_last(config: Config, copy: SiteCopy, now: datetime, fault: str) -> SiteSeen:
    """A site as it was when it was looked at last, without asking its copy."""
    trust, folder = trust_in(config, copy).until(now), config.cache_path / "network" / copy.name
    site = site_of(config, copy)
    return _told(SiteSeen(copy.name, site, site), folder, trust, now, fault, ())


def opened_in(folder: Path, config: Config, name: str, now: datetime) -> tuple[Config, Cache, list[str]]:
    """All of a site's newest state that verifies, unpacked in a folder: the config of that clinic as far as its copy
    tells it, its cache, and what is to be said of its age and of what is not as it should be.

    Raises `RefusedError` if there is none, or none can be had.
    """
    copy = next((one for one in config.site_copies if one.name == name), None)
    if copy is None:
        known = ", ".join(one.name for one in config.site_copies) or "none"
        raise RefusedError(f"The config has no [[site_copies]] {name}; known: {known}")
    site, trust = site_of(config, copy), trust_in(config, copy).until(now)
    try:
        known = last_seen(seen_file(config.cache_path, copy.name))[0]
        state = read_site(place_of(copy, config.file.parent), site, trust, known, lambda path: path != HISTORY)
        unpack(state.files, folder / "cache")
    except (CopyError, OSError) as error:
        raise RefusedError(f"The copy {name} cannot be used: {error}") from error
    of = state.manifest
    said = [f"The copy {name} of {of.clinic} is {age(now - of.taken_at)} old.", *state.doubts]
    said += [] if trust.public_keys else [f"It is unsigned: the config has no public_keys of {name}."]
    there = replace(config, site=Site(of.clinic, of.time_zone, site), cache=CacheSettings(str(folder / "cache")))
    return there, Cache(there.cache_path, trust=trust), said


def _told(seen: SiteSeen, folder: Path, trust: Trust, now: datetime, fault: str, doubts: tuple[str, ...]) -> SiteSeen:
    newest = _newest(folder)
    if newest is None:
        return replace(seen, mark=STOP_MARK, said=f"{seen.copy} {fault}")
    try:
        manifest = SiteManifest.from_json((newest / _MANIFEST).read_bytes())
    except (OSError, CopyError):
        return replace(
            seen, mark=STOP_MARK, said=". ".join(filter(None, (fault, "what was kept of it here is damaged")))
        )
    cache_path = newest / "cache"
    proven_at, elapsed = newest_proof(Cache(cache_path)), now - manifest.taken_at
    said = [f"{seen.copy} {fault}. What is shown came before" if fault else "", *doubts]
    said += [] if trust.public_keys else ["unsigned: the config has no public_keys of it"]
    said += [f"stale: its copy is {age(elapsed)} old"] if elapsed > STOP_AFTER else []
    said += ["nothing is proven there"] if proven_at is None else []
    is_stop = fault or elapsed > STOP_AFTER or proven_at is None
    mark = STOP_MARK if is_stop else LOOK_MARK if any(said) else ""
    words = ". ".join(filter(None, said))
    here = (cache_path, manifest.taken_at, proven_at, manifest.time_zone)
    return SiteSeen(seen.copy, seen.site, manifest.clinic, mark, words, *here)


def _is_shown(path: str) -> bool:
    """What a network's list, machine day, priorities and ages are made of; nobody's records and photos."""
    if path.startswith(f"{FOLDER}/"):
        name = path.rpartition("/")[2].removesuffix(".parquet").removesuffix("_newer")
        return not path.endswith(".parquet") or name in TABLES
    entries = {f"{ENTRIES}/{kind.FILE}" for kind in (PriorityEntry, MachineEntry)}
    return path in {f"tables/{ON_TREATMENT.name}.parquet", RUNS, *entries}


def _keep(folder: Path, manifest: SiteManifest, files: dict[str, bytes]) -> None:
    """Make a state the newest here: its folder gets its name when it is whole; older ones go."""
    final = folder / f"{manifest.number:010d}-{manifest.made_at:%Y%m%dT%H%M%S}"
    if (final / _MANIFEST).exists() and (final / _MANIFEST).read_bytes() == manifest.to_json():
        return
    shutil.rmtree(final, ignore_errors=True)
    beside = folder / f".new-{final.name}"
    shutil.rmtree(beside, ignore_errors=True)
    unpack(files, beside / "cache")
    durable.replace(beside / _MANIFEST, manifest.to_json())
    system.move(beside, final)
    for older in sorted(folder.glob("[0-9]*"))[:-2]:  # somebody may be reading the one before
        shutil.rmtree(older, ignore_errors=True)


def _newest(folder: Path) -> Path | None:
    return max(folder.glob("[0-9]*"), default=None)
