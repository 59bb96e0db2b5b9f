"""Fixtures: the simulated clinic's config and clock, and a dashboard that is driven without a browser."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from app.screens import PAGES
from tests.app import clinic, people
from tests.forked import look_through_packages_once
from tests.patience import seconds

ROOT = Path(__file__).resolve().parents[2]


def set_clock(file: Path, at: datetime, speed: float = 0.0) -> None:
    """Set the simulated clinic's clock; at speed 0 it stands."""
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps({"real": 0, "speed": speed, "simulated": at.isoformat()}), encoding="utf-8")
    beside.replace(file)


@pytest.fixture(scope="session", autouse=True)
def _quick_starts() -> None:
    look_through_packages_once()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of a file: while it runs, asyncio is Playwright's."""
    from demo.run.pictures import INSTALL_CHROMIUM, chromium
    from tests.app.browser import browsing

    if chromium() is None:
        pytest.skip(f"NOT TESTED IN A BROWSER: no Chromium. {INSTALL_CHROMIUM}")
    with browsing() as one:
        yield one


@pytest.fixture(autouse=True)
def _no_page_stays_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """A page that a test forgot goes on asking its server, and draws, while others are tested."""
    one: Browser | None = request.getfixturevalue("browser") if "browser" in request.fixturenames else None
    before = list(one.contexts) if one else []
    yield
    for context in [context for context in one.contexts if context not in before] if one else []:
        context.close()


@pytest.fixture
def clock_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clock that stands at `clinic.NOW`; `set_clock` moves it."""
    file = tmp_path / "clock.json"
    set_clock(file, clinic.NOW)
    monkeypatch.setenv("RBRDT_CLOCK", str(file))
    return file


@pytest.fixture
def open_dashboard(tmp_path: Path, clock_file: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open the dashboard on a clinic in a given state, as a visitor does, sign in, and draw its first page."""

    def open_on(
        state: str, patients: int = 20, page: str = "", role: str | None = "physicist", **query: str
    ) -> AppTest:
        config = clinic.make(tmp_path / state, state, patients)
        monkeypatch.setenv("RBRDT_CONFIG", str(config))
        visit = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=seconds(30))
        for key, value in query.items():
            visit.query_params[key] = value
        visit._page_hash = calc_hash(page) if page and page != PAGES[0].url_path else ""  # as a visitor's address does
        visit.run()
        return people.sign_in(visit, role) if role else visit

    assert os.environ["RBRDT_CLOCK"] == str(clock_file)
    return open_on


def said(visit: AppTest) -> str:
    """Everything that a page says outside its table, its links last."""
    told = [element.value for kind in (visit.markdown, visit.code, visit.error) for element in kind]
    return "\n".join([*told, *(link.proto.label for link in visit.get("page_link"))])
