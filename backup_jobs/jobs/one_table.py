"""One table of the R&V system's database, brought up to date in the snapshot that a run makes.

How
    What `changes` knows to be new is read, else the whole table. Rows are checked before they replace anything.

Why read twice
    Without locks (READ UNCOMMITTED) a reading may miss a row that moves meanwhile. So a reading is believed when
    another says the same: the one in the cache, or a second one.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from backup_jobs.rv.changes import Again, Changes, hashes_of_days
from backup_jobs.rv.database import Database
from backup_jobs.rv.odd_rows import OddRow, in_words
from backup_jobs.rv.plan_owners import PlanOwners
from backup_jobs.rv.product import Product
from backup_jobs.rv.table_readings import TableReading, TableRows, read_rows
from recovery.cache.errors import CacheError
from recovery.cache.manifests import TableState
from recovery.cache.snapshot_writing import SnapshotWriter
from recovery.cache.store import Cache
from recovery.tables.flood import COMES_AND_GOES, MOST_ROWS_LOST, Limits
from recovery.tables.schema import TableError, TableSchema

MOST_ROWS_ODD = 0.50
"""A table of which a greater share is odd by its key is not believed: then the query does not fit the database."""
MOST_READINGS = 3


class TableRefusedError(ValueError):
    """A table's rows are not believed: its last state stays. The text says why, and names no patient; `odd` may."""

    def __init__(self, text: str, odd: Sequence[OddRow] = ()) -> None:
        super().__init__(text)
        self.odd = odd


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one table: `written`, `unchanged` or `kept`, and a sentence where there is something to say."""

    state: str
    rows: int = 0
    unreadable: int = 0
    remark: str = ""
    fault: str = ""
    is_partial: bool = False
    odd: Sequence[OddRow] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """What one run reads with: `values` are those of the queries' parameters."""

    product: Product
    database: Database
    new: SnapshotWriter
    changes: Changes
    owners: PlanOwners
    values: Mapping[str, object]
    cache_path: Path
    limits: Limits


@dataclass(frozen=True, slots=True)
class _Reading:
    """A table as it was read: its rows, their hash, and whether another reading said the same. By day: their hashes."""

    table: TableRows
    sha256: str
    settled: bool
    days: Mapping[str, str] = field(default_factory=dict)


def bring_up_to_date(run: Run, reading: TableReading) -> Outcome:
    """Read what is new of one table, check it, and write it unless it is what the last snapshot holds.

    Raises `DatabaseError` or `QueryError` if it cannot be read; `TableRefusedError` if it is not believed.
    """
    query, last = run.product.query(reading), run.new.last(reading.schema.name)
    asked = run.changes.asked(reading, query)
    again = run.changes.read_again(reading, asked, run.new.last_files_of(reading.schema.name))
    if again is not None and last is not None:
        with suppress(TableError):
            return _in_part(run, reading.schema, again, last)
    believed = last.rows_sha256 if last is not None and last.query_sha256 == query.sha256 else None
    if reading.knowing is not None:
        reading = reading.knowing(_made_before(run.cache_path, reading.schema) if last is not None else ())
    day = asked.by_day.day if asked.by_day is not None else ""
    read = _read(run.database, run.owners.applied_to(reading), run.values, believed, day)
    is_same = read.sha256 == believed
    if is_same and not run.new.has_newer_days(reading.schema.name):
        run.new.confirm(reading.schema.name)
    else:
        _check(reading.schema, read.table, last, run.limits)
        source = f"{run.database.product} database, {run.database.engine.source}"
        try:
            run.new.write(
                reading.schema, read.table.rows, source=source, query_sha256=query.sha256, rows_sha256=read.sha256
            )
        except TableError as error:
            raise TableRefusedError(str(error)) from error
    if read.settled and not run.owners.decides(reading):
        files = run.new.files_of(reading.schema.name)
        run.changes.note(reading.schema.name, files, run.changes.whole(asked, read.table, read.days))
    return _outcome(reading.schema, read, len(read.table.rows), is_written=not is_same)


