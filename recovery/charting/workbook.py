"""The paper chart as an Excel workbook: a sheet per plan, ready to print on A4 or Letter. Pure, no I/O.

The same `ChartSheet` as the PDF, on a grid of twelve columns. Texts across several columns do not make their row grow
by themselves, so heights are reckoned here, and a text that is too long for one row goes on in the next.
"""

import io
import re
from collections.abc import Sequence
from math import ceil

import segno
from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.drawing.image import Image
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet
from PIL import UnidentifiedImageError

from recovery.charting.canvas import Paper
from recovery.charting.cells import as_wide_as_paper, lines_of, parts_of, text_into
from recovery.charting.code import ChartCode
from recovery.charting.facts import Pairs
from recovery.charting.sheet import ChartSheet, Table, chart_sheets
from recovery.patient.file import PatientFile
from recovery.patient.photos import Photo
from recovery.words.printable import printable

_WIDTHS = (6, 13, 7, 9, 7, 9, 7, 14, 7, 7, 7, 10)
_LINE = 13.0
"""Height of a line of 9 points, in points."""
_PAGE_HEIGHT = 700.0
"""Points that a page surely has for rows; rows to sign that would go beyond begin on a page of their own."""
_PICTURE_SIDE = 88
"""Pixels of the code, and of the photo's longer side."""
_BLACK, _GREY = PatternFill("solid", fgColor="000000"), PatternFill("solid", fgColor="E6E6E6")
_THIN, _THICK = Side(style="thin"), Side(style="medium")
_FRAME = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_HEAVY = Border(left=_THICK, right=_THICK, top=_THICK, bottom=_THICK)
_FRACTION_SPANS = ((1, 1), (2, 3), (4, 4), (5, 8), (9, 10), (11, 12))
_SIGN_SPANS = ((1, 1), (2, 2), (3, 7), (8, 8), (9, 9), (10, 10), (11, 11), (12, 12))
_SIGN_HEADS = ("Fx", "Date, time", "", "Couch vrt / lng / lat", "Image done", "Signed", "Signed", "Comment")
_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\']")


