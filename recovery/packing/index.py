"""The index of a pack, as a page that any browser opens and as a workbook: what is in it, and what is not and why."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import cast
from urllib.parse import quote

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font

from recovery.charting.cells import LINE_HEIGHT, as_wide_as_paper, lines_of, text_into
from recovery.packing.gate import Case, Refusal
from recovery.patient import notices
from recovery.words.printable import printable
from recovery.words.times import at_time, day_or_time
from recovery.words.values import absent, counted

COLUMNS = (
    *("Machine", "Patient", "ID", "Born", "Plan", "Next fraction", "Prescription"),
    *("In the pack", "Look at first", "Folder"),
)
_WIDTHS = (9, 22, 12, 11, 14, 22, 20, 38, 38, 34)
_STYLE = """body{font:14px/1.45 system-ui,sans-serif;color:#1f2937;background:#fff;margin:24px}
h1{font-size:20px;margin:0 0 4px}p{margin:0 0 12px}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:6px 10px 6px 0;border-bottom:1px solid #d1d5db}
th{font-weight:600;color:#4b5563}td{font-variant-numeric:tabular-nums}.no{color:#b91c1c;font-weight:600}
td:nth-child(4),td:nth-child(6){white-space:nowrap}td:last-child{word-break:break-word;width:20%}
a{color:#1d4ed8}@media print{body{margin:0}a{color:inherit;text-decoration:none}}"""


@dataclass(frozen=True, slots=True)
class Line:
    """A plan in the index. `folder` empty: not in the pack. `refused` with a folder: overridden, or not renewed."""

    case: Case
    folder: str = ""
    refused: Sequence[Refusal] = ()
    overridden: str = ""
    """By whom and why."""
    kept_since: str = ""
    """Of a pack that could not be made anew: when it was made."""
    remarks: Sequence[str] = ()
    is_new: bool = False
    """Whether its objects came from the RT-PACS this time."""

    @property
    def why(self) -> str:
        return " ".join(one.why for one in self.refused)

    @property
    def verdict(self) -> str:
        if not self.folder:
            return f"■ NOT IN THE PACK. {self.why}"
        if self.overridden:
            return f"▲ yes, overridden by {self.overridden}. {self.why}"
        if self.kept_since:
            return f"▲ yes, of {self.kept_since}: it could not be made anew. {self.why}"
        return "yes, proven"

    @property
    def cells(self) -> tuple[str, ...]:
        case = self.case
        person, plan = case.file.identity, case.plan
        of_plan = notices.of_plan(plan) if self.folder else ()  # of another the verdict has said it
        looks = [str(one) for one in (*of_plan, *notices.of_patient(case.file))]
        born = person.patient_birth_date
        values = (
            *(case.machine, person.patient_name, person.patient_id, born.isoformat() if born else None, plan.label),
            *(notices.next_fraction(plan), plan.prescribed, self.verdict),
            *("\n".join([*looks, *self.remarks]), self.folder or None),
        )
        return tuple(absent(value) for value in values)


def summary(lines: Sequence[Line]) -> str:
    inside = sum(bool(line.folder) for line in lines)
    outside = len(lines) - inside
    return f"{counted(inside, 'plan')} in the pack, {outside} not."


def title(lines: Sequence[Line], site_name: str, made_at: datetime) -> str:
    """`made_at`: local to the site, naive."""
    as_of = {line.case.file.as_of for line in lines}
    proven = next(iter(as_of)) if len(as_of) == 1 else None
    upto = f"fractions up to {day_or_time(proven)}" if proven is not None else "how old its fractions are is not known"
    return f"{site_name}: pack of {at_time(made_at)}, {upto}"


def as_html(lines: Sequence[Line], site_name: str, made_at: datetime) -> bytes:
    head = escape(printable(title(lines, site_name, made_at)))
    rows = "".join(_row(line) for line in lines)
    heads = "".join(f"<th>{name}</th>" for name in COLUMNS)
    told = (
        f"{summary(lines)} Fractions given after that are not counted here: ask the machine. Check the pack with "
        "<code>sha256sum -c SHA256SUMS</code>."
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{head}</title><style>{_STYLE}</style>'
        f"<h1>{head}</h1><p>{told}</p><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></html>\n"
    ).encode()


def _row(line: Line) -> str:
    cells = ["<br>".join(escape(printable(part)) for part in cell.split("\n")) for cell in line.cells]
    if line.folder:
        chart = quote(f"{line.folder}.pdf")
        where = cells[-1].replace("/", "/<wbr>")
        cells[-1] = f'{where}<br><a href="{chart}">paper chart</a>'
    marked = [f'<td class="no">{c}</td>' if c.startswith("■") else f"<td>{c}</td>" for c in cells]
    return f"<tr>{''.join(marked)}</tr>"


def as_workbook(lines: Sequence[Line], site_name: str, made_at: datetime, paper: str) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Pack"
    told = [(title(lines, site_name, made_at),), (summary(lines),)]
    for number, row in enumerate([*told, COLUMNS, *(line.cells for line in lines)], start=1):
        for column, text in enumerate(row, start=1):
            cell = cast("Cell", sheet.cell(number, column))
            text_into(cell, text)
            cell.font = Font(name="Calibri", bold=number in {1, 3} or text.startswith("■"))
            if number >= 3:
                cell.alignment = Alignment(wrap_text=True, vertical="top")
        if number >= 3:
            lines_needed = max(lines_of(text, width - 2) for text, width in zip(row, _WIDTHS, strict=True))
            sheet.row_dimensions[number].height = LINE_HEIGHT * lines_needed
    for letter, width in zip("ABCDEFGHIJ", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A4"
    sheet.print_title_rows = "3:3"
    as_wide_as_paper(sheet, "landscape", paper)
    book.properties.created = book.properties.modified = made_at
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
