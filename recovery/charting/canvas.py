"""A page of a chart: its head and foot on every page, and the pieces that a chart is drawn with.

How
    fpdf2 breaks lines and pages; its `header` and `footer` are called for each page. How many pages a patient has is
    known at the end and then written into each head.

Why a page remembers its sheet
    fpdf2 draws the foot of a page when the next one is added, and keeps colours from one to the other. So each foot
    asks whose page it is on, and every sheet, head and foot begins with a plain pen: a sheet in a batch is drawn as
    it is drawn alone.
"""

from collections.abc import Sequence
from typing import Literal

from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, TableBordersLayout, VAlign, WrapMode, XPos, YPos
from fpdf.fonts import FontFace

from recovery.charting.code import ChartCode
from recovery.charting.facts import Pairs
from recovery.charting.letters import BREAK_HERE, Letters
from recovery.charting.on_paper import with_its_mark
from recovery.charting.sheet import ChartSheet, Table

Paper = Literal["a4", "letter"]
MARGIN = 10.0
FOOT = 15.0
CODE_SIDE = 21.0
"""mm; a module of the code is then 0.4 mm or more, four dots of an office printer."""
GREY = 96
LONG = 160
"""Letters; a value that is longer stands across the page."""
_PAGE_NUMBER_WIDTH = 34.0
_WIDEST = 0.36
"""mm of a W by each point of its size."""
_MOST_OF_NAME = 200
"""Letters; a whole name of DICOM with its alphabets has 194 at most (PS3.5 6.2, PN)."""
_MOST_IN_HEAD = 70
"""Letters of an ID or a label; DICOM has 64 at most (PS3.5 6.2, LO). The widest of all of them leave room for a row."""
_LINES_IN_CELL = 16
"""Of the widest letters; twice as many where words leave half a line: a row then fits below the highest head."""


def shortened(text: str, most: int = _MOST_IN_HEAD) -> str:
    """A text, in one line, for a place that no page may outgrow: one that did would cost everybody's charts."""
    line = text.replace("\n", " ")
    return line if len(line) <= most else f"{line[:most]}… (longer)"


