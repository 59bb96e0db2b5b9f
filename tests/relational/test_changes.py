"""A cycle reads what changed, and the cache says what a full reading says."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from backup_jobs.jobs.snapshot_tables import snapshot_tables
from backup_jobs.rv import queries
from backup_jobs.rv.read_before import FILE
from recovery.cache.manifests import current_id
from recovery.cache.store import Cache
from recovery.settings.config import Config
from recovery.settings.products import QUERIES, product_names
from recovery.settings.signing import Guard
from recovery.tables.delivered import COUCH_SHIFTS, DELIVERIES
from recovery.tables.relational import PATIENTS, RELATIONAL_TABLES, SCHEDULE
from recovery.tables.schema import TableSchema
from tests.relational.aria import TODAY, Aria
from tests.relational.conftest import NOW, config_in
from tests.relational.made_up import EDITED_AT, MadeUpDatabase, made_up_clinic
from tests.relational.mosaiq import Mosaiq

BY_DAY = (DELIVERIES, COUCH_SHIFTS, SCHEDULE)
LATER = timedelta(minutes=10)
LONG_AGO = TODAY - timedelta(days=70)


@dataclass(frozen=True, slots=True)
class Dated:
    """A table of the database whose rows have a day: its number, its time, and a number that a person may correct."""

    table: str
    key: str
    at: str
    corrected: str


DATED = {
    "aria": (
        Dated("RadiationHstry", "RadiationHstrySer", "TreatmentStartTime", "FractionNumber"),
        Dated("ScheduledActivity", "ScheduledActivitySer", "ScheduledStartTime", "Priority"),
    ),
    "mosaiq": (Dated("Dose_Hst", "DHS_ID", "Tx_DtTm", "Meterset"), Dated("Schedule", "Sch_Id", "App_DtTm", "Notes")),
}
JOINED = {
    "aria": (
        "UPDATE TreatmentRecord SET PlanUID = '1.2.3.4'",
        "UPDATE ExternalFieldCommonHstry SET ActualMeterset = 7, CouchVrt = 3",
        "UPDATE Machine SET MachineId = 'Linac 9'",
        "UPDATE Patient SET PatientId = 'M-' || PatientId",
        "DELETE FROM ResourceActivity",
    ),
    "mosaiq": (
        "UPDATE TxField SET OriginalPlanUID = RTRIM(OriginalPlanUID) || '.9', Meterset = 7",
        "UPDATE PatTxCal SET IsPartial = 1",
        "UPDATE TxFieldPoint_Hst SET Couch_Vrt = 3",
        "UPDATE Ident SET IDA = 'M-' || IDA",
        "UPDATE CPT SET Description = 'something else'",
    ),
}
"""Corrections that no delivery's or appointment's own row knows of."""


@dataclass
class Clinic:
    """A clinic with 120 days of deliveries and appointments, read once, and the clock of its cycles."""

    database: MadeUpDatabase
    config: Config
    now: datetime = NOW

    @property
    def product(self) -> str:
        assert self.config.rv is not None
        return self.config.rv.product

    def cycle(self, after: timedelta = LATER) -> Mapping[str, int]:
        self.now += after
        result = snapshot_tables(self.config, self.now)
        assert result.outcome == "OK", result.message
        return result.counts

    def rows(self, schema: TableSchema) -> list[dict[str, object]]:
        return Cache(self.config.cache_path).read(schema)

    def in_full(self) -> dict[str, list[dict[str, object]]]:
        """What a first run of all reads now."""
        other = replace(self.config, cache=replace(self.config.cache, path="cache in full"))
        shutil.rmtree(other.cache_path, ignore_errors=True)
        assert snapshot_tables(other, self.now).outcome == "OK"
        return {name: Cache(other.cache_path).read(schema) for name, schema in RELATIONAL_TABLES.items()}

    def assert_equal_to_a_full_reading(self) -> None:
        for name, rows in self.in_full().items():
            assert self.rows(RELATIONAL_TABLES[name]) == rows, name

    def some_row(self, dated: Dated, chosen: random.Random, where: str = "1 = 1") -> object:
        asked = f"SELECT [{dated.key}] FROM [{dated.table}] WHERE {where} ORDER BY 1"
        keys = [key for (key,) in self.database.connection.execute(asked)]
        return chosen.choice(keys)

    def add_delivery(self, at: datetime) -> None:
        asked = "SELECT PatientSer FROM Patient" if self.product == "aria" else "SELECT Pat_ID1 FROM Patient"
        (patient,) = self.database.connection.execute(asked).fetchone()
        if isinstance(self.database, Aria):
            self.database.delivery(patient, "1.2.3", 1, 9, at)
        elif isinstance(self.database, Mosaiq):
            self.database.delivery(patient, None, None, 9, at, Create_DtTm=LONG_AGO)


def _at(row: Mapping[str, object]) -> datetime:
    at = row.get("treated_at", row.get("appointment_at"))
    assert isinstance(at, datetime)
    return at


def fill(clinic: Clinic) -> None:
    """Deliveries and appointments of every other day, and a time of editing in every row."""
    database = clinic.database
    for days in range(-100, 20, 2):
        at = TODAY + timedelta(days=days, hours=8)
        if days <= 0:
            clinic.add_delivery(at)
        if isinstance(database, Aria):
            (patient,) = database.connection.execute("SELECT MAX(PatientSer) FROM Patient").fetchone()
            database.appointment(patient, at)
        elif isinstance(database, Mosaiq):
            (patient,) = database.connection.execute("SELECT MAX(Pat_ID1) FROM Patient").fetchone()
            database.appointment(patient, at, None, " C")
    database.execute("BEGIN")
    for table, columns in database.schema.items():
        for column in [name for name in EDITED_AT if name in columns]:
            database.execute(f"UPDATE [{table}] SET [{column}] = '2026-01-01 00:00:00' WHERE [{column}] IS NULL")
    database.execute("COMMIT")


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Clinic]]:
    """Each product's clinic after its first cycle; tests work on copies."""
    clinics = {}
    for product in product_names():
        folder = tmp_path_factory.mktemp(product)
        config = config_in(folder, f"sqlite:///{product}.db", product=product)
        config = replace(config, guard=Guard(rows=1000))  # what is asked here is whether it is read at all
        clinics[product] = Clinic(made_up_clinic(product, folder), config)
        fill(clinics[product])
        clinics[product].cycle()
    yield clinics
    for clinic in clinics.values():
        clinic.database.close()


