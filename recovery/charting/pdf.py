"""The paper chart as PDF: one page or more per plan, for A4 or Letter. Pure: the same file gives the same bytes.

No time of printing stands on it: two printings of one copy are one document, and an archive keeps one.

Of the rows that two people sign the first bears the number of the next fraction and what each field is to give: of an
interrupted fraction, the rest. Four fields stand side by side; more go on in lines below, within the same row.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Any

import fontTools
from fpdf import FPDF_VERSION
from fpdf.enums import Align
from PIL import Image, UnidentifiedImageError

from recovery.charting.canvas import LONG, MARGIN, Canvas, Paper
from recovery.charting.facts import Pairs
from recovery.charting.letters import letters_for, unprintable_in_words
from recovery.charting.sheet import BeamToGive, ChartSheet, chart_sheets
from recovery.patient.file import PatientFile
from recovery.patient.photos import Photo

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
    for down, beams in enumerate(lines):
        for across, beam in enumerate(beams):
            left, top = x + across * each, y + down * line_height
            pdf.rect(left, top, each, line_height)
            pdf.set_y(top + 0.4)
            said = beam.first if is_first else beam.planned
            pdf.write_text(f"{beam.name}: {said}", each, size=7, bold=is_first, x=left)


_FIELD_WIDTHS = (8, 25, 14, 20, 13, 18, 14, 30, 12, 13, 13, 19)
_FIELD_NUMBERS = (0, 2, 7, 8, 9, 10, 11)
FRACTION_WIDTHS = (10, 34, 17, 66, 34, 28)
DRAWN_BY = f"2, fpdf2 {FPDF_VERSION}, fontTools {fontTools.version}"
"""What the bytes of a chart depend on beside its content. Count the first number up when the drawing changes."""

_PHOTO_WIDTH, _PHOTO_HEIGHT = 26.0, 34.0


def charts_pdf(
    files: Sequence[PatientFile], *, paper: Paper = "a4", own_font: Path | None = None, plan_uid: str | None = None
) -> bytes:
    """The charts of several patients, in this order; pages are numbered per patient. `plan_uid`: of this plan alone.

    `own_font`: a font file for letters that this package's fonts lack. Raises `FontError` if it is no font.
    """
    by_patient = [(file, _sheets(file, plan_uid)) for file in files]
    letters = letters_for(chart_texts(sheet for _, sheets in by_patient for sheet in sheets), own_font)
    pdf = Canvas(paper, letters)
    pdf.set_title("Paper charts")
    stamp(pdf, files)
    for file, sheets in by_patient:
        draw_charts(pdf, file, sheets)
    return bytes(pdf.output())


def _sheets(file: PatientFile, plan_uid: str | None) -> list[ChartSheet]:
    return [sheet for sheet in chart_sheets(file) if plan_uid in {None, sheet.plan_uid}]


def stamp(pdf: Canvas, files: Sequence[PatientFile]) -> None:
    """Who made it, and the copy's own time in place of the time of making."""
    pdf.set_producer("RBRDT")
    newest = max((file.as_of or file.built_at for file in files), default=None)
    if newest is not None:
        pdf.set_creation_date(newest.replace(tzinfo=UTC))


def draw_charts(pdf: Canvas, file: PatientFile, sheets: Iterable[ChartSheet]) -> None:
    """One patient's sheets on new pages, numbered by themselves."""
    for sheet in sheets:
        _draw(pdf, sheet, file.photo)
    pdf.number_pages()


def chart_texts(sheets: Iterable[ChartSheet]) -> Iterator[str]:
    """Every text on them, for whoever chooses their fonts."""
    return (text for sheet in sheets for text in _texts(asdict(sheet)))


