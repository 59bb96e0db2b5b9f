"""Courses, prescriptions, plans, fields and setups in the simulated MOSAIQ.

How
    One course for each patient; for each plan a prescription (Site) with an older version, its fields with points,
    its setup. MOSAIQ keeps doses in cGy and positions in cm. A boost names the prescription that it follows.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from demo.aria.rows import stamp
from demo.mosaiq.rows import MosaiqRows, padded

if TYPE_CHECKING:
    from demo.clinic.courses import ImageSet, SimulatedBeam, TreatmentPlan
    from demo.clinic.patients import ClinicPatient

SETUP, KV_SETUP = 3, 4
APPROVED, PENDING = 5, 7
_TECHNIQUE = {"FOURFIELD": "3D", "TANGENTS": "3D", "APPA": None, "PROTON": "PBS"}
"""Of the prescription; MOSAIQ has none for many."""
_MODALITY = {"PHOTON": 1, "ELECTRON": 2, "PROTON": 6}


def write_course(rows: MosaiqRows, patient: ClinicPatient, images: ImageSet, plans: list[TreatmentPlan]) -> None:
    """All that was prescribed and planned for one patient."""
    serial = rows.patient(patient.patient_id)
    topography = rows.add("Topog", Diag_Code=images.site.diagnosis_code, Description=images.site.diagnosis)
    diagnosis = rows.add("Medical", PAT_ID1=serial, TPG_ID=topography)
    course = rows.add(
        "PatCPlan", Pat_ID1=serial, Course=1, Tx_Intent=plans[0].intent.capitalize(), MED_ID=diagnosis,
    )  # fmt: skip
    first = 0
    for plan in plans:
        site = _prescription(rows, plan, serial, course, first if "Boost" in plan.rt_plan_label else 0, plans[0])
        first = first or site
        _plan(rows, plan, serial, site)
    if patient.number % 5 == 0:  # what a planner has begun
        rows.versions(
            "Site", "SIT_SET_ID", {}, Pat_ID1=serial, Site_Name="in planning", Status_Enum=PENDING, PCP_ID=course,
        )  # fmt: skip


def _prescription(
    rows: MosaiqRows, plan: TreatmentPlan, serial: int, course: int, follows: int, first: TreatmentPlan
) -> int:
    name = " ".join(part for part in (plan.site.name, plan.site.laterality) if part)
    dose = round(plan.dose_per_fraction * 100, 2)
    physician = rows.key("Staff", "Staff_ID", Last_Name=padded(plan.patient.physician.family))
    site, _ = rows.versions(
        "Site", "SIT_SET_ID", {"Status_Enum": PENDING, "Sanct_DtTm": None, "Dose_Tx": dose - 20}, Pat_ID1=serial,
        Site_Name=f"{name} boost" if follows else name, Technique=_TECHNIQUE.get(plan.technique, plan.technique),
        Target="PTV", Dose_Tx=dose, Dose_Ttl=dose * plan.prescribed_fractions, Fractions=plan.prescribed_fractions,
        Frac_Pattern="BID" if plan.fractions_per_day == 2 else "Daily", PCP_ID=course, Status_Enum=APPROVED,
        Sanct_DtTm=stamp(plan.approved_at), Sanct_Id=physician, Create_ID=physician,
        Create_DtTm=stamp(plan.approved_at - timedelta(days=1)), Reference_SIT_Set_ID=follows,
        Reference_Fraction=first.number_of_fractions if follows else None,
    )  # fmt: skip
    return site


def _plan(rows: MosaiqRows, plan: TreatmentPlan, serial: int, site: int) -> None:
    instance = rows.add("DCMInstance", SOPInstanceUID=plan.sop_instance_uid)
    rows.add("RtPlan", Pat_ID1=serial, Label=plan.rt_plan_label, DCMInstance_ID=instance)
    x, y, z = (v / 10 for v in plan.site.ptv.centre)
    rows.versions(
        "SiteSetup", "SIS_Set_ID", {"Status_Enum": PENDING, "Setup_Note": "draft"}, Sit_Set_ID=site, Patient_Orient=1,
        Isocenter_Position_X=x, Isocenter_Position_Y=y, Isocenter_Position_Z=z, Status_Enum=APPROVED,
        Setup_Note="Match bone", Couch_Vrt=-12.0, Couch_Lng=85.0, Couch_Lat=0.0, IsExcludedFromTreatment=0,
        Frame_Of_Reference_UID=plan.images.frame_of_reference_uid, Structure_Set_UID=plan.images.structure_set_uid,
    )  # fmt: skip
    for beam in plan.beams:
        _field(rows, plan, beam, serial, site)


def _field(rows: MosaiqRows, plan: TreatmentPlan, beam: SimulatedBeam, serial: int, site: int) -> None:
    physicist = rows.key("Staff", "Staff_ID", Last_Name=padded("FAGOTT"))
    field, _ = rows.versions(
        "TxField", "FLD_SET_ID", {"Sanct_DtTm": None, "Meterset": None}, Pat_ID1=serial, SIT_Set_ID=site,
        Field_Label=f"{beam.beam_number:02d}", Field_Name=beam.beam_name, Type_Enum=field_type(beam),
        Machine_ID_Staff_ID=rows.machine(plan.machine.name), Meterset=beam.beam_meterset,
        Modality_Enum=_MODALITY[beam.radiation_type], Cgray=100.0 if beam.is_treatment else 0.0, IsHidden=0,
        OriginalPlanUID=padded(plan.sop_instance_uid), OriginalBeamName=padded(beam.beam_name),
        OriginalBeamNumber=beam.beam_number, Ssd=100.0 if beam.radiation_type == "ELECTRON" else 90.0,
        DisplaySequence=beam.beam_number, IsFFF=int(beam.fluence_mode == "NON_STANDARD"),
        Sanct_DtTm=stamp(plan.approved_at), Sanct_ID=physicist, Create_DtTm=stamp(plan.approved_at),
        Edit_DtTm=stamp(plan.approved_at),
    )  # fmt: skip
    for point, index, gantry in ((0, 0.0, beam.gantry_start), (1, 100.0, beam.gantry_stop)):
        rows.add(
            "TxFieldPoint", FLD_ID=field, Point=point, Index=index, Gantry_Ang=gantry, Coll_Ang=beam.collimator,
            Couch_Ang=0.0, Energy=beam.nominal_beam_energy, Meterset_Rate=600.0,
        )  # fmt: skip


def field_type(beam: SimulatedBeam) -> int:
    """Type_Enum of a beam."""
    if not beam.is_treatment:
        return KV_SETUP if beam.beam_name.startswith("KV") else SETUP
    if beam.is_arc:
        return 13
    return 2 if beam.segments > 2 and beam.radiation_type == "PHOTON" else 1
