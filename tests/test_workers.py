"""Work in many processes: the same results in the same order, and a worker that dies costs its task alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from recovery.host.workers import worked_off
from tests.forked import PROJECT
from tests.orthanc import free_port
from tests.patience import seconds


def square(n: int) -> int:
    return n * n


def refuse() -> int:
    raise KeyError("refused")


def die_once(mark: Path, n: int) -> int:
    """The first worker that comes here is killed in the middle of its task."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return n
    os.kill(os.getpid(), signal.SIGKILL)
    return n


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler of Dask and two workers, each a process of its own, started again when it dies."""
    port, folder = free_port(), tmp_path_factory.mktemp("dask")
    address = f"tcp://127.0.0.1:{port}"
    python = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    own = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    workers = ["--nworkers", "2", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"]
    log = (folder / "log").open("wb")
    quiet = {"cwd": PROJECT, "stdout": log, "stderr": log}
    processes = [subprocess.Popen([*python, *own], **quiet)]  # type: ignore[call-overload]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, *workers, "--local-directory", str(folder)]
    processes.append(subprocess.Popen(worker, **quiet))  # type: ignore[call-overload]
    yield address
    for process in reversed(processes):
        process.terminate()
        process.wait(seconds(30))


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_results_come_in_the_order_of_the_tasks(at_once: int) -> None:
    assert list(worked_off([partial(square, n) for n in range(12)], at_once)) == [n * n for n in range(12)]


def test_what_a_task_raises_is_raised_here() -> None:
    with pytest.raises(KeyError, match="refused"):
        list(worked_off([refuse, refuse], 2))


def test_a_process_that_is_killed_costs_its_task_and_the_task_is_done_again(tmp_path: Path) -> None:
    tasks = [partial(die_once, tmp_path / "mark", n) for n in range(6)]
    assert list(worked_off(tasks, 2)) == list(range(6))


def test_dask_gives_the_same_and_a_killed_worker_costs_its_task(scheduler: str, tmp_path: Path) -> None:
    tasks = [partial(die_once, tmp_path / "mark", n) for n in range(6)]
    assert list(worked_off(tasks, 2, scheduler)) == list(range(6))
    with pytest.raises(KeyError, match="refused"):
        list(worked_off([refuse, refuse], 2, scheduler))


def test_a_scheduler_that_is_not_there_leaves_the_work_to_this_machine(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("recovery.host.workers.SCHEDULER_SECONDS", 1)
    started = time.monotonic()
    assert list(worked_off([partial(square, 2)] * 3, 2, f"tcp://127.0.0.1:{free_port()}")) == [4, 4, 4]
    assert time.monotonic() - started < seconds(20)
    assert "this machine works alone" in caplog.text
