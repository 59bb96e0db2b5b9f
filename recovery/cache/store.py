"""The parquet cache: tables that stay whole whatever happens while they are written.

Goal
    The dashboard reads the last good state of every table, also while a job writes, after a crash and on a full
    disk.

How
    Write beside, fsync, rename (POSIX rename is atomic), fsync the folder. A table's time, source and row count
    travel inside its file, and so does its hash, which is compared when it is read (`seals`). Relational tables are
    read from a snapshot, which `snapshot_writing` makes: from the newest, or, where several tables must be of one
    moment, from the one at which `pin` holds the cache.

    Rows of courses that rest lie apart, in `resting/`, each part a cache of its own: whoever reads a table gets both;
    `active` is the cache without them. Only a part that the table `resting` names counts.

Why files
    During a downtime there is no database server to ask. A folder of parquet can be copied to a stick and read by
    anything.
"""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from recovery.cache import parquet
from recovery.cache.errors import CacheError, TableMissingError, damaged, missing, unusable
from recovery.cache.manifests import (
    FOLDER,
    POINTER,
    ManifestError,
    Snapshot,
    fault_of,
    fault_of_file_once,
    newer_of,
)
from recovery.cache.newer_days import with_newer
from recovery.cache.snapshots import last_that_verifies, newest_snapshot
from recovery.host.durable import replace
from recovery.host.seals import SealError, check_file, check_parquet
from recovery.host.table_signatures import check_signed, signer
from recovery.settings.trust import EVERYBODY
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import IN_PARTS, LISTED_IN, RESTING, TOLD_BY_NAME, TableSnapshot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    import pandas as pd

    from recovery.settings.trust import Trust
    from recovery.tables.schema import Row, TableSchema


