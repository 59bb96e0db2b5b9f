"""The paper chart as PDF, read back: by its text, by a scanner, and by where each letter stands."""

from __future__ import annotations

import base64
import dataclasses
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from recovery.charting import ChartCode, FontError, chart_sheets, charts_pdf
from recovery.charting.canvas import Paper
from recovery.charting.letters import letters_for
from recovery.patient.file import PatientFile, read_patient_file, read_patient_files
from recovery.patient.photos import Photo
from recovery.patient.plan import PlanFile
from tests import objects as o
from tests.charting.marks import MARKS_FONT, made
from tests.charting.pages import GOLDEN, flat, golden_text, texts
from tests.photos import RED, picture
from tests.recovery.patient_clinic import NOW, SITE, Clinic, anna, bo, tell_of, treated, whose

LONG_NAME = "LÜDENSCHEIDT-VON-DER-ÖSTERREICHISCHEN-HALBINSEL^Maximiliane Eleonore"
LONG_NOTE = " ".join(f"Satz {n}: Kinn hoch, Schultern tief." for n in range(1, 115))
"""4,000 characters."""
PROJECT = Path(__file__).resolve().parents[2]
SIZES = {"a4": (595.28, 841.89), "letter": (612.0, 792.0)}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PatientFile]:
    """An ordinary, an interrupted and a long patient, and one whom nobody may treat from the backup."""
    clinic = Clinic()
    anna(clinic)
    bo(clinic)
    long = o.plan(
        {n: 100.0 + n for n in range(1, 13)}, fractions=44, RTPlanLabel="HeadNeck", **whose("100555", LONG_NAME)
    )
    clinic.add(long, treated(long, range(1, 41), {n: 100.0 + n for n in range(1, 13)}))
    tell_of(clinic, long, notes=LONG_NOTE, site="Oropharynx with both necks " * 5)
    clinic.rows["setup_notes"][-1]["setup_note"] = LONG_NOTE[::-1]
    japanese = o.plan({1: 200.0}, ApprovalStatus="UNAPPROVED", RTPlanLabel="Lung", **whose("4711", "山田^太郎"))
    clinic.add(japanese, treated(japanese, [1, 2], {1: 200.0}))
    clinic.not_held.add(str(japanese.SOPInstanceUID))
    cache = clinic.write(tmp_path_factory.mktemp("cache"))
    ids = ["100231", "100377", "100555", "4711"]
    return {f.identity.patient_id: f for f in read_patient_files(cache, SITE, ids, NOW)}


