"""The main job over DICOMweb, with TLS and a token: the same clinic, the same values, as over DIMSE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from recovery.cache.memory import Memory
from recovery.dicom.model import InstanceRef
from recovery.dimse import find_refs, open_link
from recovery.pacs.peers import pacs_peer
from recovery.pictures.retrieval import read_object, source_of
from recovery.settings.config import load_config
from tests.backup_jobs.test_records_nobody_gave import NOT_COUNTED, listed, made_up, treated
from tests.clinic import TwoNodes
from tests.dicomweb.web_clinic import HOW_TO_INSTALL, IS_INSTALLED, TOKEN, TOKEN_ENV, WebNodes, web_nodes
from tests.objects import beam_item, dose, encode, images, plan, record, structure_set

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason=HOW_TO_INSTALL)

VARIAN_RT_PLAN = "1.2.246.352.70.1.70"
NOW = datetime.now().replace(microsecond=0)  # noqa: DTZ005  the servers' clock, site-local


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebNodes]:
    with web_nodes(tmp_path_factory.mktemp("web")) as nodes:
        yield nodes


@pytest.fixture
def clinic(servers: WebNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WebNodes:
    monkeypatch.setenv(TOKEN_ENV, TOKEN)
    servers.rv.delete_all()
    servers.pacs.delete_all()
    return replace(servers, folder=tmp_path)


def course(patient_id: str, delivered: int, **elements: Any) -> list[Dataset]:
    whose = {"PatientID": patient_id, "PatientName": "BASALT^Osprey"}
    slices = images(4, **whose)
    contours = structure_set(slices, **whose)
    treated = plan({1: 100.0, 2: 120.0}, structure_set_uid=contours.SOPInstanceUID, **whose, **elements)
    records = [
        record(treated.SOPInstanceUID, [beam_item(1, f, 100.0, 100.0), beam_item(2, f, 120.0, 120.0)], at=at, **whose)
        for f in range(1, delivered + 1)
        for at in [NOW - timedelta(days=delivered - f, hours=2)]
    ]
    return [*slices, contours, treated, dose(treated.SOPInstanceUID, **whose), *records]


def backed_up(clinic: TwoNodes) -> list[dict[str, Any]]:
    status, results = clinic.job("cycle")
    assert status == 0, results
    assert clinic.pacs.instances() == clinic.rv.instances()
    return [{k: v for k, v in row.items() if k != "proven_at"} for row in clinic.table()]


def test_the_main_job_gives_the_same_values_as_over_dimse_and_rereads_and_rebuilds(clinic: WebNodes) -> None:
    objects = course("A1", 7)
    clinic.put(course("C3", 1))
    checked = clinic.run("backup_jobs", "check")
    assert checked.returncode == 0, checked.stderr
    assert "is spoken to by TLS" in checked.stderr
    clinic.put(objects, course("Ä Ö/2", 3, sop_class_uid=VARIAN_RT_PLAN))
    over_web = backed_up(clinic)
    assert {(row["patient_id"], row["fractions_delivered"], row["ready"]) for row in over_web} == {
        ("A1", 7, True),
        ("Ä Ö/2", 3, True),
        ("C3", 1, True),
    }
    assert [clinic.job("cycle")[1][job]["counts"]["moved"] for job in ("sync_records", "sync_plans")] == [0, 0]
    status, results = clinic.job("verify_backup")
    assert status == 0, results
    assert results["verify_backup"]["counts"]["already_held"] == clinic.pacs.count() == 32

    rebuilt = replace(clinic, folder=clinic.folder / "rebuilt")
    rebuilt.folder.mkdir()
    done = rebuilt.run("recovery", "rebuild")
    assert done.returncode == 0, done.stderr
    assert [{k: v for k, v in row.items() if k != "proven_at"} for row in rebuilt.table()] == over_web
    done = rebuilt.run("recovery", "chart", "--patient", "A1", "-o", str(rebuilt.folder / "chart.pdf"))
    assert done.returncode == 0, done.stderr
    source, treated = source_of(load_config(clinic.config).without_rv()), objects[5]
    shown = read_object(source, InstanceRef(treated.SOPInstanceUID, treated.SOPClassUID), "the plan")
    assert shown == treated

    clinic.pacs.delete_all()
    by_dimse = replace(clinic, folder=clinic.folder / "dimse", url="")
    by_dimse.folder.mkdir()
    assert backed_up(by_dimse) == over_web


@pytest.mark.parametrize("patient_id", ["B 2", "B/2", "Ä2", "B,2", "B+2", "B%2", "[B]", "B&2"])
def test_a_patient_is_found_whatever_characters_the_id_has_and_nobody_else(clinic: WebNodes, patient_id: str) -> None:
    for one in (patient_id, "BX2", "XBX"):
        clinic.pacs.put(encode(dose("1.2.3", PatientID=one)))
    space = load_config(clinic.config)
    with open_link(pacs_peer(space, Memory.load(space.cache_path))) as link:
        for keys in ({"PatientID": patient_id}, {"PatientID": f"BX2\\{patient_id}"}):
            found = [ref.patient_id for ref in find_refs(link, keys)]
            assert sorted(map(str, found)) == sorted(keys["PatientID"].split("\\"))


def test_a_wrong_token_is_told_and_no_run_takes_it_for_an_empty_archive(
    clinic: WebNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.put(course("A1", 1))
    monkeypatch.setenv(TOKEN_ENV, "another-token")
    status, results = clinic.job("sync_records")
    assert status == 2
    assert "HTTP 401. Check the token that [pacs] token_env names" in results["sync_records"]["message"]
    assert clinic.pacs.count() == 0


def test_a_record_that_the_rv_system_denies_waits_here_as_by_dimse_and_so_on_another_machine(
    clinic: WebNodes, tmp_path: Path
) -> None:
    clinic.pacs.put(encode(made_up(treated(clinic, "A", "B")["A"], "A")))
    clinic.job("cycle")
    (tmp_path / "elsewhere").mkdir()
    elsewhere = replace(clinic, folder=tmp_path / "elsewhere")
    elsewhere.run("recovery", "rebuild")
    for machine in (clinic, elsewhere):
        assert listed(machine) == (3, False, NOT_COUNTED, None, "")
