"""Three hours without the R&V system, in a real browser: who may have been treated since, and what may I trust?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.run.pictures import INSTALL_CHROMIUM, chromium
from tests.app import clinic, relational
from tests.app.browser import new_page, serving, sign_in
from tests.app.conftest import set_clock
from tests.app.walking import go_to

pytestmark = pytest.mark.skipif(chromium() is None, reason=f"NOT TESTED IN A BROWSER: no Chromium. {INSTALL_CHROMIUM}")


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[tuple[Page, Path]]:
    """A physicist, half an hour after the R&V system's third dead hour began; the last proof is of 12:08."""
    folder = tmp_path_factory.mktemp("down")
    config = clinic.make(folder / "clinic", "down", 13)
    relational.write(folder / "clinic" / "data" / "cache")
    set_clock(folder / "clock.json", clinic.NOW)
    with serving(config, folder / "clock.json", folder / "server.log") as server:
        page, requests = new_page(browser)
        page.goto(server.url)
        sign_in(page)
        yield page, folder / "clock.json"
        page.context.close()
        assert requests.outside == []


def test_who_may_have_been_treated_since(visit: tuple[Page, Path]) -> None:
    page, _ = visit
    go_to(page, "Since the last proof")
    main = page.get_by_test_id("stMain")
    expect(main).to_contain_text("may have been treated since Tue 24 Nov 12:08")
    for patient_id in ("100892", "100377", "100555", "100601", "999999"):
        expect(main).to_contain_text(f"ID {patient_id}")
    expect(main).to_contain_text("NOBODY, Nora")
    expect(main).not_to_contain_text("ID 100410")
    go_to(page, "Machine day")
    expect(main).to_contain_text("▲ 3 unknown · 0 to come")


def test_what_may_i_trust(visit: tuple[Page, Path]) -> None:
    page, clock = visit
    go_to(page, "On treatment")
    strip = page.get_by_role("status").filter(
        has_text="The R&V system and its database have not answered since Tue 12:08"
    )
    expect(strip).to_be_visible()
    expect(page.get_by_test_id("stMain")).to_contain_text(
        "Backup is 2 h 30 min old. Everything up to Tue 12:08 is proven"
    )
    expect(page.get_by_test_id("stMain")).not_to_contain_text("sync_")
    set_clock(clock, clinic.NOW + timedelta(minutes=30))
    expect(page.get_by_test_id("stMain")).to_contain_text("Backup is 3 h old.")
    expect(page.get_by_role("status").filter(has_text="(3 h)").first).to_be_visible()
