"""A small clinic to break: two Orthancs, a database, and whether all that it was given is there and counted right."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from resource import struct_rusage

from pydicom import Dataset

from tests.backup_jobs.test_main_job import course
from tests.clinic import TwoNodes, two_nodes
from tests.relational.made_up import made_up_clinic
from tests.restoring.clinic import digests

FRACTIONS = {"P0": 3, "P1": 2}
QUICK = {"TCP_NODELAY": "1"}
"""Orthancs that send at once: a try takes half the time."""


@dataclass
class Ward:
    """`nodes`, and what its R&V system holds, by digest."""

    nodes: TwoNodes
    source: dict[str, list[str]] = field(default_factory=dict)
    whose: dict[str, str] = field(default_factory=dict)
    held: Callable[[], dict[str, list[str]]] = dict
    later: list[Dataset] = field(default_factory=list)

    def put_later(self) -> None:
        """Give the R&V system the patient whom it was to have later."""
        self.nodes.put(self.later)
        self.source = digests(self.nodes.rv)

    def empty(self) -> None:
        """As on the first day: nothing in the RT-PACS, no cache."""
        self.nodes.pacs.delete_all()
        shutil.rmtree(self.nodes.folder / "cache", ignore_errors=True)

    def lacks(self) -> dict[str, str]:
        """By UID, what the RT-PACS does not hold as the R&V system has it; what it has beside that is ours or odd."""
        held = self.held()
        return {
            uid: "gone" if uid not in held else "altered" for uid, one in self.source.items() if held.get(uid) != one
        }

    def wrong(self) -> list[str]:
        """What of the list is not right, of patients whose rows claim to be ready; who is not there is wrong."""
        try:
            rows = [row for row in self.nodes.table() if row["patient_id"] in FRACTIONS]
        except AssertionError as error:
            return [f"no list: {error}"]
        said = [f"{patient} is not on the list" for patient in FRACTIONS.keys() - {row["patient_id"] for row in rows}]
        return said + [
            f"{row['patient_id']}: {row['fractions_delivered']} fractions, next {row['next_fraction_number']}, ready"
            for row in rows
            if row["ready"] and row["fractions_delivered"] != FRACTIONS[row["patient_id"]]
        ]

    def healed(self) -> list[str]:
        """Run a clean cycle, a second where it fails, and the proof where something lacks; say what is unnamed."""
        said: list[str] = []
        for _ in range(2):  # the first may meet a server that still waits for who was cut off; it must say so
            _, results = self.nodes.job("cycle")
            if "FAILED" not in {result["outcome"] for result in results.values()}:
                break
        else:
            said.append(f"the cycles after it: {results}")
        if self.lacks():  # for doses, and plans that nobody is treated with yet, sources are asked once a day
            self.nodes.clock = str(self.nodes.folder / "clock.json")
            tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
            Path(self.nodes.clock).write_text(json.dumps({"real": time.time(), "speed": 1, "simulated": tomorrow}))
            self.nodes.job("cycle")
            self.nodes.clock = ""
        if not self.lacks() and not self.wrong():
            return said
        _, results = self.nodes.job("verify_backup")  # what was altered on its way here alone, it reads again
        named = set(results.get("verify_backup", {}).get("unproven", ()))
        self.nodes.job("build_on_treatment")
        unready = {row["patient_id"] for row in self.nodes.table() if not row["ready"]}
        unnamed = {
            uid: why for uid, why in self.lacks().items()
            if uid not in named and (why == "altered" or self.whose[uid] not in unready)
        }  # fmt: skip
        return said + ([f"nobody names {unnamed}"] if unnamed else []) + self.wrong()


@contextmanager
def open_ward(folder: Path, *, database: bool = True, nodes: TwoNodes | None = None, later: str = "") -> Iterator[Ward]:
    """`later`: the patient whom the R&V system has only after `put_later`."""
    if nodes is None:
        with (
            two_nodes(folder, environment=QUICK) as made,
            open_ward(folder, database=database, nodes=made, later=later) as ward,
        ):
            yield ward
        return
    whose: dict[str, str] = {}
    waiting: list[Dataset] = []
    for number, (patient, fractions) in enumerate(FRACTIONS.items()):
        given = course(patient, f"BASALT^N{number}", {1: 100.0, 2: 120.0}, fractions)
        if patient == later:
            waiting = given
        else:
            nodes.put(given)
        whose |= {str(ds.SOPInstanceUID): patient for ds in given}
    if database:
        made_up_clinic("aria", folder).close()
        nodes.extra = '[rv.database]\nconnection = "sqlite:///aria.db"\n'
    yield Ward(nodes, digests(nodes.rv), whose, lambda: digests(nodes.pacs), waiting)


def forked(
    arguments: list[str],
    output: Path,
    before: Callable[[], None] = lambda: None,
    meanwhile: Callable[[], None] = lambda: None,
) -> tuple[int, struct_rusage]:
    """Run a module's `main` in a fork of this process, after `before`; its exit status, and what it used. `meanwhile`
    is done here.

    Quick where this process has imported it, and has no thread.
    """
    main = import_module(f"{arguments[0]}.__main__").main
    child = os.fork()
    if child == 0:
        status = 70
        try:
            with output.open("wb") as file:
                for descriptor in (1, 2):
                    os.dup2(file.fileno(), descriptor)
            before()
            status = main(arguments[1:])
        except SystemExit as error:
            status = int(error.code or 0)
        except BaseException:  # noqa: BLE001  told as Python would
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    meanwhile()
    _, ended, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(ended), used
