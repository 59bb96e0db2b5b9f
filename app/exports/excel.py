"""The Excel file of what a page shows; a sheet About says where the rows come from, how old, and what is filtered."""

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import pandas as pd
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from app.exports.sheets import band, fill, fit, head, records_of, set_page, tell
from recovery.lists.columns import MACHINE_DAY, ON_TREATMENT, Shown
from recovery.lists.machine_day import Day, heading_of_unbooked, with_marked_alerts, with_signers
from recovery.words.times import day as day_in_words
from recovery.words.values import ABSENT


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
    shown = tuple(name for name in ON_TREATMENT.excel if name not in hidden_columns)
    return lists(about, ON_TREATMENT.title, [(replace(ON_TREATMENT, excel=shown), with_marked_alerts(rows))])


def lists(about: About, what: str, found: Sequence[tuple[Shown, pd.DataFrame]]) -> bytes:
    """Lists as an .xlsx file: a sheet for each, and About."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for layout, rows in found:
        sheet = book.create_sheet(layout.title)
        head(sheet, layout)
        fill(sheet, layout, records_of(rows))
        fit(sheet, layout, {2: rows})
        _set_page(sheet, layout, about, f"{about.site} - {what}")
    tell(book.create_sheet("About"), _told(about, sum(len(rows) for _, rows in found)))
    return _saved(book)


def _set_page(sheet: Worksheet, layout: Shown, about: About, left: str, *, filtered: bool = True) -> None:
    right, footer = f"Proven up to {_moment(about.as_of)}", f"Exported {about.exported_at:%Y-%m-%d %H:%M}"
    set_page(sheet, layout, left=left, right=right, footer=footer, filtered=filtered)


def worklist(machine: str, day: date, that_day: Day, about: About, remark: str) -> bytes:
    """One machine's day as an .xlsx file: who is booked in order of appointment, then who has no appointment.

    `remark` says what the list may lack.
    """
    booked, unbooked = (with_signers(with_marked_alerts(one)) for one in (that_day.booked, that_day.unbooked))
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = MACHINE_DAY.title
    head(sheet, MACHINE_DAY)
    below = fill(sheet, MACHINE_DAY, records_of(booked)) + 1
    blocks = {2: booked}
    if booked.empty:
        band(sheet, MACHINE_DAY, below - 1, "No appointment is known.")
    if len(unbooked):
        heading = heading_of_unbooked(machine, len(unbooked), is_schedule_known=that_day.is_schedule_known)
        band(sheet, MACHINE_DAY, below, heading)
        fill(sheet, MACHINE_DAY, records_of(unbooked), below + 1)
        blocks[below + 1] = unbooked
    fit(sheet, MACHINE_DAY, blocks)
    _set_page(sheet, MACHINE_DAY, about, f"{machine} {day_in_words(day)} - {about.site}", filtered=False)
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
