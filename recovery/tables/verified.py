"""The tables of what was re-read from the RT-PACS, to prove that it is what it was."""

from recovery.tables.schema import TableSchema, columns

VERIFIED_OBJECTS = TableSchema(
    "verified_objects",
    columns("uid digest verified_at:datetime turn:int is_as_at_source:bool why since:datetime plan_uids"),
    key=("uid",),
)
"""What each object said when it was first read (a digest), when it was last found to say so (UTC), in which run,
whether a source had the same, and why it is not proven, since when. `plan_uids`: of a dose, the plans that it names,
joined by a backslash."""

PROOFS = TableSchema(
    "proofs",
    columns("uid proven_at:datetime why plan_uids"),
    key=("uid",),
)
"""What of that the list tells: of each plan when it was last proven whole (UTC), and why an object is not proven."""
