"""Bring the relational tables of the R&V system's database into the cache.

How
    One query per table, one after the other. Rows are checked before they replace anything: a row that is odd by its
    key is left out or made one with its double (`backup_jobs/rv/odd_rows.py`), and the run is PARTIAL: what that row
    told is not backed up. A table that is implausible as a whole keeps its last state, the others still come, and the
    job says which and why. All together become one snapshot (`recovery/cache/snapshot_writing.py`), unless none of them
    says anything new.

Why read twice
    Without locks (READ UNCOMMITTED) a reading may miss a row that moves meanwhile. So a reading is believed when
    another says the same: the one in the cache, or a second one.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from backup_jobs.rv.database import Database, open_database
from backup_jobs.rv.database_errors import ConnectionLostError, DatabaseError
from backup_jobs.rv.odd_rows import OddRow, in_words, note
from backup_jobs.rv.plan_owners import PlanOwners
from backup_jobs.rv.product import Product, product_of
from backup_jobs.rv.queries import QueryError, query_tables
from backup_jobs.rv.table_readings import TableReading, TableRows, read_rows
from recovery.cache.errors import CacheError
from recovery.cache.journal import JobResult
from recovery.cache.manifests import TableState
from recovery.cache.snapshot_writing import SnapshotWriter, open_writer
from recovery.cache.snapshots import prune
from recovery.cache.store import Cache
from recovery.settings.config import Config
from recovery.settings.trust import key_or_why_not, trust_of
from recovery.tables.delivered import HISTORY_DAYS
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import TableError, TableSchema

log = logging.getLogger(__name__)

JOB = "snapshot_tables"

COUCH_DAYS = 60
IN_FLIGHT_DAYS = 14
SCHEDULE_DAYS = 60
PHOTO_DAYS = 180
"""As far back as the first run of all looks for patients on break; see the traps of photos.sql."""
MOST_ROWS_LOST = 0.30
"""A table that lost a greater share of its rows since its last state is not believed."""
MOST_ROWS_ODD = 0.50
"""A table of which a greater share is odd by its key is not believed: then the query does not fit the database."""
COMES_AND_GOES = frozenset({"in_flight"})
"""Tables that are empty on a good day: they may lose all their rows."""
MOST_READINGS = 3


class TableRefusedError(ValueError):
    """A table's rows are not believed: its last state stays. The text says why, and names no patient; `odd` may."""

    def __init__(self, text: str, odd: Sequence[OddRow] = ()) -> None:
        super().__init__(text)
        self.odd = odd


@dataclass(frozen=True, slots=True)
class _Reading:
    """A table as it was read: its rows, their hash, and whether another reading said the same."""

    table: TableRows
    sha256: str
    settled: bool


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one table: `written`, `unchanged` or `kept`, and a sentence where there is something to say."""

    state: str
    rows: int = 0
    unreadable: int = 0
    remark: str = ""
    fault: str = ""
    is_partial: bool = False
    odd: Sequence[OddRow] = ()


def snapshot_tables(config: Config, now: datetime) -> JobResult:
    """Read every table of the product's queries into a new snapshot. `now` is aware.

    Raises `DatabaseError` if nothing at all can be read. The snapshot before stays the newest. Raises `CacheError` if
    the cache cannot be written. The snapshot before still stands.
    """
    if config.rv is None or config.rv.database is None:
        return JobResult(JOB, "SKIPPED", {}, message="the config has no [rv.database]")
    product = product_of(config)
    tables = product.tables()
    owners = PlanOwners(config)
    outcomes: dict[str, _Outcome] = {}
    key, unsigned = key_or_why_not(config)
    with open_database(config) as database, open_writer(config.cache_path, now, key, trust_of(config)) as new:
        for fault in new.faults:
            log.warning("read anew from the database: %s", fault)
        for reading in tables:
            try:
                outcomes[reading.schema.name] = _snapshot(
                    product, database, new, owners.applied_to(reading), config, now
                )
            except (DatabaseError, QueryError, TableRefusedError) as error:
                log.warning("%s", error)
                fault = "database" if isinstance(error, DatabaseError) else ""
                odd = error.odd if isinstance(error, TableRefusedError) else ()
                outcomes[reading.schema.name] = _Outcome("kept", 0, 0, str(error), fault, is_partial=True, odd=odd)
                new.keep(reading.schema.name, str(error))
                if isinstance(error, ConnectionLostError):
                    break
        result = _result(outcomes, [reading.schema.name for reading in tables])
        said = (result.message, unsigned, *_anew(new.faults))
        outcome = "PARTIAL" if unsigned else result.outcome
        result = replace(result, outcome=outcome, message="; ".join(part for part in said if part))
        for reading in tables[len(outcomes) :]:
            new.keep(reading.schema.name, "the connection was lost before it was asked for")
        new.commit()
    note(Cache(config.cache_path), {name: one.odd for name, one in outcomes.items() if not one.fault}, now)
    prune(config.cache_path, config.cache.keep_days, trust_of(config))
    return result


def _anew(faults: Sequence[str]) -> list[str]:
    return [f"read anew from the database: {fault}" for fault in faults]


def check_queries(config: Config) -> list[str]:
    """Run every query with dates that nothing falls on; returns a sentence for each that does not work.

    Raises `DatabaseError` if the database cannot be reached at all.
    """
    if config.rv is None or config.rv.database is None:
        return []
    nothing_since = datetime(2900, 1, 1, tzinfo=UTC)
    product = product_of(config)
    strange = [name for name in query_tables(product.name) if name not in RELATIONAL_TABLES]
    sentences = [f"query {name}: there is no table of this name" for name in strange]
    with open_database(config) as database:
        for reading in product.tables():
            try:
                product.query(reading)
                next(database.fetch(reading.schema.name, query_values(config, nothing_since)), None)
            except ConnectionLostError:
                raise
            except (DatabaseError, QueryError) as error:
                sentences.append(str(error))
    return sentences


def query_values(config: Config, now: datetime) -> Mapping[str, object]:
    """What the queries' parameters are at `now`: days begin at midnight of the site, times are naive as ARIA's."""
    today = datetime.combine(now.astimezone(config.site.zone).date(), time())
    return {
        "today": today,
        "since": today - timedelta(days=HISTORY_DAYS),
        "couch_since": today - timedelta(days=COUCH_DAYS),
        "in_flight_since": today - timedelta(days=IN_FLIGHT_DAYS),
        "schedule_since": today - timedelta(days=SCHEDULE_DAYS),
        "schedule_until": today + timedelta(days=SCHEDULE_DAYS + 1),
        "photos_since": today - timedelta(days=PHOTO_DAYS),
        "photo_type": config.rv.database.photo_type if config.rv is not None and config.rv.database else "",
    }


def _snapshot(
    product: Product, database: Database, new: SnapshotWriter, reading: TableReading, config: Config, now: datetime
) -> _Outcome:
    """Read one table, check it, and write it unless it is what the last snapshot holds."""
    schema = reading.schema
    query_sha256 = product.query(reading).sha256
    last = new.last(schema.name)
    believed = last.rows_sha256 if last is not None and last.query_sha256 == query_sha256 else None
    if reading.knowing is not None:
        reading = reading.knowing(_made_before(config, schema) if last is not None else ())
    read = _read(database, reading, query_values(config, now), believed)
    rows = read.table.rows
    if read.sha256 == believed:
        new.confirm(schema.name)
    else:
        _check(schema, read.table, last)
        try:
            new.write(schema, rows, source=_source(database), query_sha256=query_sha256, rows_sha256=read.sha256)
        except TableError as error:
            raise TableRefusedError(str(error)) from error
    state = "unchanged" if read.sha256 == believed else "written"
    return _Outcome(
        state,
        len(rows),
        sum(read.table.unreadable.values()),
        _remark(schema, read),
        is_partial=bool(read.table.odd or read.table.ambiguous) or not read.settled,
        odd=[*read.table.odd, *read.table.odd_texts],
    )


def _made_before(config: Config, schema: TableSchema) -> list[dict[str, object]]:
    """The last snapshot's rows; none where they cannot be read, and everything is made anew."""
    try:
        return Cache(config.cache_path).read(schema)
    except CacheError:
        return []


