"""A database of a product's tables in SQLite, which tests fill and break.

How
    Tables as a schema file says, without keys and constraints. What a column must hold and the test does not care
    about is filled in by its type. An edit leaves its time in the row, as the R&V system's own programs do.
"""

from __future__ import annotations

import importlib
import itertools
import re
import sqlite3
from datetime import datetime
from pathlib import Path

from backup_jobs.rv.queries import load_query

Schema = dict[str, dict[str, tuple[str, bool]]]
"""Table → column → its type's first word, and whether it may be null."""

_WHOLE = ("numeric", "int", "smallint", "tinyint", "bigint", "bit")
AFFINITY = dict.fromkeys(_WHOLE, "INTEGER") | {"float": "REAL", "decimal": "REAL"}
FILLERS: dict[str, object] = dict.fromkeys(_WHOLE, 0) | {
    "float": 0.0,
    "decimal": 0.0,
    "datetime": "2026-01-01 00:00:00",
}
EDITED_AT = ("HstryDateTime", "trans_log_mtstamp", "Edit_DtTm")
"""Columns in which an R&V system keeps when a row was last edited."""


def read_schema(path: Path) -> Schema:
    """Read `Table: column*:type?, …`, a line for each table."""
    tables: Schema = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        table, _, columns = line.partition(": ")
        tables[table] = {
            name: (re.split(r"[/(?]", kind)[0], kind.endswith("?"))
            for name, kind in re.findall(r"(\w+)\*?:(.+?)(?=, \w+\*?:|$)", columns)
        }
    return tables


class MadeUpDatabase:
    """The database under construction. Numbers of rows are counted up from 1 across all tables."""

    def __init__(self, path: Path | str, schema: Schema) -> None:
        self.schema = schema
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA synchronous = OFF")
        self.numbers = itertools.count(1)
        self.connection.execute("CREATE TABLE edits (number INTEGER)")
        self.connection.execute("INSERT INTO edits VALUES (0)")
        for table, columns in schema.items():
            listed = ", ".join(f"[{name}] {AFFINITY.get(kind, 'TEXT')}" for name, (kind, _) in columns.items())
            self.connection.execute(f"CREATE TABLE [{table}] ({listed})")
            first = next(iter(columns))
            self.connection.execute(f"CREATE INDEX key_of_{table} ON [{table}] ([{first}])")
            for column in [name for name in EDITED_AT if name in columns]:
                self._keep_time_of_edits(table, column)

    def _keep_time_of_edits(self, table: str, column: str) -> None:
        """Every edit is a second later than the one before."""
        now = "datetime('2026-11-22 00:00:00', '+' || (SELECT MAX(number) FROM edits) || ' seconds')"
        self.connection.execute(
            f"CREATE TRIGGER edit_of_{table} AFTER UPDATE ON [{table}] WHEN NEW.[{column}] IS OLD.[{column}] BEGIN"
            " UPDATE edits SET number = number + 1;"
            f" UPDATE [{table}] SET [{column}] = {now} WHERE rowid = NEW.rowid; END"
        )

    def no_edit_leaves_its_time(self) -> None:
        """As somebody's hand in the database would leave none."""
        for (name,) in self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            self.connection.execute(f"DROP TRIGGER {name}")

    def insert(self, table: str, **values: object) -> None:
        columns = self.schema[table]
        filled = {name: FILLERS.get(kind, "x") for name, (kind, optional) in columns.items() if not optional} | values
        filled = {
            name: value.isoformat(" ") if isinstance(value, datetime) else value for name, value in filled.items()
        }
        names, marks = ", ".join(f"[{name}]" for name in filled), ", ".join("?" * len(filled))
        self.connection.execute(f"INSERT INTO [{table}] ({names}) VALUES ({marks})", list(filled.values()))

    def execute(self, text: str, *values: object) -> None:
        self.connection.execute(text, values)

    def close(self) -> None:
        self.connection.close()


def schema_of(product: str) -> Schema:
    """The columns of a product's database that are known."""
    return read_schema(Path(__file__).with_name(f"{product}_schema.txt"))


def made_up_clinic(product: str, folder: Path) -> MadeUpDatabase:
    """`<product>.db` with the people of `<product>_clinic.py`."""
    clinic = importlib.import_module(f"tests.relational.{product}_clinic")
    database: MadeUpDatabase = clinic.DATABASE(folder / f"{product}.db")
    clinic.fill(database)
    return database


def asks_for_nothing(product: str, table: str) -> bool:
    """Whether the product's database has nothing for a table, and the query says so."""
    return load_query(product, table).text.rstrip().endswith("WHERE 1 = 0")
