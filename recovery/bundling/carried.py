"""The cache and what people entered, bit for bit, in a rescue bundle; and out of one, on a computer that has nothing.

Goal
    Dashboard, charts and binder from a stick alone. What was charted, signed or declared comes with the tables: a list
    without it would tell fewer fractions than were given.

How
    `cache/` and `cache-entries/` of a bundle lie as on the jobs' machine, so that whatever reads a cache reads them,
    with every seal and signature that they bear. They are taken in as a copy off site is (`recovery.sites.restoring`).
"""

from __future__ import annotations

import shutil
import tomllib
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from recovery.cache.copy_age import AHEAD
from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.store import Cache
from recovery.folder.sums import SUMS, UNSIGNED, is_signed_by, read_sums
from recovery.host.entry_lines import entries_folder
from recovery.packing.proof import hash_of
from recovery.sites.restoring import Restored, take_cache
from recovery.sites.staging import ENTRIES as STAGED_ENTRIES
from recovery.sites.staging import RUNS, files_of, tail_of
from recovery.tables.relational import ALL_TABLES
from recovery.tables.schema import ON_TREATMENT

CACHE = "cache"
ENTRIES = str(entries_folder(Path(CACHE)))


def carry_out(cache_path: Path, folder: Path) -> None:
    """Copy a cache, and what people entered, into a bundle. Raises `OSError` if a file cannot be read or written."""
    for source, path in files_of(cache_path):
        place = path if path.startswith(f"{STAGED_ENTRIES}/") else f"{CACHE}/{path}"
        target = folder / place.replace(f"{STAGED_ENTRIES}/", f"{ENTRIES}/", 1)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    with suppress(FileNotFoundError):
        (folder / CACHE / RUNS).write_bytes(tail_of(cache_path / RUNS))


def take_in(folder: Path, own: Cache, now: datetime) -> Restored:
    """Make an opened bundle's cache this computer's. Hold the locks of the jobs that write it.

    Raises `CacheError` if it is not what was written, not believed, or from the future; then nothing here is changed.
    """
    there, restored = Cache(folder / CACHE, trust=own.trust.until(now)), Restored()
    try:
        _prove(folder, there)
        if there.snapshot(ON_TREATMENT).taken_at > now + AHEAD:
            raise CacheError(f"{folder} says that it is of a time that has not come yet: nothing was taken in.")
        take_cache(there, own, restored)
    except OSError as error:
        raise CacheError(f"{folder} cannot be taken in: {error.strerror or error}. Look at the disk.") from error
    restored.said += [] if own.trust.public_keys else ["▲ Nobody's signature was asked for: the config names no key."]
    return restored


def _prove(folder: Path, there: Cache) -> None:
    """Raises `CacheError` unless each file is what the bundle's checksums say, and each table what it says itself."""
    try:
        text = (folder / SUMS).read_text(encoding="utf-8")
        sums = read_sums(text)
    except (OSError, ValueError) as error:
        raise CacheError(f"{folder} is no opened bundle: its {SUMS} cannot be read.") from error
    if there.trust.public_keys and not is_signed_by(text, there.trust.public_keys):
        raise CacheError(f"{folder} is not believed: {UNSIGNED}. Nothing was taken in.")
    name = _site_of(folder)
    if None not in {name, there.trust.site_name} and name != there.trust.site_name:
        raise CacheError(f"{folder} is a bundle of {name}, and this is {there.trust.site_name}: nothing was taken in.")
    parts = {path.relative_to(folder).as_posix() for name in (CACHE, ENTRIES) for path in (folder / name).rglob("*.*")}
    named = {path for path in sums if path.split("/")[0] in {CACHE, ENTRIES}}
    changed = [path for path in sorted(parts | named) if path not in sums or hash_of(folder / path) != sums[path]]
    if changed or not named:
        what = changed[0] if changed else f"it holds no {CACHE}"
        raise CacheError(f"{folder} is not what was written ({what}): nothing was taken in.")
    for schema in ALL_TABLES.values():
        with suppress(TableMissingError):
            there.columns(schema)


def _site_of(folder: Path) -> str | None:
    """Whose bundle it is, by the config in it; None where that cannot be read."""
    try:
        return str(tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))["site"]["name"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
