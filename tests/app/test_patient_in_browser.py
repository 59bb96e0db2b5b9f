"""From the list to the patient in a real browser: the next fraction is read off, pictures come from a real Orthanc."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from app.main import ICON
from demo.run.pictures import INSTALL_CHROMIUM, chromium
from recovery.dicom.model import DicomNode
from recovery.settings.config import load_config
from tests import objects as o
from tests.app import axe, people
from tests.app import clinic as app_clinic
from tests.app.browser import Requests, new_page, serving, sign_in
from tests.app.conftest import set_clock
from tests.app.walking import go_to
from tests.orthanc import HOW_TO_INSTALL, Orthanc, free_port, orthanc_is_installed
from tests.pictures import objects as p
from tests.recovery.patient_clinic import Clinic, bo, tell_of, treated, whose

pytestmark = [
    pytest.mark.skipif(chromium() is None, reason=f"NOT TESTED IN A BROWSER: no Chromium. {INSTALL_CHROMIUM}"),
    pytest.mark.skipif(not orthanc_is_installed(), reason=f"PICTURES NOT TESTED IN A BROWSER: {HOW_TO_INSTALL}"),
]

LEAVES = o.item(RTBeamLimitingDeviceType="MLCX", LeafPositionBoundaries=[-20, -10, 0, 10, 20])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("patient")


@pytest.fixture(scope="module")
def pacs(folder: Path) -> Iterator[Orthanc]:
    with Orthanc(folder / "pacs", DicomNode("PACS", "127.0.0.1", free_port())) as server:
        yield server


def clinic_with_pictures(pacs: Orthanc, structures: Sequence[str] = ("PTV",)) -> Clinic:
    """Anna, 7 of 15, whose plan has leaves, contours and a dose in the RT-PACS; and Bo, who has none."""
    clinic, person = Clinic(), whose("100231", "ABELSEN^Anna")
    slices = p.straight_slices(**person)
    contours = [p.contour(p.rectangle(-10, 20, -10, 10, 4.0 * n), s.SOPInstanceUID) for n, s in enumerate(slices)]
    named = p.structures(slices, dict.fromkeys(structures, contours))
    named.PatientID, named.PatientName = person["PatientID"], person["PatientName"]
    plan = o.plan(
        {1: 112.4, 2: 98.6}, fractions=15, structure_set_uid=named.SOPInstanceUID, RTPlanLabel="Breast_L", **person
    )
    positions = p.positions_of(ASYMX=[-30, 30], ASYMY=[-20, 20], MLCX=[-5, -9, -9, -5, 5, 9, 9, 5])
    point = {"GantryAngle": 305.0, "IsocenterPosition": [0, 0, 8], "BeamLimitingDevicePositionSequence": positions}
    plan.BeamSequence = [p.beam([point], [LEAVES])]
    clinic.add(slices, named, plan, treated(plan, range(1, 8), {1: 112.4, 2: 98.6}))
    tell_of(clinic, plan)
    bo(clinic)
    for ds in [*slices, named, plan]:
        pacs.put(o.encode(ds))
    return clinic


@pytest.fixture(scope="module")
def page_and_requests(folder: Path, pacs: Orthanc, browser: Browser) -> Iterator[tuple[Page, Requests]]:
    """A physicist, signed in; where each test ends, the next one begins."""
    config, clock = folder / "config.toml", folder / "clock.json"
    config.write_text(app_clinic.CONFIG.replace("port = 11114", f"port = {pacs.node.port}"), encoding="utf-8")
    set_clock(clock, app_clinic.NOW)
    people.enrol(load_config(config).accounts_path)
    clinic_with_pictures(pacs).write(folder / "data" / "cache")
    with serving(config, clock, folder / "server.log") as server:
        page, requests = new_page(browser)
        page.goto(server.url)
        sign_in(page)
        yield page, requests
        page.context.close()


def test_an_interrupted_fraction_is_seen_first_and_missing_pictures_are_explained(
    page_and_requests: tuple[Page, Requests],
) -> None:
    page, _ = page_and_requests
    go_to(page, "On treatment")
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
    page.get_by_role("link", name="Patients").click()
    expect(page.get_by_role("heading", name="Patients")).to_be_visible()  # the list has such a search too
    page.get_by_label("Search name or ID").fill("berg")
    expect(page.get_by_text("1 patient.")).to_be_visible()
    box = page.locator("[data-testid=stDataFrame] canvas").first.bounding_box()
    page.mouse.click(box["x"] + 100, box["y"] + 32 + 16)
    expect(page.get_by_role("heading", name="■ Next fraction: finish 5 of 20 first (4 given)")).to_be_visible()
    page.get_by_role("tab", name="Pictures").click()
    expect(page.get_by_text("The RT-PACS does not hold the plan.")).to_be_visible()
    page.get_by_role("button", name="Other patient").click()
    expect(page.get_by_text("2 patients.")).to_be_visible()
    assert "patient=" not in page.url


def test_the_menu_leads_from_a_patient_back_to_the_search(page_and_requests: tuple[Page, Requests]) -> None:
    page, _ = page_and_requests
    go_to(page, "On treatment")
    for _ in range(2):  # and from the next patient too
        page.get_by_role("link", name="Patients").click()
        expect(page.get_by_text("2 patients.")).to_be_visible()
        assert "patient=" not in page.url
        box = page.locator("[data-testid=stDataFrame] canvas").first.bounding_box()
        page.mouse.click(box["x"] + 100, box["y"] + 32 + 16)
        expect(page.get_by_role("heading", name="ABELSEN, Anna")).to_be_visible()


def test_from_the_list_to_the_next_fraction_and_its_pictures(
    page_and_requests: tuple[Page, Requests], pacs: Orthanc
) -> None:
    page, requests = page_and_requests
    go_to(page, "On treatment")
    canvas = page.locator("[data-testid=stDataFrame] canvas").first
    canvas.wait_for()
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + 100, box["y"] + 32 + 16)  # the first row: ABELSEN
    expect(page.get_by_role("heading", name="ABELSEN, Anna")).to_be_visible()
    expect(page.get_by_role("heading", name="Next fraction: 8 next of 15 (7 given)")).to_be_visible()
    assert "/patient?patient=" in page.url
    page.get_by_role("button", name="Load from the RT-PACS").click()
    expect(page.get_by_alt_text("Beam's-eye view, 1 A1: gantry 305.0°")).to_be_visible()
    page.get_by_role("tab", name="Pictures").click()
    for alt in ("axial slice at 8.0 mm", "sagittal slice at -1.0 mm", "coronal slice at 0.0 mm"):
        picture = page.get_by_alt_text(alt)
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.complete && image.naturalWidth > 100")
    expect(page.get_by_text("PTV").last).to_be_visible()
    assert axe.ours(axe.found(page)) == []  # with pictures and their legends on it
    assert requests.outside == []
    asked = [address for address in requests.all if not address.startswith("data:")]
    files = {address for address in asked if urlsplit(address).path.startswith("/media/")}
    assert all(page.request.get(file).body() == ICON.read_bytes() for file in files)  # no picture lies at an address
    assert not [address for address in asked if "100231" in address or "abelsen" in address.lower()]
    pacs.kill()
    page.reload()
    expect(page.get_by_alt_text("Beam's-eye view, 1 A1: gantry 305.0°")).to_be_visible()
