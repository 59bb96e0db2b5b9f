"""A table as a parquet file that bears its hash, and the rows of one that somebody asks for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime
from io import BytesIO
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recovery.host.seals import BLANK, KEY, NOT_SIGNED, SIGNED, sealed
from recovery.tables.arrow_columns import column_of
from recovery.tables.schema import TEXT, TableSnapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from recovery.tables.schema import TableSchema


_PREFIX = b"rbrdt."


def stamped(table: pa.Table, taken_at: datetime, source: str, query_sha256: str | None) -> pa.Table:
    """A table whose file will say when and where it was taken."""
    said = {"taken_at": taken_at.astimezone(UTC).isoformat(), "source": source, "query_sha256": query_sha256 or ""}
    return table.replace_schema_metadata({_PREFIX + k.encode(): v.encode() for k, v in said.items()})


def snapshot_of(name: str, path: Path, metadata: Mapping[bytes, bytes], row_count: int) -> TableSnapshot:
    """What `stamped` said. Raises `KeyError` or `ValueError` if it is not there."""
    said = {k.removeprefix(_PREFIX).decode(): v.decode() for k, v in metadata.items() if k.startswith(_PREFIX)}
    taken_at = datetime.fromisoformat(said["taken_at"])
    return TableSnapshot(name, taken_at, row_count, said.get("source", ""), said.get("query_sha256") or None, path)


def encoded(table: pa.Table, schema: TableSchema, sign: Callable[[bytes], str] | None = None) -> bytes:
    """A table as a parquet file that bears its hash, which `sign` signs, and a checksum in each page."""
    file = BytesIO()
    with pq.ParquetWriter(file, table.schema, compression=schema.compression, write_page_checksum=True) as writer:
        writer.write_table(table, row_group_size=schema.rows_per_group)
        writer.add_key_value_metadata({KEY: BLANK} if sign is None else {KEY: BLANK, SIGNED: NOT_SIGNED})
    return sealed(file.getvalue(), sign)


def signed_again(file: bytes, schema: TableSchema, sign: Callable[[bytes], str] | None) -> bytes:
    """A table's file as it is, and signed."""
    return encoded(pq.read_table(BytesIO(file)), schema, sign)


def matching(file: pq.ParquetFile, column: str, values: list[str]) -> pa.Table:
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
    return table.filter(is_one_of(table[column], values))


def of_day(table: pa.Table, column: str, day: date) -> pa.Table:
    """The rows of a day, and those that tell none."""
    return table.filter(pc.fill_null(pc.equal(table[column], day), True))


def since_day(table: pa.Table, column: str, day: date) -> pa.Table:
    """The rows of a day and of later ones."""
    return table.filter(pc.fill_null(pc.greater_equal(table[column], day), False))


def frame_of(table: pa.Table, schema: TableSchema) -> pd.DataFrame:
    """A table as a DataFrame with nullable types."""
    import pandas as pd

    kinds = {"str": TEXT, "int": "Int64", "float": "Float64", "bool": "boolean"}
    frame = pd.DataFrame(
        {
            name: pd.Series(column.to_pylist(), dtype=kinds.get(schema.columns[name], "object"))
            for name, column in zip(schema.columns, table.columns, strict=True)
        }
    )
    for name, kind in schema.columns.items():
        if kind == "datetime":
            frame[name] = pd.to_datetime(frame[name])
    return frame


def joined(table: pa.Table, parts: Iterable[pa.Table], key: str) -> pa.Table:
    """A table with the rows of others, but for those of which it has a row of the same `key` itself."""
    own = pc.unique(table[key])
    return pa.concat_tables([table, *(part.filter(pc.invert(pc.is_in(part[key], value_set=own))) for part in parts)])


def without(table: pa.Table, column: str, values: Collection[str]) -> pa.Table:
    """A table but for the rows whose `column` is one of `values`."""
    return table.filter(pc.invert(is_one_of(table[column], values)))


def in_order(table: pa.Table, columns: Sequence[str]) -> pa.Table:
    """Sorted by these columns; null comes first, as an empty text does."""
    keys = [(column, "ascending", "at_start") for column in columns]
    if not keys:
        return table
    return table.take(pc.sort_indices(table, sort_keys=keys))


def by_key(table: pa.Table, schema: TableSchema) -> pa.Table:
    """A table's rows in the order of their keys, shorter ones first, as numbers in text come; then as it is sorted."""
    for name in schema.key:
        table = table.append_column(f"length of {name}", pc.utf8_length(table[name]))
    keys = [name for key in schema.key for name in (f"length of {key}", key)]
    first = [schema.sorted_by] if schema.sorted_by is not None else []
    return in_order(table, [*first, *keys]).select(list(schema.columns))


def is_one_of(column: pa.ChunkedArray, values: Collection[str]) -> pa.Array:
    """For each text of a column, whether it is one of `values`."""
    return pc.is_in(column, value_set=column_of(list(values), pa.string()))