def with_row(file: PatientFile, **changes: object) -> PatientFile:
    """The same patient, whose first plan's row says something else."""
    plan: PlanFile = file.plans[0]
    row = dataclasses.replace(plan.row, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(file, plans=(dataclasses.replace(plan, row=row), *file.plans[1:]))


def test_the_charts_are_the_golden_text(tmp_path: Path) -> None:
    assert golden_text(tmp_path) == GOLDEN.read_text(encoding="utf-8"), "python -m tests.charting.pages writes it anew"


@pytest.fixture(scope="module", params=["a4", "letter"])
def printed(request: pytest.FixtureRequest, files: dict[str, PatientFile]) -> tuple[Paper, bytes]:
    """Everybody's charts in one document."""
    paper: Paper = request.param
    return paper, charts_pdf(list(files.values()), paper=paper)


def test_every_page_bears_name_id_birth_date_and_its_number(
    files: dict[str, PatientFile], printed: tuple[Paper, bytes]
) -> None:
    pages = ["".join(page.split()).replace("\u200b", "") for page in texts(printed[1])]
    for file in files.values():
        own = [page for page in pages if f"ID{file.identity.patient_id}born1958-07-04" in page.split("Plan")[0]]
        assert own and all("".join(str(file.identity.patient_name).split()) in page for page in own)
        assert all("DemoclinicasofTue24Nov202614:32" in page.replace("·", "") for page in own)
        numbers = [re.findall(r"page(\d+)of(\d+)", page) for page in own]
        assert numbers == [[(str(n), str(len(own)))] for n in range(1, len(own) + 1)]
        pages = [page for page in pages if page not in own]
    assert pages == []


def test_a_scanner_reads_patient_plan_and_checksum_from_every_printed_page(
    files: dict[str, PatientFile], printed: tuple[Paper, bytes]
) -> None:
    paper, made = printed
    document = pypdfium2.PdfDocument(made)
    for page in document:
        assert page.get_size() == pytest.approx(SIZES[paper], abs=0.1)
        [found] = zxingcpp.read_barcodes(page.render(scale=200 / 72).to_pil().convert("L"))
        code = ChartCode.from_text(found.text)
        [sheet] = chart_sheets(files[code.patient_id])
        assert code == ChartCode(sheet.patient_id, sheet.plan_uid, sheet.checksum)


def test_no_letter_leaves_the_page_and_long_texts_are_whole(printed: tuple[Paper, bytes]) -> None:
    paper, made = printed
    width, height = SIZES[paper]
    for page in pypdfium2.PdfDocument(made):
        text = page.get_textpage()
        for index in range(text.count_chars()):
            left, bottom, right, top = text.get_charbox(index)
            assert left >= 20 and right <= width - 20 and bottom >= 15 and top <= height - 15, text.get_text_range()
    said = "".join(flat(made).split())
    for whole in (LONG_NOTE, LONG_NOTE[::-1], "Oropharynx with both necks " * 5, "山田, 太郎"):
        wanted = "".join(whole.split())
        pieces = [wanted[n : n + 60] for n in range(0, len(wanted), 60)]
        broken = [piece for piece in pieces if piece not in said]
        assert len(broken) <= 1, f"a page may end within one piece, not within {broken}"


def test_the_same_copy_gives_the_same_bytes_whenever_it_is_printed(tmp_path: Path) -> None:
    clinic = Clinic()
    anna(clinic)
    cache = clinic.write(tmp_path)
    minutes = [read_patient_file(cache, SITE, "100231", NOW + timedelta(minutes=m)) for m in (0, 3)]
    made = [charts_pdf([file]) for file in minutes]
    assert made[0] == made[1] and b"CreationDate (D:20261124143200Z)" in made[0]


def test_two_machines_that_hash_differently_print_the_same_bytes() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.charting.pages", "sha256"],
            cwd=PROJECT, capture_output=True, text=True, check=True, timeout=120,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1


def test_what_began_and_was_not_recorded_stops_on_paper_too(
    files: dict[str, PatientFile],
) -> None:
    begun = "fraction 8 began, and its end was not recorded: look at the machine before treating"
    (sheet,) = chart_sheets(with_row(files["100231"], in_flight=begun))
    assert sheet.stops == (f"NOT RECORDED: {begun}.",)
    assert f"NOT RECORDED: {begun}." in flat(charts_pdf([with_row(files["100231"], in_flight=begun)]))


def test_an_interrupted_fraction_stands_white_on_black_on_every_page(files: dict[str, PatientFile]) -> None:
    made = charts_pdf([files["100377"]])
    pages = texts(made)
    assert "INTERRUPTED: finish fraction 5 first, 50.0 MU left (Field 1 12.0, Field 2 38.0)." in flat(made)
    assert len(pages) > 1 and all("INTERRUPTED" in page for page in pages)
    assert "finish 5 of 20 first (4 given)" in pages[0] and "rest" in pages[0]
    for page in pypdfium2.PdfDocument(made):
        grey = page.render(scale=1).to_pil().convert("L")
        dark = [sum(grey.getpixel((x, y)) < 60 for x in range(grey.width)) for y in range(grey.height // 4)]
        assert sum(count > 0.7 * grey.width for count in dark) >= 8, "no black bar across the page"


def test_what_forbids_treatment_is_said_with_its_reason(files: dict[str, PatientFile]) -> None:
    japanese = flat(charts_pdf([files["4711"]]))
    assert "NOT READY: missing plan" in japanese
    assert "NOT APPROVED: the plan is unapproved." in japanese
    assert "NO PRESCRIPTION: get site, laterality" in japanese
    ordinary = files["100231"]
    assert chart_sheets(ordinary)[0].stops == ()
    [not_asked] = chart_sheets(with_row(ordinary, ready=None, missing=None))[0].stops
    assert not_asked.startswith("NOT READY") and "not known to be held" in not_asked


def test_an_old_copy_and_one_without_proof_say_so_in_black(files: dict[str, PatientFile]) -> None:
    old = dataclasses.replace(files["100231"], as_of=files["100231"].now - timedelta(days=3, hours=4))
    assert "OLD COPY: 3 d 4 h old when printed" in flat(charts_pdf([old]))
    hour = dataclasses.replace(files["100231"], as_of=files["100231"].now - timedelta(hours=1))
    assert any("OLD COPY" in said for said in chart_sheets(hour)[0].looks)
    at_its_pace = dataclasses.replace(hour, grace=timedelta(minutes=90))
    assert not any("OLD COPY" in said for said in chart_sheets(at_its_pace)[0].looks), "the config's pace"
    unproven = dataclasses.replace(files["100231"], as_of=None)
    said = flat(charts_pdf([unproven]))
    assert "NOTHING PROVEN" in said and "as of nothing proven" in said


@pytest.mark.parametrize(
    ("status", "word"), [("completed", "COMPLETED"), ("superseded", "SUPERSEDED"), ("closed", "CLOSED")]
)
def test_a_plan_that_is_over_has_no_rows_to_sign(files: dict[str, PatientFile], status: str, word: str) -> None:
    over = with_row(files["100231"], status=status)
    [sheet] = chart_sheets(over)
    assert sheet.blank_rows == 0 and sheet.first_row == "" and sheet.stops[0].startswith(word)
    assert "Signed" not in flat(charts_pdf([over]))


def test_without_records_no_number_stands_in_the_first_row(files: dict[str, PatientFile]) -> None:
    plan = dataclasses.replace(files["100231"].plans[0], ledger=None)
    [sheet] = chart_sheets(dataclasses.replace(files["100231"], plans=(plan,)))
    assert sheet.first_row == "" and "NO RECORDS" in sheet.stops[0]
    assert sheet.next_fraction == "unknown: not all tables that it is counted from are there"


def test_a_patient_without_a_plan_has_a_page_that_says_so(files: dict[str, PatientFile]) -> None:
    nobody = dataclasses.replace(files["100231"], plans=())
    [sheet] = chart_sheets(nobody)
    assert sheet.plan_uid is None and "NO PLAN" in flat(charts_pdf([nobody]))
    assert ChartCode.from_text(ChartCode(sheet.patient_id, None, sheet.checksum).text).plan_uid is None


def test_there_are_at_least_ten_rows_to_sign_and_the_first_bears_what_the_ledger_says(
    files: dict[str, PatientFile],
) -> None:
    for file in files.values():
        [sheet], ledger = chart_sheets(file), file.plans[0].ledger
        assert sheet.blank_rows >= 10 and ledger is not None
        assert sheet.first_row.split()[0] == str(ledger.next.fraction_number)
    [berg] = chart_sheets(files["100377"])
    assert [(b.name, b.first) for b in berg.beams] == [("1", "12.0"), ("2", "38.0")]
    assert [row[0] for row in chart_sheets(files["100555"])[0].last_fractions.rows] == ["36", "37", "38", "39", "40"]


def test_marks_have_a_small_font_of_their_own_which_is_what_its_maker_draws() -> None:
    assert MARKS_FONT.read_bytes() == made(), "python -m tests.charting.marks"
    assert letters_for(["■ ▲ ● □ Ärzte · 12 × 2 …"]).fallbacks == (("marks", MARKS_FONT),)
    assert [family for family, _ in letters_for(["■ 日本"]).fallbacks] == ["marks", "cjk"]


def test_letters_that_no_font_has_are_boxes_and_are_named(files: dict[str, PatientFile]) -> None:
    thai = dataclasses.replace(files["100231"].identity, patient_name="ABELSEN, กAnna😀")
    made = flat(charts_pdf([dataclasses.replace(files["100231"], identity=thai)]))
    assert "ABELSEN, □Anna□" in made and "U+0E01 THAI CHARACTER KO KAI" in made and "U+1F600" in made
    cyrillic = dataclasses.replace(thai, patient_name="ЩЕРБАКОВА, Наталья Őrsi 김")
    made = flat(charts_pdf([dataclasses.replace(files["100231"], identity=cyrillic)]))
    assert "ЩЕРБАКОВА, Наталья Őrsi 김" in made and "NO FONT" not in made


def test_a_font_that_is_none_is_an_error_with_its_key(files: dict[str, PatientFile], tmp_path: Path) -> None:
    path = tmp_path / "no.ttf"
    path.write_bytes(b"no font")
    thai = dataclasses.replace(files["100231"].identity, patient_name="ก")
    with pytest.raises(FontError, match=r"\[charts\] font"):
        charts_pdf([dataclasses.replace(files["100231"], identity=thai)], own_font=path)


def with_photo(file: PatientFile, data: bytes) -> PatientFile:
    return dataclasses.replace(file, photo=Photo(None, "image/jpeg", base64.b64encode(data).decode()))


def red_part(pdf: bytes, page: int) -> float:
    """Which part of a page is red."""
    drawn = pypdfium2.PdfDocument(pdf)[page].render(scale=1).to_pil().convert("RGB")
    red, green, _ = drawn.split()
    is_red = ImageChops.darker(red.point(lambda r: 255 * (r > 150)), green.point(lambda g: 255 * (g < 75)))
    return is_red.histogram()[255] / (drawn.width * drawn.height)


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_each_plans_first_page_bears_the_photo_as_the_file_that_it_is(
    files: dict[str, PatientFile], paper: Paper
) -> None:
    data = picture(RED, (300, 400))
    [plan] = files["100231"].plans
    twice = dataclasses.replace(with_photo(files["100231"], data), plans=(plan, plan))
    made = charts_pdf([twice], paper=paper)
    assert made == charts_pdf([twice], paper=paper)
    assert made.count(data) == 1, "once for both, and not drawn anew"
    size = SIZES[paper][0] * SIZES[paper][1] / (72 / 25.4) ** 2
    told = [red_part(made, page) * size for page in range(len(texts(made)))]
    assert [t > 0 for t in told] == [True, False] * 2
    assert all(0.5 * 26 * 34 * 0.9 < t < 0.5 * 26 * 34 * 1.1 for t in told if t), "the upper half of its frame, mm²"
    assert "no photo" not in flat(made) and "no photo" in texts(charts_pdf([files["100231"]]))[0]


def test_a_photo_stands_whole_above_the_foot_wherever_the_warnings_before_it_end(files: dict[str, PatientFile]) -> None:
    for lines in range(24, 64, 4):
        file = dataclasses.replace(with_photo(files["100231"], picture(RED)), alerts="Alert\n" * lines)
        things = [t for page in pypdfium2.PdfDocument(charts_pdf([file])) for t in page.get_objects()]
        [bottom] = [thing.get_bounds()[1] for thing in things if thing.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]
        assert bottom > 15 * 72 / 25.4, lines


def test_a_photo_that_cannot_be_read_is_said(files: dict[str, PatientFile]) -> None:
    for data in (b"broken", b"", picture(RED, (300, 400))[:900]):
        assert "The photo cannot be read." in flat(charts_pdf([with_photo(files["100231"], data)]))
    odd = dataclasses.replace(files["100231"], photo=Photo(None, "image/jpeg", "no base64!"))
    assert "The photo cannot be read." in flat(charts_pdf([odd]))


def test_any_change_of_what_is_printed_changes_the_checksum(files: dict[str, PatientFile]) -> None:
    [before] = chart_sheets(files["100377"])
    for field in dataclasses.fields(before):
        value = getattr(before, field.name)
        other = value + 1 if isinstance(value, int) else None if value is not None else "x"
        assert dataclasses.replace(before, **{field.name: other}).checksum != before.checksum, field.name


@settings(max_examples=60)
@given(
    patient_id=st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=64),
    uid=st.none() | st.from_regex(r"[0-9][0-9.]{0,63}", fullmatch=True),
)
def test_every_code_is_read_back_as_it_was_made(patient_id: str, uid: str | None) -> None:
    code = ChartCode(patient_id, uid, "0123456789abcdef")
    assert ChartCode.from_text(code.text) == code
    modules = code.modules
    assert len({len(row) for row in modules} | {len(modules)}) == 1
    picture = Image.new("L", (len(modules) + 8, len(modules) + 8), 255)
    for y, row in enumerate(modules):
        for x, dark in enumerate(row):
            picture.putpixel((x + 4, y + 4), 0 if dark else 255)
    [found] = zxingcpp.read_barcodes(picture.resize((picture.width * 4, picture.height * 4), Image.Resampling.NEAREST))
    assert found.text == code.text


@pytest.mark.parametrize("scanned", ["", "https://example.org", "RBRDT-CHART-1\n1\n2", "RBRDT-CHART-9\n1\n2\n3"])
def test_another_code_is_no_chart(scanned: str) -> None:
    with pytest.raises(ValueError, match="not the code of a paper chart"):
        ChartCode.from_text(scanned)
