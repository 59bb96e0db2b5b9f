"""Everything that was charted on a day, the newest first: what, by whom, and the way to correct it."""

from collections.abc import Container, Sequence

import pandas as pd
import streamlit as st

from app.access import rights
from app.components import marked
from app.desk import Desk
from recovery.access.permissions import Permission
from recovery.course.charted_entries import ChartedFraction
from recovery.entries.charted import read_charted, standing_now
from recovery.words.printable import printable
from recovery.words.values import absent, counted, or_none

MOST = 60


def show(desk: Desk, table: pd.DataFrame, corrected_key: str) -> None:
    """Draw the table and, for who may chart, the choice of what to correct. `table`: on_treatment, for names."""
    entries = read_charted(desk.config.cache_path).entries
    st.markdown("### What was charted", anchors=False)
    if not entries:
        st.markdown("Nothing was charted yet.")
        return
    chosen = st.date_input("Of the day", desk.today(), key="charted_day", format="YYYY-MM-DD", width=150)
    of_day = (entry for entry in entries if entry.treated_at.date() == chosen)
    own = sorted(of_day, key=lambda entry: (entry.treated_at, entry.entered_at), reverse=True)
    corrects = {entry.corrects: entry for entry in entries if entry.corrects is not None}
    labels = dict(zip(table["referenced_rt_plan_uid"], table["rt_plan_label"], strict=True))
    st.markdown(f"{counted(len(own), 'entry', 'entries')} of that day, {len(entries)} in all.")
    if not own:
        return
    counting = {e.entry_id for plan in standing_now(desk.config.cache_path).values() for e in plan.delivered}
    lines = [
        _line(e, absent(or_none(labels.get(e.referenced_rt_plan_uid))), _stands(e, corrects.get(e.entry_id), counting))
        for e in own
    ]
    st.dataframe(marked.printed(pd.DataFrame(lines)), hide_index=True, key="charted_table", placeholder="—")
    if rights.signer(Permission.CHARTING) is not None:
        _ask_what([e for e in own[:MOST] if e.entry_id not in corrects and not e.is_withdrawn], corrected_key)


def _stands(entry: ChartedFraction, instead: ChartedFraction | None, counting: Container[str]) -> str:
    """`instead`: the entry that stands in its place; `counting`: of those that nothing corrects, what counts."""
    if instead is not None:
        return f"no: {instead.in_words}"
    if entry.is_withdrawn:
        return "no: it takes back another"
    return "no: charted twice, another counts" if entry.beams and entry.entry_id not in counting else "yes"


def _line(entry: ChartedFraction, plan: str, stands: str) -> dict[str, str]:
    """A row."""
    return {
        "Time": f"{entry.treated_at:%H:%M}",
        "Machine": entry.treatment_machine_name,
        "Name": absent(entry.patient_name),
        "ID": entry.patient_id,
        "Plan": plan,
        "Charted": "withdrawn" if entry.is_withdrawn else entry.in_words.partition(", by ")[0],
        "Signed by": entry.signers,
        "Stands": stands,
        "To know": " · ".join(filter(None, (entry.comment, *entry.accepted))),
    }


def _ask_what(standing: Sequence[ChartedFraction], corrected_key: str) -> None:
    """Which entry is to be corrected."""
    said = {e.entry_id: printable(f"{absent(e.patient_name)}, ID {e.patient_id}: {e.in_words}") for e in standing}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.selectbox(
            "Correct an entry", list(said), index=None, format_func=said.__getitem__, key="to_correct"
        )
        if st.button("Correct it", key="correct_it", disabled=wanted is None):
            st.session_state[corrected_key] = wanted
            st.rerun()
