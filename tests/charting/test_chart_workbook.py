"""The paper chart as a workbook: the same content, whole, and as text whatever it looks like."""

from __future__ import annotations

import base64
import dataclasses
import html
import io
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from PIL import Image

from recovery.charting import ChartCode, chart_sheets, charts_workbook
from recovery.patient.file import PatientFile
from recovery.patient.photos import Photo
from tests.charting.pages import golden_files
from tests.photos import RED, picture

LONG = " ".join(f"Satz {n}: Kinn hoch." for n in range(1, 200))
"""4,000 characters."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[PatientFile]:
    return golden_files(tmp_path_factory.mktemp("cache"))


def sheets_of(made: bytes) -> list[Worksheet]:
    return load_workbook(io.BytesIO(made)).worksheets


def words_in(sheet: Worksheet) -> str:
    values = (str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None)
    return " ".join(" ".join(values).split())


def test_a_sheet_per_plan_says_everything_that_the_chart_says(files: list[PatientFile]) -> None:
    sheets = sheets_of(charts_workbook(files))
    assert [s.title for s in sheets] == ["100231 Breast_L", "100377 Prostate"]
    for sheet, file in zip(sheets, files, strict=True):
        said, [chart] = words_in(sheet), chart_sheets(file)
        for text in (*chart.stops, *chart.looks, chart.patient_name, chart.as_of, chart.checksum, chart.next_fraction):
            assert text in said
        rows = (*chart.fields.rows, *chart.last_fractions.rows)
        for text in [v for _, v in (*chart.prescription, *chart.plan, *chart.people, *chart.setup)]:
            assert " ".join(text.split()) in said
        assert all(" ".join(text.split()) in said for row in rows for text in row)
    assert "■ INTERRUPTED: finish fraction 5 first, 50.0 MU left" in words_in(sheets[1])
    black = [c for row in sheets[1].iter_rows() for c in row if c.fill.fgColor.rgb == "00000000" and c.fill.fill_type]
    assert any("INTERRUPTED" in str(cell.value) and cell.font.color.rgb == "00FFFFFF" for cell in black)


def test_the_code_in_the_workbook_is_read_by_a_scanner(files: list[PatientFile]) -> None:
    for sheet, file in zip(sheets_of(charts_workbook(files)), files, strict=True):
        [picture] = sheet._images  # type: ignore[attr-defined]
        [found] = zxingcpp.read_barcodes(Image.open(picture.ref).convert("L"))
        assert ChartCode.from_text(found.text).checksum == chart_sheets(file)[0].checksum


@pytest.mark.parametrize(("paper", "number"), [("a4", 9), ("letter", 1)])
def test_each_printed_page_is_headed_with_who_it_is(files: list[PatientFile], paper: str, number: int) -> None:
    odd = dataclasses.replace(files[0].identity, patient_name="O&NEIL, B & C", patient_id="1&2")
    made = charts_workbook([dataclasses.replace(files[0], identity=odd)], paper=paper)  # type: ignore[arg-type]
    [sheet] = sheets_of(made)
    assert sheet.page_setup.paperSize == number and sheet.page_setup.fitToWidth == 1
    written = zipfile.ZipFile(io.BytesIO(made)).read("xl/worksheets/sheet1.xml").decode()
    [head] = re.findall("<oddHeader>(.*?)</oddHeader>", written)
    assert "O&&NEIL, B && C   ID 1&&2   born 1958-07-04 (68 y)" in html.unescape(head)
    assert html.unescape(head).endswith("page &P of &N")


def test_texts_that_look_like_formulas_or_break_xml_stay_texts(files: list[PatientFile]) -> None:
    odd = dataclasses.replace(files[0].identity, patient_name="=1+1 \x07 [a]:*?/\\")
    [sheet] = sheets_of(charts_workbook([dataclasses.replace(files[0], identity=odd)]))
    assert sheet["A1"].data_type == "s" and sheet["A1"].value == "=1+1 \ufffd [a]:*?/\\" and sheet["A1"].quotePrefix


def with_long_note(file: PatientFile) -> PatientFile:
    plan = file.plans[0]
    note = dataclasses.replace(plan.setup_notes[0], setup_note=LONG)
    return dataclasses.replace(file, plans=(dataclasses.replace(plan, setup_notes=(note,)),))


def test_a_note_of_four_thousand_letters_is_whole_in_rows_that_excel_can_show(files: list[PatientFile]) -> None:
    [sheet] = sheets_of(charts_workbook([with_long_note(files[0])]))
    assert LONG in words_in(sheet)
    heights = [sheet.row_dimensions[n].height or 13 for n in range(1, sheet.max_row + 1)]
    assert max(heights) <= 409 and sum(h > 100 for h in heights) >= 2


def test_two_sheets_never_bear_the_same_title(files: list[PatientFile]) -> None:
    titles = [s.title for s in sheets_of(charts_workbook([files[0]] * 3))]
    assert len({title.casefold() for title in titles}) == 3
    assert [s.title for s in sheets_of(charts_workbook([]))] == ["No charts"]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="install LibreOffice: apt-get install libreoffice-calc")
@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_printed_by_an_office_program_nothing_is_cut(files: list[PatientFile], paper: str, tmp_path: Path) -> None:
    book = tmp_path / "charts.xlsx"
    book.write_bytes(charts_workbook([with_long_note(files[0]), files[1]], paper=paper))  # type: ignore[arg-type]
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "pdf"]
    subprocess.run([*command, "--outdir", str(tmp_path), str(book)], check=True, capture_output=True, timeout=200)
    pages = [p.get_textpage().get_text_range() for p in pypdfium2.PdfDocument((tmp_path / "charts.pdf").read_bytes())]
    said = "".join(" ".join(pages).split())
    assert "###" not in said
    for sentence in LONG.split(". "):
        assert "".join(sentence.split()) in said, sentence
    assert all("ID100231born1958-07-04" in "".join(p.split()) or "ID100377born" in "".join(p.split()) for p in pages)


def test_the_photo_stands_beside_the_code_and_where_there_is_none_the_head_says_so(files: list[PatientFile]) -> None:
    data = picture(RED, (300, 400))
    photo = Photo(None, "image/jpeg", base64.b64encode(data).decode())
    with_it, without = sheets_of(charts_workbook([dataclasses.replace(files[0], photo=photo), files[1]]))
    face, code = with_it._images
    assert face._data() == data and (face.anchor.ext.width / 9525, face.anchor.ext.height / 9525) == (66, 88)
    assert [i.anchor._from.col for i in (face, code)] == [8, 10]
    assert "no photo" not in words_in(with_it) and "no photo" in words_in(without) and len(without._images) == 1
    broken = dataclasses.replace(files[0], photo=Photo(None, "image/jpeg", "AAAA"))
    assert "The photo cannot be read." in words_in(sheets_of(charts_workbook([broken]))[0])
