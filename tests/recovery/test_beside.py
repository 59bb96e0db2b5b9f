"""A question asked in a process beside this one: its answer, its error, and its quiet end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from recovery.beside import asked_beside
from recovery.dimse import DimseError

PROJECT = Path(__file__).resolve().parents[2]

LEFT_EARLY = """
import signal, time
from recovery.beside import asked_beside
signal.signal(signal.SIGTERM, signal.default_int_handler)
try:
    with asked_beside(lambda: time.sleep(60)):
        time.sleep(0.3)
        raise ValueError("the other node cannot be reached")
except ValueError as error:
    print(error)
"""


def test_the_answer_comes_back() -> None:
    with asked_beside(lambda: {1, 2, 3}) as answer:
        assert answer() == {1, 2, 3}


def test_an_error_comes_back_with_all_that_it_says() -> None:
    def fail() -> None:
        raise DimseError("cannot be reached", fault="pacs", status=0xA700, timed_out=True)

    with asked_beside(fail) as answer, pytest.raises(DimseError, match="cannot be reached") as caught:
        answer()
    assert (caught.value.fault, caught.value.status, caught.value.timed_out) == ("pacs", 0xA700, True)


def test_a_question_that_nobody_waits_for_any_more_ends_at_once_and_says_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEFT_EARLY], cwd=PROJECT, capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout == "the other node cannot be reached\n" and done.stderr == ""
