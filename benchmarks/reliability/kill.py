"""A job, the RT-PACS or the R&V system is killed at a random moment; the next run must find all well."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.reliability.ward import Ward, open_ward
from tests.forked import run_module, start_module

JOBS = {
    "cycle": 5,
    "sync_records": 2,
    "sync_plans": 2,
    "snapshot_tables": 2,
    "build_on_treatment": 2,
    "verify_backup": 3,
}
"""Of sixteen kills, so many of each."""


def family(pid: int) -> list[int]:
    """A process and all that came of it, the oldest first."""
    found = [pid]
    for one in found:
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def kill_jobs(seed: int, tries: int) -> Iterator[list[str]]:
    """Any job at a random moment: every second time with its children, else they are left behind."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, open_ward(Path(folder)) as ward:
        takes = dict.fromkeys(JOBS, 1.0)
        for number in range(tries):
            (job,) = chance.choices([*JOBS], [*JOBS.values()])
            if chance.random() < 0.5 or not (ward.nodes.folder / "cache").exists():
                ward.empty()
            if job not in {"cycle", "sync_records"}:
                ward.nodes.job("cycle")
            said = _killed(ward, job, chance.random() * takes[job] * 1.1, children=bool(number % 2), takes=takes)
            yield [f"{job}, {said}: {one}" for one in _after(ward, number)]


def _killed(ward: Ward, job: str, after: float, *, children: bool, takes: dict[str, float]) -> str:
    with tempfile.TemporaryFile() as out:
        arguments = (job, "--json", "--config", str(ward.nodes.config))
        began = time.monotonic()
        run = start_module("backup_jobs", *arguments, out=out.fileno(), err=out.fileno())
        with suppress(OSError):
            run.connection.settimeout(after)
            if run.connection.recv(64, 2):  # MSG_PEEK: it has ended before
                takes[job] = (takes[job] + time.monotonic() - began) / 2
        for pid in family(run.pid) if children else [run.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        run.wait(30)
        takes[job] = max(takes[job], after)
    return f"killed after {after:.2f} s {'with' if children else 'without'} its children"


def _after(ward: Ward, number: int) -> list[str]:
    said = ward.healed()
    if number % 10 == 9:
        done = run_module("recovery", "verify", "--config", str(ward.nodes.config))
        said += [f"verify: {done.stderr}"] if done.returncode else []
    if left := [path.name for path in (ward.nodes.folder / "cache").rglob(".*-*")]:
        said.append(f"left beside: {left}")
    return said


def kill_pacs(seed: int, tries: int) -> Iterator[list[str]]:
    """The RT-PACS dies while a cycle runs, and comes back for the next."""
    return _kill_node("pacs", seed, tries)


def kill_rv(seed: int, tries: int) -> Iterator[list[str]]:
    """The R&V system dies while a cycle runs, and comes back for the next."""
    return _kill_node("rv", seed, tries)


def _kill_node(name: str, seed: int, tries: int) -> Iterator[list[str]]:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, open_ward(Path(folder)) as ward:
        node = ward.nodes.pacs if name == "pacs" else ward.nodes.rv
        takes = 1.0
        for number in range(tries):
            ward.nodes.route = ("relay", "direct")[number % 2]
            ward.empty()
            with tempfile.TemporaryFile("w+b") as out, tempfile.TemporaryFile() as err:
                began = time.monotonic()
                arguments = ("cycle", "--json", "--config", str(ward.nodes.config))
                run = start_module("backup_jobs", *arguments, out=out.fileno(), err=err.fileno())
                time.sleep(chance.random() * takes)
                node.kill()
                status = run.wait(120)
                takes = 0.8 * takes + 0.2 * min(time.monotonic() - began, 5)
                out.seek(0)
                said = out.read().decode()
            node.start()
            lied = [] if status or not ward.lacks() else [f"exit status 0, and {ward.lacks()}: {said}"]
            yield [f"{ward.nodes.route}: {one}" for one in lied + ward.healed()]
