"""Every page in every state of the cache, in a real browser: it says what the state calls for, and nothing it does not.

How
    One dashboard, whose cache comes into one state after the other, and one visitor who walks all pages of each. What
    must be said and what must not stands in SAID and UNSAID, by state and page; `*` is every page that shows patients.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.screens import PAGES
from demo.run.pictures import INSTALL_CHROMIUM, chromium
from recovery.access.permissions import Permission
from recovery.tables.relational import RELATIONAL_TABLES
from tests.app import states
from tests.app.browser import new_page, sign_in
from tests.app.walking import dashboard, drawn, go_to, open_first_patient, open_tab

pytestmark = pytest.mark.skipif(chromium() is None, reason=f"NOT TESTED IN A BROWSER: no Chromium. {INSTALL_CHROMIUM}")

GOOD = "● Backup is 6 minutes old. Everything up to Tue 14:32 is proven in the RT-PACS."
STALE = "■ Backup is 2 h 30 min old. Everything up to Tue 12:08 is proven in the RT-PACS."
NOBODY = "Nobody is on treatment. The RT-PACS was asked, and holds no plan that was treated or booked."
NOTHING = "■ No snapshot found in data/cache. Run python -m backup_jobs cycle once."
BROKEN = "■ The snapshot in data/cache cannot be read."
REBUILD = "on_treatment.parquet cannot be read"
OF_DATABASE = f"■ {len(RELATIONAL_TABLES)} of {len(RELATIONAL_TABLES)} tables cannot be read."
UNKNOWN_DAY = "TB1 · Tue 24 Nov · ▲ appointments unknown · ■ 1 to look at first"

STANDS_IN = "The newest snapshot of the R&V database's tables is not believed"
IN_TREATMENT = "Unfinished plans on TB1, appointments unknown: 2"

SAID: dict[str, dict[str, tuple[str, ...]]] = {
    "good": {
        "*": (GOOD,),
        "on_treatment": ("2 on treatment", "2 plans shown", "INTERRUPTED: finish fraction 5 first, 50.0 MU left"),
        "machine_day": ("1 booked · 0 treated · 1 to come", "Appointments as of Tue 14:32"),
        "patient": ("2 patients.",),
        "priorities": ("1 plan with a clock · 1 not entered yet",),
        "backup_health": ("2 of 2 plans on treatment or ready to start",),
    },
    "stale": {
        "*": (STALE, "No backup has run since Tue 12:08 (2 h 30 min). Check that cron"),
        "on_treatment": ("2 plans shown",),
        "machine_day": ("Appointments as of Tue 12:08.", "Fractions count what was proven up to Tue 12:08."),
        "backup_health": ("The R&V system last answered Tue 12:08",),
    },
    "empty": {"*": (GOOD, NOBODY)},
    "never": {
        "*": ("■ Nothing is proven: no run is known", NOTHING, "python -m recovery rebuild makes it from the RT-PACS"),
        "backup_health": ("No run of any job is known.", "There is none yet."),
    },
    "truncated": {"*": (GOOD, BROKEN, REBUILD, "python -m recovery rebuild")},
    "tables_truncated": {
        "*": (GOOD,),
        "on_treatment": ("2 plans shown",),
        "machine_day": (
            UNKNOWN_DAY,
            "▲ The table schedule cannot be read",
            IN_TREATMENT,
        ),
        "patient": ("2 patients.",),
        "backup_health": (OF_DATABASE, "2 of 2 plans on treatment or ready to start"),
    },
    "pointer_lost": {
        "*": (
            GOOD,
            "The newest snapshot of the R&V database's tables is not believed",
            "An older one stands in for it",
        ),
        "on_treatment": ("2 plans shown",),
        "machine_day": ("1 booked · 0 treated · 1 to come", "Appointments as of Tue 14:32"),
        "patient": ("2 patients.",),
    },
}
NO_COUNTS = (
    r"\d+ (plans?|patients?) shown",
    r"\d+ on treatment",
    r"\d+ booked",
    r"\d+ patients?\.",
    r"\d+ of \d+ plans",
)
NO_APPOINTMENTS = (r"\d+ booked", r"\d+ treated", r"\d+ to come", "no appointment known", "There is no table")
UNSAID: dict[str, tuple[str, ...]] = {
    "good": ("cannot be read", "No snapshot", "Nobody is on treatment", "unknown"),
    "stale": ("minutes old", "Nobody is on treatment"),
    "empty": (*NO_COUNTS, "No snapshot", "cannot be read"),
    "never": (*NO_COUNTS, "Nobody is on treatment", "minutes old", "ABELSEN"),
    "truncated": (*NO_COUNTS, "Nobody is on treatment", "No snapshot found", "ABELSEN"),
    "tables_truncated": (*NO_APPOINTMENTS, "There is none:", "Nobody is on treatment"),
    "pointer_lost": ("There is none:", "Nobody is on treatment", "appointments unknown"),
}
OF_PATIENTS = tuple(entry for entry in PAGES if entry.permission is Permission.VIEW)


@pytest.fixture(scope="module", params=states.STATES)
def state(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def sitting(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[tuple[Page, Path]]:
    """A signed-in admin on a dashboard that stays up, and its folder."""
    folder = tmp_path_factory.mktemp("states")
    with dashboard(folder, "good") as server:
        page, requests = new_page(browser)
        page.goto(server.url)
        sign_in(page, "admin")
        yield page, folder
        page.context.close()
        assert requests.outside == []
        assert "Traceback" not in (folder / "server.log").read_text(), "the server wrote a stack trace"


@pytest.fixture(scope="module")
def visit(state: str, sitting: tuple[Page, Path]) -> Page:
    """The sitting, once the cache beneath it has come into this state."""
    page, folder = sitting
    shutil.rmtree(folder / "clinic" / "data" / "cache", ignore_errors=True)
    states.make(folder / "clinic", state)
    return page


def said_on(page: Page) -> str:
    """What the page shows, on one line; and that no part of it has failed."""
    expect(page.locator("[data-testid=stException], .stException")).to_have_count(0)
    text = " ".join(page.locator("[data-testid=stMain]").inner_text().split())
    assert "Traceback" not in text and "None" not in re.findall(r"\w+", text) and "nan" not in re.findall(r"\w+", text)
    return text


@pytest.mark.parametrize("entry", OF_PATIENTS, ids=lambda entry: entry.url_path)
def test_a_page_says_what_the_state_calls_for_and_counts_nothing_else(state: str, visit: Page, entry: object) -> None:
    go_to(visit, entry.title)  # type: ignore[attr-defined]
    for sentence in (*SAID[state]["*"], *SAID[state].get(entry.url_path, ())):  # type: ignore[attr-defined]
        expect(visit.get_by_test_id("stMain")).to_contain_text(sentence)
    text = said_on(visit)
    for pattern in UNSAID[state]:
        assert not re.search(pattern, text), (pattern, text)


def test_the_audit_page_stands_in_every_state(state: str, visit: Page) -> None:
    go_to(visit, "Audit")
    assert "● The audit file is whole" in said_on(visit)


def test_a_patients_page_says_what_is_unknown_in_every_tab(state: str, visit: Page) -> None:
    if state in {"empty", "never", "truncated"}:
        go_to(visit, "Patients")
        assert visit.locator("[data-testid=stDataFrame]").count() == 0, "there is nobody to open"
        return
    open_first_patient(visit)
    text = said_on(visit)
    assert "Next fraction: 8 next of 15 (7 given)" in text and "7 of 15 fractions given in full" in text
    is_known = state in {"good", "stale", "pointer_lost"}
    assert ("ALERT: Pacemaker; Latex" in text) is is_known
    assert ("Alerts are unknown" in text) is not is_known
    assert ("appointments unknown" in text) is not is_known
    assert ("40.05 Gy" in text) is is_known
    for tab in ("Prescription", "Contacts", "Schedule"):
        open_tab(visit, tab)
        panel = " ".join(visit.get_by_role("tabpanel").inner_text().split())
        assert ("cannot be used" in panel) is not is_known, (tab, panel)
    visit.get_by_role("button", name="Other patient").click()
    expect(visit.get_by_text("2 patients.")).to_be_visible()
    drawn(visit)
