"""The nightly proof finds what an archive lost, altered or cut off, heals it where a source can, and names it else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from backup_jobs.__main__ import main as backup_jobs
from backup_jobs.jobs.rereading import NIGHTS, Rereading, is_in_turn
from backup_jobs.jobs.verify_backup import _share, _uncommitted, _wanted, to_commit, verify_backup
from recovery.cache.memory import Memory
from recovery.dicom.model import RT_PLAN, VARIAN_RT_PLAN
from recovery.dimse import ask_to_commit
from recovery.pacs.collection import Collection
from recovery.pacs.peers import pacs_store_peer
from recovery.pacs.verified_objects import VerifiedObjects
from recovery.pacs.workspace import open_workspace
from recovery.settings.config import load_config
from tests.backup_jobs.test_main_job import course
from tests.clinic import TwoNodes, two_nodes
from tests.objects import beam_item, encode, record
from tests.orthanc import HOW_TO_INSTALL, Orthanc, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path) as nodes:
        yield nodes


@pytest.fixture
def treated(clinic: TwoNodes, request: pytest.FixtureRequest) -> list[Dataset]:
    """A patient on treatment, backed up, and proven once; a parameter is the plan's SOP class."""
    objects = course("A1", "BASALT^Osprey", {1: 100.0}, 4, sop_class_uid=getattr(request, "param", RT_PLAN))
    clinic.put(objects)
    assert clinic.job("cycle")[0] == 0
    status, results = clinic.job("verify_backup")
    assert (status, results["verify_backup"]["message"]) == (0, "")
    return objects


def on_disk(orthanc: Orthanc, ds: Dataset) -> Path:
    """The file in which an archive keeps an object."""
    files = (orthanc.folder / "storage").glob("??/??/*")
    objects = (path for path in files if path.read_bytes()[128:132] == b"DICM")
    (path,) = [
        path for path in objects if dcmread(path, specific_tags=["SOPInstanceUID"]).SOPInstanceUID == ds.SOPInstanceUID
    ]
    return path


def spoil(orthanc: Orthanc, ds: Dataset, change: Callable[[bytes], bytes], **options: object) -> None:
    """What a bad disk, or somebody with access to it, does to an object behind the archive's back."""
    orthanc.stop()
    path = on_disk(orthanc, ds)
    data = path.read_bytes()
    path.write_bytes(change(data))
    assert path.read_bytes() != data
    orthanc.options |= options
    orthanc.start()


def of_kind(objects: list[Dataset], modality: str) -> Dataset:
    return next(ds for ds in objects if ds.Modality == modality)


def another_pixel(data: bytes) -> bytes:
    return data[:-3] + bytes([data[-3] ^ 0xFF]) + data[-2:]


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def another_meterset(data: bytes) -> bytes:
    return data.replace(b"100.0", b"900.0")


@pytest.mark.parametrize("treated", [RT_PLAN, VARIAN_RT_PLAN], indirect=True)
def test_what_is_well_is_proven_and_the_list_says_when(clinic: TwoNodes, treated: list[Dataset]) -> None:
    assert clinic.job("build_on_treatment")[0] == 0
    (row,) = clinic.table()
    assert row["ready"] and row["proven_at"]
    proven = {one["uid"]: one for one in clinic.table("verified_objects")}
    assert proven.keys() == {str(ds.SOPInstanceUID) for ds in treated}, "the dose too"
    assert all(one["is_as_at_source"] and one["why"] is None for one in proven.values())


@pytest.mark.parametrize(
    ("modality", "change", "lacks"),
    [
        ("CT", another_pixel, "1 image (altered in the RT-PACS)"),
        ("CT", half, "1 image (unreadable in the RT-PACS)"),
        ("RTPLAN", another_meterset, "plan (altered in the RT-PACS)"),
        ("RTRECORD", another_meterset, "1 treatment record altered in the RT-PACS (counted from what was read then)"),
    ],
    ids=["one bit of a CT slice", "half a CT slice", "a plan's meterset", "a record's meterset"],
)
def test_what_an_archive_altered_and_keeps_is_named_and_not_ready(
    clinic: TwoNodes, treated: list[Dataset], modality: str, change: Callable[[bytes], bytes], lacks: str
) -> None:
    spoiled = of_kind(treated, modality)
    spoil(clinic.pacs, spoiled, change)
    for _ in range(2):
        status, results = clinic.job("verify_backup")
        assert (status, results["verify_backup"]["unproven"]) == (1, [str(spoiled.SOPInstanceUID)])
    clinic.job("build_on_treatment")
    (row,) = clinic.table()
    assert (row["ready"], row["proven_at"]) == (False, None)
    assert lacks in row["missing"]


