"""Records and plans for the benchmarks: 14 KB a record (150 control points), each in its own series."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from pydicom import Dataset

from tests.objects import beam_item, images, item, plan, record, structure_set, uid

CONTROL_POINTS = 150


def course_records(
    count: int, *, newest: date, days: int = 5, per_patient: int = 5, key: str = ""
) -> Iterator[Dataset]:
    """`count` records of patients with `per_patient` each, one a day, the last on `newest`."""
    for number in range(count):
        patient, fraction = divmod(number, per_patient)
        day = newest - timedelta(days=(per_patient - 1 - fraction) % days)
        at = datetime.combine(day, time(8)) + timedelta(minutes=patient % 600)
        yield record(
            uid("plan", key, patient),
            [beam_item(1, fraction + 1, 200.0, 200.0, ControlPointDeliverySequence=list(_control_points(at)))],
            at=at,
            PatientID=f"{key}{patient:05d}",
            PatientName=f"BENCH^{key}{patient:05d}",
            StudyInstanceUID=uid("study", key, patient),
            SeriesDate=f"{day:%Y%m%d}",
            InstanceCreationDate=f"{day:%Y%m%d}",
            InstanceCreationTime=f"{at:%H%M%S}",
        )


def plans_of(patients: int, *, key: str = "") -> Iterator[Dataset]:
    """Per patient a plan of that key, its structure set and three images."""
    for patient in range(patients):
        patient_id = f"{key}{patient:05d}"
        slices = images(3, PatientID=patient_id)
        contours = structure_set(slices, PatientID=patient_id)
        yield from (*slices, contours)
        yield plan(
            {1: 200.0},
            fractions=20,
            structure_set_uid=contours.SOPInstanceUID,
            SOPInstanceUID=uid("plan", key, patient),
            PatientID=patient_id,
            StudyInstanceUID=uid("study", key, patient),
        )


def _control_points(at: datetime) -> Iterator[Dataset]:
    for index in range(CONTROL_POINTS):
        yield item(
            ReferencedControlPointIndex=index,
            TreatmentControlPointDate=f"{at:%Y%m%d}",
            TreatmentControlPointTime=f"{at:%H%M%S}",
            SpecifiedMeterset=200.0 * index / (CONTROL_POINTS - 1),
            DeliveredMeterset=200.0 * index / (CONTROL_POINTS - 1),
            GantryAngle=float(index),
        )
