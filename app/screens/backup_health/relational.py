"""The tables of the R&V system's database: how old each is, how many rows it has, and what was kept back and why."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from app.components import marked
from app.data import cached, health
from app.desk import Desk
from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.freshness import known_since
from recovery.dicom.model import JobRun
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import ODD_ROWS, TableSchema
from recovery.words.times import moment
from recovery.words.values import counted


def show(desk: Desk, runs: Sequence[JobRun]) -> None:
    """Draw a row per table; a sentence where there is none at all."""
    remarks = health.remarks_on_tables(runs) | _kept_back(desk)
    rows = [_row(desk, schema, remarks.get(name, "")) for name, schema in RELATIONAL_TABLES.items()]
    present = [row for row in rows if row["row_count"] is not None or row["remark"] not in {"", _NEVER}]
    if not present:
        st.markdown(
            "There is none: no appointments, phone numbers or prescriptions are known. "
            "`[rv.database]` in the config brings them; `python -m backup_jobs snapshot_tables` reads them."
        )
        return
    if broken := [row for row in rows if row["mark"] == _BROKEN]:
        st.markdown(
            f":red[■ **{len(broken)} of {len(rows)} tables cannot be read.**] `python -m backup_jobs snapshot_tables` "
            "reads them anew; while the R&V system is down, `python -m recovery rebuild` takes them from the RT-PACS."
        )
    frame = pd.DataFrame(rows).astype({"row_count": "Int64"})
    column = st.column_config
    config = {
        "mark": column.TextColumn("", width=28, help="■ cannot be read, ▲ kept back"),
        "table": column.TextColumn("Table", width=130),
        "known": column.TextColumn("Last read", width=120),
        "row_count": column.NumberColumn("Rows", width=80, format="localized"),
        "remark": column.TextColumn("Kept back, and why", width=520),
    }
    alt = "Relational tables, one row each"
    marked.table(frame, "relational", config, most=15, alt=alt, strong=("mark", "table"))
    _show_odd_rows(desk)


def _show_odd_rows(desk: Desk) -> None:
    """Which rows of the database are not in the copy, or not whole; nothing where there are none."""
    try:
        odd = cached.load_table(desk.cache, ODD_ROWS)
    except CacheError:
        return  # written with the first snapshot
    if odd.empty:
        return
    st.markdown(
        f":orange[▲ **{counted(len(odd), 'row')} of the R&V database** cannot be told apart or looked up, or "
        "hold a text that cannot be read whole; they stand here by their key.] The rest of each table is there. Mended "
        "in the R&V system, they come by themselves."
    )
    column = st.column_config
    config = {
        "table_name": column.TextColumn("Table", width=130),
        "row_key": column.TextColumn("Row", width=380),
        "why": column.TextColumn("Left out, null or not whole, because", width=520),
    }
    marked.table(odd, "odd_rows", config, most=8, alt="Rows of the R&V database that are odd by their key")


_NEVER, _BROKEN = "never read", "■"


def _kept_back(desk: Desk) -> dict[str, str]:
    """By table, since when it was kept back or is missing, and why, as the newest snapshot's manifest says it."""
    try:
        snapshot = desk.cache.open_snapshot()
    except CacheError:
        return {}  # each table's own row says that it cannot be read
    if snapshot is None:
        return {}
    manifest = snapshot.manifest
    kept = {name: state.kept for name, state in manifest.tables.items() if state.kept is not None}
    kept |= dict(manifest.missing)
    zone = desk.config.site.zone
    return {name: f"since {moment(one.since, desk.now(), zone)}: {one.reason}" for name, one in kept.items()}


def _row(desk: Desk, schema: TableSchema, remark: str) -> dict[str, object]:
    cache = desk.cache
    since: datetime | None = None
    count: int | None = None
    is_broken = False
    try:
        count, since = cache.snapshot(schema).row_count, known_since(cache, schema)
    except TableMissingError:
        remark = remark or _NEVER
    except CacheError as error:
        remark, is_broken = str(error.__cause__ or error), True  # the cause alone: a cell shows its beginning
    now = desk.now()
    return {
        "mark": _BROKEN if is_broken else "▲" if remark and remark != _NEVER else "",
        "table": schema.name,
        "known": moment(since, now, desk.config.site.zone) if since else None,
        "row_count": count,
        "remark": remark,
    }
