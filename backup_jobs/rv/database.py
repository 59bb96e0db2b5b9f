"""The R&V system's database, read and never written.

Goal
    The relational half of a patient's treatment, from ARIA or MOSAIQ, without ever slowing or changing the clinic's
    database.

How
    Two engines, one text: SQL Server through ODBC, and SQLite for the simulated clinic. Only the SELECTs of
    `queries/<product>/` can be sent, by their table's name, with bound parameters. Rows come in chunks.

Why read-only four times
    The connection is opened read-only, in autocommit, without locks (READ UNCOMMITTED, or SNAPSHOT where the config
    says so), and only SELECTs go over it.
    An ODBC driver may ignore the first of these: the login should have no right but to read.
"""

import contextlib
import logging
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

import tenacity

from backup_jobs.rv.checksums import teach_checksums
from backup_jobs.rv.database_errors import (
    ConnectionLostError,
    DatabaseError,
    explain_odbc,
    explain_sqlite,
)
from backup_jobs.rv.queries import Query, load_query
from recovery.settings.config import Config
from recovery.settings.nodes import RvDatabase

log = logging.getLogger(__name__)

T = TypeVar("T")
RawRow = dict[str, object]

SQLITE = "sqlite:///"
CHUNK_ROWS = 5_000
CHUNK_ROWS_OF = {"photos": 20}
"""Of tables whose rows are large: all rows of a chunk are in memory at once."""
CONNECT_SECONDS = 15
QUERY_SECONDS = 120
ATTEMPTS = 3
FIRST_WAIT_SECONDS = 1.0


class Cursor(Protocol):
    """What both drivers' cursors have in common (PEP 249)."""

    @property
    def description(self) -> Any: ...
    def execute(self, text: str, values: list[object], /) -> object: ...
    def fetchmany(self, size: int, /) -> list[Any]: ...
    def close(self) -> object: ...


@dataclass(frozen=True, slots=True)
class Engine:
    """One kind of database: how to open it, how to bind a value, and what its errors mean."""

    source: str
    """How a snapshot names where it comes from; no host, no user, no password."""
    reads_are_consistent: bool
    """Whether one SELECT sees one moment. READ UNCOMMITTED does not: it may miss a row that moves."""
    connect: Callable[[], Any]
    bind: Callable[[object], object]
    state_of_schema: str
    """Asks for what changes with the tables' own columns."""
    errors: type[Exception]
    explain: Callable[[Any, str | None], DatabaseError]


class Database:
    """An open connection that runs the queries of one product."""

    def __init__(self, engine: Engine, product: str, first_wait_seconds: float = FIRST_WAIT_SECONDS) -> None:
        self.engine = engine
        self.product = product
        self.first_wait_seconds = first_wait_seconds
        self.rows_read = 0
        self._connection: Any = None
        self._connect()

    def read(self, table: str, values: Mapping[str, object], take: Callable[[Iterator[RawRow]], T]) -> T:
        """Give all rows of one query to `take`, from the first row again when the connection is lost meanwhile.

        Raises `QueryError` if there is no such query; `DatabaseError` if the database cannot answer it;
        `ConnectionLostError` after three attempts.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(ConnectionLostError),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=tenacity.wait_exponential(multiplier=self.first_wait_seconds, max=30),
            before_sleep=lambda state: log.warning(
                "query %s: connection lost at attempt %s", table, state.attempt_number
            ),
            reraise=True,
        )
        return retrying(lambda: take(self.fetch(table, values)))

    def fetch(self, table: str, values: Mapping[str, object]) -> Iterator[RawRow]:
        """The rows of one query, chunk by chunk, one attempt.

        Raises `QueryError` or `DatabaseError` as `read` does.
        """
        query = load_query(self.product, table)
        if self._connection is None:
            self._connect_again(table)
        try:
            yield from self._rows(query, values)
        except self.engine.errors as error:
            explained = self.engine.explain(error, table)
            if isinstance(explained, ConnectionLostError):
                self.close()
            raise explained from None
        except UnicodeDecodeError:
            raise DatabaseError(f"query {table}: a text of the database is not Unicode") from None

    def state_of_schema(self) -> str | None:
        """What is another after any table's columns were changed; None where the database does not tell."""
        try:
            if self._connection is None:
                self._connect()
            return str([tuple(row) for row in self._connection.execute(self.engine.state_of_schema).fetchall()])
        except self.engine.errors as error:
            log.warning("tables are read whole: %s", self.engine.explain(error, "state of the schema"))
            return None

    def close(self) -> None:
        """Close the connection; a second time does nothing."""
        if self._connection is not None:
            with contextlib.suppress(self.engine.errors):
                self._connection.close()
        self._connection = None

    def _connect(self) -> None:
        try:
            self._connection = self.engine.connect()
        except self.engine.errors as error:
            raise self.engine.explain(error, None) from None

    def _connect_again(self, table: str) -> None:
        try:
            self._connect()
        except ConnectionLostError as error:
            raise ConnectionLostError(f"query {table}: {error}") from None

    def _rows(self, query: Query, values: Mapping[str, object]) -> Iterator[RawRow]:
        cursor: Cursor = self._connection.cursor()
        try:
            cursor.execute(query.text, [self.engine.bind(value) for value in query.bind(values)])
            names = [column[0] for column in cursor.description]
            if missing := [name for name in query.columns if name not in names]:
                raise DatabaseError(f"query {query.table}: returns no column {', '.join(missing)}")
            while chunk := cursor.fetchmany(CHUNK_ROWS_OF.get(query.table, CHUNK_ROWS)):
                self.rows_read += len(chunk)
                for row in chunk:
                    yield dict(zip(names, row, strict=True))
        finally:
            with contextlib.suppress(self.engine.errors):
                cursor.close()


