"""History by the month: what was delivered, of each month a file that is written once and again only when it changes.

A month's rows have one order and no times of writing, so that the same rows make the same bytes.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recovery.cache.errors import TableMissingError
from recovery.cache.store import Cache
from recovery.tables.schema import TREATMENT_RECORDS

COLUMNS = (
    *("sop_instance_uid", "beam_index", "patient_id", "treatment_machine_name", "started_at", "treatment_date"),
    *("referenced_rt_plan_uid", "current_fraction_number", "beam_number", "beam_name", "treatment_delivery_type"),
    *("treatment_termination_status", "specified_meterset", "delivered_meterset", "meterset_unit"),
)
"""What a question over years asks for; no name, no birth date."""


def months_of(staged: Path) -> dict[str, tuple[bytes, int]]:
    """Each month's delivered beams by their path in a copy, and how many; a row without any day is in none.

    Raises `CacheError` if the records cannot be read.
    """
    try:
        table = pq.read_table(BytesIO(Cache(staged).copy_of(TREATMENT_RECORDS)), columns=list(COLUMNS))
    except TableMissingError:
        return {}
    day = pc.coalesce(table["started_at"], pc.cast(table["treatment_date"], table["started_at"].type))
    table = table.replace_schema_metadata(None).append_column("month", pc.strftime(day, "%Y-%m"))
    table = table.sort_by([(name, "ascending") for name in COLUMNS[:2]])
    months = [month for month in pc.unique(table["month"]).to_pylist() if month]
    parts = {month: table.filter(pc.equal(table["month"], month)) for month in months}
    return {path_of(month): (file_of(part), part.num_rows) for month, part in parts.items()}


def path_of(month: str) -> str:
    """Of a month's file, in a copy; `month` as `2026-11`."""
    return f"months/{TREATMENT_RECORDS.name}/{month}.parquet"


def file_of(rows: pa.Table) -> bytes:
    """A month's file."""
    file = BytesIO()
    pq.write_table(rows.select(COLUMNS), file, compression="zstd", row_group_size=65_536)
    return file.getvalue()
