"""A workspace on an RT-PACS of the test's own, and rows of the cached tables, for what `archive_tables` makes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian

from backup_jobs.archive.tables import archive_tables, list_without_its_job
from recovery.cache.journal import JobResult
from recovery.cache.memory import Memory
from recovery.cache.store import Cache
from recovery.dicom.model import DicomNode
from recovery.overview.build import build_overview, overview_rows, read_chains, read_new_records
from recovery.overview.evidence import evidence_of
from recovery.overview.wanted_plans import plan_uids_of_records
from recovery.pacs.peers import pacs_peer
from recovery.pacs.workspace import Workspace, open_workspace
from recovery.settings.config import CacheSettings, Config, Jobs, Site, SnapshotTablesSettings
from recovery.settings.nodes import Local, Pacs, RecordAndVerify, RvDatabase
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import ON_TREATMENT
from tests.forked import PROJECT
from tests.orthanc import free_port

NOW = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
"""Noon in Zurich."""

NOBODY = DicomNode("RV", "127.0.0.1", 1)
"""An R&V system that refuses every connection."""

DCIODVFY = PROJECT / ".venv" / "bin" / "dciodvfy"
NO_DCIODVFY = "dciodvfy is not installed: pip install -r requirements-dev.txt"


def local(days: float = 0.0, hours: float = 0.0) -> datetime:
    """A moment before NOW, local to the site."""
    return datetime(2026, 11, 22, 9, 0) - timedelta(days=days, hours=hours)  # noqa: DTZ001  site-local


@dataclass
class OneSite:
    """One site's cache and its RT-PACS; each call is a run of its own, as after a restart."""

    folder: Path
    pacs: DicomNode
    product: Literal["aria", "mosaiq"] = "aria"
    rv: DicomNode = NOBODY
    now: datetime = NOW
    local_port: int = field(default_factory=free_port)
    has_database: bool = True
    raw_data_minutes: int = 0
    retrieve: Literal["get", "move"] = "get"

    @property
    def config(self) -> Config:
        database = RvDatabase("sqlite:///none.db") if self.has_database else None
        rv = RecordAndVerify(self.rv.ae_title, self.rv.host, self.rv.port, product=self.product, database=database)
        pacs = Pacs(self.pacs.ae_title, self.pacs.host, self.pacs.port, retrieve=self.retrieve)
        here = Local("RBRDT", "127.0.0.1", self.local_port, timeout_seconds=10)
        site = Site("A clinic that does not exist", "Europe/Zurich")
        jobs = Jobs(snapshot_tables=SnapshotTablesSettings(self.raw_data_minutes))
        return Config(site, here, rv, pacs, CacheSettings("cache"), jobs=jobs, file=self.folder / "config.toml")

    def space(self) -> Workspace:
        return open_workspace(self.config, Memory.load(self.config.cache_path), self.now)

    def write(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        """Write a relational table; columns that a row does not name are null."""
        schema = RELATIONAL_TABLES[table]
        whole = [{name: row.get(name) for name in schema.columns} for row in rows]
        Cache(self.config.cache_path).write(schema, whole, taken_at=self.now, source="test")

    def run(self) -> JobResult:
        """The part of `snapshot_tables` that comes after the tables."""
        space = self.space()
        result = archive_tables(
            space, JobResult("snapshot_tables", "OK", {"tables": 13}), lambda: list_without_its_job(space)
        )
        space.keep()
        return result

    def overview(self) -> list[dict[str, Any]]:
        """What `build_on_treatment` makes of it."""
        space = self.space()
        build_overview(space, pacs_peer(space.config, space.memory))
        space.keep()
        return space.cache.read(ON_TREATMENT)

    def rows(self) -> list[dict[str, object]]:
        """The rows of `on_treatment` as they would be built now; none is written, so that no chart is drawn later."""
        space = self.space()
        pacs = pacs_peer(space.config, space.memory)
        read_new_records(space, pacs)
        read_chains(space, pacs, plan_uids_of_records(space))
        return overview_rows(space, evidence_of(space)).rows

    def later(self, **later: float) -> OneSite:
        """The same site at another time: `minutes=10`."""
        return replace(self, now=self.now + timedelta(**later))

    def forget(self) -> None:
        """Another machine, or the same without its cache; the relational tables come again from the database."""
        for path in self.config.cache_path.rglob("*"):
            if path.is_file() and path.stem not in RELATIONAL_TABLES:
                path.unlink()


def delivery(number: int, **columns: Any) -> dict[str, Any]:
    """A row of `deliveries`: beam 1 of the first fraction, 100 MU, yesterday."""
    return {
        **dict.fromkeys(RELATIONAL_TABLES["deliveries"].columns),
        "delivery_id": str(number),
        "patient_id": "00017R",
        "referenced_rt_plan_uid": "1.2.3.4",
        "fraction_number": 1,
        "beam_number": 1,
        "beam_name": "Field 1",
        "treatment_machine_name": "Versa 1",
        "treated_at": local(1),
        "planned_meterset": 100.0,
        "delivered_meterset": 100.0,
        "termination_status": "NORMAL",
        "delivery_type": "TREATMENT",
        "was_overridden": False,
        **columns,
    }


def object_counts(result: JobResult) -> tuple[int, int, int, int]:
    """Found, held, sent, unproven; nothing is counted twice, nor lost."""
    found, held, sent, unproven = (result.counts[n] for n in ("found", "already_held", "moved", "unproven"))
    assert found == held + sent + unproven
    return found, held, sent, unproven


def saved(ds: Dataset, path: Path) -> Path:
    """A DICOM file of an object that a builder made."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    ds.save_as(path, enforce_file_format=True)
    return path


def stored_files(folder: Path) -> dict[str, Path]:
    """The files of an Orthanc's storage, by SOP Instance UID: what it holds, read by nobody in between."""
    found = {}
    for path in (folder / "storage").rglob("*"):
        if path.is_file() and path.read_bytes()[128:132] == b"DICM":
            found[str(dcmread(path, specific_tags=["SOPInstanceUID"]).SOPInstanceUID)] = path
    return found


def errors_of(path: Path) -> list[str]:
    """What dciodvfy calls an error."""
    done = subprocess.run([DCIODVFY, path], capture_output=True, text=True, check=False)
    return [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]


def dumped(path: Path) -> str:
    """What dcmtk's dcmdump reads."""
    assert shutil.which("dcmdump"), "dcmtk is not installed"
    done = subprocess.run(["dcmdump", "+L", path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() and "error" not in done.stderr.lower(), done.stderr
    return done.stdout
