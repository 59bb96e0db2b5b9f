"""A run whose questions or transfers were cut off leaves nothing out: case c10, a killed RT-PACS, a clock that lies."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydicom import Dataset
from pynetdicom import evt

from recovery.cache.memory import Memory
from recovery.dicom.model import DicomNode
from recovery.dimse import NodeTraits
from tests.clinic import TwoNodes, two_nodes
from tests.dimse.limited import NO_LIMIT, limited
from tests.dimse.scripted import SUCCESS, Scripted, by_uid, gives, scp, sends
from tests.dimse.test_limits import clinic
from tests.forked import PROJECT
from tests.orthanc import Orthanc, free_port, orthanc_is_installed

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.skipif(not orthanc_is_installed(), reason="Orthanc is not installed")
def test_an_archive_that_ends_every_answer_after_a_hundred_matches_loses_no_record(tmp_path: Path) -> None:
    """As case c10: more records in the window than the 100 matches after which every answer ends with Success."""
    assert PROJECT.exists()
    back = datetime.now(UTC) - NOW
    records = clinic(patients=37)
    for ds in records:
        day = datetime.strptime(ds.TreatmentDate, "%Y%m%d") + timedelta(days=back.days)  # noqa: DTZ007
        ds.TreatmentDate = ds.SeriesDate = ds.InstanceCreationDate = f"{day:%Y%m%d}"
    with two_nodes(tmp_path) as nodes:
        nodes.rv.kill()
        find, move = limited(records, 100), sends(by_uid(records), nodes.local)
        with scp({evt.EVT_C_FIND: find, evt.EVT_C_MOVE: move}, node=nodes.rv.node):
            status, results = nodes.job("sync_records")
            assert nodes.pacs.instances() == {str(ds.SOPInstanceUID) for ds in records}
            assert (status, results["sync_records"]["counts"]["found"]) == (0, len(records))
            checked = nodes.run("backup_jobs", "check")
            assert "at most 100 matches" in checked.stderr


@pytest.mark.skipif(not orthanc_is_installed(), reason="Orthanc is not installed")
@pytest.mark.parametrize("of_rv", [50, NO_LIMIT], ids=["both", "the RT-PACS"])
def test_nodes_that_end_every_answer_after_fifty_matches_are_asked_to_the_end_in_every_run(
    tmp_path: Path, of_rv: int
) -> None:
    """Case c10 once more: fifty is also how many UIDs one question lists."""
    records, held = clinic(patients=22, times=["120000"]), dict[str, Dataset]()
    for ds in records:
        day = datetime.strptime(ds.TreatmentDate, "%Y%m%d") + (datetime.now(UTC) - NOW)  # noqa: DTZ007
        ds.TreatmentDate = ds.SeriesDate = ds.InstanceCreationDate = f"{day:%Y%m%d}"

    def store(here: Scripted, event: evt.Event) -> int:
        ds = event.dataset
        ds.file_meta = event.file_meta
        held[str(ds.SOPInstanceUID)] = ds
        return SUCCESS

    local, rv, pacs = (DicomNode(name, "127.0.0.1", free_port()) for name in ("RBRDT", "RV", "RTPACS"))
    nodes = TwoNodes(tmp_path, Orthanc(tmp_path / "rv", rv), Orthanc(tmp_path / "pacs", pacs), local)
    source = {evt.EVT_C_FIND: limited(records, of_rv), evt.EVT_C_MOVE: sends(by_uid(records), local)}
    archive = {evt.EVT_C_FIND: limited(held.values(), 50), evt.EVT_C_STORE: store, evt.EVT_C_GET: gives(held)}
    with scp(source, node=rv), scp(archive, node=pacs):
        for moved in (len(records), 0, 0):
            status, results = nodes.job("sync_records")
            counts = {"found": len(records), "already_held": len(records) - moved, "moved": moved, "unproven": 0}
            assert (status, results["sync_records"]["counts"]) == (0, counts), results
        assert held.keys() == by_uid(records).keys()


def _memory(folder: Path) -> Memory:
    memory = Memory(folder / "memory.json")
    memory.note("plans 4711", NOW)
    memory.note_turns("records", ["4711", "4712"])
    memory.owed, memory.passed_over, memory.first_look_done = {"1.2.3": "4711"}, ["1.2.4"], True
    memory.save()
    return Memory.load(folder)


def test_every_changed_byte_of_the_memory_is_forgotten(tmp_path: Path) -> None:
    assert _memory(tmp_path).owed == {"1.2.3": "4711"}
    path = tmp_path / "memory.json"
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bit in (1, 4, 32):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
            said = json.dumps(Memory.load(tmp_path).owed)
            assert said in {"{}", '{"1.2.3": "4711"}'}, place


@pytest.mark.parametrize(
    "content",
    [[], {}, {"nodes": 1}, {"asked": {"a": "b"}}, {"nodes": {"A": {"limits": []}}}, {"turns": {"records": {"1": "x"}}}],
)
def test_a_memory_of_another_shape_is_blank(tmp_path: Path, content: object) -> None:
    from recovery.host.seals import sealed_json

    text = sealed_json(content) if isinstance(content, dict) else json.dumps(content)
    (tmp_path / "memory.json").write_text(text)
    memory = Memory.load(tmp_path)
    assert (memory.nodes, memory.asked, memory.turns) == ({}, {}, {})


def test_each_of_two_jobs_keeps_what_it_learnt_and_forgets_what_it_forgot(tmp_path: Path) -> None:
    """The nightly proof read the file at eleven, and wrote at three what it had been then."""
    first = _memory(tmp_path)
    first.note("chain 1.2", NOW)
    first.save()
    night, cycle = Memory.load(tmp_path), Memory.load(tmp_path)
    cycle.owed, cycle.passed_over, cycle.unread = {"1.2.5": "4713"}, ["1.2.4", "1.2.6"], ["1.2.7"]
    cycle.forget("chain ")
    cycle.note("plans 4713", NOW)
    cycle.note_turns("records", ["4713"])
    cycle.nodes["RTPACS"] = NodeTraits(uid_lists=True, limits={"IMAGE": 50})
    cycle.save()
    night.note("plans 4714", NOW)
    night.note_turns("others", ["4714"])
    night.nodes["RTPACS"] = NodeTraits(relational=True, limits={"SERIES": 70})
    for _ in range(2):
        night.save()
    after = Memory.load(tmp_path)
    assert (after.owed, after.passed_over, after.unread) == ({"1.2.5": "4713"}, ["1.2.4", "1.2.6"], ["1.2.7"])
    assert after.asked.keys() == {"plans 4711", "plans 4713", "plans 4714"}
    assert after.turns == {"records": {"4711": 1, "4712": 1, "4713": 2}, "others": {"4714": 1}}
    assert after.nodes["RTPACS"] == NodeTraits(relational=True, uid_lists=True, limits={"IMAGE": 50, "SERIES": 70})
    assert after.runs == 1 + night.runs + 1  # two runs beside each other, and this one


def test_everybody_has_a_turn_whatever_the_clock_said_once(tmp_path: Path) -> None:
    """A clock a year ahead for one run: forty of sixty patients were never asked about again."""
    patients = [f"P{n}" for n in range(60)]
    memory, seen = Memory(tmp_path / "memory.json"), []
    memory.note_turns("records", memory.in_turn("records", patients, 20))
    for _ in range(3):
        chosen = memory.in_turn("records", patients, 20)
        assert len(chosen) == 20
        memory.note_turns("records", chosen)
        seen += chosen
    assert sorted(seen) == sorted(patients)
    assert memory.in_turn("records", [*patients, "NEW"], 20)[0] == "NEW"


def test_a_question_of_the_future_is_due(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory.json")
    memory.note("plans 4711", NOW + timedelta(days=365))
    assert memory.is_due("plans 4711", NOW, 3600.0)


@pytest.mark.skipif(not orthanc_is_installed(), reason="Orthanc is not installed")
def test_what_an_rt_pacs_that_died_had_not_taken_is_moved_by_the_next_run(tmp_path: Path) -> None:
    """Old records of a patient met in the window: noted as asked for, they were never asked for again."""
    old, new = clinic(patients=3, days=1), clinic(patients=3, days=1)
    today = datetime.now(UTC)
    for records, back in ((old, 100), (new, 1)):
        for ds in records:
            ds.TreatmentDate = ds.SeriesDate = ds.InstanceCreationDate = f"{today - timedelta(days=back):%Y%m%d}"
    with two_nodes(tmp_path) as nodes:
        _first_look(nodes)
        nodes.put(old, new)
        nodes.pacs.kill()
        assert nodes.job("sync_records")[0] == 2
        nodes.pacs.start()
        assert nodes.job("sync_records")[0] == 0
        assert nodes.pacs.instances() == nodes.rv.instances()


def _first_look(nodes: TwoNodes) -> None:
    memory = Memory.load(tmp := nodes.config.parent / "cache")
    memory.first_look_done = True
    memory.save()
    assert Memory.load(tmp).first_look_done
