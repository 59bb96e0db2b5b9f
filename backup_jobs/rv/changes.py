"""What changed in a database since its tables were last read, so that a cycle reads that and nothing else.

Goal
    Ten minutes in which nothing happened cost the clinic's database a few counts, not two years of rows.

How
    `queries/<product>/changes/` asks what a database knows of itself: `sources.sql` counts the rows of each table that
    queries read and tells its newest edit; a file named as a cached table tells what each day of it says. A table whose
    sources all stayed the same is not asked for. Of one that is asked by day the last days are read in every cycle,
    and with them each day of which something else is told than before; where its sources stayed the same, only the
    last two weeks are asked.

Why a doubt reads everything
    What is remembered here only spares a reading. It counts for one text of a query, one state of this program, of the
    database's own tables and of the file in the cache, and until the next `full_at`: a correction that leaves no trace
    in a count or a time is in the cache within a day.
"""

import hashlib
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from backup_jobs.rv import values
from backup_jobs.rv.database import Database
from backup_jobs.rv.database_errors import ConnectionLostError, DatabaseError
from backup_jobs.rv.queries import Query, QueryError, load_query
from backup_jobs.rv.read_before import ReadBefore, hash_of, last_full, load, save, this_program
from backup_jobs.rv.table_readings import TableReading, TableRows, read_rows
from recovery.settings.config import Config
from recovery.tables.schema import Row, TableSchema

log = logging.getLogger(__name__)

SOURCES = "changes/sources"
LAST_DAYS = range(-1, 2)
"""From today: the days that every cycle reads, whatever the database tells of them."""
LATELY = range(-14, 2)
"""From today: the days of which every cycle asks what they say, whether or not a table's edits tell of a change."""
MOST_DAYS_AGAIN = 0.3
"""Where a greater share of its days is due, a table is read whole."""
MOST_READINGS = 3
CLOCKS_DIFFER = timedelta(minutes=30)
"""A newest edit may hide one that a slower clock tells: so long, what it stands for counts as changed."""
NO_DAY = ""


@dataclass(frozen=True, slots=True)
class Again:
    """The days of a table that say something else than the cache, with their rows; and what to remember then."""

    days: Mapping[date, Sequence[Row]]
    column: str
    read: ReadBefore


@dataclass(frozen=True, slots=True)
class Asked:
    """What the database told of a table before it was read. `days` is None where it tells of none."""

    way: str
    sources: Mapping[str, str]
    by_day: Query | None = None
    window: tuple[str, ...] = ()
    days: Mapping[str, str] | None = None


