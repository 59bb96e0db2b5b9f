"""What the relational tables hold: whom to call, what was prescribed, how to set up, who is booked when.

One `TableSchema` per file of `queries/<product>/`. Times are local to the site, doses Gy, metersets MU, angles degrees,
lengths cm. The words that mean something to other modules stand here, once. `delivery_tables` has those of what was
delivered.
"""

from __future__ import annotations

from collections.abc import Mapping

from recovery.tables.delivered import COUCH_SHIFTS as COUCH_SHIFTS
from recovery.tables.delivered import DELIVERIES as DELIVERIES
from recovery.tables.delivered import IN_FLIGHT as IN_FLIGHT
from recovery.tables.resting import RESTING
from recovery.tables.schema import TABLES, TableSchema
from recovery.tables.verified import PROOFS, VERIFIED_OBJECTS

WAIT_LISTED = "on the waiting list"
CANCELLED_STATUSES = frozenset({"cancelled", "cancelled, patient did not come", WAIT_LISTED})
"""The words of `schedule.status` with which nobody is expected: no such row is a next appointment."""

PATIENTS = TableSchema(
    "patients",
    {
        "patient_id": "str",
        "other_patient_ids": "str",
        "patient_name": "str",
        "patient_birth_date": "date",
        "patient_sex": "str",
        "phone_home": "str",
        "phone_mobile": "str",
        "phone_work": "str",
        "email": "str",
        "address": "str",
        "language": "str",
        "special_needs": "str",
        "emergency_contacts": "str",
        "transport": "str",
        "alerts": "str",
    },
    key=("patient_id",),
)
"""Who has an appointment, a plan or a delivery in the last two years or a booking ahead. Lists are in words."""

PHONES = ("phone_mobile", "phone_home", "phone_work")
"""Columns of `patients` in the order in which somebody is called."""

PHYSICIANS = TableSchema(
    "physicians",
    {
        "patient_id": "str",
        "physician_name": "str",
        "role": "str",
        "is_primary": "bool",
        "specialty": "str",
        "institution": "str",
    },
    key=("patient_id", "physician_name"),
)
"""`physician_name` is `Family, Given` as PhysiciansOfRecord is shown; `is_primary`: the oncologist in charge."""

COURSES = TableSchema(
    "courses",
    {
        "patient_id": "str",
        "course_id": "str",
        "status": "str",
        "started_at": "datetime",
        "completed_at": "datetime",
        "diagnosis_codes": "str",
        "diagnoses": "str",
        "laterality": "str",
        "intent": "str",
        "comment": "str",
    },
    key=("patient_id", "course_id"),
)
"""`laterality` is the only diagnosis' side, or each diagnosis' with its site: `Right: Breast; Left: Lung`."""

PRESCRIPTIONS = TableSchema(
    "prescriptions",
    {
        "patient_id": "str",
        "prescription_id": "str",
        "prescription_name": "str",
        "course_id": "str",
        "site": "str",
        "laterality": "str",
        "intent": "str",
        "technique": "str",
        "dose_per_fraction": "float",
        "total_dose": "float",
        "dose_levels": "str",
        "number_of_fractions": "int",
        "fraction_pattern": "str",
        "phase": "str",
        "follows_prescription_id": "str",
        "bolus": "str",
        "gating": "str",
        "notes": "str",
        "status": "str",
        "created_by": "str",
        "created_at": "datetime",
    },
    key=("patient_id", "prescription_id"),
)
"""`dose_per_fraction` and `total_dose` in Gy, of the target that gets most; `dose_levels` names every target.
`laterality` is what the prescription itself says, never its course's diagnosis: see `recovery.words.laterality`."""

PLANS = TableSchema(
    "plans",
    {
        "sop_instance_uid": "str",
        "patient_id": "str",
        "course_id": "str",
        "rt_plan_label": "str",
        "approval_status": "str",
        "approved_by": "str",
        "approved_at": "datetime",
        "status_changed_by": "str",
        "status_changed_at": "datetime",
        "number_of_fractions_planned": "int",
        "dose_per_fraction": "float",
        "structure_set_uid": "str",
        "frame_of_reference_uid": "str",
        "prescription_id": "str",
        "plan_intent": "str",
        "treatment_type": "str",
        "treatment_orientation": "str",
        "treatment_order": "int",
        "fraction_pattern": "str",
    },
    key=("sop_instance_uid",),
)
"""Doses in Gy. `approved_by` and `approved_at` are of the approval for treatment; null while there is none."""

