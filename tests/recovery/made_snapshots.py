"""Small snapshots for the tests: three relational tables whose rows all say one number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

from pydicom import Dataset

from recovery.cache.manifests import Snapshot
from recovery.cache.snapshot_writing import open_writer
from recovery.cache.store import Cache
from recovery.host.keys import load_key
from recovery.objects.raw_data import PART_BYTES, manifest_objects, table_objects
from recovery.tables.relational import CHECKS, DOCUMENTS, NOTES

NOW = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
SCHEMAS = (NOTES, CHECKS, DOCUMENTS)


def rows(schema_key: str, columns: object, number: int, count: int = 3) -> list[dict[str, object]]:
    empty: dict[str, object] = dict.fromkeys(columns)  # type: ignore[call-overload]
    return [empty | {schema_key: f"{n}", "kind": f"{number}"} for n in range(count)]


def take(
    cache_path: Path,
    number: int,
    at: datetime | None = None,
    changed: int = 3,
    count: int = 3,
    key: Path | None = None,
) -> Snapshot | None:
    """One run: the first `changed` tables say `number`, the others are as they were. `key` signs."""
    signer = load_key(key) if key is not None else None
    with open_writer(cache_path, at or NOW + timedelta(minutes=10 * number), signer) as new:
        for place, schema in enumerate(SCHEMAS):
            if place >= changed:
                new.confirm(schema.name)
                continue
            listed = rows(schema.key[0], schema.columns, number, count)
            new.write(schema, listed, source="test", query_sha256="ab", rows_sha256=f"{schema.name} {number}")
        return new.commit()


def numbers(cache: Cache) -> list[set[object]]:
    """What each table's rows say."""
    return [{row["kind"] for row in cache.read(schema)} for schema in SCHEMAS]


def raw_data_objects(snapshot: Snapshot, site_name: str, *, part_bytes: int = PART_BYTES) -> list[Dataset]:
    """A snapshot as Raw Data objects: those of its manifest, then those of its tables by name."""
    names = sorted(snapshot.manifest.tables)
    of_tables = (table_objects(snapshot, name, site_name, part_bytes=part_bytes) for name in names)
    return [*manifest_objects(snapshot, site_name, part_bytes=part_bytes), *chain.from_iterable(of_tables)]
