"""The pages of the binder beside its charts: their head and foot, the table of contents, and forms to write on.

Landscape, but for the charts, which are drawn as they are drawn alone; the binder's own page number stands in the
lower right corner of each, where a chart has nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from fpdf.enums import Align

from recovery.charting.canvas import FOOT, GREY, MARGIN, Canvas, Paper, shortened
from recovery.charting.letters import Letters

_COLUMNS, _LINE = 3, 4.6
"""Of the contents: columns on a page, and mm of a line."""
_NUMBER_WIDTH, _MOST_OF_TITLE = 40.0, 100
_FORM_ROWS, _FORM_ROW = 16, 8.6
"""Rows of a page to write on, and mm of each: as a hand writes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the contents."""

    title: str
    page: int
    is_section: bool


class BinderCanvas(Canvas):
    """`head`: site, and how old the copy is."""

    def __init__(self, paper: Paper, letters: Letters, head: str) -> None:
        super().__init__(paper, letters)
        self.head = shortened(head, 2 * _MOST_OF_TITLE)
        self.section = ""
        self.entries: list[Entry] = []

    def begin_section(self, title: str) -> None:
        """A section on a new page."""
        self.sheet, self.section = None, shortened(title, _MOST_OF_TITLE)
        self.add_page("landscape")

    def enter(self, title: str, *, is_section: bool = False, page: int | None = None) -> None:
        """A line of the contents, of the page that is drawn now."""
        self.entries.append(Entry(title, page or self.page, is_section))

    def header(self) -> None:
        """A chart's own; on other pages the section's title, and where the page comes from."""
        if self.sheet is not None:
            super().header()
            return
        self._plain_pen()
        self.set_y(MARGIN - 1)
        self.write_text(self.section, self.epw, size=15, bold=True)
        self.write_text(self.head, self.epw, size=9)
        self.rule(0.7)
        self.set_y(self.get_y() + 2)

    def footer(self) -> None:
        """A chart's own foot, or what the marks mean; and the binder's page number."""
        super().footer()
        self._plain_pen()
        if self.page not in self._sheets:
            self.set_y(-FOOT + 5.4)
            self.set_text_color(GREY)
            said = "From the safety copy (RBRDT), not from the record-and-verify system."
            self.write_text(f"{said} ■ do not treat before someone has looked  ▲ look  — not known.", self.epw, size=7)
        self.set_text_color(0)
        self.set_y(-FOOT + 5.4)
        number = f"Binder page {self.page}"
        self.write_text(number, _NUMBER_WIDTH, size=7, bold=True, align=Align.R, x=self.w - MARGIN - _NUMBER_WIDTH)

    def keep_free(self, entries: int) -> list[tuple[int, float]]:
        """Pages for so many lines of the contents, from here on: each page's number, and where it begins."""
        kept = [(self.page, self.get_y() + 4)]
        while sum(self._rows_from(top) for _, top in kept) * _COLUMNS < entries:
            self.begin_section("Contents")
            kept.append((self.page, self.get_y() + 2))
        return kept

    def _rows_from(self, top: float) -> int:
        return int((self.h - FOOT - top) / _LINE)

    def draw_contents(self, kept: Iterable[tuple[int, float]]) -> None:
        """The contents, on the pages that were kept free, column by column. To be called last of all."""
        last, width, entries = self.page, (self.w - 2 * MARGIN) / _COLUMNS, iter(self.entries)
        for page, top in kept:
            self.page, rows = page, self._rows_from(top)
            for place, entry in enumerate(islice(entries, rows * _COLUMNS)):
                column, row = divmod(place, rows)
                self._entry(entry, MARGIN + column * width, top + row * _LINE, width - 6)
        self.page = last

    def _entry(self, entry: Entry, x: float, y: float, width: float) -> None:
        self._speak_font_again("B" if entry.is_section else "", 9)
        title, room = self.letters.printable(shortened(entry.title)), width - 14
        while self.get_string_width(title) > room:
            title = f"{title[:-2].rstrip('…')}…"
        link = self.add_link(page=entry.page)
        self.set_xy(x, y)
        self.cell(room, _LINE, title, link=link)
        self.cell(14, _LINE, str(entry.page), align=Align.R, link=link)

    def draw_form(self, widths: tuple[float, ...], headings: tuple[str, ...]) -> None:
        """Empty rows to write in, as many as a page has."""
        scale = self.epw / sum(widths)
        for heading, width in zip(headings, widths, strict=True):
            self.set_font("text", "B", 8)
            self.cell(width * scale, 6, heading, border=1)
        self.ln()
        for _ in range(_FORM_ROWS):
            for width in widths:
                self.cell(width * scale, _FORM_ROW, "", border=1)
            self.ln()
