"""A laptop's window and 200 % zoom in a downtime: the table is in sight or reached, nothing lies beyond the edge; and
every sentence above a list that speaks of somebody leads to him, by keyboard too."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from app.screens import PAGES
from demo.run.pictures import INSTALL_CHROMIUM, chromium
from recovery.access.permissions import Permission
from tests.app import clinic, relational
from tests.app.browser import Server, new_page, serving, sign_in
from tests.app.conftest import set_clock
from tests.app.walking import drawn, go_to, tab_to
from tests.patience import milliseconds

pytestmark = pytest.mark.skipif(chromium() is None, reason=f"NOT TESTED IN A BROWSER: no Chromium. {INSTALL_CHROMIUM}")

BEYOND = """() => {
  const pane = document.querySelector('[data-testid=stMain]'), width = pane.clientWidth;
  const kinds = 'p, li, h2, h3, button, a, input:not([tabindex="-1"]), [data-testid=stDataFrame]';
  const out = [...pane.querySelectorAll(kinds)].filter(one => {
    const box = one.getBoundingClientRect(), left = pane.getBoundingClientRect().left;
    return box.width > 2 && (box.right > left + width + 1 || box.left < left - 1);
  });
  const wide = pane.scrollWidth > width ? [`${pane.scrollWidth} of ${width}`] : [];
  return [...wide, ...out.map(one => one.outerHTML.slice(0, 90))];
}"""
CUT = """() => [...document.querySelectorAll('[class*=st-key-attention] *, .st-key-banner *')]
  .filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== 'visible')
  .map(one => one.textContent)"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("small")
    config = clinic.make(folder / "clinic", "down", 40)
    relational.write(folder / "clinic" / "data" / "cache")
    set_clock(folder / "clock.json", clinic.NOW)
    with serving(config, folder / "clock.json", folder / "server.log") as one:
        yield one


def opened(browser: Browser, server: Server) -> Page:
    page, _ = new_page(browser)
    page.goto(server.url)
    sign_in(page)
    drawn(page)
    return page


@pytest.fixture(scope="module")
def visit(server: Server, browser: Browser) -> Iterator[Page]:
    """One sitting, whose window is made small as by hand or by zooming."""
    page = opened(browser, server)
    yield page
    page.context.close()


def test_in_a_downtime_the_table_begins_above_the_fold(visit: Page) -> None:
    for width, height, rows_in_sight in ((1440, 900, 12), (1024, 768, 5)):
        visit.set_viewport_size({"width": width, "height": height})
        drawn(visit)
        box = visit.locator("[data-testid=stDataFrame]").first.bounding_box()
        assert box is not None and box["y"] + (1 + rows_in_sight) * 32 <= height
        assert beyond(visit, CUT) == []


def test_nothing_lies_beyond_the_edge_and_tables_are_reached(visit: Page) -> None:
    found = list[str]()
    for entry in PAGES:
        if not entry.is_in_menu or entry.permission is not Permission.VIEW:
            continue
        visit.set_viewport_size({"width": 1440, "height": 900})
        go_to(visit, entry.title)
        for width, height in ((1024, 768), (720, 450)):
            visit.set_viewport_size({"width": width, "height": height})
            found += [f"{entry.title}: {one}" for one in (*beyond(visit, BEYOND), *beyond(visit, CUT))]
            for table in visit.locator("[data-testid=stDataFrame]").all():
                table.scroll_into_view_if_needed()
                box = table.bounding_box()
                assert box is not None and box["y"] < height and box["y"] + box["height"] > 0, entry.title
    assert found == []


def beyond(page: Page, what: str) -> list[str]:
    """What stays beyond an edge once the page has come to rest in its new size."""
    with contextlib.suppress(Error):
        page.wait_for_function(f"() => ({what})().length === 0", polling=40, timeout=milliseconds(3))
    found: list[str] = page.evaluate(what)
    return found


def test_a_line_of_attention_leads_to_its_patient_by_keyboard(visit: Page) -> None:
    page = visit
    page.set_viewport_size({"width": 1440, "height": 900})
    go_to(page, "Backup health")
    go_to(page, "On treatment")
    page.evaluate("document.activeElement.blur()")
    tab_to(page, "100377 · Prostate · INTERRUPTED: finish fraction 5 first, 50.0 MU left · ▲ UNKNOWN since Tue 24 Nov "
                 "12:08 · ▲ NAMESAKE")  # fmt: skip
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="BERG, Bo")).to_be_visible()
    assert "/patient?patient=" in page.url and "100377" not in page.url
    page.go_back()
    page.get_by_role("link", name="EßER, Jürgen").click()
    expect(page.get_by_role("heading", name="EßER, Jürgen")).to_be_visible()


def test_what_is_too_much_for_lines_leads_to_the_filter_and_a_gap_to_backup_health(
    tmp_path: Path, browser: Browser
) -> None:
    config = clinic.make(tmp_path / "clinic", "partial", 12)
    lacking = {"images_held": False, "ready": False, "missing": "1 of 2 CT images"}
    rows = [clinic.row(f"LACKING, P{n}", f"30000{n}", "Brain", 3, **lacking) for n in range(9)]
    rows += [clinic.row("WELL, Will", "400000", "Brain", 3)]
    clinic.Cache(tmp_path / "clinic" / "data" / "cache").write(
        clinic.ON_TREATMENT, rows, taken_at=clinic.NOW, source="RT-PACS"
    )
    set_clock(tmp_path / "clock.json", clinic.NOW)
    with serving(config, tmp_path / "clock.json", tmp_path / "server.log") as one:
        page = opened(browser, one)
        main = page.get_by_test_id("stMain")
        expect(main).to_contain_text("10 plans shown")
        tab_to(page, "3 more, marked ■ in the table: show only who has a problem")
        page.keyboard.press("Enter")
        expect(main).to_contain_text("9 plans shown")
        expect(main).to_contain_text("1 without these problems")
        page.get_by_role("link", name="Backup health says which").click()
        expect(page.get_by_role("heading", name="Backup health · Demo clinic")).to_be_visible()
        go_to(page, "On treatment")
