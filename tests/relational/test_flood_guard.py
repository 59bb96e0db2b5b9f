"""The flood guard: what care does not produce is quarantined, told and kept apart; what care does passes."""

from __future__ import annotations

import base64
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backup_jobs.jobs import snapshot_tables as job
from backup_jobs.jobs.snapshot_tables import snapshot_tables
from backup_jobs.rv.database_errors import DatabaseError
from recovery.access.accounts import Accounts
from recovery.access.audit import AuditFile
from recovery.access.permissions import Role, User
from recovery.cache.doors import cache_to_show, doubts_of
from recovery.cache.manifests import current_id
from recovery.cache.snapshots import broken_chain, list_snapshots, prune, quarantined
from recovery.cache.store import Cache
from recovery.commands import keys
from recovery.dicom.model import JobRun
from recovery.settings.config import Config
from recovery.tables.flood import looks_encrypted
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.watch.events import events, failing
from recovery.watch.messages import message
from recovery.words.refusals import RefusedError
from tests.relational.aria import TODAY, Aria
from tests.relational.conftest import NOW, config_in
from tests.relational.mosaiq import Mosaiq

PATIENTS = 70
SEEDS = 4
CYCLE = timedelta(minutes=10)


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clinic of 70 patients and the first snapshot of its tables, which each test copies."""
    folder = tmp_path_factory.mktemp("clinic")
    aria = Aria(folder / "aria.db")
    machine = aria.machine("TB1")
    aria.insert("ActivityInstance", ActivityInstanceSer=1, ActivitySer=1)
    aria.insert("Activity", ActivitySer=1, ActivityCategorySer=1, ActivityCode="Treatment")
    aria.insert("ActivityCategory", ActivityCategorySer=1, ActivityCategoryCode="Treatment")
    aria.insert("ConfigurationItem", ConfigurationSetSer=1, ConfigurationItemId="Dose", ConfigValue="Gy")
    for number in range(PATIENTS):
        patient = aria.patient(f"P{number:03}", f"Family {number}", "Given", HomePhone=f"041 {number}")
        aria.physician(patient, f"Doctor {number}", "Dora")
        course = aria.course(patient)
        prescription = aria.prescription(course, ("PTV", "5000", "200", "cGy"))
        plan = aria.plan(course, f"1.2.{number}", f"Plan {number}", PrescriptionSer=prescription)
        field = aria.field(plan, machine, 1)
        for day in range(2, 6):
            at = TODAY + timedelta(hours=8) - timedelta(days=day, minutes=number)
            aria.delivery(patient, f"1.2.{number}", field, 6 - day, at, ActualMachineSer=machine)
        for day in (1, 2):
            aria.appointment(patient, TODAY + timedelta(hours=8) + timedelta(days=day), machine)
            aria.appointment(patient, TODAY + timedelta(hours=8) - timedelta(days=day + 1), machine)
    aria.close()
    snapshot_tables(config_in(folder, "sqlite:///aria.db"), NOW)
    return folder


@pytest.fixture
def clinic(backed_up: Path, tmp_path: Path) -> Config:
    shutil.copytree(backed_up, tmp_path, dirs_exist_ok=True)
    return config_in(tmp_path, "sqlite:///aria.db")


def edit(config: Config, *statements: str) -> None:
    with closing(sqlite3.connect(config.file.parent / "aria.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def tables(config: Config, snapshot_id: str | None = None) -> dict[str, list[dict[str, object]]]:
    return {name: Cache(config.cache_path, snapshot_id).read(of) for name, of in RELATIONAL_TABLES.items()}


HALF_THE_PLANS = "DELETE FROM PlanSetup WHERE rowid % 2"
NAMES = "UPDATE Patient SET LastName = 'Somebody ' || PatientSer WHERE rowid % 2"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (HALF_THE_PLANS, "plans: 35 of 70 rows are gone"),
        (NAMES, "patients: patient_name is another in 35 of 70 rows"),
        ("UPDATE Patient SET HomePhone = '041 0000'", "patients: phone_home is another in 70 of 70 rows"),
        ("DELETE FROM ScheduledActivity WHERE rowid % 4", "appointments ahead are gone"),
        ("UPDATE ExternalFieldCommonHstry SET ActualMeterset = 12 WHERE rowid % 4 = 1", "are told otherwise"),
        ("DELETE FROM RadiationHstry WHERE rowid % 4 = 1", "of the past, of 70 patients, are gone"),
    ],
)
def test_what_care_does_not_produce_is_quarantined_and_the_last_good_state_stays(
    clinic: Config, statement: str, said: str
) -> None:
    good, before = current_id(clinic.cache_path), tables(clinic)
    edit(clinic, statement)
    result = snapshot_tables(clinic, NOW + timedelta(days=1))
    assert (result.outcome, result.fault, result.counts["quarantined"]) == ("PARTIAL", "guard", 1)
    assert said in result.message
    assert not any(f"Family {number}" in result.message for number in range(PATIENTS))
    assert (current_id(clinic.cache_path), tables(clinic)) == (good, before)
    assert [doubt for doubt in doubts_of(cache_to_show(clinic, NOW + timedelta(days=1))) if said in doubt]


@pytest.fixture(scope="module")
def of_mosaiq(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with MOSAIQ."""
    folder = tmp_path_factory.mktemp("mosaiq")
    mosaiq = Mosaiq(folder / "aria.db")
    machine = mosaiq.machine("Synergy1")
    mosaiq.insert("CPT", PRS_ID=1, Hsp_Code="BEAM", Description="Treatment", CGroup="RT", Deleted=0)
    for number in range(PATIENTS):
        patient = mosaiq.patient(f"P{number:03}", f"Family {number}", "Given", Pat_Home_Phone=f"041 {number}")
        older, site = mosaiq.site(patient, mosaiq.course(patient, 1, "C50.4", "Breast"), "Breast L")
        mosaiq.plan(patient, f"1.2.{number}", f"Plan {number}")
        field = mosaiq.field(patient, site, f"1.2.{number}", 1, machine)
        for day in range(2, 6):
            at = TODAY + timedelta(hours=8) - timedelta(days=day, minutes=number)
            mosaiq.delivery(patient, field, older, 6 - day, at, Machine_ID_Staff_ID=machine)
        for day in (1, 2):
            mosaiq.appointment(patient, TODAY + timedelta(hours=8) + timedelta(days=day), machine, None)
    mosaiq.close()
    snapshot_tables(config_in(folder, "sqlite:///aria.db", product="mosaiq"), NOW)
    return folder


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM TxField WHERE OriginalPlanUID < '1.2.4'", "rows are gone"),
        ("UPDATE Patient SET Last_Name = 'Somebody ' || Pat_ID1 WHERE rowid % 2", "patients: patient_name is another"),
        ("UPDATE Admin SET Pat_Home_Phone = '041 0000'", "patients: phone_home is another in 70 of 70 rows"),
        ("DELETE FROM Schedule WHERE rowid % 4", "appointments ahead are gone"),
        ("UPDATE Dose_Hst SET Meterset = 12 WHERE rowid % 4 = 1", "are told otherwise"),
        ("UPDATE Site SET Dose_Ttl = 9900 WHERE Version = 0", "prescriptions: total_dose is another in 70 of 70"),
        ("DELETE FROM Dose_Hst WHERE rowid % 4 = 1", "of the past, of 70 patients, are gone"),
        ("UPDATE Dose_Hst SET Fractions_Tx = Fractions_Tx + 1", "are told otherwise"),
    ],
)
def test_what_care_does_not_produce_is_quarantined_of_mosaiq_too(
    of_mosaiq: Path, tmp_path: Path, statement: str, said: str
) -> None:
    shutil.copytree(of_mosaiq, tmp_path, dirs_exist_ok=True)
    config = config_in(tmp_path, "sqlite:///aria.db", product="mosaiq")
    good, before = current_id(config.cache_path), tables(config)
    assert all(
        len(before[name]) >= PATIENTS for name in ("patients", "prescriptions", "plans", "schedule", "deliveries")
    )
    edit(config, statement)
    result = snapshot_tables(config, NOW + timedelta(days=1))
    assert (result.outcome, result.fault) == ("PARTIAL", "guard") and said in result.message
    assert (current_id(config.cache_path), tables(config)) == (good, before)


