"""Who must not be treated before someone has looked: in full, above the table, whatever its columns' widths."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app.access import rights
from app.components import patient_link
from app.wording import words
from recovery.words.values import absent, or_none

_AT_MOST = 6
"""Lines; a page that is all warnings warns of nothing."""


def show(shown: pd.DataFrame, show_the_rest: Callable[[], None] | None = None, *, key: str = "") -> int:
    """Draw a line for each row with ■ among those shown, the interrupted first; return the number of lines.

    `key`: of a page's second table.
    `show_the_rest` filters the table for what is one line too many; None where a table has no filter.
    """
    ordered = shown[shown["mark"] == "■"].sort_values("is_interrupted", ascending=False, kind="stable")
    if ordered.empty:
        return 0
    with st.container(key=f"attention_{key}", gap=None):
        for row in ordered.head(_AT_MOST).to_dict("records"):
            name, patient_id = or_none(row["patient_name"]) or "", or_none(row["patient_id"])
            told = f"{_said(patient_id)} · {_said(row['plan'])} · **{words.as_markdown(row['urgent'])}**"
            patient_link.show(f":red[■] **{_said(name)}** {told}", patient_id)
        left = len(ordered) - _AT_MOST
        if left > 0:
            _tell_the_rest(left, show_the_rest)
    return min(len(ordered), _AT_MOST + 1)


def _tell_the_rest(left: int, show_the_rest: Callable[[], None] | None) -> None:
    said = f":red[■ **{left} more**], marked ■ in the table"
    if show_the_rest is None:
        st.markdown(f"{said}.")
        return
    label = f"{said}: show only who has a problem"
    st.button(label, key="the_rest", type="tertiary", on_click=rights.callback(show_the_rest))


def _said(text: object) -> str:
    return words.as_markdown(absent(text))
