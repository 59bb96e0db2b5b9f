"""A pack made of a real archive: complete, proven, read as file mode reads, mended, kept, overridden, encrypted."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import resource
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import pyrage
import pytest
from openpyxl import load_workbook
from pydicom import Dataset, dcmread

from recovery.__main__ import main
from recovery.dicom.model import DicomNode
from recovery.host.seals import sealed_json, unsealed_json
from recovery.packing import encryption
from recovery.packing.contents import Bringing
from recovery.packing.encryption import encrypt
from tests.app.people import enrol
from tests.backup_jobs.test_main_job import course
from tests.backup_jobs.test_verify_backup import another_pixel, of_kind, spoil
from tests.charting.pages import texts
from tests.clinic import TwoNodes, two_nodes
from tests.objects import encode, item
from tests.orthanc import HOW_TO_INSTALL, Orthanc, free_port, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

TWIN, HOSTILE, UNAPPROVED = "A/1", "../../CON", "C3"
PASSPHRASE = "four words for packs"


@pytest.fixture(scope="module")
def courses() -> dict[str, list[Dataset]]:
    """Two patients of one name whose IDs differ in a character of paths, and a plan that nobody approved."""
    made = {
        TWIN: course(TWIN, "BASALT^Osprey", {1: 100.0, 2: 120.0}, 4, RTPlanLabel="Prostate"),
        HOSTILE: course(HOSTILE, "BASALT^Osprey", {1: 100.0}, 3, RTPlanLabel="CON"),
        UNAPPROVED: course(UNAPPROVED, "QUARTZ^Heron", {1: 50.0}, 2, ApprovalStatus="UNAPPROVED"),
    }
    for objects in made.values():
        plan = of_kind(objects, "RTPLAN")
        plan.ReferencedDoseSequence = [item(ReferencedSOPInstanceUID=of_kind(objects, "RTDOSE").SOPInstanceUID)]
    return made


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, courses: dict[str, list[Dataset]]) -> Iterator[TwoNodes]:
    """Backed up and proven once; then the R&V system is gone."""
    with two_nodes(tmp_path_factory.mktemp("packs")) as nodes:
        nodes.extra = '[package]\npath = "kept"\n[sign_in]\naccounts = "accounts.json"\naudit = "audit.jsonl"\n'
        nodes.put(*courses.values())
        assert nodes.job("cycle")[0] == 0
        assert nodes.job("verify_backup")[0] == 0
        enrol(nodes.folder / "accounts.json")
        nodes.rv.kill()
        yield nodes


@pytest.fixture(scope="module")
def made(clinic: TwoNodes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of everybody."""
    folder = tmp_path_factory.mktemp("made") / "pack"
    assert package(clinic, "--everybody", "-o", str(folder))[0] == 1
    return folder


