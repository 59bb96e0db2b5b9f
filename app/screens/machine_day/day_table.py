"""One machine's day as a table: in order of appointment, what must be looked at beside the fraction."""

from __future__ import annotations

from datetime import date

import pandas as pd
import streamlit as st

from app.components import marked
from app.lists.columns import MACHINE_DAY
from app.wording import words


def show(lines: pd.DataFrame, key: str, visible_rows: int, today: date, *, timed: bool) -> None:
    """Draw the lines as they are, in their order; without the column of times where none is known."""
    columns = [name for name in MACHINE_DAY.page if timed or name != "appointment_at"]
    st.dataframe(
        marked.styled(lines[columns], ("appointment_at", "mark", "patient_name", "next_fraction", "check")),
        key=key,
        hide_index=True,
        height=marked.height(len(lines), visible_rows),
        row_height=marked.ROW_HEIGHT,
        placeholder=words.ABSENT,
        column_config=marked.config(columns, lines, today),
        alt="The machine's patients of the day, one row per appointment and plan",
    )
