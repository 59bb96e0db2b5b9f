"""The filters above the table. What is chosen stands in the URL, except what was typed: that may be a name."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.access import rights
from app.components import script
from recovery.lists import filters
from recovery.lists.filters import View
from recovery.words.printable import printable
from recovery.words.statuses import NOW_TREATED, STATUSES, in_words

SEARCH, MACHINE, PHYSICIAN, STATUS, TREATED, PROBLEM = "search", "machine", "physician", "status", "treated", "problem"
_OPENED: dict[str, object] = {
    SEARCH: "",
    MACHINE: [],
    PHYSICIAN: [],
    STATUS: list(NOW_TREATED),
    TREATED: "any day",
    PROBLEM: [],
}
_ALL: dict[str, object] = _OPENED | {STATUS: []}


def show(table: pd.DataFrame) -> tuple[View, DeltaGenerator]:
    """Draw the filters; return what they ask for, and the line below them, for what is done with it."""
    with st.container(horizontal=True, vertical_alignment="top", key="filters"):
        label = "Search name or ID"
        search = st.text_input(label, key=SEARCH, type="search", live="75ms", width=170, placeholder="press /")
        machines = _choose("Machine", MACHINE, filters.choices(table, "treatment_machine_name"), 130)
        physicians = _choose("Physician", PHYSICIAN, filters.choices(table, "physicians_of_record"), 150)
        statuses = _choose_status(table)
        days = list(filters.TREATED_WITHIN)
        treated = st.selectbox("Last treated", days, key=TREATED, bind="query-params", filter_mode=None, width=118)
        problems = st.pills(
            "Only problems",
            _problems_of(table),
            selection_mode="multi",
            key=PROBLEM,
            bind="query-params",
            width="content",
        )
    script.search()
    beside = st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="filters_below"
    )
    return View(search or "", machines, physicians, statuses, treated or "any day", tuple(problems)), beside


def _problems_of(table: pd.DataFrame) -> list[str]:
    """Those that are asked for every day; of the others what there is, and what somebody has chosen."""
    chosen = st.session_state.get(PROBLEM) or ()
    return [
        word
        for word in filters.PROBLEMS
        if word in {filters.INTERRUPTED, filters.NOT_READY, *chosen} or filters.matching_problems(table, (word,)).any()
    ]


def _choose(label: str, key: str, options: list[str], width: int) -> tuple[str, ...]:
    return tuple(
        st.multiselect(
            label, options, format_func=printable, key=key, placeholder="all", bind="query-params", width=width
        )
    )


def _choose_status(table: pd.DataFrame) -> tuple[str, ...]:
    options = [*STATUSES]
    options += [value for value in filters.choices(table, "status") if value not in options]
    return tuple(
        st.multiselect(
            "Status",
            options,
            default=list(NOW_TREATED),
            format_func=lambda status: printable(in_words(status)),
            key=STATUS,
            placeholder="all",
            bind="query-params",
            width=262,
        )
    )


def chosen() -> dict[str, object]:
    """What is chosen, without what was typed: that may be a name."""
    return {key: st.session_state.get(key, value) for key, value in _OPENED.items() if key != SEARCH}


def choose(values: Mapping[str, object]) -> None:
    """Choose as a saved view says; what it does not name is as the page opens. For callbacks only."""
    for key, opened in _OPENED.items():
        st.session_state[key] = values.get(key, opened)


def show_problems_alone() -> None:
    """Of what is shown, leave what has a problem: every row marked ■ has one. For callbacks only."""
    st.session_state[PROBLEM] = list(filters.PROBLEMS)


def offer_to_clear() -> None:
    """What is shown when the filters leave nobody: every filter off again with one press."""
    st.markdown("**No patient matches these filters.**")
    st.button("Clear all filters", key="clear", on_click=rights.callback(_clear))


def _clear() -> None:
    for key, value in _ALL.items():
        st.session_state[key] = value