@pytest.fixture
def pack(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(made, tmp_path / "pack")


def package(clinic: TwoNodes, *arguments: str) -> tuple[int, str]:
    """The command as a user runs it: exit status, and what it said."""
    done = clinic.run("recovery", "package", *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def plan_folders(pack: Path) -> dict[str, Path]:
    return {path.parent.relative_to(pack).as_posix(): path.parent for path in pack.rglob("RTPLAN_*.dcm")}


def uids_in(folder: Path) -> set[str]:
    return {str(dcmread(path).SOPInstanceUID) for path in folder.iterdir()}


def treated_with(objects: list[Dataset]) -> set[str]:
    return {str(ds.SOPInstanceUID) for ds in objects if ds.Modality != "RTRECORD"}


def test_a_folder_holds_one_plan_and_its_references_and_nothing_else(
    pack: Path, courses: dict[str, list[Dataset]]
) -> None:
    found = plan_folders(pack)
    assert set(found) == {"TB1/BASALT_Osprey_A_1/Prostate_fx5of20", "TB1/BASALT_Osprey_CON/CON_fx4of20"}
    for path, patient_id in zip(sorted(found), (TWIN, HOSTILE), strict=True):
        assert uids_in(found[path]) == treated_with(courses[patient_id]), "the dose too"
        (page, *_) = texts((pack / f"{path}.pdf").read_bytes())
        assert "BASALT, Osprey" in page and patient_id in page


def test_a_reader_that_follows_references_finds_all_of_them(pack: Path, tmp_path: Path) -> None:
    """As file mode does: the plan names set and dose, the set names the slices; and an empty archive takes it."""
    for folder in plan_folders(pack).values():
        files = {str(ds.SOPInstanceUID): ds for ds in map(dcmread, folder.iterdir())}
        (plan,) = [ds for ds in files.values() if ds.Modality == "RTPLAN"]
        contours = files.pop(plan.ReferencedStructureSetSequence[0].ReferencedSOPInstanceUID)
        files.pop(plan.ReferencedDoseSequence[0].ReferencedSOPInstanceUID)
        series = contours.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
        for one in series.RTReferencedSeriesSequence[0].ContourImageSequence:
            files.pop(one.ReferencedSOPInstanceUID)
        assert list(files) == [plan.SOPInstanceUID]
    written = [path.read_bytes() for path in pack.rglob("*.dcm")]
    with Orthanc(tmp_path / "empty", DicomNode("EMPTY", "127.0.0.1", free_port())) as empty:
        for content in written:
            empty.put(content)
        assert empty.instances() == {str(dcmread(io.BytesIO(content)).SOPInstanceUID) for content in written}


def test_the_index_says_who_is_in_it_and_who_is_not_and_why(pack: Path) -> None:
    why = "It is not approved for treatment: the plan is unapproved."
    page = (pack / "index.html").read_text()
    rows = [[str(cell.value) for cell in row] for row in load_workbook(pack / "index.xlsx")["Pack"].iter_rows()]
    sheet = load_workbook(pack / "index.xlsx")["Pack"]
    assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.print_title_rows == "$3:$3", "all of a line on a page"
    (number,) = [number for number, row in enumerate(rows, start=1) if "QUARTZ, Heron" in row]
    assert sheet.row_dimensions[number].height > 15, "a wrapped line is as high as its text"
    (line,) = [row for row in rows if "QUARTZ, Heron" in row]
    assert why in page and why in " ".join(line) and "■ NOT IN THE PACK" in page
    assert "5 next of 20 (4 given)" in page and "2 plans in the pack, 1 not." in page


def test_checksums_prove_it_with_the_systems_own_tool_and_with_ours(clinic: TwoNodes, pack: Path) -> None:
    done = subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=pack, capture_output=True, check=False)
    assert done.returncode == 0 and b"index.html: OK" in done.stdout
    assert package(clinic, "--verify", str(pack)) == (0, f"whole    {pack}\n")


def forge(pack: Path) -> None:
    """Another meterset, and a checksum to match."""
    path = next(pack.rglob("RTPLAN_*.dcm"))
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes().replace(b"100.0", b"900.0"))
    sums = (pack / "SHA256SUMS").read_text()
    (pack / "SHA256SUMS").write_text(sums.replace(before, hashlib.sha256(path.read_bytes()).hexdigest()))


def forge_all(pack: Path) -> None:
    """As `forge`, and the hash in the pack's own list as well, which bears no secret."""
    path = next(pack.rglob("RTPLAN_*.dcm"))
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    forge(pack)
    told = unsealed_json((pack / "PACK.json").read_bytes())
    after = hashlib.sha256(path.read_bytes()).hexdigest()
    forged = json.loads(json.dumps(told).replace(before, after))
    (pack / "PACK.json").write_text(sealed_json(forged) + "\n")


def smuggle_without_ending(pack: Path) -> None:
    path = next(pack.rglob("RTPLAN_*.dcm"))
    shutil.copy(path, path.with_name("RP"))


def link_away(pack: Path) -> None:
    """The same content, for now: where it lies somebody may change it."""
    path = next(pack.rglob("RTPLAN_*.dcm"))
    elsewhere = pack.with_name("elsewhere.dcm")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def cut(pack: Path) -> None:
    path = next(pack.rglob("CT_*.dcm"))
    path.write_bytes(path.read_bytes()[:300])


