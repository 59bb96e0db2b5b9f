"""The table of patients and plans, sorted by name, the name always in sight."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from app.components import marked
from app.wording import palette, words

ROW_HEIGHT = 32
_STYLED_ROWS = 600
"""Beyond, a Styler takes longer than a filter may; the marks stay."""

COLUMNS = (
    "mark",
    "patient_name",
    "patient_id",
    "plan",
    "treatment_machine_name",
    "fraction",
    "progress",
    "check",
    "last_treatment_at",
    "next_appointment_at",
    "gap",
    "site",
    "earlier_plans",
    "status_words",
    "physicians_of_record",
    "patient_birth_date",
)
"""At 1440 pixels what is needed to treat stands in sight, up to the next appointment."""


ALWAYS = ("mark", "patient_name", "patient_id", "plan", "fraction", "check")
"""Columns that cannot be taken away: who, what, how far, and what to look at."""


OPENS_NOBODY = frozenset({"mark", "check"})
"""Where the keyboard enters the table, Streamlit selects its first cell, the mark: who presses Tab must not be thrown
onto a patient's page (WCAG 3.2.1). Arrow down walks along the marks, arrow right is a click on the name."""


HOW_TO_OPEN = "a click on a row opens the patient; by keyboard ↓ to the row, then →"
"""Said before anybody tries: what changes the page must be no surprise (WCAG 3.2.2)."""


FEWEST_ROWS = 9
"""In sight, however low the window is."""
_ABOVE = 464
"""Pixels above the table without lines of attention, and the margin below it."""


def show(shown: pd.DataFrame, today: date, lines_above: int, columns: Sequence[str] = COLUMNS) -> str | None:
    """Draw the rows as they are, in their order, down to the window's edge; beyond, the table scrolls.

    `lines_above`: how many lines of attention stand above it.

    Returns the ID of the patient whose row was clicked. A click on what is to be checked only selects it: its text is
    read there. Nor does the mark open anybody: see OPENS_NOBODY.
    """
    whole = (len(shown) + 1) * ROW_HEIGHT + 4
    least = (min(len(shown), FEWEST_ROWS) + 1) * ROW_HEIGHT + 4
    height = f"clamp({least}px, calc(100vh - {_ABOVE + 22 * lines_above}px), {whole}px)"
    st.html(f"<style>.st-key-patients [data-testid=stDataFrame] {{height: {height} !important;}}</style>")
    event = st.dataframe(
        _styled(marked.printed(shown[list(columns)])),
        key="patients",
        on_select="rerun",
        selection_mode="single-cell",
        hide_index=True,
        height=whole,
        row_height=ROW_HEIGHT,
        placeholder=words.ABSENT,
        column_config=_column_config(shown, today),
        alt="Patients on treatment, one row per plan",
    )
    clicked = [row for row, column in event.selection.cells if column not in OPENS_NOBODY]
    patient_id = shown["patient_id"].iloc[clicked[0]] if clicked and clicked[0] < len(shown) else None
    return str(patient_id) if patient_id is not None and not pd.isna(patient_id) else None


def _column_config(shown: pd.DataFrame, today: date) -> dict[str, Any]:
    column = st.column_config
    last = _day_format(shown["last_treatment_at"], today)
    following = _day_format(shown["next_appointment_at"], today)
    return {
        "mark": column.TextColumn("", width=28, pinned=True, help="■ do not treat before someone has looked, ▲ look"),
        "patient_name": column.TextColumn("Name", width=158),
        "patient_id": column.TextColumn("ID", width=70),
        "site": column.TextColumn("Site", width=108, help="As the prescription in the R&V database names it"),
        "plan": column.TextColumn("Plan", width=98),
        "fraction": column.TextColumn(
            "Next fraction", width=170, help="— where no plan says how many, or nobody can tell. Given: in full"
        ),
        "progress": column.ProgressColumn("Progress", width=56, format=" ", min_value=0, max_value=1),
        "check": column.TextColumn("Check before treating", width=292, help="Double-click to read all of it"),
        "last_treatment_at": column.DatetimeColumn("Last", width=80, format=last),
        "gap": column.TextColumn(
            "Gap", width=60, alignment="right", help="Days since the last treatment; ▲ a working day passed without"
        ),
        "next_appointment_at": column.DatetimeColumn("Next", width=116, format=f"{following} HH:mm"),
        "treatment_machine_name": column.TextColumn("Machine", width=62),
        "status_words": column.TextColumn("Status", width=94),
        "physicians_of_record": column.TextColumn("Physician", width=130),
        "patient_birth_date": column.DateColumn("Born", width=90, format="YYYY-MM-DD"),
        "earlier_plans": column.TextColumn("Earlier plans", width=124),
    }


def _day_format(column: pd.Series, today: date) -> str:
    """`Tue 24 Nov`, and with its year as soon as one of the days lies in another."""
    years = set(column.dropna().dt.year)
    return "ddd D MMM" if years <= {today.year} else "ddd D MMM YYYY"


def _styled(shown: pd.DataFrame) -> object:
    """Strong names, and a ground of red where somebody must look first, of amber where somebody should look.

    Streamlit draws pinned columns at 60 % of their ink, so names get the full ink, and the meaning is in the ground.
    """
    if len(shown) > _STYLED_ROWS:
        return shown
    colours = palette.of(is_dark=st.context.theme.type == "dark")
    ink, grounds = colours.ink, {"■": colours.stop_ground, "▲": colours.look_ground}
    css = pd.DataFrame("", index=shown.index, columns=shown.columns)
    css[["mark", "patient_name"]] = f"color: {ink}; font-weight: 600"
    for mark, ground in grounds.items():
        has = shown["mark"] == mark
        css.loc[has, ["mark", "patient_name", "check"]] = f"color: {ink}; font-weight: 600; background-color: {ground}"
    return shown.style.apply(lambda _: css, axis=None)
