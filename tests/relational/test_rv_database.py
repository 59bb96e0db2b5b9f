"""The connection: read-only, clear about what is wrong, silent about passwords and patients."""

from __future__ import annotations

import builtins
import itertools
import logging
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from backup_jobs.jobs.snapshot_tables import check_queries, query_values, snapshot_tables
from backup_jobs.rv import database as rv_database
from backup_jobs.rv.database import open_database
from backup_jobs.rv.database_errors import (
    ConnectionLostError,
    DatabaseError,
    LoginRefusedError,
    explain_odbc,
    explain_sqlite,
)
from backup_jobs.rv.queries import QueryError
from recovery.settings.config import Config
from tests.relational.aria import Aria
from tests.relational.conftest import config_in, without_database


def test_rows_come_as_the_header_names_them(config: Config, now: datetime) -> None:
    with open_database(config) as database:
        rows = list(database.fetch("couch_shifts", query_values(config, now)))
    assert len(rows) == 6
    assert next(iter(rows[0])) == "delivery_id"


def test_rows_come_in_chunks(config: Config, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rv_database, "CHUNK_ROWS", 2)
    with open_database(config) as database:
        assert len(list(database.fetch("couch_shifts", query_values(config, now)))) == 6


@pytest.mark.parametrize("text", ["INSERT INTO Patient (PatientSer) VALUES (1)", "DROP TABLE Patient", "VACUUM"])
def test_the_connection_cannot_write(config: Config, text: str) -> None:
    with open_database(config) as database, pytest.raises(sqlite3.OperationalError, match="readonly"):
        database._connection.execute(text)


@pytest.mark.parametrize("text", ["SELECT 1 AS a", "INSERT INTO Patient (PatientSer) VALUES (1)", "../mosaiq/patients"])
def test_no_text_but_the_projects_own_can_be_sent(config: Config, now: datetime, text: str) -> None:
    with open_database(config) as database, pytest.raises(QueryError):
        list(database.fetch(text, query_values(config, now)))


def test_a_file_that_is_not_there_is_not_created(tmp_path: Path) -> None:
    config = config_in(tmp_path, "sqlite:///nothing.db")
    with pytest.raises(ConnectionLostError, match="cannot be opened"), open_database(config):
        pass
    assert not (tmp_path / "nothing.db").exists()


def test_a_file_that_is_no_database_is_told_so(tmp_path: Path, now: datetime) -> None:
    (tmp_path / "text.db").write_text("no database at all, but long enough for a header" * 10)
    with pytest.raises(DatabaseError, match="not a whole database"):
        snapshot_tables(config_in(tmp_path, "sqlite:///text.db"), now)


def test_a_config_without_a_database_cannot_be_opened(config: Config) -> None:
    with pytest.raises(DatabaseError, match=r"no \[rv.database\]"), open_database(without_database(config)):
        pass


def test_a_path_may_be_absolute_and_hold_odd_characters(aria: Aria, tmp_path: Path, now: datetime) -> None:
    folder = tmp_path / "Klinik Süd #1?%"
    folder.mkdir()
    (folder / "aria.db").write_bytes((tmp_path / "aria.db").read_bytes())
    assert check_queries(config_in(tmp_path / "elsewhere", f"sqlite:///{folder / 'aria.db'}")) == []


def test_bytes_that_are_no_text_are_read_and_do_not_stop_a_table(config: Config, aria: Aria, now: datetime) -> None:
    aria.execute("UPDATE Patient SET LastName = CAST(X'4d81' AS TEXT) WHERE PatientId = 'E7'")
    assert snapshot_tables(config, now).outcome == "OK"


def test_the_query_runs_again_from_its_first_row_when_the_connection_is_lost(config: Config, now: datetime) -> None:
    failures = [ConnectionLostError("gone"), ConnectionLostError("gone")]
    with open_database(config, first_wait_seconds=0.001) as database:

        def take(rows: Iterator[dict[str, object]]) -> int:
            next(rows)
            if failures:
                database.close()
                raise failures.pop()
            return 1 + sum(1 for _ in rows)

        assert database.read("couch_shifts", query_values(config, now), take) == 6


def test_after_three_attempts_the_connection_is_given_up(config: Config, now: datetime) -> None:
    attempts = itertools.count()

    def take(rows: Iterator[dict[str, object]]) -> None:
        next(attempts)
        raise ConnectionLostError("gone")

    with open_database(config, first_wait_seconds=0.001) as database, pytest.raises(ConnectionLostError):
        database.read("couch_shifts", query_values(config, now), take)
    assert next(attempts) == 3


