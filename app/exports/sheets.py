"""How this tool's worksheets are made: typed cells, texts that are never run as formulas (CWE-1236), pages that
print."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from functools import cache
from typing import Literal

import pandas as pd
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem
from openpyxl.worksheet.worksheet import Worksheet

from recovery.charting.cells import LINE_HEIGHT, as_wide_as_paper, lines_of, text_into
from recovery.lists.columns import Column, Shown
from recovery.words.printable import printable
from recovery.words.values import ABSENT

DATE_FORMAT = "yyyy-mm-dd"
MOMENT_FORMAT = "yyyy-mm-dd hh:mm"
TIME_FORMAT = "hh:mm"

Row = Mapping[str, object]


_INK = "1F2937"
_LABEL, _SAID = 32, 80
"""Letters of the two columns of a sheet that tells things under labels."""
_LETTERS_BESIDE_PAPER = 70
"""A column that no paper has may be so wide."""
_BOLD = Font(name="Calibri", size=11, bold=True, color=_INK)
_HAIRLINE = Side(style="hair", color="6B7280")
_RULE = Side(style="thin", color=_INK)
_BELOW_ROW = Border(bottom=_HAIRLINE)
_HEADING_FILL = PatternFill("solid", fgColor="E5E7EB")
_STOP_FILL = PatternFill("solid", fgColor="FEE2E2")
_EMPHASISED = ("mark", "patient_name", "check")


def fill(sheet: Worksheet, layout: Shown, rows: Iterable[Row], first: int = 2) -> int:
    """Write the rows from line `first` on, in their order; returns the next free line."""
    number, columns = first - 1, list(zip(layout.columns, _indents(layout), strict=True))
    for number, row in enumerate(rows, start=first):
        for place, (column, indent) in enumerate(columns, start=1):
            cell = cell_of(sheet, number, place)
            cell.alignment = _alignment(column, indent)
            _write(cell, row[column.name], column)
        if row["mark"] == "■":
            _emphasise(sheet, number, layout)
    return number + 1


def records_of(rows: pd.DataFrame) -> Iterable[Row]:
    """The rows as mappings, in their order, each value as Python knows it."""
    names = [str(name) for name in rows.columns]
    return (dict(zip(names, row, strict=True)) for row in zip(*(rows[name].tolist() for name in names), strict=True))


def head(sheet: Worksheet, layout: Shown) -> None:
    """The headings, in the first line."""
    for place, (column, indent) in enumerate(zip(layout.columns, _indents(layout), strict=True), start=1):
        cell = cell_of(sheet, 1, place)
        text_into(cell, column.heading if column.in_full is None else column.in_full)
        cell.font = _BOLD
        cell.fill = _HEADING_FILL
        cell.border = Border(bottom=_RULE)
        horizontal: Literal["left", "right"] = "right" if column.kind == "number" else "left"
        cell.alignment = Alignment(horizontal=horizontal, vertical="center", wrap_text=True, indent=indent)
    sheet.row_dimensions[1].height = 2 * LINE_HEIGHT


def band(sheet: Worksheet, layout: Shown, number: int, text: str) -> None:
    """A line across the sheet that says what the rows below it are."""
    for place in range(1, len(layout.columns) + 1):
        cell_of(sheet, number, place).border = Border(bottom=_RULE)
    cell = cell_of(sheet, number, 1)
    text_into(cell, text)
    cell.font = _BOLD
    cell.alignment = Alignment(horizontal="left", vertical="bottom")
    sheet.row_dimensions[number].height = 2 * LINE_HEIGHT


def fit(sheet: Worksheet, layout: Shown, blocks: Mapping[int, pd.DataFrame]) -> None:
    """Width by the longest text, height by the most lines: a program that only prints does not fit rows itself.

    `blocks` are the rows written, by the line in which each block begins.
    """
    widths, is_printed = {}, True
    for place, column in enumerate(layout.columns, start=1):
        texts = [text for rows in blocks.values() for text in _texts(rows, column)]
        least, most = layout.letters.get(column.name, column.letters)
        if not is_printed:  # it shall not make the printed lines higher
            most = max(most, _LETTERS_BESIDE_PAPER)
        is_printed &= column.name != layout.printed_up_to
        widths[column.name] = min(max(max(map(len, texts), default=0) + 2, least), most)
        sheet.column_dimensions[get_column_letter(place)].width = widths[column.name]
    for first, rows in blocks.items():
        lines = [1] * len(rows)
        for column in layout.columns:
            if column.kind == "text":
                width = widths[column.name]
                texts = _texts(rows, column)
                lines = [max(so_far, lines_of(text, width - 1)) for so_far, text in zip(lines, texts, strict=True)]
        for number, count in enumerate(lines, start=first):
            sheet.row_dimensions[number].height = max(count, layout.least_lines) * LINE_HEIGHT


def set_page(sheet: Worksheet, layout: Shown, *, left: str, right: str, footer: str, filtered: bool = True) -> None:
    """Frozen headings that print on every page, margins, a page's header and footer."""
    last = get_column_letter(len(layout.columns))
    sheet.freeze_panes = layout.frozen_at
    if filtered:
        sheet.auto_filter.ref = f"A1:{last}{max(sheet.max_row, 1)}"
    sheet.print_title_rows = "1:1"
    names = [column.name for column in layout.columns]
    if layout.printed_up_to in names[:-1]:
        printed = names.index(layout.printed_up_to) + 1
        sheet.print_area = f"A1:{get_column_letter(printed)}{max(sheet.max_row, 1)}"
        footer = f"{footer}. {len(names) - printed} more columns on the screen"
    as_wide_as_paper(sheet, "landscape")
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top, sheet.page_margins.bottom = 0.8, 0.8
    sheet.page_margins.header = sheet.page_margins.footer = 0.4
    _say(sheet.HeaderFooter.oddHeader, left, right)
    _say(sheet.HeaderFooter.oddFooter, footer, None)
    if (item := sheet.HeaderFooter.oddFooter) is not None and item.right is not None:
        item.right.text = "Page &P of &N"


