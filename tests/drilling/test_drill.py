"""A drill on a real archive: it asks the R&V system nothing, touches nothing, and says what it found."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pydicom import Dataset

from recovery.__main__ import main
from recovery.cache.journal import Journal
from recovery.cache.store import Cache
from recovery.dicom.model import JobRun
from recovery.tables.schema import ON_TREATMENT
from tests.backup_jobs.test_main_job import course
from tests.charting.pages import flat
from tests.clinic import TwoNodes, two_nodes
from tests.dimse.scripted import Scripted, scp
from tests.objects import encode
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed
from tests.relational.aria import Aria
from tests.relational.test_new_start_in_the_cycle import book

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

TREATED, STARTING = "A/1", "B2"


@pytest.fixture(scope="module")
def courses() -> dict[str, list[Dataset]]:
    return {
        TREATED: course(TREATED, "BASALT^Osprey", {1: 100.0, 2: 120.0}, 4),
        STARTING: course(STARTING, "BASALT^Osprey", {1: 100.0}, 2),
    }


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, courses: dict[str, list[Dataset]]) -> Iterator[TwoNodes]:
    """Backed up and proven once, database and all."""
    with two_nodes(tmp_path_factory.mktemp("drill")) as nodes:
        nodes.extra = '[rv.database]\nconnection = "sqlite:///aria.db"\n[drill]\npath = "reports"\n'
        nodes.put(*courses.values())
        aria = Aria(nodes.folder / "aria.db")
        aria.insert("ActivityInstance", ActivityInstanceSer=1, ActivitySer=1)
        aria.insert("Activity", ActivitySer=1, ActivityCategorySer=1, ActivityCode="Treatment")
        aria.insert("ActivityCategory", ActivityCategorySer=1, ActivityCategoryCode="Treatment")
        book(aria, STARTING, courses[STARTING])
        aria.close()
        for job in ("cycle", "verify_backup", "build_on_treatment"):
            assert nodes.job(job)[0] == 0
        nodes.rv.kill()
        yield nodes


@pytest.fixture
def rv(clinic: TwoNodes) -> Iterator[Scripted]:
    """Somebody who listens where the R&V system was."""
    with scp(node=clinic.rv.node) as listener:
        yield listener
        assert listener.associations == 0, "the R&V system was spoken to"


def drill(clinic: TwoNodes, *arguments: str) -> int:
    return main(["drill", *arguments, "--config", str(clinic.config)])


def held(clinic: TwoNodes) -> JobRun:
    return [run for run in Journal(clinic.folder / "cache").runs() if run.job == "drill"][-1]


def report(clinic: TwoNodes) -> str:
    return flat(max((clinic.folder / "reports").glob("*.pdf"), key=lambda path: path.stat().st_mtime_ns).read_bytes())


def tables(clinic: TwoNodes) -> dict[str, str]:
    files = (clinic.folder / "cache").rglob("*.parquet")
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_job_holds_one_when_it_is_due_and_asks_no_rv_system(clinic: TwoNodes, rv: Scripted) -> None:
    told = [clinic.job("drill") for _ in range(2)]
    assert [(status, results["drill"]["outcome"]) for status, results in told] == [(0, "OK"), (0, "SKIPPED")], told


def test_it_rebuilds_packs_and_compares_asks_no_rv_system_and_changes_nothing(
    clinic: TwoNodes, rv: Scripted, capsys: pytest.CaptureFixture[str], courses: dict[str, list[Dataset]]
) -> None:
    before = tables(clinic)
    assert drill(clinic) == 0, capsys.readouterr()
    said = capsys.readouterr().out
    assert said.startswith("passed: newest fraction ") and "no difference" in said
    assert tables(clinic) == before
    assert not list((clinic.folder / "cache").glob("drill-*"))
    run = held(clinic)
    assert run.outcome == "OK" and run.counts["findings"] == 0 and run.counts["found"] == 2
    page = report(clinic)
    parts = ("PASSED", "page 1 of", "45 CFR 164.308(a)(7)(ii)(D)", "the first chart is drawn", "on_treatment 2 2")
    for part in (*parts, "the first machine's pack", "patients 1 1", "packed and proven, 7 objects"):
        assert part in page, part
    assert not [word for word in ("BASALT", TREATED, "Osprey") if word in page], "no patient is named"


def test_a_live_row_that_says_something_else_is_named_by_column_and_plan(
    clinic: TwoNodes, capsys: pytest.CaptureFixture[str], courses: dict[str, list[Dataset]]
) -> None:
    cache = Cache(clinic.folder / "cache")
    rows = cache.read(ON_TREATMENT)
    other = [{**row, "fractions_delivered": 9} if row["patient_id"] == TREATED else row for row in rows]
    cache.write(
        ON_TREATMENT,
        other[:1] if other[0]["patient_id"] == TREATED else other[1:],
        taken_at=datetime.now(UTC),
        source="test",
    )
    try:
        assert drill(clinic) == 1
    finally:
        cache.write(ON_TREATMENT, rows, taken_at=datetime.now(UTC), source="test")
    said = capsys.readouterr()
    (plan,) = [ds.SOPInstanceUID for ds in courses[TREATED] if ds.Modality == "RTPLAN"]
    (fresh,) = [ds.SOPInstanceUID for ds in courses[STARTING] if ds.Modality == "RTPLAN"]
    assert f"on_treatment: fractions_delivered: 1 row, such as {plan}" in said.err
    assert f"on_treatment: rows that only the rebuilt table has: 1 row, such as {fresh}" in said.err
    assert TREATED not in said.err + said.out and "2 FINDINGS TO SETTLE" in report(clinic)


def test_what_the_rt_pacs_lost_is_a_finding_and_a_dead_one_no_drill(
    clinic: TwoNodes, capsys: pytest.CaptureFixture[str], courses: dict[str, list[Dataset]]
) -> None:
    lost = courses[TREATED][0]
    clinic.pacs.delete_instance(lost.SOPInstanceUID)
    assert drill(clinic) == 1
    (plan,) = [ds.SOPInstanceUID for ds in courses[TREATED] if ds.Modality == "RTPLAN"]
    said = capsys.readouterr().err
    assert f"plan {plan}: refused by the gate: incomplete" in said and "images_held" in said
    clinic.pacs.put(encode(lost))
    clinic.pacs.kill()
    try:
        assert drill(clinic) == 2
    finally:
        clinic.pacs.start()
    assert "cannot be reached" in capsys.readouterr().err
    assert held(clinic).outcome == "FAILED"