def smuggle(pack: Path) -> None:
    shutil.copy(next(pack.rglob("CT_*.dcm")), next(pack.rglob("CT_*.dcm")).with_name("CT_9999.dcm"))


def interrupt(pack: Path) -> None:
    (pack / "UNFINISHED_do_not_use").mkdir()


@pytest.mark.parametrize(
    ("spoil_it", "said"),
    [
        (forge, "is not what the RT-PACS held when it was proven"),
        (forge_all, "is not what the RT-PACS held when it was proven"),
        (cut, "is not what was written"),
        (smuggle_without_ending, "RP was not put there by this program"),
        (link_away, "is a link"),
        (smuggle, "CT_9999.dcm was not put there by this program"),
        (interrupt, "somebody was writing it and did not end"),
        (lambda pack: (pack / "SHA256SUMS").unlink(), "this is no pack, or half of one"),
        (lambda pack: next(pack.rglob("RTPLAN_*.dcm")).unlink(), "is not there"),
    ],
    ids=[
        "forged",
        "forged with its list",
        "cut",
        "smuggled without ending",
        "linked",
        "smuggled",
        "interrupted",
        "no checksums",
        "lost",
    ],
)
def test_a_pack_that_is_not_what_was_written_is_named_and_the_next_run_mends_it(
    clinic: TwoNodes, pack: Path, spoil_it: Callable[[Path], object], said: str
) -> None:
    spoil_it(pack)
    status, told = package(clinic, "--verify", str(pack))
    assert status == 1 and said in told
    package(clinic, "--everybody", "-o", str(pack))
    assert package(clinic, "--verify", str(pack))[0] == 0


def test_what_has_not_changed_is_not_copied_again_and_what_is_no_more_goes(clinic: TwoNodes, pack: Path) -> None:
    stale = pack / "TB9" / "Gone" / "CT_0001.dcm"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"old")
    before = {path: path.stat().st_ino for path in pack.rglob("*.dcm") if path != stale}
    package(clinic, "--everybody", "-o", str(pack))
    assert {path: path.stat().st_ino for path in pack.rglob("*.dcm")} == before
    assert not (pack / "TB9").exists()


def test_the_nightly_job_keeps_it_ready_and_says_what_the_gate_refused(clinic: TwoNodes) -> None:
    for copied in (2, 0):
        status, results = clinic.job("keep_packs")
        counts = {"found": 3, "already_held": 2 - copied, "moved": copied, "unproven": 0}
        assert (status, results["keep_packs"]["counts"]) == (0, counts), results
    assert "the gate refuses 1 plan" in results["keep_packs"]["message"]
    assert package(clinic, "--verify", str(clinic.folder / "kept"))[0] == 0


