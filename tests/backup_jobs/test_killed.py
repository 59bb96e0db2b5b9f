"""The RT-PACS dies, or this machine is told to stop, at any moment of a move: nothing is lost, and nothing is claimed.

By seed: each kills at its own moment.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import evt

from tests.backup_jobs.test_main_job import course
from tests.clinic import TwoNodes, flat, two_nodes
from tests.dimse.limited import limited
from tests.dimse.scripted import PENDING, Scripted, asked_uids, at, by_uid, scp
from tests.forked import PROJECT
from tests.orthanc import HOW_TO_INSTALL, Orthanc, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

SEED = int(os.environ.get("RBRDT_CHAOS_SEED", "8"))
SEEDS = range(SEED, SEED + int(os.environ.get("RBRDT_CHAOS_SEEDS", "1")))
"""Each takes ten seconds and more: one in every run, and as many as one likes for an evening."""


def clinic_of(patients: int, fractions: int) -> list[Dataset]:
    return [ds for n in range(patients) for ds in course(f"P{n}", f"KILLED^N{n}", {1: 100.0}, fractions)]


def started(nodes: TwoNodes, job: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "backup_jobs", job, "--json", "--config", str(nodes.config)]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until_it_holds(pacs: Orthanc, some: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(pacs.instances()) < some:
        time.sleep(0.005)


def told(run: subprocess.Popen[str]) -> dict[str, dict[str, Any]]:
    out, errors = run.communicate(timeout=200)
    assert "Traceback" not in errors
    return {line["job"]: line for line in map(json.loads, out.splitlines())}


@pytest.mark.parametrize("route", ["relay", "direct"])
@pytest.mark.parametrize("seed", SEEDS)
def test_an_rt_pacs_that_is_killed_while_objects_arrive_loses_none_and_is_never_called_complete(
    tmp_path: Path, route: str, seed: int
) -> None:
    by_seed, objects = random.Random(seed), clinic_of(5, 8)
    with two_nodes(tmp_path) as nodes:
        nodes.route = route
        nodes.put(objects)
        whole = nodes.rv.instances()
        run = started(nodes, "cycle")
        wait_until_it_holds(nodes.pacs, by_seed.randrange(1, len(whole) - 1))
        time.sleep(by_seed.random() * 0.05)
        nodes.pacs.kill()
        results = told(run)
        assert run.returncode in {1, 2}, results
        assert {"FAILED", "PARTIAL"} & {result["outcome"] for result in results.values()}
        nodes.pacs.start()
        held, counts = nodes.pacs.instances(), results["sync_records"]["counts"]
        if results["sync_records"]["outcome"] == "OK":
            assert by_uid(ds for ds in objects if ds.Modality == "RTRECORD").keys() <= held
        assert counts.get("moved", 0) <= len(held)
        status, results = nodes.job("cycle")
        assert status == 0, results
        assert nodes.pacs.instances() == whole
        assert all(row["ready"] for row in nodes.table())
        assert {row["fractions_delivered"] for row in nodes.table()} == {8}


def dripping(holds: dict[str, Dataset], nodes: TwoNodes, pause: float) -> Any:
    """C-MOVE to this machine, an object now and then."""

    def moved(here: Scripted, event: evt.Event) -> Iterator[Any]:
        yield at(nodes.local, holds.values())
        found = [holds[uid] for uid in asked_uids(event.identifier) if uid in holds]
        yield len(found)
        for ds in found:
            time.sleep(pause)
            yield PENDING, ds

    return moved


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stop_while_objects_drip_in_ends_the_run_soon_and_the_next_one_completes_it(
    tmp_path: Path, seed: int
) -> None:
    by_seed, objects = random.Random(seed), list(flat([clinic_of(4, 8)]))
    with two_nodes(tmp_path) as nodes:
        nodes.rv.kill()
        holds, pause = by_uid(objects), {"seconds": 1.5}
        find = limited(objects)

        def moved(here: Scripted, event: evt.Event) -> Iterator[Any]:
            yield from dripping(holds, nodes, pause["seconds"])(here, event)

        with scp({evt.EVT_C_FIND: find, evt.EVT_C_MOVE: moved}, node=nodes.rv.node):
            run = started(nodes, "cycle")
            wait_until_it_holds(nodes.pacs, by_seed.randrange(1, 6))
            time.sleep(by_seed.random())
            began = time.monotonic()
            run.send_signal(signal.SIGTERM)
            results = told(run)
            assert time.monotonic() - began < 10, "not the half minute that its list still takes"
            assert run.returncode == 1
            assert "OK" not in {result["outcome"] for result in results.values()}
            held = nodes.pacs.instances()
            assert held < set(holds)
            pause["seconds"] = 0.0
            status, results = nodes.job("cycle")
            assert status == 0, results
            assert held < nodes.pacs.instances() == set(holds)
