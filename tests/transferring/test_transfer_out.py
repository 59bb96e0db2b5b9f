"""A patient's packet made of a real archive: complete, read back, sealed; what lacks is named; and the signature."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pyrage
import pytest
from fhir.resources.R4B.bundle import Bundle
from pydicom import Dataset, dcmread
from pydicom.fileset import FileSet

from recovery.__main__ import main
from recovery.entries.transfers import TransferEntry
from recovery.host.entry_lines import file_of
from recovery.host.seals import unsealed_json
from recovery.objects.digest import digest_of
from recovery.packing.proof import faults_of
from recovery.settings.sites import SiteCopy
from recovery.transferring.making import OUT_OF_REACH
from tests.app.people import enrol
from tests.backup_jobs.test_main_job import course
from tests.backup_jobs.test_verify_backup import another_pixel, of_kind, spoil
from tests.charting.pages import texts
from tests.clinic import TwoNodes, two_nodes
from tests.objects import encode, item
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed
from tests.recovery.test_config import GOOD
from tests.sites.made import NOW, Site

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

PATIENT, MIXED, LACKING = "A/1", "B2", "C3"
TARGET = "1.2.3.77"


@pytest.fixture(scope="module")
def courses() -> dict[str, list[Dataset]]:
    """One who is whole; one under whose number lies another's slice; one of whom a slice is lost."""
    made = {
        PATIENT: course(PATIENT, "BASALT^Osprey", {1: 100.0, 2: 120.0}, 4, RTPlanLabel="Prostate"),
        MIXED: course(MIXED, "QUARTZ^Heron", {1: 50.0}, 3),
        LACKING: course(LACKING, "GNEISS^Egret", {1: 50.0}, 2),
    }
    for objects in (made[PATIENT], made[MIXED]):
        of_kind(objects, "RTDOSE").DoseSummationType = "PLAN"
    target = item(DoseReferenceUID=TARGET, DoseReferenceType="TARGET", DoseReferenceDescription="PTV 60")
    of_kind(made[PATIENT], "RTPLAN").DoseReferenceSequence = [target]
    return made


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, courses: dict[str, list[Dataset]]) -> Iterator[TwoNodes]:
    """Backed up and proven once; then the R&V system is gone, and things happen in the RT-PACS."""
    with two_nodes(tmp_path_factory.mktemp("transfer")) as nodes:
        nodes.extra = '[sign_in]\naccounts = "accounts.json"\naudit = "audit.jsonl"\n'
        lost = of_kind(courses[LACKING], "CT")
        nodes.put(courses[PATIENT], courses[MIXED], [ds for ds in courses[LACKING] if ds is not lost])
        nodes.job("cycle")
        nodes.job("verify_backup")
        stranger = of_kind(course(MIXED, "SCHIST^Wren", {1: 50.0}, 1), "CT")
        nodes.pacs.put(encode(stranger))
        courses["stranger"] = [stranger]
        spoil(nodes.pacs, slices_of(courses[LACKING])[1], another_pixel)
        enrol(nodes.folder / "accounts.json")
        nodes.rv.kill()
        yield nodes


