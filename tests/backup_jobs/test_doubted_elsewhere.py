"""A record that nobody vouches for, wherever the list is made or read: everywhere the same word, and never a next
fraction that counts it or leaves it out in silence."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from recovery.__main__ import main
from recovery.bundling.build import build
from recovery.bundling.department import read_department
from recovery.cache.doors import cache_to_show
from recovery.dicom.model import DicomNode
from recovery.folder.sums import SUMS, sums_text
from recovery.host.keys import load_key, make_key
from recovery.settings.config import load_config
from recovery.sites.staging import stage
from tests.app.people import enrol
from tests.backup_jobs.test_records_nobody_gave import NOT_COUNTED, listed, made_up, treated
from tests.charting.pages import flat
from tests.clinic import TwoNodes, two_nodes
from tests.objects import encode
from tests.orthanc import HOW_TO_INSTALL, Orthanc, free_port, orthanc_is_installed
from tests.patience import wait_until
from tests.restoring.clinic import destination

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

TOLD = (3, False, NOT_COUNTED, None, "")
EXTRA = (
    '[sign_in]\naccounts = "accounts.json"\naudit = "audit.jsonl"\n[drill]\npath = "reports"\n'
    '[[site_copies]]\nname = "vault"\nwhere = "vault"\n'
)


@pytest.fixture(scope="module", params=[False, True], ids=["unsigned", "signed"])
def clinic(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    """Patient A has a record that the R&V system denies; it is copied, proven, and the R&V system is gone. Once by a
    clinic whose jobs sign; where the list is made again lies no private key."""
    with two_nodes(tmp_path_factory.mktemp("doubted")) as nodes:
        nodes.extra = EXTRA
        if request.param:
            key = make_key(nodes.folder / "signing.key")
            nodes.extra += f'[signing]\nprivate_key = "signing.key"\npublic_keys = ["{key}"]\n'
        (nodes.folder / "vault").mkdir()
        forged = made_up(treated(nodes, "A", "B")["A"], "A")
        forged.PatientName = "A^X"
        nodes.pacs.put(encode(forged))
        for job in ("cycle", "verify_backup", "build_on_treatment"):
            nodes.job(job)
        stage(nodes.folder / "cache", datetime.now().astimezone())
        wait_until(lambda: nodes.job("copy_sites")[0] == 0)  # the cycle's own may be under way
        enrol(nodes.folder / "accounts.json")
        nodes.rv.kill()
        yield nodes


@pytest.fixture
def elsewhere(clinic: TwoNodes, tmp_path: Path) -> TwoNodes:
    """Another machine, with the same config and nothing else."""
    return replace(clinic, folder=tmp_path)


def recovery(clinic: TwoNodes, *arguments: str) -> int:
    return main([*arguments, "--config", str(clinic.config)])


def bundle_of(clinic: TwoNodes, folder: Path) -> Path:
    """An opened rescue bundle."""
    folder.mkdir()
    config, now = load_config(clinic.config), datetime.now().astimezone()
    cache = cache_to_show(config, now)
    build(folder, read_department(config, cache, now, "this copy"), cache)
    return folder


def files_of(clinic: TwoNodes, folder: Path) -> Path:
    """All that the RT-PACS holds, as files with checksums, which the clinic signs where it has a key."""
    folder.mkdir()
    sums, key = {}, clinic.folder / "signing.key"
    for instance in clinic.pacs._get("/instances"):
        url = f"http://127.0.0.1:{clinic.pacs.http_port}/instances/{instance}/file"
        data = urllib.request.urlopen(url, timeout=30).read()
        (folder / f"{instance}.dcm").write_bytes(data)
        sums[f"{instance}.dcm"] = hashlib.sha256(data).hexdigest()
    (folder / SUMS).write_text(sums_text(sums, load_key(key) if key.exists() else None))
    return folder


def test_it_is_set_aside_here(clinic: TwoNodes) -> None:
    assert listed(clinic) == TOLD and listed(clinic, "B")[:2] == (3, True)


def test_a_cache_made_again_from_the_rt_pacs_alone_tells_the_same(elsewhere: TwoNodes) -> None:
    recovery(elsewhere, "rebuild")
    assert listed(elsewhere) == TOLD and listed(elsewhere, "B")[:2] == (3, True)
    recovery(elsewhere, "rebuild")
    assert listed(elsewhere) == TOLD


def test_a_cycle_without_a_cache_while_the_rv_system_is_down_tells_the_same(
    clinic: TwoNodes, elsewhere: TwoNodes
) -> None:
    shutil.copytree(clinic.folder / "cache-entries", elsewhere.folder / "cache-entries")
    elsewhere.job("cycle")
    assert listed(elsewhere) == TOLD


def test_a_folder_of_files_in_the_place_of_the_rt_pacs_tells_the_same(clinic: TwoNodes, elsewhere: TwoNodes) -> None:
    config = elsewhere.config
    text = config.read_text().replace("[pacs]\n", f'[pacs]\nfolder = "{files_of(clinic, elsewhere.folder / "f")}"\n')
    config.write_text(text)
    main(["rebuild", "--config", str(config)])
    assert listed(elsewhere) == TOLD


@pytest.mark.parametrize("way", ["copy", "bundle"])
def test_a_copy_off_site_and_an_opened_bundle_tell_the_same(clinic: TwoNodes, elsewhere: TwoNodes, way: str) -> None:
    if way == "copy":
        shutil.copytree(clinic.folder / "vault", elsewhere.folder / "vault")
        recovery(elsewhere, "rebuild", "--from-copy", "vault")
    else:
        recovery(elsewhere, "rebuild", "--from-bundle", str(bundle_of(clinic, elsewhere.folder / "bundle")))
    assert listed(elsewhere) == TOLD
    elsewhere.job("build_on_treatment")
    assert listed(elsewhere) == TOLD, "also with the next list that is made there"


def test_a_drill_finds_no_difference(clinic: TwoNodes, capsys: pytest.CaptureFixture[str]) -> None:
    recovery(clinic, "drill")
    said = capsys.readouterr()
    assert "no difference" in said.out and "on_treatment" not in said.err, said


def test_pages_and_paper_say_it_and_tell_no_next_fraction_and_nothing_is_packed(
    clinic: TwoNodes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = bundle_of(clinic, tmp_path / "bundle")
    recovery(clinic, "chart", "--patient", "A", "-o", str(tmp_path / "chart.pdf"))
    pages = {path.name: path.read_text() for path in bundle.rglob("*.html")}
    told = {name: re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", text))) for name, text in pages.items()}
    told |= {path.name: flat(path.read_bytes()) for path in (bundle / "binder.pdf", tmp_path / "chart.pdf")}
    (page,) = (path.name for path in (bundle / "patients").glob("*.html") if NOT_COUNTED in told[path.name])
    for name in (page, "chart.pdf", "index.html", "binder.pdf"):
        assert NOT_COUNTED in told[name] and "— (3 of 20 proven, records are missing)" in told[name], (name, told[name])
    assert "4 next" not in told[page] + told["chart.pdf"] and all("5 next" not in text for text in told.values())
    assert recovery(clinic, "package", "--patient", "A", "-o", str(tmp_path / "pack")) == 1
    assert not list((tmp_path / "pack").rglob("*.dcm"))


def test_it_goes_to_no_other_system_and_is_named(
    clinic: TwoNodes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (uid,) = (row["sop_instance_uid"] for row in clinic.table("doubted_records"))
    assert recovery(clinic, "transfer-out", "--patient", "A", "-o", str(tmp_path / "packet")) == 1
    assert uid in capsys.readouterr().err
    manifest: dict[str, Any] = json.loads((tmp_path / "packet" / "PACK.json").read_text())
    assert uid not in {named for named, *_ in manifest["files"].values()} and uid in manifest["lacks"]
    phase = next(
        one["resource"]
        for one in json.loads((tmp_path / "packet" / "FHIR.JSON").read_text())["entry"]
        if one["resource"]["resourceType"] == "Procedure"
    )
    assert "4" not in {str(said.get("valueUnsignedInt")) for said in phase.get("extension", ())}
    with Orthanc(tmp_path / "new", DicomNode("NEWRV", "127.0.0.1", free_port())) as receiver:
        other = replace(clinic, extra=clinic.extra + destination("new", receiver.node))
        assert recovery(other, "restore", "--to", "new", "--patient", "A") == 1
        assert uid in capsys.readouterr().err and uid not in receiver.instances() and receiver.count() > 5


@pytest.mark.parametrize("what", ["nothing", "a list from before"])
def test_a_machine_that_knows_no_denial_asks_the_rt_pacs_for_them_before_it_sends(
    clinic: TwoNodes, elsewhere: TwoNodes, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    (uid,) = (row["sop_instance_uid"] for row in clinic.table("doubted_records"))
    if what != "nothing":
        recovery(elsewhere, "rebuild")
        shutil.rmtree(elsewhere.folder / "cache-entries")
        (elsewhere.folder / "cache" / "tables" / "doubted_records.parquet").unlink(missing_ok=True)
        (elsewhere.folder / "cache" / "entries_noted.json").unlink(missing_ok=True)
        assert recovery(elsewhere, "transfer-out", "--patient", "A", "-o", str(elsewhere.folder / "packet")) == 1
        manifest: dict[str, Any] = json.loads((elsewhere.folder / "packet" / "PACK.json").read_text())
        assert uid not in {named for named, *_ in manifest["files"].values()} and uid in manifest["lacks"]
    with Orthanc(elsewhere.folder / "new", DicomNode("NEWRV", "127.0.0.1", free_port())) as receiver:
        other = replace(elsewhere, extra=elsewhere.extra + destination("new", receiver.node))
        capsys.readouterr()
        assert recovery(other, "restore", "--to", "new", "--patient", "A") == 1
        assert uid in capsys.readouterr().err and uid not in receiver.instances() and receiver.count() > 5


def test_without_a_list_nothing_is_packed_or_handed_over_and_what_to_do_is_said(
    elsewhere: TwoNodes, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("package", "transfer-out"):
        assert recovery(elsewhere, command, "--patient", "A", "-o", str(elsewhere.folder / command)) == 2
        said = capsys.readouterr()
        assert "recovery rebuild" in said.err, said
        assert not list(elsewhere.folder.rglob("*.dcm"))


def test_a_cycle_that_lost_cache_and_statements_takes_them_from_the_rt_pacs(elsewhere: TwoNodes) -> None:
    for _ in range(2):
        elsewhere.job("cycle")
        assert listed(elsewhere) == TOLD and listed(elsewhere, "B")[:2] == (3, True)
