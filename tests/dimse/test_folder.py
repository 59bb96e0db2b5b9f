"""A folder of files asked with the verbs that an archive is asked with."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydicom import Dataset, dcmread
from pydicom.fileset import FileSet

from backup_jobs.__main__ import main as run_job
from recovery.__main__ import main
from recovery.cache.memory import Memory
from recovery.cache.store import Cache
from recovery.dicom.model import DicomNode, InstanceRef
from recovery.dimse import (
    DimseError,
    EncodedObject,
    NodeTraits,
    Peer,
    count_series_instances,
    echo,
    fetch,
    find_by_uid,
    find_held,
    find_images,
    find_refs,
    find_series,
    move,
    open_link,
    store,
)
from recovery.dimse.guard import NOT_AUTHORISED
from recovery.dimse.peer import UNKNOWN_DESTINATION
from recovery.folder.door import FolderDoor, understands_all
from recovery.folder.sums import sums_text
from recovery.host.keys import public_key_of
from recovery.objects.digest import digest_of
from recovery.pacs.peers import pacs_peer
from recovery.pacs.verified_objects import VerifiedObjects
from recovery.settings.config import load_config
from tests.app.clinic import CONFIG
from tests.backup_jobs.test_main_job import course
from tests.objects import encode

NODE = DicomNode("NOBODY", "127.0.0.1", 1)


def peer_of(folder: Path, *public_keys: str) -> Peer:
    return Peer(NODE, NODE, "pacs", 1.0, understands_all(NodeTraits()), door=FolderDoor(folder, public_keys))


@pytest.fixture
def objects() -> list[Dataset]:
    return course("A1", "BASALT^Osprey", {1: 100.0}, 2) + course("B2", "QUARTZ^Heron", {1: 50.0}, 1)


@pytest.fixture
def folder(tmp_path: Path, objects: list[Dataset]) -> Path:
    """Objects by patient, among files that are none."""
    for number, ds in enumerate(objects):
        place = tmp_path / "TB1" / str(ds.PatientID)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{ds.Modality}_{number:04d}.dcm").write_bytes(encode(ds))
    (tmp_path / "index.html").write_text("<p>a pack</p>")
    return tmp_path


def prove(folder: Path, key: Ed25519PrivateKey | None = None) -> None:
    """The checksums of a pack."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    sums = {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    (folder / "SHA256SUMS").write_text(sums_text(sums, key))


def brought(folder: Path, ref: InstanceRef) -> tuple[list[Dataset], dict[str, str]]:
    came: list[Dataset] = []
    return came, fetch(peer_of(folder), [ref], came.append, retrieve="move")


def file_of(folder: Path, ds: Dataset) -> Path:
    return next(p for p in folder.rglob("*.dcm") if dcmread(p, force=True).get("SOPInstanceUID") == ds.SOPInstanceUID)


def test_a_folder_answers_every_question_as_an_archive_does(folder: Path, objects: list[Dataset]) -> None:
    mine = {ds.SOPInstanceUID for ds in objects if ds.PatientID == "A1"}
    plan = next(ds for ds in objects if ds.Modality == "RTPLAN")
    with open_link(peer_of(folder)) as link:
        assert {ref.sop_instance_uid for ref in find_refs(link, {"PatientID": "A1"})} == mine
        assert {ref.sop_instance_uid for ref in find_refs(link, {"PatientID": "*1", "Modality": ""})} == mine
        assert find_refs(link, {"PatientID": "[A]1"}) == set()
        assert {r.patient_id for r in find_by_uid(link, [plan.SOPInstanceUID, "1.2.3"])} == {"A1"}
        assert find_held(link, [InstanceRef("1.2.3")]) == set()
        assert find_refs(link, {"TreatmentDate": "20000101-20000131", "Modality": "RTRECORD"}) == set()
        assert len(find_refs(link, {"TreatmentDate": "20000101-21000101"})) == 3
        assert find_series(link, plan.StudyInstanceUID) == {plan.SeriesInstanceUID: 1}
        image = next(ds for ds in objects if ds.Modality == "CT")
        assert count_series_instances(link, [image.SeriesInstanceUID]) == {image.SeriesInstanceUID: 4}
        (answer,) = find_images(link, {"SOPInstanceUID": plan.SOPInstanceUID}, ("RTPlanLabel", "BeamSequence"))
    assert (answer.RTPlanLabel, len(answer.BeamSequence)) == (plan.RTPlanLabel, len(plan.BeamSequence))


def test_what_is_fetched_is_the_file_as_it_is_now(folder: Path, objects: list[Dataset]) -> None:
    came, failures = brought(folder, InstanceRef(objects[0].SOPInstanceUID))
    assert failures == {} and came[0].PixelData == objects[0].PixelData
    path = file_of(folder, objects[0])
    path.write_bytes(path.read_bytes()[:-9])
    came, failures = brought(folder, InstanceRef(objects[0].SOPInstanceUID))
    assert (
        not came
        and failures
        and failures[objects[0].SOPInstanceUID].endswith("has a file of it that is cut off (status 0xC000).")
    )
    path.unlink()
    came, failures = brought(folder, InstanceRef(objects[0].SOPInstanceUID))
    assert not came and "does not have it" in failures[objects[0].SOPInstanceUID]


