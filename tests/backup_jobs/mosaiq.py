"""A site with a MOSAIQ: one patient, a plan of two fields, its fractions, and the records that an archive holds."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread

from tests.archive_clinic import OneSite, delivery, local, stored_files
from tests.objects import item, plan
from tests.orthanc import Orthanc

BEAMS_RECORD = "1.2.840.10008.5.1.4.1.1.481.4"
JAWS = [item(RTBeamLimitingDeviceType=kind, NumberOfLeafJawPairs=pairs) for kind, pairs in (("ASYMY", 1), ("MLCX", 80))]


def mosaiq_site(tmp_path: Path, pacs: Orthanc) -> OneSite:
    """A MOSAIQ with one patient, and an RT-PACS."""
    mosaiq = OneSite(tmp_path, pacs.node, "mosaiq")
    person = {"patient_name": "BASALT, Osprey", "patient_birth_date": date(1958, 7, 4), "patient_sex": "F"}
    mosaiq.write("patients", [{"patient_id": "00017R", **person}])
    mosaiq.write("prescriptions", [{"patient_id": "00017R", "prescription_id": "P1", "number_of_fractions": 25}])
    own = {"patient_id": "00017R", "prescription_id": "P1", "number_of_fractions_planned": 20}
    mosaiq.write("plans", [{"sop_instance_uid": "1.2.3.4", "approval_status": "treatment approved", **own}])
    return mosaiq


def the_plan() -> Dataset:
    """Two fields, with what a record has to repeat of them."""
    ds = plan({1: 100.0, 2: 50.0}, fractions=25, SOPInstanceUID="1.2.3.4", PatientID="00017R")
    for beam, kind in zip(ds.BeamSequence, ("STATIC", "DYNAMIC"), strict=True):
        beam.BeamType, beam.RadiationType, beam.NumberOfWedges = kind, "PHOTON", 0
        beam.BeamLimitingDeviceSequence = JAWS
    return ds


def fraction(number: int, **columns: Any) -> list[dict[str, Any]]:
    """Both fields of a fraction that was given `10 - number` days ago."""
    at = local(10 - number)
    shared = {"fraction_number": number, **columns}
    return [
        delivery(10 * number + 1, treated_at=at, **shared),
        delivery(
            10 * number + 2, beam_number=2, beam_name="Field 2", planned_meterset=50.0, delivered_meterset=50.0,
            treated_at=at + timedelta(minutes=3), **shared,
        ),
    ]  # fmt: skip


def records(pacs: Orthanc) -> list[Dataset]:
    """Treatment records that the archive holds, in order of treatment and of amendment."""
    found = [dcmread(path) for path in stored_files(pacs.folder).values()]
    return sorted(
        (ds for ds in found if ds.SOPClassUID == BEAMS_RECORD),
        key=lambda ds: (ds.TreatmentDate, ds.SeriesInstanceUID, ds.InstanceNumber),
    )