def _read(database: Database, reading: TableReading, values: Mapping[str, object], believed: str | None) -> _Reading:
    """Read until two readings agree, at most three times; where one SELECT sees one moment, once."""
    for _ in range(MOST_READINGS):
        table = database.read(reading.schema.name, values, lambda raw: read_rows(reading, raw))
        sha256 = _hash(reading.schema, table)
        if database.engine.reads_are_consistent or sha256 == believed:
            return _Reading(table, sha256, settled=True)
        believed = sha256
    return _Reading(table, sha256, settled=False)


def _hash(schema: TableSchema, table: TableRows) -> str:
    digest = hashlib.sha256(repr(list(schema.columns.items())).encode())
    for row in table.rows:
        digest.update(repr(tuple(row.values())).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def _check(schema: TableSchema, table: TableRows, last: TableState | None) -> None:
    """Refuse a table of which most rows are odd, or that lost too many; `SnapshotWriter.write` checks types and keys.

    Raises `TableRefusedError` if they are not believed.
    """
    if schema.name in COMES_AND_GOES:
        return
    if len(table.odd) > MOST_ROWS_ODD * (len(table.rows) + len(table.odd)):
        why = ", ".join(in_words(schema, table.odd))
        raise TableRefusedError(
            f"table {schema.name}: most of its rows are odd, its last state stays: {why}", table.odd
        )
    if last is not None and len(table.rows) < (1 - MOST_ROWS_LOST) * last.row_count:
        raise TableRefusedError(
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


def _source(database: Database) -> str:
    return f"{database.product} database, {database.engine.source}"


def _result(outcomes: Mapping[str, _Outcome], wanted: list[str]) -> JobResult:
    """Sum up. Raises `DatabaseError` if no table could be read."""
    remarks = [outcome.remark for outcome in outcomes.values() if outcome.remark]
    not_asked = [name for name in wanted if name not in outcomes]
    if not_asked:
        remarks.append(f"not asked for after that: {', '.join(not_asked)}")
    if all(outcome.fault for outcome in outcomes.values()):
        raise DatabaseError("; ".join(remarks))
    states = [outcome.state for outcome in outcomes.values()]
    counts = {
        "tables": len(wanted),
        "written": states.count("written"),
        "unchanged": states.count("unchanged"),
        "kept": states.count("kept") + len(not_asked),
        "rows": sum(outcome.rows for outcome in outcomes.values()),
        "unreadable_values": sum(outcome.unreadable for outcome in outcomes.values()),
    }
    is_partial = any(outcome.is_partial for outcome in outcomes.values())
    fault = next((outcome.fault for outcome in outcomes.values() if outcome.fault), "")
    return JobResult(JOB, "PARTIAL" if is_partial else "OK", counts, message="; ".join(remarks), fault=fault)
