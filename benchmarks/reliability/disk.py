"""The disk refuses, or is slow, at every place where a cycle or a proof writes: one fsync after another."""

from __future__ import annotations

import errno
import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backup_jobs.__main__ import main as backup_jobs
from benchmarks.reliability.ward import Ward, open_ward

ANSWERS = {"full": errno.ENOSPC, "read-only": errno.EROFS, "broken": errno.EIO, "slow": 0, "power cut": -1}
SLOW = 0.5


def disk(_seed: int, tries: int) -> Iterator[list[str]]:
    """At most `tries` sites of each job and way. A power cut: the process is gone at once."""
    with tempfile.TemporaryDirectory() as folder, open_ward(Path(folder)) as ward:
        for job in ("cycle", "verify_backup"):
            for way in ANSWERS:
                for site in range(tries):
                    ward.empty()
                    if job != "cycle":
                        ward.nodes.job("cycle")
                    status, reached = _run(ward, job, way, site)
                    if not reached:
                        break
                    said = []
                    if status == 0 and way not in {"slow", "power cut"} and (lacks := ward.lacks()):
                        said.append(f"exit status 0, and {lacks}")
                    if way == "slow" and status not in {0, 1}:
                        said.append(f"exit status {status}")
                    yield [f"{job}, {way} at site {site}: {one}" for one in said + ward.healed()]


def _run(ward: Ward, job: str, way: str, site: int) -> tuple[int, bool]:
    """Run a job in a fork whose fsync number `site` does this; its exit status, and whether it came so far."""
    config, told = str(ward.nodes.config), ward.nodes.folder / "told.json"
    told.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        status = 70
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            logging.disable()
            _spoil(way, site, told)
            status = backup_jobs([job, "--config", config])
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told.exists()


def _spoil(way: str, site: int, told: Path) -> None:
    sync, count = os.fsync, 0

    def fsync(descriptor: Any) -> None:
        nonlocal count
        count += 1
        if count <= site:
            return sync(descriptor)
        if count == site + 1:
            told.write_text(json.dumps(way))
            if way == "power cut":
                os._exit(71)
        if way == "slow":
            time.sleep(SLOW if count == site + 1 else 0)
            return sync(descriptor)
        raise OSError(ANSWERS[way], os.strerror(ANSWERS[way]))  # and so does every one after it

    os.fsync = fsync
