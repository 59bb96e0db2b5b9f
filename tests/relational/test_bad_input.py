"""What databases say that they should not, in ARIA and in MOSAIQ alike."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pytest
import sqlglot
from sqlglot import expressions

from backup_jobs.jobs.snapshot_tables import check_queries, query_values, snapshot_tables
from backup_jobs.rv.database import open_database
from backup_jobs.rv.odd_rows import NUMBER_TWICE
from backup_jobs.rv.product import load_product
from backup_jobs.rv.queries import load_query, query_tables
from backup_jobs.rv.table_readings import read_rows
from recovery.cache.store import Cache
from recovery.settings.config import Config
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import ODD_ROWS
from tests.relational.aria import Aria
from tests.relational.aria_clinic import LONG_NOTE
from tests.relational.conftest import config_in
from tests.relational.made_up import MadeUpDatabase, made_up_clinic

Rows = list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class Clinic:
    """One product's clinic, and where its database keeps what the tests break."""

    database: MadeUpDatabase
    config: Config
    patient_id: str
    """The column of patients' numbers, and its table."""
    table: str
    lost_column: tuple[str, str]
    lost_table: tuple[str, str]
    """A table, and the query that needs it."""
    name: tuple[str, str]
    """Table and column of family names."""

    @property
    def product(self) -> str:
        assert self.config.rv is not None
        return self.config.rv.product

    def cached(self, table: str) -> Rows:
        return Cache(self.config.cache_path).read(RELATIONAL_TABLES[table])

    def run(self, now: datetime) -> tuple[str, str]:
        result = snapshot_tables(self.config, now)
        return result.outcome, result.message


def _aria(folder: Path) -> Clinic:
    database = made_up_clinic("aria", folder)
    config = config_in(folder, "sqlite:///aria.db")
    lost, missing = ("Patient", "SpecialNeeds"), ("ChartQA", "checks")
    return Clinic(database, config, "PatientId", "Patient", lost, missing, ("Patient", "LastName"))


def _mosaiq(folder: Path) -> Clinic:
    database = made_up_clinic("mosaiq", folder)
    config = config_in(folder, "sqlite:///mosaiq.db", product="mosaiq")
    lost, missing = ("Admin", "Nurse_Unit"), ("QCLTask", "checks")
    return Clinic(database, config, "IDA", "Ident", lost, missing, ("Patient", "Last_Name"))


CLINICS: dict[str, Callable[[Path], Clinic]] = {"aria": _aria, "mosaiq": _mosaiq}


@pytest.fixture(params=CLINICS)
def clinic(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clinic]:
    made = CLINICS[request.param](tmp_path)
    yield made
    made.database.close()


def test_ids_keep_every_character_and_test_patients_are_not_dropped(clinic: Clinic, now: datetime) -> None:
    clinic.run(now)
    assert {row["patient_id"] for row in clinic.cached("patients")} == {"20240503", "$QA01", "00017R", "4711", "E7"}
    assert {"$QA01", "00017R", "4711"} <= {row["patient_id"] for row in clinic.cached("schedule")}


@pytest.mark.parametrize(
    ("patient_id", "name", "birth_date", "sex"),
    [
        ("$QA01", "PHANTOM, Cheese", None, None),
        ("00017R", 'O\'NEIL "BO", JR., Zoë Marie', None, None),
        ("4711", "山田, 太郎", None, "M"),
        ("E7", "EMOJI😀", None, "O"),
        ("20240503", "MUSTER, Anna", date(1960, 5, 17), "F"),
    ],
)
def test_an_odd_patient_is_read_and_what_says_nothing_is_null(
    clinic: Clinic, now: datetime, patient_id: str, name: str, birth_date: date | None, sex: str | None
) -> None:
    clinic.run(now)
    (row,) = [row for row in clinic.cached("patients") if row["patient_id"] == patient_id]
    assert (row["patient_name"], row["patient_birth_date"], row["patient_sex"]) == (name, birth_date, sex)


