"""A dashboard as a process and a Chromium beside it, for tests of what only a browser shows.

Goal
    The journey that matters is tested as a visitor walks it: open, filter, export, read the file.

How
    `streamlit run` on a free port of loopback, with its own clinic and a clock that can be moved; Debian's Chromium,
    in which every request is noted, and nothing outside loopback is reached.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from demo.run.pictures import chromium
from tests.app import people
from tests.app.conftest import ROOT
from tests.forked import Forked, start_module
from tests.orthanc import free_port
from tests.patience import milliseconds, seconds, wait_until

LOOPBACK_ONLY = ("--proxy-server=127.0.0.1:9", "--proxy-bypass-list=127.0.0.1")
"""What is not on this machine is asked of a proxy that is not there."""


@dataclass
class Server:
    """A running dashboard; `started_at` is when its process was started."""

    url: str
    started_at: float
    pid: int

    def processor_seconds(self) -> float:
        """What its process has used so far (proc_pid_stat(5): utime and stime)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(
    config: Path, clock: Path, log: Path, script: str = "app/main.py", *, is_forked: bool = True
) -> Iterator[Server]:
    """Run the dashboard on a free port until the block ends. `is_forked`: its imports are made already."""
    port = free_port()
    environment = os.environ | {"RBRDT_CONFIG": str(config), "RBRDT_CLOCK": str(clock)}
    command = ["streamlit", "run", script, "--server.port", str(port)]
    started_at = time.monotonic()
    process: Forked | subprocess.Popen[bytes]
    with log.open("wb") as output:
        if is_forked:
            process = start_module(*command, environment=environment, out=output.fileno(), err=output.fileno())
        else:
            process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=environment, stdout=output, stderr=output
            )
    try:
        wait_until(lambda: is_listening(port), f"the dashboard listens; else its log {log} says why")
        yield Server(f"http://127.0.0.1:{port}", started_at, process.pid)
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(timeout=seconds(20))


def is_listening(port: int) -> bool:
    """Whether somebody answers at this port of this machine."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@dataclass
class Requests:
    """Every address that a page asked for, and those that were not this machine's."""

    all: list[str] = field(default_factory=list)

    @property
    def outside(self) -> list[str]:
        return [url for url in self.all if urlsplit(url).hostname not in {"127.0.0.1", None}]


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    """A Chromium until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", *LOOPBACK_ONLY])
        expect.set_options(timeout=milliseconds(30))
        try:
            yield browser
        finally:
            browser.close()


def sign_in(page: Page, name: str = "physicist") -> None:
    """Fill the sign-in page as a visitor does, until the browser bears a new mark; `name`: see `tests.app.people`."""
    before = marks(page.context)
    page.get_by_label("Name", exact=True).wait_for()
    page.keyboard.press("Escape")  # Streamlit's word that the default page has no address but /
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(people.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Sign out").wait_for()
    wait_until(lambda: marks(page.context) not in ([], before), "a script of the page sets the mark")


def marks(context: BrowserContext) -> list[dict[str, object]]:
    """The cookies by which a reload brings a sitting back."""
    return [dict(one) for one in context.cookies() if one["name"].startswith("rbrdt_")]


def new_page(browser: Browser, width: int = 1440, height: int = 900, **options: Any) -> tuple[Page, Requests]:
    """A page with nothing in its cache, on which nothing moves; what it asks is noted, what is outside is not there."""
    size: ViewportSize = {"width": width, "height": height}
    page = browser.new_context(viewport=size, reduced_motion="reduce", **options).new_page()
    page.set_default_timeout(milliseconds(30))
    requests = Requests()
    page.context.on("request", lambda request: requests.all.append(request.url))
    return page, requests
