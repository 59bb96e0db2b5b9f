"""The work folder of the demonstration: what lies where, and a clinic that goes on where it stopped.

How
    `rv/` and `pacs/` are the two archives, `variansystem.sqlite` or `mosaiq.sqlite` the R&V system's database,
    `config.toml` what jobs and dashboard read, `clinic.json` what is needed to go on. That is written last: without it
    the folder is made anew.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from backup_jobs.rv.product import load_product
from demo.aria.database import AriaDatabase, ClinicDatabase
from demo.clinic.clinic import Clinic
from demo.clinic.identifiers import business_days_after
from demo.mosaiq.database import MosaiqDatabase
from demo.pacs.store import ArchiveStore
from demo.run import entered_priorities
from demo.run.processes import free_port
from recovery.dicom.model import DicomNode
from recovery.host import system
from recovery.host.entry_lines import entries_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date
    from pathlib import Path

    from pydicom import Dataset

TIME_ZONE = "America/Chicago"
DATABASES: Mapping[str, type[ClinicDatabase]] = {"aria": AriaDatabase, "mosaiq": MosaiqDatabase}
DATABASE_NAMES = {"aria": "variansystem.sqlite", "mosaiq": "mosaiq.sqlite"}
_FIRST_HOUR = 11
"""The clinic opens in mid-morning, so that some of today's patients have been treated."""
_BATCH = 200
_PARTS = 20

_CONFIG = """\
# Written by `python -m demo`: the configuration of a clinic that does not exist.
[site]
name = "Demo clinic"
time_zone = "{time_zone}"

[local]
ae_title = "{local.ae_title}"
host = "{local.host}"
port = {local.port}

[rv]
product = "{product}"
ae_title = "{rv.ae_title}"
host = "{rv.host}"
port = {rv.port}
route = "relay"

[rv.database]
connection = "sqlite:///{database}"

[pacs]
ae_title = "{pacs.ae_title}"
host = "{pacs.host}"
port = {pacs.port}
retrieve = "get"

[cache]
path = "{cache}"
keep_days = 90

[sign_in]
accounts = "accounts.json"
audit = "audit.jsonl"
idle_minutes = 240

[jobs.sync_records]
days_back = 7

[dashboard]
on_treatment_days = 14
exclude_patient_ids = ["$*"]

[priorities]
signed_by = "GLOCKENSPIEL, Lute"
signed_on = "{signed_on}"
category_1_days = 2
category_2_days = 5
category_3_days = 7
"""


def _ingest_part(
    rv_folder: Path, pacs_folder: Path, product: str, seed: int, opened_at: datetime, fast: bool, parts: int, part: int
) -> None:
    """Put one part of a clinic's history into the R&V system's archive, and its backup into the RT-PACS."""
    rv, pacs = ArchiveStore(rv_folder), ArchiveStore(pacs_folder)
    clinic = Clinic(seed, opened_at, fast=fast)
    objects = (ds for ds in clinic.objects(part, parts) if is_served(product, ds))
    while batch := list(islice(objects, _BATCH)):
        rv.ingest(batch)
        pacs.ingest(ds for ds in batch if _is_backed_up(ds, opened_at))
    rv.close()
    pacs.close()


def is_served(product: str, ds: Dataset) -> bool:
    """Whether the product's DICOM service has this object: not every one gives treatment records."""
    return load_product(product).serves_treatment_records or ds.Modality != "RTRECORD"


def _is_backed_up(ds: Dataset, opened_at: datetime) -> bool:
    """RBRDT has run here for weeks, and was then off for two days: their records are the first cycle's work."""
    if ds.Modality != "RTRECORD":
        return True
    return "" < str(ds.TreatmentDate) < f"{opened_at - timedelta(days=2):%Y%m%d}"


@dataclass(frozen=True, slots=True)
class Nodes:
    rv: DicomNode
    pacs: DicomNode
    local: DicomNode