@pytest.mark.parametrize(
    "name", ["", "   ", None, "\t\n", "O'Neil; DROP TABLE Patient --", "x" * 4000, "=1+1", "a\x00"]
)
def test_any_family_name_is_read_and_none_stops_the_table(clinic: Clinic, now: datetime, name: str | None) -> None:
    table, column = clinic.name
    clinic.database.execute(f"UPDATE {table} SET {column} = ?", name)
    assert clinic.run(now)[0] == "OK"
    said = " ".join((name or "").replace("\x00", "").split()).upper()
    anna = next(row for row in clinic.cached("patients") if row["patient_id"] == "20240503")
    assert anna["patient_name"] == (f"{said}, Anna" if said else "Anna")


def test_a_note_of_four_thousand_characters_is_whole(clinic: Clinic, now: datetime) -> None:
    clinic.run(now)
    assert {row["note"] for row in clinic.cached("notes")} == {"ruft an", LONG_NOTE.strip()}


def _odd_rows(clinic: Clinic) -> dict[str, list[tuple[object, object]]]:
    found: dict[str, list[tuple[object, object]]] = {}
    for row in Cache(clinic.config.cache_path).read(ODD_ROWS):
        found.setdefault(str(row["table_name"]), []).append((row["row_key"], row["why"]))
    return found


def _a_new_phone(clinic: Clinic) -> None:
    """What must come however odd another row is."""
    column = {"aria": ("Patient", "MobilePhone"), "mosaiq": ("Admin", "Pat_CellPhone")}[clinic.product]
    clinic.database.execute(f"UPDATE {column[0]} SET {column[1]} = '079 1'")


def test_two_patients_of_one_number_cost_what_they_differ_in_and_no_number_is_told(
    clinic: Clinic, now: datetime
) -> None:
    clinic.run(now)
    _a_new_phone(clinic)
    clinic.database.execute(
        f"UPDATE {clinic.table} SET {clinic.patient_id} = '00017R' WHERE {clinic.patient_id} = 'E7'"
    )
    outcome, message = clinic.run(now)
    assert (outcome, "00017R" in message) == ("PARTIAL", False)
    assert "table patients: 1 key of 2 rows that differ in patient_name" in message
    rows = {row["patient_id"]: row for row in clinic.cached("patients")}
    assert rows.keys() == {"20240503", "$QA01", "00017R", "4711"}
    twice = rows["00017R"]
    assert (twice["patient_name"], twice["phone_mobile"]) == (None, "079 1"), "nobody chooses between two people"
    assert str(twice["alerts"]).startswith(NUMBER_TWICE)
    assert rows["20240503"]["phone_mobile"] == "079 1"
    ((key, why),) = _odd_rows(clinic)["patients"]
    assert (key, str(why)[:15]) == ("patient_id 00017R", "2 rows that dif")


def test_a_patient_without_a_number_is_left_out_and_named_by_the_databases_own(clinic: Clinic, now: datetime) -> None:
    clinic.database.execute(f"UPDATE {clinic.table} SET {clinic.patient_id} = ' ' WHERE {clinic.patient_id} = 'E7'")
    outcome, message = clinic.run(now)
    assert (outcome, "table patients: 1 left out: no patient_id" in message) == ("PARTIAL", True)
    assert {row["patient_id"] for row in clinic.cached("patients")} == {"20240503", "$QA01", "00017R", "4711"}
    ((key, why),) = _odd_rows(clinic)["patients"]
    assert (str(key)[:31], why) == ("patient_id —, patient_serial " + str(key)[29:31], "no patient_id")
    clinic.database.execute(f"UPDATE {clinic.table} SET {clinic.patient_id} = 'E7' WHERE {clinic.patient_id} = ' '")
    assert clinic.run(now)[0] == "OK"
    assert _odd_rows(clinic) == {}, "what was mended is named no more"


