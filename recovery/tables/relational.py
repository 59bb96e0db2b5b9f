"""What the relational tables hold: whom to call, what was prescribed, how to set up, who is booked when.

One `TableSchema` per file of `queries/<product>/`. Times are local to the site, doses Gy, metersets MU, angles degrees,
lengths cm. The words that mean something to other modules stand here, once. `delivery_tables` has those of what was
delivered.
"""

from collections.abc import Mapping

from recovery.tables.delivered import COUCH_SHIFTS, DELIVERIES, IN_FLIGHT
from recovery.tables.schema import (
    DOUBTED_RECORDS,
    PIPELINE,
    PROOFS,
    RESTING,
    TABLES,
    VERIFIED_OBJECTS,
    TableSchema,
    columns,
)

WAIT_LISTED = "on the waiting list"
CANCELLED_STATUSES = frozenset({"cancelled", "cancelled, patient did not come", WAIT_LISTED})
"""The words of `schedule.status` with which nobody is expected: no such row is a next appointment."""

PATIENTS = TableSchema(
    "patients",
    columns("""
        patient_id other_patient_ids patient_name patient_birth_date:date patient_sex phone_home phone_mobile
        phone_work email address language special_needs emergency_contacts transport alerts
    """),
    key=("patient_id",),
)
"""Who has an appointment, a plan or a delivery in the last two years or a booking ahead. Lists are in words."""

PHONES = ("phone_mobile", "phone_home", "phone_work")
"""Columns of `patients` in the order in which somebody is called."""

PHYSICIANS = TableSchema(
    "physicians",
    columns("patient_id physician_name role is_primary:bool specialty institution"),
    key=("patient_id", "physician_name"),
)
"""`physician_name` is `Family, Given` as PhysiciansOfRecord is shown; `is_primary`: the oncologist in charge."""

COURSES = TableSchema(
    "courses",
    columns("""
        patient_id course_id status started_at:datetime completed_at:datetime diagnosis_codes diagnoses laterality
        intent comment
    """),
    key=("patient_id", "course_id"),
)
"""`laterality` is the only diagnosis' side, or each diagnosis' with its site: `Right: Breast; Left: Lung`."""

PRESCRIPTIONS = TableSchema(
    "prescriptions",
    columns("""
        patient_id prescription_id prescription_name course_id site laterality intent technique
        dose_per_fraction:float total_dose:float dose_levels number_of_fractions:int fraction_pattern phase
        follows_prescription_id bolus gating notes status created_by created_at:datetime
    """),
    key=("patient_id", "prescription_id"),
)
"""`dose_per_fraction` and `total_dose` in Gy, of the target that gets most; `dose_levels` names every target.
`laterality` is what the prescription itself says, never its course's diagnosis: see `recovery.words.prescription`."""

PLANS = TableSchema(
    "plans",
    columns("""
        sop_instance_uid patient_id course_id rt_plan_label approval_status approved_by approved_at:datetime
        status_changed_by status_changed_at:datetime number_of_fractions_planned:int dose_per_fraction:float
        structure_set_uid frame_of_reference_uid prescription_id plan_intent treatment_type treatment_orientation
        treatment_order:int fraction_pattern
    """),
    key=("sop_instance_uid",),
)
"""Doses in Gy. `approved_by` and `approved_at` are of the approval for treatment; null while there is none."""

PLAN_FIELDS = TableSchema(
    "plan_fields",
    columns("""
        sop_instance_uid beam_number:int patient_id beam_name treatment_machine_name radiation_type
        nominal_beam_energy:float technique mlc_type beam_meterset:float dose_rate:int gantry_angle:float
        gantry_stop_angle:float gantry_direction collimator_angle:float patient_support_angle:float
        source_to_surface_distance:float tolerance_table reference_image_uid setup_note is_setup_field:bool
        treatment_order:int
    """),
    key=("sop_instance_uid", "beam_number"),
)
"""`nominal_beam_energy` in MV or MeV, metersets MU, angles degrees, distances cm, `dose_rate` MU per minute."""

SETUP_NOTES = TableSchema(
    "setup_notes",
    columns("""
        sop_instance_uid beam_number:int patient_id treatment_orientation setup_technique setup_note devices
        couch_vertical:float couch_longitudinal:float couch_lateral:float shift_vertical:float
        shift_longitudinal:float shift_lateral:float
    """),
    key=("sop_instance_uid", "beam_number"),
)
"""Per plan and field: how the patient lies, with what, and the planned couch and shifts in cm."""

SCHEDULE = TableSchema(
    "schedule",
    columns("""
        appointment_id patient_id appointment_at:datetime ends_at:datetime treatment_machine_name other_machine_name
        activity activity_category status priority note
    """),
    key=("appointment_id",),
)
"""Sixty days back to sixty ahead. Cancelled ones stay, and say so: see CANCELLED_STATUSES. `treatment_machine_name` is
null where nobody is treated: at a CT scanner, which is then `other_machine_name`, or at a doctor's."""

CALENDAR = TableSchema(
    "calendar",
    columns("sop_instance_uid patient_id sessions_planned:int sessions_remaining:int"),
    key=("sop_instance_uid", "patient_id"),
)
"""Sessions of each plan in the calendar of MOSAIQ, and those left: a further count of what remains. Empty for ARIA."""

NOTES = TableSchema(
    "notes",
    columns("note_id patient_id written_at:datetime written_by kind note"),
    key=("note_id",),
)

CHECKS = TableSchema(
    "checks",
    columns("check_id patient_id kind sop_instance_uid status checked_at:datetime checked_by comment"),
    key=("check_id",),
)
"""Chart checks and checklists (no plan), and approvals of plans, prescriptions and fields."""

DOCUMENTS = TableSchema(
    "documents",
    columns("document_id patient_id written_at:datetime kind status location"),
    key=("document_id",),
)
"""Where the clinic's documents lie; their contents are not copied."""

PHOTOS = TableSchema(
    "photos",
    columns("patient_id taken_at:datetime media_type picture source_media_type source_sha256"),
    key=("patient_id",),
    sorted_by="patient_id",
    rows_per_group=64,
    compression="zstd",
)
"""The newest portrait of who may be treated. `picture` is a small picture file of `media_type` in base64; `source_*`
tell what it was made of: the kind and the SHA-256 of the bytes in the R&V database."""

_WHO = (PATIENTS, PHYSICIANS, COURSES, PRESCRIPTIONS)
_HOW = (PLANS, PLAN_FIELDS, SETUP_NOTES)
_WHEN = (IN_FLIGHT, SCHEDULE, DELIVERIES, COUCH_SHIFTS)
_ASIDE = (CALENDAR, NOTES, CHECKS, DOCUMENTS, PHOTOS)

RELATIONAL_TABLES: Mapping[str, TableSchema] = {schema.name: schema for schema in _WHO + _HOW + _WHEN + _ASIDE}
"""Every relational table by name; those that the main job needs most are read first."""

ALL_TABLES: Mapping[str, TableSchema] = {
    **TABLES,
    **{schema.name: schema for schema in (VERIFIED_OBJECTS, PROOFS, RESTING, PIPELINE, DOUBTED_RECORDS)},
    **RELATIONAL_TABLES,
}
"""Every table of the cache, whether made of DICOM objects or of the database."""
