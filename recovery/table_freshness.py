"""When a table was last known to be what its source says, also when it had not changed and was not written again.

Goal
    A table that nobody changed for a week is as fresh as its last reading, not a week old; and nothing is called
    fresh that was not read.

How
    Beside the tables lies `confirmed.json`: for each table the hash of its rows, the time of the file that holds
    them, and when they were last read alike. A confirmation counts for that file only: another file in its place
    (a rebuild, a restored copy) is as old as it says itself.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from recovery.cache import Cache, CacheError, replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from recovery.tables import TableSchema, TableSnapshot


@dataclass(frozen=True, slots=True)
class Confirmation:
    """`rows_sha256` were last read at `confirmed_at`, and lie in the file taken at `taken_at`. Both aware, UTC."""

    rows_sha256: str
    query_sha256: str
    taken_at: datetime
    confirmed_at: datetime


def known_since(cache: Cache, schema: TableSchema) -> datetime:
    """When a table was last read from its source, aware, UTC: show its age from here.

    Raises
    ------
    TableMissingError, CacheError
        As `Cache.snapshot` does.
    """
    snapshot = cache.snapshot(schema)
    said = confirmation_of(cache, snapshot)
    return max(snapshot.taken_at, said.confirmed_at) if said is not None else snapshot.taken_at


def confirmation_of(cache: Cache, snapshot: TableSnapshot) -> Confirmation | None:
    """What was last confirmed of the file that a snapshot describes; None when nothing was."""
    said = _read(cache).get(snapshot.name)
    return said if said is not None and said.taken_at == snapshot.taken_at else None


def confirm(cache: Cache, table: str, confirmation: Confirmation) -> None:
    """Note that a table was read and is what the cache holds.

    Raises
    ------
    CacheError
        If it cannot be noted. The table itself is untouched.
    """
    known = _read(cache) | {table: confirmation}
    lines = {
        name: {
            "rows_sha256": said.rows_sha256,
            "query_sha256": said.query_sha256,
            "taken_at": said.taken_at.isoformat(),
            "confirmed_at": said.confirmed_at.isoformat(),
        }
        for name, said in sorted(known.items())
    }
    path = _file(cache)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, lambda beside: beside.write_text(json.dumps(lines, indent=1), encoding="utf-8"))
    except OSError as error:
        raise CacheError(f"{path} cannot be written: {error}") from error


def _read(cache: Cache) -> dict[str, Confirmation]:
    """What was confirmed. A missing or damaged file confirms nothing: tables are then read as new."""
    known: dict[str, Confirmation] = {}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        for name, said in json.loads(_file(cache).read_text(encoding="utf-8")).items():
            times = (datetime.fromisoformat(said["taken_at"]), datetime.fromisoformat(said["confirmed_at"]))
            known[name] = Confirmation(said["rows_sha256"], said["query_sha256"], *times)
    return known


def _file(cache: Cache) -> Path:
    return cache.path / "tables" / "confirmed.json"
