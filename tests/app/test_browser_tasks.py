"""Tasks of somebody who has never seen the dashboard, walked in a real browser from its first page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Locator, Page, expect
from pypdfium2 import PdfDocument

from demo.run.pictures import INSTALL_CHROMIUM, chromium
from recovery.cache.journal import JobResult, Journal
from tests.app import clinic, relational
from tests.app.browser import Requests, Server, new_page, serving, sign_in
from tests.app.conftest import set_clock

pytestmark = pytest.mark.skipif(chromium() is None, reason=f"NOT TESTED IN A BROWSER: no Chromium. {INSTALL_CHROMIUM}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tasks")
    set_clock(folder / "clock.json", clinic.NOW)
    config = clinic.make(folder / "clinic", "good", 13)
    relational.write(folder / "clinic" / "data" / "cache")
    journal = Journal(folder / "clinic" / "data" / "cache")
    for hours in range(1, 160):
        at = clinic.NOW - timedelta(hours=hours, minutes=9)
        outcome = "FAILED" if 40 < hours < 44 else "OK"
        journal.finish(journal.start("sync_records", at), JobResult("sync_records", outcome, {"found": 3}), at)  # type: ignore[arg-type]
    with serving(config, folder / "clock.json", folder / "server.log") as one:
        yield one


@pytest.fixture(scope="module")
def sitting(server: Server, browser: Browser) -> Iterator[tuple[Page, Requests]]:
    page, requests = new_page(browser)
    page.goto(server.url)
    sign_in(page)
    yield page, requests
    assert requests.outside == []
    page.context.close()


@pytest.fixture
def visit(sitting: tuple[Page, Requests]) -> tuple[Page, Requests]:
    """On the list, wherever the last task ended. The task that filters comes last."""
    page, _ = sitting
    go_to(page, "Backup health")
    go_to(page, "On treatment")
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
    return sitting


def cell(place: Page | Locator, text: str) -> Locator:
    """A cell of a table that Streamlit draws on a canvas; its text is the canvas's fallback."""
    return place.locator("canvas td", has_text=text).first


def go_to(page: Page, title: str) -> None:
    page.get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def test_say_who_is_not_ready_and_why(visit: tuple[Page, Requests]) -> None:
    page, _ = visit
    go_to(page, "Backup health")
    expect(page.get_by_text("6 of 9 plans on treatment or ready to start can be treated")).to_be_visible()
    table = page.locator("[data-testid=stDataFrame]").first
    expect(cell(table, "EßER, Jürgen")).to_be_attached()
    expect(cell(table, "missing 120 of 142 CT images")).to_be_attached()


def test_prove_that_the_data_are_fresh(visit: tuple[Page, Requests]) -> None:
    page, _ = visit
    expect(page.get_by_text("Backup is 6 minutes old. Everything up to Tue 14:32 is proven")).to_be_visible()
    go_to(page, "Backup health")
    expect(cell(page, "done 6 min ago")).to_be_attached()
    strip = page.locator("[data-testid=stVegaLiteChart]")
    expect(strip.locator("canvas, svg").first).to_be_visible()
    page.get_by_role("button", name="Ask the RT-PACS now").click()
    expect(page.get_by_text("The RT-PACS PACS at 127.0.0.1:11114")).to_be_visible()


