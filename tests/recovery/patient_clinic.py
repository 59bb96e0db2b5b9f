"""A cache as the jobs leave it, for the patient's file and the paper chart: real objects, and the R&V's tables.

Goal
    One small clinic whose every value is known, on Tuesday 24 November 2026, 14:38 in Zurich.

How
    Datasets are read through `Collection.add`, counted by `build_rows` and written by `Cache`, as
    build_on_treatment does it; rows of the database are written beside them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydicom import Dataset

from backup_jobs.rv.photos import photo_of
from recovery.cache.journal import JobResult, Journal
from recovery.cache.store import Cache
from recovery.on_treatment.evidence import Evidence
from recovery.on_treatment.rows import build_rows
from recovery.pacs.collection import Collection
from recovery.pacs.holdings import Holding, Holdings
from recovery.settings.config import Site
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import ON_TREATMENT
from tests import objects as o

NOW = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)
LOCAL = datetime(2026, 11, 24, 14, 38)  # noqa: DTZ001  times of the tables are local to the site
SITE = Site("Demo clinic", "Europe/Zurich")
TB1 = "TB1"


def weekday(number: int) -> datetime:
    """The `number`th weekday back from the day before NOW, at 9:30: 0 is Monday 23 November."""
    day, left = LOCAL.replace(hour=9, minute=30) - timedelta(days=1), number
    while left:
        day -= timedelta(days=1)
        left -= day.weekday() < 5
    return day


def treated(
    plan: Dataset, numbers: Iterable[int], metersets: Mapping[int, float], *, last: int = 0, **elements: Any
) -> list[Dataset]:
    """One record per beam of each fraction, a fraction a weekday, the last one `last` weekdays before yesterday."""
    listed = list(numbers)
    return [
        o.record(
            str(plan.SOPInstanceUID),
            [o.beam_item(beam, number, meterset, meterset)],
            at=weekday(len(listed) - 1 - place + last) + timedelta(minutes=3 * beam),
            PatientID=plan.PatientID,
            PatientName=plan.PatientName,
            PatientBirthDate=plan.PatientBirthDate,
            NumberOfFractionsPlanned=plan.FractionGroupSequence[0].NumberOfFractionsPlanned,
            **elements,
        )
        for place, number in enumerate(listed)
        for beam, meterset in metersets.items()
    ]


class Clinic:
    """What goes into the cache. `rows` are of the database's tables: columns that a test leaves out are None."""

    def __init__(self) -> None:
        self.objects: list[Dataset] = []
        self.rows: dict[str, list[dict[str, object]]] = {}
        self.not_held: set[str] = set()

    def add(self, *objects: Dataset | Iterable[Dataset]) -> None:
        for one in objects:
            self.objects += [one] if isinstance(one, Dataset) else list(one)

    def tell(self, table: str, **values: object) -> None:
        columns = RELATIONAL_TABLES[table].columns
        assert values.keys() <= columns.keys(), values.keys() - columns.keys()
        self.rows.setdefault(table, []).append(dict.fromkeys(columns) | values)

    def write(
        self, folder: Path, *, with_database: bool = True, proven: timedelta = timedelta(minutes=6), **told: str
    ) -> Cache:
        """Write the cache; returns it. `told`: what the R&V database tells of every row, by column."""
        cache, collection = Cache(folder), Collection(ZoneInfo("Europe/Zurich"))
        for ds in self.objects:
            collection.add(ds)
        held = self._holdings(collection)
        evidence = Evidence(
            records=list(collection.records.values()),
            plans=collection.plans,
            structure_sets=collection.structure_sets,
            backups={uid: held.backup_of(uid, collection) for uid in collection.plans},
            appointments=self._appointments() if with_database else {},
        )
        rows = build_rows(evidence, LOCAL, on_treatment_days=14).rows
        taken_at = NOW - proven
        if with_database:
            for name, schema in RELATIONAL_TABLES.items():
                cache.write(schema, self.rows.get(name, []), taken_at=taken_at, source="aria")
        collection.save(cache, taken_at)
        held.save(cache, taken_at)
        cache.write(
            ON_TREATMENT,
            [{**dict.fromkeys(ON_TREATMENT.columns), **row, **told} for row in rows],
            taken_at=taken_at,
            source="RT-PACS",
        )
        journal = Journal(folder)
        run = journal.start("sync_records", taken_at)
        journal.finish(run, JobResult("sync_records", "OK", {}), taken_at + timedelta(seconds=4))
        return cache

    def _holdings(self, collection: Collection) -> Holdings:
        asked_at = NOW - timedelta(minutes=7)
        objects = {*collection.plans, *collection.structure_sets}
        for plan in collection.plans.values():
            objects.update(plan.reference_image_uids)
        answers = {uid: Holding(uid, "IMAGE", 1, int(uid not in self.not_held), asked_at) for uid in objects}
        for series in (one for s in collection.structure_sets.values() for one in s.image_series):
            uid, slices = series.series_instance_uid, series.sop_instance_uids
            held = () if uid in self.not_held else slices
            answers[uid] = Holding(uid, "SERIES", len(slices), len(held), asked_at, slices="\\".join(held))
        return Holdings(answers)

    def _appointments(self) -> dict[str, datetime]:
        found: dict[str, datetime] = {}
        for row in self.rows.get("schedule", []):
            at, who = row["appointment_at"], str(row["patient_id"])
            if isinstance(at, datetime) and at >= LOCAL and row["status"] != "cancelled":
                found[who] = min(at, found.get(who, at))
        return found


def whose(patient_id: str, name: str, birth_date: str = "19580704", sex: str = "F") -> dict[str, str]:
    return {"PatientID": patient_id, "PatientName": name, "PatientBirthDate": birth_date, "PatientSex": sex}


