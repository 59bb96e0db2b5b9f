"""What each cached table holds: its columns, their types, their key, and where they come from.

A `TableSchema` per table. Columns that are DICOM elements bear the keyword in snake_case; doses are Gy, metersets MU,
times local to the site.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final, Literal, cast

import pyarrow as pa

from recovery.tables.arrow_columns import column_of

Kind = Literal["str", "int", "float", "bool", "date", "datetime"]
Compression = Literal["snappy", "zstd"]
Row = Mapping[str, object]

TEXT: Final = "string[python]"
"""What a column of text is in a frame of pandas: each value of the other kind, Arrow's, takes a microsecond to get."""

_ARROW: Mapping[str, pa.DataType] = {
    "str": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
}
_PYTHON: Mapping[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "date": date,
    "datetime": datetime,
}


class TableError(ValueError):
    """Rows do not fit their table. The text names table, column and what is wrong, and no patient."""


@dataclass(frozen=True, slots=True)
class TableSnapshot:
    """One state of one table. `taken_at` is aware, UTC; `query_sha256` is None for tables made from DICOM."""

    name: str
    taken_at: datetime
    row_count: int
    source: str
    query_sha256: str | None
    path: Path


@dataclass(frozen=True, slots=True)
class TableSchema:
    """The columns of a table, in order, and those that make a row's key (none: rows have no key).

    A large table of which one patient's rows are wanted is `sorted_by` patient and lies on disk in row groups of
    `rows_per_group`: most of it then stays unread. `zstd` packs what `snappy` cannot, such as base64.
    """

    name: str
    columns: Mapping[str, Kind]
    key: tuple[str, ...] = ()
    sorted_by: str | None = None
    rows_per_group: int | None = None
    compression: Compression = "snappy"

    @property
    def arrow(self) -> pa.Schema:
        return pa.schema([pa.field(name, _ARROW[kind]) for name, kind in self.columns.items()])

    def to_arrow(self, rows: Iterable[Row]) -> pa.Table:
        """Check rows and hold them column by column. Column order is the schema's.

        Raises `TableError` if a row has other columns, a value another type, or two rows the same key.
        """
        listed = list(rows)
        for odd in (row.keys() ^ self.columns.keys() for row in listed if row.keys() != self.columns.keys()):
            raise TableError(f"table {self.name}: columns {sorted(odd)} are missing or unknown")
        self._check_keys(listed)
        for name, kind in self.columns.items():
            self._check_kind(name, kind, (row[name] for row in listed))
        columns = [column_of([row[name] for row in listed], _ARROW[kind]) for name, kind in self.columns.items()]
        return pa.Table.from_arrays(columns, schema=self.arrow)

    def _check_keys(self, rows: list[Row]) -> None:
        if self.key and len({tuple(row[k] for k in self.key) for row in rows}) != len(rows):
            raise TableError(f"table {self.name}: two rows have the same {', '.join(self.key)}")

    def _check_kind(self, name: str, kind: Kind, values: Iterable[object]) -> None:
        wanted = _PYTHON[kind]
        for value in values:
            is_odd_bool = isinstance(value, bool) and kind != "bool"
            is_odd_date = kind == "date" and isinstance(value, datetime)
            if value is not None and (not isinstance(value, wanted) or is_odd_bool or is_odd_date):
                raise TableError(f"table {self.name}: column {name} holds a {type(value).__name__}, not a {kind}")


def columns(words: str) -> dict[str, Kind]:
    """Columns in order, from words such as `patient_id turn:int`: one without a kind holds text."""
    parts = (word.partition(":") for word in words.split())
    return {name: cast("Kind", kind or "str") for name, _, kind in parts}