@pytest.mark.parametrize(
    "statements",
    [
        ["DELETE FROM ScheduledActivity WHERE ScheduledStartTime < '2026-11-22'"],
        ["UPDATE Machine SET MachineId = 'TB9'"],
        ["UPDATE ScheduledActivity SET ScheduledActivityCode = 'Cancelled'"],
        ["DELETE FROM ScheduledActivity WHERE ScheduledActivitySer % 3 = 0"],
        ["UPDATE TreatmentRecord SET PatientSer = (SELECT MIN(PatientSer) FROM Patient) WHERE PlanUID < '1.2.16'"],
        ["UPDATE Patient SET LastName = 'Married' WHERE PatientId < 'P010'"],
        ["UPDATE PlanSetup SET Status = 'Retired'"],
    ],
    ids=["archive cleaned", "machine renamed", "all cancelled", "closed for holidays", "merge", "names", "retired"],
)
def test_an_ordinary_worst_day_passes(clinic: Config, statements: list[str]) -> None:
    edit(clinic, *statements)
    result = snapshot_tables(clinic, NOW + timedelta(days=1))
    assert "quarantined" not in result.counts, result.message
    assert quarantined(clinic.cache_path) == []


def test_while_it_lasts_one_stands_for_all_and_what_looks_like_the_last_good_one_clears_it(clinic: Config) -> None:
    edit(clinic, "CREATE TABLE kept AS SELECT * FROM PlanSetup", HALF_THE_PLANS)
    for number in range(1, 4):
        snapshot_tables(clinic, NOW + number * CYCLE)
    [held] = quarantined(clinic.cache_path)
    assert prune(clinic.cache_path, 1, floor=1) == []
    edit(clinic, "DELETE FROM PlanSetup", "INSERT INTO PlanSetup SELECT * FROM kept")
    assert snapshot_tables(clinic, NOW + 4 * CYCLE).outcome == "OK"
    assert quarantined(clinic.cache_path) == []
    assert doubts_of(cache_to_show(clinic, NOW + 4 * CYCLE)) == ()
    assert held.snapshot_id in {info.snapshot_id for info in list_snapshots(clinic.cache_path) if info.quarantined}
    assert broken_chain(clinic.cache_path, 90) == []


