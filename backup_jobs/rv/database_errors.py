"""What a database says when it cannot answer, in one sentence that says what to do and names no patient.

Drivers' own texts are read for a code, a table's and a column's name, and never passed on: they quote values.
"""

import re


class DatabaseError(RuntimeError):
    """The R&V system's database cannot be asked, or cannot answer one query."""

    fault = "database"


class ConnectionLostError(DatabaseError):
    """The database went away, or was not there: asking again may help."""


class LoginRefusedError(DatabaseError):
    """The database answers and does not let us in."""


_NATIVE = re.compile(r"\((\d+)\)")
_LOST_STATES = frozenset({"08001", "08003", "08004", "08007", "08S01", "01002", "HY010"})
_LOST_NUMBERS = frozenset({"20004", "20006", "20009", "20017", "20047"})
"""FreeTDS says these with the SQLSTATE of a mere warning."""
_TIMEOUT_STATES = frozenset({"HYT00", "HYT01", "S1T00"})
_SNAPSHOT_NUMBERS = frozenset({"3951", "3952"})
_LOGIN_NUMBERS = frozenset({"18456", "18452", "18486", "18487", "18488", "4060"})


def explain_odbc(state: str, text: str, table: str | None) -> DatabaseError:
    """An ODBC driver's error: its SQLSTATE and text, and the query it happened in (none: while connecting)."""
    where = f"query {table}: " if table else ""
    numbers = set(_NATIVE.findall(text))
    if state == "28000" or numbers & _LOGIN_NUMBERS:
        return LoginRefusedError(
            "the database refused the login: check user and database in [rv.database] connection, "
            "and the password in the environment variable that password_env names",
        )
    if state in {"IM002", "IM003", "01000"} and table is None and not numbers & _LOST_NUMBERS:
        return DatabaseError(
            "the ODBC driver that [rv.database] connection names is not installed; `odbcinst -q -d` lists what is"
        )
    if state in _TIMEOUT_STATES and table is not None:
        return DatabaseError(f"{where}the database did not answer in time")
    if state in _LOST_STATES | _TIMEOUT_STATES or numbers & _LOST_NUMBERS:
        return ConnectionLostError(
            f"{where}the database went away in the middle" if table else "the database's host does not answer",
        )
    return _explain_refusal(state, text, table, where, numbers)


def _explain_refusal(state: str, text: str, table: str | None, where: str, numbers: set[str]) -> DatabaseError:
    if state == "42S02" or "208" in numbers:
        return _missing_table(table, _quoted(text, "object name"))
    if state == "42S22" or "207" in numbers:
        return _missing_column(table, _quoted(text, "column name"))
    if numbers & _SNAPSHOT_NUMBERS:
        return DatabaseError(
            f"{where}the database does not allow snapshot isolation: ask its administrator for "
            'ALLOW_SNAPSHOT_ISOLATION, or set isolation = "read uncommitted" in [rv.database]',
        )
    if numbers & {"229", "230"}:
        named = _quoted(text, "object")
        return DatabaseError(f"{where}the login may not read {named or 'one of its tables'}")
    code = f"{state}, {', '.join(sorted(numbers))}" if numbers else state
    return DatabaseError(f"{where}the database answered with error {code}")


def explain_sqlite(text: str, table: str | None) -> DatabaseError:
    """An error of SQLite, by its text: SQLite has no codes for a missing table or column."""
    where = f"query {table}: " if table else ""
    if (found := re.match(r"no such table: (\S+)", text)) is not None:
        return _missing_table(table, found.group(1))
    if (found := re.match(r"no such column: (\S+)", text)) is not None:
        return _missing_column(table, found.group(1))
    if "unable to open" in text:
        return ConnectionLostError("the file that [rv.database] connection names cannot be opened")
    if "not a database" in text or "malformed" in text:
        return DatabaseError(f"{where}the file that [rv.database] connection names is not a whole database")
    if "locked" in text or "disk I/O" in text:
        return ConnectionLostError(f"{where}the database's file cannot be read now")
    return DatabaseError(f"{where}the database cannot answer")


def _missing_table(table: str | None, name: str | None) -> DatabaseError:
    said = f"has no table {name}" if name else "lacks one of its tables"
    return DatabaseError(f"query {table}: the database {said}")


def _missing_column(table: str | None, name: str | None) -> DatabaseError:
    column = name.rpartition(".")[2] if name else None
    said = f"has no column {column}" if column else "lacks one of its columns"
    return DatabaseError(f"query {table}: the database {said}")


def _quoted(text: str, what: str) -> str | None:
    """The name of a table or column that follows `what` in quotes; names only, never a value."""
    found = re.search(rf"{what} ['\"]([A-Za-z_][\w.]*)['\"]", text)
    return found.group(1) if found else None
