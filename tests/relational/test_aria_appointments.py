"""Which appointments are a next treatment, and who is dead, by ARIA's database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from backup_jobs.jobs.snapshot_tables import snapshot_tables
from recovery.cache.store import Cache
from recovery.settings.config import Config
from recovery.tables.relational import CANCELLED_STATUSES, SCHEDULE
from tests.relational.aria import TODAY, Aria
from tests.relational.mosaiq import Mosaiq
from tests.relational.mosaiq_clinic import TOMORROW
from tests.relational.test_aria_tables import one

Rows = list[dict[str, object]]
NOON = TODAY + timedelta(days=2, hours=12)


@pytest.fixture
def table(config: Config, cached: Callable[[str], Rows], now: datetime) -> Callable[[str], Rows]:
    def read(name: str) -> Rows:
        assert snapshot_tables(config, now).outcome == "OK"
        return cached(name)

    return read


def patient(aria: Aria, patient_id: str) -> int:
    return int(
        aria.connection.execute("SELECT PatientSer FROM Patient WHERE PatientId = ?", (patient_id,)).fetchone()[0]
    )


@pytest.mark.parametrize(
    ("machine_type", "has_plan", "treats"),
    [
        ("RadiationDevice", False, True),
        ("Radiation Device", True, True),
        ("ImagingDevice", False, False),
        ("CT Scanner", True, False),
        ("x", True, True),
        ("x", False, False),
        ("", False, False),
    ],
)
def test_only_a_machine_that_treats_is_a_treatment_machine(
    table: Callable[[str], Rows], aria: Aria, machine_type: str, *, has_plan: bool, treats: bool
) -> None:
    place = aria.machine("Place1", machine_type)
    if has_plan:
        aria.field(aria.plan(aria.course(patient(aria, "E7"), "C9"), "1.2.9"), place, 1)
    aria.appointment(patient(aria, "E7"), NOON, place)
    row = one(table("schedule"), appointment_at=NOON)
    told = (row["treatment_machine_name"], row["other_machine_name"])
    assert told == (("Place1", None) if treats else (None, "Place1"))


def test_of_a_scanner_and_a_linac_the_linac_is_the_machine(table: Callable[[str], Rows], aria: Aria) -> None:
    scanner, linac = aria.machine("ACT", "ImagingDevice"), aria.machine("TB9")
    aria.appointment(patient(aria, "E7"), NOON, scanner, linac)
    row = one(table("schedule"), appointment_at=NOON)
    assert (row["treatment_machine_name"], row["other_machine_name"]) == ("TB9", None)


def test_a_wish_on_the_waiting_list_is_no_booking(table: Callable[[str], Rows], aria: Aria) -> None:
    linac = aria.machine("TB9")
    aria.appointment(patient(aria, "E7"), NOON, linac, WaitListedFlag=1)
    status = one(table("schedule"), appointment_at=NOON)["status"]
    assert status == "on the waiting list"
    assert status in CANCELLED_STATUSES, "which is no next appointment"


def test_mosaiqs_machine_without_a_treatment_field_is_no_treatment_machine(
    mosaiq: Mosaiq, mosaiq_config: Config, now: datetime
) -> None:
    scanner = mosaiq.machine("CT1")
    (anna,) = mosaiq.connection.execute("SELECT Pat_Id1 FROM Ident WHERE IDA = '20240503'").fetchone()
    (site,) = mosaiq.connection.execute("SELECT SIT_SET_ID FROM Site WHERE Site_Name = 'Breast L'").fetchone()
    mosaiq.field(anna, site, "1.2.3", 77, scanner, Type_Enum=5, Sanct_DtTm=None)
    mosaiq.appointment(anna, TOMORROW + timedelta(hours=3), scanner, "  ")
    snapshot_tables(mosaiq_config, now)
    row = one(Cache(mosaiq_config.cache_path).read(SCHEDULE), appointment_at=TOMORROW + timedelta(hours=3))
    assert (row["treatment_machine_name"], row["other_machine_name"]) == (None, "CT1")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE PatientParticular SET DeathDate = '2026-11-02 00:00:00'", "died on 2026-11-02; Pacemaker"),
        ("UPDATE pt SET pt_dod = '2026-11-02 04:00:00'", "died on 2026-11-02; Pacemaker"),
        ("UPDATE pt SET pt_alive_ind = 'N'", "died; Pacemaker"),
        ("UPDATE pt SET pt_alive_ind = 'Y', pt_dod = '1753-01-01 00:00:00'", "Pacemaker"),
        ("UPDATE PatientParticular SET DeathDate = 'never'", "died; Pacemaker"),
    ],
)
def test_a_dead_patient_is_flagged_before_any_other_alert(
    table: Callable[[str], Rows], aria: Aria, statement: str, said: str
) -> None:
    aria.execute(statement)
    alerts = one(table("patients"), patient_id="20240503")["alerts"]
    assert str(alerts).startswith(said)


def test_an_address_that_ended_is_no_address_and_the_other_one_is(table: Callable[[str], Rows], aria: Aria) -> None:
    aria.execute("UPDATE Address SET TerminationDate = '2026-01-01 00:00:00' WHERE AddressLine1 = 'Main Street 5'")
    assert one(table("patients"), patient_id="20240503")["address"] == "Old Lane 1, 3000 Bern"


def test_an_address_that_ends_later_is_an_address(table: Callable[[str], Rows], aria: Aria) -> None:
    aria.execute("UPDATE Address SET TerminationDate = '9999-12-31 00:00:00'")
    assert one(table("patients"), patient_id="20240503")["address"] == "Main Street 5, 3000 Bern"
