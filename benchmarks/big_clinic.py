"""A large clinic: 500 patients on treatment, and an ARIA with 150,000 deliveries and 60,000 appointments of two years.

The patients on treatment are those of `made_up.course_records` and `made_up.plans_of`, with names and birth dates that
differ as people's do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, time, timedelta
from pathlib import Path

from pydicom import Dataset

from benchmarks.made_up import course_records, plans_of
from tests.objects import uid
from tests.relational.aria import Aria

ON_TREATMENT = 500
FORMER = 3_460
FRACTIONS = 21
FIELDS = 2
RECORDS_EACH = 5
"""Fractions that each patient on treatment had, as in `course_records`."""

MACHINES = 8
_SYLLABLES = (
    "ba",
    "ker",
    "lin",
    "mo",
    "ra",
    "sten",
    "vik",
    "fal",
    "dor",
    "gri",
    "hal",
    "jus",
    "pem",
    "qui",
    "tor",
    "wen",
)


def fill(path: Path, *, newest: date, on_treatment: int = ON_TREATMENT, former: int = FORMER) -> tuple[int, int]:
    """Make the database; returns its numbers of deliveries and of appointments."""
    aria = Aria(path)
    aria.execute("BEGIN")
    machines = [aria.machine(machine_of(number)) for number in range(MACHINES)]
    aria.insert("ConfigurationItem", ConfigurationSetSer=1, ConfigurationItemId="Dose", ConfigValue="Gy")
    deliveries = appointments = 0
    for number in range(on_treatment + former):
        is_former = number >= on_treatment
        last = newest - timedelta(days=1 + number % 600 if is_former else 0)
        given = FRACTIONS if is_former else RECORDS_EACH
        born = datetime.combine(birth_date_of(number), time())
        patient = aria.patient(f"{number:05d}", *name_of(number), DateOfBirth=born, HomePhone=f"041 {number:07d}")
        aria.physician(patient, "Green", "Gloria")
        course = aria.course(patient)
        prescription = aria.prescription(course, ("PTV", "50", "2", "Gy"))
        plan_uid = uid("plan", "" if not is_former else "former", number)
        plan = aria.plan(course, plan_uid, PrescriptionSer=prescription, NoFractions=25)
        machine = machines[number % MACHINES]
        fields = [aria.field(plan, machine, beam, SetupNote="Laser on tattoo. " * 4) for beam in range(1, FIELDS + 1)]
        for fraction in range(1, given + 1):
            at = datetime.combine(last - timedelta(days=given - fraction), time(8)) + timedelta(minutes=number % 600)
            for field in fields:
                aria.delivery(patient, plan_uid, field, fraction, at)
                deliveries += 1
        for day in range(-given + 1, 10 if not is_former else -4):
            at = datetime.combine(last + timedelta(days=day), time(8)) + timedelta(minutes=number % 600)
            code = "Completed" if at.date() <= newest else "Open"
            aria.appointment(patient, at, machine, ScheduledActivityCode=code)
            appointments += 1
    aria.execute("COMMIT")
    aria.close()
    return deliveries, appointments


def objects(newest: datetime) -> Iterator[Dataset]:
    """The treatment records of those on treatment, and all that their plans need."""
    for ds in course_records(ON_TREATMENT * RECORDS_EACH, newest=newest, per_patient=RECORDS_EACH):
        yield _named(ds)
    for ds in plans_of(ON_TREATMENT):
        yield _named(ds)


def _named(ds: Dataset) -> Dataset:
    number = int(ds.PatientID)
    ds.PatientName = "^".join(name_of(number))
    ds.PatientBirthDate = f"{birth_date_of(number):%Y%m%d}"
    return ds


def name_of(number: int) -> tuple[str, str]:
    """Family and given name, of four syllables that no other number has in this order."""
    digits = [number // len(_SYLLABLES) ** place % len(_SYLLABLES) for place in range(3)]
    family = "".join(_SYLLABLES[digit * 7 % len(_SYLLABLES)] for digit in digits).capitalize()
    return f"{family}{_SYLLABLES[number * 5 % len(_SYLLABLES)]}", _SYLLABLES[number % len(_SYLLABLES)].capitalize()


def machine_of(number: int) -> str:
    """The machine on which a patient is treated."""
    return f"TB{number % MACHINES + 1}"


def birth_date_of(number: int) -> date:
    return date(1935, 1, 1) + timedelta(days=number * 37 % 25_000)


def change_a_phone(path: Path) -> None:
    """One patient on treatment has another telephone number."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE Patient SET HomePhone = '041 2' WHERE PatientId = '00000'")
