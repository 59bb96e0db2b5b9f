"""The simulated clinic's 60 patients restored to an empty Orthanc, killed at 20 random moments, and compared.

Which ways were taken: `relay`, where the RT-PACS does not know the receiver, `direct`, where it does.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from demo.clinic.clinic import Clinic
from recovery.dicom.model import DicomNode
from recovery.restoring.contents import NOT_HELD
from tests.forked import Forked, start_module
from tests.orthanc import Orthanc, free_port
from tests.restoring.clinic import archive, destination, digests, introduce

KILLS = 20


def restore(row: Callable[[str, str, str, float], None], now: datetime) -> None:
    """Restore it by both ways, whole and killed; the receiver must hold everything once, equal by digest."""
    with tempfile.TemporaryDirectory() as name, archive(Path(name), Clinic(7, now).objects()) as clinic:
        here, first = digests(clinic.pacs), None
        for way in ("relay", "relay, killed", "direct, killed"):
            node = DicomNode("NEWRV", "127.0.0.1", free_port())
            with Orthanc(Path(name) / way, node) as receiver:
                clinic.extra = destination("new", node)
                config = clinic.config
                if way.startswith("direct"):
                    introduce(clinic.pacs, node)
                moments = _kill(clinic.config, receiver, len(here)) if way.endswith("killed") else []
                started = time.perf_counter()
                done = _command(config).wait(1800)
                taken = time.perf_counter() - started
                # one slice of a planning CT was never there: each run says so, with exit status 1
                told = config.with_name("said.txt").read_text()
                assert done == 0 or (done == 1 and told.count("not proven:") == told.count(NOT_HELD)), told
                assert digests(receiver) == here, "each object once, and the same"
                first = first or taken
                said = f"{len(here)} objects, {taken:.0f} s" + (
                    f" for the last run; killed at {moments}" if moments else ""
                )
                row("restore, 60 patients", way, said, first / taken)


def _kill(config: Path, receiver: Orthanc, whole: int) -> list[int]:
    """Kill runs when the receiver holds a random number of objects more; returns what it held each time."""
    moments: list[int] = []
    chance = random.Random(13)  # noqa: S311  the same moments each time
    for _ in range(KILLS):
        least = min(receiver.count() + chance.randint(1, 2 * whole // (3 * KILLS)), whole)
        run = _command(config)
        while receiver.count() < least:
            time.sleep(0.01)
        os.kill(run.pid, signal.SIGKILL)
        run.wait(30)
        moments.append(receiver.count())
    return moments


def _command(config: Path) -> Forked:
    with config.with_name("said.txt").open("wb") as out:
        arguments = ("restore", "--to", "new", "--everybody", "--with-charts", "--config", str(config))
        return start_module("recovery", *arguments, out=out.fileno(), err=out.fileno())
