"""Priorities: whose course can wait least, by rules that the clinic signed; without them nothing is computed."""

import streamlit as st

from app.access import rights
from app.components import banner, header, listed
from app.data import cached
from app.desk import Desk
from app.screens.priorities import priority_export, priority_form, priority_tables
from app.wording import words
from recovery.access.permissions import Permission
from recovery.entries.priority_entries import PriorityEntry, entries_file, latest
from recovery.host.entry_lines import EntriesError, read_statements
from recovery.lists import older_ids, priorities
from recovery.on_treatment.priorities import Rules
from recovery.words.values import counted


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
    priority_tables.show_rules(rules)
    file = entries_file(desk.config.cache_path)
    try:
        entries = read_statements(file, PriorityEntry)
    except EntriesError as error:
        st.markdown(f":red[■ **{words.as_markdown(str(error))}** No clock is shown without the entries.]")
        return
    if entries.damaged_lines:
        damaged = counted(entries.damaged_lines, "line")
        where = words.as_markdown(str(file.name))
        st.markdown(f":red[■ **{damaged} of {where} cannot be read.** An entry may be missing below: compare with it.]")
    table, today = loaded.table, desk.today()
    counting = older_ids.by_newest(latest(entries.all), older_ids.names_of(table))
    clocks = priorities.clocks(table, counting, rules, today, desk.config.site.zone)
    without = priorities.without_entry(table, counting, rules, today)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{counted(len(clocks), 'plan')}** with a clock · **{len(without)}** not entered yet")
        priority_export.show(desk, loaded, clocks, without, rules)
    if len(clocks):
        priority_tables.show_clocks(clocks, today)
    priority_form.show(desk, table, rights.signer(Permission.PRIORITIES))
    if len(without):
        st.markdown("**Not entered yet**, the longest without treatment first, then curative before palliative")
        priority_tables.show_without(without, today)
