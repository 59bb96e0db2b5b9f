"""Courses, prescriptions, plans and fields in the simulated ARIA.

How
    One course for each patient; for each plan a prescription, its PlanSetup, RTPlan and fields. ARIA keeps dose per
    fraction in RTPlan.PrescribedDose, energies in keV, and field sizes and positions in cm.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from demo.aria.rows import Rows, stamp
from demo.clinic.identifiers import uid

if TYPE_CHECKING:
    from demo.clinic.clinic import Clinic
    from demo.clinic.courses import ImageSet, SimulatedBeam, TreatmentPlan
    from demo.clinic.patients import ClinicPatient

_PRESCRIBED_TECHNIQUE = {"FOURFIELD": "3D", "TANGENTS": "3D", "APPA": None}
"""Of the prescription; some have none."""


def write_course(
    rows: Rows, patient: ClinicPatient, images: ImageSet, plans: list[TreatmentPlan], clinic: Clinic
) -> None:
    """All that was prescribed and planned for one patient."""
    patient_ser = rows.key("Patient", "PatientSer", PatientId=patient.patient_id)
    last = max((s.ends_at for s in clinic.sessions if s.plan.patient is patient), default=clinic.opened_at)
    course = rows.add(
        "Course", PatientSer=patient_ser, CourseId=plans[0].course_id, StartDateTime=stamp(images.taken_at),
        ClinicalStatus="COMPLETED" if last < clinic.opened_at - timedelta(days=20) else "ACTIVE",
    )  # fmt: skip
    diagnosis = rows.add(
        "Diagnosis", PatientSer=patient_ser, DiagnosisId="1", DateStamp=stamp(images.taken_at),
        DiagnosisTableName="ICD-10",
        DiagnosisCode=images.site.diagnosis_code, Description=images.site.diagnosis, ObjectStatus="Active",
    )  # fmt: skip
    rows.add("CourseDiagnosis", CourseSer=course, DiagnosisSer=diagnosis)
    side = {"Left": 1, "Right": 2}.get(images.site.laterality, 0)
    rows.add(
        "pt_dx", pt_id=f"1000-{patient_ser:06d}", dx_id=1, icd_cd=images.site.diagnosis_code, diagnosis_ser=diagnosis
    )
    rows.add("pt_dx_cncr", pt_id=f"1000-{patient_ser:06d}", pt_dx_id=1, laterality_typ=side)
    rows.add(
        "PhysicianIntent", TreatmentIntentType=plans[0].intent.capitalize(), CourseSer=course, DiagnosisSer=diagnosis,
        CreationDate=stamp(images.taken_at),
    )  # fmt: skip
    structure_set = _structure_set(rows, patient_ser, images)
    for plan in plans:
        phase = rows.add("TreatmentPhase", CourseSer=course)
        _write_plan(rows, course, structure_set, _prescription(rows, plan, phase), plan)
    if patient.number % 5 == 0:
        _plan_in_planning(rows, course, structure_set, plans[0])


def _plan_in_planning(rows: Rows, course: int, structure_set: int, like: TreatmentPlan) -> None:
    """What a planner has begun: in the database, unapproved, and never exported."""
    setup = rows.add(
        "PlanSetup", CourseSer=course, PlanSetupId="in planning", Status="UnApproved", StatusUserName="planner",
        StatusDate=rows.now, CreationDate=rows.now, StructureSetSer=structure_set, Intent=like.intent,
    )  # fmt: skip
    rows.add("RTPlan", PlanUID=uid(like.sop_instance_uid, "in planning"), PlanSetupSer=setup, CreationDate=rows.now)


def _structure_set(rows: Rows, patient_ser: int, images: ImageSet) -> int:
    study = rows.add(
        "Study", PatientSer=patient_ser, StudyId=f"S{images.patient.number}", StudyUID=images.study_instance_uid,
        CreationDate=stamp(images.taken_at),
    )  # fmt: skip
    series = {
        modality: rows.add(
            "Series", StudySer=study, SeriesId=modality, SeriesUID=series_uid, SeriesType="Image",
            SeriesModality=modality,
            CreationDate=stamp(images.taken_at), FrameOfReferenceUID=images.frame_of_reference_uid,
            ResampledSeriesFlag=0,
        )
        for modality, series_uid in (("CT", images.series_instance_uid), ("RTSTRUCT",
        images.structure_set_series_uid))
    }  # fmt: skip
    return rows.add(
        "StructureSet", SeriesSer=series["RTSTRUCT"], StructureSetUID=images.structure_set_uid, StructureSetId="CT_1",
        ModifiedDateTime=stamp(images.taken_at),
    )  # fmt: skip


def _prescription(rows: Rows, plan: TreatmentPlan, phase: int) -> int:
    prescription = rows.add(
        "Prescription", PrescriptionName=plan.rt_plan_label, TreatmentPhaseSer=phase, Status="Approved",
        NumberOfFractions=plan.number_of_fractions, Site=plan.site.name, BolusThickness="", CreationUserName="md",
        Technique=_PRESCRIBED_TECHNIQUE.get(plan.technique, plan.technique), CreationDate=stamp(plan.approved_at),
        PhaseType="Boost" if "Boost" in plan.rt_plan_label else "Primary",
        Notes="Bladder full" if "Prost" in plan.rt_plan_label else None,
    )  # fmt: skip
    anatomy = rows.add("PrescriptionAnatomy", PrescriptionSer=prescription, AnatomyRole=2, AnatomyName="PTV")
    for kind, value in (
        ("TOTAL DOSE", plan.dose_per_fraction * plan.number_of_fractions),
        ("DOSE PER FRACTION", plan.dose_per_fraction),
    ):
        rows.add(
            "PrescriptionAnatomyItem", PrescriptionAnatomySer=anatomy, ItemType=kind, ItemValue=f"{value:.2f}",
            ItemValueUnit="Gy",
        )  # fmt: skip
    pattern = "BID" if plan.fractions_per_day == 2 else "Daily"
    rows.add("PrescriptionProperty", PrescriptionSer=prescription, PropertyType=1, PropertyValue=pattern)
    return prescription


def _write_plan(rows: Rows, course: int, structure_set: int, prescription: int, plan: TreatmentPlan) -> None:
    physician = plan.patient.physician.family
    setup = rows.add(
        "PlanSetup", CourseSer=course, PrescriptionSer=prescription, PlanSetupId=plan.rt_plan_label,
        PlanSetupName="", CreationDate=stamp(plan.approved_at), Status="TreatApproval", StatusUserName=physician,
        StatusDate=stamp(plan.approved_at), TreatmentTechnique=plan.technique, TreatmentType="External Beam",
        TreatmentOrientation="Head First-Supine", PrescribedPercentage=1.0, StructureSetSer=structure_set,
        Intent="VERIFICATION" if plan.geometry == "TREATMENT_DEVICE" else plan.intent,
    )  # fmt: skip
    sop_class = rows.key("SOPClass", "SOPClassSer", SOPClassUID=plan.sop_class_uid)
    rows.add(
        "RTPlan", PlanSOPClassSer=sop_class, PlanUID=plan.sop_instance_uid, PlanSetupSer=setup,
        CreationDate=stamp(plan.approved_at), NoFractions=plan.number_of_fractions,
        PrescribedDose=plan.dose_per_fraction,
        DicomSeqNumber=1, TreatmentOrder=1, FractionPatternDigitsPerDay=plan.fractions_per_day,
        FractionPattern=("1" * plan.fractions_per_day) * 5 + ("0" * plan.fractions_per_day) * 2,
    )  # fmt: skip
    rows.add(
        "Approval", ApprovalRevCount=0, TypeSer=setup, ApprovalType="PlanSetup", Status="PlanApproval",
        StatusUserName="FAGOTT", StatusDate=stamp(plan.approved_at - timedelta(hours=3)),
    )  # fmt: skip
    rows.add(
        "Approval", ApprovalRevCount=1, TypeSer=setup, ApprovalType="PlanSetup", Status="TreatApproval",
        StatusUserName=physician, StatusDate=stamp(plan.approved_at),
    )  # fmt: skip
    machine = rows.key("Machine", "ResourceSer", MachineId=plan.machine.name)
    for beam in plan.beams:
        _write_field(rows, setup, machine, plan, beam)


def _write_field(rows: Rows, setup: int, machine: int, plan: TreatmentPlan, beam: SimulatedBeam) -> None:
    """A field: Radiation, ExternalFieldCommon and ExternalField share their key."""
    images = plan.reference_image_uids
    radiation = rows.add(
        "Radiation", ResourceSer=machine, PlanSetupSer=setup, RadiationId=beam.beam_name[:16],
        RadiationName=beam.beam_name,
        RadiationType="ExternalBeam", RadiationNumber=beam.beam_number, RadiationOrder=beam.beam_number,
        TechniqueLabel=beam.technique, SetupNote="" if beam.is_treatment else "Match bone",
        RefImageUID=images[beam.beam_number - 1] if beam.is_treatment and beam.beam_number <= len(images) else None,
        CreationDate=stamp(plan.approved_at),
    )  # fmt: skip
    energy = rows.connection.execute(
        "SELECT EnergyModeSer FROM EnergyMode WHERE ResourceSer = ? AND RadiationType = ? AND Energy = ?",
        (machine, beam.radiation_type, beam.nominal_beam_energy * 1000),
    ).fetchone()
    x, y, z = (v / 10 for v in plan.site.ptv.centre)
    rows.add(
        "ExternalFieldCommon", RadiationSer=radiation, Meterset=beam.beam_meterset,
        SetupFieldFlag=int(not beam.is_treatment),
        SSD=100.0 if beam.radiation_type == "ELECTRON" else 90.0, PatientSupportAngle=0.0, TableTopPitchAngle=0.0,
        TableTopRollAngle=0.0, IsoCenterPositionX=x, IsoCenterPositionY=y, IsoCenterPositionZ=z,
        TechniqueSer=rows.key("Technique", "TechniqueSer", ResourceSer=machine, TechniqueId=beam.technique),
        EnergyModeSer=energy[0] if energy else None, ToleranceSer=rows.key("Tolerance", "ToleranceSer",
        ToleranceId="T1"),
        ImagingTreatmentFieldFlag=0,
    )  # fmt: skip
    half_x, half_y = ((plan.site.ptv.radii[axis] + 8) / 10 for axis in (0, 2))
    rows.add(
        "ExternalField", RadiationSer=radiation, GantryRtn=beam.gantry_start, CollRtn=beam.collimator,
        CollX1=-half_x, CollX2=half_x, CollY1=-half_y, CollY2=half_y, DoseRate=600,
        GantryRtnDirection="NONE" if not beam.is_arc else "CW" if beam.gantry_start > 180 else "CC",
        StopAngle=beam.gantry_stop if beam.is_arc else None,
    )  # fmt: skip
    if beam.is_treatment and beam.radiation_type == "PHOTON":
        kind = "VMAT" if beam.is_arc else "DynMLC" if beam.segments > 2 else "StdMLCPlan"
        rows.add("MLCPlan", RadiationSer=radiation, MLCPlanId=f"M{beam.beam_number}", MLCPlanType=kind)