class Workplace:
    """A folder with a simulated clinic in it, whose R&V system is `product`: aria or mosaiq."""

    def __init__(self, folder: Path, product: str = "aria") -> None:
        self.product = product
        self.folder = folder.resolve()
        self.rv_folder = self.folder / "rv"
        self.pacs_folder = self.folder / "pacs"
        self.database_file = self.folder / DATABASE_NAMES[product]
        self.config_file = self.folder / "config.toml"
        self.accounts_file = self.folder / "accounts.json"
        self.clock_file = self.folder / "clock.json"
        self.logs = self.folder / "logs"
        self._cache = self.folder / "cache"
        self._state_file = self.folder / "clinic.json"
        self._postponed: list[tuple[str, str]] = []

    def open(
        self, seed: int, now: datetime, *, fast: bool, tell: Callable[[str], None] = lambda _: None
    ) -> tuple[Clinic, ClinicDatabase, Nodes]:
        """The clinic of this folder as it was left, or a new one opened at `now`; its R&V system holds its history.

        `tell` hears how far a new one is; what it raises ends the work, and the next start begins anew.

        Raises
        ------
        OSError, sqlite3.Error
            If the folder cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        state = self._read_state()
        database = DATABASES[self.product](self.database_file)
        ports = state.get("ports", {})
        known = state.get("product", "aria"), state.get("seed"), state.get("fast")
        if known == (self.product, seed, fast):
            self.bring_database_back()
            clinic = Clinic(seed, datetime.fromisoformat(state["opened_at"]), fast=fast)
            for since, until in state["postponed"]:
                self._postponed.append((since, until))
                clinic.postpone(datetime.fromisoformat(since), datetime.fromisoformat(until))
            clinic.now = datetime.fromisoformat(state["now"])
            database.resume(clinic)
        else:
            self._empty()
            clinic = Clinic(seed, now, fast=fast)
            self._build(clinic, database, tell)
            entered_priorities.enter(self._cache, clinic, ZoneInfo(TIME_ZONE))
        nodes = Nodes(*(
            DicomNode(ae_title, "127.0.0.1", free_port(ports.get(ae_title, 0)))
            for ae_title in ("DEMO_RV", "RTPACS", "RBRDT")
        ))  # fmt: skip
        self._write_config(nodes, clinic.opened_at.date() - timedelta(days=30))
        self.save(clinic, nodes)
        return clinic, database, nodes

    def save(self, clinic: Clinic, nodes: Nodes) -> None:
        """Keep what is needed to go on from here."""
        state = {
            "product": self.product,
            "seed": clinic.seed,
            "fast": clinic.fast,
            "opened_at": clinic.opened_at.isoformat(),
            "now": clinic.now.isoformat(),
            "postponed": self._postponed,
            "ports": {node.ae_title: node.port for node in (nodes.rv, nodes.pacs, nodes.local)},
        }
        beside = self._state_file.with_suffix(".part")
        beside.write_text(json.dumps(state, indent=1), encoding="utf-8")
        system.move(beside, self._state_file)

    def postpone(self, clinic: Clinic, since: datetime, until: datetime) -> None:
        """Move what was missed between the two, and remember that it was."""
        self._postponed.append((since.isoformat(), until.isoformat()))
        clinic.postpone(since, until)

    def hide_database(self) -> None:
        """Make the R&V system's database unreachable, as after an attack. Readers with it open keep an old file."""
        for path in self._database_files(self.database_file.name):
            system.move(path, path.with_name(f"unreachable-{path.name}"))

    def bring_database_back(self) -> None:
        for path in self._database_files(f"unreachable-{self.database_file.name}"):
            system.move(path, path.with_name(path.name.removeprefix("unreachable-")))

    def _database_files(self, name: str) -> list[Path]:
        return [p for suffix in ("", "-wal", "-shm") if (p := self.folder / f"{name}{suffix}").exists()]

    def _build(self, clinic: Clinic, database: ClinicDatabase, tell: Callable[[str], None]) -> None:
        """Fill archives and database; sixty patients with images take two processes half the time."""
        tell("preparing the clinic: its database")
        database.create(clinic)
        parts = 1 if clinic.fast else _PARTS
        ingest = partial(
            _ingest_part,
            *(self.rv_folder, self.pacs_folder, self.product, clinic.seed, clinic.opened_at, clinic.fast, parts),
        )
        if parts == 1:
            ingest(0)
            return
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(os.cpu_count(), spawn, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
            tell("preparing the clinic: 0 %")
            try:
                for done, _ in enumerate(pool.map(ingest, range(parts)), start=1):
                    tell(f"preparing the clinic: {100 * done // parts} %")
            except BrokenProcessPool:
                tell("preparing the clinic: a process of it ended")  # a Ctrl-C reaches those that only start, too
                raise

    def _read_state(self) -> dict[str, Any]:
        try:
            state = json.loads(self._state_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def _empty(self) -> None:
        """Remove what a former clinic left here, and nothing else."""
        self._state_file.unlink(missing_ok=True)
        for name in DATABASE_NAMES.values():
            for path in (*self._database_files(name), *self._database_files(f"unreachable-{name}")):
                path.unlink()
        for folder in (self.rv_folder, self.pacs_folder, self._cache, entries_folder(self._cache)):
            shutil.rmtree(folder, ignore_errors=True)

    def _write_config(self, nodes: Nodes, signed_on: date) -> None:
        text = _CONFIG.format(
            product=self.product, time_zone=TIME_ZONE, local=nodes.local, rv=nodes.rv, pacs=nodes.pacs,
            database=self.database_file.as_posix(), cache=self._cache.as_posix(),
            signed_on=signed_on.isoformat(),
        )  # fmt: skip
        self.config_file.write_text(text, encoding="utf-8")


def opening_time() -> datetime:
    """Today at eleven, site time; on a weekend, last Friday."""
    today = datetime.now(ZoneInfo(TIME_ZONE)).date()
    return datetime.combine(business_days_after(today, 0), datetime.min.time()).replace(hour=_FIRST_HOUR)