PLAN_FIELDS = TableSchema(
    "plan_fields",
    {
        "sop_instance_uid": "str",
        "beam_number": "int",
        "patient_id": "str",
        "beam_name": "str",
        "treatment_machine_name": "str",
        "radiation_type": "str",
        "nominal_beam_energy": "float",
        "technique": "str",
        "mlc_type": "str",
        "beam_meterset": "float",
        "dose_rate": "int",
        "gantry_angle": "float",
        "gantry_stop_angle": "float",
        "gantry_direction": "str",
        "collimator_angle": "float",
        "patient_support_angle": "float",
        "source_to_surface_distance": "float",
        "tolerance_table": "str",
        "reference_image_uid": "str",
        "setup_note": "str",
        "is_setup_field": "bool",
        "treatment_order": "int",
    },
    key=("sop_instance_uid", "beam_number"),
)
"""`nominal_beam_energy` in MV or MeV, metersets MU, angles degrees, distances cm, `dose_rate` MU per minute."""

SETUP_NOTES = TableSchema(
    "setup_notes",
    {
        "sop_instance_uid": "str",
        "beam_number": "int",
        "patient_id": "str",
        "treatment_orientation": "str",
        "setup_technique": "str",
        "setup_note": "str",
        "devices": "str",
        "couch_vertical": "float",
        "couch_longitudinal": "float",
        "couch_lateral": "float",
        "shift_vertical": "float",
        "shift_longitudinal": "float",
        "shift_lateral": "float",
    },
    key=("sop_instance_uid", "beam_number"),
)
"""Per plan and field: how the patient lies, with what, and the planned couch and shifts in cm."""

SCHEDULE = TableSchema(
    "schedule",
    {
        "appointment_id": "str",
        "patient_id": "str",
        "appointment_at": "datetime",
        "ends_at": "datetime",
        "treatment_machine_name": "str",
        "other_machine_name": "str",
        "activity": "str",
        "activity_category": "str",
        "status": "str",
        "priority": "str",
        "note": "str",
    },
    key=("appointment_id",),
)
"""Sixty days back to sixty ahead. Cancelled ones stay, and say so: see CANCELLED_STATUSES. `treatment_machine_name` is
null where nobody is treated: at a CT scanner, which is then `other_machine_name`, or at a doctor's."""

CALENDAR = TableSchema(
    "calendar",
    {"sop_instance_uid": "str", "patient_id": "str", "sessions_planned": "int", "sessions_remaining": "int"},
    key=("sop_instance_uid", "patient_id"),
)
"""Sessions of each plan in the calendar of MOSAIQ, and those left: a further count of what remains. Empty for ARIA."""

NOTES = TableSchema(
    "notes",
    {
        "note_id": "str",
        "patient_id": "str",
        "written_at": "datetime",
        "written_by": "str",
        "kind": "str",
        "note": "str",
    },
    key=("note_id",),
)

CHECKS = TableSchema(
    "checks",
    {
        "check_id": "str",
        "patient_id": "str",
        "kind": "str",
        "sop_instance_uid": "str",
        "status": "str",
        "checked_at": "datetime",
        "checked_by": "str",
        "comment": "str",
    },
    key=("check_id",),
)
"""Chart checks and checklists (no plan), and approvals of plans, prescriptions and fields."""

DOCUMENTS = TableSchema(
    "documents",
    {
        "document_id": "str",
        "patient_id": "str",
        "written_at": "datetime",
        "kind": "str",
        "status": "str",
        "location": "str",
    },
    key=("document_id",),
)
"""Where the clinic's documents lie; their contents are not copied."""

PHOTOS = TableSchema(
    "photos",
    {
        "patient_id": "str",
        "taken_at": "datetime",
        "media_type": "str",
        "picture": "str",
        "source_media_type": "str",
        "source_sha256": "str",
    },
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
    **{schema.name: schema for schema in (VERIFIED_OBJECTS, PROOFS, RESTING)},
    **RELATIONAL_TABLES,
}
"""Every table of the cache, whether made of DICOM objects or of the database."""