@dataclass(frozen=True, slots=True)
class Cache:
    """The tables below one folder; relational ones of the newest snapshot, or of the one that is named.

    `trust`: which snapshots are believed; `falls_back`, for people to read: the last that is takes a lost one's place.
    `signing_key`: the file of the key that signs what is written here; the rest is then not read (`table_signatures`).
    """

    path: Path
    snapshot_id: str | None = None
    trust: Trust = EVERYBODY
    falls_back: bool = False
    is_whole: bool = True
    signing_key: Path | None = None

    @property
    def active(self) -> Cache:
        """The same cache, of which only rows of courses that do not rest are read."""
        return dataclasses.replace(self, is_whole=False)

    def part(self, number: int | None = None) -> Cache:
        """The courses that rest in one part; without a number, what one file has of all that rest."""
        folder = self.path / "resting"
        path = folder if number is None else folder / f"{number:06d}"
        return dataclasses.replace(self, path=path, snapshot_id=None, falls_back=False, is_whole=False)

    def pin(self) -> Cache:
        """The same cache, held at the snapshot that is the newest now: what it reads is of one moment.

        Raises `CacheError` if the newest snapshot cannot be used.
        """
        snapshot = self.open_snapshot()
        return dataclasses.replace(self, snapshot_id=snapshot.snapshot_id if snapshot is not None else None)

    def open_snapshot(self) -> Snapshot | None:
        """The snapshot that relational tables are read from; None where there never was one.

        Raises `CacheError` if it cannot be used.
        """
        find = last_that_verifies if self.falls_back else newest_snapshot
        try:
            return find(self.path, self.snapshot_id, self.trust)
        except ManifestError as error:
            raise unusable(f"Snapshot {self.snapshot_id or '(the newest)'} in {self.path}", error) from error

    def write(
        self,
        schema: TableSchema,
        rows: Iterable[Row],
        *,
        taken_at: datetime,
        source: str,
        query_sha256: str | None = None,
    ) -> TableSnapshot:
        """Replace a table; readers see the old one until the new one is whole on disk.

        Raises `TableError` if the rows do not fit the schema. The old table stays. Raises `CacheError` if the disk is
        full or not writable. The old table stays.
        """
        table = schema.to_arrow(rows)
        if schema.sorted_by is not None:
            table = table.sort_by(schema.sorted_by)
        return self._write_table(schema, parquet.stamped(table, taken_at, source, query_sha256))

    def replace_where(
        self, schema: TableSchema, column: str, values: Collection[str], rows: Iterable[Row], taken_at: datetime
    ) -> None:
        """Put `rows` in the place of those whose `column`, a text, is one of `values`; the others are copied unseen.

        Raises `TableError` or `CacheError` as `write` and `read` do.
        """
        table = schema.to_arrow(rows)
        with suppress(TableMissingError):
            table = pa.concat_tables([parquet.without(self._own_table(schema), column, values), table])
        table = parquet.in_order(table, LISTED_IN[schema.name])
        self._write_table(schema, parquet.stamped(table, taken_at, "RT-PACS", None))

    def _write_table(self, schema: TableSchema, table: pa.Table) -> TableSnapshot:
        path = self._new_file(schema.name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, parquet.encoded(table, schema, signer(self.signing_key, schema.name, self.trust.site_name)))
        except (OSError, pa.ArrowException) as error:
            raise CacheError(f"{path} cannot be written: {error}. The table before it still stands.") from error
        return parquet.snapshot_of(schema.name, path, table.schema.metadata, table.num_rows)

    def read(self, schema: TableSchema) -> list[dict[str, object]]:
        """Rows as dictionaries, datetimes naive as the schema says.

        They come in the order written, or in that of `schema.sorted_by`.

        Raises `TableMissingError` if the table was never written; `CacheError` if it cannot be read, or its columns are
        of another version.
        """
        rows: list[dict[str, object]] = self._table(schema).to_pylist()
        return rows

    def read_where(self, schema: TableSchema, column: str, values: Iterable[str]) -> list[dict[str, object]]:
        """The rows whose `column`, a text, is one of `values`; in their order, without reading the others.

        Quick where the table is `sorted_by` that column: row groups that cannot hold a value stay unread.

        Raises `TableMissingError` or `CacheError` as `read` does.
        """
        wanted = set(values)
        rows: list[dict[str, object]] = self.table_where(schema, column, wanted).to_pylist() if wanted else []
        return rows

    def table_where(self, schema: TableSchema, column: str, values: Iterable[str]) -> pa.Table:
        """The same rows as columns, for whoever needs few of them; raises as `read_where` does."""
        return self._table(schema, (column, sorted(set(values))))

    def read_frame(self, schema: TableSchema) -> pd.DataFrame:
        """Rows as a DataFrame with nullable types: Int64, Float64, boolean, string; dates as `date` objects.

        Raises `TableMissingError` or `CacheError` as `read` does.
        """
        return parquet.frame_of(self._table(schema), schema)

    def snapshot(self, schema: TableSchema) -> TableSnapshot:
        """A table's time, source and size, without its rows.

        Raises `TableMissingError` or `CacheError` as `read` does.
        """
        path, _ = self._checked(schema, in_parts=True)
        try:
            if (snapshot := self._place(schema.name)[1]) is not None:
                tables = snapshot.manifest.tables
                state, newer = tables[schema.name], tables.get(newer_of(schema.name), tables[schema.name])
                return TableSnapshot(
                    state.name, newer.taken_at, state.row_count, state.source, state.query_sha256, path
                )  # fmt: skip
            footer = pq.read_metadata(path)
            return parquet.snapshot_of(schema.name, path, footer.metadata or {}, footer.num_rows)
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise damaged(path, error) from error

    def copy_of(self, schema: TableSchema) -> bytes:
        """A table's file, with those who rest, for somebody else; its metadata says when it was taken.

        Raises `TableMissingError` or `CacheError` as `read` does.
        """
        table, path = self._table(schema), self.snapshot(schema).path
        own = pq.read_metadata(path)
        if table.num_rows == own.num_rows and self._newer_days(schema) is None:
            return path.read_bytes()
        return parquet.encoded(table.replace_schema_metadata(own.metadata), schema)

    def columns(self, schema: TableSchema) -> dict[str, list[object]]:
        """A table's values, column by column, far quicker than its rows; raises as `read` does."""
        table = self._table(schema)
        return {name: table[name].to_pylist() for name in schema.columns}

    def _table(self, schema: TableSchema, where: tuple[str, list[str]] | None = None) -> pa.Table:
        """The rows of a table, those of courses that rest among them."""
        table = self._own_table(schema, where)
        if not self.is_whole or (schema not in IN_PARTS and schema.name not in LISTED_IN):
            return table
        parts = [part._own_table(schema, where) for part in self._parts_of(schema, where)]
        order = LISTED_IN.get(schema.name, (schema.sorted_by,) if schema.sorted_by is not None else ())
        return parquet.in_order(parquet.joined(table, parts, schema.key[0]), order) if parts else table

    def _parts_of(self, schema: TableSchema, where: tuple[str, list[str]] | None) -> list[Cache]:
        """Where rows of courses that rest have to be looked for."""
        try:
            told = self._own_table(RESTING)
        except TableMissingError:
            return []
        if schema.name in LISTED_IN:
            return [self.part()] if told.num_rows else []
        if where is not None and where[0] in {"patient_id", TOLD_BY_NAME.get(schema.name)}:
            told = told.filter(parquet.is_one_of(told["name"], where[1]))
        return [self.part(number) for number in sorted(set(told["part"].to_pylist()))]

    def _own_table(self, schema: TableSchema, where: tuple[str, list[str]] | None = None) -> pa.Table:
        path, source = self._checked(schema, in_parts=where is not None)
        try:
            # a third of the time of read_table, which looks for partitions
            with pq.ParquetFile(source, page_checksum_verification=True) as file:
                table = file.read() if where is None else parquet.matching(file, *where)
        except (OSError, pa.ArrowException) as error:
            raise damaged(path, error) from error
        if not table.schema.equals(schema.arrow):
            raise CacheError(f"{path} was written by another version. Run `python -m recovery rebuild` once.")
        newer = self._newer_days(schema)
        return table if newer is None else with_newer(table, schema, newer, where)

    def _newer_days(self, schema: TableSchema) -> bytes | None:
        """The file of a table's newer days, as it was written; None where it has none. Raises `CacheError`."""
        snapshot = self._place(schema.name)[1]
        name = newer_of(schema.name)
        if snapshot is None or name not in snapshot.manifest.tables:
            return None
        try:
            data = snapshot.file(name).read_bytes()
        except OSError as error:
            raise damaged(snapshot.file(name), error) from error
        if fault := fault_of(snapshot.manifest.tables[name], data):
            raise unusable(f"Snapshot {snapshot.snapshot_id} in {self.path}", ManifestError(fault))
        return data

    def _place(self, name: str) -> tuple[Path, Snapshot | None]:
        """Where a table lies, and in which snapshot. Before there was one, relational tables lay beside the others."""
        snapshot = self.open_snapshot() if name in RELATIONAL_TABLES else None
        if snapshot is None:
            return self.path / "tables" / f"{name}.parquet", None
        if name not in snapshot.manifest.tables:
            kept = snapshot.manifest.missing.get(name)
            why = kept.reason if kept is not None else "it was not asked for"
            raise TableMissingError(f"No table {name} in snapshot {snapshot.snapshot_id}: {why}.")
        return snapshot.file(name), snapshot

    def _checked(self, schema: TableSchema, *, in_parts: bool) -> tuple[Path, BytesIO | Path]:
        """Where a table lies, and what to read it from once it is known to be what was written.

        Whoever reads all of it gets the bytes that were compared. Who reads parts gets the file, which is compared
        once for each of its states, and whose pages bear checksums of their own.
        """
        path, snapshot = self._place(schema.name)
        try:
            data = None if in_parts else path.read_bytes()
            if snapshot is not None:
                state = snapshot.manifest.tables[schema.name]
                if fault := fault_of(state, data) if data is not None else fault_of_file_once(snapshot, schema.name):
                    raise unusable(f"Snapshot {snapshot.snapshot_id} in {self.path}", ManifestError(fault))
            elif self.signing_key is not None:
                check_signed(path, self.trust.public_keys, self.trust.site_name)
            elif data is not None:
                check_parquet(data)
            else:
                check_file(path)
        except FileNotFoundError as error:
            raise self._lost(schema, path, snapshot) from error
        except (OSError, SealError) as error:
            raise error if isinstance(error, CacheError) else damaged(path, error) from error
        return path, path if data is None else BytesIO(data)

    def _lost(self, schema: TableSchema, path: Path, snapshot: Snapshot | None) -> CacheError:
        if snapshot is None:
            return missing(schema, path)
        return unusable(f"Snapshot in {self.path}", ManifestError(f"table {schema.name} has lost its file"))

    def _new_file(self, name: str) -> Path:
        """Where a table is written. Those of a snapshot are written with it, or not at all."""
        if name in RELATIONAL_TABLES and (self.path / FOLDER / POINTER).exists():
            raise CacheError(f"table {name} belongs to the snapshots of {self.path} and is not written on its own")
        return self.path / "tables" / f"{name}.parquet"
