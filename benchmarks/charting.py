"""`python -m benchmarks.charting`: people who chart at once on one dashboard, each in a browser window of their own.

Goal
    Every entry that was signed is there, no page takes longer than 2 s, and the server needs no more than 1 GB.

How
    A cache of as many patients as are charted, a machine for each person, and a dashboard as a process. Each person
    signs in, and every `--every` seconds opens the next patient, compares, types both passwords and signs. Seconds are
    from the click to what a person waits for. Afterwards the journal is read, and a new visitor's page.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from benchmarks.dashboard import memory_mb
from demo.run.pictures import chromium
from recovery.access.accounts import Accounts
from recovery.access.permissions import Role, User
from recovery.entries.charted import read_charted
from recovery.entries.downtimes import DowntimeEntry
from recovery.host.entry_lines import append_statement
from recovery.settings.config import load_config
from tests.app import clinic as app_clinic
from tests.app.browser import LOOPBACK_ONLY, serving
from tests.app.conftest import set_clock
from tests.app.people import ENROLLED_AT, PASSWORD
from tests.app.walking import DRAWN, POLLING
from tests.recovery.patient_clinic import LOCAL, NOW, Clinic, anna

MOST_SECONDS, MOST_MB = 2.0, 1024.0
PATIENCE_MS = 120_000


@dataclass
class Person:
    """Who charts on one machine, and what it took: seconds to open a patient, and to enter what was signed."""

    number: int
    patient_ids: Sequence[str]
    opened: list[float] = field(default_factory=list)
    entered: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"therapist{self.number}"

    @property
    def machine(self) -> str:
        return f"TB{self.number}"


def make(folder: Path, people: Sequence[Person]) -> Path:
    """A clinic in a downtime with these people's patients and accounts; returns its config."""
    config = folder / "config.toml"
    config.write_text(app_clinic.CONFIG, encoding="utf-8")
    accounts, made = Accounts(load_config(config).accounts_path), Clinic()
    for person in people:
        accounts.add(User(person.name, f"Therapist {person.number}", Role.THERAPIST), PASSWORD, ENROLLED_AT)
        for place, patient_id in enumerate(person.patient_ids):
            _book(made, patient_id, person.machine, place)
    path = load_config(config).cache_path
    made.write(path)
    began = NOW - timedelta(hours=6)
    append_statement(path, DowntimeEntry("begin", "a benchmark", "P. Physicist", began, began))
    return config


def _book(made: Clinic, patient_id: str, machine: str, place: int) -> None:
    """A patient with seven of fifteen fractions, in treatment on a machine and booked there today."""
    first, rows = len(made.objects), {name: len(own) for name, own in made.rows.items()}
    anna(made, patient_id, f"PATIENT{patient_id}^Anna")
    for ds in made.objects[first:]:
        for named in (*getattr(ds, "BeamSequence", ()), *getattr(ds, "TreatmentMachineSequence", ())):
            named.TreatmentMachineName = machine
    for name, own in made.rows.items():
        for row in own[rows.get(name, 0) :]:
            row.update({"treatment_machine_name": machine} if "treatment_machine_name" in row else {})
    made.tell(
        "schedule", appointment_id=f"today {patient_id}", patient_id=patient_id, treatment_machine_name=machine,
        appointment_at=LOCAL.replace(hour=8, minute=0) + timedelta(minutes=10 * place), activity="Treatment",
        status="booked",
    )  # fmt: skip


async def _sign_in(browser: Browser, url: str, person: Person) -> Page:
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(f"{url}/charting")
    await page.get_by_label("Name", exact=True).fill(person.name)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.get_by_role("heading", name="What was charted").wait_for()
    await page.get_by_role("radio", name=person.machine, exact=True).click()
    await page.get_by_text(person.patient_ids[0]).first.wait_for()
    return page


