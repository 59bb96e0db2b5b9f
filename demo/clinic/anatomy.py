"""Planning CTs and structure sets of the simulated patients.

Goal
    Images with sensible HU, and contours that lie on them and name every slice.

How
    The site's ellipsoids are painted into a volume, body first; contours are the same ellipsoids cut by each slice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from demo.clinic.identifiers import chance, da, tm
from demo.clinic.modules import item, new_object, reference, with_decimals
from recovery.dicom.model import RT_STRUCTURE_SET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom import Dataset

    from demo.clinic.courses import ImageSet
    from demo.clinic.sites import Ellipsoid

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
DETACHED_STUDY_MANAGEMENT = "1.2.840.10008.3.1.2.3.1"
_CONTOUR_POINTS = 40


@dataclass(frozen=True, slots=True)
class Volume:
    """HU by slice, row and column. Spacings in mm; the origin is the centre of the first voxel."""

    hu: np.ndarray[Any, np.dtype[np.int16]]
    spacing: float
    slice_spacing: float

    @property
    def origin(self) -> tuple[float, float, float]:
        slices, rows, columns = self.hu.shape
        return (
            -(columns - 1) * self.spacing / 2,
            -(rows - 1) * self.spacing / 2,
            -(slices - 1) * self.slice_spacing / 2,
        )

    def z_of(self, index: int) -> float:
        return self.origin[2] + index * self.slice_spacing

    def distance(self, ellipsoid: Ellipsoid) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The ellipsoid's own radius at each voxel: below 1 inside, 1 on its surface."""
        z, y, x = (
            (start + np.arange(count) * step - centre) / radius
            for start, count, step, centre, radius in zip(
                self.origin[::-1],
                self.hu.shape,
                (self.slice_spacing, self.spacing, self.spacing),
                ellipsoid.centre[::-1],
                ellipsoid.radii[::-1],
                strict=True,
            )
        )
        return np.sqrt(z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2)


def number_of_slices(*, fast: bool) -> int:
    return 8 if fast else 28


def volume_of(images: ImageSet, *, fast: bool) -> Volume:
    """The patient's volume: 128 x 128 x 28 voxels of 4 x 4 x 5 mm; 32 x 32 x 8 of 16 x 16 x 15 mm when `fast`."""
    size, spacing, slice_spacing = (32, 16.0, 15.0) if fast else (128, 4.0, 5.0)
    volume = Volume(
        np.full((len(images.slice_uids), size, size), -1000, dtype=np.int16),
        spacing=spacing,
        slice_spacing=slice_spacing,
    )
    for ellipsoid in images.site.structures:
        inside = volume.distance(ellipsoid) <= 1
        if ellipsoid.kind != "PTV":
            volume.hu[inside] = ellipsoid.hu
    body = volume.distance(images.site.body) <= 1
    noise = np.random.default_rng(chance("noise", images.series_instance_uid).getrandbits(32))
    volume.hu[body] += noise.normal(0, 12, int(body.sum())).astype(np.int16)
    return volume


def ct_slices(images: ImageSet, volume: Volume) -> Iterator[Dataset]:
    """The planning CT, from the feet up (PS3.3 A.3)."""
    x, y, _ = volume.origin
    for index, sop_instance_uid in enumerate(images.slice_uids):
        ds = new_object(
            images, CT_IMAGE, sop_instance_uid, modality="CT", series_instance_uid=images.series_instance_uid,
            series_number=1, made_at=images.taken_at, model="Simulated CT",
        )  # fmt: skip
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.AcquisitionDate = ds.ContentDate = da(images.taken_at)
        ds.AcquisitionTime = ds.ContentTime = tm(images.taken_at)
        ds.SeriesDescription = "Planning CT"
        ds.Laterality = images.site.laterality[:1]
        ds.PatientPosition = "HFS"
        ds.KVP, ds.SliceThickness = "120", str(volume.slice_spacing)
        ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = images.frame_of_reference_uid, ""
        ds.AcquisitionNumber, ds.InstanceNumber = 1, index + 1
        ds.ImagePositionPatient = [x, y, volume.z_of(index)]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.SliceLocation = volume.z_of(index)
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.Rows, ds.Columns = volume.hu.shape[1:]
        ds.PixelSpacing = [volume.spacing, volume.spacing]
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
        ds.WindowCenter, ds.WindowWidth = "40", "400"
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
        ds.PixelData = (np.clip(volume.hu[index], -1024, 3071) + 1024).astype("<u2").tobytes()
        yield ds


def structure_set(images: ImageSet, volume: Volume) -> Dataset:
    """BODY, PTV and organs at risk; the referenced frame names every slice (PS3.3 A.19)."""
    ds = new_object(
        images, RT_STRUCTURE_SET, images.structure_set_uid, modality="RTSTRUCT",
        series_instance_uid=images.structure_set_series_uid, series_number=2, made_at=images.taken_at,
    )  # fmt: skip
    ds.InstanceNumber = 1
    ds.OperatorsName = ""
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = images.frame_of_reference_uid, ""
    ds.StructureSetLabel = "CT_1"
    ds.StructureSetDate, ds.StructureSetTime = da(images.taken_at), tm(images.taken_at)
    ds.ApprovalStatus = "UNAPPROVED"
    series = item(
        SeriesInstanceUID=images.series_instance_uid,
        ContourImageSequence=[reference(CT_IMAGE, u) for u in images.slice_uids],
    )
    study = reference(DETACHED_STUDY_MANAGEMENT, images.study_instance_uid, RTReferencedSeriesSequence=[series])
    frame = images.frame_of_reference_uid
    ds.ReferencedFrameOfReferenceSequence = [item(FrameOfReferenceUID=frame, RTReferencedStudySequence=[study])]
    structures = list(enumerate(images.site.structures, start=1))
    ds.StructureSetROISequence = [
        item(ROINumber=n, ReferencedFrameOfReferenceUID=frame, ROIName=s.name, ROIGenerationAlgorithm="AUTOMATIC")
        for n, s in structures
    ]
    ds.ROIContourSequence = [
        item(ROIDisplayColor=list(s.colour), ReferencedROINumber=n, ContourSequence=list(_contours(s, images, volume)))
        for n, s in structures
    ]
    ds.RTROIObservationsSequence = [
        item(ObservationNumber=n, ReferencedROINumber=n, RTROIInterpretedType=s.kind, ROIInterpreter="")
        for n, s in structures
    ]
    return ds


def _contours(structure: Ellipsoid, images: ImageSet, volume: Volume) -> Iterator[Dataset]:
    """Where each slice cuts the ellipsoid, as closed planar polygons in mm."""
    (cx, cy, cz), (rx, ry, rz) = structure.centre, structure.radii
    for index, sop_instance_uid in enumerate(images.slice_uids):
        z = volume.z_of(index)
        height = (z - cz) / rz
        if abs(height) >= 1:
            continue
        scale = math.sqrt(1 - height * height)
        points = []
        for step in range(_CONTOUR_POINTS):
            angle = 2 * math.pi * step / _CONTOUR_POINTS
            x, y = cx + rx * scale * math.cos(angle), cy + ry * scale * math.sin(angle)
            points += [f"{x:.2f}", f"{y:.2f}", f"{z:.2f}"]
        contour = item(
            ContourImageSequence=[reference(CT_IMAGE, sop_instance_uid)],
            ContourGeometricType="CLOSED_PLANAR",
            NumberOfContourPoints=_CONTOUR_POINTS,
        )
        yield with_decimals(contour, "ContourData", points)