@pytest.fixture(params=product_names())
def clinic(request: pytest.FixtureRequest, tmp_path: Path, read_once: dict[str, Clinic]) -> Iterator[Clinic]:
    before = read_once[request.param]
    shutil.copytree(before.config.file.parent, tmp_path / "clinic")
    database = copy(before.database)
    database.connection = sqlite3.connect(tmp_path / "clinic" / f"{request.param}.db", isolation_level=None)
    yield Clinic(database, replace(before.config, file=tmp_path / "clinic" / "config.toml"), before.now)
    database.close()


def change_something(clinic: Clinic, chosen: random.Random) -> None:
    """An insertion, a correction, a deletion, or a row that is moved to another day, often across a month's border."""
    dated = chosen.choice(DATED[clinic.product])
    key, kind = clinic.some_row(dated, chosen), chosen.choice(["insert", "correct", "delete", "move", "move"])
    at = TODAY + timedelta(days=chosen.randrange(-95, 10), hours=chosen.randrange(24))
    if kind == "insert":
        clinic.add_delivery(at)
    elif kind == "correct":
        clinic.database.execute(
            f"UPDATE [{dated.table}] SET [{dated.corrected}] = ? WHERE [{dated.key}] = ?", chosen.randrange(99), key
        )
    elif kind == "delete":
        clinic.database.execute(f"DELETE FROM [{dated.table}] WHERE [{dated.key}] = ?", key)
    else:
        clinic.database.execute(
            f"UPDATE [{dated.table}] SET [{dated.at}] = ? WHERE [{dated.key}] = ?", at.isoformat(" "), key
        )


@pytest.mark.parametrize("seed", range(2))
def test_after_any_edits_the_cache_is_row_by_row_what_a_full_reading_gives(clinic: Clinic, seed: int) -> None:
    chosen = random.Random(seed)
    for _ in range(5):
        for _ in range(chosen.randrange(1, 5)):
            change_something(clinic, chosen)
        clinic.cycle(after=chosen.choice([LATER, LATER, timedelta(hours=9)]))
        clinic.assert_equal_to_a_full_reading()


