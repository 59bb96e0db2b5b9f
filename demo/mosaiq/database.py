"""MOSAIQ's tables in SQLite, in step with the clinic: the same patients, plans and metersets as the simulated ARIA.

Goal
    What a clinic with MOSAIQ has: no treatment records by DICOM, and everything that was delivered in the database.

How
    As `demo.aria.database` does for ARIA. Names, versions, padding and units are MOSAIQ's (`schema.sql`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from demo.aria.database import ClinicDatabase
from demo.mosaiq.deliveries import write_appointments, write_in_flight, write_record
from demo.mosaiq.people import write_house, write_patient
from demo.mosaiq.plans import write_course
from demo.mosaiq.rows import MosaiqRows

if TYPE_CHECKING:
    import sqlite3

    from demo.clinic.clinic import Clinic
    from demo.clinic.delivery import DeliveredRecord


class MosaiqDatabase(ClinicDatabase):
    """`mosaiq.sqlite` of a clinic."""

    schema = Path(__file__).with_name("schema.sql")

    def write_clinic(self, connection: sqlite3.Connection, clinic: Clinic) -> None:
        rows = MosaiqRows(connection, clinic.opened_at)
        write_house(rows)
        for patient, images in zip(clinic.patients, clinic.image_sets, strict=True):
            write_patient(rows, patient, images)
            write_course(rows, patient, images, [plan for plan in clinic.plans if plan.patient is patient])

    def write_news(self, connection: sqlite3.Connection, clinic: Clinic, records: list[DeliveredRecord]) -> None:
        rows = MosaiqRows(connection, clinic.now)
        for record in records:
            write_record(rows, record)
        write_appointments(rows, clinic)
        write_in_flight(rows, clinic)
