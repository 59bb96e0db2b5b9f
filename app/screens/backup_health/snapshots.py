"""The snapshots of the relational tables: which there are, what each kept back, and, on request, if they are whole."""

import pandas as pd
import streamlit as st

from app.components import marked
from app.desk import Desk
from app.wording import words
from recovery.cache.snapshots import SnapshotInfo, in_words, list_snapshots, quarantined, verify_snapshot
from recovery.settings.trust import UNSIGNED
from recovery.words.times import moment

_SHOWN = 12


def show(desk: Desk) -> None:
    """Draw the list, and the button that verifies one or all of them."""
    try:
        found = list_snapshots(desk.config.cache_path, desk.cache.trust)
    except OSError as error:
        st.markdown(f":red[■ **The snapshots cannot be read:** {words.as_markdown(error.strerror or '')}.]")
        return
    if not found:
        st.markdown(
            "There is none yet. `python -m backup_jobs snapshot_tables` makes one of every state that it reads."
        )
        return
    for held in quarantined(desk.config.cache_path, desk.cache.trust):
        st.markdown(f":red[■ **{words.as_markdown(in_words(held))}**]")
    if not desk.config.signing.public_keys:
        st.markdown(f"Snapshots are not signed: {UNSIGNED}.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = {info.snapshot_id: _named(desk, info) for info in found}
        picked = st.selectbox("Snapshot", list(names), format_func=names.__getitem__, key="snapshot", width=320)
        one = st.button("Verify", key="verify_snapshot", icon=":material/fact_check:")
        every = st.button(f"Verify all {len(found)}", key="verify_all") if len(found) > 1 else False
    if one or every:
        _verify(desk, [info.snapshot_id for info in found] if every else [str(picked)], names)
    _show_list(desk, found)


def _named(desk: Desk, info: SnapshotInfo) -> str:
    at = moment(info.taken_at, desk.now(), desk.config.site.zone)
    return f"{at}, the newest" if info.is_newest else at


def _verify(desk: Desk, wanted: list[str], names: dict[str, str]) -> None:
    """Compare the files with the manifests and say what does not agree."""
    faults: list[str] = []
    progress = st.progress(0.0, "Reading every file again …")
    for number, snapshot_id in enumerate(wanted, start=1):
        faults += verify_snapshot(desk.config.cache_path, snapshot_id, desk.cache.trust)
        progress.progress(number / len(wanted), f"{number} of {len(wanted)} read")
    progress.empty()
    what = f"Snapshot {names[wanted[0]]}" if len(wanted) == 1 else f"All {len(wanted)} snapshots"
    if not faults:
        st.markdown(f":green[● **{words.as_markdown(what)}**]: every file is what its manifest says.")
    for fault in faults:
        st.markdown(f":red[■ **{words.as_markdown(fault)}**]")


def _show_list(desk: Desk, found: list[SnapshotInfo]) -> None:
    now, zone = desk.now(), desk.config.site.zone
    frame = pd.DataFrame(
        {
            "mark": [_mark(info) for info in found],
            "taken": [moment(info.taken_at, now, zone) for info in found],
            "tables": [len(info.tables) for info in found],
            "rows": [sum(state.row_count for state in info.tables) for info in found],
            "said": [_said(info) for info in found],
        }
    )
    column = st.column_config
    config = {
        "mark": column.TextColumn("", width=28, help="■ damaged or quarantined, ▲ something was kept back"),
        "taken": column.TextColumn("Taken", width=150),
        "tables": column.NumberColumn("Tables", width=70),
        "rows": column.NumberColumn("Rows", width=90, format="localized"),
        "said": column.TextColumn("What it says", width=520),
    }
    alt = "Snapshots of the relational tables, the newest first"
    marked.table(frame, "snapshots", config, most=_SHOWN, alt=alt, strong=("mark", "taken"))


def _mark(info: SnapshotInfo) -> str:
    return "■" if info.fault or info.quarantined else "▲" if info.kept or info.missing else ""


def _said(info: SnapshotInfo) -> str:
    kept = ", ".join(state.name for state in info.kept)
    missing = ", ".join(name for name, _ in info.missing)
    held = f"quarantined: {', '.join(info.quarantined)}" if info.quarantined else ""
    parts = (info.fault, held, f"kept from before: {kept}" if kept else "", f"never had: {missing}" if missing else "")
    said = "; ".join(part for part in parts if part)
    return said or ("the newest: the dashboard reads this one" if info.is_newest else "")
