"""The same queries on a server that speaks T-SQL, through pyodbc and FreeTDS."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from backup_jobs.jobs.snapshot_tables import check_queries, query_values, snapshot_tables
from backup_jobs.rv import database as rv_database
from backup_jobs.rv.database import open_database
from backup_jobs.rv.database_errors import ConnectionLostError, DatabaseError, LoginRefusedError
from recovery.cache.store import Cache
from recovery.settings.config import Config
from recovery.settings.products import product_names
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import ODD_ROWS
from tests.orthanc import free_port
from tests.photos import GREEN, picture
from tests.relational.aria import Aria
from tests.relational.conftest import config_in
from tests.relational.made_up import asks_for_nothing, made_up_clinic, schema_of
from tests.relational.test_changes import Clinic, change_something, fill

INSTALL = "install it: apt-get install -y --no-install-recommends unixodbc tdsodbc; pip install pysqlbridge==2.1.3"
pyodbc = pytest.importorskip("pyodbc", reason=f"no unixODBC; {INSTALL}", exc_type=ImportError)
pytest.importorskip("pysqlbridge", reason=f"no pysqlbridge; {INSTALL}")
if "FreeTDS" not in pyodbc.drivers():
    pytest.skip(f"no FreeTDS driver; {INSTALL}", allow_module_level=True)

from tests.relational.sql_server import PASSWORD, connection_string, copy_of, sql_server  # noqa: E402

VARIABLE = "RBRDT_TEST_PASSWORD"
Server = Callable[..., Config]


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    monkeypatch.setattr(rv_database, "QUERY_SECONDS", 20)


def config_for(folder: Path, port: int, product: str = "aria") -> Config:
    return config_in(folder, connection_string(port), VARIABLE, cache="cache_of_server", product=product)


@pytest.mark.parametrize("product", product_names())
def test_every_table_is_the_same_as_on_sqlite(product: str, tmp_path: Path, now: datetime) -> None:
    made_up_clinic(product, tmp_path).close()
    config = config_in(tmp_path, f"sqlite:///{product}.db", product=product)
    on_sqlite = snapshot_tables(config, now)
    assert on_sqlite.outcome == "OK"
    with sql_server(copy_of(tmp_path / f"{product}.db", schema=schema_of(product))) as (port, _):
        server = config_for(tmp_path, port, product)
        result = snapshot_tables(server, now)
        assert (result.outcome, result.message) == ("OK", on_sqlite.message)
        assert check_queries(server) == []
    for schema in RELATIONAL_TABLES.values():
        rows = Cache(config.cache_path).read(schema)
        assert Cache(server.cache_path).read(schema) == rows, schema.name
        assert bool(rows) != asks_for_nothing(product, schema.name), f"{schema.name} is empty: nothing was compared"


@pytest.mark.parametrize("product", product_names())
def test_what_changed_is_read_again_and_nothing_else(product: str, tmp_path: Path) -> None:
    database = made_up_clinic(product, tmp_path)
    path = tmp_path / f"{product}.db"
    clinic = Clinic(database, config_for(tmp_path, free_port(), product))
    fill(clinic)
    served = copy_of(path, schema=schema_of(product))
    with sql_server(served) as (port, _):
        clinic.config = config_for(tmp_path, port, product)
        whole = clinic.cycle()["rows_read"]
        assert clinic.cycle()["rows_read"] < whole / 4
        for seed in range(3):
            change_something(clinic, random.Random(seed))
        served.answer = copy_of(path, schema=schema_of(product)).answer
        assert clinic.cycle()["rows_read"] < whole
        clinic.assert_equal_to_a_full_reading()
    database.close()


def test_a_photo_comes_through_byte_by_byte_and_by_the_type_that_the_config_names(
    aria: Aria, tmp_path: Path, now: datetime
) -> None:
    (anna,) = aria.connection.execute("SELECT PatientSer FROM Patient WHERE PatientId = '20240503'").fetchone()
    sent = bytes(range(256)) * 31
    aria.photo(anna, sent, now.replace(tzinfo=None), kind="Every byte")
    with sql_server(copy_of(tmp_path / "aria.db")) as (port, _), open_database(config_for(tmp_path, port)) as database:
        values = query_values(config_for(tmp_path, port), now)
        for kind, came in (("", sent), ("Every byte", sent), ("Portrait", picture(GREEN)), ("Nothing", None)):
            rows = list(database.fetch("photos", {**values, "photo_type": kind}))
            assert [row["picture"] for row in rows] == ([came] if came is not None else [])


def test_a_text_that_is_no_unicode_costs_that_text_and_every_other_name_is_exact(
    aria: Aria, tmp_path: Path, now: datetime
) -> None:
    catalog = copy_of(tmp_path / "aria.db")
    patients = catalog.get("Patient")
    at = {column.name: number for number, column in enumerate(patients.columns)}
    names = iter(["Gr\u00fcnspan", "\u5c71\u7530", "Half\ud83d", "Whole\U0001f600", "\udc00", "\u0141"])
    said = {str(row[at["PatientId"]]).strip(): next(names) for row in patients.rows}
    for row in patients.rows:
        row[at["LastName"]] = said[str(row[at["PatientId"]]).strip()]
    with sql_server(catalog) as (port, _):
        server = config_for(tmp_path, port)
        result = snapshot_tables(server, now)
    assert result.outcome == "OK"
    assert "table patients: 2 rows with a text that is no Unicode" in result.message
    cache = Cache(server.cache_path)
    came = {
        row["patient_id"]: str(row["patient_name"]).split(",")[0] for row in cache.read(RELATIONAL_TABLES["patients"])
    }
    readable = {
        who: name.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") for who, name in said.items()
    }
    assert came == {who: name.upper() for who, name in readable.items() if who in came} and len(came) >= 5
    odd = {row["row_key"] for row in cache.read(ODD_ROWS) if row["table_name"] == "patients"}
    assert odd == {f"patient_id {who}" for who, name in readable.items() if "\ufffd" in name}


def test_the_connection_cannot_write(aria: Aria, tmp_path: Path) -> None:
    with sql_server(copy_of(tmp_path / "aria.db")) as (port, _), open_database(config_for(tmp_path, port)) as database:
        for text in ("INSERT INTO Patient (PatientSer) VALUES (1)", "DELETE FROM Patient"):
            with pytest.raises(pyodbc.Error):
                database._connection.execute(text)
        (count,) = database._connection.execute("SELECT COUNT(*) FROM Patient").fetchone()
    assert count == 6


@pytest.mark.parametrize(
    ("isolation", "level", "readings"),
    [(None, "READ UNCOMMITTED", 2), ("read uncommitted", "READ UNCOMMITTED", 2), ("snapshot", "SNAPSHOT", 1)],
)
def test_the_isolation_level_is_the_configs_and_one_that_sees_one_moment_reads_once(
    aria: Aria,
    tmp_path: Path,
    now: datetime,
    isolation: Literal["read uncommitted", "snapshot"] | None,
    level: str,
    readings: int,
) -> None:
    catalog = copy_of(tmp_path / "aria.db")
    answer, asked = catalog.answer, []

    def answer_and_note(request: Any, **nested: Any) -> Any:
        if not nested:  # a derived table is asked for again, within
            asked.append(request.sql)
        return answer(request, **nested)

    catalog.answer = answer_and_note
    with sql_server(catalog) as (port, _):
        server = config_for(tmp_path, port)
        assert server.rv is not None and server.rv.database is not None
        if isolation is not None:
            server = replace(server, rv=replace(server.rv, database=replace(server.rv.database, isolation=isolation)))
        assert snapshot_tables(server, now).outcome == "OK"
    assert [text for text in asked if "ISOLATION" in text.upper()] == [f"SET TRANSACTION ISOLATION LEVEL {level}"]
    assert sum(text.startswith("-- notes:") for text in asked) == readings


@pytest.mark.parametrize("product", product_names())
def test_the_isolation_level_is_set_on_each_connection_before_anything_is_read(
    product: str, tmp_path: Path, now: datetime
) -> None:
    made_up_clinic(product, tmp_path).close()
    catalog = copy_of(tmp_path / f"{product}.db", schema=schema_of(product))
    answer, asked = catalog.answer, []

    def answer_and_note(request: Any, **nested: Any) -> Any:
        if "ISOLATION" in request.sql.upper() or request.sql.startswith("-- patients:"):
            asked.append(request.sql.splitlines()[0])
        return answer(request, **nested)

    catalog.answer = answer_and_note
    with sql_server(catalog) as (port, _):
        server = config_for(tmp_path, port, product)
        with open_database(server) as database:
            for _ in range(2):
                assert list(database.fetch("patients", query_values(server, now)))
                database.close()
    level, read, level_again, read_again = asked
    assert level == level_again == "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED"
    assert read.startswith("-- patients:") and read_again.startswith("-- patients:")


def test_a_wrong_password_is_told_and_not_shown(
    aria: Aria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, now: datetime
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv(VARIABLE, "wrong-secret")
    with sql_server(copy_of(tmp_path / "aria.db")) as (port, _), pytest.raises(LoginRefusedError) as caught:
        snapshot_tables(config_for(tmp_path, port), now)
    assert caught.value.fault == "database"
    assert caught.value.__cause__ is None
    assert "wrong-secret" not in f"{caught.value!r}{caplog.text}"
    assert "aria_ro" not in str(caught.value)


@pytest.mark.parametrize("password", ["plain", "semi;colon", "{opened", "clo}sed", "  spaces  ", "equals=", "qu'o\"te"])
def test_any_password_reaches_the_server_as_it_is(
    aria: Aria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv(VARIABLE, password)
    monkeypatch.setattr("tests.relational.sql_server.PASSWORD", password)
    with sql_server(copy_of(tmp_path / "aria.db")) as (port, _), open_database(config_for(tmp_path, port)):
        pass


def test_a_host_that_does_not_answer_is_told(tmp_path: Path, now: datetime) -> None:
    with pytest.raises(ConnectionLostError, match="does not answer"):
        snapshot_tables(config_for(tmp_path, free_port()), now)


@pytest.mark.parametrize(
    ("skip", "said"),
    [
        (("ChartQA", ""), "query checks: the database has no table ChartQA"),
        (("Patient", "SpecialNeeds"), "query patients: the database has no column SpecialNeeds"),
    ],
)
def test_what_the_database_lacks_is_named_with_its_query(
    aria: Aria, tmp_path: Path, now: datetime, skip: tuple[str, str], said: str
) -> None:
    with sql_server(copy_of(tmp_path / "aria.db", skip)) as (port, _):
        server = config_for(tmp_path, port)
        assert check_queries(server)[0] == said
        result = snapshot_tables(server, now)
    assert (result.outcome, result.message, result.counts["kept"]) == ("PARTIAL", said, 1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_server_that_goes_away_in_the_middle_is_a_connection_lost(aria: Aria, tmp_path: Path, now: datetime) -> None:
    with sql_server(copy_of(tmp_path / "aria.db")) as (port, go_away):
        server = config_for(tmp_path, port)
        with open_database(server, first_wait_seconds=0.01) as database:
            list(database.fetch("plans", query_values(server, now)))
            go_away()
            with pytest.raises(ConnectionLostError, match="query plans: the database went away"):
                list(database.fetch("plans", query_values(server, now)))
            with pytest.raises(ConnectionLostError, match="query notes: the database's host does not answer"):
                database.read("notes", query_values(server, now), list)


def test_a_server_that_falls_silent_is_given_up(
    aria: Aria, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rv_database, "QUERY_SECONDS", 1)
    wake = threading.Event()
    catalog = copy_of(tmp_path / "aria.db")
    answer = catalog.answer
    catalog.answer = lambda request: (
        wake.wait(30) if "PlanSetup" in request.sql else None,
        answer(request),
    )[1]
    with sql_server(catalog) as (port, _):
        server = config_for(tmp_path, port)
        with open_database(server) as database, pytest.raises(DatabaseError, match=r"query plans: .* in time"):
            list(database.fetch("plans", query_values(server, now)))
        wake.set()
