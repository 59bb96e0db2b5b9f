"""The table of courses that rest, and which tables have rows of them apart from those of the others."""

from recovery.tables.schema import (
    HOLDINGS,
    IMAGE_SERIES,
    ON_TREATMENT,
    RT_PLANS,
    STRUCTURE_SETS,
    TREATMENT_RECORDS,
    TableSchema,
)

RESTING = TableSchema("resting", {"name": "str", "part": "int", "records": "int"}, key=("name",))
"""Whose courses rest, and in which part of the cache: `name` is a PatientID or the UID of a plan or structure set.
`records`: of a PatientID, how many treatment records of the part bear it, else 0."""

IN_PARTS = (TREATMENT_RECORDS, RT_PLANS, STRUCTURE_SETS, IMAGE_SERIES, HOLDINGS)
"""What a part holds of its courses."""

LISTED_IN = {ON_TREATMENT.name: ("patient_name", "patient_id", "referenced_rt_plan_uid", "prescription_id")}
"""Tables of which one file holds the rows of all courses that rest, and their order."""

TOLD_BY_NAME = {RT_PLANS.name: "sop_instance_uid", STRUCTURE_SETS.name: "sop_instance_uid", HOLDINGS.name: "uid"}
"""Columns in which a name that `resting` lists finds the part; `patient_id` does in each table."""