ON_TREATMENT = TableSchema(
    "on_treatment",
    columns("""
        patient_id patient_name patient_birth_date:date patient_sex physicians_of_record referenced_rt_plan_uid
        prescription_id rt_plan_label treatment_machine_name number_of_fractions_planned:int fractions_delivered:int
        fractions_remaining:int course_fractions_delivered:int course_number_of_fractions_planned:int
        course_plan_labels interrupted_fraction:int interrupted_meterset_remaining:float
        interrupted_remaining_in_words next_fraction_number:int first_treatment_at:datetime
        last_treatment_at:datetime next_appointment_at:datetime unknown_since:datetime proven_at:datetime status
        plan_held:bool structure_set_held:bool images_held:bool records_held:bool ready:bool missing earlier_plans
        remarks charted charted_conflict physician site laterality intent prescription phone alerts disagreement
        in_flight other_patient_ids transferred status_without_transfer
    """),
    key=("patient_id", "referenced_rt_plan_uid", "prescription_id"),
)
"""The contract's table, and more. `interrupted_remaining_in_words`: with its unit. From `physician` on, what the R&V
database tells (null without one); `disagreement`: both values where two sources differ; `in_flight`: what began and
was not recorded; `other_patient_ids`: see `one_patient`. `charted`: what people charted by hand and counts,
and who; `charted_conflict`: what of it must be settled before the next fraction is known.
`transferred`: to whom and signed by whom, of a plan that another department goes on with; `status_without_transfer`."""

TREATMENT_RECORDS = TableSchema(
    "treatment_records",
    columns("""
        sop_instance_uid sop_class_uid series_instance_uid study_instance_uid patient_id patient_name
        patient_birth_date:date patient_sex physicians_of_record treatment_date:date treatment_time
        referenced_rt_plan_uid referenced_fraction_group_number:int number_of_fractions_planned:int
        treatment_machine_name treatment_record_content_origin written_date:date timezone_offset_from_utc
        names_verification beam_index:int beam_number:int beam_name current_fraction_number:int
        treatment_delivery_type treatment_termination_status specified_meterset:float delivered_meterset:float
        started_at:datetime beam_description meterset_unit pulses channel_times
    """),
    key=("sop_instance_uid", "beam_index"),
    sorted_by="patient_id",
    rows_per_group=8192,
)
"""One row per delivered beam of each treatment record; a record without beams has one row, `beam_index` 0. Metersets
are in `meterset_unit`; `pulses`, `channel_times`: channel, specified and delivered, as JSON. Times are local to the
site."""

RT_PLANS = TableSchema(
    "rt_plans",
    columns("""
        sop_instance_uid sop_class_uid series_instance_uid study_instance_uid patient_id patient_name
        patient_birth_date:date patient_sex rt_plan_label plan_intent rt_plan_geometry approval_status
        frame_of_reference_uid predecessor_uids beams references
    """),
    key=("sop_instance_uid",),
    sorted_by="patient_id",
    rows_per_group=1024,
)
"""One row per plan held. `beams` and `references` (fraction groups and referenced UIDs) are JSON."""

STRUCTURE_SETS = TableSchema(
    "structure_sets",
    columns("""
        sop_instance_uid series_instance_uid study_instance_uid patient_id patient_name patient_birth_date:date
        patient_sex structure_set_label references
    """),
    key=("sop_instance_uid",),
    sorted_by="patient_id",
    rows_per_group=128,
)
"""One row per structure set held. `references`: frames of reference, image series and slices, as JSON."""

IMAGE_SERIES = TableSchema(
    "image_series",
    columns("series_instance_uid study_instance_uid patient_id frame_of_reference_uid slices"),
    key=("series_instance_uid",),
)
"""Image series looked for because no structure set names their slices, and all slices ever listed of them, joined by
a backslash. Those of the plan's frame of reference stand in for images that nothing names."""

HOLDINGS = TableSchema(
    "holdings",
    columns("uid level wanted:int held:int asked_at:datetime instances_at_proof:int slices turn:int"),
    key=("uid",),
)
"""What the RT-PACS last said about each object (`level` IMAGE) or image series (SERIES) that a plan needs, and when
it was asked by name (UTC). `held` of `wanted` instances; `slices`: of a series, those wanted and held, joined by a
backslash; `instances_at_proof`: how many it counted then. `turn`: the number of the run that asked. Level RECORDS is a
share of the treatment records, RECORD one that was read before and that the RT-PACS does not hold any more."""

