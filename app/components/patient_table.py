"""The table of patients and plans, sorted by name, the name always in sight."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
import streamlit as st

from app.components import marked
from recovery.words.values import ABSENT

OPENS_NOBODY = frozenset({"mark", "check"})
"""Where the keyboard enters the table, Streamlit selects its first cell, the mark: who presses Tab must not be thrown
onto a patient's page (WCAG 3.2.1). Arrow down walks along the marks, arrow right is a click on the name."""


HOW_TO_OPEN = "a row opens its patient: click, or keys ↓ and →"
"""Said before anybody tries: what changes the page must be no surprise (WCAG 3.2.2)."""


FEWEST_ROWS = 9
"""In sight, however low the window is."""
_ABOVE = 345
"""Pixels above the table without lines of attention, and the margin below it."""


def show(shown: pd.DataFrame, today: date, lines_above: int, columns: Sequence[str]) -> str | None:
    """Draw the rows as they are, in their order, down to the window's edge; beyond, the table scrolls.

    `lines_above`: how many lines of attention stand above it.

    Returns the ID of the patient whose row was clicked. A click on what is to be checked only selects it: its text is
    read there. Nor does the mark open anybody: see OPENS_NOBODY.
    """
    whole, least = (marked.height(len(shown), most) for most in (len(shown), FEWEST_ROWS))
    height = f"clamp({least}px, calc(100vh - {_ABOVE + 21 * lines_above}px), {whole}px)"
    st.html(f"<style>.st-key-patients [data-testid=stDataFrame] {{height: {height} !important;}}</style>")
    event = st.dataframe(
        marked.styled(shown, columns, ("mark", "patient_name", "check")),
        key="patients",
        on_select="rerun",
        selection_mode="single-cell",
        hide_index=True,
        height=whole,
        row_height=marked.ROW_HEIGHT,
        placeholder=ABSENT,
        column_config=marked.config(columns, shown, today),
        alt="Patients on treatment, one row per plan",
    )
    clicked = [row for row, column in event.selection.cells if column not in OPENS_NOBODY]
    patient_id = shown["patient_id"].iloc[clicked[0]] if clicked and clicked[0] < len(shown) else None
    return str(patient_id) if patient_id is not None and not pd.isna(patient_id) else None
