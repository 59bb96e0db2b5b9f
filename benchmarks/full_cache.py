"""A cache of 2,000 patients on treatment with 200,000 treatment records, as the jobs would have written it.

The relational tables are read from an ARIA by `snapshot_tables`; records, plans and structure sets are made of one of
each by changing whose they are, because 200,000 objects would take half an hour to send; the list is
`build_on_treatment`'s own. One patient's plan, images and dose are the simulated clinic's and lie in an RT-PACS.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from pydicom import Dataset

from benchmarks import big_clinic
from demo.clinic.clinic import Clinic
from recovery.cache.journal import JobResult, Journal
from recovery.cache.memory import Memory
from recovery.course.metersets import planned_metersets
from recovery.dicom.model import Patient
from recovery.dicom.plans import Plan, StructureSet
from recovery.dicom.records import TreatmentRecord
from recovery.overview.build import overview_rows, whole_rows
from recovery.overview.evidence import evidence_of
from recovery.pacs.holdings import Holding
from recovery.pacs.workspace import Workspace, open_workspace
from recovery.settings.config import load_config
from recovery.tables.schema import ON_TREATMENT
from tests.clinic import TwoNodes
from tests.objects import beam_item, encode, images, plan, record, structure_set, uid

PATIENTS = 2_000
COURSES = 5
FRACTIONS = 25
JOBS = ("sync_records", "sync_plans", "snapshot_tables", "build_on_treatment")


def make(clinic: TwoNodes, now: datetime) -> None:
    """Fill the clinic's cache, and its RT-PACS with what the pictures of patient 00000 are made of."""
    database = clinic.folder / "aria.db"
    big_clinic.fill(database, newest=now.date(), on_treatment=PATIENTS, former=500)
    clinic.extra = f'[rv.database]\nconnection = "sqlite:///{database}"\n'
    clinic.job("snapshot_tables")
    config = load_config(clinic.config)
    space = open_workspace(config, Memory.load(config.cache_path), now)
    pictured = {ds.Modality: ds for ds in _pictured(clinic, now)}
    for ds in (pictured["RTPLAN"], pictured["RTSTRUCT"], _RECORD_OBJECT):
        space.collection.add(ds)
    space.collection.records.clear()
    for number in range(PATIENTS):
        _add_patient(space, number, now.date(), pictured if number == 0 else {})
    space.collection.save(space.cache, now)
    space.holdings.save(space.cache, now)
    listed = overview_rows(space, evidence_of(space))
    space.cache.write(ON_TREATMENT, whole_rows(space, listed), taken_at=now, source="RT-PACS")
    journal = Journal(config.cache_path)
    for job in JOBS:
        journal.finish(journal.start(job, now), JobResult(job, "OK", {}), now)


def _pictured(clinic: TwoNodes, now: datetime) -> Iterator[Dataset]:
    """The objects of one patient of the simulated clinic, as they lie in the RT-PACS under another name."""
    simulated = Clinic(1, now)
    whose = next(p.images.patient.patient_id for p in simulated.plans if not p.is_ion and p.geometry == "PATIENT")
    for ds in simulated.planning_objects():
        if whose != ds.PatientID:
            continue
        ds.PatientID, ds.PatientName = "00000", "^".join(big_clinic.name_of(0))
        clinic.pacs.put(encode(ds))
        yield ds


_RECORD_OBJECT = record("1.2", [beam_item(n, 1, 200.0, 200.0) for n in (1, 2)])
_RECORD = TreatmentRecord.from_dataset(_RECORD_OBJECT)
_BEAM = _RECORD.beams[0]
_PLAN = Plan.from_dataset(plan({1: 200.0, 2: 200.0}, fractions=FRACTIONS, structure_set_uid="1.2"))
_STRUCTURE_SET = StructureSet.from_dataset(structure_set(images(3)))


def _add_patient(space: Workspace, number: int, newest: date, pictured: dict[str, Dataset]) -> None:
    """Courses of 25 fractions each, the newest one under way since as many days as the patient's number says."""
    family, given = big_clinic.name_of(number)
    patient = Patient(f"{number:05d}", f"{family.upper()}, {given}", big_clinic.birth_date_of(number), "F")
    for course in range(COURSES):
        is_newest = course == 0
        made, contours = _PLAN, _STRUCTURE_SET
        if is_newest and pictured:
            made, contours = Plan.from_dataset(pictured["RTPLAN"]), StructureSet.from_dataset(pictured["RTSTRUCT"])
        else:
            plan_uid = uid("plan", "" if is_newest else f"course {course}", number)
            made = replace(made, ref=replace(made.ref, sop_instance_uid=plan_uid, patient_id=patient.patient_id))
            made = replace(made, patient=patient, structure_set_uids=(f"{plan_uid}.3",))
            contours = replace(contours, ref=replace(contours.ref, sop_instance_uid=f"{plan_uid}.3"))
        space.collection.plans[made.ref.sop_instance_uid] = made
        space.collection.structure_sets[contours.ref.sop_instance_uid] = contours
        for held in (made.ref.sop_instance_uid, contours.ref.sop_instance_uid, *made.reference_image_uids):
            space.holdings.answers[held] = Holding(held, "IMAGE", 1, 1, space.now.astimezone(UTC))
        for series in contours.image_series:
            count, slices = len(series.sop_instance_uids), "\\".join(series.sop_instance_uids)
            name = series.series_instance_uid
            answer = Holding(name, "SERIES", count, count, space.now.astimezone(UTC), count, slices)
            space.holdings.answers[name] = answer
        given = big_clinic.RECORDS_EACH if is_newest else FRACTIONS
        last = newest - timedelta(days=200 * course)
        for fraction in range(1, given + 1):
            _add_record(space, made, patient, fraction, last - timedelta(days=given - fraction))


def _add_record(space: Workspace, made: Plan, patient: Patient, fraction: int, day: date) -> None:
    number = int(patient.patient_id or 0)
    record_uid = uid("record", made.ref.sop_instance_uid, fraction)
    (planned,) = planned_metersets(made).values()
    beams = tuple(
        replace(
            _BEAM,
            beam_number=n,
            current_fraction_number=fraction,
            specified_meterset=one.meterset,
            delivered_meterset=one.meterset,
        )
        for n, one in planned.items()
    )
    ref = replace(_RECORD.ref, sop_instance_uid=record_uid, patient_id=patient.patient_id)
    space.collection.records[record_uid] = replace(
        _RECORD, ref=ref, patient=patient, treatment_date=day, beams=beams,
        treatment_machine_name=big_clinic.machine_of(number),
        referenced_rt_plan_uid=made.ref.sop_instance_uid, number_of_fractions_planned=FRACTIONS,
    )  # fmt: skip