PROVEN_OBJECTS = TableSchema("proven_objects", {"uid": "str", "asked_at": "datetime", "why": "str"}, key=("uid",))
"""Objects that this software made and read back, and when a run last asked about each. `why`: what is not proven."""

NAMED, UNASKED, DENIED, SET_ASIDE, FIRST = "named", "unasked", "denied", "set aside", "first"

DOUBTED_RECORDS = TableSchema(
    "doubted_records", columns("sop_instance_uid patient_id state since:datetime"), key=("sop_instance_uid",)
)
"""Records of which the RT-PACS told and the R&V system has not, by `state`; `since`: in UTC. `unasked`: it could not be
asked yet. `denied`: it was asked and has none such, counted all the same. `set aside`: the same, not counted until it
has one or a physicist signs. `first`: of a patient of whom nobody else tells: counted, for else nobody would see the
patient, and no next fraction is told until then. `named`: it has it, and the next list reads it."""

EXCLUDED_PATIENTS = TableSchema("excluded_patients", {"patient_id": "str"}, key=("patient_id",))
"""Patients with records whom a pattern of `[dashboard] exclude_patient_ids` keeps off the list."""

DATABASE_COUNTS = TableSchema(
    "database_counts",
    columns("patient_id referenced_rt_plan_uid fractions_delivered:int untold"),
    key=("patient_id", "referenced_rt_plan_uid"),
)
"""Fractions delivered in full by the R&V database's deliveries, of plans that may still be treated. `untold`: in words,
what records that were made of that database tell and it does not any more."""

ODD_ROWS = TableSchema("odd_rows", {"table_name": "str", "row_key": "str", "why": "str"})
"""Rows of the R&V database that are left out of a relational table, or of which a part is, because their key lacks or
stands twice, or that hold a text that is no Unicode. `row_key` may hold a patient's number."""

TABLES: Mapping[str, TableSchema] = {
    schema.name: schema
    for schema in (
        *(ON_TREATMENT, TREATMENT_RECORDS, RT_PLANS, STRUCTURE_SETS, IMAGE_SERIES, HOLDINGS),
        *(PROVEN_OBJECTS, EXCLUDED_PATIENTS, DATABASE_COUNTS, ODD_ROWS),
    )
}
"""The tables made from DICOM objects, by name; `relational_tables` has those of the R&V database."""


PIPELINE = TableSchema(
    "pipeline",
    columns("""
        patient_id patient_name patient_birth_date:date stage waits_for told since:datetime
        next_appointment_at:datetime treatment_machine_name rt_plan_label referenced_rt_plan_uid prescription_id
        course_id site intent prescription physician phone
    """),
)
"""One row per plan, prescription or course that nobody was treated with yet; of who has none of them one per patient.
`stage` and `waits_for`: see `recovery.words.statuses`; `told`: what the R&V database says of it, in words; `since`
when, local to the site."""


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


RESTING = TableSchema("resting", {"name": "str", "part": "int", "records": "int"}, key=("name",))
"""Whose courses rest, and in which part of the cache: `name` is a PatientID or the UID of a plan or structure set.
`records`: of a PatientID, how many treatment records of the part bear it, else 0."""

IN_PARTS = (TREATMENT_RECORDS, RT_PLANS, STRUCTURE_SETS, IMAGE_SERIES, HOLDINGS)
"""What a part holds of its courses."""

LISTED_IN = {ON_TREATMENT.name: ("patient_name", "patient_id", "referenced_rt_plan_uid", "prescription_id")}
"""Tables of which one file holds the rows of all courses that rest, and their order."""

TOLD_BY_NAME = {RT_PLANS.name: "sop_instance_uid", STRUCTURE_SETS.name: "sop_instance_uid", HOLDINGS.name: "uid"}
"""Columns in which a name that `resting` lists finds the part; `patient_id` does in each table."""
