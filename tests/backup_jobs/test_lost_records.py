"""Records that the RT-PACS loses are missed by name, whoever's they are, and brought again where somebody has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydicom import Dataset

from recovery.cache.memory import Memory
from recovery.pacs.peers import pacs_peer
from recovery.pacs.record_holdings import ask_for_records, lost_records
from recovery.pacs.workspace import Workspace, open_workspace
from recovery.settings.config import load_config
from tests.backup_jobs.test_main_job import NOW, course
from tests.clinic import TwoNodes, two_nodes
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

LOST = "1 treatment record that the RT-PACS held once (counted from what was read then)"


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path) as nodes:
        yield nodes


def test_a_lost_record_of_any_patient_is_missed_while_the_rv_system_is_down_and_mended_when_it_is_back(
    clinic: TwoNodes,
) -> None:
    courses: dict[str, list[Dataset]] = {
        "treated": course("treated", "A^A", {1: 100.0}, 4),
        "on break": course("on break", "B^B", {1: 100.0}, 4, last=40),
        "long ago": course("long ago", "C^C", {1: 100.0}, 4, last=150),
        "completed": course("completed", "D^D", {1: 100.0}, 20, last=30),
    }
    clinic.put(*courses.values())
    assert clinic.job("cycle")[0] == 0
    assert {(r["records_held"], r["ready"]) for r in clinic.table()} == {(True, True)}
    lost = [str(objects[-2].SOPInstanceUID) for objects in courses.values()]
    for one in lost:
        clinic.pacs.delete_instance(one)
    clinic.rv.kill()
    for _ in range(2):
        status, results = clinic.job("cycle")
        assert status == 2 and set(results["build_on_treatment"]["unproven"]) == set(lost)
        assert "the RT-PACS does not hold it any more" in results["build_on_treatment"]["message"]
        for row in clinic.table():
            assert (row["records_held"], row["ready"], row["missing"]) == (False, False, LOST)
            assert row["fractions_delivered"] == (20 if row["patient_id"] == "completed" else 4), "counted all the same"
    (kind,) = [r for r in clinic.table("holdings") if r["level"] == "RECORDS"]
    assert (kind["wanted"], kind["held"]) == (32, 28)
    clinic.rv.start()
    status, results = clinic.job("cycle")
    assert (status, results["sync_records"]["counts"]["moved"]) == (0, 4)
    assert clinic.pacs.instances() == clinic.rv.instances()
    assert {(r["records_held"], r["ready"]) for r in clinic.table()} == {(True, True)}
    assert [r for r in clinic.table("holdings") if r["level"] == "RECORD"] == []


def test_a_lost_record_that_nobody_has_any_more_stays_named(clinic: TwoNodes) -> None:
    objects = course("on break", "B^B", {1: 100.0}, 4, last=40)
    clinic.put(objects)
    clinic.job("cycle")
    for node in (clinic.pacs, clinic.rv):
        node.delete_instance(str(objects[-1].SOPInstanceUID))
    for _ in range(2):
        assert clinic.job("cycle")[0] == 1
        (row,) = clinic.table()
        assert (row["records_held"], row["missing"], row["fractions_delivered"]) == (False, LOST, 4)


def test_more_records_than_one_run_asks_for_take_turns_whatever_the_clock_says(
    clinic: TwoNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = course("on break", "B^B", {1: 100.0}, 20, last=40)
    clinic.put(objects)
    assert clinic.job("cycle")[0] == 0
    lost = str(objects[-1].SOPInstanceUID)
    clinic.pacs.delete_instance(lost)
    monkeypatch.setattr("recovery.pacs.record_holdings.RECORDS_PER_RUN", 5)
    found = []
    for run in range(4):
        space = next_run(clinic, days=-1000 * run)
        found.append(lost in ask_for_records(space, pacs_peer(space.config, space.memory), ()))
        space.holdings.save(space.cache, space.now)
    assert found[-1], "four runs of five ask for all twenty"
    shares = [a for a in next_run(clinic).holdings.answers.values() if a.level == "RECORDS"]
    assert (sum(a.wanted for a in shares), sum(a.held for a in shares)) == (20, 19)
    space = next_run(clinic)
    assert lost in lost_records(space.holdings) and space.window(7).first <= NOW.date()


def next_run(clinic: TwoNodes, days: float = 0) -> Workspace:
    config = load_config(clinic.config)
    now = (NOW + timedelta(days=days)).astimezone(config.site.zone)
    return open_workspace(config, Memory.load(config.cache_path), now)
