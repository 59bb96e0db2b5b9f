"""The Excel file: read again with openpyxl, compared with its golden text, attacked with formulas."""

from __future__ import annotations

import html
import io
import re
import zipfile
from dataclasses import replace
from datetime import date, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from app.components.output import list_export
from app.exports import excel, sheets
from recovery.lists import columns, gaps, rows
from tests.app import clinic, golden
from tests.app.frames import frame_of

LISTS = [columns.ON_TREATMENT, columns.CLOCKS, columns.NOT_ENTERED, columns.MACHINE_DAY, columns.SINCE_PROOF]
LISTS.append(columns.NOT_STARTED)


def sheet_of(*table: dict[str, object], about: excel.About = golden.ABOUT) -> Worksheet:
    return load_workbook(io.BytesIO(excel.workbook(described(list(table)), about))).worksheets[0]


def described(table: list[dict[str, object]]) -> pd.DataFrame:
    return gaps.with_gaps(rows.describe(frame_of(table)), clinic.LOCAL.date())


def column(heading: str) -> int:
    return [c.in_full or c.heading for c in columns.ON_TREATMENT.columns].index(heading) + 1


def test_the_workbook_is_as_the_golden_text_says() -> None:
    assert golden.dump(golden.notable_workbook()) == golden.FILE.read_text(encoding="utf-8"), (
        "if the change is meant: python -m tests.app.golden"
    )


def test_dates_and_numbers_are_typed_and_their_columns_wide_enough() -> None:
    sheet = sheet_of(
        clinic.row("A", "00012", "P", 4, interrupted_fraction=5, interrupted_remaining_in_words="50.0 MU left")
    )
    delivered, last = sheet.cell(2, column("Delivered")), sheet.cell(2, column("Last treated"))
    assert (delivered.value, delivered.data_type) == (4, "n")
    assert isinstance(last.value, datetime)
    assert last.number_format == "yyyy-mm-dd hh:mm"
    assert sheet.column_dimensions[last.column_letter].width >= len("2026-11-24 14:32")
    born = sheet.cell(2, column("Born"))
    assert isinstance(born.value, date)
    assert born.number_format == "yyyy-mm-dd"
    assert sheet.cell(2, column("ID")).value == "00012"


@pytest.mark.parametrize("layout", LISTS, ids=lambda one: one.title)
def test_no_list_has_a_column_too_narrow_for_its_dates(layout: columns.Shown) -> None:
    rows_of = [{one.name: None for one in layout.columns} | {"mark": ""}]
    for one in layout.columns:
        if one.kind in {"day", "moment"}:
            rows_of[0][one.name] = datetime(2026, 11, 24, 14, 32)  # noqa: DTZ001  site-local
    sheet = Workbook().worksheets[0]
    sheets.fill(sheet, layout, rows_of)
    narrow = [
        one.name
        for one, cell in zip(layout.columns, sheet[2], strict=True)
        if layout.letters.get(one.name, one.letters)[0] < len(cell.number_format) and isinstance(cell.value, datetime)
    ]  # Excel shows #### there
    assert not narrow


def test_what_a_file_says_of_itself_is_as_high_as_its_lines() -> None:
    long = "Backup is 7 minutes old. " * 12
    about = replace(golden.ABOUT, status=long)
    sheet = load_workbook(io.BytesIO(excel.workbook(described([clinic.row("A", "1", "P", 4)]), about)))["About"]
    [number] = [cell.row for cell in sheet["B"] if cell.value == long]
    assert (sheet.row_dimensions[number].height or 0) >= 15 * len(long) / 80, "else the age is printed over"


def test_a_text_beside_numbers_stands_off_them() -> None:
    layout, book = columns.NOT_ENTERED, Workbook()
    sheets.head(book.worksheets[0], layout)
    indents = {cell.value: cell.alignment.indent for cell in book.worksheets[0][1]}
    assert (indents["Missed"], indents["Intent prescribed"], indents["Next fraction"]) == (0, 1, 0)


def test_an_absent_value_is_a_dash() -> None:
    sheet = sheet_of(clinic.row(None, "1", None, None, next_appointment_at=None, patient_birth_date=None))
    absent = ("Name", "Plan", "Delivered", "Remaining", "Next appointment", "Born")
    assert [sheet.cell(2, column(heading)).value for heading in absent] == ["—"] * len(absent)


