"""How a row gets into the simulated ARIA: surrogate keys, time stamps, and nothing made up for the rest.

How
    `Rows.add` gives a row its `*Ser` and its `HstryDateTime`; other columns stay NULL unless named. Keys of things
    with a natural name (a plan UID, a machine) are remembered in the table itself, not in memory.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from datetime import date, datetime


def stamp(moment: datetime | None) -> str | None:
    """`YYYY-MM-DD HH:MM:SS`."""
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def day_stamp(day: date | None) -> str | None:
    """A date as ARIA has it: midnight of a datetime column."""
    return None if day is None else f"{day:%Y-%m-%d} 00:00:00"


class Rows:
    """One transaction's worth of rows, all stamped `now`."""

    def __init__(self, connection: sqlite3.Connection, now: datetime) -> None:
        self.connection = connection
        self.now = stamp(now)

    def add(self, table: str, **columns: Any) -> int:
        """Insert a row; its rowid, which is also its `<Table>Ser` where the table has one of its own."""
        known = self.columns(table)
        if "HstryDateTime" in known:
            columns.setdefault("HstryDateTime", self.now)
        names = ", ".join(columns)
        marks = ", ".join("?" for _ in columns)
        cursor = self.connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608  names are ours
            tuple(columns.values()),
        )
        row = int(cursor.lastrowid or 0)
        own = f"{table}Ser"
        if own in known and own not in columns:
            self.connection.execute(f"UPDATE {table} SET {own} = ? WHERE rowid = ?", (row, row))  # noqa: S608
        return row

    def key(self, table: str, key: str, **where: Any) -> int:
        """The key of the one row that these columns name.

        Raises
        ------
        LookupError
            If there is none: the clinic and its database have parted.
        """
        condition = " AND ".join(f"{column} = ?" for column in where)
        found = self.connection.execute(
            f"SELECT {key} FROM {table} WHERE {condition}",  # noqa: S608  names are ours
            tuple(where.values()),
        ).fetchone()
        if found is None:
            raise LookupError(f"no row in {table}")
        return int(found[0])

    def columns(self, table: str) -> tuple[str, ...]:
        """A table's columns, in order."""
        return _columns_of(self.connection, table)


@lru_cache(maxsize=256)
def _columns_of(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    return tuple(name for _, name, *_ in connection.execute(f"PRAGMA table_info([{table}])"))
