"""The parquet cache: tables that stay whole whatever happens while they are written.

Goal
    The dashboard reads the last good state of every table, also while a job writes, after a crash and on a full
    disk.

How
    Write beside, fsync, rename (POSIX rename is atomic), fsync the folder. A table's time, source and row count
    travel inside its file, and so does its hash, which is compared when it is read (`seals`). Relational tables are
    read from a snapshot, which `snapshot_writing` makes: from the newest, or, where several tables must be of one
    moment, from the one at which `pin` holds the cache.

Why files
    During a downtime there is no database server to ask. A folder of parquet can be copied to a stick and read by
    anything.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recovery.cache.errors import CacheError as CacheError
from recovery.cache.errors import TableDamagedError as TableDamagedError
from recovery.cache.errors import TableMissingError as TableMissingError
from recovery.cache.errors import damaged, missing, unusable
from recovery.cache.manifests import (
    FOLDER,
    POINTER,
    ManifestError,
    Snapshot,
    current_id,
    fault_of,
    fault_of_file_once,
    load_snapshot,
)
from recovery.host.durable import replace
from recovery.host.seals import BLANK, KEY, SealError, check_file, check_parquet, sealed
from recovery.tables.arrow_columns import column_of
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import TableSnapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from recovery.tables.schema import Row, TableSchema

_PREFIX = b"rbrdt."


class Cache:
    """The tables below one folder; relational ones of the newest snapshot, or of the one that is named."""

    def __init__(self, path: Path, snapshot_id: str | None = None) -> None:
        self.path = path
        self.snapshot_id = snapshot_id

    def pin(self) -> Cache:
        """The same cache, held at the snapshot that is the newest now: what it reads is of one moment.

        Raises
        ------
        CacheError
            If the newest snapshot cannot be used.
        """
        snapshot = self.open_snapshot()
        return Cache(self.path, snapshot.snapshot_id if snapshot is not None else None)

    def open_snapshot(self) -> Snapshot | None:
        """The snapshot that relational tables are read from; None where there never was one.

        Raises
        ------
        CacheError
            If it cannot be used.
        """
        try:
            snapshot_id = self.snapshot_id or current_id(self.path)
        except ManifestError as error:
            raise unusable(f"The snapshots in {self.path}", error) from error
        if snapshot_id is None:
            return None
        try:
            return load_snapshot(self.path, snapshot_id)
        except ManifestError as error:
            raise unusable(f"Snapshot {snapshot_id} in {self.path}", error) from error

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

        Raises
        ------
        TableError
            If the rows do not fit the schema. The old table stays.
        CacheError
            If the disk is full or not writable. The old table stays.
        """
        table = schema.to_arrow(rows)
        if schema.sorted_by is not None:
            table = table.sort_by(schema.sorted_by)
        said = {"taken_at": taken_at.astimezone(UTC).isoformat(), "source": source, "query_sha256": query_sha256 or ""}
        table = table.replace_schema_metadata({_PREFIX + k.encode(): v.encode() for k, v in said.items()})
        path = self._new_file(schema.name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, _encoded(table, schema))
        except (OSError, pa.ArrowException) as error:
            raise CacheError(f"{path} cannot be written: {error}. The table before it still stands.") from error
        return TableSnapshot(schema.name, taken_at.astimezone(UTC), table.num_rows, source, query_sha256, path)

    def read(self, schema: TableSchema) -> list[dict[str, object]]:
        """Rows as dictionaries, datetimes naive as the schema says.

        They come in the order written, or in that of `schema.sorted_by`.

        Raises
        ------
        TableMissingError
            If the table was never written.
        CacheError
            If it cannot be read, or its columns are of another version.
        """
        rows: list[dict[str, object]] = self._table(schema).to_pylist()
        return rows

    def read_where(self, schema: TableSchema, column: str, values: Iterable[str]) -> list[dict[str, object]]:
        """The rows whose `column`, a text, is one of `values`; in their order, without reading the others.

        Quick where the table is `sorted_by` that column: row groups that cannot hold a value stay unread.

        Raises
        ------
        TableMissingError, CacheError
            As `read` does.
        """
        wanted = sorted(set(values))
        rows: list[dict[str, object]] = self._table(schema, (column, wanted)).to_pylist() if wanted else []
        return rows

    def read_frame(self, schema: TableSchema) -> pd.DataFrame:
        """Rows as a DataFrame with nullable types: Int64, Float64, boolean, string; dates as `date` objects.

        Raises
        ------
        TableMissingError, CacheError
            As `read` does.
        """
        import pandas as pd

        kinds = {"str": "string", "int": "Int64", "float": "Float64", "bool": "boolean"}
        frame = pd.DataFrame(
            {
                name: pd.Series(column.to_pylist(), dtype=kinds.get(schema.columns[name], "object"))
                for name, column in zip(schema.columns, self._table(schema).columns, strict=True)
            }
        )
        for name, kind in schema.columns.items():
            if kind == "datetime":
                frame[name] = pd.to_datetime(frame[name])
        return frame

    def snapshot(self, schema: TableSchema) -> TableSnapshot:
        """A table's time, source and size, read from its footer alone.

        Raises
        ------
        TableMissingError, CacheError
            As `read` does.
        """
        path, _ = self._checked(schema, in_parts=True)
        try:
            footer = pq.read_metadata(path)
            metadata = footer.metadata or {}
            said = {k.removeprefix(_PREFIX).decode(): v.decode() for k, v in metadata.items() if k.startswith(_PREFIX)}
            taken_at = datetime.fromisoformat(said["taken_at"])
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise damaged(path, error) from error
        return TableSnapshot(
            schema.name, taken_at, footer.num_rows, said.get("source", ""), said.get("query_sha256") or None, path
        )

    def copy_of(self, schema: TableSchema) -> bytes:
        """A table's file as it is, for somebody else; its metadata says when it was taken.

        Raises
        ------
        TableMissingError, CacheError
            As `read` does.
        """
        self._table(schema)
        return self.snapshot(schema).path.read_bytes()

    def _table(self, schema: TableSchema, where: tuple[str, list[str]] | None = None) -> pa.Table:
        path, source = self._checked(schema, in_parts=where is not None)
        try:
            # a third of the time of read_table, which looks for partitions
            with pq.ParquetFile(source, page_checksum_verification=True) as file:
                table = file.read() if where is None else _matching(file, *where)
        except (OSError, pa.ArrowException) as error:
            raise damaged(path, error) from error
        if not table.schema.equals(schema.arrow):
            raise CacheError(f"{path} was written by another version. Run `python -m recovery rebuild` once.")
        return table

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
        error = ManifestError(f"table {schema.name} has lost its file")
        return unusable(f"Snapshot {snapshot.snapshot_id} in {self.path}", error)

    def _new_file(self, name: str) -> Path:
        """Where a table is written. Those of a snapshot are written with it, or not at all."""
        if name in RELATIONAL_TABLES and (self.path / FOLDER / POINTER).exists():
            raise CacheError(f"table {name} belongs to the snapshots of {self.path} and is not written on its own")
        return self.path / "tables" / f"{name}.parquet"


def _encoded(table: pa.Table, schema: TableSchema) -> bytes:
    """A table as a parquet file that bears its hash, and a checksum in each page."""
    file = BytesIO()
    with pq.ParquetWriter(file, table.schema, compression=schema.compression, write_page_checksum=True) as writer:
        writer.write_table(table, row_group_size=schema.rows_per_group)
        writer.add_key_value_metadata({KEY: BLANK})
    return sealed(file.getvalue())


def _matching(file: pq.ParquetFile, column: str, values: list[str]) -> pa.Table:
    """The rows whose `column` is one of `values`, sorted, from the row groups whose range may hold one."""
    place = file.schema_arrow.get_field_index(column)
    if place < 0:  # of another version, which the caller says
        return file.read_row_groups([])
    groups = []
    for number in range(file.metadata.num_row_groups):
        said = file.metadata.row_group(number).column(place).statistics
        is_told = said is not None and said.has_min_max
        if not is_told or bisect_left(values, said.min) < bisect_right(values, said.max):
            groups.append(number)
    table = file.read_row_groups(groups)
    return table.filter(pc.is_in(table[column], value_set=column_of(values, pa.string())))
