"""The poisoned clinic in a real browser: no script runs, nothing asks outside, no text is markup, none is cut off."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from app.screens import PAGES
from demo.run.pictures import INSTALL_CHROMIUM, chromium
from recovery.access.permissions import Role
from recovery.dicom.model import DicomNode
from recovery.settings.config import load_config
from tests.app import clinic, hostile, people, states
from tests.app.browser import Requests, new_page, serving, sign_in
from tests.app.conftest import set_clock
from tests.app.test_patient_in_browser import clinic_with_pictures
from tests.app.walking import change_to, drawn
from tests.orthanc import HOW_TO_INSTALL, Orthanc, free_port, orthanc_is_installed
from tests.patience import milliseconds

pytestmark = pytest.mark.skipif(chromium() is None, reason=f"NOT TESTED IN A BROWSER: no Chromium. {INSTALL_CHROMIUM}")

FOLDER = "`c` **B** $x^2$ [l](www.evil.example) <img src=x onerror=alert(1)> :red[STOP]"
"""Of the clinic: every sentence about a file quotes it."""
PATTERNS = (
    "exclude_patient_ids = ['`</code><b>B</b>', '^\\$x^2\\$ \\$y', '![p](http://evil.example/p.png)', ':red[STOP]']"
)
READ = """evil => {
  const main = document.querySelector('[data-testid=stApp]');
  const found = [];
  const seen = element => element.getClientRects().length > 0;
  for (const element of main.querySelectorAll('a[href], img[src], [src], iframe, object, embed, script')) {
    const address = new URL(element.href || element.src || element.data || '', location);
    if (address.hostname.includes(evil) || address.pathname.endsWith('/x')) found.push('asks: ' + element.outerHTML);
  }
  for (const kind of ['.katex', 'h1', 'blockquote', 'hr', 'sup', 'del', 'em'])
    for (const element of main.querySelectorAll(`[data-testid=stMarkdownContainer] ${kind}`))
      if (!element.closest('[data-ours]')) found.push(kind + ': ' + element.textContent);
  for (const element of main.querySelectorAll('strong, b, code'))
    if (['B', 'c', '<x>'].includes(element.textContent.trim())) found.push(element.outerHTML);
  for (const element of main.querySelectorAll('[data-testid=stIconMaterial]'))
    if (element.textContent.trim() === 'delete') found.push('icon');
  for (const element of main.querySelectorAll('[data-testid=stException]')) found.push('exception');
  const walker = document.createTreeWalker(document.querySelector('[data-testid=stMain]'), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.includes(evil) || !seen(element) || element.closest('canvas, style, button')) continue;
    for (let at = element; at && at.dataset.testid !== 'stMain'; at = at.parentElement) {
      const style = getComputedStyle(at);
      const hides = ['hidden', 'clip'].includes(style.overflowX) && at.scrollWidth > at.clientWidth + 1;
      if (hides && !['input', 'svg'].includes(at.tagName.toLowerCase()))
        found.push('cut: ' + at.tagName + ' ' + (at.dataset.testid || '') + ': ' + node.textContent.slice(0, 60));
    }
  }
  const pane = document.querySelector('[data-testid=stMain]');
  if (pane.scrollWidth > pane.clientWidth) {
    const wide = one => one.scrollWidth > pane.clientWidth;
    const beyond = [...pane.querySelectorAll('*')].filter(one => wide(one) && ![...one.children].some(wide));
    found.push(`the page is ${pane.scrollWidth} wide: ${beyond.map(one => one.outerHTML.slice(0, 120))}`);
  }
  return [...new Set(found)];
}"""


@dataclass
class Visit:
    """A page, what it asked for, and every window that a script opened."""

    page: Page
    requests: Requests
    opened: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, browser: Browser) -> Visit:
        page, requests = new_page(browser)
        visit = cls(page, requests)
        page.on("dialog", lambda dialog: (visit.opened.append(dialog.message), dialog.dismiss()))
        return visit

    def faults(self, where: str) -> list[str]:
        drawn(self.page)
        told = self.page.evaluate(READ, hostile.EVIL)
        return [f"{where}: {one}" for one in (*told, *self.opened, *self.requests.outside)]


@pytest.fixture
def poisoned(tmp_path: Path, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    poison, state = request.param
    config = hostile.make(tmp_path / FOLDER, poison, "stale" if state == "stale" else "good")
    states.break_cache(load_config(config).cache_path, state)
    config.write_text(f"{config.read_text()}\n[dashboard]\n{PATTERNS}\n", encoding="utf-8")
    set_clock(tmp_path / "clock.json", clinic.NOW)
    with serving(config, tmp_path / "clock.json", tmp_path / "server.log") as server:
        visit = Visit.of(browser)
        visit.page.goto(server.url)
        sign_in(visit.page, "admin")
        yield visit
        visit.page.context.close()


@pytest.mark.parametrize("poisoned", [(one, "good") for one in ("markup", "lines", "controls")], indirect=True)
def test_every_page_and_every_tab_of_a_patient_is_letters_alone(poisoned: Visit) -> None:
    page, found = poisoned.page, list[str]()
    for entry in PAGES:
        if entry.url_path != "patient":
            if (who := people.who_sees(entry)) is not Role.ADMIN:
                change_to(page, who)
            page.get_by_test_id("stSidebarNav").get_by_role("link", name=entry.title).click()
            found += poisoned.faults(entry.url_path)
            if who is not Role.ADMIN:
                change_to(page, Role.ADMIN)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Patients").click()
    _open_first(page)
    for tab in page.get_by_role("tab").all():
        tab.click()
        found += poisoned.faults(f"patient, {tab.inner_text()}")
    assert not found, "\n".join(found)


STRUCTURES = (
    "<img src=x onerror=alert(1)>", "![p](http://evil.example/p.png)", "**B** $x^2$ :red[STOP] `c` evil.example",
    ":material/delete: [l](http://evil.example)", "evil.example" + "x" * 52,
)  # fmt: skip


@pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)
def test_names_of_structures_beside_the_pictures_are_letters_alone(tmp_path: Path, browser: Browser) -> None:
    config = tmp_path / "config.toml"
    with Orthanc(tmp_path / "pacs", DicomNode("PACS", "127.0.0.1", free_port())) as pacs:
        config.write_text(clinic.CONFIG.replace("port = 11114", f"port = {pacs.node.port}"), encoding="utf-8")
        people.enrol(load_config(config).accounts_path)
        clinic_with_pictures(pacs, STRUCTURES).write(tmp_path / "data" / "cache")
        set_clock(tmp_path / "clock.json", clinic.NOW)
        with serving(config, tmp_path / "clock.json", tmp_path / "server.log") as server:
            visit = Visit.of(browser)
            visit.page.goto(server.url)
            sign_in(visit.page)
            visit.page.get_by_test_id("stSidebarNav").get_by_role("link", name="Patients").click()
            _open_first(visit.page)
            visit.page.get_by_role("tab", name="Pictures").click()
            expect(visit.page.get_by_alt_text("axial slice at 8.0 mm")).to_be_visible()
            main = visit.page.get_by_test_id("stMain")
            for name in STRUCTURES:
                expect(main.get_by_text(name, exact=True).last).to_be_visible()
            assert visit.faults("pictures") == []
            visit.page.context.close()


@pytest.mark.parametrize("poisoned", [("markup", "truncated"), ("markup", "stale")], indirect=True)
def test_sentences_about_a_damaged_or_old_copy_quote_their_paths_letter_by_letter(poisoned: Visit) -> None:
    found = poisoned.faults("on_treatment")
    for entry in ("Backup health", "Since the last proof", "Machine day"):
        poisoned.page.get_by_test_id("stSidebarNav").get_by_role("link", name=entry).click()
        found += poisoned.faults(entry)
    assert not found, "\n".join(found)


def _open_first(page: Page) -> None:
    """Open the first patient listed; pressed again where the table, drawn late, has moved."""
    table, tab = page.locator("[data-testid=stDataFrame] canvas").first, page.get_by_role("tab", name="Fields")
    expect(page.get_by_label("Search name or ID")).to_be_visible()
    for _ in range(3):
        drawn(page)
        with contextlib.suppress(Error):
            table.scroll_into_view_if_needed()
            box = table.bounding_box() or {"x": 0.0, "y": 0.0}
            page.mouse.click(box["x"] + 100, box["y"] + 32 + 16)
            tab.wait_for(timeout=milliseconds(10))
            break
    expect(tab).to_be_visible()