def anna(clinic: Clinic, patient_id: str = "100231", name: str = "ABELSEN^Anna", **of_plan: Any) -> Dataset:
    """An ordinary patient with everything: 7 of 15 given, two fields, a setup field, booked tomorrow."""
    person = whose(patient_id, name)
    slices = o.images(4, **person)
    contours = o.structure_set(slices, **person)
    elements = {"RTPlanLabel": "Breast_L", **person, **of_plan}
    plan = o.plan({1: 112.4, 2: 98.6}, fractions=15, structure_set_uid=contours.SOPInstanceUID, **elements)
    clinic.add(slices, contours, plan, treated(plan, range(1, 8), {1: 112.4, 2: 98.6}))
    tell_of(clinic, plan)
    return plan


def tell_of(clinic: Clinic, plan: Dataset, **prescribed: object) -> None:
    """What the database says of a plan and its patient."""
    patient_id, uid = str(plan.PatientID), str(plan.SOPInstanceUID)
    fractions = int(plan.FractionGroupSequence[0].NumberOfFractionsPlanned)
    name = str(plan.PatientName).replace("^", ", ", 1)
    clinic.tell(
        "patients", patient_id=patient_id, patient_name=name, phone_mobile="+41 79 555 01 23",
        phone_home="+41 31 555 04 56", email="a@example.org", language="German", alerts="Pacemaker; Latex",
        emergency_contacts="Beat (son) +41 79 555 99 99", transport="Taxi Blau", patient_birth_date=_day(plan),
    )  # fmt: skip
    clinic.tell("physicians", patient_id=patient_id, physician_name="Deputy, Dora", role="Oncologist", is_primary=False)
    clinic.tell("physicians", patient_id=patient_id, physician_name="Meier, Ursula", role="Oncologist", is_primary=True)
    values: dict[str, object] = {
        "site": "Breast", "laterality": "Left", "intent": "Curative", "technique": "3D conformal",
        "dose_per_fraction": 2.67, "total_dose": round(2.67 * fractions, 2), "number_of_fractions": fractions,
        "fraction_pattern": "once a day, Mon to Fri", "bolus": "5 mm, every second day", "gating": "breath hold",
        "status": "approved",
    }  # fmt: skip
    key = f"P-{patient_id}"
    clinic.tell("prescriptions", patient_id=patient_id, prescription_id=key, **(values | prescribed))
    clinic.tell(
        "plans", sop_instance_uid=uid, patient_id=patient_id, rt_plan_label=str(plan.RTPlanLabel), prescription_id=key,
        approval_status="treatment approved", approved_by="Meier", approved_at=LOCAL - timedelta(days=20),
        number_of_fractions_planned=fractions,
    )  # fmt: skip
    for number, angle in ((1, 305.0), (2, 125.0), (9, 0.0)):
        clinic.tell(
            "plan_fields", sop_instance_uid=uid, beam_number=number, patient_id=patient_id,
            beam_name=f"Field {number}" if number < 9 else "kV setup", treatment_machine_name=TB1,
            nominal_beam_energy=6.0, technique="STATIC", mlc_type="static", gantry_angle=angle, collimator_angle=10.0,
            patient_support_angle=0.0, source_to_surface_distance=92.4, tolerance_table="Breast", dose_rate=600,
            is_setup_field=number == 9, radiation_type="PHOTON", setup_note="Align to tattoos" if number == 1 else None,
        )  # fmt: skip
    clinic.tell(
        "setup_notes", sop_instance_uid=uid, beam_number=1, patient_id=patient_id, treatment_orientation="HFS",
        setup_note="Breast board 10 degrees, both arms up. Shift 1.2 cm to the left from the tattoo.",
        devices="Breast board; knee rest", shift_vertical=0.0, shift_longitudinal=-0.5, shift_lateral=1.2,
        couch_vertical=-12.3, couch_longitudinal=98.7, couch_lateral=3.4,
    )  # fmt: skip
    clinic.tell(
        "schedule", appointment_id=f"A-{patient_id}", patient_id=patient_id, treatment_machine_name=TB1,
        appointment_at=LOCAL.replace(hour=8, minute=15) + timedelta(days=1), activity="Treatment", status="booked",
    )  # fmt: skip


def photograph(clinic: Clinic, patient_id: str, picture: bytes) -> None:
    """A photo of a patient, as the job writes it."""
    made = photo_of(picture, hashlib.sha256(picture).hexdigest())
    taken_at = LOCAL.replace(hour=9, minute=0) - timedelta(days=40)
    clinic.tell("photos", patient_id=patient_id, taken_at=taken_at, **asdict(made))


def _day(plan: Dataset) -> date | None:
    said = str(plan.PatientBirthDate)
    return datetime.strptime(said, "%Y%m%d").date() if said else None  # noqa: DTZ007


def bo(clinic: Clinic, patient_id: str = "100377", name: str = "BERG^Bo", **of_plan: Any) -> Dataset:
    """Fraction 5 of 20 was stopped: beam 1 lacks 12 MU, beam 2 was never started."""
    person = whose(patient_id, name, sex="M")
    slices = o.images(4, **person)
    contours = o.structure_set(slices, **person)
    elements = {"RTPlanLabel": "Prostate", **person, **of_plan}
    plan = o.plan({1: 100.0, 2: 38.0}, fractions=20, structure_set_uid=contours.SOPInstanceUID, **elements)
    clinic.add(slices, contours, plan, treated(plan, range(1, 5), {1: 100.0, 2: 38.0}, last=1))
    stopped = o.beam_item(1, 5, 88.0, 100.0, termination="MACHINE")
    clinic.add(o.record(str(plan.SOPInstanceUID), [stopped], at=weekday(0), **person))
    return plan
