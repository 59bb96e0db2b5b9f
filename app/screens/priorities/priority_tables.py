"""The tables of the page Priorities: the clocks, those that nobody entered yet, and the rules as they were signed."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.components import marked
from app.wording import words
from recovery.on_treatment.priorities import WEEKDAYS, Rules

WITHOUT = (
    *("mark", "patient_name", "patient_id", "plan", "missed_days", "prescribed", "fraction", "check"),
    *("last_treatment_at", "treatment_machine_name", "physicians_of_record"),
)
"""Columns of those about whom nothing was entered."""


def show_rules(rules: Rules) -> None:
    """What is counted, how, and who signed for it."""
    limits = " · ".join(f"category {n}: **{days} d**" for n, days in sorted(rules.allowed_missed_days.items()))
    days = ", ".join(WEEKDAYS[n] for n in sorted(rules.treatment_weekdays))
    st.markdown(
        f"Missed days allowed: {limits}. Signed by {words.as_markdown(rules.signed_by)} on {rules.signed_on:%Y-%m-%d}."
    )
    st.markdown(
        f":small[A day is missed when it is over, is one of {days}, and the patient was not treated on it. Weekends "
        "are not missed, public holidays are; today does not count yet. Of plans treated less often than "
        "daily, days between are counted as missed. The list is sorted by the days left, then category, "
        "chemotherapy, intent.]"
    )


def show_clocks(clocks: pd.DataFrame) -> None:
    """Draw the clocks, the least days left first."""
    column = st.column_config
    st.dataframe(
        marked.styled(clocks.drop(columns="patient_birth_date"), ("mark", "patient_name", "clock", "check")),
        key="clocks",
        hide_index=True,
        height=marked.height(len(clocks), 20),
        row_height=marked.ROW_HEIGHT,
        placeholder=words.ABSENT,
        column_config={
            "mark": column.TextColumn("", width=28, pinned=True, help="■ look before treating, or over the limit"),
            "patient_name": column.TextColumn("Name", width=165),
            "patient_id": column.TextColumn("ID", width=74),
            "plan": column.TextColumn("Plan", width=100),
            "clock": column.TextColumn("Clock", width=100),
            "missed_days": column.NumberColumn("Missed", width=66),
            "allowed_days": column.NumberColumn("Allowed", width=68),
            "category": column.NumberColumn("Category", width=74),
            "check": column.TextColumn("Check before treating", width=246, help="Double-click to read all of it"),
            "chemotherapy": column.TextColumn("Chemo", width=66, help="Concurrent chemotherapy"),
            "intent": column.TextColumn("Intent", width=84),
            "last_treatment_at": column.DatetimeColumn("Last", width=88, format="ddd D MMM"),
            "fraction": column.TextColumn("Next fraction", width=172),
            "machine": column.TextColumn("Machine", width=68),
            "decided_by": column.TextColumn("Decided by", width=130),
            "signed_by": column.TextColumn("Signed by, at", width=170),
            "comment": column.TextColumn("Comment", width=200),
        },
        alt="Clocks of patients in treatment, the least days left first",
    )


def show_without(rows: pd.DataFrame) -> None:
    """Draw those about whom nothing was entered, in their order."""
    column = st.column_config
    st.dataframe(
        marked.styled(rows[list(WITHOUT)], ("mark", "patient_name", "check")),
        key="without_entry",
        hide_index=True,
        height=marked.height(len(rows), 12),
        row_height=marked.ROW_HEIGHT,
        placeholder=words.ABSENT,
        column_config={
            "mark": column.TextColumn("", width=28, pinned=True, help="■ do not treat before someone has looked"),
            "patient_name": column.TextColumn("Name", width=165),
            "patient_id": column.TextColumn("ID", width=90),
            "plan": column.TextColumn("Plan", width=110),
            "missed_days": column.NumberColumn("Missed", width=66, help="Treatment days without treatment"),
            "prescribed": column.TextColumn("Intent prescribed", width=120, help="A hint from the R&V system"),
            "fraction": column.TextColumn("Next fraction", width=172),
            "check": column.TextColumn("Check before treating", width=246, help="Double-click to read all of it"),
            "last_treatment_at": column.DatetimeColumn("Last", width=100, format="ddd D MMM"),
            "treatment_machine_name": column.TextColumn("Machine", width=68),
            "physicians_of_record": column.TextColumn("Physician", width=160),
        },
        alt="Patients in treatment about whom nothing was entered, the longest without treatment first",
    )
