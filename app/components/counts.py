"""How many patients are what, and how many rows the filters hide and why."""

import pandas as pd
import streamlit as st

from recovery.lists import filters
from recovery.words.values import counted


def show(table: pd.DataFrame, shown: pd.DataFrame) -> None:
    """Draw `58 on treatment · 3 ready to start · ■ 2 interrupted · ■ 4 not ready`, of the whole table."""
    st.markdown(headline(table, shown))


def headline(table: pd.DataFrame, shown: pd.DataFrame) -> str:
    """The counts as markdown. Plans are counted; where persons are fewer, they are told too."""
    treated = table[table["status"] == "on_treatment"]
    persons = treated["patient_id"].nunique(dropna=False)
    said = f"**{len(treated)}** on treatment"
    if persons != len(treated):
        said = f"**{len(treated)}** plans of **{persons}** patients on treatment"
    parts = [said, f"**{int((table['status'] == 'ready_to_start').sum())}** ready to start"]
    for word in filters.PROBLEMS:
        number, seen = (int(filters.matching_problems(frame, (word,)).sum()) for frame in (table, shown))
        hidden = f", {number - seen} of them hidden" if number > seen else ""
        colour, mark = ("orange", "▲") if word == filters.UNKNOWN else ("red", "■")
        if number:
            parts.append(f":{colour}[{mark} **{number}** {word}{hidden}]")
        elif word in {filters.INTERRUPTED, filters.NOT_READY}:
            parts.append(f"**0** {word}")
    return " · ".join(parts)


def hidden_sentence(reasons: dict[str, int]) -> str:
    """`12 more: 9 completed, 3 on break`; empty when nothing is hidden."""
    if not reasons:
        return ""
    return f"{sum(reasons.values())} more: " + ", ".join(f"{number} {why}" for why, number in reasons.items())


def shown_sentence(shown: pd.DataFrame, reasons: dict[str, int]) -> str:
    """What stands between filters and table."""
    hidden = hidden_sentence(reasons)
    return f"{counted(len(shown), 'plan')} shown" + (f" · {hidden}" if hidden else "")
