"""Workbooks as small text: a line per cell, so that a change of the Excel file is read in a diff.

`python -m tests.app.golden` writes the golden file anew.
"""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from pathlib import Path

from openpyxl import load_workbook

from app.exports import excel
from recovery.lists import filters, gaps, rows
from tests.app import clinic
from tests.app.frames import frame_of

FILE = Path(__file__).parent / "on_treatment.golden.txt"

ABOUT = excel.About(
    site="Demo clinic",
    time_zone="Europe/Zurich",
    as_of=clinic.LOCAL - timedelta(minutes=6),
    built_at=clinic.LOCAL - timedelta(minutes=5),
    exported_at=clinic.LOCAL,
    status="● Backup is 6 minutes old. Everything up to Tue 14:32 is proven in the RT-PACS.",
    filters=filters.View().in_words,
    hidden="4 more: 2 completed, 1 on break, 1 superseded",
)


def notable_workbook() -> bytes:
    """The notable rows, as the page opens on them."""
    shown, _ = filters.select(rows.describe(frame_of(clinic.notable_rows())), filters.View(), clinic.LOCAL.date())
    return excel.workbook(gaps.with_gaps(shown, clinic.LOCAL.date()), ABOUT)


def dump(file: bytes) -> str:
    """Each cell that holds something: its place, its type, its value, its number format when that says something."""
    lines = []
    for sheet in load_workbook(io.BytesIO(file)):
        widths = [f"{name}={sheet.column_dimensions[name].width:g}" for name in sorted(sheet.column_dimensions)]
        lines.append(f"# {sheet.title} frozen {sheet.freeze_panes} filter {sheet.auto_filter.ref} {' '.join(widths)}")
        for cells in sheet.iter_rows():
            for cell in cells:
                if cell.value is not None:
                    value = cell.value.isoformat() if isinstance(cell.value, date | datetime) else repr(cell.value)
                    shown_as = "" if cell.number_format == "General" else f" as {cell.number_format}"
                    bold = " bold" if cell.font.bold else ""
                    lines.append(f"{cell.coordinate} {cell.data_type} {value}{shown_as}{bold}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(dump(notable_workbook()), encoding="utf-8")
