"""`rebuild` brings the relational tables back from a real RT-PACS, bit for bit, on a machine with only the config."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pynetdicom import evt

from backup_jobs.jobs.snapshot_tables import snapshot_tables
from demo.pacs.archive import Archive
from recovery.cache.journal import CYCLE, lock
from recovery.cache.manifests import FOLDER, Snapshot, load_snapshot
from recovery.cache.memory import Memory
from recovery.cache.snapshots import list_snapshots, verify_snapshot
from recovery.cache.store import Cache
from recovery.commands.rebuild import TablesReport, find_snapshots, restore_tables
from recovery.dicom.model import DicomNode
from recovery.dimse import DimseError, store
from recovery.host.keys import make_key
from recovery.objects.raw_part import CREATOR, GROUP, series_number_at, site_patient_id, site_study_uid
from recovery.pacs.peers import pacs_peer
from recovery.settings.config import Config, load_config
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import ON_TREATMENT
from tests.dimse.scripted import by_uid, encoded, gives, hierarchical, peer_of, scp, sends
from tests.forked import run_module
from tests.objects import beam_item, encode, plan, record, uid
from tests.orthanc import HOW_TO_INSTALL, Orthanc, free_port, orthanc_is_installed
from tests.recovery.made_snapshots import NOW, raw_data_objects, take
from tests.relational.aria import Aria
from tests.relational.aria_clinic import fill

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

LOCAL = DicomNode("RBRDT", "127.0.0.1", free_port())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    folder = tmp_path_factory.mktemp("pacs")
    with Orthanc(folder, DicomNode("RTPACS", "127.0.0.1", free_port()), peers=[LOCAL]) as orthanc:
        yield orthanc


@dataclass
class Clinic:
    """A cache, an RT-PACS, and the config that names both."""

    folder: Path
    pacs: Orthanc
    retrieve: str = "get"
    database: str = '[rv.database]\nconnection = "sqlite:///aria.db"\n'
    port: int = field(default=0)
    signing: str = ""

    @property
    def config(self) -> Config:
        return load_config(self.config_file)

    @property
    def config_file(self) -> Path:
        path = self.folder / "config.toml"
        path.write_text(
            '[site]\nname = "Test clinic"\ntime_zone = "Europe/Zurich"\n'
            f'[local]\nae_title = "RBRDT"\nhost = "127.0.0.1"\nport = {LOCAL.port}\ntimeout_seconds = 20\n'
            f'[rv]\nae_title = "RV"\nhost = "rv.invalid"\nport = 104\n{self.database}'
            f'[pacs]\nae_title = "RTPACS"\nhost = "127.0.0.1"\nport = {self.port or self.pacs.node.port}\n'
            f'retrieve = "{self.retrieve}"\n[cache]\npath = "cache"\n{self.signing}'
        )
        return path

    @property
    def cache_path(self) -> Path:
        return self.folder / "cache"

    def archive(self, snapshot: Snapshot | None, part_bytes: int = 64 * 1024 * 1024) -> list[Dataset]:
        """Send a snapshot by C-STORE, as it is."""
        assert snapshot is not None
        objects = raw_data_objects(snapshot, "Test clinic", part_bytes=part_bytes)
        peer = pacs_peer(self.config, Memory(self.folder / "memory.json"))
        statuses = store(peer, (encoded(ds) for ds in objects))
        assert set(statuses.values()) == {0}
        return objects

    def restore(self, *, are_expected: bool = True) -> TablesReport:
        peer = pacs_peer(self.config, Memory(self.folder / "memory.json"))
        return restore_tables(self.config, peer, NOW + timedelta(days=1), are_expected=are_expected)

    def rebuild(self, *options: str) -> subprocess.CompletedProcess[str]:
        return run_module("recovery", "rebuild", "--config", str(self.config_file), *options)

    def lose_the_cache(self) -> None:
        shutil.rmtree(self.cache_path)

    def newest(self) -> str:
        return next(info.snapshot_id for info in list_snapshots(self.cache_path) if info.is_newest)


@pytest.fixture
def clinic(tmp_path: Path, server: Orthanc) -> Iterator[Clinic]:
    yield Clinic(tmp_path, server)
    server.delete_all()


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def aria(clinic: Clinic) -> Iterator[Aria]:
    database = Aria(clinic.folder / "aria.db")
    fill(database)
    yield database
    database.close()


@pytest.mark.parametrize("retrieve", ["get", "move"])
def test_from_nothing_but_the_rt_pacs_every_byte_and_every_value_comes_back(
    clinic: Clinic, aria: Aria, retrieve: str
) -> None:
    clinic.retrieve = retrieve
    for minutes, status in ((0, "Unapproved"), (10, "Rejected")):
        aria.execute("UPDATE PlanSetup SET Status = ?", status)
        assert snapshot_tables(clinic.config, NOW + timedelta(minutes=minutes)).outcome == "OK"
        clinic.archive(load_snapshot(clinic.cache_path, clinic.newest()), part_bytes=8192)
    treated = plan({1: 50.0}, SOPInstanceUID=uid("plan"))
    for ds in (treated, record(uid("plan"), [beam_item(1, 1, 50.0, 50.0)])):
        clinic.pacs.put(encode(ds))
    newest = clinic.newest()
    folder = clinic.cache_path / FOLDER / newest
    before, values = files_of(folder), {s.name: Cache(clinic.cache_path).read(s) for s in RELATIONAL_TABLES.values()}
    assert len(before) == len(RELATIONAL_TABLES) + 1 and any(values.values())
    clinic.lose_the_cache()
    done = clinic.rebuild()
    assert done.returncode == 0, done.stderr
    assert "16 tables of the R&V database restored" in done.stdout and "2026-11-22 12:10:00" in done.stdout
    assert clinic.newest() == newest
    assert files_of(folder) == before
    assert verify_snapshot(clinic.cache_path, newest) == []
    cache = Cache(clinic.cache_path)
    assert {s.name: cache.read(s) for s in RELATIONAL_TABLES.values()} == values
    assert {row["patient_id"] for row in cache.read(ON_TREATMENT)} >= {"100001"}
    assert site_patient_id("Test clinic") not in {row["patient_id"] for row in cache.read(ON_TREATMENT)}
    again = clinic.rebuild()
    assert again.returncode == 0 and "it stays" in again.stdout


def test_the_embedded_rt_pacs_gives_them_back_too(clinic: Clinic) -> None:
    snapshot = take(clinic.cache_path, 1)
    assert snapshot is not None
    before = files_of(snapshot.folder)
    with Archive(DicomNode("RTPACS", "127.0.0.1", 0), clinic.folder / "archive", {}) as archive:
        clinic.port = archive.node.port
        clinic.archive(snapshot, part_bytes=4096)
        clinic.lose_the_cache()
        assert clinic.restore().problems == []
    assert files_of(snapshot.folder) == before


@pytest.mark.parametrize("retrieve", ["get", "move"])
def test_an_rt_pacs_that_must_be_walked_gives_them_back_too(clinic: Clinic, retrieve: str) -> None:
    """It gives them in one way only, the one that the config names."""
    clinic.retrieve = retrieve
    snapshots = [take(clinic.cache_path, number) for number in (1, 2)]
    holds = by_uid(ds for s in snapshots if s for ds in raw_data_objects(s, "Test clinic", part_bytes=4096))
    clinic.lose_the_cache()
    way = {"get": {evt.EVT_C_GET: gives(holds)}, "move": {evt.EVT_C_MOVE: sends(holds, LOCAL)}}[retrieve]
    with scp({evt.EVT_C_FIND: hierarchical(holds, 0xA900), **way}) as node:
        peer = peer_of(node.node, timeout=10, port=LOCAL.port)
        report = restore_tables(clinic.config, peer, NOW + timedelta(days=1), are_expected=True)
    assert report.problems == []
    assert snapshots[1] is not None and clinic.newest() == snapshots[1].snapshot_id


def damaged(ds: Dataset) -> bytes:
    """The same object by name, with one other bit."""
    copy = dcmread(io.BytesIO(encode(ds)))
    element = copy.private_block(GROUP, CREATOR)[0x10]
    changed = bytearray(element.value)
    changed[len(changed) // 2] ^= 1
    element.value = bytes(changed)
    return encode(copy)


def test_a_damaged_newest_is_told_and_the_next_older_whole_one_comes(clinic: Clinic) -> None:
    older, newer = take(clinic.cache_path, 1), take(clinic.cache_path, 2)
    assert older is not None and newer is not None
    clinic.archive(older)
    ds, *_ = raw_data_objects(newer, "Test clinic")
    clinic.pacs.put(damaged(ds))
    clinic.lose_the_cache()
    report = clinic.restore()
    (problem,) = report.problems
    assert "The snapshot of 2026-11-22 12:20:00 (Europe/Zurich) in the RT-PACS cannot be used" in problem
    assert "its content was changed" in problem
    assert "as of 2026-11-22 12:10:00" in report.said[0] and clinic.newest() == older.snapshot_id
    clinic.lose_the_cache()
    assert clinic.rebuild().returncode == 1


def test_a_missing_part_is_named_and_when_none_is_whole_that_is_said(clinic: Clinic) -> None:
    objects = clinic.archive(take(clinic.cache_path, 1), part_bytes=1000)
    own = [ds for ds in objects if ds.SeriesInstanceUID == objects[0].SeriesInstanceUID]
    clinic.pacs.delete_instance(own[1].SOPInstanceUID)
    clinic.lose_the_cache()
    broken, none_left = clinic.restore().problems
    assert f"of its {len(own)} parts, these are missing: 2" in broken
    assert none_left.startswith("No snapshot in the RT-PACS is whole")
    assert list_snapshots(clinic.cache_path) == []


def test_a_table_that_was_lost_costs_the_snapshots_that_name_it_and_no_other(clinic: Clinic) -> None:
    older, newer = take(clinic.cache_path, 1), take(clinic.cache_path, 2, changed=1)
    held = {ds.SOPInstanceUID for ds in clinic.archive(older)}
    _, new_table = [ds for ds in clinic.archive(newer) if ds.SOPInstanceUID not in held]
    clinic.pacs.delete_instance(new_table.SOPInstanceUID)
    clinic.lose_the_cache()
    (problem,) = clinic.restore().problems
    assert "table notes: it has no parts" in problem and older is not None
    assert clinic.newest() == older.snapshot_id


def test_an_object_of_another_program_in_the_study_does_no_harm(clinic: Clinic) -> None:
    snapshot = take(clinic.cache_path, 1)
    ds, *_ = clinic.archive(snapshot)
    stray = dcmread(io.BytesIO(encode(ds)))
    stray.SOPInstanceUID, stray.SeriesInstanceUID = uid("stray"), uid("stray series")
    stray.SeriesNumber = ds.SeriesNumber + 1
    del stray[GROUP, 0x1005]
    clinic.pacs.put(encode(stray))
    clinic.lose_the_cache()
    report = clinic.restore()
    assert f"object {uid('stray')}: it is no table snapshot" in report.problems[0]
    assert snapshot is not None and clinic.newest() == snapshot.snapshot_id


def test_without_one_in_the_rt_pacs_it_is_a_problem_only_where_there_is_a_database(clinic: Clinic) -> None:
    done = clinic.rebuild()
    assert done.returncode == 1
    assert "holds no snapshot of the R&V database's tables for the site 'Test clinic'" in done.stderr
    assert site_study_uid("Test clinic") in done.stderr
    clinic.database = ""
    done = clinic.rebuild()
    assert done.returncode == 0 and "holds no snapshot" in done.stdout and done.stderr.count("snapshot") == 0


def test_a_whole_snapshot_of_the_cache_is_not_traded_for_an_older_one(clinic: Clinic) -> None:
    clinic.archive(take(clinic.cache_path, 1))
    own = take(clinic.cache_path, 2)
    report = clinic.restore()
    assert report.problems == [] and "12:20:00 (Europe/Zurich), is whole" in report.said[0]
    assert own is not None and clinic.newest() == own.snapshot_id
    own.file("notes").write_bytes(b"PAR1")
    assert "as of 2026-11-22 12:10:00" in clinic.restore().said[0], "a damaged one is"


def test_where_the_list_tells_no_times_the_content_does_and_an_older_snapshot_replaces_none(clinic: Clinic) -> None:
    """An archive that tells no SeriesNumber gives its series in an order that means nothing."""
    taken = [take(clinic.cache_path, number) for number in (1, 2, 3, 4)]
    for snapshot in taken[:3]:
        assert snapshot is not None
        for ds in raw_data_objects(snapshot, "Test clinic"):
            ds.SeriesNumber = None
            clinic.pacs.put(encode(ds))
    own, third = taken[3], taken[2]
    assert own is not None and third is not None
    report = clinic.restore()
    assert clinic.newest() == own.snapshot_id and "it stays" in report.said[0]
    clinic.lose_the_cache()
    assert clinic.restore().problems == []
    assert clinic.newest() == third.snapshot_id


def test_a_damaged_snapshot_of_the_cache_is_mended_in_place(clinic: Clinic) -> None:
    own = take(clinic.cache_path, 1)
    clinic.archive(own)
    assert own is not None
    own.file("notes").unlink()
    assert clinic.restore().problems == []
    assert verify_snapshot(clinic.cache_path, own.snapshot_id) == []


def test_what_the_snapshot_itself_lacks_is_told(clinic: Clinic, aria: Aria) -> None:
    snapshot_tables(clinic.config, NOW)
    aria.execute("DROP TABLE ChartQA")
    snapshot_tables(clinic.config, NOW + timedelta(minutes=10))
    clinic.archive(load_snapshot(clinic.cache_path, clinic.newest()))
    clinic.lose_the_cache()
    why = "query checks: the database has no table ChartQA"
    assert clinic.restore().said[1] == f"Of these, checks is as of 2026-11-22 12:00:00 (Europe/Zurich): {why}."


def test_the_snapshots_of_a_site_are_listed_newest_first(clinic: Clinic) -> None:
    for number in (2, 3, 1):
        clinic.archive(take(clinic.cache_path, number))
    peer = pacs_peer(clinic.config, Memory(clinic.folder / "memory.json"))
    times = [found.taken_at for found in find_snapshots(peer, "Test clinic")]
    assert times == [NOW + timedelta(minutes=10 * number) for number in (3, 2, 1)]
    assert find_snapshots(peer, "Elsewhere") == []


def test_an_rt_pacs_that_is_down_leaves_the_cache_as_it_was_and_exits_2(clinic: Clinic) -> None:
    take(clinic.cache_path, 1)
    before = files_of(clinic.cache_path / FOLDER)
    clinic.port = free_port()
    with pytest.raises(DimseError):
        clinic.restore()
    done = clinic.rebuild()
    assert done.returncode == 2 and "cannot be reached" in done.stderr and "Traceback" not in done.stderr
    assert files_of(clinic.cache_path / FOLDER) == before


@pytest.mark.parametrize("job", ["cycle", *CYCLE])
def test_while_a_cycle_or_one_of_its_jobs_runs_rebuild_waits_for_another_time(clinic: Clinic, job: str) -> None:
    with lock(clinic.cache_path, job):
        done = clinic.rebuild()
    assert done.returncode == 75 and f"another run of {job} is under way" in done.stderr


def test_a_cache_that_cannot_be_written_exits_2_and_says_so(clinic: Clinic) -> None:
    clinic.archive(take(clinic.folder / "elsewhere", 1))
    clinic.cache_path.mkdir()
    (clinic.cache_path / FOLDER).write_text("a file where the folder should be")
    done = clinic.rebuild()
    assert done.returncode == 2 and "cannot be written" in done.stderr and "Traceback" not in done.stderr


# --- forged snapshots ---------------------------------------------------------------------------------------------


def test_what_no_key_signed_or_somebody_stored_again_is_refused_and_a_person_may_accept_it(clinic: Clinic) -> None:
    key = clinic.folder / "data" / "signing.key"
    clinic.signing = f'[signing]\npublic_keys = ["{make_key(key)}"]\n'
    genuine, newer = take(clinic.cache_path, 1, key=key), take(clinic.cache_path, 2, key=key)
    forged, of_2036 = take(clinic.cache_path, 3), take(clinic.cache_path, 4, NOW + timedelta(days=3600), key=key)
    assert genuine is not None and newer is not None and forged is not None
    for snapshot in (newer, forged, of_2036):
        clinic.archive(snapshot)
    again, *tables = raw_data_objects(genuine, "Test clinic")
    for ds in tables:
        clinic.pacs.put(encode(ds))
    again.SOPInstanceUID, again.SeriesInstanceUID, again.SeriesNumber = uid("again"), uid("series"), forged_number()
    clinic.pacs.put(encode(again))
    clinic.lose_the_cache()
    report = clinic.restore()
    assert clinic.newest() == newer.snapshot_id
    said = " ".join(report.problems)
    assert f"{forged.snapshot_id}: it is not signed" in said and "in the future" in said and len(report.problems) == 3
    assert "somebody stored it again" in said
    clinic.lose_the_cache()
    refused = clinic.rebuild("--accept", forged.snapshot_id)
    assert refused.returncode == 2 and "somebody answers" in refused.stderr and not list_snapshots(clinic.cache_path)
    accepted = clinic.rebuild("--accept", forged.snapshot_id, "--signed-by", "Dr. Meitner")
    assert clinic.newest() == forged.snapshot_id
    assert f'accepted_snapshots = ["{forged.snapshot_id}"]' in accepted.stdout
    audit = (clinic.folder / "data" / "audit.jsonl").read_text()
    assert "accept snapshot" in audit and "Dr. Meitner" in audit and forged.snapshot_id in audit


def forged_number() -> int:
    """A SeriesNumber that says an hour later than any snapshot of the test that is not from the future."""
    return series_number_at(NOW + timedelta(hours=1))