def test_a_forged_file_is_refused_by_the_checksums_of_its_pack(folder: Path, objects: list[Dataset]) -> None:
    prove(folder)
    plan = next(ds for ds in objects if ds.Modality == "RTPLAN")
    assert brought(folder, InstanceRef(plan.SOPInstanceUID))[1] == {}
    path = file_of(folder, plan)
    plan.BeamSequence[0].BeamName = "forged"
    path.write_bytes(encode(plan))
    came, failures = brought(folder, InstanceRef(plan.SOPInstanceUID))
    assert not came and "has a file of it that is not what was written" in failures[plan.SOPInstanceUID]


@pytest.mark.parametrize("forger", ["signs nothing", "signs with another key", "takes the checksums away"])
def test_who_forges_a_file_with_its_checksum_has_not_forged_the_signature(
    folder: Path, objects: list[Dataset], forger: str
) -> None:
    plan = next(ds for ds in objects if ds.Modality == "RTPLAN")
    key, ref = Ed25519PrivateKey.generate(), InstanceRef(plan.SOPInstanceUID)
    prove(folder, key)
    subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    peer = peer_of(folder, public_key_of(key))
    assert fetch(peer, [ref], lambda _: None) == {}
    plan.BeamSequence[0].BeamName = "forged"
    file_of(folder, plan).write_bytes(encode(plan))
    prove(folder, Ed25519PrivateKey.generate() if forger.startswith("signs with") else None)
    if forger.startswith("takes"):
        (folder / "SHA256SUMS").unlink()
    with pytest.raises(DimseError, match=r"no key of \[signing\] signed its SHA256SUMS"):
        fetch(peer, [ref], lambda _: None)
    prove(folder / "TB1" / "B2", key)
    said = fetch(peer, [ref], lambda _: None)
    assert "lies where no key of [signing] signed its SHA256SUMS" in said[plan.SOPInstanceUID]


def test_what_the_cache_knows_of_an_object_refuses_a_forged_one_though_nobody_signs(
    folder: Path, objects: list[Dataset]
) -> None:
    (folder / "config.toml").write_text(CONFIG.replace("[pacs]\n", '[pacs]\nfolder = "TB1"\n'), encoding="utf-8")
    config, plan = load_config(folder / "config.toml"), next(ds for ds in objects if ds.Modality == "RTPLAN")
    verified, now = VerifiedObjects(), datetime(2026, 11, 29, tzinfo=UTC)
    verified.came(plan.SOPInstanceUID, digest_of(dcmread(file_of(folder, plan))), now)
    verified.save(Cache(config.cache_path), now)
    ref = InstanceRef(plan.SOPInstanceUID)
    assert fetch(pacs_peer(config, Memory.load(config.cache_path)), [ref], lambda _: None) == {}
    plan.BeamSequence[0].BeamName = "forged"
    file_of(folder, plan).write_bytes(encode(plan))
    said = fetch(pacs_peer(config, Memory.load(config.cache_path)), [ref], lambda _: None)
    assert "has a file of it that is not what was proven" in said[plan.SOPInstanceUID]


def test_a_copy_that_stopped_half_way_is_called_no_whole_answer(folder: Path, objects: list[Dataset]) -> None:
    prove(folder)
    record = next(ds for ds in objects if ds.Modality == "RTRECORD")
    path = file_of(folder, record)
    path.unlink()
    peer = peer_of(folder)
    with open_link(peer) as link:
        assert InstanceRef(record.SOPInstanceUID) not in find_refs(link, {})
    assert peer.traits.unfinished == [f"files that lack or cannot be read ({path.name})"]


def test_a_file_that_is_not_of_the_pack_is_refused(folder: Path, objects: list[Dataset]) -> None:
    prove(folder)
    smuggled = course("A1", "BASALT^Osprey", {1: 900.0}, 0)[5]
    (folder / "TB1" / "RTPLAN_0099.dcm").write_bytes(encode(smuggled))
    came, failures = brought(folder, InstanceRef(smuggled.SOPInstanceUID))
    assert not came and "SHA256SUMS of its pack does not name" in failures[smuggled.SOPInstanceUID]


def test_a_series_that_lies_in_two_plans_is_one_and_two_objects_of_one_uid_are_none(
    folder: Path, objects: list[Dataset]
) -> None:
    image = objects[0]
    copy = folder / "TB1" / "A1" / "again.dcm"
    copy.write_bytes(encode(image))
    with open_link(peer_of(folder)) as link:
        assert count_series_instances(link, [image.SeriesInstanceUID]) == {image.SeriesInstanceUID: 4}
        assert len(list(find_images(link, {"SOPInstanceUID": image.SOPInstanceUID}))) == 1
    assert brought(folder, InstanceRef(image.SOPInstanceUID))[1] == {}
    image.PatientComments = "another"
    copy.write_bytes(encode(image))
    came, failures = brought(folder, InstanceRef(image.SOPInstanceUID))
    assert not came and "2 different objects" in failures[image.SOPInstanceUID]


