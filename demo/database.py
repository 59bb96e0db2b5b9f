"""The R&V system's relational database: ARIA's tables in SQLite, in step with the DICOM objects.

Goal
    What a query finds here is what the objects say: same patient IDs, plan and record UIDs, fractions, metersets.

How
    Both are made from the same clinic. `create` writes everything until the clinic's clock; `catch_up` adds what was
    delivered since, and moves the appointments on. WAL mode: readers never block.

Why SQLite
    It needs no server. Names, types and the habits of the rows are those of the real one (`aria_schema.sql`).
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from demo.database_deliveries import write_appointments, write_record
from demo.database_people import write_department, write_patient
from demo.database_plans import write_course
from demo.database_rows import Rows

if TYPE_CHECKING:
    from demo.clinic import Clinic

_SCHEMA = Path(__file__).with_name("aria_schema.sql")
_BUSY_SECONDS = 10


class AriaDatabase:
    """`variansystem.sqlite` of a clinic. Short transactions, a connection for each: the file may vanish between."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written_until = datetime.min  # noqa: DTZ901  local to the site, like all times of the clinic

    def create(self, clinic: Clinic) -> None:
        """Write the clinic as of its clock into a new file.

        Raises
        ------
        sqlite3.Error
            If the file exists with other tables, or cannot be written.
        """
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA.read_text(encoding="utf-8"))
            rows = Rows(connection, clinic.opened_at)
            write_department(rows)
            for patient, images in zip(clinic.patients, clinic.image_sets, strict=True):
                write_patient(rows, patient, images)
                plans = [plan for plan in clinic.plans if plan.patient is patient]
                write_course(rows, patient, images, plans, clinic)
        connection.close()
        self.catch_up(clinic)

    def resume(self, clinic: Clinic) -> None:
        """Go on with a file that `create` wrote for the same clinic and that was caught up until its clock."""
        self._written_until = clinic.now

    def catch_up(self, clinic: Clinic) -> int:
        """Add what was delivered up to the clinic's clock, and refresh the appointments; how many records.

        Raises
        ------
        sqlite3.Error
            If the file cannot be opened or written. Nothing of this call is kept then.
        """
        if not self.path.is_file():
            raise sqlite3.OperationalError("the database is not there")
        new = list(clinic.delivered(self._written_until, clinic.now))
        with self._connection() as connection:
            rows = Rows(connection, clinic.now)
            for record in new:
                write_record(rows, record)
            write_appointments(rows, clinic, self._written_until)
        connection.close()
        self._written_until = clinic.now
        return len(new)

    def _connection(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=_BUSY_SECONDS)