def test_a_cycle_in_which_nothing_happened_reads_next_to_nothing_and_writes_nothing(clinic: Clinic) -> None:
    snapshot = current_id(clinic.config.cache_path)
    counts = clinic.cycle()
    assert (counts["written"], counts["unchanged"]) == (0, len(RELATIONAL_TABLES))
    whole = {"aria": ["in_flight"], "mosaiq": ["plans", "plan_fields", "setup_notes", "calendar", "documents"]}
    of_last_days = sum(
        TODAY - timedelta(days=2) <= at < TODAY + timedelta(days=2)
        for schema, column in ((DELIVERIES, "treated_at"), (COUCH_SHIFTS, "treated_at"), (SCHEDULE, "appointment_at"))
        for row in clinic.rows(schema)
        if isinstance(at := row[column], datetime)
    )
    about_changes = {"aria": 60, "mosaiq": 200}[clinic.product]
    read_whole = 3 * sum(len(clinic.rows(RELATIONAL_TABLES[name])) for name in whole[clinic.product])
    assert counts["rows_read"] <= about_changes + 3 * of_last_days + read_whole
    assert current_id(clinic.config.cache_path) == snapshot


@pytest.mark.parametrize("days", [0, 1, 5, 13, 60])
def test_a_correction_and_a_deletion_are_in_the_cache_within_one_cycle(clinic: Clinic, days: int) -> None:
    deliveries = DATED[clinic.product][0]
    at = TODAY - timedelta(days=days)
    clinic.add_delivery(at + timedelta(hours=1))
    clinic.add_delivery(at + timedelta(hours=2))
    clinic.cycle()
    gone, corrected = (
        clinic.some_row(deliveries, random.Random(0), f"[{deliveries.at}] = '{at + timedelta(hours=hours)}'")
        for hours in (1, 2)
    )
    clinic.database.execute(f"DELETE FROM {deliveries.table} WHERE {deliveries.key} = ?", gone)
    clinic.database.execute(
        f"UPDATE {deliveries.table} SET {deliveries.corrected} = 77 WHERE {deliveries.key} = ?", corrected
    )
    clinic.cycle()
    rows = {row["delivery_id"]: row for row in clinic.rows(DELIVERIES)}
    assert str(gone) not in rows
    assert 77 in rows[str(corrected)].values()
    clinic.assert_equal_to_a_full_reading()


def test_what_changed_in_a_joined_table_alone_is_in_the_cache_of_14_days_within_one_cycle(clinic: Clinic) -> None:
    clinic.add_delivery(TODAY - timedelta(days=13))
    clinic.database.no_edit_leaves_its_time()
    clinic.cycle()
    for text in JOINED[clinic.product]:
        clinic.database.execute(text)
        clinic.cycle()
        full = clinic.in_full()
        for schema in BY_DAY:
            lately = [
                [row for row in rows if TODAY - timedelta(days=14) <= _at(row) < TODAY + timedelta(days=2)]
                for rows in (clinic.rows(schema), full[schema.name])
            ]
            assert lately[0] == lately[1], (text, schema.name)


def test_a_patient_who_gets_another_number_takes_all_deliveries_along_within_one_cycle(clinic: Clinic) -> None:
    clinic.add_delivery(LONG_AGO)
    clinic.cycle()
    clinic.database.execute(
        {"aria": "UPDATE Patient SET PatientId = 'M-' || PatientId", "mosaiq": "UPDATE Ident SET IDA = 'M-' || IDA"}[
            clinic.product
        ]
    )
    clinic.cycle()
    assert all(str(row["patient_id"]).startswith("M-") for row in clinic.rows(DELIVERIES))
    clinic.assert_equal_to_a_full_reading()


def test_what_leaves_no_trace_is_in_the_cache_of_the_last_days_at_once_and_else_by_the_next_day(
    clinic: Clinic,
) -> None:
    clinic.database.no_edit_leaves_its_time()
    deliveries = DATED[clinic.product][0]
    clinic.add_delivery(TODAY + timedelta(hours=3))
    clinic.add_delivery(LONG_AGO)
    clinic.cycle()
    clinic.database.execute(f"UPDATE {deliveries.table} SET {deliveries.corrected} = 77")
    clinic.cycle()

    def corrected() -> list[object]:
        return sorted(row["treated_at"] for row in clinic.rows(DELIVERIES) if 77 in row.values())  # type: ignore[type-var]

    assert TODAY + timedelta(hours=3) in corrected() and LONG_AGO not in corrected()
    clinic.cycle(after=timedelta(hours=24))
    assert LONG_AGO in corrected()
    clinic.assert_equal_to_a_full_reading()


