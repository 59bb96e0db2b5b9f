"""Texts in cells of a workbook: how many lines they take, where they are broken, and that they stay texts; and how a
sheet comes on paper."""

from math import ceil
from typing import Literal
from unicodedata import east_asian_width

from openpyxl.cell.cell import Cell
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from recovery.words.printable import as_cell, is_like_formula

PAPER = {"a4": 9, "letter": 1}
"""As a workbook names it (ECMA-376 part 1, 18.3.1.63)."""

LINE_HEIGHT = 15.0
"""Points of a line of 11; not every program makes a row as high as its text."""
_MOST_LINES = 28
"""Lines of one row: Excel's rows end at 409 points."""


def parts_of(text: str, letters: int) -> list[str]:
    """A text in pieces that one row can hold, broken at spaces where there are any."""
    parts, rest = [], text
    while lines_of(rest, letters) > _MOST_LINES:
        end = _MOST_LINES * letters // 2
        at = max(rest.rfind(" ", 0, end), rest.rfind("\n", 0, end))
        end = at + 1 if at > end // 2 else end
        parts.append(rest[:end].rstrip())
        rest = rest[end:]
    return [*parts, rest]


def lines_of(text: str, letters: int) -> int:
    """Lines that a text takes; wide letters count twice, and words that wrap leave a part of a line empty."""
    total = 0
    for line in text.split("\n"):
        width = sum(2 if east_asian_width(letter) in "WF" else 1 for letter in line)
        total += 1 if width <= letters else ceil(width * 1.1 / letters)
    return total


def text_into(cell: Cell, text: str) -> None:
    """A text as text, whatever it begins with."""
    if text:
        cell.value = as_cell(text)
        cell.data_type = "s"
        cell.quotePrefix = is_like_formula(text)  # stays a text also after somebody has edited the cell


def as_wide_as_paper(sheet: Worksheet, orientation: Literal["portrait", "landscape"], paper: str = "a4") -> None:
    """As many pages as it takes, each as wide as the sheet: a name and what is said of it are on one page."""
    sheet.page_setup.orientation = orientation
    sheet.page_setup.paperSize = PAPER[paper]
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