def test_a_research_copy_under_another_number_is_told_apart(folder: Path, objects: list[Dataset]) -> None:
    image = objects[0]
    image.PatientID = "RESEARCH"
    (folder / "copy.dcm").write_bytes(encode(image))
    with open_link(peer_of(folder)) as link:
        (ref,) = find_by_uid(link, [image.SOPInstanceUID])
    assert ref.twins
    came, failures = brought(folder, InstanceRef(image.SOPInstanceUID, patient_id="A1"))
    assert failures == {} and came[0].PatientID == "A1"


def test_a_broken_file_is_named_and_no_answer_is_called_whole(folder: Path, objects: list[Dataset]) -> None:
    path = file_of(folder, objects[0])
    path.write_bytes(path.read_bytes()[:140])
    (folder / "empty.dcm").write_bytes(b"")
    peer = peer_of(folder)
    with open_link(peer) as link:
        assert len(find_refs(link, {"PatientID": "A1"})) == 8
    assert peer.traits.unfinished == [f"files that lack or cannot be read ({path.name}, empty.dcm)"]
    assert "A1" not in peer.traits.unfinished[0]


def test_a_dicomdir_is_not_believed_and_links_and_unfinished_packs_are_not_followed(
    tmp_path: Path, objects: list[Dataset]
) -> None:
    files = FileSet()
    for ds in objects[:4]:
        files.add(dcmread(io.BytesIO(encode(ds))))
    files.write(tmp_path / "set")
    next(p for p in (tmp_path / "set").rglob("*") if p.is_file() and p.name != "DICOMDIR").unlink()
    (tmp_path / "set" / "link.dcm").symlink_to(next(p for p in (tmp_path / "set" / "PT000000").rglob("IM*")))
    beside = tmp_path / "UNFINISHED_do_not_use"
    beside.mkdir()
    (beside / "plan.dcm").write_bytes(encode(objects[5]))
    peer = peer_of(tmp_path)
    with open_link(peer) as link:
        assert len(find_refs(link, {})) == 3
    assert peer.traits.unfinished == []


def test_a_folder_takes_nothing_and_sends_nothing_itself(folder: Path, objects: list[Dataset]) -> None:
    data = EncodedObject("1.2", "1.2.3", "1.2.840.10008.1.2", b"")
    assert store(peer_of(folder), [data]) == {"1.2.3": NOT_AUTHORISED}
    with pytest.raises(DimseError, match="C-MOVE") as raised:
        move(peer_of(folder), [InstanceRef(objects[0].SOPInstanceUID)], "ELSEWHERE")
    assert raised.value.status == UNKNOWN_DESTINATION


def test_a_folder_that_is_gone_or_empty_is_an_error_and_never_an_empty_answer(tmp_path: Path) -> None:
    with pytest.raises(DimseError, match="Look whether the disk is there"), open_link(peer_of(tmp_path / "gone")):
        pass
    with pytest.raises(DimseError, match=r"holds no DICOM object\. Look whether the disk is there"):
        echo(peer_of(tmp_path))
    with pytest.raises(DimseError, match="Look whether the disk is there"), open_link(peer_of(tmp_path)):
        pass


@pytest.mark.parametrize("job", ["cycle", "build_on_treatment", "check"])
def test_a_job_that_stores_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str], job: str) -> None:
    text = CONFIG.replace("[pacs]\n", '[pacs]\nfolder = "packs"\n')
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    assert run_job([job, "--config", str(tmp_path / "config.toml")]) == 2
    assert f"{job} needs an RT-PACS, and [pacs] folder names files in its place" in capsys.readouterr().err


def test_a_folder_of_plans_alone_makes_no_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in folder.rglob("RTRECORD*"):
        path.unlink()
    text = CONFIG.replace("[pacs]\n", '[pacs]\nfolder = "TB1"\n')
    (folder / "config.toml").write_text(text, encoding="utf-8")
    assert main(["rebuild", "--config", str(folder / "config.toml")]) == 2
    assert "holds no treatment record" in capsys.readouterr().err


def test_a_folder_of_everything_rebuilds_the_list(
    folder: Path, objects: list[Dataset], capsys: pytest.CaptureFixture[str]
) -> None:
    text = CONFIG.replace("[pacs]\n", '[pacs]\nfolder = "TB1"\n')
    (folder / "config.toml").write_text(text, encoding="utf-8")
    config = str(folder / "config.toml")
    main(["rebuild", "--config", config])
    capsys.readouterr()
    assert main(["table", "on_treatment", "--format", "json", "--config", config]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {(row["patient_id"], row["fractions_delivered"], row["ready"]) for row in rows} == {
        ("A1", 2, True),
        ("B2", 1, True),
    }
    assert run_job(["verify_backup", "--config", config]) == 0
    capsys.readouterr()
    for path in (*folder.rglob("RTRECORD*"), file_of(folder, objects[0])):
        path.unlink()
    assert run_job(["verify_backup", "--json", "--config", config]) == 1
    (told,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert told["unproven"] == [objects[0].SOPInstanceUID], "a pack has no records, and that proves no loss"
    assert "records that are not among them were not re-read" in told["message"]
