"""WCAG 2.1 A and AA by axe-core on every page in both themes, and the dashboard without a mouse.

What axe cannot see, a canvas, is reckoned from the palette: `test_palette.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.run.pictures import INSTALL_CHROMIUM, chromium
from tests.app import axe, people
from tests.app.browser import Server, new_page, sign_in
from tests.app.walking import (
    FOCUSED,
    dashboard,
    drawn,
    every_page,
    first_cell,
    go_to,
    open_first_patient,
    open_tab,
    tab_to,
)

pytestmark = pytest.mark.skipif(chromium() is None, reason=f"NOT TESTED IN A BROWSER: no Chromium. {INSTALL_CHROMIUM}")

TABS = (
    *("Fields", "Pictures", "Setup and shifts", "Every delivery", "Prescription", "Schedule", "Contacts", "Documents"),
    "What is held",
)
NOTE_LOOK = """() => {
  window.lookOf = element => {
    const looks = [];
    for (let at = element, n = 0; at && n < 12; at = at.parentElement, n++) {
      const style = getComputedStyle(at);
      looks.push(style.outlineStyle === 'none' ? '' : style.outline, style.boxShadow, style.borderColor);
    }
    return looks.join('|');
  };
  window.stops ??= [];
  window.stops.push([document.activeElement, window.lookOf(document.activeElement)]);
}"""
IS_SEEN = """() => {
  document.activeElement.blur();
  return window.stops.splice(0).map(([element, look]) => window.lookOf(element) !== look);
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with dashboard(tmp_path_factory.mktemp("accessible"), "good") as one:
        yield one


@pytest.fixture
def at_the_door(server: Server, browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Open the sign-in page in a theme."""
    pages = []

    def open_in(theme: str) -> Page:
        page, _ = new_page(browser)
        pages.append(page)
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.goto(server.url)
        page.add_style_tag(content="* {transition: none !important}")  # a look is compared as soon as it is there
        page.get_by_label("Name", exact=True).wait_for()
        drawn(page)
        return page

    yield open_in
    for page in pages:
        page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_of_ours_on_any_page(at_the_door: Callable[[str], Page], theme: str) -> None:
    page = at_the_door(theme)
    options = axe.CONTRAST if theme == "dark" else axe.OPTIONS
    judged = {"Sign in": axe.found(page, options=options)}
    sign_in(page, "admin")
    for entry in every_page(page):
        judged[entry.title] = axe.found(page, options=options)
    go_to(page, "On treatment")
    for menu in ("Views", "Sort, columns"):
        page.get_by_role("button", name=menu).click()
        expect(page.get_by_test_id("stPopoverBody")).to_be_visible()
        judged[menu] = axe.found(page, options=options)
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)
    go_to(page, "Machine day")
    page.get_by_text("Print view").click()
    expect(page.locator(".rbrdt-sheet")).to_be_visible()
    judged["Print view"] = axe.found(page, options=options)
    open_first_patient(page)
    for tab in TABS:
        open_tab(page, tab)
        judged[f"Patients, {tab}"] = axe.found(page, "html" if tab == TABS[0] else "[role=tabpanel]", options)
    assert [tab.inner_text() for tab in page.get_by_role("tab").all()] == list(TABS)
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "physicist")
    go_to(page, "Priorities")
    expect(page.get_by_role("button", name="Sign as")).to_be_visible()
    judged["Priorities, to sign"] = axe.found(page, options=options)
    assert {name: lines for name, found in judged.items() if (lines := axe.ours(found))} == {}
    if theme == "dark":
        return
    everything = [line for found in judged.values() for line in found]
    for known in axe.STREAMLITS_OWN:
        assert any(axe.is_known(known, line) for line in everything), f"no longer found, strike it: {known}"


def test_the_dashboard_is_used_without_a_mouse(at_the_door: Callable[[str], Page]) -> None:
    page = at_the_door("light")
    tab_to(page, "Name")
    page.keyboard.type("physicist")
    tab_to(page, "Password")
    page.keyboard.type(people.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    drawn(page)
    tab_to(page, "Search name or ID")
    page.keyboard.type("berg")
    expect(page.get_by_text("1 plan shown")).to_be_visible()
    tab_to(page, "Excel")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith(".xlsx")
    tab_to(page, "Machine day", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Machine day")).to_be_visible()
    drawn(page)
    tab_to(page, "Excel")
    tab_to(page, "Patients", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 patients.")).to_be_visible()
    drawn(page)
    tab_to(page, "table")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="BERG, Bo")).to_be_visible()
    drawn(page)
    tab_to(page, "Charts, PDF")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith(".pdf")
    tab_to(page, "Fields")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Pictures")).to_have_attribute("aria-selected", "true")


def test_who_tabs_onto_the_list_stays_on_the_page_and_can_leave_it(at_the_door: Callable[[str], Page]) -> None:
    page = at_the_door("light")
    sign_in(page)
    drawn(page)
    tab_to(page, "table")
    page.keyboard.press("ArrowDown")
    page.locator("[data-testid=stDataFrame] td[aria-selected=true]", has_text="■").wait_for(state="attached")
    drawn(page)
    expect(page.get_by_role("heading", name="On treatment")).to_be_visible()
    page.keyboard.press("Escape")
    tab_to(page, "Excel", "Shift+Tab", most=10)
    expect(page.get_by_role("heading", name="On treatment")).to_be_visible()


def test_focus_is_seen_wherever_it_is(at_the_door: Callable[[str], Page]) -> None:
    page = at_the_door("light")
    stops = stops_of(page, 6)
    sign_in(page, "admin")
    for _ in every_page(page):
        stops += stops_of(page, 24)
    assert {name for name, is_seen in stops if not is_seen} == set()
    names = {name for name, _ in stops}
    assert names >= {"Name", "Sign in", "table", "Search name or ID"} and len(names) > 25


def stops_of(page: Page, most: int) -> list[tuple[str, bool]]:
    """What Tab stops at, by name, and whether it looks different while it does."""
    page.evaluate("document.activeElement.blur()")
    names = []
    for _ in range(most):
        page.keyboard.press("Tab")
        if name := page.evaluate(FOCUSED):
            if name == "table":
                first_cell(page)
            names.append(name[-60:])
            page.evaluate(NOTE_LOOK)
        if name == "table":  # further on Tab goes from cell to cell
            break
    return list(zip(names, page.evaluate(IS_SEEN), strict=True))
