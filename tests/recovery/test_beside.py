"""A question asked in a process beside this one: its answer, its error, and its quiet end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recovery.cache.journal import lock
from recovery.dimse import DimseError
from recovery.host.child_process import asked_beside
from tests.patience import seconds

PROJECT = Path(__file__).resolve().parents[2]

LEFT_EARLY = """
import signal, time
from recovery.host.child_process import asked_beside
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
        [sys.executable, "-c", LEFT_EARLY], cwd=PROJECT, capture_output=True, text=True, timeout=seconds(20), check=True
    )
    assert done.stdout == "the other node cannot be reached\n" and done.stderr == ""


KILLED = """
import sys, time
from pathlib import Path
from recovery.host.child_process import asked_beside
from recovery.cache.journal import lock

def stay():
    print("under way", flush=True)
    time.sleep(60)

with lock(Path(sys.argv[1]), "cycle"), lock(Path(sys.argv[1]), "sync_plans"):
    with asked_beside(stay):
        with asked_beside(stay):
            time.sleep(60)
"""


def test_a_killed_run_leaves_neither_its_locks_nor_a_process_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert [run.stdout.readline() for _ in range(2)] == ["under way\n"] * 2  # each has had its first turn
        children = [int(one) for one in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()]
        assert len(children) == 2
        run.kill()
        run.wait(10)
    for job in ("cycle", "sync_plans"):
        with lock(tmp_path, job):
            pass
    deadline = time.monotonic() + 10
    while any(is_running(child) for child in children):
        assert time.monotonic() < deadline, "a child outlived its parent"
        time.sleep(0.05)


def is_running(process_id: int) -> bool:
    """A zombie that nobody has waited for yet is none."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_sigterm_to_a_whole_group_prints_no_traceback() -> None:
    """As systemd stops a service: parent and child get it at once."""
    script = LEFT_EARLY.replace("time.sleep(0.3)", "print('under way', flush=True); time.sleep(60)")
    script = script.replace("except ValueError as error", "except (KeyboardInterrupt, ValueError) as error")
    command = [sys.executable, "-c", script]
    with subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "under way\n"
        os.killpg(run.pid, signal.SIGTERM)
        assert run.communicate(timeout=seconds(20))[1] == ""


def test_sigterm_in_the_moment_of_the_fork_ends_parent_and_child_quietly() -> None:
    """The child has it before its first line, when the handler that it inherited would still be its own."""
    script = """
import os, signal, time
from recovery.host.child_process import asked_beside
signal.signal(signal.SIGTERM, signal.default_int_handler)
os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))
os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGTERM))
try:
    with asked_beside(lambda: 1):
        print("not stopped")
except KeyboardInterrupt:
    print("stopped")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, timeout=seconds(20), check=True
    )
    assert done.stdout == "stopped\n" and done.stderr == ""
