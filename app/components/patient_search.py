"""Find a patient by name or ID, and open their page with a click."""

from datetime import date

import pandas as pd
import streamlit as st

from app.components import marked, patient_link, script
from app.components.patient_table import HOW_TO_OPEN, OPENS_NOBODY
from recovery.lists import filters, patient_tables
from recovery.lists.columns import PEOPLE
from recovery.words.values import ABSENT, counted

_VISIBLE_ROWS = 18


def show(table: pd.DataFrame, today: date, *, link_is_dead: bool) -> None:
    """Draw the search. `link_is_dead`: the address holds a key that is no patient's."""
    if link_is_dead:
        st.markdown(
            ":orange[▲ **This link opens no patient.** It is of an earlier start of the dashboard, or the patient is "
            "no longer listed.] Search for the patient here."
        )
    people = patient_tables.people(table)
    script.search()
    asked = st.text_input(
        "Search name or ID", placeholder="press /", key="find_patient", type="search", live="75ms", width=420
    )
    found = people[filters.matching_search(people, asked or "")]
    st.markdown(f"{counted(len(found), 'patient')}. :small[{HOW_TO_OPEN[0].upper()}{HOW_TO_OPEN[1:]}.]")
    if found.empty:
        st.markdown(":small[Completed courses are listed too. Try a part of the name, or the ID.]")
        return
    event = st.dataframe(
        marked.printed(found[list(PEOPLE.page)]),
        key="people",
        on_select="rerun",
        selection_mode="single-cell",
        hide_index=True,
        row_height=marked.ROW_HEIGHT,
        height=marked.height(len(found), _VISIBLE_ROWS),
        placeholder=ABSENT,
        column_config=marked.config(PEOPLE.page, found, today),
        alt="Patients, one row each",
    )
    if clicked := [row for row, column in event.selection.cells if column not in OPENS_NOBODY]:
        patient_link.open_patient(str(found["patient_id"].iloc[clicked[0]]))