@pytest.fixture(scope="module")
def packet(clinic: TwoNodes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packet") / "out"
    assert transfer(clinic, "-o", str(folder)) == 0
    return folder


def slices_of(objects: list[Dataset]) -> list[Dataset]:
    return [ds for ds in objects if ds.Modality == "CT"]


def transfer(clinic: TwoNodes, *arguments: str, patient: str = PATIENT) -> int:
    return main(["transfer-out", "--patient", patient, *arguments, "--config", str(clinic.config)])


def resources(packet: Path, kind: str) -> list[dict[str, Any]]:
    entries = json.loads((packet / "FHIR.JSON").read_text())["entry"]
    return [one["resource"] for one in entries if one["resource"]["resourceType"] == kind]


def row_of(clinic: TwoNodes, patient: str = PATIENT) -> dict[str, Any]:
    return next(row for row in clinic.table() if row["patient_id"] == patient)


def test_every_object_of_the_patient_is_in_the_dicomdir_as_the_rt_pacs_holds_it(
    packet: Path, courses: dict[str, list[Dataset]]
) -> None:
    listed = FileSet(packet / "DICOMDIR")
    found = {str(one.SOPInstanceUID): digest_of(dcmread(one.path)) for one in listed}
    held = {str(ds.SOPInstanceUID): digest_of(dcmread(BytesIO(encode(ds)))) for ds in courses[PATIENT]}
    assert found == held
    assert all(len(part) <= 8 and part.isupper() for one in listed for part in Path(one.FileID).parts)


def test_a_packet_is_sealed_and_a_forged_object_in_it_is_found(packet: Path, tmp_path: Path) -> None:
    assert list(faults_of(packet, {})) == []
    manifest = unsealed_json((packet / "PACK.json").read_bytes())
    assert manifest["lacks"] == {} and len(manifest["files"]) == len(FileSet(packet / "DICOMDIR"))
    uid, _, digest = next(iter(manifest["files"].values()))
    assert list(faults_of(packet, {uid: digest})) == []
    assert len(list(faults_of(packet, {uid: "another"}))) == 1


def test_the_summary_says_what_was_given_and_whose_it_is_on_every_page(packet: Path) -> None:
    pages = texts((packet / "SUMMARY.PDF").read_bytes())
    assert all("BASALT, Osprey" in page and PATIENT in page for page in pages)
    said = "\n".join(pages)
    assert MIXED not in said and "QUARTZ" not in said, "namesakes here are no business of another hospital"
    assert "4 of 20" in said and "5 next of 20 (4 given)" in said and "Interrupted fraction" in said


def test_the_bundle_is_fhir_and_counts_what_the_ledger_proves(packet: Path, courses: dict[str, list[Dataset]]) -> None:
    Bundle.model_validate_json((packet / "FHIR.JSON").read_text())
    (phase, summary) = resources(packet, "Procedure")
    assert phase["meta"]["profile"] == [f"{CODEX}radiotherapy-treated-phase"]
    assert phase["extension"] == [{"url": f"{CODEX}radiotherapy-fractions-delivered", "valueUnsignedInt": 4}]
    assert phase["code"]["coding"][0]["code"] == "1222565005" and phase["status"] == "in-progress"
    assert summary["code"]["coding"][0]["code"] == "1217123003"
    assert phase["partOf"] == [{"reference": f"urn:uuid:{summary['id']}"}]
    assert "extension" not in summary, "no dose per fraction is known, and none is made up"
    (volume,) = resources(packet, "BodyStructure")
    assert {"use": "official", "system": "urn:dicom:uid", "value": f"urn:oid:{TARGET}"} in volume["identifier"]
    plan = of_kind(courses[PATIENT], "RTPLAN")
    assert f"urn:oid:{plan.SOPInstanceUID}" in {one["value"] for one in phase["identifier"]}


CODEX = "http://hl7.org/fhir/us/codex-radiation-therapy/StructureDefinition/codexrt-"


def test_every_reference_of_the_bundle_leads_to_a_resource_of_it(packet: Path) -> None:
    text = (packet / "FHIR.JSON").read_text()
    urls = {entry["fullUrl"] for entry in json.loads(text)["entry"]}
    named = {line.split('"')[3] for line in text.splitlines() if '"reference"' in line}
    assert named and named <= urls


def test_what_lies_under_the_number_and_is_anothers_stays_out_and_is_named(
    clinic: TwoNodes, courses: dict[str, list[Dataset]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert transfer(clinic, "-o", str(tmp_path / "out"), patient=MIXED) == 1
    stranger = str(courses["stranger"][0].SOPInstanceUID)
    said = capsys.readouterr().err
    assert f"left out: it bears another name or birth date ({stranger})" in said
    assert "SCHIST" not in said and "QUARTZ" not in said
    held = {str(one.SOPInstanceUID) for one in FileSet(tmp_path / "out" / "DICOMDIR")}
    assert held == {str(ds.SOPInstanceUID) for ds in courses[MIXED]}
    assert unsealed_json((tmp_path / "out" / "PACK.json").read_bytes())["lacks"].keys() == {stranger}


def test_what_a_plan_lacks_is_named_and_then_nothing_is_signed(
    clinic: TwoNodes, courses: dict[str, list[Dataset]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = str(of_kind(courses[LACKING], "CT").SOPInstanceUID)
    signed = ("--to", "St. Elsewhere", "--by", "physicist")
    assert transfer(clinic, "-o", str(tmp_path / "out"), *signed, patient=LACKING) == 1
    said = capsys.readouterr().err
    assert lost in said and "It is not signed" in said
    changed = str(slices_of(courses[LACKING])[1].SOPInstanceUID)
    assert f"left out: it is not what was proven ({changed})" in said
    held = {str(one.SOPInstanceUID) for one in FileSet(tmp_path / "out" / "DICOMDIR")}
    assert not {lost, changed} & held
    assert lost in "".join(texts((tmp_path / "out" / "SUMMARY.PDF").read_bytes())).replace("\n", "")
    assert not file_of(clinic.folder / "cache", TransferEntry).exists()


def test_what_no_record_of_a_dicomdir_can_name_is_in_the_packet_and_said(
    clinic: TwoNodes, courses: dict[str, list[Dataset]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dose without DoseSummationType, which its record must have (PS3.3 F.5.20)."""
    transfer(clinic, "-o", str(tmp_path / "out"), patient=LACKING)
    dose = str(of_kind(courses[LACKING], "RTDOSE").SOPInstanceUID)
    (file,) = (tmp_path / "out" / "OTHER").iterdir()
    assert str(dcmread(file).SOPInstanceUID) == dose and list(faults_of(tmp_path / "out", {})) == []
    assert f"so that who reads that alone will not see it ({dose})" in capsys.readouterr().err


def test_a_recipients_key_alone_opens_the_packet(clinic: TwoNodes, tmp_path: Path) -> None:
    key, file = pyrage.x25519.Identity.generate(), tmp_path / "one.tar.age"
    assert transfer(clinic, "-o", str(file), "--recipient", str(key.to_public())) == 0
    assert b"BASALT" not in file.read_bytes()
    with tarfile.open(fileobj=BytesIO(pyrage.decrypt(file.read_bytes(), [key]))) as tar:
        assert {"SHA256SUMS", "PACK.json", "DICOMDIR", "SUMMARY.PDF", "FHIR.JSON"} < set(tar.getnames())
    assert not list((clinic.folder / "cache").glob("transferring-*"))


def test_a_folder_with_other_files_is_not_written_to(clinic: TwoNodes, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    assert transfer(clinic, "-o", str(tmp_path)) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_of_another_clinics_copy_a_packet_tells_all_but_the_objects_and_whom_to_ask(
    clinic: TwoNodes, courses: dict[str, list[Dataset]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "vault").mkdir()
    site = Site(clinic.folder / "cache", SiteCopy("north", str(tmp_path / "vault")))
    site.send(NOW)
    (tmp_path / "config.toml").write_text(
        f'{GOOD}[[site_copies]]\nname = "north"\nwhere = "{site.copy.where}"\nsite = "north"\n'
    )
    ask = ["transfer-out", "--patient", PATIENT, "--config", str(tmp_path / "config.toml"), "--from-copy", "north"]
    assert main([*ask, "-o", str(tmp_path / "out")]) == 1
    said = capfd.readouterr().err
    assert "ask north clinic for them" in said and "It is unsigned" in said and PATIENT not in said
    assert list(faults_of(tmp_path / "out", {})) == []
    lacks = unsealed_json((tmp_path / "out" / "PACK.json").read_bytes())["lacks"]
    assert lacks[str(of_kind(courses[PATIENT], "RTPLAN").SOPInstanceUID)] == OUT_OF_REACH
    (page, *_) = texts((tmp_path / "out" / "SUMMARY.PDF").read_bytes())
    assert "4 of 20" in page and "BASALT, Osprey" in page
    assert main([*ask, "--to", "St. Elsewhere", "--by", "physician"]) == 2
    assert not list((tmp_path / "cache").glob("opened-copy-*")), "nothing of it stays here"
    assert main([*ask[:2], "nobody", *ask[3:], "-o", str(tmp_path / "none")]) == 2


@pytest.mark.parametrize("name", ["", "nobody", "therapist", "admin"])
def test_only_a_physicist_or_a_physician_signs(clinic: TwoNodes, name: str) -> None:
    assert transfer(clinic, "--to", "St. Elsewhere", "--by", name) == 2
    assert not file_of(clinic.folder / "cache", TransferEntry).exists()


def test_what_is_signed_is_on_list_and_chart_at_once_and_is_taken_back(clinic: TwoNodes, tmp_path: Path) -> None:
    assert transfer(clinic, "--to", "St. Elsewhere", "--by", "physician") == 0
    assert chart_says(clinic, tmp_path, "TRANSFERRED: to St. Elsewhere, signed by Physician of the tests")
    assert not chart_says(clinic, tmp_path, "FRACTIONS GIVEN FROM THIS SHEET")
    assert (
        "A transfer of 1 patient was signed or taken back since"
        in clinic.run("recovery", "table", "on_treatment").stderr
    )
    assert clinic.job("build_on_treatment")[0] == 0
    row = row_of(clinic)
    assert (row["status"], row["status_without_transfer"]) == ("transferred", "on_treatment")
    assert row["transferred"].startswith("to St. Elsewhere, signed by Physician of the tests (physician) on ")
    assert row_of(clinic, MIXED)["status"] == "on_treatment"
    assert transfer(clinic, "--take-back", "the bed there is taken", "--by", "physicist") == 0
    assert chart_says(clinic, tmp_path, "FRACTIONS GIVEN FROM THIS SHEET")
    assert transfer(clinic, "--take-back", "again", "--by", "physicist") == 1
    assert clinic.job("build_on_treatment")[0] == 0
    assert (row_of(clinic)["status"], row_of(clinic)["transferred"]) == ("on_treatment", None)
    audited = (clinic.folder / "audit.jsonl").read_text()
    assert '"transfer"' in audited and '"transfer taken back"' in audited


def chart_says(clinic: TwoNodes, folder: Path, words: str) -> bool:
    file = folder / "chart.pdf"
    main(["chart", "--patient", PATIENT, "-o", str(file), "--config", str(clinic.config)])
    return words in " ".join("\n".join(texts(file.read_bytes())).split())
