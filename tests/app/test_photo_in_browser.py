"""The patient's photo in a real browser: seen by who is signed in, beside the name; before that nothing of it leaves.

The same search that finds nothing before signing in finds the photo after it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from app.main import ICON
from demo.clinic.patients import make_patient
from demo.clinic.portraits import portrait_of
from demo.run.pictures import INSTALL_CHROMIUM, chromium
from recovery.cache.store import Cache
from recovery.settings.config import load_config
from recovery.tables.relational import PHOTOS
from tests.app import clinic as app_clinic
from tests.app import people
from tests.app.browser import Server, new_page, serving, sign_in
from tests.app.conftest import set_clock
from tests.app.test_before_sign_in import ENDPOINTS, Recorder, get
from tests.app.wire import wire
from tests.recovery.patient_clinic import Clinic, anna, bo, photograph

pytestmark = pytest.mark.skipif(chromium() is None, reason=f"NOT TESTED IN A BROWSER: no Chromium. {INSTALL_CHROMIUM}")

ALT = "Photo of the patient"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Anna has a photo, Bo has none."""
    folder, clinic = tmp_path_factory.mktemp("photo"), Clinic()
    (folder / "config.toml").write_text(app_clinic.CONFIG, encoding="utf-8")
    set_clock(folder / "clock.json", app_clinic.NOW)
    people.enrol(load_config(folder / "config.toml").accounts_path)
    anna(clinic)
    bo(clinic)
    portrait = portrait_of(make_patient(1, 3, app_clinic.LOCAL.date()))
    assert portrait is not None
    photograph(clinic, "100231", portrait)
    clinic.write(folder / "data" / "cache")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serving(folder / "config.toml", folder / "clock.json", folder / "server.log") as one:
        yield one


@pytest.fixture(scope="module")
def forms(folder: Path) -> tuple[bytes, ...]:
    """Pieces of the photo, as base64 and as the picture file."""
    (row,) = Cache(folder / "data" / "cache").read(PHOTOS)
    text = str(row["picture"]).encode()
    data = base64.b64decode(text)
    return text[1000:1060], text[-80:], data[600:640], data[-60:]


def open_patient(page: Page, url: str, name: str, role: str = "physicist") -> None:
    page.goto(f"{url}/patient")
    sign_in(page, role)
    _choose(page, name)


def _choose(page: Page, name: str) -> None:
    page.get_by_label("Search name or ID").fill(name.split(",")[0])
    expect(page.get_by_text("1 patient.")).to_be_visible()
    box = page.locator("[data-testid=stDataFrame] canvas").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 100, box["y"] + 32 + 16)
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def test_the_photo_stands_beside_the_name_and_lies_at_no_address(
    server: Server, browser: Browser, forms: tuple[bytes, ...], folder: Path
) -> None:
    page, requests = new_page(browser)
    recorder = Recorder(page)
    open_patient(page, server.url, "ABELSEN, Anna", "viewer")
    picture = page.get_by_alt_text(ALT)
    expect(picture).to_be_visible()
    assert picture.evaluate("image => [image.complete, image.naturalWidth, image.naturalHeight]") == [True, 240, 320]
    face, name = picture.bounding_box(), page.get_by_role("heading", name="ABELSEN, Anna").bounding_box()
    assert face is not None and name is not None
    assert 96 <= face["height"] <= 120 and 8 < name["x"] - face["x"] - face["width"] < 40
    assert abs(face["y"] - name["y"]) < 40
    assert forms[0] in recorder.heard, "it came by the WebSocket of who is signed in"
    asked = [address for address in requests.all if not address.startswith("data:")]
    files = {address for address in asked if urlsplit(address).path.startswith("/media/")}
    assert all(page.request.get(file).body() == ICON.read_bytes() for file in files)
    page.get_by_role("button", name="Other patient").click()
    _choose(page, "BERG, Bo")
    expect(page.get_by_text("no photo in the backup", exact=True)).to_be_visible()
    assert page.get_by_alt_text(ALT).count() == 0
    assert requests.outside == [] and forms[0] not in (folder / "server.log").read_bytes()


def test_before_signing_in_and_after_signing_out_nothing_of_the_photo_can_be_had(
    server: Server, browser: Browser, forms: tuple[bytes, ...]
) -> None:
    page, _ = new_page(browser)
    open_patient(page, server.url, "ABELSEN, Anna")  # somebody else looks at it meanwhile
    address = page.url
    expect(page.get_by_alt_text(ALT)).to_be_visible()
    stranger, _ = new_page(browser)
    recorder = Recorder(stranger)
    stranger.goto(address)
    stranger.get_by_label("Password", exact=True).wait_for()
    with wire(server.url) as line:
        line.rerun(query=urlsplit(address).query)
        line.listen(until=b"Password")
        for page_hash in (*line.page_hashes(), "", "0" * 32):
            line.rerun(query=urlsplit(address).query, page=page_hash)
            line.listen(silence=1)
        by_wire = b"".join(line.heard)
    bodies = b"".join(get(server.url + path)[1] for path in ENDPOINTS)
    assert len(recorder.frames) > 3 and len(by_wire) > 1000
    for said in (recorder.heard, by_wire, bodies):
        assert not [form for form in forms if form in said] and b"data:image/jpeg" not in said
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You are signed out").wait_for()
    expect(page.get_by_alt_text(ALT)).to_have_count(0)  # Streamlit takes what was there away when the run has ended
