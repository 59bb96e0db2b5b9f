"""DICOM-RT objects for the tests: small, valid enough for any archive, every value the test's own."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

_counter = itertools.count(1)


def uid(*names: object) -> str:
    """A UID that is the same for the same names; a fresh one without."""
    return str(generate_uid(entropy_srcs=[repr(names or next(_counter))]))


def item(**elements: Any) -> Dataset:
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, DicomSequence(value) if isinstance(value, list) and _is_items(value) else value)
    return ds


def _is_items(value: Sequence[Any]) -> bool:
    return all(isinstance(v, Dataset) for v in value)


def obj(sop_class_uid: str, modality: str, transfer_syntax: str = ImplicitVRLittleEndian, **elements: Any) -> Dataset:
    """An object with the modules that every object has."""
    ds = item(
        SpecificCharacterSet="ISO_IR 192",
        SOPClassUID=sop_class_uid,
        SOPInstanceUID=uid(),
        StudyInstanceUID=uid(),
        SeriesInstanceUID=uid(),
        Modality=modality,
        PatientID="100001",
        PatientName="BASALT^Osprey",
        PatientBirthDate="19580704",
        PatientSex="F",
        StudyDate="20261101",
        StudyTime="080000",
        StudyID="1",
        AccessionNumber="",
        ReferringPhysicianName="",
        SeriesNumber=1,
        InstanceNumber=1,
        Manufacturer="RBRDT tests",
    )
    for keyword, value in item(**elements).items():
        ds[keyword] = value
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = transfer_syntax
    return ds


def beam_item(
    number: int,
    fraction: int | None,
    delivered: float | None,
    specified: float | None = None,
    delivery_type: str | None = "TREATMENT",
    termination: str = "NORMAL",
    **elements: Any,
) -> Dataset:
    """An item of TreatmentSessionBeamSequence; metersets in MU."""
    ds = item(
        ReferencedBeamNumber=number,
        BeamName=f"Field {number}",
        BeamType="DYNAMIC",
        RadiationType="PHOTON",
        TreatmentTerminationStatus=termination,
        TreatmentVerificationStatus="VERIFIED",
        NumberOfControlPoints=2,
    )
    ds.CurrentFractionNumber = fraction
    ds.TreatmentDeliveryType = delivery_type
    if delivered is not None:
        ds.DeliveredPrimaryMeterset = delivered
    if specified is not None:
        ds.SpecifiedPrimaryMeterset = specified
    for keyword, value in item(**elements).items():
        ds[keyword] = value
    return ds


def record(
    plan_uid: str | None,
    beams: Iterable[Dataset],
    at: datetime | None = datetime(2026, 11, 20, 9, 30),  # noqa: DTZ001  site-local
    machine: str = "TB1",
    sop_class_uid: str = "1.2.840.10008.5.1.4.1.1.481.4",
    **elements: Any,
) -> Dataset:
    ion = sop_class_uid.endswith("481.9")
    ds = obj(
        sop_class_uid,
        "RTRECORD",
        TreatmentDate=f"{at:%Y%m%d}" if at else "",
        TreatmentTime=f"{at:%H%M%S}" if at else "",
        NumberOfFractionsPlanned=20,
        PrimaryDosimeterUnit="MU",
        TreatmentMachineSequence=[item(TreatmentMachineName=machine)],
    )
    if plan_uid is not None:
        plan = item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.481.5", ReferencedSOPInstanceUID=plan_uid)
        ds.ReferencedRTPlanSequence = DicomSequence([plan])
    key = "TreatmentSessionIonBeamSequence" if ion else "TreatmentSessionBeamSequence"
    setattr(ds, key, DicomSequence(list(beams)))
    for keyword, value in item(**elements).items():
        ds[keyword] = value
    return ds


def plan(
    metersets: dict[int, float | None],
    *,
    fractions: int | None = 20,
    structure_set_uid: str | None = None,
    delivery_types: dict[int, str] | None = None,
    sop_class_uid: str = "1.2.840.10008.5.1.4.1.1.481.5",
    **elements: Any,
) -> Dataset:
    """A plan with one fraction group; `metersets` in MU by beam number, None for a beam without BeamMeterset."""
    types = delivery_types or {}
    references = [item(ReferencedBeamNumber=n) for n in metersets]
    for reference, meterset in zip(references, metersets.values(), strict=True):
        if meterset is not None:
            reference.BeamMeterset = meterset
    ds = obj(
        sop_class_uid,
        "RTPLAN",
        RTPlanLabel="Prost",
        RTPlanDate="20261101",
        RTPlanTime="080000",
        RTPlanGeometry="PATIENT",
        ApprovalStatus="APPROVED",
        FrameOfReferenceUID=uid(),
        FractionGroupSequence=[
            item(
                FractionGroupNumber=1,
                NumberOfBeams=len(metersets),
                NumberOfBrachyApplicationSetups=0,
                ReferencedBeamSequence=references,
            )
        ],
        BeamSequence=[
            item(
                BeamNumber=n,
                BeamName=f"Field {n}",
                TreatmentMachineName="TB1",
                TreatmentDeliveryType=types.get(n, "TREATMENT"),
            )
            for n in metersets
        ],
    )
    ds.FractionGroupSequence[0].NumberOfFractionsPlanned = fractions
    if structure_set_uid is not None:
        reference = item(
            ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.481.3", ReferencedSOPInstanceUID=structure_set_uid
        )
        ds.ReferencedStructureSetSequence = DicomSequence([reference])
    for keyword, value in item(**elements).items():
        ds[keyword] = value
    return ds


def images(count: int = 5, modality: str = "CT", **elements: Any) -> list[Dataset]:
    """The slices of one series."""
    sop_class = {"CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4"}[modality]
    shared = {"SeriesInstanceUID": uid(), "StudyInstanceUID": uid(), "FrameOfReferenceUID": uid(), **elements}
    return [
        obj(
            sop_class, modality, ExplicitVRLittleEndian, **shared,
            InstanceNumber=n + 1, Rows=8, Columns=8, BitsAllocated=16, BitsStored=16, HighBit=15,
            PixelRepresentation=0, SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2",
            PixelData=bytes(128), ImagePositionPatient=[0, 0, n * 3],
        )
        for n in range(count)
    ]  # fmt: skip


def structure_set(slices: Sequence[Dataset], **elements: Any) -> Dataset:
    first = slices[0]
    return obj(
        "1.2.840.10008.5.1.4.1.1.481.3",
        "RTSTRUCT",
        StructureSetLabel="CT_1",
        ReferencedFrameOfReferenceSequence=[
            item(
                FrameOfReferenceUID=first.FrameOfReferenceUID,
                RTReferencedStudySequence=[
                    item(
                        ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
                        ReferencedSOPInstanceUID=first.StudyInstanceUID,
                        RTReferencedSeriesSequence=[
                            item(
                                SeriesInstanceUID=first.SeriesInstanceUID,
                                ContourImageSequence=[
                                    item(
                                        ReferencedSOPClassUID=s.SOPClassUID,
                                        ReferencedSOPInstanceUID=s.SOPInstanceUID,
                                    )
                                    for s in slices
                                ],
                            )
                        ],
                    )
                ],
            )
        ],
        **elements,
    )


def dose(plan_uid: str, **elements: Any) -> Dataset:
    reference = item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.481.5", ReferencedSOPInstanceUID=plan_uid)
    return obj("1.2.840.10008.5.1.4.1.1.481.2", "RTDOSE", ReferencedRTPlanSequence=[reference], **elements)


def encode(ds: Dataset) -> bytes:
    """A DICOM file of it."""
    file = io.BytesIO()
    dcmwrite(file, ds, enforce_file_format=True)
    return file.getvalue()
