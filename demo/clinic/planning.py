"""RT Plans and RT Ion Plans of the simulated clinic.

Goal
    Plans that a treatment machine's file mode would want: approved, a fraction group with metersets, complete
    control points, tolerance table, patient setup, reference images.

How
    From `TreatmentPlan` and its beams, element by element (PS3.3 A.20, A.49, C.8.8.9 to C.8.8.16, C.8.8.25).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pydicom import Dataset

from demo.clinic.identifiers import chance, da, tm
from demo.clinic.ion_planning import ion_beam
from demo.clinic.modules import item, new_object, reference, with_decimals
from recovery.dicom.model import RT_DOSE, RT_IMAGE, RT_STRUCTURE_SET

if TYPE_CHECKING:
    from demo.clinic.courses import SimulatedBeam, TreatmentPlan

LEAF_PAIRS = 60
LEAF_BOUNDARIES = [*range(-200, -100, 10), *range(-100, 101, 5), *range(110, 201, 10)]


def plan_dataset(plan: TreatmentPlan) -> Dataset:
    """The plan as the R&V system exports it."""
    ds = new_object(
        plan.images, plan.sop_class_uid, plan.sop_instance_uid, modality="RTPLAN",
        series_instance_uid=plan.series_instance_uid, series_number=3, made_at=plan.approved_at,
    )  # fmt: skip
    ds.InstanceNumber = 1
    ds.OperatorsName = ""
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = plan.images.frame_of_reference_uid, ""
    ds.RTPlanLabel = plan.rt_plan_label
    ds.RTPlanDate, ds.RTPlanTime = da(plan.approved_at), tm(plan.approved_at)
    ds.PlanIntent = "VERIFICATION" if plan.geometry == "TREATMENT_DEVICE" else plan.intent
    ds.RTPlanGeometry = plan.geometry
    if plan.geometry == "PATIENT":
        ds.ReferencedStructureSetSequence = [reference(RT_STRUCTURE_SET, plan.images.structure_set_uid)]
    ds.ReferencedDoseSequence = [reference(RT_DOSE, plan.dose_uid)]
    ds.DoseReferenceSequence = [_dose_reference(plan)]
    ds.ToleranceTableSequence = [item(ToleranceTableNumber=1, ToleranceTableLabel="T1")]
    ds.FractionGroupSequence = [_fraction_group(plan)]
    ds.PatientSetupSequence = [
        item(
            PatientSetupNumber=1, PatientPosition="HFS", SetupTechnique="ISOCENTRIC", SetupTechniqueDescription="Supine"
        )
    ]
    if plan.is_ion:
        ds.IonToleranceTableSequence = ds.ToleranceTableSequence
        del ds.ToleranceTableSequence
        ds.IonBeamSequence = [ion_beam(plan, beam) for beam in plan.beams]
    else:
        ds.BeamSequence = [_beam(plan, beam) for beam in plan.beams]
    ds.ApprovalStatus = "APPROVED"
    ds.ReviewDate, ds.ReviewTime = da(plan.approved_at), tm(plan.approved_at)
    ds.ReviewerName = plan.patient.physician.person_name
    return ds


def _dose_reference(plan: TreatmentPlan) -> Dataset:
    return item(
        DoseReferenceNumber=1,
        DoseReferenceStructureType="SITE",
        DoseReferenceDescription="PTV",
        DoseReferenceType="TARGET",
        TargetPrescriptionDose=f"{plan.dose_per_fraction * plan.number_of_fractions:.2f}",
    )


def _fraction_group(plan: TreatmentPlan) -> Dataset:
    beams = []
    for beam in plan.beams:
        referenced = item(ReferencedBeamNumber=beam.beam_number)
        if beam.beam_meterset is not None:
            referenced.BeamDose = f"{plan.dose_per_fraction / len(plan.treatment_beams):.4f}"
            referenced.BeamMeterset = f"{beam.beam_meterset:.2f}"
        beams.append(referenced)
    return item(
        FractionGroupNumber=1,
        NumberOfFractionsPlanned=plan.number_of_fractions,
        NumberOfFractionPatternDigitsPerDay=plan.fractions_per_day,
        RepeatFractionCycleLength=1,
        FractionPattern=("1" * plan.fractions_per_day) * 5 + ("0" * plan.fractions_per_day) * 2,
        NumberOfBeams=len(plan.beams),
        NumberOfBrachyApplicationSetups=0,
        ReferencedBeamSequence=beams,
    )


def _beam(plan: TreatmentPlan, beam: SimulatedBeam) -> Dataset:
    electrons = beam.radiation_type == "ELECTRON"
    ds = item(
        Manufacturer=plan.machine.manufacturer,
        InstitutionName="",
        ManufacturerModelName=plan.machine.model,
        DeviceSerialNumber=plan.machine.serial_number,
        TreatmentMachineName=plan.machine.name,
        PrimaryDosimeterUnit="MU",
        SourceAxisDistance="1000",
        BeamLimitingDeviceSequence=_beam_limiting_devices(beam),
        BeamNumber=beam.beam_number,
        BeamName=beam.beam_name,
        BeamType="DYNAMIC" if beam.segments > 2 else "STATIC",
        RadiationType=beam.radiation_type,
        TreatmentDeliveryType=beam.treatment_delivery_type,
        NumberOfWedges=0,
        NumberOfCompensators=0,
        NumberOfBoli=0,
        NumberOfBlocks=0,
        FinalCumulativeMetersetWeight="1",
        NumberOfControlPoints=_number_of_control_points(beam),
        ControlPointSequence=_control_points(plan, beam),
        ReferencedPatientSetupNumber=1,
        ReferencedToleranceTableNumber=1,
    )
    fluence = item(FluenceMode=beam.fluence_mode)
    if beam.fluence_mode == "NON_STANDARD":
        fluence.FluenceModeID = "FFF"
    ds.PrimaryFluenceModeSequence = [fluence]
    if electrons:
        ds.ApplicatorSequence = [
            item(ApplicatorID="A10", ApplicatorType="ELECTRON_SQUARE", ApplicatorDescription="10 x 10 cm")
        ]
    if beam.is_treatment and len(plan.reference_image_uids) >= beam.beam_number:
        ds.ReferencedReferenceImageSequence = [
            reference(RT_IMAGE, plan.reference_image_uids[beam.beam_number - 1], ReferenceImageNumber=beam.beam_number)
        ]
    return ds


def has_mlc(beam: SimulatedBeam) -> bool:
    return beam.is_treatment and beam.radiation_type == "PHOTON"


def _beam_limiting_devices(beam: SimulatedBeam) -> list[Dataset]:
    devices = [item(RTBeamLimitingDeviceType=kind, NumberOfLeafJawPairs=1) for kind in ("ASYMX", "ASYMY")]
    if has_mlc(beam):
        devices.append(
            item(
                RTBeamLimitingDeviceType="MLCX",
                NumberOfLeafJawPairs=LEAF_PAIRS,
                LeafPositionBoundaries=[str(b) for b in LEAF_BOUNDARIES],
            )
        )
    return devices


def _number_of_control_points(beam: SimulatedBeam) -> int:
    if beam.is_arc or beam.segments == 2:
        return beam.segments
    return 2 * beam.segments


def _control_points(plan: TreatmentPlan, beam: SimulatedBeam) -> list[Dataset]:
    """Arcs move in every point; step and shoot keeps its leaves between two; a static field says them once."""
    dice = chance(plan.sop_instance_uid, beam.beam_number)
    count = _number_of_control_points(beam)
    steps = not beam.is_arc and beam.segments > 2
    weights = [dice.uniform(0.6, 1.4) for _ in range(count - 1)]
    if steps:
        weights = [w if n % 2 == 0 else 0.0 for n, w in enumerate(weights)]
    points, done = [], 0.0
    leaves: list[str] = []
    for index in range(count):
        point = item(ControlPointIndex=index, CumulativeMetersetWeight=f"{done / sum(weights):.6f}")
        if index == 0:
            _first_control_point(point, plan, beam)
        elif beam.is_arc:
            point.GantryAngle = f"{_gantry(beam, index / (count - 1)):.1f}"
            point.GantryRotationDirection = "NONE" if index == count - 1 else _direction(beam)
        changes = index == 0 or beam.is_arc or (steps and index % 2 == 0)
        if changes and has_mlc(beam):
            leaves = _leaf_positions(plan, dice, index / max(1, count - 1), modulated=beam.segments > 2)
        if has_mlc(beam) and changes:
            mlc = with_decimals(item(RTBeamLimitingDeviceType="MLCX"), "LeafJawPositions", leaves)
            point.BeamLimitingDevicePositionSequence = [*(point.get("BeamLimitingDevicePositionSequence") or []), mlc]
        points.append(point)
        if index < count - 1:
            done += weights[index]
    points[-1].CumulativeMetersetWeight = "1"
    return points


def _first_control_point(point: Dataset, plan: TreatmentPlan, beam: SimulatedBeam) -> None:
    """What stays the same for the whole beam is said once, in the first control point (PS3.3 C.8.8.14.5)."""
    x, y, z = plan.site.ptv.centre
    rx, _, rz = (r + 8 for r in plan.site.ptv.radii)
    elements: dict[str, Any] = {
        "NominalBeamEnergy": beam.nominal_beam_energy,
        "DoseRateSet": 1400 if beam.fluence_mode == "NON_STANDARD" else 600,
        "BeamLimitingDevicePositionSequence": [
            item(RTBeamLimitingDeviceType="ASYMX", LeafJawPositions=[f"{-rx:.1f}", f"{rx:.1f}"]),
            item(RTBeamLimitingDeviceType="ASYMY", LeafJawPositions=[f"{-rz:.1f}", f"{rz:.1f}"]),
        ],
        "GantryAngle": f"{beam.gantry_start:.1f}",
        "GantryRotationDirection": _direction(beam),
        "BeamLimitingDeviceAngle": f"{beam.collimator:.1f}",
        "BeamLimitingDeviceRotationDirection": "NONE",
        "PatientSupportAngle": "0",
        "PatientSupportRotationDirection": "NONE",
        "TableTopEccentricAngle": "0",
        "TableTopEccentricRotationDirection": "NONE",
        "TableTopVerticalPosition": "",
        "TableTopLongitudinalPosition": "",
        "TableTopLateralPosition": "",
        "IsocenterPosition": [f"{v:.1f}" for v in (x, y, z)],
        "SourceToSurfaceDistance": "1000" if beam.radiation_type == "ELECTRON" else "900",
    }
    for keyword, value in elements.items():
        setattr(point, keyword, value)


def _direction(beam: SimulatedBeam) -> str:
    if not beam.is_arc:
        return "NONE"
    return "CW" if beam.gantry_start > 180 else "CC"


def _gantry(beam: SimulatedBeam, share: float) -> float:
    """An arc from 181 to 179 degrees or back: 358 degrees."""
    return (beam.gantry_start + (358.0 if _direction(beam) == "CW" else -358.0) * share) % 360


def _leaf_positions(plan: TreatmentPlan, dice: Any, share: float, *, modulated: bool) -> list[str]:
    """Bank A, then bank B, in mm: the target's outline, narrowed here and there when modulated; closed elsewhere."""
    rx, _, rz = (r + 5 for r in plan.site.ptv.radii)
    left, right = [], []
    for lower, upper in pairwise(LEAF_BOUNDARIES):
        height = (lower + upper) / 2 / rz
        half = rx * math.sqrt(1 - height * height) if abs(height) < 1 else 0.0
        shift = half * 0.5 * math.sin(6 * share + height) if modulated else 0.0
        gap = half * (dice.uniform(0.35, 0.95) if modulated else 1.0)
        left.append(f"{shift - gap:.1f}")
        right.append(f"{shift + gap:.1f}")
    return left + right
