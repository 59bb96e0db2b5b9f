"""Work in many processes: the same results in the same order, and a worker that dies costs its task alone."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from distributed import LocalCluster

from recovery.host import system, workers
from recovery.host.workers import worked_off
from tests.forked import PROJECT
from tests.orthanc import free_port
from tests.patience import seconds, wait_until


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


def die(mark: Path) -> None:
    with mark.open("a") as file:
        file.write("x")
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_task_that_kills_whoever_does_it_has_an_end_and_leaves_this_process_alive(tmp_path: Path) -> None:
    results = worked_off([partial(square, 3), partial(die, tmp_path / "mark"), partial(square, 4)], 2)
    assert next(results) == 9
    with pytest.raises(ChildProcessError, match="3 processes"):
        next(results)
    assert (tmp_path / "mark").read_text() == "xxx"


def wait_in(folder: Path) -> None:
    (folder / str(os.getpid())).touch()
    time.sleep(600)


def test_whoever_stops_early_leaves_no_process_behind_and_waits_for_none(tmp_path: Path) -> None:
    results = worked_off([partial(square, 1), *[partial(wait_in, tmp_path)] * 5], 4)
    assert next(results) == 1
    wait_until(lambda: len(list(tmp_path.iterdir())) >= 3, "they work")
    started = time.monotonic()
    results.close()
    assert time.monotonic() - started < seconds(5)
    assert not any(system.is_running(int(one.name)) for one in tmp_path.iterdir())


def test_without_a_fork_the_tasks_are_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recovery.host.child_process.system.forks", lambda: None)
    assert list(worked_off([partial(square, n) for n in range(5)] + [os.getpid], 3)) == [0, 1, 4, 9, 16, os.getpid()]


def test_no_log_of_another_machine_shows_whom_a_task_is_about_and_other_code_does_none() -> None:
    sealed = workers._Sealed(pickle.dumps(partial(square, 4)), workers.code_digest())
    assert sealed() == 16
    assert repr(partial(square, 4)) not in repr(sealed) and "task" not in repr(sealed)
    with pytest.raises(workers.OtherCodeError):
        replace(sealed, code="of yesterday")()


def nap(n: int) -> int:
    time.sleep(0.3)
    return n


def test_a_scheduler_that_is_lost_in_the_middle_costs_nothing_but_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "SCHEDULER_SECONDS", 2)
    cluster = LocalCluster(n_workers=1, processes=False, dashboard_address=None, protocol="tcp")  # type: ignore[no-untyped-call]
    results = worked_off([partial(nap, n) for n in range(12)], 2, cluster.scheduler_address)
    try:
        assert next(results) == 0
    finally:
        cluster.close()  # type: ignore[no-untyped-call]
    assert list(results) == list(range(1, 12))


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