def test_print_todays_worklist_of_a_machine(visit: tuple[Page, Requests]) -> None:
    page, _ = visit
    go_to(page, "Machine day")
    page.get_by_role("radio", name="TB1").click()
    expect(page.get_by_text("4 booked")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Excel", exact=True).click()
    assert download.value.suggested_filename == "worklist_TB1_2026-11-24.xlsx"
    sheet, _about = load_workbook(io.BytesIO(Path(download.value.path()).read_bytes())).worksheets
    assert [sheet.cell(row, 3).value for row in (2, 3)] == ["ABELSEN, Anna", "BERG, Bo"]
    page.get_by_text("Print view").click()
    expect(page.get_by_text("Press Ctrl + P to print")).to_be_visible()
    page.wait_for_url("**print=true**")
    page.emulate_media(media="print")
    expect(page.locator(".rbrdt-sheet")).to_be_visible()
    expect(page.get_by_text("Press Ctrl + P to print")).to_be_hidden()
    expect(page.get_by_role("link", name="Machine day")).to_be_hidden()
    assert len(page.pdf()) > 10_000
    assert not any(name in page.url for name in ("ABELSEN", "100231"))
    page.emulate_media(media="screen")
    page.get_by_text("Print view").click()
    expect(page.locator(".rbrdt-sheet")).to_have_count(0)


def test_the_filter_of_status_shows_both_of_its_chips_whole(visit: tuple[Page, Requests]) -> None:
    page, _ = visit
    for width in (1280, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        chip = page.get_by_role("button", name="Remove ready to start")
        expect(chip).to_be_visible()
        page.wait_for_function(
            """cross => { const box = cross.getBoundingClientRect();
            return cross.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)); }""",
            arg=chip.element_handle(),
        )


def test_a_machines_day_stays_on_the_machine_that_somebody_chose(visit: tuple[Page, Requests]) -> None:
    page, _ = visit
    go_to(page, "Machine day")
    expect(page.get_by_role("radio", name="TB1", checked=True)).to_be_visible()
    expect(page).to_have_url(re.compile("machine=TB1"))
    page.get_by_role("radio", name="TB2").click()
    expect(page.get_by_text("2 booked")).to_be_visible()
    go_to(page, "On treatment")
    expect(page.get_by_text("plans shown")).to_be_visible()
    assert "machine=" not in page.url  # there it would take the patients of other machines away
    go_to(page, "Machine day")
    expect(page.get_by_role("radio", name="TB2", checked=True)).to_be_visible()
    expect(page.get_by_text("2 booked")).to_be_visible()
    expect(page).to_have_url(re.compile("machine=TB2"))


def test_print_todays_charts_of_a_machine(visit: tuple[Page, Requests]) -> None:
    page, _ = visit
    go_to(page, "Machine day")
    page.get_by_role("radio", name="TB1").click()
    expect(page.get_by_text("4 booked")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Charts, PDF").click()
    assert download.value.suggested_filename == "charts_TB1_2026-11-24.pdf"
    sheets = PdfDocument(Path(download.value.path()).read_bytes())
    told = [sheet.get_textpage().get_text_range() for sheet in sheets]
    assert "ABELSEN, Anna" in told[0] and "100231" in told[0]
    firsts = [text for text in told if "page 1 of" in text]
    assert len(firsts) >= 4 and "BERG, Bo" in firsts[1].splitlines()[0]


def test_a_machines_day_is_the_same_in_a_browser_of_another_time_zone(server: Server, browser: Browser) -> None:
    context = browser.new_context(timezone_id="Asia/Tokyo", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{server.url}/machine_day?machine=TB1&day=2026-11-24")
    sign_in(page, "therapist")
    expect(cell(page, "08:15")).to_be_attached()
    chart = page.locator("[data-testid=stVegaLiteChart]")
    expect(chart.locator("text", has_text="08:15").first).to_be_attached()
    context.close()


def test_find_every_interrupted_fraction(visit: tuple[Page, Requests]) -> None:
    page, _ = visit
    expect(page.locator("strong").get_by_text("INTERRUPTED: finish fraction 5 first, 50.0 MU left")).to_be_visible()
    expect(page.get_by_text("2 interrupted, 1 of them hidden")).to_be_visible()
    page.get_by_role("button", name="Views").click()
    expect(page.get_by_role("combobox", name="Open a view")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="interrupted").click()
    expect(page.get_by_text("1 plan shown")).to_be_visible()
    for status in ("on treatment", "ready to start"):
        page.get_by_role("button", name=f"Remove {status}").first.click()
    expect(page.get_by_text("2 plans shown")).to_be_visible()
    expect(page.locator("strong").get_by_text("INTERRUPTED: finish fraction 7 first, 112.4 MU left")).to_be_visible()
