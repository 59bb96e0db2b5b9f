"""How many patients could be treated from the backup now, and the list of those who could not, with why."""

from datetime import date

import pandas as pd
import streamlit as st

from app.components import marked
from recovery.lists import filters
from recovery.lists.columns import NOT_READY
from recovery.words.statuses import NOW_TREATED


def headline(table: pd.DataFrame) -> str:
    """`**56 of 58** plans on treatment or ready to start can be treated from the backup.` and those on break."""
    said = [_ready_of(table[table["status"].isin(NOW_TREATED)], "plans on treatment or ready to start")]
    on_break = table[table["status"] == "on_break"]
    if len(on_break):
        said.append(_ready_of(on_break, "on break"))
    return " · ".join(said)


def _ready_of(rows: pd.DataFrame, what: str) -> str:
    lacking = int(filters.is_not_ready(rows).sum())
    said = f"**{len(rows) - lacking} of {len(rows)}** {what} can be treated from the backup"
    return f":red[■ {said}]" if lacking else said


def show(table: pd.DataFrame, today: date) -> None:
    """Draw the sentence and the list."""
    st.markdown(headline(table))
    lacking = table[filters.is_not_ready(table)]
    if lacking.empty:
        st.markdown("Nobody is missing anything: the RT-PACS was asked and holds plan, structures, images and records.")
        return
    config = marked.config(NOT_READY.page, lacking, today)
    alt = "Patients who are not ready, with why"
    marked.table(lacking, "not_ready", config, most=10, alt=alt, strong=("mark", "patient_name", "why_not_ready"))