async def _chart(page: Page, person: Person, second: Person, patient_id: str) -> None:
    line = page.locator("label", has_text=patient_id)
    await page.wait_for_function(DRAWN, polling=POLLING)
    started = time.monotonic()
    await line.click()
    press = page.get_by_role("button", name="Sign: fraction 8")
    await press.wait_for()
    await page.get_by_role("heading", name=f"PATIENT{patient_id}").first.wait_for()
    person.opened.append(time.monotonic() - started)
    await page.get_by_text("Name, birth date and photo were compared").click()
    await page.get_by_label("Password of Therapist").fill(PASSWORD)
    await page.get_by_label("Second person, name").fill(second.name)
    await page.get_by_label("Second person, password").fill(PASSWORD)
    started = time.monotonic()
    await press.click()
    await line.get_by_text("✓").wait_for()
    person.entered.append(time.monotonic() - started)


async def _shift(browser: Browser, url: str, people: Sequence[Person], place: int, every: float) -> None:
    """One person's shift: an entry every so many seconds, each person a little after the one before."""
    person, second = people[place], people[place - 1]
    page = await _sign_in(browser, url, person)
    begins = time.monotonic() + every * place / len(people)
    for turn, patient_id in enumerate(person.patient_ids):
        await asyncio.sleep(max(0.0, begins + turn * every - time.monotonic()))
        await _chart(page, person, second, patient_id)


async def _work(url: str, people: Sequence[Person], every: float) -> str:
    """All shifts at once; returns what a new visitor is told of the entries then."""
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", *LOOPBACK_ONLY]
        browser = await playwright.chromium.launch(executable_path=chromium(), args=arguments)
        await asyncio.gather(*(_shift(browser, url, people, place, every) for place in range(len(people))))
        page = await _sign_in(browser, url, people[0])
        told = await page.get_by_text("in all.").inner_text()
        await browser.close()
    return told


def _figures(taken: list[float]) -> str:
    """Within how many seconds half, 95 of 100, and all were."""
    ordered = sorted(taken)
    return ", ".join(f"{ordered[math.ceil(share * len(ordered)) - 1]:.2f}" for share in (0.5, 0.95, 1.0)) + " s"


def main() -> int:
    """Run it; exit status 1 where an entry lacks, a page took too long, or the server needed too much."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.charting", description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long they chart (default 600)")
    parser.add_argument("--every", type=float, default=20.0, help="seconds from one entry to the next (default 20)")
    options = parser.parse_args()
    each = max(1, round(options.seconds / options.every))
    people = [Person(n, [f"{n:02}{place:04}7" for place in range(each)]) for n in range(1, options.people + 1)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = make(folder, people)
        set_clock(folder / "clock.json", NOW)
        with serving(config, folder / "clock.json", folder / "server.log", is_forked=False) as server:
            told = asyncio.run(_work(server.url, people, options.every))
            memory, used = memory_mb(server), server.processor_seconds()
        charted = read_charted(load_config(config).cache_path)
    signed = sorted(patient_id for person in people for patient_id in person.patient_ids)
    is_whole = not charted.faults and sorted(one.patient_id for one in charted.entries) == signed
    is_whole &= f"{len(signed)} in all" in told
    opened = [taken for person in people for taken in person.opened]
    entered = [taken for person in people for taken in person.entered]
    group = f"| charting, {options.people} people, an entry every {options.every:.0f} s for {options.seconds:.0f} s"
    print(
        f"{group} | entries signed, kept | {len(signed)}, {len(charted.entries)}{'' if is_whole else ': NOT ALL'} | |"
    )
    print(f"| charting | from a patient's line to the fields: half, 95 of 100, all within | {_figures(opened)} | |")
    print(f"| charting | from signing to the list that has it: half, 95 of 100, all within | {_figures(entered)} | |")
    print(f"| charting | the server, signing in and all | {memory:.0f} MB, {used:.1f} s of the processor | |")
    return int(not is_whole or max(*opened, *entered) > MOST_SECONDS or memory > MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
