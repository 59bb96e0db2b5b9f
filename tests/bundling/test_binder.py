"""The binder read back: every page, its number in the contents, and each chart as it is drawn alone."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageDraw

from recovery.__main__ import main
from recovery.bundling import binder as lists
from recovery.bundling.binder import binder_pdf
from recovery.bundling.binder_pages import BinderCanvas
from recovery.bundling.department import Department, read_department
from recovery.cache.doors import cache_to_show
from recovery.charting import ChartCode, charts_pdf
from recovery.charting.letters import letters_for
from recovery.entries.day_plans import DayPlanEntry, Slot
from recovery.entries.downtimes import DowntimeEntry
from recovery.host.entry_lines import append_statement
from recovery.lists import columns
from recovery.settings.config import load_config
from tests.app import hostile
from tests.app.clinic import NOW
from tests.app.conftest import set_clock
from tests.bundling import clinic
from tests.charting.pages import texts

PIXELS = 200 / 72
_NUMBER = (455, 815, 570, 830)
"""Where the binder's page number stands on an A4 page, in points from the upper left corner."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return clinic.read(clinic.make(tmp_path_factory.mktemp("binder")))


@pytest.fixture(scope="module")
def binder(told: Department) -> bytes:
    return binder_pdf(told)


def drawn(made: bytes) -> list[Image.Image]:
    return [page.render(scale=PIXELS).to_pil().convert("L") for page in pypdfium2.PdfDocument(made)]


def without_number(page: Image.Image) -> Image.Image:
    ImageDraw.Draw(page).rectangle([round(edge * PIXELS) for edge in _NUMBER], fill=255)
    return page


def test_every_chart_in_it_is_the_chart_drawn_alone_but_for_the_binders_number(told: Department, binder: bytes) -> None:
    alone = [page for file in told.treated_files for page in drawn(charts_pdf([file]))]
    charts = [page for page in drawn(binder) if page.width < page.height]
    assert len(charts) == len(alone) > len(told.treated_files)
    for one, other in zip(charts, alone, strict=True):
        assert ImageChops.difference(without_number(one.copy()), without_number(other.copy())).getbbox() is None
        assert ImageChops.difference(one, other).getbbox() is not None, "the number is there, and nowhere else"


def test_every_page_says_which_it_is_and_a_chart_whose(told: Department, binder: bytes) -> None:
    pages, pictures = texts(binder), drawn(binder)
    assert [re.findall(r"Binder page (\d+)", page) for page in pages] == [[str(n)] for n in range(1, len(pages) + 1)]
    codes = [zxingcpp.read_barcodes(p, formats=zxingcpp.BarcodeFormat.QRCode) for p in pictures if p.width < p.height]
    named = [ChartCode.from_text(found.text).patient_id for [found] in codes]
    assert list(dict.fromkeys(named)) == [file.identity.patient_id for file in told.treated_files]


def test_a_machine_may_be_called_as_a_list_is(told: Department) -> None:
    odd = {"treatment_machine_name": "Not 1"}
    appointments = told.tables.schedule.assign(**odd) if told.tables.schedule is not None else None
    odd_one = replace(
        told,
        machines=("Not 1",),
        table=told.table.assign(**odd),
        tables=replace(told.tables, schedule=appointments),
    )
    (day,) = [page for page in texts(binder_pdf(odd_one)) if page.startswith("Not 1, Tue 24 Nov")]
    assert "NO APPOINTMENT KNOWN THAT DAY: 4" in day


def test_the_contents_lead_to_the_page_that_they_name(binder: bytes) -> None:
    pages = texts(binder)
    listed = re.findall(r"^(.+?) (\d+)$", pages[0], re.MULTILINE)
    entries = {title.strip(): int(page) for title, page in listed if "page" not in title}
    for title in ("Who is on treatment", "TB1, Tue 24 Nov 2026", "Not started yet", "Whom to call, TB1"):
        assert title in pages[entries[title] - 1]
    assert "GRÜNSPAN, Jürgen" in pages[entries["GRÜNSPAN, Jürgen (200001)"] - 1]
    assert "sheet 1 of 2" in pages[entries["Treated by hand, TB1"] - 1]


