"""Relational tables for the clinic of `tests.app.clinic`: who is booked when, how to set up, whom to call.

`write(cache)` writes them; `python -m tests.app.relational FOLDER` makes a clinic with them to look at.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

from recovery.cache.snapshot_writing import open_writer
from recovery.cache.store import Cache
from recovery.tables.relational import PATIENTS, PLAN_FIELDS, SCHEDULE, SETUP_NOTES
from recovery.tables.schema import ON_TREATMENT, TableSchema
from tests.app import clinic

TODAY = clinic.LOCAL.date()


def filled(schema: TableSchema, **values: object) -> dict[str, object]:
    """A row of a table in which everything not named is absent."""
    return {name: values.get(name) for name in schema.columns}


def appointment(number: int, patient_id: str, at: datetime, machine: str, **changes: object) -> dict[str, object]:
    """A booked appointment of fifteen minutes."""
    plain: dict[str, object] = {
        "appointment_id": f"A{number}",
        "patient_id": patient_id,
        "appointment_at": at,
        "ends_at": at + timedelta(minutes=15),
        "treatment_machine_name": machine,
        "activity": "Daily Treatment",
        "status": "booked",
    }
    return filled(SCHEDULE, **(plain | changes))


def schedule() -> list[dict[str, object]]:
    """Today of the notable patients: one cancelled, one booked elsewhere, one without a plan, one not booked."""
    at = datetime.combine(TODAY, datetime.min.time())
    return [
        appointment(1, "100892", at.replace(hour=9), "TB1"),
        appointment(2, "100231", at.replace(hour=8, minute=15), "TB1", note="Bladder full"),
        appointment(3, "100410", at.replace(hour=8, minute=30), "TB1", status="cancelled"),
        appointment(4, "100601", at.replace(hour=10), "TB2"),
        appointment(5, "999999", at.replace(hour=11), "TB1", ends_at=None),
        appointment(6, "100555", at.replace(hour=9, minute=30), "TB1"),
        appointment(7, "100377", at.replace(hour=9, minute=45), "TB2"),
        appointment(8, "100231", at + timedelta(days=1, hours=8), "TB1"),
        appointment(9, "100602", at.replace(hour=7), "TB1", treatment_machine_name=None),
    ]


def write(cache_path: Path, now: datetime = clinic.NOW) -> None:
    """Take a snapshot of four tables, for the plans and patients that the cache's on_treatment names."""
    cache = Cache(cache_path)
    plans = {str(row["referenced_rt_plan_uid"]): row for row in cache.read(ON_TREATMENT)}
    fields = [
        filled(
            PLAN_FIELDS,
            sop_instance_uid=uid,
            beam_number=number,
            patient_id=row["patient_id"],
            nominal_beam_energy=energy,
            radiation_type="PHOTON",
            technique=technique,
            is_setup_field=is_setup,
        )
        for uid, row in plans.items()
        for number, energy, technique, is_setup in (
            (1, 6.0, "ARC", False),
            (2, 10.0, "ARC", False),
            (3, 2.5, "STATIC", True),
        )
    ]
    notes = [filled(SETUP_NOTES, sop_instance_uid=uid, beam_number=1, setup_note="Match bone") for uid in plans]
    people = [
        filled(PATIENTS, patient_id="100231", patient_name="ABELSEN, Anna", phone_mobile="555-1", alerts="Pacemaker"),
        filled(PATIENTS, patient_id="100892", patient_name="BERG, Bo", phone_home="555-2"),
        filled(PATIENTS, patient_id="999999", patient_name="NOBODY, Nora", phone_home="555-3"),
    ]
    tables = ((SCHEDULE, schedule()), (PLAN_FIELDS, fields), (SETUP_NOTES, notes), (PATIENTS, people))
    with open_writer(cache_path, now - timedelta(minutes=6)) as new:
        for schema, rows in tables:
            new.write(schema, rows, source="aria database", query_sha256="ab", rows_sha256=schema.name)
        new.commit()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    print(clinic.make(folder, "good", 13))
    write(folder / "data" / "cache")
