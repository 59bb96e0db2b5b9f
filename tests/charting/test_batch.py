"""A department's charts in one document: every page is of one patient and one plan, wherever it is looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageChops

from recovery.charting import ChartCode, chart_sheets, charts_pdf
from recovery.charting.canvas import Paper
from recovery.charting.sheet import ChartSheet
from recovery.patient.file import PatientFile, read_patient_files
from tests import objects as o
from tests.charting.pages import texts
from tests.photos import RED, picture
from tests.recovery.patient_clinic import NOW, SITE, Clinic, anna, bo, photograph, tell_of, treated, whose

PATIENTS = 8
"""Each kind of chart twice, so that each is drawn after each of its neighbours."""
_FOOT = re.compile(r"PlanUID(?P<uid>[\d.]+|—)checksum(?P<checksum>[0-9a-f]{16})")
_HEAD = re.compile(r"ID(?P<patient_id>\w+)born")


@dataclass(frozen=True)
class Batch:
    """The charts of all patients in one document, and its pictures; `alone`: those of each in one of its own."""

    files: list[PatientFile]
    made: bytes
    pages: list[Image.Image]
    alone: list[bytes]


@pytest.fixture(scope="module", params=["a4", "letter"])
def batch(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """By turns: an ordinary patient, an interrupted one, one with two plans and a photo, one with long notes."""
    clinic, ids = Clinic(), [f"P{n:03d}" for n in range(PATIENTS)]
    for n, patient_id in enumerate(ids):
        name = f"FAMILY{n}^Given"
        if n % 4 == 0:
            anna(clinic, patient_id, name)
        elif n % 4 == 1:
            bo(clinic, patient_id, name)
        elif n % 4 == 2:
            anna(clinic, patient_id, name)
            bo(clinic, patient_id, name)
            photograph(clinic, patient_id, picture(RED))
        else:
            many = {beam: 50.0 + beam for beam in range(1, 9)}
            plan = o.plan(many, fractions=30, RTPlanLabel="Neck", **whose(patient_id, name))
            clinic.add(plan, treated(plan, range(1, 4), many))
            tell_of(clinic, plan, notes=f"Notes of {patient_id}. " * 60)
    files = read_patient_files(clinic.write(tmp_path_factory.mktemp("cache")), SITE, ids, NOW)
    paper = cast("Paper", request.param)
    made = charts_pdf(files, paper=paper)
    return Batch(files, made, drawn(made), [charts_pdf([file], paper=paper) for file in files])


def sheets_of(batch: Batch) -> list[ChartSheet]:
    return [sheet for file in batch.files for sheet in chart_sheets(file)]


def drawn(made: bytes) -> list[Image.Image]:
    return [page.render(scale=200 / 72).to_pil().convert("L") for page in pypdfium2.PdfDocument(made)]


def test_head_foot_and_code_of_every_page_agree_with_one_patient_and_one_plan(batch: Batch) -> None:
    expected = {(s.patient_id, s.plan_uid, s.checksum): s for s in sheets_of(batch)}
    assert len(expected) == PATIENTS + PATIENTS // 4
    met = []
    for text, page in zip(texts(batch.made), batch.pages, strict=True):
        flat = "".join(text.split()).replace("\u200b", "").replace("·", "")
        [foot], [head] = _FOOT.finditer(flat), set(_HEAD.findall(flat))
        [scanned] = zxingcpp.read_barcodes(page, formats=zxingcpp.BarcodeFormat.QRCode)
        code = ChartCode.from_text(scanned.text)
        assert (head, foot["uid"], foot["checksum"]) == (code.patient_id, code.plan_uid, code.checksum)
        sheet = expected[(code.patient_id, code.plan_uid, code.checksum)]
        assert "".join(sheet.patient_name.split()) in flat and f"Plan{sheet.plan_label}" in flat
        met.append((code.patient_id, code.plan_uid, code.checksum))
    assert list(dict.fromkeys(met)) == list(expected), "each sheet once, in order, its pages together"


def test_a_sheet_in_a_batch_is_drawn_as_it_is_drawn_alone(batch: Batch) -> None:
    """State that leaks from one sheet to the next (a footer, a grey fill) is a difference of pixels."""
    together, apart = batch.pages, [page for made in batch.alone for page in drawn(made)]
    assert len(together) == len(apart)
    pairs = enumerate(zip(together, apart, strict=True))
    differing = [n for n, pair in pairs if ImageChops.difference(*pair).getbbox()]
    assert differing == []


def test_a_page_that_ends_within_grey_letters_has_a_black_head(tmp_path: Path) -> None:
    clinic = Clinic()
    plan = anna(clinic)
    clinic.rows["setup_notes"][-1]["setup_note"] = "Line\n" * 200
    clinic.rows["plan_fields"][0]["setup_note"] = "Other line\n" * 200
    [file] = read_patient_files(clinic.write(tmp_path), SITE, [str(plan.PatientID)], NOW)
    pages = drawn(charts_pdf([file]))
    heads = [page.crop((60, 60, page.width - 200, 120)) for page in pages]
    assert len(heads) > 2 and all((head.getextrema() or (255, 255))[0] < 30 for head in heads)