class Changes:
    """What one run finds changed. `save` keeps it for the next, once the tables are in the cache.

    Raises `ConnectionLostError` if the database went away.
    """

    def __init__(self, config: Config, database: Database, values_now: Mapping[str, object], now: datetime) -> None:
        self._database, self._values, self._now = database, values_now, now
        self._local_now = now.astimezone(config.site.zone).replace(tzinfo=None)
        self._whole_since = last_full(config, now)
        self._cache_path, self._settings = config.cache_path, config.rv and config.rv.database
        self._before = load(config.cache_path)
        self._read: dict[str, ReadBefore] = {}
        self._schema = database.state_of_schema()
        rows = self._ask(SOURCES, values_now)
        self._sources = {str(row["source"]): self._said(row, but="source") for row in rows or ()}

    def asked(self, reading: TableReading, query: Query) -> Asked:
        """What the database tells of a table now. Ask before it is read: what changes meanwhile shows the next time.

        Raises `ConnectionLostError` if the database went away.
        """
        by_day = day_query(self._database.product, reading.schema, query)
        bound = [] if by_day is not None else [str(value) for value in query.bind(self._values)]
        columns = list(reading.schema.columns.items())
        texts = [query.text, by_day.text if by_day is not None else ""]
        way = hash_of(texts, columns, bound, self._settings, self._schema, this_program())
        if by_day is None:
            return Asked(way, {name: self._sources.get(name, "") for name in query.sources})
        # what no source tells of is in what the days say
        sources = {name: self._sources[name] for name in by_day.sources if name in self._sources}
        window = tuple(str(self._values[name]) for name in by_day.parameters)
        before = self._believed(reading.schema, way)
        if before is not None and before.window == window and _all_same(sources, before.sources):
            days = self._ask_lately(by_day, before)
        else:
            days = self._ask_days(by_day, self._values)
        return Asked(way, sources, by_day, window, days)

    def read_again(self, reading: TableReading, asked: Asked, files: str) -> Again | None:
        """Read what is new of a table whose files in the cache are `files`; None where it has to be read whole.

        Raises `DatabaseError` if the database cannot answer.
        """
        before = self._believed(reading.schema, asked.way)
        if before is None or not files or files != before.files:
            return None
        if asked.by_day is not None:
            return self._days_again(reading, asked.by_day, asked, before) if asked.days is not None else None
        return Again({}, "", before) if _all_same(asked.sources, before.sources) else None

    def whole(self, asked: Asked, table: TableRows, days: Mapping[str, str]) -> ReadBefore | None:
        """What to remember of a table that was read whole; nothing where that is of no use."""
        if asked.by_day is None:
            told: dict[str, tuple[str, str]] = {}
        elif asked.days is None or NO_DAY in days:
            return None
        else:
            told = {day: (asked.days.get(day, ""), days.get(day, "")) for day in asked.days.keys() | days.keys()}
        return ReadBefore(
            "", asked.way, self._now, asked.sources, replace(table, rows=[]), asked.window, told
        )  # fmt: skip

    def note(self, name: str, files: str, read: ReadBefore | None) -> None:
        """Remember a table as it lies in the cache now."""
        if read is not None:
            self._read[name] = replace(read, files=files)

    def save(self) -> None:
        """Keep what was noted for the next run."""
        save(self._cache_path, self._read)

    def _believed(self, schema: TableSchema, way: str) -> ReadBefore | None:
        before = self._before.get(schema.name)
        if before is None or self._schema is None or before.way != way:
            return None
        return before if self._whole_since <= before.whole_at <= self._now else None

    def _ask(self, name: str, values_now: Mapping[str, object]) -> list[dict[str, object]] | None:
        """The rows of a query about changes; None where there is none, or the database cannot answer it."""
        try:
            return self._database.read(name, values_now, list)
        except ConnectionLostError:
            raise
        except QueryError:
            return None
        except DatabaseError as error:
            log.warning("tables are read whole: %s", error)
            return None

    def _ask_lately(self, by_day: Query, before: ReadBefore) -> Mapping[str, str] | None:
        """What the database tells of the last days, and told of those before them; None where it cannot."""
        lately = self._days(LATELY)
        told = self._ask_days(by_day, {**self._values, **_bounds(by_day, lately)})
        if told is None:
            return None
        return {day: said for day, (said, _) in before.days.items() if day not in lately} | told

    def _days(self, of: range) -> list[str]:
        return [(self._local_now.date() + timedelta(days=days)).isoformat() for days in of]

    def _ask_days(self, by_day: Query, values_now: Mapping[str, object]) -> dict[str, str] | None:
        """What the database tells of each day; None where it cannot, or does not say of which."""
        rows = self._ask(by_day.table, values_now)
        if rows is None:
            return None
        told = {_day_of(row["first_at"]): self._said(row, but="first_at") for row in rows}
        return told if len(told) == len(rows) and NO_DAY not in told else None

    def _said(self, row: Mapping[str, object], but: str) -> str:
        """A row in short; empty, which nothing is the same as, where an edit may not show: none is told, or the
        newest is so new that it hides one of a clock that is behind, or one to come."""
        said = " ".join(str(value) for name, value in row.items() if name != but)
        if row.get("newest_edit") is None:
            return said if not row["row_count"] or row.get("content") else ""
        try:
            edited = values.moment(row["newest_edit"])
        except values.UnreadableError:
            edited = None
        return said if edited is not None and edited < self._local_now - CLOCKS_DIFFER else ""

    def _days_again(self, reading: TableReading, by_day: Query, asked: Asked, before: ReadBefore) -> Again | None:
        """Read the days that are due; None where they are too many, or say what was not said before."""
        told = asked.days or {}
        known = sorted(before.days.keys() | told.keys())
        last = set(self._days(LAST_DAYS))
        due = {day for day in known if day in last or not told.get(day) or told[day] != before.days.get(day, ("",))[0]}
        if len(due) > max(len(last), MOST_DAYS_AGAIN * len(known)):
            return None
        days = {day: said for day, said in before.days.items() if day not in due}
        changed: dict[str, list[Row]] = {day: [] for day in due - told.keys() if before.days[day][1]}
        for run in _runs(known, due & told.keys()):
            read = self._read_run(reading, by_day, run, before)
            if read is None:
                return None
            hashes = hashes_of_days(read.rows, by_day.day)
            is_new = any(hashes.get(day, "") != before.days.get(day, ("", ""))[1] for day in run)
            if is_new and _is_odd(read, before.told):
                return None
            for day in run:
                days[day] = (told[day], hashes.get(day, ""))
                if days[day][1] != before.days.get(day, ("", ""))[1]:
                    changed[day] = [row for row in read.rows if _day_of(row[by_day.day]) == day]
        rows = {date.fromisoformat(day): rows for day, rows in changed.items()}
        window_and_days = {"window": asked.window, "days": days, "sources": asked.sources}
        return Again(rows, by_day.day, replace(before, **window_and_days))  # type: ignore[arg-type]

    def _read_run(
        self, reading: TableReading, by_day: Query, run: Sequence[str], before: ReadBefore
    ) -> TableRows | None:
        """Days that follow each other, read until two readings agree, as a whole table is; None where none do, or a
        row is of another day."""
        bounds = _bounds(by_day, run)
        believed = {day: said for day in run if (said := before.days.get(day, ("", ""))[1])}
        for _ in range(MOST_READINGS):
            table = self._database.read(
                reading.schema.name, {**self._values, **bounds}, lambda raw: read_rows(reading, raw)
            )
            hashes = hashes_of_days(table.rows, by_day.day)
            if hashes.keys() - set(run):
                return None
            if self._database.engine.reads_are_consistent or hashes == believed:
                return table
            believed = hashes
        return None