class Canvas(FPDF):
    """A document of one or more charts, in mm."""

    def __init__(self, paper: Paper, letters: Letters) -> None:
        super().__init__("portrait", "mm", paper)
        self.letters = letters
        self.sheet: ChartSheet | None = None
        self.first_page = 1
        self._is_continued = False
        self._sheets: dict[int, ChartSheet] = {}
        """By page: the sheet that it belongs to."""
        self._number_places: dict[int, tuple[float, float]] = {}
        self.add_font("text", "", letters.regular)
        self.add_font("text", "B", letters.bold)
        for family, path in letters.fallbacks:
            self.add_font(family, "", path)
        self.set_fallback_fonts([family for family, _ in letters.fallbacks], exact_match=False)
        self.set_margin(MARGIN)
        self.set_auto_page_break(auto=True, margin=FOOT)
        self.set_font("text", size=9)

    def begin_sheet(self, sheet: ChartSheet) -> None:
        """The next sheet, on a new page."""
        self.sheet, self._is_continued = sheet, False
        self.add_page()
        self._plain_pen()
        self._is_continued = True

    def number_pages(self) -> None:
        """Write `page x of y` into the heads since `first_page`, and begin to count anew."""
        last = self.page
        for page in range(self.first_page, last + 1):
            self.page = page
            self.set_xy(*self._number_places[page])
            number = f"page {page - self.first_page + 1} of {last - self.first_page + 1}"
            self._speak_font_again("B", 9)
            self.cell(_PAGE_NUMBER_WIDTH, 5, number, align=Align.R)
        self.page = last
        self.first_page = last + 1

    def header(self) -> None:
        """Name, ID and birth date large, page number and code at the right, a rule below."""
        sheet = self.sheet
        if sheet is None:
            return
        self._sheets[self.page] = sheet
        self._plain_pen()
        code = ChartCode(sheet.patient_id, sheet.plan_uid, sheet.checksum)
        right = self.w - MARGIN - CODE_SIDE
        draw_code(self, code, right, MARGIN, CODE_SIDE)
        width = right - MARGIN - 4
        self._number_places[self.page] = (right - _PAGE_NUMBER_WIDTH - 3, MARGIN)
        self.set_xy(MARGIN, MARGIN - 0.5)
        name_width = width - _PAGE_NUMBER_WIDTH
        name = shortened(sheet.patient_name, _MOST_OF_NAME)
        size = next((s for s in (17, 15, 13, 11.5) if self._width(name, s) <= name_width), 11.5)
        is_long = self._width(name, size) > name_width
        self.write_text(name, name_width, size=size, bold=True, ends_at_hyphens=is_long)
        others = f"   ({shortened(sheet.other_patient_ids, 2 * _MOST_IN_HEAD)})" if sheet.other_patient_ids else ""
        who = f"ID {shortened(sheet.patient_id)}   born {sheet.birth}   {shortened(sheet.sex)}{others}"
        self.write_text(who, width, size=12, bold=True)
        self.write_text(shortened(sheet.source_in_short, 3 * _MOST_IN_HEAD), width, size=9)
        self.set_y(max(self.get_y(), MARGIN + CODE_SIDE) + 1)
        self.rule(0.7)
        self.set_y(self.get_y() + 2)
        if self._is_continued and sheet.stops:
            self.black_bar(f"{sheet.stops_in_short}: read the first page of plan {shortened(sheet.plan_label)}")

    def black_bar(self, text: str) -> None:
        """White on black, across the page."""
        self.set_fill_color(0)
        self.set_text_color(255)
        self.set_font("text", "B", 11)
        words = self.letters.printable(text)
        self.multi_cell(self.epw, 5.4, words, fill=True, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT, padding=1)
        self._plain_pen()
        self.set_y(self.get_y() + 1)

    def footer(self) -> None:
        """Plan UID and checksum in full, and where the sheet comes from."""
        sheet = self._sheets.get(self.page)
        if sheet is None:
            return
        self._plain_pen()
        self.set_y(-FOOT + 2)
        self.rule(0.2)
        groups = " ".join(sheet.checksum[i : i + 4] for i in range(0, 16, 4))
        self.set_text_color(GREY)
        line = f"Plan UID {shortened(sheet.plan_uid or '—')}  ·  checksum {groups}"
        self.write_text(line, self.epw, size=7)
        origin = "From the safety copy (RBRDT), not from the record-and-verify system. — means not known."
        self.write_text(origin, self.epw, size=7)
        self.set_text_color(0)

    def _plain_pen(self) -> None:
        """Black letters and thin black lines on white, whatever was drawn before."""
        self.set_fill_color(255)
        self.set_draw_color(0)
        self.set_text_color(0)
        self.set_line_width(0.2)

    def rule(self, thickness: float) -> None:
        """A line across the page, here."""
        self.set_line_width(thickness)
        self.line(MARGIN, self.get_y(), self.w - MARGIN, self.get_y())
        self.set_line_width(0.2)

    def write_text(
        self,
        text: str,
        width: float,
        *,
        size: float = 9,
        bold: bool = False,
        align: Align = Align.L,
        x: float | None = None,
        ends_at_hyphens: bool = False,
    ) -> None:
        """Lines of text as wide as `width`, below each other; words longer than a line are broken."""
        self.set_font("text", "B" if bold else "", size)
        self.set_x(MARGIN if x is None else x)
        letters = self.letters.printable(text)
        letters = letters.replace("-", f"-{BREAK_HERE}") if ends_at_hyphens else letters
        write = self.cell if self._is_one_line(letters, width) else self.multi_cell
        write(width, size * 0.48, letters, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def text_height(self, text: str, width: float, *, size: float = 9, bold: bool = False) -> float:
        """How high `write_text` would be, mm."""
        self.set_font("text", "B" if bold else "", size)
        letters = self.letters.printable(text)
        if self._is_one_line(letters, width):
            return size * 0.48
        height = self.multi_cell(
            width, size * 0.48, letters, align=Align.L, dry_run=True, output=MethodReturnValue.HEIGHT
        )  # fmt: skip
        return float(height) if isinstance(height, int | float) else 0.0

    def _is_one_line(self, letters: str, width: float) -> bool:
        """Whether a text needs no breaking, which costs a hundred times what it costs to ask."""
        if not letters or not {"\n", BREAK_HERE}.isdisjoint(letters):
            return False
        return float(self.get_string_width(letters)) <= width - 2 * self.c_margin

    def heading(self, text: str, room: float = 18) -> None:
        """A section's title; on a new page where fewer than `room` mm are left below it."""
        if self.will_page_break(room):
            self.add_page(same=True)
        self.set_y(self.get_y() + 1.5)
        self.set_text_color(GREY)
        self.write_text(text.upper(), self.epw, size=7.5, bold=True)
        self.set_text_color(0)

    def pairs(self, pairs: Pairs, x: float, width: float, label_width: float, strong: Sequence[str] = ()) -> None:
        """Labels and values below each other; values wrap, and go on on the next page."""
        for label, value in pairs:
            height = max(self.text_height(label, label_width, size=8), 1)
            if self.will_page_break(height):
                self.add_page(same=True)
            if len(value) > LONG:
                self._across(label, value, x, width)
                continue
            top, page = self.get_y(), self.page
            self.set_text_color(GREY)
            self.write_text(label, label_width, size=8, x=x)
            self.set_text_color(0)
            below = self.get_y()
            self.set_y(top)
            self.write_text(value, width - label_width, size=9, bold=label in strong, x=x + label_width)
            self.set_y(max(below, self.get_y()) if self.page == page else self.get_y())

    def _across(self, label: str, value: str, x: float, width: float) -> None:
        """A long value below its label, as wide as it may be."""
        self.set_text_color(GREY)
        self.write_text(label, width, size=8, x=x)
        self.set_text_color(0)
        self.write_text(value, width, size=9, x=x)

    def pairs_height(self, pairs: Pairs, width: float, label_width: float) -> float:
        """How high `pairs` would be, mm."""
        return sum(
            max(
                self.text_height(label, label_width, size=8),
                self.text_height(value, width - label_width, size=9, bold=True),
            )
            for label, value in pairs
        )

    def draw_table(
        self,
        table: Table,
        widths: Sequence[float],
        right: Sequence[int] = (),
        size: float = 8,
        bold: Sequence[int] = (),
        lines: int = _LINES_IN_CELL,
    ) -> None:
        """A table with its headings on each page; `right` and `bold` name columns: of numbers, of what must be seen.

        `lines`: of the widest letters, that a cell may have at most; a row must fit on a page.
        """
        self.set_font("text", "", size)
        room = [int(lines * self.epw * width / sum(widths) / (_WIDEST * size)) for width in widths]
        aligns = [Align.R if place in right else Align.L for place in range(len(widths))]
        with self.table(
            col_widths=tuple(widths), text_align=tuple(aligns), line_height=size * 0.48, padding=(0.7, 1.2),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES, v_align=VAlign.T, wrapmode=WrapMode.WORD,
            headings_style=FontFace(emphasis="BOLD", size_pt=size - 0.5),
        ) as drawn:  # fmt: skip
            drawn.row(list(table.headings))
            for row in table.rows:
                line = drawn.row()
                for place, (text, most) in enumerate(zip(row, room, strict=True)):
                    style = FontFace(emphasis="BOLD") if place in bold else None
                    line.cell(self.letters.printable(with_its_mark(shortened(text, most))), style=style)

    def _speak_font_again(self, style: str, size: float) -> None:
        """Set a font in this page's content, also where it is the last one that another page was told."""
        self.set_font("text", style, size + 1)
        self.set_font("text", style, size)

    def _width(self, text: str, size: float) -> float:
        self.set_font("text", "B", size)
        return self.get_string_width(self.letters.printable(text)) + 3


def draw_code(pdf: FPDF, code: ChartCode, x: float, y: float, side: float) -> None:
    """The QR code as squares that touch, without its quiet zone: the page around it is white."""
    modules = code.modules
    size = side / len(modules)
    pdf.set_fill_color(0)
    for down, row in enumerate(modules):
        across = 0
        while across < len(row):
            run = next((n for n in range(across, len(row)) if row[n] != row[across]), len(row)) - across
            if row[across]:
                pdf.rect(x + across * size, y + down * size, run * size, size, style="F")
            across += run


class FootedPages(Canvas):
    """The foot of each says of whom or of what it is: two such documents may lie on one table."""

    def __init__(self, paper: Paper, letters: Letters, foot: str) -> None:
        super().__init__(paper, letters)
        self._foot = foot

    def footer(self) -> None:
        self.set_y(-FOOT + 4)
        self.write_text(f"{self._foot}   page {self.page_no()} of {{nb}}", self.epw, size=7)
