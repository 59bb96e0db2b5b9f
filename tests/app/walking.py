"""How a browser test walks the dashboard: page by page, waiting until one is drawn to its end, by mouse or keyboard."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Error, Page, expect

from app.screens import PAGES, PageEntry
from recovery.access.permissions import Role
from tests.app import clinic, people, states
from tests.app.browser import Server, serving, sign_in
from tests.app.conftest import set_clock
from tests.patience import milliseconds

POLLING = 40
"""Milliseconds: a page that is asked with every frame draws every frame."""
DRAWN = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  return app?.getAttribute('data-test-script-state') === 'notRunning'
    && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]');
}"""
FOCUSED = """() => {
  const at = document.activeElement;
  const named = at.getAttribute('aria-label') || at.labels?.[0]?.textContent || at.textContent || '';
  if (at === document.body) return '';
  return at.closest('[data-testid=stDataFrame]') && at.tagName !== 'BUTTON' ? 'table' : named.trim();
}"""


@contextlib.contextmanager
def dashboard(folder: Path, state: str) -> Iterator[Server]:
    """A dashboard on a clinic in one of `states.STATES`, whose clock stands."""
    set_clock(folder / "clock.json", clinic.NOW)
    with serving(states.make(folder / "clinic", state), folder / "clock.json", folder / "server.log") as server:
        yield server


def drawn(page: Page) -> None:
    """Wait until the page's script has run to its end and nothing on it is of the run before."""
    page.wait_for_function(DRAWN, polling=POLLING)


def go_to(page: Page, title: str) -> None:
    """To another page by its link at the left; pressed again where a table's selection, told late, came between."""
    heading = page.get_by_role("heading", name=f"{title} · Demo clinic")
    for _ in range(3):
        page.get_by_role("link", name=title).click()
        with contextlib.suppress(Error):
            heading.wait_for(timeout=milliseconds(5))
            break
    expect(heading).to_be_visible()
    drawn(page)


def every_page(page: Page) -> Iterator[PageEntry]:
    """Each page in turn, drawn, for a signed-in admin; one that an admin may not see is opened by somebody who may."""
    for entry in PAGES:
        if (who := people.who_sees(entry)) is not Role.ADMIN:
            change_to(page, who)
        go_to(page, entry.title)
        yield entry
        if who is not Role.ADMIN:
            change_to(page, Role.ADMIN)


def change_to(page: Page, who: Role) -> None:
    """Sign out, and in as somebody else."""
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, who)


def open_first_patient(page: Page) -> None:
    """From the search to the page of the first patient listed."""
    go_to(page, "Patients")
    canvas = page.locator("[data-testid=stDataFrame] canvas").first
    canvas.wait_for()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 100, box["y"] + 32 + 16)
    expect(page.get_by_role("tab", name="Fields")).to_be_visible()
    drawn(page)


def open_tab(page: Page, name: str) -> None:
    """Another tab of a patient's page, until its contents are there."""
    page.get_by_role("tab", name=name, exact=True).click()
    expect(page.get_by_role("tabpanel").locator("[data-testid=stElementContainer]").first).to_be_visible()
    drawn(page)


def tab_to(page: Page, name: str, key: str = "Tab", most: int = 40) -> None:
    """Press Tab until that is focused; its name ends so, as an icon's name may stand before it."""
    passed = []
    for _ in range(most):
        page.keyboard.press(key)
        passed.append(page.evaluate(FOCUSED))
        if passed[-1].endswith(name):
            if name == "table":
                first_cell(page)
            return
    raise AssertionError(f"{name} is not reached by {key}; passed were {passed}")


def first_cell(page: Page) -> None:
    """Wait for the cell of a table that is chosen a moment after the table was tabbed onto."""
    page.locator("[data-testid=stDataFrame] td[aria-selected=true]").first.wait_for(state="attached")
