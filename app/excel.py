"""The Excel file of what a page shows, for the screen that goes dark next and for paper.

Goal
    The rows of the page, in their order, as a workbook that opens anywhere, prints on landscape sheets and can
    be read in black and white.

How
    openpyxl; dates and numbers are typed, texts are texts: a name that begins with `=` stays a name. A second
    sheet, About, says where the rows come from, how old they are and what was filtered.

Why texts are forced
    A spreadsheet runs a cell that looks like a formula (CWE-1236). Names and labels come from other systems.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, Literal

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from app.words import ABSENT

if TYPE_CHECKING:
    from openpyxl.worksheet.header_footer import HeaderFooterItem
    from openpyxl.worksheet.worksheet import Worksheet

DATE_FORMAT = "yyyy-mm-dd"
MOMENT_FORMAT = "yyyy-mm-dd hh:mm"

Kind = Literal["text", "number", "date", "moment"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the sheet: its heading, the table's column, how it is typed, its width in characters."""

    heading: str
    source: str
    kind: Kind
    narrowest: int
    widest: int


COLUMNS = (
    Column("", "mark", "text", 3, 3),
    Column("Name", "patient_name", "text", 14, 26),
    Column("ID", "patient_id", "text", 8, 14),
    Column("Born", "patient_birth_date", "date", 11, 11),
    Column("Plan", "plan", "text", 10, 20),
    Column("Delivered", "fractions_delivered", "number", 11, 11),
    Column("Planned", "number_of_fractions_planned", "number", 10, 10),
    Column("Remaining", "fractions_remaining", "number", 11, 11),
    Column("Check before treating", "check", "text", 26, 50),
    Column("Status", "status_words", "text", 12, 15),
    Column("Last treated", "last_treatment_at", "moment", 16, 16),
    Column("Next appointment", "next_appointment_at", "moment", 16, 16),
    Column("Machine", "treatment_machine_name", "text", 9, 14),
    Column("Physician", "physicians_of_record", "text", 12, 22),
    Column("Earlier plans", "earlier_plans", "text", 14, 26),
)
MAY_BE_EMPTY = ("mark", "check", "earlier_plans")
"""Here nothing means that there is nothing to say; elsewhere an absent value is shown as a dash."""

_INK = "1F2937"
_BOLD = Font(name="Calibri", size=11, bold=True, color=_INK)
_LINE_HEIGHT = 15.0
_HAIRLINE = Side(style="hair", color="6B7280")
_RULE = Side(style="thin", color=_INK)
_BELOW_ROW = Border(bottom=_HAIRLINE)
_HEADING_FILL = PatternFill("solid", fgColor="E5E7EB")
_STOP_FILL = PatternFill("solid", fgColor="FEE2E2")
_BEYOND_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")


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


