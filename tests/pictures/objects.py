"""Made-up images, structures, doses and beams whose pictures are known beforehand: every voxel says where it lies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pydicom import Dataset

from tests.objects import images, item, obj, plan, structure_set

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
PRONE = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
ROWS, COLUMNS = 20, 30
SPACING = (2.0, 3.0)
"""Of rows and of columns, mm."""


def hu_at(x: float, y: float, z: float) -> float:
    """What the made-up anatomy holds at a place in mm: another value everywhere."""
    return x + 10 * y + 100 * z


def straight_slices(
    orientation: Sequence[float] = AXIAL,
    positions: Iterable[Sequence[float]] = tuple((-40.0, -20.0, 4.0 * n) for n in range(5)),
    modality: str = "CT",
    **elements: Any,
) -> list[Dataset]:
    """A series whose pixels hold `hu_at` of their own place; stored with slope 0.5 and intercept -1000."""
    listed = list(positions)
    slices = images(len(listed), modality, **elements)
    along_row, along_column = np.array(orientation[:3]), np.array(orientation[3:])
    for ds, position in zip(slices, listed, strict=True):
        r, c = np.mgrid[0:ROWS, 0:COLUMNS]
        places = (
            np.array(position)[:, None, None]
            + along_row[:, None, None] * c * SPACING[1]
            + along_column[:, None, None] * r * SPACING[0]
        )
        hu = hu_at(*places)
        ds.Rows, ds.Columns = ROWS, COLUMNS
        ds.PixelSpacing = list(SPACING)
        ds.ImagePositionPatient = list(position)
        ds.ImageOrientationPatient = list(orientation)
        ds.RescaleSlope, ds.RescaleIntercept = 0.5, -1000
        ds.PixelRepresentation = 1
        ds.PixelData = np.rint((hu + 1000) / 0.5).astype("<i2").tobytes()
    return slices


def contour(points: Sequence[Sequence[float]], image_uid: str | None = None, kind: str = "CLOSED_PLANAR") -> Dataset:
    ds = item(
        ContourGeometricType=kind,
        NumberOfContourPoints=len(points),
        ContourData=[value for point in points for value in point],
    )
    if image_uid is not None:
        ds.ContourImageSequence = [item(ReferencedSOPInstanceUID=image_uid)]
    return ds


def rectangle(left: float, right: float, front: float, back: float, z: float) -> list[tuple[float, float, float]]:
    return [(left, front, z), (right, front, z), (right, back, z), (left, back, z)]


def structures(
    slices: Sequence[Dataset], rois: dict[str, list[Dataset]], colour: Sequence[int] | None = (255, 0, 0)
) -> Dataset:
    """A structure set with one ROI per name."""
    ds = structure_set(slices)
    ds.StructureSetROISequence = [item(ROINumber=n, ROIName=name) for n, name in enumerate(rois, 1)]
    ds.ROIContourSequence = [
        item(ReferencedROINumber=n, ContourSequence=contours) for n, contours in enumerate(rois.values(), 1)
    ]
    for roi in ds.ROIContourSequence:
        if colour is not None:
            roi.ROIDisplayColor = list(colour)
    return ds


def dose_of(
    plan_uid: str, gray: np.ndarray, position: Sequence[float], offsets: Sequence[float], **more: Any
) -> Dataset:
    """An RT Dose of these Gy (frames, rows, columns), scaled by 0.001, on a grid of 4 mm."""
    elements: dict[str, Any] = {
        "DoseUnits": "GY", "DoseType": "PHYSICAL", "DoseSummationType": "PLAN", "DoseGridScaling": 0.001,
        "NumberOfFrames": gray.shape[0], "Rows": gray.shape[1], "Columns": gray.shape[2], "PixelSpacing": [4.0, 4.0],
        "ImagePositionPatient": list(position), "ImageOrientationPatient": list(AXIAL),
        "GridFrameOffsetVector": list(offsets), "FrameIncrementPointer": 0x3004000C, "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 32, "BitsStored": 32, "HighBit": 31,
        "PixelRepresentation": 0, "PixelData": np.rint(gray / 0.001).astype("<u4").tobytes(),
        "ReferencedRTPlanSequence": [item(ReferencedSOPInstanceUID=plan_uid)],
    }  # fmt: skip
    return obj("1.2.840.10008.5.1.4.1.1.481.2", "RTDOSE", **(elements | more))


def beam(points: Sequence[dict[str, Any]], devices: Sequence[Dataset] = (), **elements: Any) -> Dataset:
    """An item of BeamSequence with these control points."""
    return item(
        BeamNumber=1, BeamName="A1", RadiationType="PHOTON", TreatmentDeliveryType="TREATMENT",
        BeamLimitingDeviceSequence=list(devices), ControlPointSequence=[item(**point) for point in points], **elements,
    )  # fmt: skip


def plan_with(*beams: Dataset, **elements: Any) -> Dataset:
    return plan({1: 100.0}, BeamSequence=list(beams), **elements)


def positions_of(**devices: Sequence[float]) -> list[Dataset]:
    return [item(RTBeamLimitingDeviceType=kind, LeafJawPositions=list(values)) for kind, values in devices.items()]