def test_a_physicist_accepts_it_by_name_and_the_audit_file_has_it(clinic: Config) -> None:
    accounts = Accounts(clinic.accounts_path)
    for name, role in (("pia", Role.PHYSICIST), ("theo", Role.THERAPIST)):
        accounts.add(User(name, name.title(), role), "correct horse battery", NOW)
    edit(clinic, HALF_THE_PLANS)
    snapshot_tables(clinic, NOW + CYCLE)
    good, [held] = current_id(clinic.cache_path), quarantined(clinic.cache_path)
    for name, by, why in ((held.snapshot_id, "theo", "of a physicist"), (str(good), "pia", "it is not quarantined")):
        with pytest.raises(RefusedError, match=why):
            _accept(clinic, name, by)
    assert current_id(clinic.cache_path) == good and not clinic.audit_path.exists()
    assert _accept(clinic, held.snapshot_id, "pia") == 0
    [line] = AuditFile(clinic.audit_path).newest(10_000)
    assert (line["who"], line["details"]["reason"]) == ("pia", "archive moved")
    assert len(tables(clinic)["plans"]) == PATIENTS / 2
    assert snapshot_tables(clinic, NOW + 2 * CYCLE).outcome == "OK"
    assert quarantined(clinic.cache_path) == [] and broken_chain(clinic.cache_path, 90) == []
    with pytest.raises(RefusedError):  # it is decided
        _accept(clinic, held.snapshot_id, "pia")


