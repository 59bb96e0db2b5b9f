"""Rows that must be seen: a ground of red under ■, of amber under ▲, in a table that Streamlit draws.

Streamlit draws pinned columns at 60 % of their ink, so what is pinned gets the full ink.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from app.lists.columns import Column, described
from app.wording import palette, words

ROW_HEIGHT = 32
_STYLED_ROWS = 600
"""Beyond, a Styler takes longer than a filter may; the marks stay."""


def printed(shown: pd.DataFrame) -> pd.DataFrame:
    """The rows with every text as it can be shown: a table's cells are drawn as they come, directions and all."""
    texts = {
        name: pd.Series(
            [words.printable_lines(value) if isinstance(value, str) else value for value in column],
            index=shown.index,
            dtype=column.dtype,
        )
        for name, column in shown.items()
        if column.dtype == object or pd.api.types.is_string_dtype(column.dtype)
    }
    return shown.assign(**texts)  # type: ignore[arg-type]


def styled(shown: pd.DataFrame, strong: Sequence[str]) -> object:
    """The rows as they can be shown: columns `strong` in full ink, and those of marked rows on their ground."""
    shown = printed(shown)
    if len(shown) > _STYLED_ROWS:
        return shown
    colours = palette.of(is_dark=st.context.theme.type == "dark")
    ink, grounds = colours.ink, {"■": colours.stop_ground, "▲": colours.look_ground}
    css = pd.DataFrame("", index=shown.index, columns=shown.columns)
    own = [name for name in strong if name in shown.columns]
    css[own] = f"color: {ink}; font-weight: 600"
    for mark, ground in grounds.items():
        css.loc[shown["mark"] == mark, own] = f"color: {ink}; font-weight: 600; background-color: {ground}"
    for name in set(own) & {"fraction", "next_fraction"}:  # a number that may be given already is not the thing to see
        is_unknown = shown[name].fillna("").str.startswith("unknown")
        css.loc[is_unknown, name] = css.loc[is_unknown, name].str.replace("600", "400")
    return shown.style.apply(lambda _: css, axis=None)


def config(names: Sequence[str], shown: pd.DataFrame, today: date) -> dict[str, Any]:
    """How Streamlit draws columns of `app.lists.columns`; the mark is pinned where it begins the table."""
    return {
        column.name: _drawn(column, shown[column.name], today, is_pinned=column.name == "mark" == names[0])
        for column in described(names)
    }


def _drawn(column: Column, values: pd.Series, today: date, *, is_pinned: bool) -> Any:
    kinds = st.column_config
    told: dict[str, Any] = {"label": column.heading, "width": column.pixels, "help": column.hint}
    if column.kind == "number":
        return kinds.NumberColumn(**told)
    if column.kind == "share":
        return kinds.ProgressColumn(**told, format=" ", min_value=0, max_value=1)
    if column.kind == "date":
        return kinds.DateColumn(**told, format="YYYY-MM-DD")
    if column.kind == "text":
        return kinds.TextColumn(**told, pinned=is_pinned or None, alignment="right" if column.is_right else None)
    if column.kind == "time":
        return kinds.DatetimeColumn(**told, format="HH:mm")
    is_this_year = set(pd.to_datetime(values.dropna()).dt.year) <= {today.year}
    day = "ddd D MMM" if is_this_year else "ddd D MMM YYYY"
    return kinds.DatetimeColumn(**told, format=day if column.kind == "day" else f"{day} HH:mm")


def height(rows: int, visible: int) -> int:
    """The height of a table in pixels, in which `visible` rows stand before it scrolls."""
    return (min(rows, visible) + 1) * ROW_HEIGHT + 4
