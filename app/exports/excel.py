"""The Excel file of what a page shows; a sheet About says where the rows come from, how old, and what is filtered."""

import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import pandas as pd
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from app.exports.sheets import Layout, band, fill, fit, head, records_of, set_page, tell
from recovery.lists import columns
from recovery.lists.columns import described
from recovery.lists.machine_day import Day, heading_of_unbooked, with_signers
from recovery.words.times import day as day_in_words
from recovery.words.values import ABSENT

LIST = Layout("On treatment", described(columns.ON_TREATMENT.excel), printed_up_to="phone")
CLOCKS = Layout("Clocks", described(columns.CLOCKS.excel), columns.CLOCKS.letters, printed_up_to="comment")
NOT_ENTERED = Layout("Not entered yet", described(columns.NOT_ENTERED.excel), columns.NOT_ENTERED.letters)
WORKLIST = Layout(
    "Worklist",
    described(columns.MACHINE_DAY.excel),
    columns.MACHINE_DAY.letters,
    frozen_at="D2",
    least_lines=1.6,
)
NOT_STARTED = Layout("Not started yet", described(columns.NOT_STARTED.excel), frozen_at="D2")
SINCE_PROOF = Layout(
    "Since the last proof",
    described(columns.SINCE_PROOF.excel),
    columns.SINCE_PROOF.letters,
    frozen_at="E2",
    least_lines=1.6,
)


@dataclass(frozen=True, slots=True)
class About:
    """What the file says of itself. Moments are naive, local to the site."""

    site: str
    time_zone: str
    as_of: datetime | None
    built_at: datetime
    exported_at: datetime
    status: str
    filters: str
    hidden: str
    order: str = "by name, then ID"


def workbook(rows: pd.DataFrame, about: About, hidden_columns: Collection[str] = ()) -> bytes:
    """The rows as an .xlsx file, in their order; `rows` has the columns that `rows.describe` adds."""
    layout = replace(LIST, columns=tuple(column for column in LIST.columns if column.name not in hidden_columns))
    return _book(about, "On treatment", {layout.title: (layout, rows)})


def priorities(clocks: pd.DataFrame, without: pd.DataFrame, about: About) -> bytes:
    """The page Priorities as an .xlsx file: the clocks, and on a second sheet who was not entered yet."""
    sheets = {CLOCKS.title: (CLOCKS, clocks), NOT_ENTERED.title: (NOT_ENTERED, without)}
    return _book(about, "Priorities: days are counted, physicians decide", sheets)


def since_proof(lines: pd.DataFrame, about: About) -> bytes:
    """Everybody who may have been treated since the newest proof, to be worked off against the machines' logs."""
    return _book(about, "who may have been treated since", {SINCE_PROOF.title: (SINCE_PROOF, lines)})


def not_started(lines: pd.DataFrame, about: About) -> bytes:
    """Everybody who is not on treatment yet, to be worked off."""
    return _book(about, "not on treatment yet", {NOT_STARTED.title: (NOT_STARTED, lines)})


def listed(rows: pd.DataFrame, names: Collection[str], about: About, what: str) -> bytes:
    """Any rows with columns of `recovery.lists.columns`, under a title."""
    return _book(about, what, {what: (Layout(what, described(tuple(names))), rows)})


def _book(about: About, what: str, sheets: Mapping[str, tuple[Layout, pd.DataFrame]]) -> bytes:
    """A sheet by title for each of these tables, and About."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, (layout, rows) in sheets.items():
        sheet = book.create_sheet(title)
        head(sheet, layout)
        fill(sheet, layout, records_of(rows))
        fit(sheet, layout, {2: rows})
        _set_page(sheet, layout, about, f"{about.site} - {what}")
    tell(book.create_sheet("About"), _told(about, sum(len(rows) for _, rows in sheets.values())))
    return _saved(book)


def _set_page(sheet: Worksheet, layout: Layout, about: About, left: str, *, filtered: bool = True) -> None:
    right, footer = f"Proven up to {_moment(about.as_of)}", f"Exported {about.exported_at:%Y-%m-%d %H:%M}"
    set_page(sheet, layout, left=left, right=right, footer=footer, filtered=filtered)


def worklist(machine: str, day: date, that_day: Day, about: About, remark: str) -> bytes:
    """One machine's day as an .xlsx file: who is booked in order of appointment, then who has no appointment.

    `remark` says what the list may lack.
    """
    booked, unbooked = with_signers(that_day.booked), with_signers(that_day.unbooked)
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = WORKLIST.title
    head(sheet, WORKLIST)
    below = fill(sheet, WORKLIST, records_of(booked)) + 1
    blocks = {2: booked}
    if booked.empty:
        band(sheet, WORKLIST, below - 1, "No appointment is known.")
    if len(unbooked):
        heading = heading_of_unbooked(machine, len(unbooked), is_schedule_known=that_day.is_schedule_known)
        band(sheet, WORKLIST, below, heading)
        fill(sheet, WORKLIST, records_of(unbooked), below + 1)
        blocks[below + 1] = unbooked
    fit(sheet, WORKLIST, blocks)
    _set_page(sheet, WORKLIST, about, f"{machine} {day_in_words(day)} - {about.site}", filtered=False)
    lines = _told(about, len(booked) + len(unbooked))
    lines[1:1] = [("Machine", machine), ("Day", day)]
    lines += [
        (
            "Fraction",
            "given that day, or due as of the time above: what is given until then is not counted in",
        )
    ]
    lines += [("What this list may lack", remark)] if remark else []
    tell(book.create_sheet("About"), lines)
    return _saved(book)


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "nothing proven"


def _saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _told(about: About, row_count: int) -> list[tuple[str, object]]:
    return [
        ("Site", about.site),
        ("Everything up to here is proven", about.as_of or ABSENT),
        ("Table built", about.built_at),
        ("Exported", about.exported_at),
        ("Time zone of all times", about.time_zone),
        ("Status when exported", about.status),
        ("Rows", row_count),
        ("Filters", about.filters),
        ("Not in this file", about.hidden or "nothing: every row of the table is here"),
        ("Order", about.order),
        ("■", "do not treat before someone has looked"),
        ("▲", "look"),
        (ABSENT, "not known"),
        ("Source", "RT-PACS, by RBRDT; not the R&V system"),
    ]