def day_query(product: str, schema: TableSchema, query: Query) -> Query | None:
    """The query that tells of a table's days: its two parameters bound the day in the table's own query, too."""
    try:
        by_day = load_query(product, f"changes/{query.table}")
    except QueryError:
        return None
    is_bound = len(set(by_day.parameters)) == len(by_day.parameters) == 2 and set(by_day.parameters) <= set(
        query.parameters
    )
    return by_day if is_bound and schema.columns.get(by_day.day) == "datetime" else None


def hashes_of_days(rows: Iterable[Row], column: str) -> dict[str, str]:
    """By day, the hash of its rows in their order; those without a day under `NO_DAY`."""
    digests: dict[str, hashlib._Hash] = {}
    for row in rows:
        digest = digests.setdefault(_day_of(row[column]), hashlib.sha256())
        digest.update(repr(tuple(row.values())).encode("utf-8", "backslashreplace"))
    return {day: digest.hexdigest()[:32] for day, digest in digests.items()}


def _bounds(by_day: Query, run: Sequence[str]) -> dict[str, object]:
    """The parameters with which a query tells of days that follow each other."""
    since, until = by_day.parameters
    return {since: _midnight(run[0]), until: _midnight(run[-1]) + timedelta(days=1)}


def _all_same(now: Mapping[str, str], before: Mapping[str, str]) -> bool:
    return bool(now) and all(now.values()) and now == before


def _is_odd(table: TableRows, told: TableRows) -> bool:
    """Whether there is something to say of some days that was not said of their rows before, as far as is known."""
    odd = {*table.odd, *table.odd_texts} - {*told.odd, *told.odd_texts}
    return bool(odd or table.unreadable or table.left_out or table.ambiguous)


def _runs(known: Sequence[str], due: Collection[str]) -> Iterator[Sequence[str]]:
    """The days that are due, in runs between which there are others."""
    run: list[str] = []
    for day in known:
        if day in due:
            run.append(day)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _day_of(value: object) -> str:
    """A time's day as ISO 8601 writes it; `NO_DAY` where it has none."""
    try:
        day = values.day(value)
    except values.UnreadableError:
        return NO_DAY
    return day.isoformat() if day is not None else NO_DAY


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time())