@contextlib.contextmanager
def open_database(config: Config, first_wait_seconds: float = FIRST_WAIT_SECONDS) -> Iterator[Database]:
    """Connect to the database of `[rv.database]`; a relative SQLite path starts at the config.

    Raises `DatabaseError` if there is none, or it cannot be reached, or it refuses the login.
    """
    if config.rv is None or config.rv.database is None:
        raise DatabaseError("the config has no [rv.database]")
    settings = config.rv.database
    if settings.connection.startswith(SQLITE):
        engine = sqlite_engine(config.file.parent / settings.connection.removeprefix(SQLITE))
    else:
        engine = odbc_engine(settings)
    database = Database(engine, config.rv.product, first_wait_seconds)
    try:
        yield database
    finally:
        database.close()


def sqlite_engine(path: Path) -> Engine:
    """The simulated clinic's database. Its times are text, `2026-11-22 08:00:00`."""

    def connect() -> sqlite3.Connection:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=CONNECT_SECONDS)
        connection.text_factory = lambda value: value.decode("utf-8", "replace")
        teach_checksums(connection)
        return connection

    def bind(value: object) -> object:
        if isinstance(value, datetime):
            return value.isoformat(" ", "seconds")
        return value.isoformat() if isinstance(value, date) else value

    return Engine(
        source=f"sqlite:{path.name}",
        reads_are_consistent=True,
        connect=connect,
        bind=bind,
        state_of_schema="PRAGMA schema_version",
        errors=sqlite3.Error,
        explain=lambda error, table: explain_sqlite(str(error), table),
    )


def odbc_engine(settings: RvDatabase) -> Engine:
    """SQL Server through ODBC, at the isolation level of the settings.

    Raises `DatabaseError` if ODBC is not installed, or the password's environment variable is not set.
    """
    try:
        import pyodbc
    except ImportError as error:
        raise DatabaseError(
            "ODBC is not installed on this machine: install unixODBC (Debian: apt-get install unixodbc) and "
            "the driver that [rv.database] connection names"
        ) from error
    full, isolation = _with_password(settings), settings.isolation.upper()

    def connect() -> Any:
        connection = pyodbc.connect(full, autocommit=True, readonly=True, timeout=CONNECT_SECONDS)
        connection.timeout = QUERY_SECONDS
        for kind in (pyodbc.SQL_WCHAR, pyodbc.SQL_WVARCHAR, pyodbc.SQL_WLONGVARCHAR):
            connection.add_output_converter(kind, _text_of_utf_16)
        connection.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}").close()
        return connection

    return Engine(
        source="odbc",
        reads_are_consistent=isolation == "SNAPSHOT",
        connect=connect,
        bind=lambda value: value,
        state_of_schema="SELECT COUNT(*) AS objects, MAX(o.modify_date) AS newest FROM sys.objects o",
        errors=pyodbc.Error,
        explain=lambda error, table: explain_odbc(*_said(error), table),
    )


def _text_of_utf_16(value: bytes) -> str:
    """NVARCHAR as its server keeps it, code units that need not be characters; pyodbc itself would refuse the whole
    row. A VARCHAR is converted by its driver, which replaces what it does not know."""
    return value.decode("utf-16-le", "replace")


def _with_password(settings: RvDatabase) -> str:
    """The connection string that the driver gets; it is printed nowhere.

    In braces only where ODBC needs them, `}` doubled then: FreeTDS does not read `}}` as one, and takes a brace for
    part of the password when nothing follows it.
    """
    parts = [settings.connection.rstrip("; ")]
    if settings.password_env is not None:
        password = os.environ.get(settings.password_env)
        if not password:
            raise DatabaseError(
                f"the environment variable {settings.password_env}, which [rv.database] password_env names, is not set"
            )
        needs_braces = ";" in password or password[0] in "{ " or password[-1] == " "
        parts.append("PWD=" + ("{" + password.replace("}", "}}") + "}" if needs_braces else password))
    if re.search(r"ApplicationIntent\s*=", settings.connection, re.IGNORECASE) is None:
        parts.append("ApplicationIntent=ReadOnly")
    return ";".join(parts) + ";"


def _said(error: Any) -> tuple[str, str]:
    """A pyodbc error's SQLSTATE and text."""
    said = [str(part) for part in error.args]
    return (said[0], " ".join(said[1:])) if len(said) > 1 else ("HY000", " ".join(said))