def test_an_archive_that_takes_an_object_again_is_healed(clinic: TwoNodes, treated: list[Dataset]) -> None:
    spoiled = of_kind(treated, "CT")
    spoil(clinic.pacs, spoiled, another_pixel, OverwriteInstances=True)
    status, results = clinic.job("verify_backup")
    assert status == 0, results
    assert results["verify_backup"]["counts"]["moved"] == 1
    clinic.job("build_on_treatment")
    assert clinic.table()[0]["ready"]


def test_a_slice_that_is_gone_is_brought_again(clinic: TwoNodes, treated: list[Dataset]) -> None:
    clinic.pacs.delete_instance(str(of_kind(treated, "CT").SOPInstanceUID))
    status, results = clinic.job("verify_backup")
    assert (status, results["verify_backup"]["counts"]["moved"]) == (0, 1)
    assert clinic.pacs.instances() == clinic.rv.instances()


def test_without_the_rv_system_what_is_gone_is_named_and_what_is_well_is_proven(
    clinic: TwoNodes, treated: list[Dataset]
) -> None:
    gone = str(of_kind(treated, "CT").SOPInstanceUID)
    clinic.pacs.delete_instance(gone)
    clinic.rv.kill()
    status, results = clinic.job("verify_backup")
    assert (status, results["verify_backup"]["unproven"]) == (1, [gone])
    assert results["verify_backup"]["counts"]["already_held"] == len(treated) - 1


def test_an_object_changed_on_both_sides_is_never_taken_for_healed(clinic: TwoNodes, treated: list[Dataset]) -> None:
    plan = of_kind(treated, "RTPLAN")
    spoil(clinic.pacs, plan, another_meterset, OverwriteInstances=True)
    spoil(clinic.rv, plan, another_meterset)
    status, results = clinic.job("verify_backup")
    assert status == 1 and "its source has another content too" in results["verify_backup"]["message"]


def test_what_the_rv_system_has_otherwise_is_found_on_the_first_night(clinic: TwoNodes) -> None:
    objects = course("A1", "BASALT^Osprey", {1: 100.0}, 4)
    clinic.put(objects)
    assert clinic.job("cycle")[0] == 0
    spoil(clinic.pacs, of_kind(objects, "RTPLAN"), another_meterset)
    status, results = clinic.job("verify_backup")
    assert status == 1
    assert "the RT-PACS and its source differ in" in results["verify_backup"]["message"]


def test_a_record_that_was_cut_off_before_its_plan_keeps_every_plan_of_its_patient_from_being_ready(
    clinic: TwoNodes, treated: list[Dataset]
) -> None:
    given = record(str(of_kind(treated, "RTPLAN").SOPInstanceUID), [beam_item(1, 5, 100.0, 100.0)], PatientID="A1")
    given.InstanceCreationDate = f"{datetime.now(UTC):%Y%m%d}"
    clinic.put(given)
    cut = Dataset(given)
    cut.file_meta, cut.TreatmentDate = given.file_meta, ""
    del cut.ReferencedRTPlanSequence
    clinic.pacs.put(encode(cut))
    assert clinic.job("cycle")[0] == 0, "nobody has read it before"
    config = load_config(clinic.config)
    space = open_workspace(config, Memory.load(config.cache_path), datetime.now(UTC))
    active, _ = _wanted(space, VerifiedObjects())
    assert active >= {str(ds.SOPInstanceUID) for ds in (*treated, cut)}
    assert clinic.job("verify_backup")[1]["verify_backup"]["unproven"] == [str(cut.SOPInstanceUID)]
    clinic.job("build_on_treatment")
    missing = {row["fractions_delivered"]: row["missing"] for row in clinic.table()}
    assert missing[4] == "1 treatment record of the R&V system"


