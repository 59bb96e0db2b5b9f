"""One machine's day as a table: in order of appointment, what must be looked at beside the fraction."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.components import marked
from app.wording import words

COLUMNS = (
    *("appointment_at", "mark", "patient_name", "patient_id", "plan", "next_fraction"),
    *("treated_that_day", "check", "alerts", "setup_note", "energy", "technique", "phone"),
    *("patient_birth_date", "physicians_of_record"),
)


def show(lines: pd.DataFrame, key: str, visible_rows: int, *, timed: bool) -> None:
    """Draw the lines as they are, in their order; without the column of times where none is known."""
    columns = [name for name in COLUMNS if timed or name != "appointment_at"]
    st.dataframe(
        marked.styled(lines[columns], ("appointment_at", "mark", "patient_name", "next_fraction", "check")),
        key=key,
        hide_index=True,
        height=marked.height(len(lines), visible_rows),
        row_height=marked.ROW_HEIGHT,
        placeholder=words.ABSENT,
        column_config=_column_config(),
        alt="The machine's patients of the day, one row per appointment and plan",
    )


def _column_config() -> dict[str, Any]:
    column = st.column_config
    return {
        "appointment_at": column.DatetimeColumn("Time", width=58, format="HH:mm"),
        "mark": column.TextColumn("", width=28, help="■ do not treat before someone has looked, ▲ look"),
        "patient_name": column.TextColumn("Name", width=165),
        "patient_id": column.TextColumn("ID", width=74),
        "plan": column.TextColumn("Plan", width=100),
        "next_fraction": column.TextColumn(
            "Fraction",
            width=150,
            help="Given that day, or due as of the time above; what was begun comes first",
        ),
        "check": column.TextColumn("Check before treating", width=250, help="Double-click to read all of it"),
        "alerts": column.TextColumn("Alerts", width=130),
        "setup_note": column.TextColumn("Setup note", width=150),
        "energy": column.TextColumn("Energy", width=66),
        "technique": column.TextColumn("Technique", width=82),
        "treated_that_day": column.TextColumn("Treated", width=66, help="The last time on that day"),
        "phone": column.TextColumn("Phone", width=190),
        "patient_birth_date": column.DateColumn("Born", width=90, format="YYYY-MM-DD"),
        "physicians_of_record": column.TextColumn("Physician", width=150),
    }
