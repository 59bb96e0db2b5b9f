"""The dashboard with 2,000 patients and 200,000 records in a Chromium: what each step takes, and what five people hold.

Seconds are from the press of a key or button to what a person waits for. Memory is the server's, as the kernel says.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, expect

from benchmarks import big_clinic, full_cache
from recovery.settings.config import load_config
from tests.app import people
from tests.app.browser import Server, browsing, new_page, serving, sign_in
from tests.app.conftest import set_clock
from tests.clinic import two_nodes

SESSIONS = 5
PATIENCE_MS = 120_000
_HEADER, _ROW = 32, 32
_CLICKS = 8

Row = Callable[[str, str, str, float], None]


def dashboard(row: Row) -> None:
    """Measure each step; `row` prints one. A browser is there already; each page is a new visitor's."""

    def tell(way: str, figure: str) -> None:
        row(f"dashboard, {full_cache.PATIENTS} patients", way, figure, 1.0)

    with tempfile.TemporaryDirectory() as folder, two_nodes(Path(folder)) as clinic:
        full_cache.make(clinic, datetime.now(UTC))
        config = clinic.config
        people.enrol(load_config(config).accounts_path)
        _measure(config, tell)


def _measure(config: Path, tell: Callable[[str, str], None]) -> None:
    with browsing() as browser:
        for _ in range(3):
            with _served(config) as server:
                _first_paint(server, browser, tell)
        with _served(config) as server:
            _one_visit(server, browser, tell)
        with _served(config) as server:
            _five_visits(server, browser, tell)


@contextmanager
def _served(config: Path) -> Iterator[Server]:
    clock = config.with_name("clock.json")
    set_clock(clock, datetime.now(UTC))
    with serving(config, clock, config.with_name("server.log")) as server:
        yield server


def _first_paint(server: Server, browser: Browser, tell: Callable[[str, str], None]) -> None:
    page, _ = new_page(browser)
    page.goto(server.url)
    page.get_by_label("Name", exact=True).wait_for(timeout=PATIENCE_MS)
    painted = time.monotonic() - server.started_at
    sign_in(page)
    _table(page)
    tell("process start to first paint, to the table", f"{painted:.1f} s, {time.monotonic() - server.started_at:.1f} s")


def _one_visit(server: Server, browser: Browser, tell: Callable[[str, str], None]) -> None:
    page = _signed_in(server, browser)
    filters = [_filter(page, text) for text in ("ker", "lin", "00012", "")]
    tell("filter, four times", " ".join(f"{taken:.2f}" for taken in filters) + " s")
    for number in (0, 7, 1999):
        taken = _open_patient(page, number)
        tell(f"page of patient {number:05d}, without pictures", f"{taken:.2f} s")
        if number == 0:
            _pictures(page, tell)
        page.get_by_role("button", name="Other patient").click()
        page.wait_for_url("**/patients", timeout=PATIENCE_MS)
        page.get_by_label("Search name or ID").wait_for(timeout=PATIENCE_MS)
    started = time.monotonic()
    page.get_by_role("link", name="Machine day").click()
    page.get_by_text(re.compile(r"\d booked")).first.wait_for(timeout=PATIENCE_MS)
    tell("machine day", f"{time.monotonic() - started:.2f} s")
    tell("memory after one visit", f"{memory_mb(server):.0f} MB")


def _pictures(page: Page, tell: Callable[[str, str], None]) -> None:
    started = time.monotonic()
    page.get_by_role("button", name="Load from the RT-PACS").click()  # nothing of it is in the cache yet
    page.get_by_alt_text(re.compile("Beam's-eye view")).first.wait_for(timeout=PATIENCE_MS)
    tell("first picture (beam's-eye view)", f"{time.monotonic() - started:.2f} s")
    started = time.monotonic()
    page.get_by_role("tab", name="Pictures").click()
    page.get_by_alt_text(re.compile("axial slice")).first.wait_for(timeout=PATIENCE_MS)
    tell("planning images, contours and dose", f"{time.monotonic() - started:.2f} s")


def _five_visits(server: Server, browser: Browser, tell: Callable[[str, str], None]) -> None:
    """Five people at once, who stay: each has the list, a patient, one of them with pictures, and the other pages."""
    pages = [_signed_in(server, browser) for _ in range(SESSIONS)]
    for number, page in enumerate(pages):
        _filter(page, "ra")
        _open_patient(page, number)
        if number == 0:  # from the cache: see the visit before
            page.get_by_role("tab", name="Pictures").click()
            page.get_by_alt_text(re.compile("axial slice")).first.wait_for(timeout=PATIENCE_MS)
    for name in ("Machine day", "Priorities", "Backup health", "On treatment"):
        for page in pages:
            page.get_by_role("link", name=name).click()
            expect(page.get_by_role("heading", name=name).first).to_be_visible(timeout=PATIENCE_MS)
    for page in pages:
        _table(page)
    tell(f"memory with {SESSIONS} browser sessions", f"{memory_mb(server):.0f} MB")


def _signed_in(server: Server, browser: Browser) -> Page:
    page, _ = new_page(browser)
    page.goto(server.url)
    sign_in(page)
    _table(page)
    return page


def _table(page: Page) -> None:
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for(timeout=PATIENCE_MS)


def _filter(page: Page, text: str) -> float:
    """Seconds from the last letter until another number of plans is shown."""
    before = page.get_by_text(re.compile(r"\d plans? shown")).first.inner_text()
    started = time.monotonic()
    page.get_by_label("Search name or ID").fill(text)
    page.wait_for_function(  # looked at with every frame that is painted, not every half second
        "before => ![...document.querySelectorAll('p')].some(one => one.innerText === before)",
        arg=before,
        timeout=PATIENCE_MS,
    )
    return time.monotonic() - started


def _open_patient(page: Page, number: int) -> float:
    """Seconds from the click on the search's only row to the next fraction and its ledger; of the click that told."""
    page.get_by_role("link", name="Patients").click()
    page.wait_for_url("**/patients", timeout=PATIENCE_MS)
    page.get_by_role("heading", name="Patients").wait_for(timeout=PATIENCE_MS)
    page.get_by_label("Search name or ID").fill(f"{number:05d}")
    page.get_by_text("1 patient.").wait_for(timeout=PATIENCE_MS)
    heading = page.get_by_role("heading", name=re.compile(big_clinic.name_of(number)[0], re.IGNORECASE))
    started = time.monotonic()
    for _ in range(_CLICKS):  # one may meet the table while it is drawn anew after the search
        box = page.locator("[data-testid=stDataFrame] canvas").first.bounding_box()
        assert box is not None
        started = time.monotonic()
        page.mouse.click(box["x"] + 100, box["y"] + _HEADER + _ROW / 2)
        with contextlib.suppress(Error):
            heading.wait_for(timeout=PATIENCE_MS / _CLICKS)
            break
    page.get_by_role("heading", name=re.compile("Next fraction: ")).first.wait_for(timeout=PATIENCE_MS)
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for(timeout=PATIENCE_MS)
    return time.monotonic() - started


def memory_mb(server: Server) -> float:
    """The most memory that the server's process ever held, MB (Linux)."""
    said = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", said)
    assert found is not None
    return int(found[1]) / 1024
