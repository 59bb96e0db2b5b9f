"""Dose distributions and reference images (DRR) of the simulated plans.

Goal
    A dose that covers the target and falls off as one expects: 95 % at its surface, half within a centimetre, a bath of
    a few percent in the body.

How
    A sigmoid of the distance to the target, on the grid of the CT with half its resolution. A reference image is the
    sum of the volume along one axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from demo.clinic.identifiers import uid
from demo.clinic.modules import new_object, reference
from recovery.dicom.model import RT_DOSE, RT_IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom import Dataset

    from demo.clinic.anatomy import Volume
    from demo.clinic.courses import TreatmentPlan

_FALL_OFF_MM = 5.0
_BATH = 0.04


def dose_dataset(plan: TreatmentPlan, volume: Volume) -> Dataset:
    """The plan's total dose in Gy (PS3.3 A.18)."""
    ds = new_object(
        plan.images, RT_DOSE, plan.dose_uid, modality="RTDOSE",
        series_instance_uid=uid(plan.dose_uid, "series"), series_number=4, made_at=plan.approved_at,
    )  # fmt: skip
    coarse = slice(None, None, 2)
    outside_mm = (volume.distance(plan.site.ptv) - 1) * min(plan.site.ptv.radii)
    share = _BATH + (1 - _BATH) / (1 + np.exp((outside_mm - 0.6 * _FALL_OFF_MM * 3) / _FALL_OFF_MM))
    share[volume.distance(plan.images.site.body) > 1] = 0
    gray = (share * plan.dose_per_fraction * plan.number_of_fractions)[:, coarse, coarse]
    scaling = float(gray.max()) / 65000
    x, y, z = volume.origin
    ds.InstanceNumber = 1
    ds.OperatorsName = ""
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = plan.images.frame_of_reference_uid, ""
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.NumberOfFrames, ds.Rows, ds.Columns = gray.shape
    ds.FrameIncrementPointer = 0x3004000C
    ds.GridFrameOffsetVector = [f"{n * volume.slice_spacing:.1f}" for n in range(gray.shape[0])]
    ds.ImagePositionPatient = [x, y, z]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing = [2 * volume.spacing, 2 * volume.spacing]
    ds.SliceThickness = str(volume.slice_spacing)
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.DoseUnits, ds.DoseType, ds.DoseSummationType = "GY", "PHYSICAL", "PLAN"
    ds.DoseGridScaling = f"{scaling:.8e}"
    ds.TissueHeterogeneityCorrection = ["IMAGE"]
    ds.ReferencedRTPlanSequence = [reference(plan.sop_class_uid, plan.sop_instance_uid)]
    ds.PixelData = np.round(gray / float(ds.DoseGridScaling)).astype("<u2").tobytes()
    return ds


def reference_images(plan: TreatmentPlan, volume: Volume) -> Iterator[Dataset]:
    """A DRR for each treatment beam of a plan that has reference images (PS3.3 A.17)."""
    for beam, sop_instance_uid in zip(plan.treatment_beams, plan.reference_image_uids, strict=False):
        sideways = 45 <= beam.gantry_start % 180 <= 135
        attenuation = (volume.hu.astype(float) + 1000).sum(axis=2 if sideways else 1)
        pixels = np.round(4095 * attenuation / attenuation.max()).astype("<u2")[::-1]
        ds = new_object(
            plan.images, RT_IMAGE, sop_instance_uid, modality="RTIMAGE",
            series_instance_uid=uid(sop_instance_uid, "series"), series_number=5, made_at=plan.approved_at,
        )  # fmt: skip
        ds.ImageType = ["DERIVED", "SECONDARY", "DRR"]
        ds.ConversionType = "WSD"
        ds.InstanceNumber = beam.beam_number
        ds.OperatorsName = ""
        ds.PatientOrientation = ""
        ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = plan.images.frame_of_reference_uid, ""
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.Rows, ds.Columns = pixels.shape
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
        ds.RTImageLabel = f"DRR {beam.beam_name}"[:16]
        ds.RTImagePlane = "NORMAL"
        ds.XRayImageReceptorTranslation = [0, 0, 0]
        ds.XRayImageReceptorAngle = "0"
        ds.RTImageOrientation = [1, 0, 0, 0, -1, 0]
        ds.ImagePlanePixelSpacing = [volume.slice_spacing, volume.spacing]
        width, height = (pixels.shape[1] - 1) * volume.spacing, (pixels.shape[0] - 1) * volume.slice_spacing
        ds.RTImagePosition = [-width / 2, height / 2]
        ds.RadiationMachineName = plan.machine.name
        ds.RadiationMachineSAD, ds.RTImageSID = "1000", "1000"
        ds.PrimaryDosimeterUnit = "MU"
        ds.GantryAngle = f"{beam.gantry_start:.1f}"
        ds.BeamLimitingDeviceAngle = f"{beam.collimator:.1f}"
        ds.PatientSupportAngle = "0"
        ds.IsocenterPosition = list(plan.site.ptv.centre)
        ds.PatientPosition = "HFS"
        ds.ReferencedRTPlanSequence = [reference(plan.sop_class_uid, plan.sop_instance_uid)]
        ds.ReferencedBeamNumber = beam.beam_number
        ds.ReferencedFractionGroupNumber = 1
        ds.PixelData = pixels.tobytes()
        yield ds
