"""What Ctrl+P prints of a page with tables: every row, black on white, instead of what happens to be on the screen.

How
    The sheet is laid out here and handed to the browser, which puts it into the page when it prints, and takes it out
    again: nobody reads, hears or finds anything twice on the screen.

Why a sheet that the screen does not show
    A browser prints of Streamlit's table only the rows in sight, and says nothing of the others. A printed list that
    lacks patients in silence is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from app.components import script
from app.components.output import day_print
from app.lists.columns import described
from app.wording import words
from recovery.words.times import at_time_this_year
from recovery.words.values import absent

MOST_ROWS = 400
"""A longer list is not laid out with every press; its sheet says how to print it."""
_STYLE = "<style>@media print {body > :not(#rbrdt-paper) {display: none !important;}}</style>"
_SCRIPT = """
const take = () => document.getElementById("rbrdt-paper")?.remove();
let markup = "";
const put = () => {
  take();
  if (markup === "") return;
  const sheet = document.createElement("div");
  sheet.id = "rbrdt-paper";
  sheet.innerHTML = markup;
  document.body.append(sheet);
};
window.addEventListener("beforeprint", put);
window.addEventListener("afterprint", take);
export default function (component) {
  markup = component.data.markup;
  return () => { markup = ""; take(); };
}
"""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows under a title, in their order, and the names of the columns that are printed."""

    title: str
    rows: pd.DataFrame
    names: Sequence[str]


def show(title: str, told: str, blocks: Sequence[Block]) -> None:
    """Hand out the sheet for the printer alone. `told`: how old the copy is, and what is not on the list."""
    hand_out(sheet(title, told, blocks))


def hand_out(markup: str) -> None:
    """Give the browser a sheet's markup, every text in it escaped, for the printer alone."""
    script.run("paper_sheet", _SCRIPT, "paper", {"markup": day_print.STYLE + _STYLE + markup})


def sheet(title: str, told: str, blocks: Sequence[Block]) -> str:
    """The sheet's markup; every text in it is escaped."""
    parts = []
    for block in blocks:
        parts.append(f"<h4>{words.as_html(block.title)}</h4>")
        is_long = len(block.rows) > MOST_ROWS
        parts.append(f"<p><b>{_TOO_LONG}</b></p>" if is_long else _table(block))
    return day_print.framed(title, told, parts)


_WHOLE = frozenset({"phone", "clock"})
_TOO_LONG = f"More than {MOST_ROWS} rows: filter the list, or print its Excel file."


def _table(block: Block) -> str:
    rows = zip(block.rows["mark"], *(block.rows[name] for name in block.names), strict=True)
    lines = (_line(mark, zip(block.names, values, strict=True)) for mark, *values in rows)
    return day_print.table((column.heading for column in described(block.names)), lines)


def _line(mark: object, values: Iterable[tuple[str, object]]) -> str:
    stop = ' class="stop"' if mark == "■" else ""
    return f"<tr{stop}>" + "".join(_cell(name, value) for name, value in values) + "</tr>"


def _cell(name: str, value: object) -> str:
    """Days, times and telephones stay on one line."""
    text = _text(value)
    kind = day_print.whole(text) if isinstance(value, date) or name in _WHOLE else ""
    return f'<td class="{kind}">{words.in_cell(text)}</td>' if kind else f"<td>{words.in_cell(text)}</td>"


def _text(value: object) -> str:
    """A value as paper shows it; a mark that is not there is no dash."""
    known = words.known(value)
    if isinstance(known, datetime):
        return at_time_this_year(known)
    if isinstance(known, date):
        return known.isoformat()
    return "" if known == "" else absent(known)
