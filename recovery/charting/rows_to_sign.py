"""The rows that two people sign: one per fraction, with a box for the meterset of each field.

The first row bears the number of the next fraction and what each field is to give: of an interrupted fraction, the
rest. Four fields stand side by side; more go on in lines below, within the same row.
"""

from collections.abc import Sequence

from fpdf.enums import Align

from recovery.charting.canvas import GREY, MARGIN, Canvas
from recovery.charting.sheet import BeamToGive, ChartSheet

_COLUMNS = (("Date, time", 21.0), ("Fx", 12.0))
_AFTER = (("Couch\nvrt / lng / lat", 25.0), ("Image\ndone", 12.0), ("Signed", 18.0), ("Signed", 18.0))
_COMMENT = 28.0
_BESIDE = 4
_HEAD = 11.0
_LINE = 8.5
_LINE_OF_MANY = 7.0


def draw_rows_to_sign(pdf: Canvas, sheet: ChartSheet) -> None:
    """As many rows as the sheet says; the heading again on each page, no row over two pages."""
    lines = _lines(sheet.beams)
    height = _LINE if len(lines) == 1 else _LINE_OF_MANY * len(lines)
    pdf.heading(sheet.rows_title, room=_HEAD + 3 * height + 6)
    _head(pdf, sheet)
    for number in range(sheet.blank_rows):
        if pdf.will_page_break(height):
            pdf.add_page()
            _head(pdf, sheet)
        _row(pdf, sheet, lines, height, is_first=number == 0)


def _lines(beams: Sequence[BeamToGive]) -> list[Sequence[BeamToGive]]:
    return [beams[start : start + _BESIDE] for start in range(0, len(beams), _BESIDE)] or [()]


def _widths(pdf: Canvas) -> tuple[list[float], float]:
    """Widths of all columns, with that of all metersets in the third place."""
    fixed = [width for _, width in _COLUMNS], [width for _, width in _AFTER]
    metersets = pdf.epw - sum(fixed[0]) - sum(fixed[1]) - _COMMENT
    return [*fixed[0], metersets, *fixed[1], _COMMENT], metersets


def _head(pdf: Canvas, sheet: ChartSheet) -> None:
    widths, _ = _widths(pdf)
    titles = [t for t, _ in _COLUMNS], [t for t, _ in _AFTER]
    texts = [*titles[0], f"{sheet.unit} given, by field", *titles[1], "Comment"]
    x, y = MARGIN, pdf.get_y()
    pdf.set_fill_color(230)
    for text, width in zip(texts, widths, strict=True):
        pdf.rect(x, y, width, _HEAD, style="DF")
        pdf.set_y(y + 0.8)
        pdf.write_text(text, width, size=7.5, bold=True, x=x)
        x += width
    pdf.set_fill_color(255)
    pdf.set_y(y + _HEAD)


def _row(pdf: Canvas, sheet: ChartSheet, lines: list[Sequence[BeamToGive]], height: float, *, is_first: bool) -> None:
    widths, metersets = _widths(pdf)
    x, y = MARGIN, pdf.get_y()
    for place, width in enumerate(widths):
        pdf.rect(x, y, width, height)
        if place == len(_COLUMNS):
            _boxes(pdf, lines, x, y, metersets, height, is_first=is_first)
        x += width
    if is_first and sheet.first_row:
        pdf.set_y(y + 1.6)
        number, _, rest = sheet.first_row.partition(" ")
        pdf.write_text(number, _COLUMNS[1][1], size=11, bold=True, align=Align.C, x=MARGIN + _COLUMNS[0][1])
        if rest:
            pdf.set_y(y + height - 3.2)
            pdf.write_text(rest, _COLUMNS[1][1], size=6, bold=True, align=Align.C, x=MARGIN + _COLUMNS[0][1])
    pdf.set_y(y + height)


def _boxes(
    pdf: Canvas, lines: list[Sequence[BeamToGive]], x: float, y: float, width: float, height: float, *, is_first: bool
) -> None:
    """A box per field, its number and what it is to give in small letters at the top."""
    each, line_height = width / min(_BESIDE, max(len(lines[0]), 1)), height / len(lines)
    pdf.set_text_color(GREY)
    for down, beams in enumerate(lines):
        for across, beam in enumerate(beams):
            left, top = x + across * each, y + down * line_height
            pdf.rect(left, top, each, line_height)
            pdf.set_y(top + 0.4)
            said = beam.first if is_first else beam.planned
            pdf.write_text(f"{beam.name}: {said}", each, size=6, bold=is_first, x=left)
    pdf.set_text_color(0)