def test_it_says_who_comes_whom_to_call_what_is_next_and_how_old_it_is(binder: bytes) -> None:
    pages = [" ".join(page.split()) for page in texts(binder)]
    listed, today, tomorrow, starting, calls = pages[1:6]
    assert "finish 5 of 20 first (4 given)" in listed and "■ INTERRUPTED: finish fraction 5 first" in listed
    assert "no appointment known that day" in today.casefold() and "08:15 ABELSEN, Anna" in tomorrow
    assert "LATER, Lea" in starting and "a plan" in starting
    assert "+41 79 555 01 23" in calls.replace("\u00a0", " ") and "GRÜNSPAN, Jürgen" in calls
    assert all("Proven up to Tue 24 Nov 2026 14:32" in page for page in pages[:6])


def test_that_somebody_planned_a_day_answers_for_nobody(tmp_path: Path) -> None:
    config = clinic.make(tmp_path)
    began = NOW - timedelta(hours=5)
    append_statement(config.cache_path, DowntimeEntry("begin", "encrypted", "P", began, began))
    for path in config.cache_path.rglob("schedule*"):
        path.unlink()
    before = clinic.read(config)
    plan = DayPlanEntry("TB1", before.today, (Slot(time(23), "100231"),), "A", NOW)
    append_statement(config.cache_path, plan)
    after = clinic.read(config)
    assert before.table["unknown_since"].notna().sum() > 1
    assert after.table["unknown_since"].equals(before.table["unknown_since"])
    assert any("its signed times stand in the place of appointments" in one for one in after.told)


def test_the_command_writes_it_and_says_how_old_it_is_and_what_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clinic.make(tmp_path)
    set_clock(tmp_path / "clock", NOW + timedelta(days=2))
    monkeypatch.setenv("RBRDT_CLOCK", str(tmp_path / "clock"))
    asked = ["binder", "--config", str(tmp_path / "config.toml"), "-o"]
    assert main([*asked, str(tmp_path / "binder.pdf")]) == 0
    said = capsys.readouterr().err
    assert "The copy is 2 d old" in said and "ABELSEN" not in said
    assert "The copy is 2 d old" in texts((tmp_path / "binder.pdf").read_bytes())[0]
    assert main([*asked, str(tmp_path / "nowhere" / "binder.pdf")]) == 2
    damaged = tmp_path / "data/cache/tables/setup_notes.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    assert main([*asked, str(tmp_path / "binder.pdf")]) == 1
    assert "The table setup_notes cannot be read" in texts((tmp_path / "binder.pdf").read_bytes())[0]


def test_a_list_that_goes_on_stays_landscape() -> None:
    pdf = BinderCanvas("a4", letters_for(["a"]), "Demo clinic")
    pdf.begin_section("TB1")
    pdf.set_y(pdf.h - 40)
    pdf.heading("No appointment known", room=34)
    assert pdf.page == 2 and pdf.w > pdf.h


@pytest.mark.parametrize("poison", list(hostile.POISONS))
def test_no_text_makes_a_list_too_high_for_its_page_or_steers_its_reader(tmp_path: Path, poison: str) -> None:
    """Of charts, `tests/charting` tells."""
    config = load_config(hostile.make(tmp_path, poison))
    told = read_department(config, cache_to_show(config, NOW), NOW, "this binder")
    made = binder_pdf(replace(told, files=()))
    assert [steered for _, text in hostile.texts_of_pdf(made) if (steered := hostile.steering(text))] == []


@pytest.mark.parametrize(
    ("headings", "widths"),
    [
        ([one.heading for one in columns.described(columns.ON_TREATMENT.paper)], lists._LIST_WIDTHS),
        (lists._DAY, lists._DAY_WIDTHS),
        ([one.heading for one in columns.described(lists._STARTING)], lists._STARTING_WIDTHS),
    ],
    ids=["list", "day", "not started"],
)
def test_no_heading_and_no_time_of_a_list_is_broken_within_a_word(
    headings: list[str], widths: tuple[float, ...]
) -> None:
    pdf = BinderCanvas("a4", letters_for([], None), "")
    pdf.begin_section("")
    room = {name: pdf.epw * width / sum(widths) - 2.4 for name, width in zip(headings, widths, strict=True)}
    pdf.set_font("text", "B", 7.5)
    broken = [word for name in headings for word in name.split() if pdf.get_string_width(word) > room[name]]
    assert not broken
    pdf.set_font("text", "", 8)
    for name in {"Last", "Next"} & set(headings):
        assert pdf.get_string_width("Wed 30 Nov 08:44") < room[name], "a line for each patient, not two"