def test_what_trying_again_does_not_mend_is_not_tried_again(config: Config, aria: Aria, now: datetime) -> None:
    aria.execute("DROP TABLE ChartQA")
    attempts = itertools.count()

    def take(rows: Iterator[dict[str, object]]) -> list[dict[str, object]]:
        next(attempts)
        return list(rows)

    with open_database(config) as database, pytest.raises(DatabaseError):
        database.read("checks", query_values(config, now), take)
    assert next(attempts) == 1


def test_a_database_locked_by_another_is_a_connection_lost() -> None:
    assert isinstance(explain_sqlite("database is locked", "plans"), ConnectionLostError)


@pytest.mark.parametrize(
    ("state", "text", "kind", "said"),
    [
        ("28000", "Login failed for user 'aria_ro'. (18456)", LoginRefusedError, "refused the login"),
        ("42000", "Cannot open database 'variansystem' (4060)", LoginRefusedError, "refused the login"),
        ("42S02", "Invalid object name 'dbo.Patient'. (208)", DatabaseError, "has no table dbo.Patient"),
        ("42S22", "Invalid column name 'SpecialNeeds'. (207)", DatabaseError, "has no column SpecialNeeds"),
        ("42000", "permission denied on object 'pt' (229)", DatabaseError, "the login may not read pt"),
        ("42000", "isolation is not allowed in this database. (3952)", DatabaseError, 'isolation = "read uncommitted"'),
        ("HYT00", "Query timeout expired (0)", DatabaseError, "did not answer in time"),
        ("08S01", "Communication link failure (0)", ConnectionLostError, "went away in the middle"),
        ("22018", "Conversion failed converting '00017R' to int (245)", DatabaseError, "error 22018, 245"),
    ],
)
def test_an_odbc_error_becomes_one_sentence_with_the_query_and_no_value(
    state: str, text: str, kind: type[DatabaseError], said: str
) -> None:
    error = explain_odbc(state, text, "plans")
    assert type(error) is kind
    assert said in str(error)
    assert str(error).startswith("query plans: ") or isinstance(error, LoginRefusedError)
    assert "00017R" not in str(error)


def test_a_missing_driver_is_told_apart_from_a_missing_host() -> None:
    assert "driver" in str(explain_odbc("01000", "Can't open lib 'FreeTDS' : file not found (0)", None))
    assert isinstance(explain_odbc("HYT00", "Login timeout expired (0)", None), ConnectionLostError)
    assert isinstance(explain_odbc("08001", "Unable to connect (20009)", None), ConnectionLostError)


def test_a_password_that_is_not_set_is_told_by_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyodbc", exc_type=ImportError)
    monkeypatch.delenv("RBRDT_TEST_PASSWORD", raising=False)
    config = config_in(tmp_path, "Driver={FreeTDS};Server=127.0.0.1", "RBRDT_TEST_PASSWORD")
    with pytest.raises(DatabaseError, match="RBRDT_TEST_PASSWORD"), open_database(config):
        pass


def test_a_machine_without_odbc_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_odbc(name: str, *rest: object) -> object:
        if name == "pyodbc":
            raise ImportError("libodbc.so.2: cannot open shared object file")
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without_odbc)
    with pytest.raises(DatabaseError, match="apt-get install unixodbc"), open_database(config_in(tmp_path, "Driver=x")):
        pass


def test_a_driver_that_is_not_installed_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, now: datetime
) -> None:
    pytest.importorskip("pyodbc", exc_type=ImportError)
    caplog.set_level(logging.DEBUG)
    config = config_in(tmp_path, "Driver={No such driver};Server=127.0.0.1;PWD=hidden-secret")
    with pytest.raises(DatabaseError, match="driver") as caught:
        snapshot_tables(config, now)
    assert "hidden-secret" not in str(caught.value) + caplog.text


def test_logs_and_messages_name_no_patient(
    config: Config, aria: Aria, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    aria.execute("UPDATE Patient SET PatientId = '00017R'")
    aria.execute("DROP TABLE ChartQA")
    message = snapshot_tables(config, now).message
    for word in ("00017R", "Muster", "MUSTER", "Anna", "20240503"):
        assert word not in message + caplog.text
