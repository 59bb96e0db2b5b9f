"""The R&V system's relational database in SQLite, in step with the DICOM objects.

Goal
    What a query finds here is what the objects say: same patient IDs, plan and record UIDs, fractions, metersets.

How
    Both are made from the same clinic. `create` writes everything until the clinic's clock; `catch_up` adds what was
    delivered since, and moves the appointments on. WAL mode: readers never block. A class for each product.

Why SQLite
    It needs no server. Names, types and the habits of the rows are those of the real one (`schema.sql`).
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from demo.aria.deliveries import write_appointments, write_record
from demo.aria.people import write_department, write_patient
from demo.aria.plans import write_course
from demo.aria.rows import Rows

if TYPE_CHECKING:
    from demo.clinic.clinic import Clinic
    from demo.clinic.delivery import DeliveredRecord

_BUSY_SECONDS = 10


class ClinicDatabase(ABC):
    """A clinic's database. Short transactions, a connection for each: the file may vanish between."""

    schema: ClassVar[Path]
    """The SQL that makes its tables."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written_until = datetime.min  # noqa: DTZ901  local to the site, like all times of the clinic

    @abstractmethod
    def write_clinic(self, connection: sqlite3.Connection, clinic: Clinic) -> None:
        """Write the house, the patients, and what was prescribed and planned."""

    @abstractmethod
    def write_news(self, connection: sqlite3.Connection, clinic: Clinic, records: list[DeliveredRecord]) -> None:
        """Write what was delivered since `written_until`, and the appointments as of the clinic's clock."""

    def create(self, clinic: Clinic) -> None:
        """Write the clinic as of its clock into a new file.

        Raises
        ------
        sqlite3.Error
            If the file exists with other tables, or cannot be written.
        """
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(self.schema.read_text(encoding="utf-8"))
            self.write_clinic(connection, clinic)
        connection.close()
        self.catch_up(clinic)

    def resume(self, clinic: Clinic) -> None:
        """Go on with a file that `create` wrote for the same clinic and that was caught up until its clock."""
        self.written_until = clinic.now

    def catch_up(self, clinic: Clinic) -> int:
        """Add what was delivered up to the clinic's clock, and refresh the appointments; how many records.

        Raises
        ------
        sqlite3.Error
            If the file cannot be opened or written. Nothing of this call is kept then.
        """
        if not self.path.is_file():
            raise sqlite3.OperationalError("the database is not there")
        new = list(clinic.delivered(self.written_until, clinic.now))
        with self._connection() as connection:
            self.write_news(connection, clinic, new)
        connection.close()
        self.written_until = clinic.now
        return len(new)

    def _connection(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=_BUSY_SECONDS)


class AriaDatabase(ClinicDatabase):
    """`variansystem.sqlite` of a clinic."""

    schema = Path(__file__).with_name("schema.sql")

    def write_clinic(self, connection: sqlite3.Connection, clinic: Clinic) -> None:
        rows = Rows(connection, clinic.opened_at)
        write_department(rows)
        for patient, images in zip(clinic.patients, clinic.image_sets, strict=True):
            write_patient(rows, patient, images)
            plans = [plan for plan in clinic.plans if plan.patient is patient]
            write_course(rows, patient, images, plans, clinic)

    def write_news(self, connection: sqlite3.Connection, clinic: Clinic, records: list[DeliveredRecord]) -> None:
        rows = Rows(connection, clinic.now)
        for record in records:
            if not record.session.only_as_object:
                write_record(rows, record)
        write_appointments(rows, clinic, self.written_until)
