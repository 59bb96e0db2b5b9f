"""Ion beams of the simulated clinic's proton plans: modulated spot scanning in a few energy layers.

How
    From `TreatmentPlan` and its beams (PS3.3 C.8.8.25). Each layer is a pair of control points: spots with their
    weights, then none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.clinic.modules import item

if TYPE_CHECKING:
    from pydicom import Dataset

    from demo.clinic.courses import SimulatedBeam, TreatmentPlan

SPOTS = [(x, y) for x in (-20.0, 0.0, 20.0) for y in (-20.0, 0.0, 20.0)]


def ion_beam(plan: TreatmentPlan, beam: SimulatedBeam) -> Dataset:
    """An item of IonBeamSequence."""
    return item(
        Manufacturer=plan.machine.manufacturer,
        InstitutionName="",
        ManufacturerModelName=plan.machine.model,
        DeviceSerialNumber=plan.machine.serial_number,
        TreatmentMachineName=plan.machine.name,
        PrimaryDosimeterUnit="MU",
        BeamNumber=beam.beam_number,
        BeamName=beam.beam_name,
        BeamType="STATIC",
        RadiationType="PROTON",
        TreatmentDeliveryType=beam.treatment_delivery_type,
        ScanMode="MODULATED",
        ModulatedScanModeType="STATIONARY",
        VirtualSourceAxisDistances=[2000.0, 2000.0],
        NumberOfWedges=0,
        NumberOfCompensators=0,
        NumberOfBoli=0,
        NumberOfBlocks=0,
        NumberOfRangeShifters=0,
        NumberOfLateralSpreadingDevices=0,
        NumberOfRangeModulators=0,
        PatientSupportType="TABLE",
        FinalCumulativeMetersetWeight=f"{beam.beam_meterset:.4f}",
        NumberOfControlPoints=2 * beam.segments,
        IonControlPointSequence=_control_points(plan, beam),
        ReferencedPatientSetupNumber=1,
        ReferencedToleranceTableNumber=1,
    )


def _control_points(plan: TreatmentPlan, beam: SimulatedBeam) -> list[Dataset]:
    layer_meterset = float(beam.beam_meterset or 0) / beam.segments
    points = []
    for layer in range(beam.segments):
        for half in (0, 1):
            index = 2 * layer + half
            done = layer_meterset * (layer + half)
            spot = layer_meterset / len(SPOTS) if half == 0 else 0.0
            point = item(
                ControlPointIndex=index,
                CumulativeMetersetWeight=f"{done:.4f}",
                NominalBeamEnergy=f"{beam.nominal_beam_energy - 6 * layer:.1f}",
                ScanSpotTuneID="4.0",
                NumberOfScanSpotPositions=len(SPOTS),
                ScanSpotPositionMap=[v for xy in SPOTS for v in xy],
                ScanSpotMetersetWeights=[spot] * len(SPOTS),
                ScanningSpotSize=[8.0, 8.0],
                NumberOfPaintings=1,
            )
            if index == 0:
                _first_control_point(point, plan, beam)
            points.append(point)
    return points


def _first_control_point(point: Dataset, plan: TreatmentPlan, beam: SimulatedBeam) -> None:
    for keyword, value in {
        "GantryAngle": f"{beam.gantry_start:.1f}",
        "GantryRotationDirection": "NONE",
        "GantryPitchAngle": 0.0,
        "GantryPitchRotationDirection": "NONE",
        "BeamLimitingDeviceAngle": "0",
        "BeamLimitingDeviceRotationDirection": "NONE",
        "PatientSupportAngle": "0",
        "PatientSupportRotationDirection": "NONE",
        "TableTopPitchAngle": 0.0,
        "TableTopPitchRotationDirection": "NONE",
        "TableTopRollAngle": 0.0,
        "TableTopRollRotationDirection": "NONE",
        "TableTopVerticalPosition": "",
        "TableTopLongitudinalPosition": "",
        "TableTopLateralPosition": "",
        "IsocenterPosition": [f"{v:.1f}" for v in plan.site.ptv.centre],
        "SnoutPosition": 250.0,
    }.items():
        setattr(point, keyword, value)
