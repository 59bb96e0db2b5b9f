"""What the relational tables hold of deliveries: each field that was delivered, and what began and was not recorded.

`delivery_type` and `termination_status` are DICOM's words (PS3.3 C.8.8.21), whatever the product's own.
"""

from recovery.tables.schema import TableSchema, columns

HISTORY_DAYS = 730
"""How far back a snapshot's deliveries go."""

DELIVERIES = TableSchema(
    "deliveries",
    columns("""
        delivery_id patient_id referenced_rt_plan_uid treatment_record_uid prescription_id fraction_number:int
        beam_number:int beam_name treatment_machine_name radiation_type treated_at:datetime planned_meterset:float
        delivered_meterset:float termination_status termination_reason delivery_type was_overridden:bool
    """),
    key=("delivery_id",),
    sorted_by="patient_id",
    rows_per_group=8192,
)
"""One row per delivered field; metersets in MU.

Treatments are `delivery_type` TREATMENT and CONTINUATION; VERIFICATION (quality assurance), SETUP, OPEN_PORTFILM and
TRMT_PORTFILM treat nobody. `termination_status` other than NORMAL ended early. `treatment_record_uid` is null where the
product makes no records (MOSAIQ), `prescription_id` where the plan alone tells it (ARIA)."""

COUCH_SHIFTS = TableSchema(
    "couch_shifts",
    columns("""
        delivery_id patient_id treated_at:datetime couch_vertical:float couch_longitudinal:float couch_lateral:float
        correction_vertical:float correction_longitudinal:float correction_lateral:float
    """),
    key=("delivery_id",),
    sorted_by="patient_id",
    rows_per_group=8192,
)
"""Where the couch stood at each delivery and how far imaging had moved it, in cm."""

IN_FLIGHT = TableSchema(
    "in_flight",
    columns("""
        in_flight_id patient_id referenced_rt_plan_uid beam_number:int beam_name fraction_number:int
        treatment_machine_name started_at:datetime delivered_meterset:float
    """),
    key=("in_flight_id",),
)
"""What began and was not recorded (MOSAIQ: a row per field) or not finished (ARIA: a row per plan).

Somebody may have had dose that no record tells: look at the machine before the next fraction. `delivered_meterset` in
MU; what the product does not tell is null."""