def test_a_record_whose_plan_was_altered_on_its_way_keeps_every_plan_of_its_patient_from_being_ready(
    clinic: TwoNodes, treated: list[Dataset]
) -> None:
    whose = {"PatientID": "A1", "PatientName": "BASALT^Osprey", "InstanceCreationDate": f"{datetime.now(UTC):%Y%m%d}"}
    plan_uid = str(of_kind(treated, "RTPLAN").SOPInstanceUID)
    given = record(plan_uid, [beam_item(1, 5, 100.0, 100.0)], **whose)
    clinic.put(given)
    arrived = Dataset(given)
    arrived.file_meta = given.file_meta
    (named,) = record(plan_uid[:-1] + "77", [beam_item(1, 5, 1.0, 1.0)]).ReferencedRTPlanSequence
    arrived.ReferencedRTPlanSequence = [named]
    clinic.pacs.put(encode(arrived))
    clinic.job("cycle")
    assert clinic.job("verify_backup")[1]["verify_backup"]["unproven"] == [str(given.SOPInstanceUID)]
    clinic.job("build_on_treatment")
    assert [row["referenced_rt_plan_uid"] for row in clinic.table() if row["ready"]] == []


def test_what_was_altered_on_its_way_to_this_machine_is_read_again_after_the_proof(
    clinic: TwoNodes, treated: list[Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The RT-PACS has it right, and what was read of it once is not believed for ever."""
    new, known = record(str(of_kind(treated, "RTPLAN").SOPInstanceUID), [beam_item(1, 5, 100.0, 100.0)], PatientID="A1",
                        InstanceCreationDate=f"{datetime.now(UTC):%Y%m%d}"), Collection.add  # fmt: skip

    def add(self: Collection, ds: Dataset) -> None:
        if ds.SOPInstanceUID == new.SOPInstanceUID:
            ds.TreatmentSessionBeamSequence[0].CurrentFractionNumber = 4
        known(self, ds)

    clinic.put(new)
    with monkeypatch.context() as on_the_way:
        on_the_way.setattr(Collection, "add", add)
        assert backup_jobs(["cycle", "--config", str(clinic.config)]) == 0
    assert [row["fractions_delivered"] for row in clinic.table()] == [4]
    assert clinic.job("verify_backup")[1]["verify_backup"]["message"] == (
        "1 object had been read otherwise: the next cycle reads it again"
    )
    assert clinic.job("cycle")[0] == 0
    assert [row["fractions_delivered"] for row in clinic.table()] == [5]
    assert clinic.job("verify_backup")[1]["verify_backup"]["message"] == ""


def test_a_record_that_cannot_be_read_keeps_its_patient_from_being_ready(
    clinic: TwoNodes, treated: list[Dataset]
) -> None:
    given = record(str(of_kind(treated, "RTPLAN").SOPInstanceUID), [beam_item(1, 5, 100.0, 100.0)], PatientID="A1")
    given.InstanceCreationDate = f"{datetime.now(UTC):%Y%m%d}"
    clinic.put(given)
    clinic.pacs.put(encode(given))
    spoil(clinic.pacs, given, lambda data: data[:200])
    status, results = clinic.job("cycle")
    assert (status, results["build_on_treatment"]["unproven"]) == (1, [str(given.SOPInstanceUID)])
    (row,) = clinic.table()
    assert (row["ready"], row["missing"]) == (False, "1 treatment record of the R&V system")
    nine_days_on = {"real": time.time(), "speed": 1, "simulated": (datetime.now(UTC) + timedelta(days=9)).isoformat()}
    clinic.clock = str(clinic.folder / "clock.json")
    Path(clinic.clock).write_text(json.dumps(nine_days_on))
    status, results = clinic.job("cycle")  # it was given before the first day of the window
    assert (status, results["build_on_treatment"]["unproven"]) == (1, [str(given.SOPInstanceUID)])
    (row,) = clinic.table()
    assert (row["ready"], row["missing"]) == (False, "1 treatment record of the R&V system")


def test_what_a_cycle_learnt_while_the_proof_was_under_way_is_kept(clinic: TwoNodes, treated: list[Dataset]) -> None:
    config = load_config(clinic.config)
    proof = open_workspace(config, Memory.load(config.cache_path), datetime.now(UTC))
    assert verify_backup(proof).outcome == "OK"
    clinic.put(course("B2", "QUARTZ^Heron", {1: 100.0}, 1))
    assert clinic.job("cycle")[0] == 0
    runs = Memory.load(config.cache_path).runs
    proof.memory.save()
    after = Memory.load(config.cache_path)
    assert "B2" in after.turns["records"]
    assert "plans B2" in after.asked
    assert after.runs == runs


def test_a_record_of_last_month_that_the_window_of_a_week_no_longer_sees_is_brought(
    clinic: TwoNodes, treated: list[Dataset]
) -> None:
    late = course("A2", "QUARTZ^Heron", {1: 100.0}, 1, last=20.0)[-1]
    clinic.put(late)
    assert clinic.job("sync_records")[1]["sync_records"]["counts"]["moved"] == 0
    status, results = clinic.job("verify_backup")
    assert (status, results["verify_backup"]["counts"]["moved"]) == (0, 1), results
    assert str(late.SOPInstanceUID) in clinic.pacs.instances()


def test_an_archive_that_offers_it_is_asked_to_commit_itself_and_tells_what_it_does_not_hold(
    clinic: TwoNodes, treated: list[Dataset]
) -> None:
    config = load_config(clinic.config)
    peer = pacs_store_peer(config, Memory.load(config.cache_path))
    held = {str(ds.SOPInstanceUID): str(ds.SOPClassUID) for ds in treated}
    assert ask_to_commit(peer, held) == {}
    assert ask_to_commit(peer, {**held, "1.2.3": str(treated[0].SOPClassUID)}) == {"1.2.3": "reason 0112"}
    assert "Unable to read N-EVENT-REPORT response" not in (clinic.pacs.folder / "orthanc.log").read_text()


def test_an_archive_is_asked_to_commit_itself_to_what_is_new_each_night_and_to_all_within_a_fortnight() -> None:
    old, new = {f"1.{number}" for number in range(300)}, {"2.1", "2.2"}
    nights = [set(to_commit(old | new, old, ["1.7"], turn)) for turn in range(41, 41 + NIGHTS)]
    assert all(new | {"1.7"} <= asked for asked in nights)
    assert set.union(*nights) == old | new
    assert max(map(len, nights)) < len(old) / 4


def test_what_an_archive_does_not_commit_itself_to_is_asked_for_and_named_each_night_until_it_does(
    clinic: TwoNodes, treated: list[Dataset]
) -> None:
    config = load_config(clinic.config)
    space = open_workspace(config, Memory.load(config.cache_path), datetime.now(UTC))
    verified, (plan,) = VerifiedObjects.load(space.cache), [ds for ds in treated if ds.Modality == "RTPLAN"]
    uid, lost = str(plan.SOPInstanceUID), next(f"1.2.{n}" for n in range(99) if not is_in_turn(f"1.2.{n}", 2))
    verified.came(lost, "what it was", space.now)
    night = Rereading(space, verified, sop_classes=dict.fromkeys([uid, lost], str(plan.SOPClassUID)))
    assert verified.turn == 2
    for before in ({uid}, {uid, lost}, {uid, lost}):
        assert _uncommitted(night, before).keys() == {lost}
        assert space.memory.uncommitted == [lost]
    held = course("A9", "BASALT^Osprey", {1: 100.0}, 0, SOPInstanceUID=lost)
    clinic.pacs.put(encode(next(ds for ds in held if ds.Modality == "RTPLAN")))
    assert not _uncommitted(night, {uid, lost})
    assert space.memory.uncommitted == []


def test_without_a_list_nothing_is_said_to_be_proven(clinic: TwoNodes) -> None:
    status, results = clinic.job("verify_backup")
    assert status == 2 and "on_treatment" in results["verify_backup"]["message"]


def test_everything_has_its_turn_within_the_weeks_whatever_restarts(clinic: TwoNodes) -> None:
    clinic.extra = "[verify]\nweeks = 1\n"
    config = load_config(clinic.config)
    space = open_workspace(config, Memory.load(config.cache_path), datetime(2026, 11, 24, tzinfo=UTC))
    others, read = {f"1.{number}" for number in range(100)}, list[str]()
    for night in range(7):
        verified = VerifiedObjects.load(space.cache)
        tonight = _share(space, verified, others)
        now = datetime(2026 - night, 11, 24, tzinfo=UTC)  # a clock may lie
        assert all(verified.came(uid, "digest", now) for uid in tonight)
        verified.save(space.cache, now)
        read += tonight
    assert set(read) == others and len(read) <= 7 * 15
