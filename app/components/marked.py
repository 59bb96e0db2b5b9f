"""Rows that must be seen: a ground of red under ■, of amber under ▲, in a table that Streamlit draws.

Streamlit draws pinned columns at 60 % of their ink, so what is pinned gets the full ink.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

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


def height(rows: int, visible: int) -> int:
    """The height of a table in pixels, in which `visible` rows stand before it scrolls."""
    return (min(rows, visible) + 1) * ROW_HEIGHT + 4
