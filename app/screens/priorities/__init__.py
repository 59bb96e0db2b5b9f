"""Priorities: whose course can wait least, by rules that the clinic signed; without them nothing is computed."""

from datetime import date

import pandas as pd
import streamlit as st

from app.access import rights
from app.components import banner, header, listed, marked
from app.data import cached
from app.desk import Desk
from app.screens.priorities import priority_export, priority_form
from app.wording import words
from recovery.access.permissions import Permission
from recovery.entries.priority_entries import PriorityEntry, latest
from recovery.host.entry_lines import EntriesError, read_statements
from recovery.lists import older_ids, priorities
from recovery.lists.columns import CLOCKS, NOT_ENTERED
from recovery.on_treatment.priorities import WEEKDAYS, Rules
from recovery.words.values import counted


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


def show(desk: Desk) -> None:
    """Draw the page."""
    header.show("Priorities", desk.config.site.name)
    banner.show(desk)
    st.markdown("**This page counts days. It decides nothing: physicians decide who is treated first.**")
    rules = desk.config.priorities.rules
    if rules is None:
        _explain(desk)
    loaded = listed.load(desk)
    if loaded is None:
        return
    if rules is not None:
        _show_clocks(desk, loaded, rules)


def _explain(desk: Desk) -> None:
    """What the clinic has to fill in before anything is computed."""
    lacking = ", ".join(f"`{key}`" for key in desk.config.priorities.lacking)
    st.markdown(
        ":orange[▲ **Nothing is computed: the clinic has not signed the rules.**] "
        f"Fill in {lacking} under `[priorities]` in the config, then reload this page."
    )
    st.markdown(
        "- `category_1_days`, `category_2_days`, `category_3_days`: how many treatment days a patient of each category "
        "may miss. The clinic's physicians choose them; there are no defaults.\n"
        "- `treatment_weekdays`: the days on which the clinic treats. Only these can be missed.\n"
        "- `signed_by`, `signed_on`: the physician who answers for these rules, and since when."
    )


def _show_clocks(desk: Desk, loaded: cached.Loaded, rules: Rules) -> None:
    show_rules(rules)
    try:
        entries = read_statements(desk.config.cache_path, PriorityEntry)
    except EntriesError as error:
        st.markdown(f":red[■ **{words.as_markdown(str(error))}** No clock is shown without the entries.]")
        return
    if entries.damaged_lines:
        damaged = counted(entries.damaged_lines, "line")
        where = words.as_markdown(PriorityEntry.FILE)
        st.markdown(f":red[■ **{damaged} of {where} cannot be read.** An entry may be missing below: compare with it.]")
    table, today = loaded.table, desk.today()
    counting = older_ids.by_newest(latest(entries.all), older_ids.names_of(table))
    clocks = priorities.clocks(table, counting, rules, today, desk.config.site.zone)
    without = priorities.without_entry(table, counting, rules, today)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{counted(len(clocks), 'plan')}** with a clock · **{len(without)}** not entered yet")
        priority_export.show(desk, loaded, clocks, without, rules)
    if len(clocks):
        show_clocks(clocks, today)
    priority_form.show(desk, table, rights.signer(Permission.PRIORITIES))
    if len(without):
        st.markdown("**Not entered yet**, the longest without treatment first, then curative before palliative")
        show_without(without, today)
