"""A night with an archive or a source that misbehaves: nothing is called damaged that was only not given, and nothing
that is damaged is called good."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.filebase import DicomBytesIO
from pynetdicom import evt

from backup_jobs.jobs import rereading
from backup_jobs.jobs.rereading import Rereading
from recovery.cache.memory import Memory
from recovery.cache.store import CacheError
from recovery.dicom.model import DicomNode
from recovery.dimse import DimseError
from recovery.objects.digest import digest_of
from recovery.pacs.verified_objects import ALTERED, DIFFERS, GONE, Proofs, VerifiedObjects
from recovery.pacs.workspace import Workspace, open_workspace
from recovery.settings.config import load_config
from tests.dimse.scripted import PENDING, Scripted, asked_uids, by_uid, gives, match, scp, sends
from tests.objects import encode, record
from tests.orthanc import free_port

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
Holds = dict[str, Dataset]
LOCAL = DicomNode("RBRDT", "127.0.0.1", free_port())


def records(count: int) -> Holds:
    return by_uid([record("1.2.3", [], PatientID="OLD", PatientName="Old") for _ in range(count)])


def lists(holds: Holds, **elements: str) -> Callable[[Scripted, evt.Event], Any]:
    """C-FIND at IMAGE level: what is held of what is asked for, once for each of its series."""

    def find(_: Scripted, event: evt.Event) -> Iterator[Any]:
        for uid in asked_uids(event.identifier):
            if uid in holds:
                ds = holds[uid]
                series = str(elements.get("SeriesInstanceUID", ds.SeriesInstanceUID)).split("&")
                for one in series:
                    whose = {"PatientID": ds.PatientID, "PatientName": ds.PatientName} | elements
                    yield PENDING, match(event.identifier, uid, **{**whose, "SeriesInstanceUID": one})

    return find


def night(folder: Path, pacs: DicomNode, rv: DicomNode) -> Workspace:
    """A workspace whose two nodes are these."""

    def node(name: str, n: DicomNode) -> str:
        return f'[{name}]\nae_title = "{n.ae_title}"\nhost = "{n.host}"\nport = {n.port}\n'

    text = f'[site]\nname = "T"\ntime_zone = "Europe/Zurich"\n{node("local", LOCAL)}timeout_seconds = 5\n'
    text += f'{node("rv", rv)}{node("pacs", pacs)}[cache]\npath = "cache"\n'
    (folder / "config.toml").write_text(text)
    config = load_config(folder / "config.toml")
    return open_workspace(config, Memory.load(config.cache_path), NOW)


def known(holds: Holds) -> VerifiedObjects:
    """All of these, as they were read once and as their source had them."""
    verified = VerifiedObjects()
    for uid, ds in holds.items():
        verified.came(uid, digest_of(dcmread(DicomBytesIO(encode(ds)))), NOW)
        verified.is_as_at_source(uid, NOW)
    verified.turn += 1
    return verified


def test_an_archive_that_dies_in_mid_fetch_is_no_damaged_object(tmp_path: Path) -> None:
    holds, is_dead = records(3), []
    find = lists(holds)

    def dies(here: Scripted, event: evt.Event) -> Iterator[Any]:
        is_dead.append(True)
        event.assoc.abort()
        yield 0

    def answers(here: Scripted, event: evt.Event) -> Iterator[Any]:
        if is_dead:
            event.assoc.abort()
            return
        yield from find(here, event)

    with scp({evt.EVT_C_FIND: answers, evt.EVT_C_GET: dies}) as pacs, scp() as rv:
        run = Rereading(night(tmp_path, pacs.node, rv.node), known(holds))
        with pytest.raises(DimseError) as caught:
            run.read(sorted(holds))
    assert caught.value.fault == "pacs"
    assert run.verified.faults == {} and run.failed == {}
    assert run.verified.in_turn([*holds, "1.9"])[0] == "1.9", "they had their turn: others come first in the next night"


def test_what_an_archive_never_had_is_not_called_lost(tmp_path: Path) -> None:
    holds = records(1)
    (uid,) = holds
    with scp({evt.EVT_C_FIND: lists({})}) as pacs, scp() as rv:
        run = Rereading(night(tmp_path, pacs.node, rv.node), known(holds))
        run.read([uid, "1.2.3.4.5"])
    assert run.verified.faults == {uid: GONE}
    assert run.failed == {uid: None, "1.2.3.4.5": None}, "both are looked for at the sources"


def test_an_object_that_an_archive_which_lives_does_not_give_is_unreadable(tmp_path: Path) -> None:
    holds = records(5)
    bad = sorted(holds)[2]
    with scp({evt.EVT_C_FIND: lists(holds), evt.EVT_C_GET: gives(holds, {bad})}) as pacs, scp() as rv:
        run = Rereading(night(tmp_path, pacs.node, rv.node), known(holds))
        run.read(sorted(holds))
    assert set(run.verified.faults) == set(run.failed) == {bad}
    assert (run.good, run.done) == (4, 5)


def test_what_is_stored_again_belongs_to_whom_the_archive_lists_it_under(tmp_path: Path) -> None:
    at_source = records(1)
    (uid,) = at_source
    altered = dcmread(DicomBytesIO(encode(at_source[uid])))
    altered.TreatmentDate, altered.PatientID = "19990101", "MERGED"
    found = lists({uid: altered}, PatientName="Merged^Name")
    with (
        scp({evt.EVT_C_FIND: found, evt.EVT_C_GET: gives({uid: altered})}) as pacs,
        scp({evt.EVT_C_FIND: lists(at_source), evt.EVT_C_MOVE: sends(at_source, LOCAL)}) as rv,
    ):
        run = Rereading(night(tmp_path, pacs.node, rv.node), known(at_source))
        run.read([uid])
        assert run.verified.faults[uid].startswith(ALTERED)
        run.heal()
        again = dcmread(DicomBytesIO(pacs.stored[uid]), force=True)
    assert (again.PatientID, str(again.PatientName)) == ("MERGED", "Merged^Name")
    assert again.TreatmentDate == at_source[uid].TreatmentDate


def test_what_the_source_has_twice_under_one_uid_is_said_and_not_believed(tmp_path: Path) -> None:
    holds = records(2)
    uid, other = sorted(holds)
    twice = lists({uid: holds[uid]}, SeriesInstanceUID="1.2.3.4&1.2.3.5")
    with (
        scp({evt.EVT_C_FIND: lists(holds), evt.EVT_C_GET: gives(holds)}) as pacs,
        scp({evt.EVT_C_FIND: twice, evt.EVT_C_MOVE: sends(holds, LOCAL)}) as rv,
    ):
        run = Rereading(night(tmp_path, pacs.node, rv.node), VerifiedObjects())
        run.read([uid, other])
        run.compare([uid, other])
    assert run.verified.faults.keys() == {uid}
    assert "2 objects of several patients or series bear this UID" in run.verified.faults[uid]


def test_other_content_under_one_uid_in_the_same_series_is_said(tmp_path: Path) -> None:
    holds = records(1)
    (uid,) = holds
    other = dcmread(DicomBytesIO(encode(holds[uid])))
    other.TreatmentTime = "235959"
    with (
        scp({evt.EVT_C_FIND: lists(holds), evt.EVT_C_GET: gives(holds)}) as pacs,
        scp({evt.EVT_C_FIND: lists(holds), evt.EVT_C_MOVE: sends({uid: other}, LOCAL)}) as rv,
    ):
        run = Rereading(night(tmp_path, pacs.node, rv.node), VerifiedObjects())
        run.read([uid])
        run.compare([uid])
    assert run.verified.faults[uid].startswith(f"{DIFFERS} in TreatmentTime")


def test_a_source_that_has_none_of_the_first_objects_keeps_no_other_from_being_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rereading, "COMPARED_PER_RUN", 1)
    holds = records(2)
    has = {max(holds): holds[max(holds)]}
    verified = known(holds)
    for uid in holds:
        verified.objects[uid] = replace(verified.objects[uid], is_as_at_source=False)
    with (
        scp({evt.EVT_C_FIND: lists(has), evt.EVT_C_MOVE: sends(has, LOCAL)}) as rv,
        scp({evt.EVT_C_FIND: lists(holds), evt.EVT_C_GET: gives(holds)}) as pacs,
    ):
        for _ in range(2):
            verified.turn += 1
            Rereading(night(tmp_path, pacs.node, rv.node), verified).compare(sorted(holds))
    assert verified.objects[max(holds)].is_as_at_source


def test_a_disk_that_takes_only_half_of_what_was_found_hides_no_fault(tmp_path: Path) -> None:
    holds = records(2)
    run = Rereading(night(tmp_path, LOCAL, LOCAL), known(holds))
    run.verified.failed(min(holds), ALTERED, NOW)
    (run.space.cache.path / "tables" / "verified_objects.parquet").mkdir(
        parents=True
    )  # nothing can be put in its place
    with pytest.raises(CacheError):
        run.keep()
    assert Proofs.load(run.space.cache, run.space.collection).faults.keys() == {min(holds)}


@pytest.mark.parametrize("damaged", ["proofs", "verified_objects"])
@pytest.mark.parametrize("is_gone", [False, True], ids=["a flipped bit", "gone"])
def test_what_was_found_to_be_altered_stays_so_when_a_table_is_damaged(
    tmp_path: Path, damaged: str, is_gone: bool
) -> None:
    holds = records(2)
    bad = min(holds)
    space = night(tmp_path, LOCAL, LOCAL)
    verified = known(holds)
    verified.failed(bad, ALTERED, NOW)
    verified.save(space.cache, NOW)
    verified.proofs(space.collection).save(space.cache, NOW)
    path = space.cache.path / "tables" / f"{damaged}.parquet"
    data = path.read_bytes()
    path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    if is_gone:
        path.unlink()
    assert Proofs.load(space.cache, space.collection).faults.keys() == {bad}
    again = VerifiedObjects.load(space.cache)
    assert again.faults.keys() == {bad}
    assert not again.came(bad, "what the archive has now", NOW), "nobody has looked, and no source has said the same"