@pytest.mark.parametrize("attack", ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")'])
def test_what_looks_like_a_formula_stays_a_text(attack: str) -> None:
    table = described([clinic.row(attack, "=2", attack, 1, earlier_plans=attack, remarks="x")])
    file = excel.workbook(table, excel.About(attack, "UTC", None, clinic.LOCAL, clinic.LOCAL, attack, attack, attack))
    for sheet in load_workbook(io.BytesIO(file)):
        assert not [cell.coordinate for cells in sheet.iter_rows() for cell in cells if cell.data_type == "f"]
    with zipfile.ZipFile(io.BytesIO(file)) as parts:
        assert not [name for name in parts.namelist() if "sheet" in name and b"<f>" in parts.read(name)]
    name = load_workbook(io.BytesIO(file)).worksheets[0].cell(2, column("Name"))
    assert name.quotePrefix


@given(st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_text_breaks_the_file(text: str) -> None:
    book = Workbook()
    sheets.text_into(book.worksheets[0]["A1"], text)
    file = io.BytesIO()
    book.save(file)
    read = load_workbook(io.BytesIO(file.getvalue())).worksheets[0]["A1"]
    assert read.data_type in {"s", "n"}  # an empty text is read as no value


@pytest.mark.parametrize("site", ["A & B", "12 oaks", "&P &D", "x" * 400, "\x07bell"])
def test_a_site_of_any_name_fits_the_page_header(site: str) -> None:
    about = excel.About(site, "UTC", clinic.LOCAL, clinic.LOCAL, clinic.LOCAL, "", "", "")
    file = excel.workbook(described([clinic.row("A", "1", "P", 1)]), about)
    with zipfile.ZipFile(io.BytesIO(file)) as parts:
        xml = parts.read("xl/worksheets/sheet1.xml").decode()
    header = html.unescape(re.findall(r"<oddHeader>(.*?)</oddHeader>", xml)[0])
    assert header.startswith("&L" + site.replace("\x07", " ").replace("&", "&&")[:50])
    assert header.endswith("&RProven up to 2026-11-24 14:38")
    assert len(header) <= 255
    assert re.findall("&[^&]", header.replace("&&", "")) == ["&L", "&R"]


def test_the_sheet_prints_on_landscape_pages_that_each_bear_head_age_and_number() -> None:
    sheet = sheet_of(clinic.row("A", "1", "P", 1))
    assert sheet.page_setup.orientation == "landscape"
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
    assert sheet.sheet_properties.pageSetUpPr is not None
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.freeze_panes == "C2"
    assert sheet.oddFooter is not None
    assert sheet.oddFooter.right is not None
    assert sheet.oddFooter.right.text == "Page &P of &N"


def test_what_no_paper_has_makes_no_printed_line_higher() -> None:
    layout, long = columns.ON_TREATMENT, "Not applicable: Malignant neoplasm of prostate (of the diagnosis)"
    names = [one.name for one in layout.columns]
    beside = [one.name for one in layout.columns[names.index(str(layout.printed_up_to)) + 1 :] if one.kind == "text"]
    table = described([clinic.row("A", "1", "P", 1)]).assign(**dict.fromkeys(beside, long))
    about = excel.About("Clinic", "UTC", clinic.LOCAL, clinic.LOCAL, clinic.LOCAL, "", "", "")
    sheet = load_workbook(io.BytesIO(excel.workbook(table, about))).worksheets[0]
    alone = sheet_of(clinic.row("A", "1", "P", 1))
    assert len(beside) > 4 and sheet.row_dimensions[2].height == alone.row_dimensions[2].height


def test_the_order_of_the_rows_is_kept() -> None:
    sheet = sheet_of(*(clinic.row(name, name, "P", 1) for name in ("C", "A", "B")))
    assert [sheet.cell(row, column("Name")).value for row in (2, 3, 4)] == ["C", "A", "B"]


def test_the_file_name_bears_the_time_and_no_patient() -> None:
    assert list_export.file_name(clinic.LOCAL) == "on_treatment_2026-11-24_1438.xlsx"


@pytest.mark.parametrize("paper", [297, 279.4], ids=["A4", "Letter"])
@pytest.mark.parametrize(
    "layout",
    LISTS,
    ids=lambda one: one.title,
)
def test_a_printed_sheet_is_legible_however_long_its_texts(layout: columns.Shown, paper: float) -> None:
    names = [one.name for one in layout.columns]
    printed = layout.columns[: names.index(layout.printed_up_to) + 1] if layout.printed_up_to else layout.columns
    pixels = sum(
        7 * layout.letters.get(one.name, one.letters)[1] + 5 for one in printed
    )  # of Calibri 11, at 96 to the inch
    across = (paper - 2 * 0.4 * 25.4) / 25.4 * 96
    assert 11 * min(1, across / pixels) >= 7.5, "points"