def _accept(config: Config, name: str, by: str) -> int:
    import argparse

    return keys.run_accept(config, argparse.Namespace(name=name, by=by, reason="archive moved"))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_ransomware_at_any_moment_leaves_the_last_good_state_and_never_a_mix(
    clinic: Config, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance, before = random.Random(seed), tables(clinic)
    moment, really = chance.randrange(len(job.product_of(clinic).tables())), job.bring_up_to_date
    reached: list[str] = []

    def attacked(run: Any, reading: Any) -> Any:  # the job as it is, and the attack between two of its tables
        if len(reached) == moment:
            encrypt_or_delete(clinic.file.parent / "aria.db", chance)
        reached.append(reading.schema.name)
        return really(run, reading)

    monkeypatch.setattr(job, "bring_up_to_date", attacked)
    said = ""
    for number in (1, 2):
        try:
            said = snapshot_tables(clinic, NOW + number * CYCLE).outcome
        except DatabaseError:
            said = "FAILED"
        assert tables(clinic) == before
    assert said in {"PARTIAL", "FAILED"}


def encrypt_or_delete(file: Path, chance: random.Random) -> None:
    """Half of the rows of every table: texts become ciphers, numbers others; or they are gone."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.create_function("cipher", 1, lambda _: base64.b64encode(chance.randbytes(24)).decode())
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            connection.execute(f"DROP TRIGGER {name}")
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            columns = connection.execute(f"PRAGMA table_info([{table}])").fetchall()
            texts = [f"[{one[1]}] = cipher([{one[1]}])" for one in columns if one[2] == "TEXT"]
            texts += [f"[{one[1]}] = [{one[1]}] * 1.7 + 3" for one in columns if one[2] == "REAL"]
            if chance.random() < 0.5 or not texts:
                connection.execute(f"DELETE FROM [{table}] WHERE rowid % 2")
            else:
                connection.execute(f"UPDATE [{table}] SET {', '.join(texts)} WHERE rowid % 2")


def test_people_are_told_at_once_and_what_to_do() -> None:
    run = JobRun("snapshot_tables", NOW, NOW, "PARTIAL", {"quarantined": 1}, "plans: 35 of 70 rows are gone", "guard")
    [event] = events(failing([run]), {}, NOW, {"snapshot_tables"})
    text = message(event, "Clinic", NOW, config_in(Path(), "").site.zone).text
    assert "plans: 35 of 70 rows are gone" in text and "accept-snapshot" in text
    assert list(failing([run, replace(run, outcome="OK", fault="")])) == []


@pytest.mark.parametrize(
    "text",
    ["MUSTERMANN-HUBERMEIER, Anna", "Breast L 25x2Gy + Boost 8x2Gy SIB", "Donaudampfschifffahrtsgesellschaft", "",
     "1.2.840.113619.2.55.3.604688119.971", "Kopf/Hals: 3 mm Shift nach kaudal, Maske Nr. 7"],
)  # fmt: skip
def test_what_people_write_does_not_look_encrypted(text: str) -> None:
    assert not looks_encrypted(text)


def test_what_a_cipher_leaves_looks_encrypted() -> None:
    chance = random.Random(1)
    made: list[Callable[[bytes], str]] = [
        lambda data: base64.b64encode(data).decode(), bytes.hex, lambda data: data.decode("latin-1"),
        lambda data: data.decode("utf-8", "replace"),
    ]  # fmt: skip
    for make in made:
        assert sum(looks_encrypted(make(chance.randbytes(32))) for _ in range(100)) > 80


FEW_PLANS = "DELETE FROM PlanSetup WHERE rowid IN (SELECT rowid FROM PlanSetup LIMIT 3)"


def test_who_takes_little_in_each_cycle_is_seen_by_what_went_in_a_week(clinic: Config) -> None:
    outcomes = []
    for number in range(1, 9):
        edit(clinic, FEW_PLANS)
        outcomes.append(snapshot_tables(clinic, NOW + number * timedelta(hours=6)))
    assert [result.fault for result in outcomes[:6]] == [""] * 6
    assert {result.fault for result in outcomes[6:]} == {"guard"}
    assert "plans: 21 of 70 rows are gone since 2026-11-22 11:00 UTC, little by little" in outcomes[6].message
    assert len(tables(clinic)["plans"]) == PATIENTS - 18, "the last that was believed stays"


def test_what_a_physicist_accepted_is_what_a_week_is_counted_from(clinic: Config) -> None:
    Accounts(clinic.accounts_path).add(User("pia", "Pia", Role.PHYSICIST), "correct horse battery", NOW)
    edit(clinic, HALF_THE_PLANS)
    snapshot_tables(clinic, NOW + CYCLE)
    [held] = quarantined(clinic.cache_path)
    _accept(clinic, held.snapshot_id, "pia")
    edit(clinic, FEW_PLANS)
    assert snapshot_tables(clinic, NOW + 2 * CYCLE).outcome == "OK"
    for number in range(3, 9):
        edit(clinic, FEW_PLANS)
        result = snapshot_tables(clinic, NOW + number * CYCLE)
    assert "since 2026-11-22 11:10 UTC, little by little" in result.message
