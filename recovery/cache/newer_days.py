"""Days of a large table that say something else than its file: a small file beside it, in the same snapshot.

How
    `tables/<name>_newer.parquet` holds all rows of the days that it names; whoever reads the table gets these in the
    place of those. It bears a name of its own in the manifest, so that it is hashed, signed, linked, archived and
    restored as any table is. A table that is read whole is written whole again, and has none.

Why beside
    A clinic adds a few deliveries every ten minutes. Neither its disk nor the RT-PACS needs two years of them again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from io import BytesIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recovery.cache import parquet
from recovery.tables.arrow_columns import column_of
from recovery.tables.schema import Row, TableError, TableSchema

_DAYS = b"rbrdt.days"


def add_days(
    schema: TableSchema, whole: bytes, newer: bytes | None, column: str, days: Mapping[date, Sequence[Row]]
) -> tuple[bytes, int]:
    """A file of newer days with these rows in the place of those of their days, and how many rows the table has then.

    Raises `TableError` if two rows of the table have the same key then.
    """
    names = [*schema.key, column]
    before = _read(newer) if newer is not None else schema.to_arrow(())
    told = {*days, *(_days_of(before)[1] if newer is not None else ())}
    own = _without(before, column, days.keys())
    table = pa.concat_tables([own, schema.to_arrow(row for rows in days.values() for row in rows)])
    keys = pa.concat_tables([_without(_read(whole, names), column, told), table.select(names)]).group_by(
        list(schema.key)
    )
    row_count = _count(whole, column, told) + table.num_rows
    if keys.aggregate([]).num_rows != row_count:
        raise TableError(f"table {schema.name}: two days hold a row of the same {', '.join(schema.key)}")
    said = " ".join([column, *(day.isoformat() for day in sorted(told))])
    packed = replace(schema, compression="zstd")  # it goes into the RT-PACS every ten minutes
    return parquet.encoded(table.replace_schema_metadata({_DAYS: said.encode()}), packed), row_count


def with_newer(
    table: pa.Table, schema: TableSchema, newer: bytes, where: tuple[str, list[str]] | None = None
) -> pa.Table:
    """A table, or those of its rows that are `where`, with its newer days, in the order of its keys."""
    rows = _read(newer)
    column, days = _days_of(rows)
    if where is not None:
        rows = rows.filter(parquet.is_one_of(rows[where[0]], where[1]))
    whole = pa.concat_tables([_without(table, column, days), rows.replace_schema_metadata(None)])
    return parquet.by_key(whole, schema)


def whole_table(schema: TableSchema, whole: bytes, newer: bytes | None = None) -> pa.Table:
    """A table of its file, and that of its newer days where it has one."""
    table = _read(whole)
    return with_newer(table, schema, newer) if newer is not None else table


def _read(file: bytes, columns: list[str] | None = None) -> pa.Table:
    with pq.ParquetFile(BytesIO(file)) as parts:
        return parts.read(columns)


def _days_of(table: pa.Table) -> tuple[str, list[date]]:
    column, *days = (table.schema.metadata or {})[_DAYS].decode().split()
    return column, [date.fromisoformat(day) for day in days]


def _without(table: pa.Table, column: str, days: Collection[date]) -> pa.Table:
    of_days = pc.is_in(pc.cast(table[column], pa.date32()), value_set=column_of(sorted(days), pa.date32()))
    return table.filter(pc.invert(of_days)).replace_schema_metadata(None)


def _count(whole: bytes, column: str, days: Collection[date]) -> int:
    return int(_without(_read(whole, [column]), column, days).num_rows)
