"""Rows that must be seen: a ground of red under ■, of amber under ▲, in a table that Streamlit draws.

Streamlit draws pinned columns at 60 % of their ink, so what is pinned gets the full ink.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from app.wording import palette
from recovery.lists.columns import Column, described
from recovery.words.notices import Next
from recovery.words.printable import printable_lines
from recovery.words.values import ABSENT

ROW_HEIGHT = 32
_STYLED_ROWS = 300
"""Beyond, a Styler takes longer than a filter may; the marks stay."""


def printed(shown: pd.DataFrame) -> pd.DataFrame:
    """The rows with every text as it can be shown: a table's cells are drawn as they come, directions and all."""
    texts = {
        name: pd.Series(
            [printable_lines(value) if isinstance(value, str) else value for value in column],
            index=shown.index,
            dtype=column.dtype,
        )
        for name, column in shown.items()
        if (column.dtype == object or pd.api.types.is_string_dtype(column.dtype)) and _is_any_odd(column)
    }
    return shown.assign(**texts)  # type: ignore[arg-type]


def _is_any_odd(column: pd.Series) -> bool:
    """Whether a text of it is shown otherwise than it is: seen at once, where a look at each takes a filter's time."""
    texts = " ".join(value for value in column.tolist() if isinstance(value, str))
    return printable_lines(texts) != texts


def table(
    rows: pd.DataFrame, key: str, config: Mapping[str, Any], *, most: int, alt: str | None, strong: Sequence[str] = ()
) -> None:
    """Draw the columns of `config`, in its order; `most` rows are in sight. `strong` as `styled` has it."""
    names = list(config)
    st.dataframe(
        styled(rows, names, strong) if strong else printed(rows[names]),
        key=key,
        hide_index=True,
        height=height(len(rows), most),
        row_height=ROW_HEIGHT,
        placeholder=ABSENT,
        column_config=dict(config),
        alt=alt,
    )


def styled(rows: pd.DataFrame, names: Sequence[str], strong: Sequence[str]) -> object:
    """Columns as they can be shown: `strong` ones in full ink, and those of marked rows on their ground.

    `next_is` of the rows, where they have it, says which next fraction may be given already: that number is not the
    thing to see.
    """
    shown = printed(rows[list(names)])
    if len(shown) > _STYLED_ROWS:
        return shown
    colours = palette.of(is_dark=st.context.theme.type == "dark")
    css = pd.DataFrame("", index=shown.index, columns=shown.columns)
    own = [name for name in strong if name in shown.columns]
    css[own] = bold = f"color: {colours.ink}; font-weight: 600"
    for mark, ground in {"■": colours.stop_ground, "▲": colours.look_ground}.items():
        css.loc[rows["mark"] == mark, own] = f"{bold}; background-color: {ground}"
    if "next_is" in rows and "next_fraction" in own:
        is_unknown = rows["next_is"] == Next.UNKNOWN
        css.loc[is_unknown, "next_fraction"] = css.loc[is_unknown, "next_fraction"].str.replace("600", "400")
    return shown.style.apply(lambda _: css, axis=None)


def config(names: Sequence[str], shown: pd.DataFrame, today: date) -> dict[str, Any]:
    """How Streamlit draws columns of `recovery.lists.columns`; the mark is pinned where it begins the table."""
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
    return (min(max(rows, 1), visible) + 1) * ROW_HEIGHT + 4
