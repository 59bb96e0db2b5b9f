"""The tables of the page Priorities: the clocks, those that nobody entered yet, and the rules as they were signed."""

from datetime import date

import pandas as pd
import streamlit as st

from app.components import marked
from app.wording import words
from recovery.lists.columns import CLOCKS, NOT_ENTERED
from recovery.on_treatment.priorities import WEEKDAYS, Rules


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


def show_clocks(clocks: pd.DataFrame, today: date) -> None:
    """Draw the clocks, the least days left first."""
    config, strong = marked.config(CLOCKS.page, clocks, today), ("mark", "patient_name", "clock", "check")
    alt = "Clocks of patients in treatment, the least days left first"
    marked.table(clocks, "clocks", config, most=20, alt=alt, strong=strong)


def show_without(rows: pd.DataFrame, today: date) -> None:
    """Draw those about whom nothing was entered, in their order."""
    config, strong = marked.config(NOT_ENTERED.page, rows, today), ("mark", "patient_name", "check")
    alt = "Patients in treatment about whom nothing was entered, the longest without treatment first"
    marked.table(rows, "without_entry", config, most=12, alt=alt, strong=strong)