def charts_workbook(files: Sequence[PatientFile], *, paper: Paper = "a4") -> bytes:
    """The charts of several patients, a sheet per plan, in this order."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for file in files:
        for sheet in chart_sheets(file):
            _Page(book.create_sheet(_sheet_title(sheet, book.sheetnames)), sheet, paper, file.photo).draw()
    if not book.worksheets:
        book.create_sheet("No charts")
    newest = max((file.as_of or file.built_at for file in files), default=None)
    if newest is not None:
        book.properties.created = book.properties.modified = newest
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheet_title(sheet: ChartSheet, taken: Sequence[str]) -> str:
    """ID and plan, as far as a tab holds them, and a number where two are alike."""
    wanted = _NOT_IN_TITLES.sub("_", printable(f"{sheet.patient_id} {sheet.plan_label}"))[:27] or "chart"
    known = {title.casefold() for title in taken}
    return next(
        t for n in range(1, len(known) + 2) if (t := wanted if n == 1 else f"{wanted} {n}").casefold() not in known
    )


class _Page:
    """One worksheet, filled from the top."""

    def __init__(self, ws: Worksheet, sheet: ChartSheet, paper: Paper, photo: Photo | None) -> None:
        self.ws, self.sheet, self.photo, self.row = ws, sheet, photo, 1
        for place, width in enumerate(_WIDTHS, start=1):
            ws.column_dimensions[get_column_letter(place)].width = width
        _set_page(ws, sheet, paper)

    def draw(self) -> None:
        """Head, warnings, next fraction, prescription, fields, setup, last fractions, rows to sign."""
        sheet = self.sheet
        self._head()
        for stop in sheet.stops:
            self.line(f"■ {stop}", size=11, bold=True, fill=_BLACK, color="FFFFFF")
        for look in sheet.looks:
            self.line(f"▲ {look}", border=_FRAME)
        self.line(f"NEXT: {sheet.next_fraction}", size=16, bold=True, border=_HEAVY)
        self._beside(sheet.progress, ())
        self._title("Prescription and plan")
        short = tuple(p for p in sheet.prescription if len(p[1]) <= 90)
        self._beside(short, (*sheet.plan, *sheet.people))
        self._pairs([p for p in sheet.prescription if p not in short])
        if sheet.fields.rows:
            self._title("Fields")
            self._table(sheet.fields, [(n, n) for n in range(1, 13)])
        if sheet.setup:
            self._title("Setup")
            self._pairs(sheet.setup)
        self._title("Last fractions delivered")
        self._table(sheet.last_fractions, _FRACTION_SPANS)
        if sheet.blank_rows:
            self._rows_to_sign()
        self.line(f"Plan UID {sheet.plan_uid or '—'}", size=7)
        self.line(f"checksum {sheet.checksum}  ·  From the safety copy (RBRDT), not from the R&V system.", size=7)
        self.ws.print_area = f"A1:L{self.row - 1}"

    def line(
        self,
        text: str,
        *,
        size: float = 9,
        bold: bool = False,
        last: int = 12,
        fill: PatternFill | None = None,
        color: str = "000000",
        border: Border | None = None,
    ) -> None:
        """A text across the page, over as many rows as it takes."""
        for part in parts_of(text, self._letters(1, last, size)):
            self._put(part, 1, last, size=size, bold=bold, fill=fill, color=color, border=border)
            self._finish([(part, 1, last, size)])

    def _head(self) -> None:
        """Name and identifiers; photo and code at the right."""
        sheet, last = self.sheet, 10 if self.photo is None else 8
        self.line(sheet.patient_name, size=17, bold=True, last=last)
        others = f"   ({sheet.other_patient_ids})" if sheet.other_patient_ids else ""
        self.line(f"ID {sheet.patient_id}   born {sheet.birth}   {sheet.sex}{others}", size=12, bold=True, last=last)
        self.line(sheet.source_in_short, last=last)
        if self.photo is not None:
            self._photo(self.photo)
        self._code()

    def _photo(self, photo: Photo) -> None:
        """The photo, as high as the code; where it cannot be read, a sentence."""
        try:
            picture = Image(io.BytesIO(photo.data))
        except (UnidentifiedImageError, OSError):
            self.line("The photo cannot be read.", size=8, last=8)
            return
        shrunk = _PICTURE_SIDE / max(picture.width, picture.height)
        picture.width, picture.height = round(picture.width * shrunk), round(picture.height * shrunk)
        self.ws.add_image(picture, "I1")

    def _code(self) -> None:
        """The QR code at the right of the head."""
        code = ChartCode(self.sheet.patient_id, self.sheet.plan_uid, self.sheet.checksum)
        drawn = io.BytesIO()
        segno.make_qr(code.text, error="m", boost_error=False, encoding="utf-8", eci=not code.text.isascii()).save(
            drawn, kind="png", scale=4, border=4
        )
        picture = Image(drawn)
        picture.width = picture.height = _PICTURE_SIDE
        self.ws.add_image(picture, "K1")
        missing = 68 - sum(self.ws.row_dimensions[n].height or _LINE for n in range(1, self.row))
        if missing > 0:
            self.ws.row_dimensions[self.row].height = missing
            self.row += 1

    def _title(self, text: str) -> None:
        self.line(text.upper(), size=8, bold=True)

    def _beside(self, left: Pairs, right: Pairs) -> None:
        """Pairs in two columns; one alone takes both, row by row."""
        if not right:
            half = (len(left) + 1) // 2
            left, right = left[:half], left[half:]
        for number in range(max(len(left), len(right))):
            used = []
            for pairs, first in ((left, 1), (right, 7)):
                if number < len(pairs):
                    label, value = pairs[number]
                    self._put(label, first, first + 1, size=8)
                    self._put(value, first + 2, first + 5, bold=label in {"Site", "Laterality", "Dose", "Plan"})
                    used += [(label, first, first + 1, 8.0), (value, first + 2, first + 5, 9.5)]
            self._finish(used)

    def _pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        for label, value in pairs:
            for place, part in enumerate(parts_of(value, self._letters(3, 12, 9))):
                said = label if place == 0 else ""
                self._put(said, 1, 2, size=8)
                self._put(part, 3, 12)
                self._finish([(said, 1, 2, 8), (part, 3, 12, 9)])

    def _table(self, table: Table, spans: Sequence[tuple[int, int]]) -> None:
        for number, row in enumerate((table.headings, *table.rows)):
            for text, (first, last) in zip(row, spans, strict=True):
                self._put(
                    text, first, last, size=8, bold=number == 0, border=_FRAME, fill=_GREY if number == 0 else None
                )
            self._finish([(text, *span, 8.5) for text, span in zip(row, spans, strict=True)])

    def _rows_to_sign(self) -> None:
        sheet = self.sheet
        lines = max(1, ceil(len(sheet.beams) / 4))
        height = max(24.0, 2 * lines * 12.0)
        above = sum(self.ws.row_dimensions[number].height or _LINE for number in range(1, self.row))
        if above + height * sheet.blank_rows > _PAGE_HEIGHT:
            self.ws.row_breaks.append(Break(id=self.row - 1))
        self._title(sheet.rows_title)
        heads = [head or f"{sheet.unit} given, by field" for head in _SIGN_HEADS]
        self._table(Table(tuple(heads), ()), _SIGN_SPANS)
        for number in range(sheet.blank_rows):
            given = [f"{b.name}: {'_' * 7} of {b.first if number == 0 else b.planned}" for b in sheet.beams]
            asked = "\n".join("   ".join(given[start : start + 2]) for start in range(0, len(given), 2))
            for text, (first, last) in zip(("", "", asked, *[""] * 5), _SIGN_SPANS, strict=True):
                self._put(text, first, last, size=8, border=_FRAME)
            if number == 0:
                self._put(sheet.first_row, 1, 1, size=11, bold=True, border=_FRAME)
            self.ws.row_dimensions[self.row].height = height
            self.row += 1

    def _put(
        self,
        text: str,
        first: int,
        last: int,
        *,
        size: float = 9,
        bold: bool = False,
        fill: PatternFill | None = None,
        color: str = "000000",
        border: Border | None = None,
    ) -> None:
        """A text over columns `first` to `last` of the present row."""
        for column in range(first, last + 1):
            cell = self.ws.cell(self.row, column)
            cell.border = border or Border()
            if fill is not None:
                cell.fill = fill
        cell = self.ws.cell(self.row, first)
        if isinstance(cell, Cell):
            text_into(cell, text)
        cell.font = Font(name="Calibri", size=size, bold=bold, color=color)
        cell.alignment = Alignment(wrap_text=True, vertical="top", horizontal="left")
        if last > first:
            self.ws.merge_cells(start_row=self.row, end_row=self.row, start_column=first, end_column=last)

    def _finish(self, used: Sequence[tuple[str, int, int, float]]) -> None:
        """Give the row the height of its highest text, and go on to the next."""
        heights = [
            lines_of(text, self._letters(first, last, size)) * max(_LINE, size * 1.38)
            for text, first, last, size in used
        ]
        self.ws.row_dimensions[self.row].height = min(409.0, max([_LINE, *heights]) + 1)
        self.row += 1

    @staticmethod
    def _letters(first: int, last: int, size: float) -> int:
        """How many letters of a size fit side by side in these columns; a little less than Excel says."""
        return max(3, int(sum(_WIDTHS[first - 1 : last]) * 11 / size))


def _set_page(ws: Worksheet, sheet: ChartSheet, paper: Paper) -> None:
    as_wide_as_paper(ws, "portrait", paper)
    margins = ws.page_margins
    margins.left = margins.right = 0.4
    margins.top, margins.bottom, margins.header, margins.footer = 0.75, 0.6, 0.3, 0.3
    ws.sheet_view.showGridLines = False
    head, foot = ws.HeaderFooter.oddHeader, ws.HeaderFooter.oddFooter
    who = f"{_in_header(sheet.patient_name, 80)}   ID {_in_header(sheet.patient_id, 30)}   born {sheet.birth}"
    if head is not None and head.left is not None and head.right is not None:
        head.left.text, head.right.text = who, "page &P of &N"
        head.left.font, head.left.size = "Calibri,Bold", 11 if len(who) < 75 else 8
    if foot is not None and foot.left is not None and foot.right is not None:
        foot.left.text = f"{_in_header(sheet.site_name, 60)} - as of {sheet.as_of} - checksum {sheet.checksum}"
        foot.right.text = f"■ {sheet.stops_in_short[:60]}" if sheet.stops else ""
        foot.left.size, foot.right.size = 8, 10


def _in_header(text: str, most: int) -> str:
    """A text for a page's head, where & begins a code and 255 characters are the end of it all."""
    short = text if len(text) <= most else f"{text[: most - 1]}…"
    return printable(short).replace("&", "&&")
