"""A downtime from its declaration to its end, in a real browser: who signs what, and what everybody else then reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pydicom import Dataset

from demo.run.pictures import INSTALL_CHROMIUM, chromium
from recovery.entries.charted import read_charted
from recovery.entries.downtimes import lasting_at
from recovery.settings.config import load_config
from tests import objects as o
from tests.app import clinic as app_clinic
from tests.app import people
from tests.app.browser import new_page, serving, sign_in
from tests.app.conftest import set_clock
from tests.app.walking import drawn, go_to, open_first_patient
from tests.recovery.patient_clinic import LOCAL, NOW, Clinic, anna, weekday, whose

pytestmark = pytest.mark.skipif(chromium() is None, reason=f"NOT TESTED IN A BROWSER: no Chromium. {INSTALL_CHROMIUM}")
METERSETS = {1: 112.4, 2: 98.6}


@dataclass
class Site:
    """Anna is booked today; `cache` is what the jobs write, beside what people sign."""

    cache: Path
    clinic: Clinic
    plan: Dataset

    def tell_database(self, number: int, beam: int, at: datetime) -> None:
        self.clinic.tell(
            "deliveries", delivery_id=f"{number} {beam}", patient_id="100231", fraction_number=number, beam_number=beam,
            referenced_rt_plan_uid=str(self.plan.SOPInstanceUID), beam_name=f"Field {beam}", treated_at=at,
            delivered_meterset=METERSETS[beam], delivery_type="TREATMENT",
        )  # fmt: skip

    def rv_system_returns(self) -> None:
        """It was told of fraction 8, typed in by hand, and the next cycle read it."""
        for beam, meterset in METERSETS.items():
            at, given = LOCAL + timedelta(minutes=beam), o.beam_item(beam, 8, meterset, meterset)
            anna_is = whose("100231", "ABELSEN^Anna")
            self.clinic.add(o.record(str(self.plan.SOPInstanceUID), [given], at=at, **anna_is))
            self.tell_database(8, beam, at)
        self.clinic.write(self.cache, proven=-timedelta(minutes=15))


def open_as(browser: Browser, url: str, role: str) -> Page:
    page, _ = new_page(browser)
    page.goto(url)
    sign_in(page, role)
    return page


def main(page: Page):  # type: ignore[no-untyped-def]
    return expect(page.get_by_test_id("stMain"))


def test_from_declaring_to_ending_it_a_fraction_on_paper_becomes_the_r_and_v_systems(
    tmp_path: Path, browser: Browser
) -> None:
    made = Clinic()
    plan = anna(made)
    made.tell(
        "schedule", appointment_id="today", patient_id="100231", treatment_machine_name="TB1",
        appointment_at=LOCAL.replace(minute=30), activity="Treatment", status="booked",
    )  # fmt: skip
    (tmp_path / "config.toml").write_text(app_clinic.CONFIG, encoding="utf-8")
    config = load_config(tmp_path / "config.toml")
    people.enrol(config.accounts_path)
    site = Site(config.cache_path, made, plan)
    for number in range(1, 8):
        for beam in METERSETS:
            site.tell_database(number, beam, weekday(7 - number) + timedelta(minutes=3 * beam))
    made.write(config.cache_path)
    clock = tmp_path / "clock.json"
    set_clock(clock, NOW)
    with serving(tmp_path / "config.toml", clock, tmp_path / "server.log") as server:
        physicist, therapist = (open_as(browser, server.url, role) for role in ("physicist", "therapist"))
        _declare(physicist)
        _chart(therapist)
        (entered,) = read_charted(site.cache).entries
        assert (entered.fraction_number, entered.meterset, entered.signed_by[:9]) == (8, 211.0, "Therapist")
        _everybody_reads_it(physicist)
        site.rv_system_returns()
        set_clock(clock, NOW + timedelta(minutes=20))
        _come_back(physicist)
        assert lasting_at(site.cache) is None


def _declare(page: Page) -> None:
    go_to(page, "Downtime")
    page.get_by_label("Why", exact=True).fill("the R&V system is encrypted")
    page.get_by_role("button", name="Declare a downtime").click()
    expect(page.get_by_role("status").filter(has_text="DOWNTIME since Tue 24 Nov 2026")).to_be_visible()
    page.get_by_role("button", name="Done", exact=True).first.click()
    main(page).to_contain_text("(physicist), Tue 24 Nov 14:38")


def _chart(page: Page) -> None:
    go_to(page, "Chart fractions")
    page.locator("label", has_text="100231").click()
    main(page).to_contain_text("8 next of 15 (7 given)")
    page.get_by_text("Name, birth date and photo were compared").click()
    if (accepts := page.get_by_text("We accept what is said above")).is_visible():
        accepts.click()
    page.get_by_label("Password of Therapist").fill(people.PASSWORD)
    page.get_by_label("Second person, name").fill("physicist")
    page.get_by_label("Second person, password").fill(people.PASSWORD)
    page.get_by_role("button", name="Sign: fraction 8, 211.0 MU").click()
    main(page).to_contain_text("Entered and signed: fraction 8, 211.0 MU, ABELSEN, Anna.")


def _everybody_reads_it(page: Page) -> None:
    go_to(page, "Machine day")
    main(page).to_contain_text("charted")
    open_first_patient(page)
    main(page).to_contain_text("9 next of 15 (8 given, charted)")


def _come_back(page: Page) -> None:
    go_to(page, "Downtime")
    page.get_by_text("Compare this copy with what the R&V database said").click()
    main(page).to_contain_text("EQUAL since")
    main(page).not_to_contain_text("NOT EQUAL")
    drawn(page)
    page.get_by_text("End the downtime", exact=True).click()
    page.get_by_label("Who compared what, and what differs").fill("equal, and compared by two people")
    page.get_by_role("button", name="End it, as").click()
    main(page).to_contain_text("No downtime is declared")