def test_everything_is_read_once_a_night_at_the_time_that_the_config_names(clinic: Clinic) -> None:
    assert clinic.config.rv is not None and clinic.config.rv.database is not None
    database = replace(clinic.config.rv.database, full_at="13:00")
    clinic.config = replace(clinic.config, rv=replace(clinic.config.rv, database=database))
    clinic.database.no_edit_leaves_its_time()
    deliveries = DATED[clinic.product][0]
    clinic.add_delivery(LONG_AGO)
    clinic.cycle()
    clinic.database.execute(f"UPDATE {deliveries.table} SET {deliveries.corrected} = 77")
    found = []
    while clinic.now < NOW + timedelta(minutes=90):  # 11:00 UTC is 12:00 in Zurich
        clinic.cycle()
        found += [clinic.now for row in clinic.rows(DELIVERIES) if row["treated_at"] == LONG_AGO and 77 in row.values()]
    assert min(found) == NOW + timedelta(hours=1)


def damage_what_is_remembered(clinic: Clinic) -> None:
    path = clinic.config.cache_path / FILE
    path.write_bytes(path.read_bytes().replace(b"20", b"21", 1))


def lose_what_is_remembered(clinic: Clinic) -> None:
    (clinic.config.cache_path / FILE).unlink()


def damage_the_cached_table(clinic: Clinic) -> None:
    path = Cache(clinic.config.cache_path).snapshot(DELIVERIES).path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def change_the_databases_schema(clinic: Clinic) -> None:
    clinic.database.execute("CREATE TABLE Upgraded (a int)")


def set_the_clock_back(clinic: Clinic) -> None:
    clinic.now -= timedelta(hours=3)


def name_another_database_of_equal_counts(clinic: Clinic) -> None:
    assert clinic.config.rv is not None and clinic.config.rv.database is not None
    folder = clinic.config.file.parent
    shutil.copy(folder / f"{clinic.product}.db", folder / "another.db")
    other = replace(clinic.config.rv.database, connection="sqlite:///another.db")
    clinic.config = replace(clinic.config, rv=replace(clinic.config.rv, database=other))


@pytest.mark.parametrize(
    "doubt",
    [
        damage_what_is_remembered,
        lose_what_is_remembered,
        damage_the_cached_table,
        change_the_databases_schema,
        set_the_clock_back,
        name_another_database_of_equal_counts,
    ],
)
def test_any_doubt_reads_everything(clinic: Clinic, doubt: Callable[[Clinic], None]) -> None:
    clinic.database.no_edit_leaves_its_time()
    clinic.cycle()  # the dropped triggers changed the schema
    deliveries = DATED[clinic.product][0]
    clinic.database.execute(f"UPDATE {deliveries.table} SET {deliveries.corrected} = 77")
    doubt(clinic)
    clinic.cycle()
    clinic.assert_equal_to_a_full_reading()


