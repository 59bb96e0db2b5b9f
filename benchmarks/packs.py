"""Packs of everybody kept ready: the simulated clinic several times under other names, proven, packed, packed again."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from pydicom import Dataset

from demo.clinic.clinic import Clinic
from tests.restoring.clinic import archive

ON_TREATMENT = 44
"""Of the simulated clinic's 60 patients."""


def packs(row: Callable[[str, str, str, float], None], now: datetime, patients: int) -> None:
    """Of at least so many patients on treatment: time and memory of proving, of packing, of a night without news."""
    os.environ.setdefault("RBRDT_TEST_SLOWNESS", "30")  # the first list of so many takes longer than a test waits
    with (
        tempfile.TemporaryDirectory() as name,
        archive(Path(name), _again(now, -(-patients // ON_TREATMENT))) as clinic,
    ):
        output = Path(name) / "packs"
        clinic.extra = f'[package]\npath = "{output}"\n'
        what = f"packs, {len(clinic.table())} plans, {clinic.pacs.count():,} objects"
        pack = ("recovery", "package", "--everybody")
        for way, command in (
            ("verify_backup", ("backup_jobs", "verify_backup")),
            ("all of them packed", pack),
            ("the night after", pack),
        ):
            started = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", *command, "--config", str(clinic.config)], capture_output=True, text=True
            )
            taken = time.perf_counter() - started
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            packed = sum(1 for _ in output.rglob("*.pdf"))
            size = sum(file.stat().st_size for file in output.rglob("*") if file.is_file()) / 1e6
            told = f"exit status {done.returncode}, {taken:.0f} s, at most {used.ru_maxrss / 1024:.0f} MB of memory"
            row(what, way, f"{told}; {packed} charts, {size:,.0f} MB", 1.0)
            print(*done.stderr.splitlines()[-5:], *done.stdout.splitlines()[-3:], sep="\n")


def _again(now: datetime, times: int) -> Iterator[Dataset]:
    """The clinic's objects; each further time with UIDs, patient IDs and family names of its own."""
    for ds in Clinic(7, now).objects():
        yield ds
        for number in range(1, times):
            again = _renamed(ds, number)
            again.file_meta = ds.file_meta
            yield again


def _renamed(ds: Dataset, number: int) -> Dataset:
    made = Dataset()
    for element in ds:
        if element.VR == "SQ":
            made.add_new(element.tag, "SQ", [_renamed(item, number) for item in element.value])
        elif element.VR == "UI" and "Class" not in element.keyword:
            made.add_new(element.tag, "UI", f"{element.value}.{number}")
        elif element.keyword == "PatientID":
            made.PatientID = f"{element.value}-{number}"
        elif element.keyword == "PatientName":
            made.PatientName = str(element.value).replace("^", f" {'ABCDEFGHIJKLMNOP'[number]}^", 1)
        else:
            made.add(element)
    return made
