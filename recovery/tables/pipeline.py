"""The table of who is not on treatment yet."""

from recovery.tables.schema import TableSchema, columns

PIPELINE = TableSchema(
    "pipeline",
    columns("""
        patient_id patient_name patient_birth_date:date stage waits_for told since:datetime
        next_appointment_at:datetime treatment_machine_name rt_plan_label referenced_rt_plan_uid prescription_id
        course_id site intent prescription physician phone
    """),
)
"""One row per plan, prescription or course that nobody was treated with yet; of who has none of them one per patient.
`stage` and `waits_for`: see `recovery.words.stages`; `told`: what the R&V database says of it, in words; `since` when,
local to the site."""
