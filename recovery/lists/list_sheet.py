"""Lists as a plain sheet for paper: every row, black on white."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from recovery.lists import day_sheet
from recovery.lists.columns import described
from recovery.words.printable import as_html, in_cell
from recovery.words.times import at_time_this_year
from recovery.words.values import absent, or_none

MOST_ROWS = 400
"""A longer list is not laid out with every press; its sheet says how to print it."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows under a title, in their order, and the names of the columns that are printed."""

    title: str
    rows: pd.DataFrame
    names: Sequence[str]


def sheet(title: str, told: str, blocks: Sequence[Block]) -> str:
    """The sheet's markup; every text in it is escaped."""
    parts = []
    for block in blocks:
        parts.append(f"<h4>{as_html(block.title)}</h4>")
        is_long = len(block.rows) > MOST_ROWS
        parts.append(f"<p><b>{_TOO_LONG}</b></p>" if is_long else _table(block))
    return day_sheet.framed(title, told, parts)


_WHOLE = frozenset({"phone", "clock"})
_TOO_LONG = f"More than {MOST_ROWS} rows: filter the list, or print its Excel file."


def _table(block: Block) -> str:
    rows = zip(block.rows["mark"], *(block.rows[name] for name in block.names), strict=True)
    lines = (_line(mark, zip(block.names, values, strict=True)) for mark, *values in rows)
    return day_sheet.table((column.heading for column in described(block.names)), lines)


def _line(mark: object, values: Iterable[tuple[str, object]]) -> str:
    stop = ' class="stop"' if mark == "■" else ""
    return f"<tr{stop}>" + "".join(_cell(name, value) for name, value in values) + "</tr>"


def _cell(name: str, value: object) -> str:
    """Days, times and telephones stay on one line."""
    text = text_of(value)
    kind = day_sheet.whole(text) if isinstance(value, date) or name in _WHOLE else ""
    return f'<td class="{kind}">{in_cell(text)}</td>' if kind else f"<td>{in_cell(text)}</td>"


def text_of(value: object) -> str:
    """A value as paper shows it; a mark that is not there is no dash."""
    known = or_none(value)
    if isinstance(known, datetime):
        return at_time_this_year(known)
    if isinstance(known, date):
        return known.isoformat()
    return "" if known == "" else absent(known)