def test_most_rows_odd_is_a_table_that_nobody_believes(clinic: Clinic, now: datetime) -> None:
    clinic.run(now)
    before = clinic.cached("patients")
    clinic.database.execute(f"UPDATE {clinic.table} SET {clinic.patient_id} = '' WHERE {clinic.patient_id} <> 'E7'")
    outcome, message = clinic.run(now)
    assert outcome == "PARTIAL"
    assert "table patients: most of its rows are odd, its last state stays: 4 left out: no patient_id" in message
    assert clinic.cached("patients") == before
    assert len(_odd_rows(clinic)["patients"]) == 4


ODD_STATEMENTS: dict[str, list[tuple[str, str, str]]] = {
    "aria": [
        ("physicians", "UPDATE Doctor SET LastName = '', FirstName = NULL WHERE LastName = 'Deputy'", "no physician"),
        ("plan_fields", "UPDATE Radiation SET RadiationNumber = NULL WHERE RadiationId = 'F2'", "no beam_number"),
        ("setup_notes", "UPDATE Radiation SET RadiationNumber = 1 WHERE RadiationId = 'F2'", "2 rows that differ in "),
        ("plans", "UPDATE RTPlan SET PlanUID = '1.2.5' WHERE PlanUID = '1.2.6'", "2 rows that differ in "),
        ("plans", "UPDATE RTPlan SET PlanUID = '' WHERE PlanUID = '1.2.6'", "no sop_instance_uid"),
        ("courses", "UPDATE Course SET CourseId = 'C1'", "2 rows that differ in "),
        ("prescriptions", "UPDATE Prescription SET PrescriptionSer = NULL WHERE Notes IS NOT NULL", "no prescription"),
    ],
    "mosaiq": [
        ("physicians", "UPDATE Staff SET Last_Name = ' ', First_Name = '' WHERE First_Name = 'Rita'", "no physician"),
        ("schedule", "UPDATE Schedule SET Sch_Id = NULL WHERE Notes = 'Blase voll'", "no appointment_id"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("product", "table", "statement", "why"),
    [(product, *odd) for product, listed in ODD_STATEMENTS.items() for odd in listed],
)
def test_one_odd_row_costs_that_row_in_every_table_also_in_the_first_run(
    product: str, table: str, statement: str, why: str, tmp_path: Path, now: datetime
) -> None:
    clinic = CLINICS[product](tmp_path)
    _a_new_phone(clinic)
    clinic.database.execute(statement)
    outcome, message = clinic.run(now)
    assert outcome == "PARTIAL"
    assert f"table {table}: " in message
    assert all(str(told).startswith(why) for _, told in _odd_rows(clinic)[table])
    assert clinic.cached(table), "the rest of the table is there"
    assert {row["phone_mobile"] for row in clinic.cached("patients")} == {"079 1"}
    clinic.database.close()


def test_the_same_row_twice_is_one_row_and_nothing_to_say(clinic: Clinic, now: datetime) -> None:
    clinic.run(now)
    before = {name: clinic.cached(name) for name in RELATIONAL_TABLES}
    for table in (
        ("Schedule", "Notes", "Ident") if clinic.product == "mosaiq" else ("PatientNote", "RTPlan", "Radiation")
    ):
        clinic.database.execute(f"INSERT INTO {table} SELECT * FROM {table}")
    assert clinic.run(now)[0] == "OK"
    assert _odd_rows(clinic) == {}
    assert {name: clinic.cached(name) for name in RELATIONAL_TABLES} == before


def test_a_name_and_the_same_name_padded_are_one_physician(tmp_path: Path, now: datetime) -> None:
    clinic = _aria(tmp_path)
    assert isinstance(clinic.database, Aria)
    (anna,) = clinic.database.connection.execute(
        "SELECT PatientSer FROM Patient WHERE PatientId = '20240503'"
    ).fetchone()
    clinic.database.physician(anna, "Green ", "Gloria  ", primary=0, oncologist=0)
    assert clinic.run(now) == ("OK", "")
    (green,) = [row for row in clinic.cached("physicians") if row["physician_name"] == "Green, Gloria"]
    assert (green["is_primary"], green["role"]) == (True, "oncologist"), "what either of the two rows says"
    clinic.database.close()


def test_half_a_character_costs_a_character(clinic: Clinic, now: datetime) -> None:
    """A text of NVARCHAR that was cut in the middle of an emoji: no file of tables can hold it."""
    (reading,) = [one for one in load_product(clinic.product).tables() if one.schema.name == "patients"]
    with open_database(clinic.config) as database:
        raw = list(database.fetch("patients", query_values(clinic.config, now)))
    rows = read_rows(reading, [{**row, "family_name": "Muster\ud83d"} for row in raw]).rows
    assert {str(row["patient_name"])[:8] for row in rows} == {"MUSTER\N{REPLACEMENT CHARACTER},"} | {
        "MUSTER\N{REPLACEMENT CHARACTER}"
    }
    reading.schema.to_arrow(rows)


def test_a_column_lost_in_an_upgrade_is_named_and_the_other_tables_come(clinic: Clinic, now: datetime) -> None:
    clinic.run(now)
    table, column = clinic.lost_column
    clinic.database.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    result = snapshot_tables(clinic.config, now)
    said = f"query patients: the database has no column {column}"
    assert (result.outcome, result.fault, result.counts["kept"]) == ("PARTIAL", "database", 1)
    assert said in result.message
    assert check_queries(clinic.config)[0] == said
    assert len(clinic.cached("patients")) == 5


def test_a_missing_table_is_named_with_its_query(clinic: Clinic, now: datetime) -> None:
    table, query = clinic.lost_table
    clinic.database.execute(f"DROP TABLE {table}")
    assert f"query {query}: the database has no table {table}" in clinic.run(now)[1]


def _columns_read(product: str) -> dict[tuple[str, str], list[str]]:
    """Every table and column that the product's queries read, and the queries that do."""
    read: dict[tuple[str, str], list[str]] = {}
    for query in query_tables(product):
        statement = sqlglot.parse_one(load_query(product, query).text, read="tsql")
        named = {source.alias: source.name for source in statement.find_all(expressions.Table)}
        for column in {(named[c.table], c.name) for c in statement.find_all(expressions.Column) if c.table in named}:
            read.setdefault(column, []).append(query)
    return dict(sorted(read.items()))


def test_a_null_in_any_column_is_null_in_the_tables_and_never_unreadable(clinic: Clinic, now: datetime) -> None:
    """Every column that a query reads, in turn."""
    untouched = sqlite3.connect(":memory:")
    clinic.database.connection.backup(untouched)
    for (table, column), queries in _columns_read(clinic.product).items():
        clinic.database.execute(f"UPDATE [{table}] SET [{column}] = NULL")
        with open_database(clinic.config) as database:
            for reading in load_product(clinic.product).tables():
                if reading.schema.name in queries:
                    rows = read_rows(reading, database.fetch(reading.schema.name, query_values(clinic.config, now)))
                    assert not rows.unreadable, (table, column, reading.schema.name)
        untouched.backup(clinic.database.connection)


@pytest.mark.parametrize("value", ["9999-12-31 23:59:59", "1753-01-01 00:00:00", "never", -1, 1e300, "\x00", "Zoë, 😀"])
def test_an_odd_value_in_any_column_never_stops_the_job(clinic: Clinic, now: datetime, value: object) -> None:
    for table, column in random.Random(str(value)).sample([*_columns_read(clinic.product)], 40):
        clinic.database.execute(f"UPDATE [{table}] SET [{column}] = ?", value)
    outcome, message = clinic.run(now)
    assert outcome in {"OK", "PARTIAL"}
    assert "20240503" not in message
