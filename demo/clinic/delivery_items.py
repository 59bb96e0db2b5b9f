"""The session beam of a treatment record: what one beam delivered, with its first and last control point.

How
    Items of TreatmentSessionBeamSequence (PS3.3 C.8.8.21) and of its ion twin (C.8.8.26).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from demo.clinic.identifiers import da, tm
from demo.clinic.ion_planning import SPOTS
from demo.clinic.modules import item

if TYPE_CHECKING:
    from datetime import datetime

    from pydicom import Dataset

    from demo.clinic.courses import SimulatedBeam, TreatmentPlan


@dataclass(frozen=True, slots=True)
class BeamDelivered:
    """One beam of one record. Metersets in MU, times local to the site."""

    beam: SimulatedBeam
    fraction_number: int
    treatment_delivery_type: str
    termination_status: str
    specified_meterset: float
    delivered_meterset: float
    started_at: datetime
    ended_at: datetime


def session_beam(plan: TreatmentPlan, delivered: BeamDelivered) -> Dataset:
    """One item. Metersets in MU."""
    beam = delivered.beam
    ds = item(
        CurrentFractionNumber=delivered.fraction_number,
        TreatmentTerminationStatus=delivered.termination_status,
        TreatmentVerificationStatus="VERIFIED",
        SpecifiedPrimaryMeterset=f"{delivered.specified_meterset:.2f}",
        DeliveredPrimaryMeterset=f"{delivered.delivered_meterset:.2f}",
        DeliveredTreatmentTime=f"{(delivered.ended_at - delivered.started_at).total_seconds():.1f}",
        BeamName=beam.beam_name,
        RadiationType=beam.radiation_type,
        TreatmentDeliveryType=delivered.treatment_delivery_type,
        NumberOfWedges=0,
        NumberOfCompensators=0,
        NumberOfBoli=0,
        NumberOfBlocks=0,
        NumberOfControlPoints=2,
        ReferencedBeamNumber=beam.beam_number,
    )
    points = [
        _control_point(plan, delivered, 0, 0.0, 0.0, delivered.started_at),
        _control_point(
            plan, delivered, 1, delivered.specified_meterset, delivered.delivered_meterset, delivered.ended_at
        ),
    ]
    if plan.is_ion:
        return _as_ion(ds, points)
    ds.SourceAxisDistance = "1000"
    ds.BeamType = "DYNAMIC" if beam.segments > 2 else "STATIC"
    ds.BeamLimitingDeviceLeafPairsSequence = [
        item(RTBeamLimitingDeviceType=kind, NumberOfLeafJawPairs=1) for kind in ("ASYMX", "ASYMY")
    ]
    if beam.radiation_type == "ELECTRON":
        ds.ApplicatorSequence = [item(ApplicatorID="A10", ApplicatorType="ELECTRON_SQUARE")]
    ds.ControlPointDeliverySequence = points
    return ds


def _as_ion(ds: Dataset, points: list[Dataset]) -> Dataset:
    ds.BeamType = "STATIC"
    ds.ScanMode = "MODULATED"
    ds.ModulatedScanModeType = "STATIONARY"
    ds.NumberOfRangeShifters = 0
    ds.NumberOfLateralSpreadingDevices = 0
    ds.NumberOfRangeModulators = 0
    ds.PatientSupportType = "TABLE"
    ds.IonControlPointDeliverySequence = points
    return ds


def _control_point(
    plan: TreatmentPlan, delivered: BeamDelivered, index: int, specified: float, meterset: float, at: datetime
) -> Dataset:
    beam = delivered.beam
    angle = beam.gantry_start if index == 0 or not beam.is_arc else beam.gantry_stop
    elements: dict[str, Any] = {
        "TreatmentControlPointDate": da(at),
        "TreatmentControlPointTime": tm(at),
        "SpecifiedMeterset": f"{specified:.2f}",
        "DeliveredMeterset": f"{meterset:.2f}",
        "ReferencedControlPointIndex": _planned_index(plan, beam, index),
        "NominalBeamEnergy": beam.nominal_beam_energy,
        "NominalBeamEnergyUnit": "MV" if beam.radiation_type == "PHOTON" else "MEV",
        "DoseRateSet": 600,
        "DoseRateDelivered": 600,
        "GantryAngle": f"{angle:.1f}",
        "GantryRotationDirection": "NONE",
        "BeamLimitingDeviceAngle": f"{beam.collimator:.1f}",
        "BeamLimitingDeviceRotationDirection": "NONE",
        "PatientSupportAngle": "0",
        "PatientSupportRotationDirection": "NONE",
        "TableTopVerticalPosition": "-120.0",
        "TableTopLongitudinalPosition": "850.0",
        "TableTopLateralPosition": f"{plan.patient.number % 7 - 3:.1f}",
    }
    if plan.is_ion:
        del elements["DoseRateSet"], elements["DoseRateDelivered"], elements["NominalBeamEnergyUnit"]
        elements |= _spots(meterset)
    else:
        elements |= {"TableTopEccentricAngle": "0", "TableTopEccentricRotationDirection": "NONE"}
        half_x, half_y = plan.site.ptv.radii[0] + 8, plan.site.ptv.radii[2] + 8
        elements["BeamLimitingDevicePositionSequence"] = [
            item(RTBeamLimitingDeviceType="ASYMX", LeafJawPositions=[f"{-half_x:.1f}", f"{half_x:.1f}"]),
            item(RTBeamLimitingDeviceType="ASYMY", LeafJawPositions=[f"{-half_y:.1f}", f"{half_y:.1f}"]),
        ]
    return item(**elements)


def _spots(meterset: float) -> dict[str, Any]:
    """The spots of one control point; their metersets add up to what it delivered."""
    return {
        "MetersetRateSet": 2.0,
        "MetersetRateDelivered": 2.0,
        "ScanSpotTuneID": "4.0",
        "NumberOfScanSpotPositions": len(SPOTS),
        "ScanSpotPositionMap": [v for xy in SPOTS for v in xy],
        "ScanSpotMetersetsDelivered": [meterset / len(SPOTS)] * len(SPOTS),
        "NumberOfPaintings": 1,
    }


def _planned_index(plan: TreatmentPlan, beam: SimulatedBeam, index: int) -> int:
    """The plan's first control point, or its last."""
    if index == 0:
        return 0
    pairs = plan.is_ion or (not beam.is_arc and beam.segments > 2)
    return (2 * beam.segments if pairs else beam.segments) - 1
