"""The table of objects that were re-read from the RT-PACS, to prove that they are what they were."""

from __future__ import annotations

from recovery.tables.schema import TableSchema

VERIFIED_OBJECTS = TableSchema(
    "verified_objects",
    {
        "uid": "str",
        "digest": "str",
        "verified_at": "datetime",
        "turn": "int",
        "is_as_at_source": "bool",
        "why": "str",
        "since": "datetime",
    },
    key=("uid",),
)
"""What each object said when it was first read (a digest), when it was last found to say so (UTC), in which run,
whether a source had the same, and why it is not proven, since when."""
