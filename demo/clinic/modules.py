"""The DICOM modules that all objects of the simulated clinic share.

Goal
    Every type 1 element with a value and every type 2 element present (PS3.5 section 7.4), so that `dciodvfy` has
    nothing to say.

How
    `new_object` makes patient, study, series, equipment and SOP common modules (PS3.3 C.7 and C.12); the makers of
    plans, images and records add theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID, ImplicitVRLittleEndian

from demo.clinic.identifiers import da, tm

if TYPE_CHECKING:
    from datetime import datetime

    from demo.clinic.courses import ImageSet

INSTITUTION = "Demo clinic"


def item(**elements: Any) -> Dataset:
    """A sequence item, or any dataset, of these elements."""
    ds = Dataset()
    ds.set_original_encoding(True, True)  # else pydicom decodes `with_decimals` before it encodes it again
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def with_decimals(ds: Dataset, keyword: str, values: list[str]) -> Dataset:
    """Set a long DS element already encoded: pydicom checks each of a plan's 20,000 leaf positions otherwise."""
    encoded = "\\".join(values).encode("ascii")
    encoded += b" " * (len(encoded) % 2)
    tag = Tag(keyword)
    ds[tag] = RawDataElement(tag, "DS", len(encoded), encoded, 0, is_implicit_VR=True, is_little_endian=True)
    return ds


def reference(sop_class_uid: str, sop_instance_uid: str, **more: Any) -> Dataset:
    return item(ReferencedSOPClassUID=sop_class_uid, ReferencedSOPInstanceUID=sop_instance_uid, **more)


def new_object(
    images: ImageSet,
    sop_class_uid: str,
    sop_instance_uid: str,
    *,
    modality: str,
    series_instance_uid: str,
    series_number: int,
    made_at: datetime,
    manufacturer: str = "RBRDT simulated clinic",
    model: str = "Clinic",
) -> Dataset:
    """An object of the study of `images`, with the modules that every object has; times are local to the site."""
    patient = images.patient
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100" if patient.is_ascii else "ISO_IR 192"
    ds.InstanceCreationDate, ds.InstanceCreationTime = da(made_at), tm(made_at)
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class_uid, sop_instance_uid
    ds.StudyDate, ds.StudyTime = da(images.taken_at), tm(images.taken_at)
    ds.SeriesDate, ds.SeriesTime = da(made_at), tm(made_at)
    ds.AccessionNumber = ""
    ds.Modality = modality
    ds.Manufacturer = manufacturer
    ds.InstitutionName = INSTITUTION
    ds.ReferringPhysicianName = patient.physician.person_name
    ds.StudyDescription = images.site.name
    ds.PhysiciansOfRecord = patient.physician.person_name
    ds.ManufacturerModelName = model
    ds.PatientName, ds.PatientID = patient.patient_name, patient.patient_id
    ds.PatientBirthDate = da(patient.birth_date) if patient.birth_date else ""
    ds.PatientSex = patient.sex
    ds.DeviceSerialNumber, ds.SoftwareVersions = "0", "1"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = images.study_instance_uid, series_instance_uid
    ds.StudyID = f"S{patient.number}"
    ds.SeriesNumber = series_number
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    ds.file_meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return ds
