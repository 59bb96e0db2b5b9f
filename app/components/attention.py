"""Who must not be treated before someone has looked: in full, above the table, whatever its columns' widths.

Goal
    An interrupted fraction or a missing object cannot be overlooked, cut or scrolled away. Only the mark is red: a
    name in colour looks as if it could be pressed.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.wording import words

_AT_MOST = 6
"""Lines; a page that is all warnings warns of nothing."""


def show(shown: pd.DataFrame) -> int:
    """Draw a line for each row with ■ among those shown, the interrupted first; return the number of lines."""
    alarming = shown[shown["mark"] == "■"]
    ordered = pd.concat([alarming[alarming["interruption"] != ""], alarming[alarming["interruption"] == ""]])
    lines = [
        f":red[■] **{_said(name)}** {_said(patient_id)} · {_said(plan)} · **{words.as_markdown(what)}**"
        for name, patient_id, plan, what in zip(
            ordered["patient_name"].fillna(""),
            ordered["patient_id"].fillna(""),
            ordered["plan"],
            ordered["check"].str.removeprefix("■ "),
            strict=True,
        )
    ]
    left = len(lines) - _AT_MOST
    if left > 0:
        lines = [
            *lines[:_AT_MOST],
            f":red[■ **{left} more**], marked ■ in the table.",
        ]
    if lines:
        st.markdown("  \n".join(lines))
    return len(lines)


def _said(text: str) -> str:
    return words.as_markdown(words.absent(text))
