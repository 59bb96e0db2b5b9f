"""When a table was last known to be what its source says, also when it had not changed and was not written again.

Goal
    A table that nobody changed for a week is as fresh as its last reading, not a week old; and nothing is called
    fresh that was not read.

How
    A snapshot's manifest says when each table was last read. Runs that found nothing new after that make no snapshot;
    they note the time in `snapshots/confirmed.json`, beside the hash of each table's file. A confirmation counts for
    that file only: another in its place (a rebuild, a restored copy) is as old as it says itself.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import TYPE_CHECKING

from recovery.cache.manifests import FOLDER
from recovery.host.seals import unsealed_json, write_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from recovery.cache.manifests import TableState
    from recovery.cache.store import Cache
    from recovery.tables.schema import TableSchema


def known_since(cache: Cache, schema: TableSchema) -> datetime:
    """When a table was last read from its source, aware, UTC: show its age from here.

    Raises `TableMissingError` or `CacheError` as `Cache.snapshot` does.
    """
    taken_at = cache.snapshot(schema).taken_at
    snapshot = cache.open_snapshot()
    state = snapshot.manifest.tables.get(schema.name) if snapshot is not None else None
    return last_read(cache.path, state) if state is not None else taken_at


def last_read(cache_path: Path, state: TableState) -> datetime:
    """When a snapshot's table was last read alike, aware, UTC: by the run that made it, or one since."""
    sha256, confirmed_at = _confirmed(cache_path).get(state.name, ("", state.read_at))
    return max(state.read_at, confirmed_at) if sha256 == state.sha256 else state.read_at


def confirm(cache_path: Path, states: Iterable[TableState]) -> None:
    """Note when tables of the newest snapshot were last read.

    Raises `OSError` if it cannot be noted. The tables themselves are untouched.
    """
    said = {s.name: {"sha256": s.sha256, "confirmed_at": s.read_at.isoformat()} for s in states}
    write_json(_file(cache_path), said)


def _confirmed(cache_path: Path) -> dict[str, tuple[str, datetime]]:
    """By table, the file's hash and when it was last read alike. A missing or damaged file confirms nothing."""
    known: dict[str, tuple[str, datetime]] = {}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        for name, said in unsealed_json(_file(cache_path).read_bytes()).items():
            at = datetime.fromisoformat(said["confirmed_at"])
            if at.tzinfo is not None:
                known[name] = (said["sha256"], at)
    return known


def _file(cache_path: Path) -> Path:
    return cache_path / FOLDER / "confirmed.json"