def copy_of_queries(clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(QUERIES, tmp_path / "queries")
    monkeypatch.setattr(queries, "QUERIES", tmp_path / "queries")
    return tmp_path / "queries" / clinic.product


def test_a_query_whose_text_changed_reads_its_whole_table(
    clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_of_queries(clinic, tmp_path, monkeypatch)
    number = {"aria": "rh.FractionNumber", "mosaiq": "dh.Fractions_Tx"}[clinic.product]
    path = folder / "deliveries.sql"
    path.write_text(path.read_text().replace(f"{number} AS fraction", f"{number} * 2 AS fraction"))
    clinic.cycle()
    clinic.assert_equal_to_a_full_reading()
    assert any(row["fraction_number"] == 18 for row in clinic.rows(DELIVERIES))


@pytest.mark.parametrize("lost", ["changes/sources.sql", "changes/deliveries.sql", "changes/schedule.sql"])
def test_without_a_query_about_changes_or_with_one_that_fails_tables_are_read_whole(
    clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    path = copy_of_queries(clinic, tmp_path, monkeypatch) / lost
    path.write_text(path.read_text().replace("COUNT(*)", "COUNT(t.Nothing)"))
    clinic.database.no_edit_leaves_its_time()
    clinic.cycle()
    for dated in DATED[clinic.product]:
        clinic.database.execute(f"UPDATE {dated.table} SET {dated.corrected} = 77")
    path.unlink()
    clinic.cycle()
    name = "deliveries" if lost != "changes/schedule.sql" else "schedule"
    if lost != "changes/sources.sql":
        assert clinic.rows(RELATIONAL_TABLES[name]) == clinic.in_full()[name]


def test_an_edit_in_the_future_hides_none_that_come_after_it(clinic: Clinic) -> None:
    deliveries = DATED[clinic.product][0]
    clinic.add_delivery(LONG_AGO)
    edited = next(name for name in EDITED_AT if name in clinic.database.schema[deliveries.table])
    ahead = clinic.some_row(deliveries, random.Random(1))
    clinic.database.execute(
        f"UPDATE {deliveries.table} SET {edited} = '2036-01-01 00:00:00' WHERE {deliveries.key} = ?", ahead
    )
    clinic.cycle()
    clinic.database.no_edit_leaves_its_time()
    clinic.database.execute(
        f"UPDATE {deliveries.table} SET {deliveries.corrected} = 77 WHERE {deliveries.key} = ?", ahead
    )
    clinic.cycle()
    clinic.assert_equal_to_a_full_reading()


def test_an_edit_by_a_clock_that_is_behind_is_seen_behind_one_that_is_not(clinic: Clinic) -> None:
    deliveries = DATED[clinic.product][0]
    clinic.add_delivery(LONG_AGO)
    clinic.database.no_edit_leaves_its_time()
    edited = next(name for name in EDITED_AT if name in clinic.database.schema[deliveries.table])
    for number, minutes_behind in ((55, 0), (77, 20)):
        told = clinic.now.replace(tzinfo=None) + timedelta(hours=1, minutes=-minutes_behind)
        clinic.database.execute(
            f"UPDATE {deliveries.table} SET {deliveries.corrected} = ?, {edited} = ? WHERE {deliveries.at} = ?",
            *(number, str(told), str(LONG_AGO)),
        )
        clinic.cycle()
        assert any(number in row.values() for row in clinic.rows(DELIVERIES))
    for _ in range(5):
        clinic.cycle()
    assert clinic.cycle()["rows_read"] < 300, "in time it counts as unchanged again"


def test_a_patient_who_changes_is_read_at_once_whatever_their_table_knows_of_edits(clinic: Clinic) -> None:
    column, table = {"aria": ("MedicalAlerts", "PatientParticular"), "mosaiq": ("Pat_CellPhone", "Admin")}[
        clinic.product
    ]
    clinic.database.execute(f"UPDATE {table} SET {column} = 'beware of this'")
    clinic.cycle()
    assert any("beware of this" in str(row) for row in clinic.rows(PATIENTS))


def test_what_is_odd_is_told_again_although_it_is_not_read_again(clinic: Clinic) -> None:
    deliveries = DATED[clinic.product][0]
    clinic.add_delivery(LONG_AGO)
    clinic.database.execute(
        f"UPDATE {deliveries.table} SET {deliveries.corrected} = 'many' WHERE {deliveries.at} = ?", str(LONG_AGO)
    )
    messages = []
    for _ in range(3):
        clinic.now += LATER
        result = snapshot_tables(clinic.config, clinic.now)
        messages.append((result.message, result.counts["unreadable_values"]))
    assert messages[0] == messages[1] == messages[2]
    assert "table deliveries: 1 values of" in messages[0][0]
    clinic.add_delivery(TODAY + timedelta(hours=1))
    clinic.database.execute(
        f"UPDATE {deliveries.table} SET {deliveries.corrected} = 'few' WHERE {deliveries.at} = ?",
        str(TODAY + timedelta(hours=1)),
    )
    clinic.now += LATER
    assert "table deliveries: 2 values of" in snapshot_tables(clinic.config, clinic.now).message


def test_a_day_that_is_offered_by_hand_is_used(clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copy_of_queries(clinic, tmp_path, monkeypatch)
    for schema in BY_DAY:
        (folder / f"changes/{schema.name}.sql").rename(tmp_path / schema.name)
    clinic.cycle()
    read_whole = clinic.cycle()["rows_read"]
    for schema in BY_DAY:
        (tmp_path / schema.name).rename(folder / f"changes/{schema.name}.sql")
    clinic.cycle()
    assert clinic.cycle()["rows_read"] < read_whole - 30
    clinic.assert_equal_to_a_full_reading()