def test_a_disk_that_is_full_leaves_the_pack_that_was_there(
    clinic: TwoNodes, pack: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    forge(pack)  # so that there is something to write
    before = {path: path.read_bytes() for path in pack.rglob("*") if path.is_file()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        status = main(["package", "--everybody", "-o", str(pack), "--config", str(clinic.config)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    said = capfd.readouterr().err
    assert status == 2 and "cannot be written" in said and "the pack that was there before still stands" in said
    assert {path: path.read_bytes() for path in pack.rglob("*") if path.is_file()} == before


def test_what_the_disk_does_not_take_is_no_object_that_did_not_come(
    tmp_path: Path, courses: dict[str, list[Dataset]]
) -> None:
    """Else a nearly full disk would make a pack that blames the archive."""
    inbox = Bringing(tmp_path / "pulled", {})
    for ds in courses[TWIN][:2]:
        inbox.take(ds)
    assert isinstance(inbox.disk, FileNotFoundError) and inbox.objects == []


def test_a_pack_that_is_half_put_in_place_says_so_until_a_run_ends(clinic: TwoNodes, pack: Path) -> None:
    """A folder that is not empty lies where a chart is to be."""
    mark = pack / "UNFINISHED_do_not_use"
    (folder, *_) = plan_folders(pack).values()
    shutil.rmtree(folder)
    chart = folder.with_name(f"{folder.name}.pdf")
    chart.unlink()
    (chart / "in the way").mkdir(parents=True)
    status, said = package(clinic, "--everybody", "-o", str(pack))
    assert status == 2 and "it is half of a pack" in said and mark.exists()
    clinic.pacs.kill()
    try:
        status, said = package(clinic, "--everybody", "-o", str(pack))
        assert status == 2 and mark.exists(), "a run that could not even ask takes no mark away"
    finally:
        clinic.pacs.start()
    shutil.rmtree(chart)
    (filled_in, *_) = (one for one in pack.glob("*/*/*.pdf") if mark not in one.parents)
    told, signed = filled_in.read_bytes() + b"fraction 12 was given at 09:40", filled_in.with_name("signed.pdf")
    filled_in.write_bytes(told)
    signed.write_bytes(b"%PDF of a scanner")
    package(clinic, "--everybody", "-o", str(pack))
    assert signed.exists()
    [kept] = pack.rglob("*_kept_*.pdf")
    assert kept.read_bytes() == told
    kept.unlink()
    signed.unlink()
    assert package(clinic, "--verify", str(pack))[0] == 0


def test_what_somebody_else_laid_there_is_not_deleted(clinic: TwoNodes, pack: Path, tmp_path: Path) -> None:
    """A folder with a list of checksums is no pack yet; and a chart that was signed and scanned is nobody's to lose."""
    study = tmp_path / "study"
    study.mkdir()
    (study / "CT.dcm").write_bytes(b"mine")
    (study / "SHA256SUMS").write_text(f"{hashlib.sha256(b'mine').hexdigest()}  CT.dcm\n")
    status, said = package(clinic, "--everybody", "-o", str(study))
    assert status == 2 and "holds other files" in said and (study / "CT.dcm").read_bytes() == b"mine"
    plan_folder = next(iter(plan_folders(pack).values()))
    signed, chart = plan_folder.with_name("signed.pdf"), plan_folder.with_name(f"{plan_folder.name}.pdf")
    signed.write_bytes(b"%PDF of a scanner")
    told = chart.read_bytes() + b"fraction 12 was given at 09:40"
    chart.write_bytes(told)
    package(clinic, "--everybody", "-o", str(pack))
    assert signed.exists()
    [filled_in] = plan_folder.parent.glob(f"{plan_folder.name}_kept_*.pdf")
    assert filled_in.read_bytes() == told != chart.read_bytes(), "what was written into a chart stays, beside a new one"


def test_a_pack_never_lands_on_other_files_nor_on_another_pack(clinic: TwoNodes, pack: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    status, said = package(clinic, "--everybody", "-o", str(other))
    assert status == 2 and "holds other files" in said
    status, said = package(clinic, "--patient", TWIN, "-o", str(pack))
    assert status == 2 and "holds the pack of everybody" in said
    status, said = package(clinic, "--everybody", "-o", str(tmp_path / "no" / "stick"))
    assert status == 2 and "Look whether the disk is there" in said
    status, said = package(clinic, "--patient", TWIN, "nobody", "-o", str(tmp_path / "two"))
    assert (
        status == 1 and "the patient in place 2 of those asked for" in said and len(plan_folders(tmp_path / "two")) == 1
    )
    assert package(clinic, "--verify", str(pack))[0] == 0


def test_a_research_copy_under_another_number_keeps_no_plan_out_of_the_pack(
    clinic: TwoNodes, courses: dict[str, list[Dataset]], tmp_path: Path
) -> None:
    own = [of_kind(courses[TWIN], "RTPLAN"), of_kind(courses[TWIN], "CT")]
    copies = deepcopy(own)
    try:
        for copy in copies:
            copy.PatientID, copy.PatientName = "STUDY-7", "Anonymous"
            clinic.pacs.put(encode(copy))
        assert package(clinic, "--patient", TWIN, "-o", str(tmp_path / "one"))[0] == 0
    finally:
        for copy in copies:
            clinic.pacs.delete_instance(copy.SOPInstanceUID)
        for ds in own:
            clinic.pacs.put(encode(ds))
    (folder,) = plan_folders(tmp_path / "one").values()
    assert uids_in(folder) == treated_with(courses[TWIN])
    assert {str(dcmread(path).PatientID) for path in folder.iterdir()} == {TWIN}


def test_what_the_gate_refuses_a_physicist_overrides_by_name_and_nobody_else(clinic: TwoNodes, tmp_path: Path) -> None:
    of_one = ("--patient", UNAPPROVED, "-o", str(tmp_path / "one"))
    status, said = package(clinic, *of_one)
    assert status == 1 and "REFUSED  TB1  QUARTZ, Heron (C3)" in said and not plan_folders(tmp_path / "one")
    for more, why in (
        (("--override", "signed on paper"), "--by NAME"),
        (("--override", "signed on paper", "--by", "therapist"), "no account of a physicist"),
        (("--override", "signed on paper", "--by", "nobody"), "no account of a physicist"),
        (("--override", " ", "--by", "physicist"), "needs a reason"),
    ):
        status, said = package(clinic, *of_one, *more)
        assert status == 2 and why in said
    status, said = package(clinic, "--everybody", "-o", str(tmp_path / "x"), "--override", "r", "--by", "physicist")
    assert status == 2 and "--override is for --patient" in said
    status, said = package(clinic, *of_one, "--override", "signed on paper", "--by", "physicist")
    assert status == 1 and set(plan_folders(tmp_path / "one")) == {"TB1/QUARTZ_Heron_C3/Prost_fx3of20_OVERRIDDEN"}
    assert "Physicist of the tests: signed on paper" in (tmp_path / "one" / "index.html").read_text()
    lines = [json.loads(line) for line in (clinic.folder / "audit.jsonl").read_text().splitlines()]
    (noted,) = [one for one in lines if one["action"] == "package override"]
    assert (noted["who"], noted["patient_id"]) == ("physicist", UNAPPROVED)
    assert noted["details"]["reason"] == "signed on paper"


def test_what_was_packed_by_an_override_does_not_stay_without_one(clinic: TwoNodes, tmp_path: Path) -> None:
    """Nor as a pack that could not be made anew: the gate never let it through."""
    (table,) = (clinic.folder / "cache").rglob("*verified_objects*.parquet")
    aside, of_one = table.rename(tmp_path / "aside"), ("--patient", TWIN, "-o", str(tmp_path / "one"))
    try:
        status, said = package(clinic, *of_one, "--override", "read by eye", "--by", "physicist")
        assert status == 1 and "OVERRIDDEN" in " ".join(plan_folders(tmp_path / "one"))
        status, said = package(clinic, *of_one)
        assert status == 1 and "It was never proven whole" in said and not plan_folders(tmp_path / "one")
    finally:
        aside.rename(table)


def test_an_encrypted_pack_opens_with_its_key_or_passphrase_and_with_no_other(
    clinic: TwoNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    (tmp_path / "mine.txt").write_text(f"# a key\n{mine}\n")
    (tmp_path / "other.txt").write_text(f"{other}\n")
    file = tmp_path / "all.tar.age"
    monkeypatch.setenv("PACK_WORDS", PASSPHRASE)
    words = ("--passphrase-env", "PACK_WORDS")
    assert package(clinic, "--everybody", "-o", str(file), "--recipient", str(mine.to_public()), *words)[0] == 1
    assert b"BASALT" not in file.read_bytes() and not list((clinic.folder / "cache").glob("packing-*"))
    assert package(clinic, "--verify", str(file), *words)[0] == 0
    assert package(clinic, "--verify", str(file), "--identity", str(tmp_path / "mine.txt"))[0] == 0
    status, said = package(clinic, "--verify", str(file), "--identity", str(tmp_path / "other.txt"))
    assert status == 2 and "does not open it" in said
    monkeypatch.setenv("PACK_WORDS", "another passphrase")
    status, said = package(clinic, "--verify", str(file), *words)
    assert status == 2 and "does not open it" in said
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(file.read_bytes(), [mine]))) as tar:
        assert tar.getnames()[0] == "SHA256SUMS" and "index.html" in tar.getnames()
    (clinic.folder / "cache" / "packing-killed").mkdir()
    key = (tmp_path / "all.key.age").read_bytes()
    monkeypatch.setenv("PACK_WORDS", PASSPHRASE)
    assert package(clinic, "--everybody", "-o", str(file), "--recipient", str(mine.to_public()), *words)[0] == 1
    assert (tmp_path / "all.key.age").read_bytes() == key, "it opens the pack of before, should this one not get whole"
    assert not list((clinic.folder / "cache").glob("packing-*")), "nothing in the clear, by a killed run either"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    status, said = package(clinic, "--verify", str(file), "--identity", str(tmp_path / "mine.txt"))
    assert status == 1 and "ends too early" in said
    monkeypatch.setenv("PACK_WORDS", "short")
    assert "too short" in package(clinic, "--everybody", "-o", str(file), *words)[1]
    assert file.read_bytes() == whole[: len(whole) // 2], "what was there still stands"


def test_a_right_passphrase_is_tried_again_on_a_busy_computer_and_a_slow_one_is_called_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encryption, "WAITS", (0.0, 0.0))
    key, file = pyrage.x25519.Identity.generate(), tmp_path / "all.tar.age"
    locked = pyrage.passphrase.encrypt(str(key).encode(), PASSPHRASE)
    encryption.key_file_of(file).write_bytes(re.sub(rb"(?m)^(-> scrypt \S+) \d+$", rb"\1 30", locked))
    with pytest.raises(encryption.WrongKeyError, match="too slow, or too busy"):
        encryption.identities(file, None, PASSPHRASE)
    refusals = ["Excessive work parameter for passphrase."] * 2

    def busy_twice(_data: bytes, _words: str) -> bytes:
        if refusals:
            raise pyrage.DecryptError(refusals.pop())
        return str(key).encode()

    monkeypatch.setattr(pyrage.passphrase, "decrypt", busy_twice)
    assert [str(one) for one in encryption.identities(file, None, PASSPHRASE)] == [str(key)]


def test_who_knows_a_public_key_cannot_pass_off_another_pack(clinic: TwoNodes, pack: Path, tmp_path: Path) -> None:
    key, file = pyrage.x25519.Identity.generate(), tmp_path / "all.tar.age"
    (tmp_path / "key.txt").write_text(f"{key}\n")
    look = ("--verify", str(file), "--identity", str(tmp_path / "key.txt"))
    forge_all(pack)
    encrypt(pack, file, [str(key.to_public())], None)
    status, said = package(clinic, *look)
    assert status == 1 and "is not what the RT-PACS held when it was proven" in said
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w"):
        pass
    file.write_bytes(pyrage.encrypt(content.getvalue(), [key.to_public()]))
    status, said = package(clinic, *look)
    assert status == 1 and "there is no SHA256SUMS" in said


def test_an_archive_that_altered_an_object_cannot_empty_a_pack_nor_fill_one(
    clinic: TwoNodes, pack: Path, tmp_path: Path, courses: dict[str, list[Dataset]]
) -> None:
    """Last in this file: it spoils the archive."""
    before = {path: uids_in(folder) for path, folder in plan_folders(pack).items()}
    spoil(clinic.pacs, of_kind(courses[TWIN], "CT"), another_pixel)
    assert clinic.job("verify_backup")[0] == 1
    assert clinic.job("build_on_treatment")[0] in {0, 1}
    status, said = package(clinic, "--everybody", "-o", str(pack))
    assert status == 1 and {path: uids_in(folder) for path, folder in plan_folders(pack).items()} == before
    assert "it could not be made anew" in (pack / "index.html").read_text()
    overriding = ("--override", "looked at it", "--by", "physicist")
    status, said = package(clinic, "--patient", TWIN, "-o", str(tmp_path / "new"), *overriding)
    assert status == 1 and "came with another content than when first read" in said
    assert not plan_folders(tmp_path / "new")
    assert os.listdir(tmp_path / "new")