def _in_part(run: Run, schema: TableSchema, again: Again, last: TableState) -> Outcome:
    """Write what is new. Raises `TableError` if that has to be read whole to be believed."""
    if again.days:
        days = {day: digest for day, (_, digest) in again.read.days.items() if digest}
        state = run.new.write_days(schema, again.column, again.days, rows_sha256=_hash_of_days(schema, days))
        if state.row_count < (1 - MOST_ROWS_LOST) * last.row_count:
            raise TableError(f"table {schema.name} lost many rows")
    else:
        state = run.new.confirm(schema.name)
    run.changes.note(schema.name, run.new.files_of(schema.name), again.read)
    read = _Reading(again.read.told, state.rows_sha256, settled=True)
    return _outcome(schema, read, state.row_count, is_written=bool(again.days))


def _outcome(schema: TableSchema, read: _Reading, rows: int, *, is_written: bool) -> Outcome:
    return Outcome(
        "written" if is_written else "unchanged",
        rows,
        sum(read.table.unreadable.values()),
        _remark(schema, read),
        is_partial=bool(read.table.odd or read.table.ambiguous) or not read.settled,
        odd=[*read.table.odd, *read.table.odd_texts],
    )


def _made_before(cache_path: Path, schema: TableSchema) -> list[dict[str, object]]:
    """The last snapshot's rows; none where they cannot be read, and everything is made anew."""
    try:
        return Cache(cache_path).read(schema)
    except CacheError:
        return []


def _read(
    database: Database, reading: TableReading, values: Mapping[str, object], believed: str | None, day: str
) -> _Reading:
    """Read until two readings agree, at most three times; where one SELECT sees one moment, once."""
    for _ in range(MOST_READINGS):
        table = database.read(reading.schema.name, values, lambda raw: read_rows(reading, raw))
        days = hashes_of_days(table.rows, day) if day else {}
        sha256 = _hash_of_days(reading.schema, days) if day else _hash(reading.schema, table)
        if database.engine.reads_are_consistent or sha256 == believed:
            return _Reading(table, sha256, True, days)
        believed = sha256
    return _Reading(table, sha256, False, days)


def _hash(schema: TableSchema, table: TableRows) -> str:
    digest = hashlib.sha256(repr(list(schema.columns.items())).encode())
    for row in table.rows:
        digest.update(repr(tuple(row.values())).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def _hash_of_days(schema: TableSchema, days: Mapping[str, str]) -> str:
    return hashlib.sha256(repr((list(schema.columns.items()), sorted(days.items()))).encode()).hexdigest()


def _check(schema: TableSchema, table: TableRows, last: TableState | None, limits: Limits) -> None:
    """Refuse a table of which most rows are odd, or a small one that lost too many.

    `SnapshotWriter.write` checks types and keys.

    Raises `TableRefusedError` if they are not believed.
    """
    if schema.name in COMES_AND_GOES:
        return
    if len(table.odd) > MOST_ROWS_ODD * (len(table.rows) + len(table.odd)):
        why = ", ".join(in_words(schema, table.odd))
        raise TableRefusedError(
            f"table {schema.name}: most of its rows are odd, its last state stays: {why}", table.odd
        )
    lost = last.row_count - len(table.rows) if last is not None else 0
    if last is not None and MOST_ROWS_LOST * last.row_count < lost <= limits.rows:
        raise TableRefusedError(  # the guard judges by the rows of all tables where more are gone
            f"table {schema.name}: {len(table.rows)} rows, and {last.row_count} in its last state, which stays; "
            "if that is right, delete the file snapshots/current from the cache and run this job again"
        )


def _remark(schema: TableSchema, read: _Reading) -> str:
    odd = [f"{count} values of {name} cannot be read" for name, count in sorted(read.table.unreadable.items())]
    odd += [f"{count} left out: {why}" for why, count in sorted(read.table.left_out.items())]
    odd += [f"{count} values of {why}: null" for why, count in sorted(read.table.ambiguous.items())]
    odd += in_words(schema, read.table.odd)
    if texts := len(read.table.odd_texts):
        odd.append(f"{texts} {'row' if texts == 1 else 'rows'} with a text that is no Unicode")
    if not read.settled:
        odd.append("it changed each time that it was read")
    return f"table {schema.name}: {', '.join(odd)}" if odd else ""
