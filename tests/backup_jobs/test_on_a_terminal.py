"""What people run by hand, on a real pseudo-terminal: progress bars, and Ctrl-C at any moment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backup_jobs.test_main_job import course
from tests.clinic import TwoNodes, two_nodes
from tests.forked import PROJECT
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed
from tests.terminal import Shown, on_a_terminal

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)


FROZEN = 'File "<frozen'
"""Of a trace of Python's start alone: pressed before the first line of ours, nothing of ours can answer."""


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[TwoNodes]:
    """120 records, 112 slices: each step is long enough for a bar."""
    with two_nodes(tmp_path) as nodes:
        for number in range(6):
            nodes.put(course(f"P{number}", f"BASALT^Osprey{number}", {1: 100.0}, 20))
        whole = course("P6", "BASALT^Osprey6", {1: 100.0}, 1)
        nodes.put(whole, *(course(f"Q{n}", "QUARTZ^Heron", {1: 100.0}, 1) for n in range(22)))
        yield nodes


def is_pythons_own(shown: Shown) -> bool:
    """Whether it broke in Python's own start, before a line of ours: its libraries may lie within the project."""
    ours = re.compile(re.escape(f'File "{PROJECT}/') + r"(?!\.venv/)")
    return FROZEN in shown.text and ours.search(shown.text) is None


def run(clinic: TwoNodes, module: str, *arguments: str, **more: object) -> Shown:
    shown = on_a_terminal("-m", module, *arguments, "--config", str(clinic.config), **more)  # type: ignore[arg-type]
    assert is_pythons_own(shown) or ("Traceback" not in shown.text and "Error" not in shown.text), shown.text
    return shown


def test_check_first_cycle_rebuild_and_chart_run_on_a_terminal_with_their_bars(clinic: TwoNodes) -> None:
    assert run(clinic, "backup_jobs", "check").status == 0
    shown = run(clinic, "backup_jobs", "cycle")
    assert shown.status == 0, shown.text
    for bar in ("moving records", "moving images", "reading records"):
        assert bar in shown.text and "100%" in shown.text
    assert clinic.pacs.instances() == clinic.rv.instances()
    shown = run(clinic, "recovery", "rebuild")
    assert shown.status == 0 and "reading records" in shown.text and "143 treatment records read" in shown.text
    shown = run(clinic, "recovery", "chart", "--patient", "P0", "-o", str(clinic.folder / "chart.pdf"))
    assert shown.status == 0 and (clinic.folder / "chart.pdf").stat().st_size > 1000


PRESSED = """
import os, sys
def press(event, arguments):
    if event == "import" and arguments[0] == "recovery.host":
        os.kill(os.getpid(), 2)
sys.addaudithook(press)
"""
"""A sitecustomize.py: Ctrl-C when the first module of ours is imported."""


@pytest.mark.parametrize("module", ["backup_jobs", "recovery"])
def test_ctrl_c_before_anything_of_ours_can_answer_ends_it_without_a_word(tmp_path: Path, module: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(PRESSED)
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (-2, "", "")


WRAPS = """
import os
import re
from recovery.host import stopping

class Pressed:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), 2)

def main():
    class Made:
        name = Pressed()
    return 0

stopping.leave(stopping.run(main, "stopped; all stands"))
"""


def test_ctrl_c_while_a_class_is_made_which_python_wraps_in_another_error_is_one_line() -> None:
    done = subprocess.run([sys.executable, "-c", WRAPS], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "stopped; all stands\n")


HASTY = """
import os
import re
from recovery.host import stopping

os_write = os.write

def write(number, data):  # pressed again in the last moment before the line is there
    os.kill(os.getpid(), 2)
    return os_write(number, data)

def main():
    os.write = write
    os.kill(os.getpid(), 2)
    os.kill(os.getpid(), 2)

stopping.leave(stopping.run(main, "stopped; all stands"))
"""


def test_however_often_ctrl_c_is_pressed_its_line_is_there_once() -> None:
    done = subprocess.run([sys.executable, "-c", HASTY], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "stopped; all stands\n")


@pytest.mark.parametrize(("module", "command"), [("backup_jobs", "cycle"), ("recovery", "rebuild")])
def test_ctrl_c_at_any_moment_of_a_start_is_one_line(tmp_path: Path, module: str, command: str) -> None:
    with two_nodes(tmp_path) as clinic:
        clinic.put(course("P0", "BASALT^Osprey", {1: 100.0}, 3))
        for seconds in (0.0, 0.1, 0.2, 0.4, 0.7, 1.2):
            began = time.monotonic()
            shown = run(clinic, module, command, until=lambda _, at=began + seconds: time.monotonic() > at)
            if shown.status == 1 and "stopped" in shown.text:
                assert shown.text.count("stopped; ") == 1, shown.text
            else:  # before Python's first line of ours, or when all was done
                assert shown.status in {-2, 0, 2} or is_pythons_own(shown), shown


def test_ctrl_c_beside_any_bar_is_one_line_and_the_next_run_goes_on(clinic: TwoNodes) -> None:
    for bar in ("moving records", "reading records", "moving images"):
        shown = run(clinic, "backup_jobs", "cycle", until=lambda text, bar=bar: bar in text, presses=3)
        assert (shown.status, shown.text.count("stopped; ")) == (1, 1), shown.text
        assert bar in shown.text and "the next run does the rest" in shown.text
    status, _ = clinic.job("cycle")
    assert status == 0 and clinic.pacs.instances() == clinic.rv.instances()
    assert {(row["ready"], row["records_held"]) for row in clinic.table()} == {(True, True)}
