"""The simulated clinic's databases, read as a clinic's are: by the queries, into the tables."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from backup_jobs.jobs.snapshot_tables import snapshot_tables
from demo.aria.database import AriaDatabase, ClinicDatabase
from demo.clinic.clinic import Clinic
from demo.clinic.delivery import dataset
from demo.mosaiq.database import MosaiqDatabase
from demo.run.workplace import DATABASE_NAMES, DATABASES, is_served
from recovery.cache.snapshots import list_snapshots, quarantined
from recovery.cache.store import Cache
from recovery.settings.config import CacheSettings, Config, Site
from recovery.settings.nodes import Local, Pacs, RecordAndVerify, RvDatabase
from recovery.settings.signing import Guard
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.words.plan_states import APPROVED_STATUSES

OPENED_AT = datetime(2026, 11, 20, 11, 0)  # noqa: DTZ001  a Friday, site time
Product = Literal["aria", "mosaiq"]
Rows = list[dict[str, object]]
PRODUCTS: tuple[Product, ...] = ("aria", "mosaiq")


class Tables:
    """A clinic's database and its tables, as of the clinic's clock."""

    def __init__(self, folder: Path, product: Product) -> None:
        self.clinic = Clinic(1, OPENED_AT, fast=True)
        self.database: ClinicDatabase = DATABASES[product](folder / DATABASE_NAMES[product])
        self.database.create(self.clinic)
        rv = RecordAndVerify(
            "RV", "rv.invalid", 104, product=product, database=RvDatabase(f"sqlite:///{DATABASE_NAMES[product]}")
        )
        site, local, pacs = Site("Demo", "America/Chicago"), Local("RBRDT", "127.0.0.1", 104), Pacs("P", "x", 104)
        self.config = Config(site, local, rv, pacs, CacheSettings("cache"), file=folder / "config.toml")
        self.read()

    def read(self) -> None:
        result = snapshot_tables(self.config, self.clinic.now.replace(tzinfo=self.config.site.zone))
        assert (result.outcome, result.message) == ("OK", "")

    def __getitem__(self, name: str) -> Rows:
        return Cache(self.config.cache_path).read(RELATIONAL_TABLES[name])

    def live_until(self, now: datetime) -> None:
        list(self.clinic.treat_until(now))
        self.database.catch_up(self.clinic)
        self.read()


@pytest.fixture(scope="module")
def at_opening(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tables]:
    """Both databases as the clinic opens; tests only read them."""
    return {product: Tables(tmp_path_factory.mktemp(product), product) for product in PRODUCTS}


@pytest.fixture
def mosaiq(tmp_path: Path) -> Iterator[Tables]:
    return Tables(tmp_path, "mosaiq")


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_table_of_the_demonstration_can_be_read(at_opening: dict[str, Tables], product: str) -> None:
    empty = {name for name in RELATIONAL_TABLES if not at_opening[product][name]}
    assert empty <= {"calendar", "documents" if product == "aria" else "photos"}


def test_both_products_tell_the_same_plans_and_prescriptions(at_opening: dict[str, Tables]) -> None:
    columns = ("sop_instance_uid", "patient_id", "rt_plan_label", "dose_per_fraction", "structure_set_uid")
    told = {
        product: {
            tuple(row[name] for name in columns)
            for row in tables["plans"]
            if row["approval_status"] in APPROVED_STATUSES
        }
        for product, tables in at_opening.items()
    }
    assert told["aria"] == told["mosaiq"] != set()
    fields = {
        product: {(r["sop_instance_uid"], r["beam_number"], r["beam_meterset"], r["is_setup_field"]) for r in rows}
        for product, rows in ((product, tables["plan_fields"]) for product, tables in at_opening.items())
    }
    assert fields["aria"] == fields["mosaiq"]


def test_both_products_tell_the_same_treatments_but_for_the_fraction_that_aria_lacks(
    at_opening: dict[str, Tables],
) -> None:
    told = {
        product: Counter(
            (
                r["patient_id"],
                r["referenced_rt_plan_uid"],
                r["fraction_number"],
                r["beam_number"],
                r["delivered_meterset"],
            )
            for r in tables["deliveries"]
            if r["delivery_type"] in {"TREATMENT", "CONTINUATION"} and r["patient_id"] != "$QA01"
        )
        for product, tables in at_opening.items()
    }
    assert not told["aria"] - told["mosaiq"]
    assert {(key[0], key[2]) for key in told["mosaiq"] - told["aria"]} == {("100017", 2)}


def test_mosaiqs_deliveries_are_of_every_kind(at_opening: dict[str, Tables]) -> None:
    rows = at_opening["mosaiq"]["deliveries"]
    assert {row["delivery_type"] for row in rows} == {
        *("TREATMENT", "CONTINUATION", "SETUP", "TRMT_PORTFILM", "VERIFICATION"),
    }
    phantom = {row["delivery_type"] for row in rows if row["patient_id"] == "$QA01"}
    assert phantom <= {"VERIFICATION", "SETUP"}
    assert {"NORMAL", "MACHINE"} == {row["termination_status"] for row in rows}
    assert {row["was_overridden"] for row in rows} == {True, False}
    assert None not in {row["prescription_id"] for row in rows}, "also those of an older version"


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_pathologies_of_a_clinic_are_in_its_database(at_opening: dict[str, Tables], product: str) -> None:
    tables = at_opening[product]
    patients = tables["patients"]
    assert {"00017R", "$QA01"} <= {row["patient_id"] for row in patients}
    assert sum(row["patient_name"] == "BASALT, Osprey" for row in patients) == 2
    assert sum(row["patient_birth_date"] is None for row in patients) == 2
    assert None in {row["technique"] for row in tables["prescriptions"]}
    assert {"booked", "completed", "cancelled"} <= {row["status"] for row in tables["schedule"]}
    assert {row["was_overridden"] for row in tables["deliveries"]} == {True, False}
    assert True in {row["is_setup_field"] for row in tables["plan_fields"]}


def test_mosaiq_holds_what_must_not_come(at_opening: dict[str, Tables]) -> None:
    with sqlite3.connect(at_opening["mosaiq"].database.path) as connection:
        for table in ("Ident", "Site", "TxField", "SiteSetup", "Object"):
            assert connection.execute(f"SELECT COUNT(*) FROM {table} WHERE Version = 1").fetchone()[0], table
        assert connection.execute("SELECT COUNT(*) FROM Schedule WHERE Suppressed = 1").fetchone()[0]
        (followed,) = connection.execute(
            "SELECT COUNT(*) FROM Site b JOIN Site s ON s.SIT_SET_ID = b.Reference_SIT_Set_ID WHERE b.Version = 0"
        ).fetchone()
        assert followed
    planned = {row["rt_plan_label"]: row["number_of_fractions_planned"] for row in at_opening["mosaiq"]["plans"]}
    assert planned["Prostate"] == 19, "one less than the plan object says"


def test_an_unapproved_plan_is_in_arias_database_and_nowhere_else(at_opening: dict[str, Tables]) -> None:
    tables = at_opening["aria"]
    exported = {plan.sop_instance_uid for plan in tables.clinic.plans}
    unapproved = [row for row in tables["plans"] if row["approval_status"] == "unapproved"]
    assert unapproved and not exported & {row["sop_instance_uid"] for row in unapproved}


def test_arias_interrupted_fraction_runs_until_it_is_made_up(tmp_path: Path) -> None:
    tables = Tables(tmp_path, "aria")
    (cervix,) = [plan.sop_instance_uid for plan in tables.clinic.plans if plan.rt_plan_label == "Cervix"]
    assert [row["referenced_rt_plan_uid"] for row in tables["in_flight"]] == [cervix]
    tables.live_until(OPENED_AT + timedelta(days=5))
    assert tables["in_flight"] == []


def test_a_field_that_is_on_in_mosaiq_is_recorded_when_its_session_has_ended(mosaiq: Tables) -> None:
    (first,) = mosaiq["in_flight"]
    session = mosaiq.clinic.next_session_after(OPENED_AT)
    assert session is not None
    assert (first["referenced_rt_plan_uid"], first["beam_number"]) == (session.plan.sop_instance_uid, 1)
    mosaiq.live_until(session.ends_at)
    assert first["in_flight_id"] not in {row["in_flight_id"] for row in mosaiq["in_flight"]}


def test_a_postponed_appointment_leaves_an_older_version_that_does_not_come(mosaiq: Tables) -> None:
    before = len(mosaiq["schedule"])
    back = OPENED_AT + timedelta(days=4)
    mosaiq.clinic.postpone(OPENED_AT, back)
    mosaiq.live_until(back + timedelta(hours=1))
    rows = mosaiq["schedule"]
    assert len(rows) >= before
    late = [r for r in rows if r["status"] == "booked" and r["activity"] == "Daily Treatment" and _between(r, back)]
    assert late == []
    with sqlite3.connect(mosaiq.database.path) as connection:
        assert connection.execute("SELECT COUNT(*) FROM Schedule WHERE Version = 1").fetchone()[0]


def _between(row: dict[str, object], back: datetime) -> bool:
    at = row["appointment_at"]
    assert isinstance(at, datetime)
    return OPENED_AT < at <= back


def test_catching_up_twice_writes_nothing_twice(mosaiq: Tables) -> None:
    mosaiq.live_until(OPENED_AT + timedelta(days=3))
    before = mosaiq["deliveries"], mosaiq["schedule"]
    assert mosaiq.database.catch_up(mosaiq.clinic) == 0
    mosaiq.read()
    assert (mosaiq["deliveries"], mosaiq["schedule"]) == before


def test_mosaiq_serves_no_treatment_record_and_aria_serves_all() -> None:
    clinic = Clinic(1, OPENED_AT, fast=True)
    record = dataset(next(clinic.delivered(datetime.min, OPENED_AT)))  # noqa: DTZ901  site time
    plan = next(ds for ds in clinic.planning_objects() if ds.Modality == "RTPLAN")
    assert [is_served("mosaiq", ds) for ds in (record, plan)] == [False, True]
    assert [is_served("aria", ds) for ds in (record, plan)] == [True, True]


def test_each_product_has_its_own_database() -> None:
    assert {"aria": AriaDatabase, "mosaiq": MosaiqDatabase} == DATABASES


@pytest.mark.parametrize("product", PRODUCTS)
def test_in_two_ordinary_weeks_nothing_is_doubted_neither_at_once_nor_little_by_little(
    tmp_path: Path, product: Product
) -> None:
    """With no rows that are always believed: each share of the guard's is held against a clinic of sixty patients."""
    tables = Tables(tmp_path, product)
    tables.config = replace(tables.config, guard=Guard(rows=1))
    for day in range(1, 15):
        tables.live_until(OPENED_AT + timedelta(days=day))
    assert len(list_snapshots(tables.config.cache_path)) > 7 and quarantined(tables.config.cache_path) == []
