"""How long a test waits for what depends on the machine: longer on a slow or busy one.

What is there earlier is not waited for, so that a generous end costs nothing but where a test is red.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from functools import cache

QUIET_SECONDS = 0.1
"""What the work of `_by_work` takes on a quiet machine of 2026."""
_MARGIN = 2.0
"""A machine may become busier after it was measured."""


def slowness() -> float:
    """How many times slower than a quiet machine this one is, at least 1; `RBRDT_TEST_SLOWNESS` says it unmeasured."""
    told = os.environ.get("RBRDT_TEST_SLOWNESS")
    if told:
        return float(told)
    by_load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return max(1.0, _by_work(), by_load)


@cache
def _by_work() -> float:
    began = time.monotonic()
    hashlib.pbkdf2_hmac("sha256", b"as long as it takes", b"salt", 250_000)
    return (time.monotonic() - began) / QUIET_SECONDS


def seconds(quiet: float) -> float:
    """The end of a wait that takes at most `quiet` seconds on a quiet machine."""
    return quiet * slowness() * _MARGIN


def milliseconds(quiet: float) -> float:
    """As Playwright counts; `quiet` is in seconds."""
    return 1000 * seconds(quiet)


def wait_until(is_so: Callable[[], bool], what: str = "what the test waits for", quiet: float = 30.0) -> None:
    """Ask until it is so.

    Raises
    ------
    AssertionError
        If it is not so in time; `what` stands in its text.
    """
    until = time.monotonic() + seconds(quiet)
    while not is_so():
        assert time.monotonic() < until, f"not within {seconds(quiet):.0f} s: {what}"
        time.sleep(0.02)
