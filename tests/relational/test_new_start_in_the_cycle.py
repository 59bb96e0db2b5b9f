"""A plan that the R&V database is the first to name is backed up by the cycle that reads of it, and no later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydicom import Dataset

from tests.backup_jobs.test_main_job import course
from tests.clinic import TwoNodes, two_nodes
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed
from tests.relational.aria import Aria

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

NOW = datetime.now().replace(microsecond=0)  # noqa: DTZ005  ARIA's times are local to the site


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path) as nodes:
        nodes.extra = '[rv.database]\nconnection = "sqlite:///aria.db"\n'
        yield nodes


def book(aria: Aria, patient_id: str, objects: list[Dataset]) -> None:
    patient = aria.patient(patient_id, "BASALT", "Osprey", DateOfBirth="1958-07-04 00:00:00")
    (plan,) = [ds for ds in objects if ds.Modality == "RTPLAN"]
    planned = aria.plan(aria.course(patient), str(plan.SOPInstanceUID), "Prost", NoFractions=20)
    machine = aria.machine("TB1")
    aria.field(planned, machine, 1)
    aria.appointment(patient, NOW + timedelta(days=1), machine)


def test_a_new_start_comes_with_all_that_it_needs_in_the_first_cycle(clinic: TwoNodes) -> None:
    treated, starting = course("A1", "BASALT^Osprey", {1: 100.0}, 3), course("B2", "BASALT^Osprey", {1: 100.0}, 0)
    clinic.put(treated, starting)
    aria = Aria(clinic.folder / "aria.db")
    aria.insert("ActivityInstance", ActivityInstanceSer=1, ActivitySer=1)
    aria.insert("Activity", ActivitySer=1, ActivityCategorySer=1, ActivityCode="Treatment")
    aria.insert("ActivityCategory", ActivityCategorySer=1, ActivityCategoryCode="Treatment")
    book(aria, "B2", starting)
    done = clinic.run("backup_jobs", "cycle", "--json")
    assert done.returncode == 0, done.stdout
    jobs = [line.split('"')[3] for line in done.stdout.splitlines()]
    assert jobs == ["sync_records", "sync_plans", "snapshot_tables", "build_on_treatment"], "in the contract's order"
    assert clinic.rv.instances() <= clinic.pacs.instances()
    (row,) = [r for r in clinic.table() if r["patient_id"] == "B2"]
    assert (row["status"], row["ready"], row["missing"]) == ("ready_to_start", True, "")
    status, results = clinic.job("cycle")
    assert status == 0
    moved = {job: r["counts"]["moved"] for job, r in results.items()}
    assert moved == dict.fromkeys(jobs, 0), "charts too are of the first cycle"
    events = [line for line in (clinic.folder / "cache" / "runs.jsonl").read_text().splitlines() if '"run"' in line]
    told = [(said["event"], said["job"]) for said in map(json.loads, events)]
    assert told[-4:] == [
        ("START", "snapshot_tables"),
        ("START", "build_on_treatment"),
        ("FINISH", "build_on_treatment"),
        ("FINISH", "snapshot_tables"),
    ], "the list does not wait for the charts"

    later = course("C3", "BASALT^Osprey", {1: 100.0}, 0)
    clinic.put(later)
    book(aria, "C3", later)
    status, results = clinic.job("cycle")
    assert status == 0 and results["sync_plans"]["counts"]["moved"] == 7
    assert results["sync_plans"]["counts"]["found"] == results["sync_plans"]["counts"]["already_held"] + 7
    assert clinic.rv.instances() <= clinic.pacs.instances()
    assert {r["ready"] for r in clinic.table()} == {True}
    _, results = clinic.job("cycle")
    assert results["sync_plans"]["counts"]["moved"] == 0


def test_what_a_new_start_lacks_is_named_in_the_first_cycle(clinic: TwoNodes) -> None:
    starting = course("B2", "BASALT^Osprey", {1: 100.0}, 0)
    lost = starting[1]
    clinic.put([ds for ds in starting if ds is not lost])
    aria = Aria(clinic.folder / "aria.db")
    book(aria, "B2", starting)
    status, results = clinic.job("cycle")
    assert (status, results["sync_plans"]["unproven"]) == (1, [str(lost.SOPInstanceUID)])
    clinic.rv.kill()
    status, results = clinic.job("cycle")
    assert status == 2 and results["sync_plans"]["outcome"] == "FAILED"
    assert results["snapshot_tables"]["outcome"] == "OK"