def _texts(value: Any) -> list[str]:
    """Every text in a sheet, however deep."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list | tuple):
        return [text for part in value for text in _texts(part)]
    return []


def _draw(pdf: Canvas, sheet: ChartSheet, photo: Photo | None) -> None:
    pdf.begin_sheet(sheet)
    _warnings(pdf, sheet)
    _next(pdf, sheet, photo)
    _prescription(pdf, sheet)
    if sheet.fields.rows:
        pdf.heading("Fields")
        pdf.draw_table(sheet.fields, _FIELD_WIDTHS, _FIELD_NUMBERS, size=7.5)
    if sheet.setup:
        pdf.heading("Setup")
        pdf.pairs(sheet.setup, MARGIN, pdf.epw, 38)
    if sheet.last_fractions.rows:
        pdf.heading("Last fractions delivered")
        pdf.draw_table(sheet.last_fractions, FRACTION_WIDTHS, (0,))
    elif sheet.plan_uid is not None:
        pdf.heading("Last fractions delivered")
        pdf.write_text("None is recorded.", pdf.epw)
    if sheet.blank_rows:
        draw_rows_to_sign(pdf, sheet)


def _warnings(pdf: Canvas, sheet: ChartSheet) -> None:
    """White on black what forbids treatment; framed what should be read."""
    for sentence in sheet.stops:
        pdf.black_bar(sentence)
    unprintable = unprintable_in_words(pdf.letters, _texts(asdict(sheet)))
    if looks := [*sheet.looks, *([unprintable] if unprintable else [])]:
        pdf.set_font("text", "", 9)
        pdf.multi_cell(
            pdf.epw,
            4.3,
            pdf.letters.printable("\n".join(looks)),
            border=1,
            align="L",
            new_x="LMARGIN",
            new_y="NEXT",
            padding=1,
        )
        pdf.set_y(pdf.get_y() + 1)


def _next(pdf: Canvas, sheet: ChartSheet, photo: Photo | None) -> None:
    """The next fraction in a heavy frame, and how far the course is; the photo beside."""
    if photo and pdf.will_page_break(_PHOTO_HEIGHT + 2):
        pdf.add_page()
    width = pdf.epw - (_PHOTO_WIDTH + 2 if photo else 0)
    top = pdf.get_y() + 0.5
    pdf.set_y(top + 1)
    pdf.write_text("NEXT", width - 4, size=7.5, bold=True, x=MARGIN + 2)
    pdf.write_text(sheet.next_fraction, width - 4, size=17, bold=True, x=MARGIN + 2)
    each = (width - 4) / max(len(sheet.progress), 1)
    below, here = pdf.get_y(), pdf.get_y()
    for place, (label, value) in enumerate(sheet.progress):
        pdf.set_y(here)
        pdf.write_text(label, each - 1, size=7.5, x=MARGIN + 2 + place * each)
        pdf.write_text(value, each - 1, size=9.5, bold=True, x=MARGIN + 2 + place * each)
        below = max(below, pdf.get_y())
    if photo:
        _photo(pdf, photo, pdf.w - MARGIN - _PHOTO_WIDTH, top)
        below = max(below, top + _PHOTO_HEIGHT - 1)
    pdf.set_line_width(0.8)
    pdf.rect(MARGIN, top, width, below + 1 - top)
    pdf.set_line_width(0.2)
    pdf.set_y(below + 2.5)


def _photo(pdf: Canvas, photo: Photo, x: float, y: float) -> None:
    """The photo in its frame, as the picture file that it is: drawn anew it would be ten times as large."""
    data = photo.data
    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
        pdf.image(io.BytesIO(data), x, y, _PHOTO_WIDTH, _PHOTO_HEIGHT, keep_aspect_ratio=True)
    except (UnidentifiedImageError, OSError):
        pdf.set_y(y + 1)
        pdf.write_text("The photo cannot be read.", _PHOTO_WIDTH - 2, size=8, x=x + 1)
    pdf.rect(x, y, _PHOTO_WIDTH, _PHOTO_HEIGHT)


def _prescription(pdf: Canvas, sheet: ChartSheet) -> None:
    """Prescription at the left, plan and people at the right; what is long goes across the page below."""
    short = tuple((label, value) for label, value in sheet.prescription if len(value) <= LONG)
    beside: Pairs = tuple((label, value) for label, value in (*sheet.plan, *sheet.people) if len(value) <= LONG)
    long = [pair for pair in (*sheet.prescription, *sheet.plan, *sheet.people) if len(pair[1]) > LONG]
    half, label_width = pdf.epw / 2 - 2, 29.0
    height = max(pdf.pairs_height(short, half, label_width), pdf.pairs_height(beside, half, label_width))
    pdf.heading("Prescription and plan", room=height + 6)
    top, page = pdf.get_y(), pdf.page
    pdf.pairs(short, MARGIN, half, label_width, strong=("Site", "Laterality", "Dose"))
    below = pdf.get_y()
    pdf.set_y(top)
    pdf.pairs(beside, MARGIN + half + 4, half, label_width, strong=("Plan", "Physician"))
    pdf.set_y(max(below, pdf.get_y()) if pdf.page == page else pdf.get_y())
    pdf.pairs(tuple(long), MARGIN, pdf.epw, 38)
