"""A recovery drill of the simulated clinic's 60 patients, with its database, and what the report says of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from demo.aria.database import AriaDatabase
from demo.clinic.clinic import Clinic
from tests.restoring.clinic import archive


def drill(row: Callable[[str, str, str, float], None], now: datetime) -> None:
    """Back it up, prove it, hold a drill of everybody."""
    simulated = Clinic(7, now)
    with tempfile.TemporaryDirectory() as name, archive(Path(name), simulated.objects()) as clinic:
        AriaDatabase(Path(name) / "aria.sqlite").create(simulated)
        clinic.extra = '[rv.database]\nconnection = "sqlite:///aria.sqlite"\n'
        for job in ("snapshot_tables", "verify_backup", "build_on_treatment"):
            print(f"{job}: exit status {clinic.job(job)[0]}")
        started = time.perf_counter()
        done = clinic.run("recovery", "drill", "--patients", "60")
        taken = time.perf_counter() - started
        print(done.stdout, done.stderr, sep="")
        row("drill, 60 patients", "all of them packed", f"exit status {done.returncode}, {taken:.0f} s", 1.0)