def workbook(rows: pd.DataFrame, about: About) -> bytes:
    """The rows as an .xlsx file, in their order; `rows` has the columns that `rows.describe` adds."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "On treatment"
    _head(sheet)
    for number, (_, row) in enumerate(rows.iterrows(), start=2):
        for place, column in enumerate(COLUMNS, start=1):
            _write(_cell(sheet, number, place), row[column.source], column)
        if row["mark"] == "■":
            _emphasise(sheet, number)
    _fit(sheet, rows)
    _set_page(sheet, about)
    _tell(book.create_sheet("About"), about, len(rows))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def text_into(cell: Cell, text: str) -> None:
    """Put a text into a cell as text, whatever it looks like; what XML cannot hold becomes the replacement sign."""
    if not text:
        return
    cell.value = _BEYOND_XML.sub("\ufffd", ILLEGAL_CHARACTERS_RE.sub("\ufffd", text))
    cell.data_type = "s"
    if text[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        cell.quotePrefix = True  # stays a text also after somebody has edited the cell


def _cell(sheet: Worksheet, row: int, column: int) -> Cell:
    cell = sheet.cell(row, column)
    if not isinstance(cell, Cell):
        raise TypeError(f"cell {cell.coordinate} is part of a merged one")
    return cell


def _head(sheet: Worksheet) -> None:
    for place, column in enumerate(COLUMNS, start=1):
        cell = _cell(sheet, 1, place)
        text_into(cell, column.heading)
        cell.font = _BOLD
        cell.fill = _HEADING_FILL
        cell.border = Border(bottom=_RULE)
        horizontal: Literal["left", "right"] = "right" if column.kind == "number" else "left"
        cell.alignment = Alignment(horizontal=horizontal, vertical="center", wrap_text=True, indent=_indent(column))
    sheet.row_dimensions[1].height = 2 * _LINE_HEIGHT


def _write(cell: Cell, value: object, column: Column) -> None:
    is_absent = value is None or value is pd.NaT or value is pd.NA or value != value or value == ""
    cell.alignment = _alignment(column)
    cell.border = _BELOW_ROW
    if is_absent:
        text_into(cell, "" if column.source in MAY_BE_EMPTY else ABSENT)
    elif column.kind == "number" and isinstance(value, int | float):
        cell.value = value
    elif column.kind == "moment" and isinstance(value, datetime):
        cell.value = value.replace(tzinfo=None, microsecond=0)
        cell.number_format = MOMENT_FORMAT
    elif column.kind == "date" and isinstance(value, date):
        cell.value = value
        cell.number_format = DATE_FORMAT
    else:
        text_into(cell, str(value))


@cache
def _alignment(column: Column) -> Alignment:
    horizontal: Literal["left", "right"] = "right" if column.kind == "number" else "left"
    return Alignment(horizontal=horizontal, vertical="top", wrap_text=column.kind == "text", indent=_indent(column))


def _indent(column: Column) -> int:
    """A text to the right of right-aligned numbers stands off them."""
    return 1 if column.source == "check" else 0


def _emphasise(sheet: Worksheet, number: int) -> None:
    """Bold mark, name and warning on a light ground, which a black-and-white printer shows as light grey."""
    for place, column in enumerate(COLUMNS, start=1):
        cell = sheet.cell(number, place)
        cell.fill = _STOP_FILL
        if column.source in {"mark", "patient_name", "check"}:
            cell.font = _BOLD


def _fit(sheet: Worksheet, rows: pd.DataFrame) -> None:
    """Width by the longest text, height by the most lines: a program that only prints does not fit rows itself."""
    lines = [1] * len(rows)
    for place, column in enumerate(COLUMNS, start=1):
        texts = rows[column.source].fillna(ABSENT) if column.kind == "text" else rows["mark"]
        longest = max((len(str(text)) for text in texts), default=0)
        width = min(max(longest + 2, column.narrowest), column.widest)
        sheet.column_dimensions[get_column_letter(place)].width = width
        if column.kind == "text":
            lines = [max(so_far, _lines_of(str(text), width)) for so_far, text in zip(lines, texts, strict=True)]
    for number, count in enumerate(lines, start=2):
        sheet.row_dimensions[number].height = count * _LINE_HEIGHT


def _lines_of(text: str, width: int) -> int:
    """How many lines a text takes in a column; words that wrap leave about a seventh of it empty."""
    return 1 if len(text) < width else ceil(len(text) * 1.15 / width)


def _set_page(sheet: Worksheet, about: About) -> None:
    last = get_column_letter(len(COLUMNS))
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = f"A1:{last}{max(sheet.max_row, 1)}"
    sheet.print_title_rows = "1:1"
    _make_landscape(sheet)
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top, sheet.page_margins.bottom = 0.8, 0.8
    sheet.page_margins.header = sheet.page_margins.footer = 0.4
    as_of = f"{about.as_of:%Y-%m-%d %H:%M}" if about.as_of else "nothing proven"
    _say(sheet.HeaderFooter.oddHeader, f"{about.site} - On treatment", f"Proven up to {as_of}")
    _say(sheet.HeaderFooter.oddFooter, f"Exported {about.exported_at:%Y-%m-%d %H:%M}", None)
    if (footer := sheet.HeaderFooter.oddFooter) is not None and footer.right is not None:
        footer.right.text = "Page &P of &N"


def _make_landscape(sheet: Worksheet) -> None:
    """A4 on its side, as many pages as it takes and each as wide as the sheet."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _say(item: HeaderFooterItem | None, left: str, right: str | None) -> None:
    """Put texts into a page's header or footer; none of their letters is a code."""
    if item is not None and item.left is not None:
        item.left.text = _in_header(left)
    if item is not None and item.right is not None and right:
        item.right.text = _in_header(right)


def _in_header(text: str) -> str:
    """A text for a page's header, where & begins a code and 255 characters are the end."""
    return ILLEGAL_CHARACTERS_RE.sub(" ", text)[:100].replace("&", "&&")


def _tell(sheet: Worksheet, about: About, row_count: int) -> None:
    lines: list[tuple[str, object]] = [
        ("Site", about.site),
        ("Everything up to here is proven", about.as_of or ABSENT),
        ("Table built", about.built_at),
        ("Exported", about.exported_at),
        ("Time zone of all times", about.time_zone),
        ("Status when exported", about.status),
        ("Rows", row_count),
        ("Filters", about.filters),
        ("Not in this file", about.hidden or "nothing: every row of the table is here"),
        ("Order", "by name, then ID"),
        ("■", "do not treat before someone has looked"),
        ("▲", "look"),
        (ABSENT, "not known"),
        ("Source", "RT-PACS, by RBRDT; not the R&V system"),
    ]
    for number, (label, value) in enumerate(lines, start=1):
        name, cell = _cell(sheet, number, 1), _cell(sheet, number, 2)
        text_into(name, label)
        name.font = _BOLD
        name.alignment = Alignment(vertical="top", wrap_text=True)
        if isinstance(value, datetime):
            cell.value, cell.number_format = value.replace(tzinfo=None, microsecond=0), MOMENT_FORMAT
        elif isinstance(value, int):
            cell.value = value
        else:
            text_into(cell, str(value))
        cell.alignment = Alignment(horizontal="left", vertical="top", wrap_text=True)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 32, 80
    _make_landscape(sheet)