def tell(sheet: Worksheet, lines: Sequence[tuple[str, object]]) -> None:
    """A sheet of labels and what is said under each."""
    for number, (label, value) in enumerate(lines, start=1):
        name, cell = cell_of(sheet, number, 1), cell_of(sheet, number, 2)
        text_into(name, label)
        name.font = _BOLD
        name.alignment = Alignment(vertical="top", wrap_text=True)
        if isinstance(value, datetime):
            cell.value, cell.number_format = value.replace(tzinfo=None, microsecond=0), MOMENT_FORMAT
        elif isinstance(value, date):
            cell.value, cell.number_format = value, DATE_FORMAT
        elif isinstance(value, int):
            cell.value = value
        else:
            text_into(cell, str(value))
        cell.alignment = Alignment(horizontal="left", vertical="top", wrap_text=True)
        most = max(lines_of(label, _LABEL - 1), lines_of(str(value), _SAID - 1))
        sheet.row_dimensions[number].height = most * LINE_HEIGHT
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = _LABEL, _SAID
    as_wide_as_paper(sheet, "landscape")


def cell_of(sheet: Worksheet, row: int, column: int) -> Cell:
    """A cell that may be written. Raises `TypeError` if it is part of a merged one."""
    cell = sheet.cell(row, column)
    if not isinstance(cell, Cell):
        raise TypeError(f"cell {cell.coordinate} is part of a merged one")
    return cell


def _write(cell: Cell, value: object, column: Column) -> None:
    is_absent = value is None or value is pd.NaT or value is pd.NA or value != value or value == ""
    cell.border = _BELOW_ROW
    if is_absent:
        text_into(cell, "" if column.may_be_empty else ABSENT)
    elif column.kind == "number" and isinstance(value, int | float):
        cell.value = value
    elif column.kind in {"day", "moment"} and isinstance(value, datetime):
        cell.value = value.replace(tzinfo=None, microsecond=0)
        cell.number_format = DATE_FORMAT if column.letters[1] < len(MOMENT_FORMAT) else MOMENT_FORMAT
    elif column.kind == "time" and isinstance(value, datetime | time):
        cell.value = value.time().replace(microsecond=0) if isinstance(value, datetime) else value
        cell.number_format = TIME_FORMAT
    elif column.kind == "date" and isinstance(value, date):
        cell.value = value
        cell.number_format = DATE_FORMAT
    else:
        text_into(cell, str(value))


@cache
def _alignment(column: Column, indent: int) -> Alignment:
    horizontal: Literal["left", "right"] = "right" if column.kind == "number" else "left"
    return Alignment(horizontal=horizontal, vertical="top", wrap_text=column.kind == "text", indent=indent)


def _indents(layout: Shown) -> list[int]:
    """A text to the right of right-aligned numbers stands off them."""
    numbers = [column.kind == "number" for column in layout.columns]
    return [int(is_after and not is_number) for is_after, is_number in zip([False, *numbers], numbers, strict=False)]


def _emphasise(sheet: Worksheet, number: int, layout: Shown) -> None:
    """Bold mark, name and warning on a light ground, which a black-and-white printer shows as light grey."""
    for place, column in enumerate(layout.columns, start=1):
        cell = sheet.cell(number, place)
        cell.fill = _STOP_FILL
        if column.name in _EMPHASISED:
            cell.font = _BOLD


def _texts(rows: pd.DataFrame, column: Column) -> list[str]:
    source = rows[column.name].fillna(ABSENT) if column.kind == "text" else rows["mark"].fillna("")
    return [str(text) for text in source]


def _say(item: HeaderFooterItem | None, left: str, right: str | None) -> None:
    """Put texts into a page's header or footer; none of their letters is a code."""
    if item is not None and item.left is not None:
        item.left.text = _in_header(left)
    if item is not None and item.right is not None and right:
        item.right.text = _in_header(right)


def _in_header(text: str) -> str:
    """A text for a page's header, where & begins a code and 255 characters are the end."""
    return printable(text)[:100].replace("&", "&&")
