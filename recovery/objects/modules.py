"""What every object that this software makes has in common: whose it is, where it lies, who made it and when.

Modules of PS3.3: Patient (C.7.1.1), General Study (C.7.2.1), Series, General Equipment (C.7.5.1), SOP Common (C.12.1).
What is not known of a type 2 element leaves it empty. The moment of making is an argument: whoever reads an object back
builds it again for that moment and compares.

UIDs are name-based (RFC 9562 section 5.5, version 5) below 2.25 (PS3.5 section B.2): the same thing gets the same UID
for ever, on any machine. Amendments form a chain: whoever holds an object can tell the UID of its successor.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence

from recovery.dicom.model import Patient
from recovery.objects.text import written_day, written_id, written_name, written_text

MANUFACTURER = "RBRDT"
MODEL = "Radiotherapy Backup and Recovery Dashboard Tool"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object lies: its patient, its study, its series."""

    patient: Patient
    study_instance_uid: str
    series_instance_uid: str
    series_description: str
    modality: str


def new_object(sop_class_uid: str, sop_instance_uid: str, place: Place, made_at: datetime) -> Dataset:
    """An object without content. `made_at` is local to the site.

    Raises `UnwritableError` if the patient's id cannot be written in DICOM.
    """
    patient = place.patient
    return item(
        SpecificCharacterSet="ISO_IR 192",
        InstanceCreationDate=written_day(made_at),
        InstanceCreationTime=f"{made_at:%H%M%S}",
        SOPClassUID=sop_class_uid,
        SOPInstanceUID=sop_instance_uid,
        PatientName=written_name(patient.patient_name),
        PatientID=written_id(patient.patient_id),
        PatientBirthDate=written_day(patient.patient_birth_date),
        PatientSex=patient.patient_sex if patient.patient_sex in {"M", "F", "O"} else "",
        **dict.fromkeys(("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID"), ""),
        StudyInstanceUID=place.study_instance_uid,
        Modality=place.modality,
        SeriesInstanceUID=place.series_instance_uid,
        SeriesDescription=written_text(place.series_description, "LO"),
        SeriesNumber=1,
        Manufacturer=MANUFACTURER,
        ManufacturerModelName=MODEL,
    )


def number_of_moment(made_at: datetime) -> int:
    """An InstanceNumber that grows with time: seconds since 2000, local to the site. An IS holds it until 2068."""
    return int((made_at - datetime(2000, 1, 1)).total_seconds())  # noqa: DTZ001  site-local


def item(**elements: object) -> Dataset:
    """A dataset of these elements; one that is None is left out."""
    return with_elements(Dataset(), **elements)


def with_elements(ds: Dataset, **elements: object) -> Dataset:
    """Set elements; one that is None is left as it is. A list of datasets is a sequence, of none an empty one."""
    for keyword, value in elements.items():
        if value is not None:
            setattr(ds, keyword, Sequence(value) if isinstance(value, list) else value)
    return ds


def reference(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    """SOP Instance Reference Macro (PS3.3 table 10-11)."""
    return item(ReferencedSOPClassUID=sop_class_uid, ReferencedSOPInstanceUID=sop_instance_uid)


def encoded(ds: Dataset) -> bytes:
    """The dataset in Implicit VR Little Endian, without group 0002: MIM takes no other syntax for RT objects."""
    file = DicomBytesIO()
    file.is_implicit_VR = file.is_little_endian = True
    write_dataset(file, ds)
    return file.getvalue()


_NAMESPACE = uuid.UUID("5b9d6a0e-6f0c-5d0b-9a53-6f7d5c1e2a11")
"""Of this software. It must never change: every object that was ever stored is named in it."""


def derived_uid(*names: str) -> str:
    """The UID of what `names` name. Names are told apart also where their texts run together."""
    name = "".join(f"{len(part)}:{part}" for part in names)
    return f"2.25.{uuid.uuid5(_NAMESPACE, name).int}"


def amended_uid(sop_instance_uid: str) -> str:
    """The UID of the object that replaces this one."""
    return derived_uid("amends", sop_instance_uid)
