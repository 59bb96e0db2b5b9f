"""`python -m demo.run.pictures docs`: one picture of every page of the dashboard, for README and documentation.

Goal
    Pictures in the documentation show the program as it is: one command makes all of them again.

How
    The simulated clinic in a folder of its own, the real jobs until everything is backed up; then its clock stands, so
    that all pictures tell of the same moment. A Chromium signs in and opens one page after the other; what it
    downloads as a paper chart is drawn as a printer would. Needs what requirements-dev.txt has, and Debian's Chromium.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from demo.run.enrolment import enrol
from demo.run.processes import Processes, free_port
from demo.run.simulated_clock import SimulatedClock
from demo.run.simulation import Simulation
from demo.run.workplace import DATABASES, TIME_ZONE, Workplace, opening_time
from recovery.cache.store import Cache
from recovery.settings.config import load_config
from recovery.tables.schema import ON_TREATMENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page

SIZE = {"width": 1440, "height": 900}
MOST_BYTES = 250_000
INSTALL_CHROMIUM = "apt-get install --no-install-recommends chromium-headless-shell"
_CYCLES = 3
_BACKED_UP_SECONDS = 300.0
_PAGES = {
    "Machine day": "machine_day",
    "Priorities": "priorities",
    "Backup health": "backup_health",
    "Audit": "audit",
}
"""By its name in the menu, the picture of each page that needs nothing but to be opened."""


class NoPictureError(RuntimeError):
    """The pictures cannot be made. The text says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m demo.run.pictures", description="One picture of every page.")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--product", choices=tuple(DATABASES), default="aria")
    asked = parser.parse_args(arguments)
    asked.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            _take(Workplace(Path(scratch), asked.product), asked.folder)
        except (NoPictureError, OSError) as error:
            print(f"no pictures: {error}", file=sys.stderr)
            return 2
    return 0


def _take(workplace: Workplace, folder: Path) -> None:
    clinic, database, nodes = workplace.open(1, opening_time(), fast=True)
    clock = SimulatedClock(workplace.clock_file, clinic.now, 60.0, ZoneInfo(TIME_ZONE))
    with Processes(workplace.logs, workplace.clock_file) as processes:
        simulation = Simulation(workplace, clinic, database, nodes, clock, processes)
        try:
            simulation.start_archives()
            _back_up(simulation)
            clock.stand(still=True)
            name, password = enrol(workplace.accounts_file, datetime.now(UTC))
            port = free_port()
            processes.start_dashboard(port, workplace.config_file, f"{name}:{password}")
            _open_browser(f"http://127.0.0.1:{port}", folder, _whom_to_show(workplace.config_file))
        finally:
            simulation.close()


def _back_up(simulation: Simulation) -> None:
    """Let the clinic live until some cycles have ended, the last of them with a list that is built."""
    until = time.monotonic() + _BACKED_UP_SECONDS
    while simulation.cycles < _CYCLES or "build_on_treatment OK" not in simulation.last_cycle:
        if time.monotonic() > until:
            raise NoPictureError(f"the clinic was not backed up in time: {simulation.last_cycle}")
        simulation.tick()
        time.sleep(0.3)


def _whom_to_show(config_file: Path) -> str:
    """The ID of a patient with an interrupted fraction, whose page has most to say; else of the first one."""
    rows = Cache(load_config(config_file).cache_path).read(ON_TREATMENT)
    interrupted = [r for r in rows if r["interrupted_fraction"] is not None and r["status"] == "on_treatment"]
    return str((interrupted or rows)[0]["patient_id"])


def chromium() -> str | None:
    """Where Chromium is, None where it is not. The one without windows needs half the processor time."""
    return next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))), None)


def _open_browser(url: str, folder: Path, patient_id: str) -> None:
    from playwright.sync_api import sync_playwright

    path = chromium()
    if path is None:
        raise NoPictureError(f"there is no Chromium: {INSTALL_CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            page = browser.new_context(viewport=SIZE, color_scheme="light", accept_downloads=True).new_page()  # type: ignore[arg-type]
            _walk(page, url, folder, patient_id)
        finally:
            browser.close()


def _walk(page: Page, url: str, folder: Path, patient_id: str) -> None:
    """Sign in, and open one page after the other."""
    _open(page, url)
    enter = page.get_by_role("button", name="Sign in", exact=True)
    enter.wait_for(timeout=60_000)
    _keep(page, folder, "sign_in")
    enter.click()
    page.get_by_role("button", name="Sign out").wait_for(timeout=60_000)
    page.get_by_test_id("stDataFrame").first.wait_for(timeout=60_000)
    _keep(page, folder, "on_treatment")
    for link, name in _PAGES.items():
        page.get_by_role("link", name=link, exact=True).click()
        page.get_by_role("heading", name=link).first.wait_for(timeout=60_000)
        _keep(page, folder, name)
    _keep_patient(page, folder, patient_id)


def _open(page: Page, url: str) -> None:
    """Open the address as soon as somebody listens there."""
    from playwright.sync_api import Error

    until = time.monotonic() + 60
    while True:
        try:
            page.goto(url)
        except Error as error:
            if time.monotonic() > until:
                raise NoPictureError("the dashboard does not answer") from error
            time.sleep(0.5)
        else:
            return


def _keep_patient(page: Page, folder: Path, patient_id: str) -> None:
    """Find one patient, and keep their page and the first sheet of their chart."""
    page.get_by_role("link", name="Patients", exact=True).click()
    page.get_by_label("Search name or ID").fill(patient_id)
    page.get_by_text("1 patient.").wait_for(timeout=60_000)
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    if box is None:
        raise NoPictureError("the list of patients is not drawn")
    page.mouse.click(box["x"] + 100, box["y"] + 48)  # the first row; the table is one canvas
    charts = page.get_by_role("button", name="Charts, PDF")
    charts.wait_for(timeout=60_000)
    _keep(page, folder, "patient")
    with page.expect_download() as download:
        charts.click()
    _save(_first_sheet(Path(download.value.path())), folder / "chart.png")


def _keep(page: Page, folder: Path, name: str) -> None:
    """One PNG of what the window shows, once nothing on it is being drawn any more."""
    quiet = "() => !document.querySelector('[data-testid=stStatusWidget], [data-stale=true], [data-testid=stSkeleton]')"
    page.wait_for_timeout(1500)
    page.wait_for_function(quiet, timeout=60_000)
    page.wait_for_timeout(1500)
    _save(page.screenshot(), folder / f"{name}.png")


def _first_sheet(pdf: Path) -> bytes:
    """The first page of a PDF as PNG, 1200 pixels wide."""
    import pypdfium2

    sheet = pypdfium2.PdfDocument(pdf)[0]
    drawn = io.BytesIO()
    sheet.render(scale=1200 / sheet.get_width()).to_pil().save(drawn, format="PNG")
    return drawn.getvalue()


def _save(png: bytes, file: Path) -> None:
    """Write a picture, with 256 colours: half the bytes, and nobody sees it on a page of text."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)
    size = file.stat().st_size
    print(f"{file} {size // 1000} kB", flush=True)
    if size > MOST_BYTES:
        raise NoPictureError(f"{file.name} has {size} bytes; at most {MOST_BYTES} belong into a repository")


if __name__ == "__main__":
    sys.exit(main())
