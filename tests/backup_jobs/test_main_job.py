"""The main job on two stock Orthancs: everything moves once, every value is right, nothing is claimed unproven.

The RT-PACS's own listing (REST) is what is asserted on, never our own report alone.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pyarrow.parquet import read_table
from pydicom import Dataset

from recovery.dicom.model import DicomNode
from recovery.dimse import EncodedObject, open_receiver
from tests.clinic import TwoNodes, two_nodes
from tests.forked import PROJECT
from tests.objects import beam_item, dose, encode, images, obj, plan, record, structure_set, uid
from tests.orthanc import HOW_TO_INSTALL, Orthanc, free_port, orthanc_is_installed
from tests.patience import seconds, wait_until

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

NOW = datetime.now().replace(microsecond=0)  # noqa: DTZ005  the servers' clock, site-local
VARIAN_RT_PLAN = "1.2.246.352.70.1.70"


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path) as nodes:
        yield nodes


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def course(
    patient_id: str, name: str, metersets: dict[int, float], delivered: int, *, last: float = 0.1, **elements: object
) -> list[Dataset]:
    """A patient with images, structure set, plan, dose and one record per beam and fraction, one fraction a day."""
    whose = {"PatientID": patient_id, "PatientName": name}
    slices = images(4, **whose)
    contours = structure_set(slices, **whose)
    treated = plan(metersets, structure_set_uid=contours.SOPInstanceUID, **whose, **elements)
    delivered_dose = dose(treated.SOPInstanceUID, **whose)
    records = [
        record(
            treated.SOPInstanceUID,
            [beam_item(b, f, m, m)],
            at=days_ago(last + delivered - f) + timedelta(minutes=b),
            **whose,
        )
        for f in range(1, delivered + 1)
        for b, m in metersets.items()
    ]
    return [*slices, contours, treated, delivered_dose, *records]


def row_of(rows: list[dict[str, object]], patient_id: str) -> dict[str, object]:
    (row,) = [r for r in rows if r["patient_id"] == patient_id]
    return row


@pytest.mark.parametrize("route", ["relay", "direct"])
def test_a_cycle_moves_every_object_and_a_second_one_moves_nothing(clinic: TwoNodes, route: str) -> None:
    clinic.route = route
    clinic.put(
        course("A1", "BASALT^Osprey", {1: 100.0, 2: 120.0}, 7),
        course("B2", "QUARTZ^Heron", {1: 200.0}, 3, sop_class_uid=VARIAN_RT_PLAN),
    )
    status, results = clinic.job("cycle")
    assert status == 0, results
    assert clinic.pacs.instances() == clinic.rv.instances()
    assert results["sync_records"]["counts"] == {"found": 17, "already_held": 0, "moved": 17, "unproven": 0}
    assert results["snapshot_tables"]["outcome"] == "SKIPPED"

    status, results = clinic.job("cycle")
    assert status == 0, results
    assert [results[job]["counts"]["moved"] for job in ("sync_records", "sync_plans", "build_on_treatment")] == [
        0,
        0,
        0,
    ]

    rows = clinic.table()
    assert [r["patient_name"] for r in rows] == ["BASALT, Osprey", "QUARTZ, Heron"]
    row = row_of(rows, "A1")
    assert (row["fractions_delivered"], row["fractions_remaining"], row["status"]) == (7, 13, "on_treatment")
    assert row["ready"] is True and row["missing"] == ""
    assert row["last_treatment_at"] == (days_ago(0.1) + timedelta(minutes=2)).isoformat()
    assert row_of(rows, "B2")["rt_plan_label"] == "Prost"


def test_a_tool_installed_in_mid_course_counts_whole_courses_and_finds_patients_on_break(clinic: TwoNodes) -> None:
    clinic.put(course("A1", "BASALT^Osprey", {1: 100.0}, 15), course("B2", "QUARTZ^Heron", {1: 100.0}, 4, last=40))
    assert clinic.job("cycle")[0] == 0
    rows = clinic.table()
    assert (row_of(rows, "A1")["fractions_delivered"], row_of(rows, "A1")["records_held"]) == (15, True)
    assert (row_of(rows, "B2")["fractions_delivered"], row_of(rows, "B2")["status"]) == (4, "on_break")
    assert clinic.pacs.instances() == clinic.rv.instances()


def test_records_without_a_treatment_date_are_found(clinic: TwoNodes) -> None:
    clinic.put(course("A1", "BASALT^Osprey", {1: 100.0}, 2))
    plan_uid = next(ds.SOPInstanceUID for ds in course("X", "X", {1: 1.0}, 0) if ds.Modality == "RTPLAN")
    of_known_patient = record(plan_uid, [beam_item(1, 1, 50.0, 50.0)], at=None, PatientID="A1")
    of_new_patient = record(
        plan_uid, [beam_item(1, 1, 50.0, 50.0)], at=None, PatientID="C3", SeriesDate=f"{NOW:%Y%m%d}"
    )
    clinic.put(of_known_patient, of_new_patient)
    clinic.job("sync_records")
    assert {of_known_patient.SOPInstanceUID, of_new_patient.SOPInstanceUID} <= clinic.pacs.instances()


def test_ion_and_brachy_records_are_backed_up_and_summary_records_are_not_deliveries(clinic: TwoNodes) -> None:
    ion = record(
        uid("ion plan"), [beam_item(1, 1, 50.0, 50.0)], at=days_ago(1), sop_class_uid="1.2.840.10008.5.1.4.1.1.481.9"
    )
    brachy = obj("1.2.840.10008.5.1.4.1.1.481.6", "RTRECORD", TreatmentDate=f"{NOW:%Y%m%d}", PatientID="D4")
    summary = obj("1.2.840.10008.5.1.4.1.1.481.7", "RTRECORD", TreatmentDate=f"{NOW:%Y%m%d}", PatientID="D4")
    clinic.put(ion, brachy, summary)
    _, results = clinic.job("cycle")
    assert clinic.pacs.instances() == clinic.rv.instances()
    assert results["build_on_treatment"]["counts"]["found"] == 2
    _, results = clinic.job("cycle")
    assert results["build_on_treatment"]["counts"]["moved"] == 0


def test_what_is_nowhere_is_named_by_uid_and_never_by_patient(clinic: TwoNodes) -> None:
    objects = course("A1", "BASALT^Osprey", {1: 100.0}, 2)
    lost_slice, contours = objects[1], objects[4]
    orphan = record(uid("lost plan"), [beam_item(1, 14, 100.0, 100.0)], at=days_ago(0.2), PatientID="A1")
    clinic.put([ds for ds in objects if ds is not lost_slice], orphan)
    status, results = clinic.job("cycle")
    plans = results["sync_plans"]
    assert (status, plans["outcome"]) == (1, "PARTIAL")
    assert set(plans["unproven"]) == {lost_slice.SOPInstanceUID, uid("lost plan")}
    assert "BASALT" not in str(results) and contours.SOPInstanceUID in clinic.pacs.instances()
    by_plan = {r["referenced_rt_plan_uid"]: r for r in clinic.table()}
    lost = by_plan[uid("lost plan")]
    assert (lost["plan_held"], lost["rt_plan_label"], lost["records_held"]) == (False, None, False)
    assert "records of fractions 1-13" in lost["missing"] and "plan" in lost["missing"]
    assert lost["number_of_fractions_planned"] == 20 and lost["fractions_delivered"] == 1
    (other,) = [r for u, r in by_plan.items() if u != uid("lost plan")]
    assert (other["images_held"], other["missing"]) == (False, "1 of 4 images")
    assert "has the same beams" in plans["message"] and "not joined" in plans["message"]


def test_a_plan_that_nobody_treats_yet_is_copied_and_what_it_lacks_is_mentioned_and_alarms_nobody(
    clinic: TwoNodes,
) -> None:
    """An old draft whose structure set was deleted years ago must not keep the job PARTIAL for ever."""
    draft = plan({1: 100.0}, structure_set_uid=uid("deleted"), PatientID="7", PatientName="OLD^DRAFT")
    contours = structure_set(images(2, PatientID="7"), PatientID="7")
    boost = plan({1: 50.0}, structure_set_uid=contours.SOPInstanceUID, PatientID="7", PatientName="OLD^DRAFT")
    clinic.put(course("7", "OLD^DRAFT", {1: 200.0}, 2), draft, boost, contours)
    for _ in range(2):
        status, results = clinic.job("cycle")
        assert (status, results["sync_plans"]["outcome"], results["sync_plans"]["unproven"]) == (0, "OK", [])
        assert draft.SOPInstanceUID in results["sync_plans"]["message"]
        held = clinic.pacs.instances()
        assert {draft.SOPInstanceUID, boost.SOPInstanceUID, contours.SOPInstanceUID} <= set(held)


def test_a_planning_system_is_asked_for_what_the_rv_system_lacks(tmp_path: Path) -> None:
    with two_nodes(tmp_path, tps=1) as clinic:
        objects = course("A1", "BASALT^Osprey", {1: 100.0}, 2)
        clinic.put([ds for ds in objects if ds.Modality == "RTRECORD"])
        for ds in objects:
            if ds.Modality != "RTRECORD":
                clinic.tps[0].put(encode(ds))
        assert clinic.job("cycle")[0] == 0
        assert clinic.pacs.instances() == {str(ds.SOPInstanceUID) for ds in objects}
        assert clinic.table()[0]["ready"] is True


@pytest.mark.parametrize("route", ["relay", "direct"])
def test_an_rt_pacs_stopped_in_the_middle_is_never_reported_as_holding(clinic: TwoNodes, route: str) -> None:
    clinic.route = route
    clinic.put(
        record(
            uid("plan", n // 20), [beam_item(1, n % 20 + 1, 100.0, 100.0)], at=days_ago(0.5), PatientID=f"P{n // 20}"
        )
        for n in range(100)
    )

    def stop_soon() -> None:
        wait_until(lambda: clinic.pacs.count() >= 5)
        clinic.pacs.kill()

    stopper = threading.Thread(target=stop_soon)
    stopper.start()
    status, results = clinic.job("sync_records")
    stopper.join()
    clinic.pacs.start()
    held = clinic.pacs.instances()
    result = results["sync_records"]
    assert status in {1, 2} and len(held) < 100
    assert result["outcome"] == "FAILED" or set(result["unproven"]) == clinic.rv.instances() - held
    status, results = clinic.job("sync_records")
    assert status == 0 and results["sync_records"]["counts"]["moved"] == 100 - len(held)
    assert clinic.pacs.instances() == clinic.rv.instances()


def test_an_rt_pacs_that_says_success_and_stores_nothing_is_not_believed(tmp_path: Path) -> None:
    """The relay stores to a black hole; queries go to a real, empty archive beside it."""
    with two_nodes(tmp_path) as clinic:
        hole = DicomNode("HOLE", "127.0.0.1", free_port())
        swallowed: list[EncodedObject] = []

        def swallow(o: EncodedObject) -> int:
            swallowed.append(o)
            return 0x0000

        clinic.put(record(uid("plan"), [beam_item(1, n, 100.0, 100.0)], at=days_ago(1)) for n in range(1, 6))
        config = clinic.config
        real = clinic.pacs.node
        text = config.read_text().replace(
            f'[pacs]\nae_title = "{real.ae_title}"\nhost = "127.0.0.1"\nport = {real.port}\n',
            f'[pacs.query]\nae_title = "{real.ae_title}"\nhost = "127.0.0.1"\nport = {real.port}\n'
            f'[pacs]\nae_title = "HOLE"\nhost = "127.0.0.1"\nport = {hole.port}\n',
        )
        clinic._config = lambda: text  # type: ignore[method-assign]
        with open_receiver(hole, swallow, None):
            status, results = clinic.job("sync_records")
        assert swallowed, "the black hole was reached"
        assert status == 1 and set(results["sync_records"]["unproven"]) == clinic.rv.instances()
        assert results["sync_records"]["counts"]["moved"] == 0


def test_the_dashboards_table_is_built_while_the_rv_system_is_down(clinic: TwoNodes) -> None:
    clinic.put(course("A1", "BASALT^Osprey", {1: 100.0}, 3))
    assert clinic.job("cycle")[0] == 0
    clinic.rv.kill()
    status, results = clinic.job("cycle")
    assert status == 2 and results["sync_records"]["outcome"] == "FAILED"
    assert (
        "R&V system" in results["sync_records"]["message"] and "cannot be reached" in results["sync_records"]["message"]
    )
    assert results["build_on_treatment"]["outcome"] == "OK"
    assert clinic.table()[0]["fractions_delivered"] == 3


def test_the_cache_can_be_deleted_and_comes_back_the_same(clinic: TwoNodes) -> None:
    clinic.put(course("A1", "BASALT^Osprey", {1: 100.0}, 3), course("B2", "QUARTZ^Heron", {1: 100.0}, 2, last=30))
    assert clinic.job("cycle")[0] == 0
    before = clinic.table()
    shutil.rmtree(clinic.folder / "cache")
    clinic.rv.kill()
    assert clinic.run("recovery", "rebuild").returncode == 0
    assert clinic.table() == before
    shutil.rmtree(clinic.folder / "cache")
    assert clinic.job("build_on_treatment")[0] == 0
    assert clinic.table() == before


def test_a_record_parsed_once_is_not_fetched_again(clinic: TwoNodes) -> None:
    clinic.put(course("A1", "BASALT^Osprey", {1: 100.0}, 3))
    clinic.job("cycle")
    clinic.put(record(uid("other"), [beam_item(1, 1, 100.0, 100.0)], at=days_ago(0.05), PatientID="A1"))
    clinic.job("sync_records")
    _, results = clinic.job("build_on_treatment")
    assert results["build_on_treatment"]["counts"]["moved"] == 1


def test_an_object_lost_from_the_rt_pacs_is_not_called_ready_any_more(clinic: TwoNodes) -> None:
    objects = course("A1", "BASALT^Osprey", {1: 100.0}, 2)
    clinic.put(objects)
    clinic.job("cycle")
    clinic.pacs.delete_instance(str(objects[0].SOPInstanceUID))
    clinic.rv.kill()
    shutil.rmtree(clinic.folder / "cache" / "tables")
    clinic.job("build_on_treatment")
    assert clinic.table()[0]["missing"] == "1 of 4 images"


def test_a_cycle_repairs_what_the_rt_pacs_lost(clinic: TwoNodes) -> None:
    objects = course("A1", "BASALT^Osprey", {1: 100.0}, 2)
    clinic.put(objects)
    clinic.job("cycle")
    for lost in (objects[0], objects[-1]):
        clinic.pacs.delete_instance(str(lost.SOPInstanceUID))
    (clinic.folder / "cache" / "tables" / "holdings.parquet").unlink()
    assert clinic.job("cycle")[0] == 0
    assert clinic.pacs.instances() == clinic.rv.instances()


def test_two_runs_at_once_are_one_run_and_one_75(clinic: TwoNodes) -> None:
    from recovery.cache.journal import lock

    with lock(clinic.folder / "cache", "cycle"):
        assert clinic.job("cycle")[0] == 75
    with lock(clinic.folder / "cache", "sync_records"):
        assert clinic.job("sync_records")[0] == 75


def test_excluded_patients_are_backed_up_counted_and_not_on_the_list(clinic: TwoNodes) -> None:
    clinic.extra = '[dashboard]\nexclude_patient_ids = ["$*"]\n'
    clinic.put(course("$QA01", "PHANTOM^Water", {1: 100.0}, 1), course("A1", "BASALT^Osprey", {1: 100.0}, 1))
    _, results = clinic.job("cycle")
    assert clinic.pacs.instances() == clinic.rv.instances()
    assert [r["patient_id"] for r in clinic.table()] == ["A1"]
    assert results["build_on_treatment"]["counts"]["excluded"] == 1
    assert clinic.table("excluded_patients") == [{"patient_id": "$QA01"}]


def test_a_dataset_without_patient_id_is_backed_up_and_listed(clinic: TwoNodes) -> None:
    clinic.put(record(uid("plan"), [beam_item(1, 1, 100.0, 100.0)], at=days_ago(1), PatientID=""))
    clinic.job("cycle")
    assert clinic.pacs.instances() == clinic.rv.instances()
    assert clinic.table()[0]["patient_id"] is None


def test_odd_texts_do_not_stop_the_job(clinic: TwoNodes) -> None:
    objects = course("A1", "BASALT^Osprey", {1: 100.0}, 1)
    objects[5].RTPlanLabel = "L" * 5000
    objects[-1].SpecificCharacterSet = "ISO_IR 9999"
    clinic.put(objects)
    status, _ = clinic.job("cycle")
    assert status == 0 and clinic.table()[0]["fractions_delivered"] == 1


def test_no_patient_name_or_id_reaches_a_log(clinic: TwoNodes) -> None:
    objects = course("ZZ4711", "BASALT^Osprey", {1: 100.0}, 2)
    clinic.put(objects[2:])
    done = clinic.run("backup_jobs", "cycle")
    clinic.pacs.kill()
    failed = clinic.run("backup_jobs", "cycle")
    log = (clinic.folder / "cache" / "rbrdt.log").read_text()
    journal = (clinic.folder / "cache" / "runs.jsonl").read_text()
    for text in (done.stdout, done.stderr, failed.stdout, failed.stderr, log, journal):
        assert "BASALT" not in text and "Osprey" not in text and "ZZ4711" not in text
        assert "Traceback" not in text


def test_an_ion_plan_that_breaks_the_storage_association_is_named_and_stops_no_other(clinic: TwoNodes) -> None:
    """Orthanc aborts an association on an odd fragment; here the RT-PACS refuses one object instead."""
    clinic.put(course("A1", "BASALT^Osprey", {1: 100.0}, 2))
    refused = record(uid("plan"), [beam_item(1, 1, 100.0, 100.0)], at=days_ago(1), PatientID="B2")
    clinic.put(refused)
    forwarded = DicomNode("PICKY", "127.0.0.1", free_port())
    from recovery.dimse import Forwarder, Peer

    with Forwarder(Peer(clinic.local, clinic.pacs.node, "pacs")) as forwarder:

        def pick(o: EncodedObject) -> int:
            return 0xA700 if o.sop_instance_uid == refused.SOPInstanceUID else forwarder.handle(o)

        real = clinic.pacs.node
        text = clinic.config.read_text().replace(
            f'[pacs]\nae_title = "{real.ae_title}"\nhost = "127.0.0.1"\nport = {real.port}\n',
            f'[pacs.query]\nae_title = "{real.ae_title}"\nhost = "127.0.0.1"\nport = {real.port}\n'
            f'[pacs]\nae_title = "PICKY"\nhost = "127.0.0.1"\nport = {forwarded.port}\n',
        )
        clinic._config = lambda: text  # type: ignore[method-assign]
        with open_receiver(forwarded, pick, None):
            status, results = clinic.job("cycle")
    assert status == 1 and results["sync_records"]["unproven"] == [str(refused.SOPInstanceUID)]
    assert clinic.pacs.instances() == clinic.rv.instances() - {str(refused.SOPInstanceUID)}
    by_patient = {r["patient_id"]: r for r in clinic.table()}
    assert by_patient["A1"]["ready"] is True


def test_an_unproven_record_is_asked_for_again_after_its_window_has_passed(clinic: TwoNodes) -> None:
    old = record(uid("plan"), [beam_item(1, 1, 100.0, 100.0)], at=days_ago(60), PatientID="A1")
    clinic.put(old)
    clinic.pacs.kill()
    assert clinic.job("sync_records")[0] == 2
    clinic.pacs.start()
    assert clinic.job("sync_records")[0] == 0
    assert clinic.pacs.instances() == {str(old.SOPInstanceUID)}


def test_check_tells_what_works_and_what_does_not(clinic: TwoNodes) -> None:
    clinic.put(course("A1", "BASALT^Osprey", {1: 100.0}, 1))
    done = clinic.run("backup_jobs", "check")
    assert done.returncode == 0, done.stderr
    assert "may be asked" in done.stderr and len(clinic.pacs.instances()) == 1
    assert done.stderr.count("is spoken to in the clear: it has no TLS in the config\n") == 2
    stranger = Orthanc(clinic.folder / "stranger", DicomNode("RV", "127.0.0.1", free_port()))
    with stranger:
        stranger.put(encode(record(uid("plan"), [beam_item(1, 1, 100.0, 100.0)], at=days_ago(1))))
        clinic.rv, known = stranger, clinic.rv
        done = clinic.run("backup_jobs", "check")
        clinic.rv = known
    assert done.returncode == 1 and "Does it know RBRDT as a move destination" in done.stderr
    clinic.pacs.kill()
    done = clinic.run("backup_jobs", "check")
    assert done.returncode == 2 and "cannot be reached" in done.stderr
    assert "cannot be reached" not in done.stdout and " INFO " not in done.stderr, "each failure is said once"


def test_retrieving_by_move_gives_the_same_table(clinic: TwoNodes) -> None:
    clinic.put(course("A1", "BASALT^Osprey", {1: 100.0}, 3))
    clinic.retrieve = "move"
    assert clinic.job("cycle")[0] == 0
    assert clinic.table()[0]["fractions_delivered"] == 3 and clinic.table()[0]["ready"] is True


def test_a_table_is_written_in_every_format(clinic: TwoNodes) -> None:
    clinic.put(course("A1", "@BASALT^Osprey", {1: 100.0}, 1))
    clinic.job("cycle")
    for form in ("csv", "xlsx", "parquet"):
        output = clinic.folder / f"table.{form}"
        assert clinic.run("recovery", "table", "on_treatment", "--format", form, "-o", str(output)).returncode == 0
    sheet = load_workbook(clinic.folder / "table.xlsx").worksheets[0]
    assert (sheet["B2"].value, sheet["B2"].data_type) == ("@BASALT, Osprey", "s")
    dates = [cell for cell in sheet[2] if cell.is_date]
    assert dates and all(sheet.column_dimensions[cell.column_letter].width > 10 for cell in dates), "else ####"
    assert "@BASALT, Osprey" in (clinic.folder / "table.csv").read_text("utf-8-sig")
    assert read_table(clinic.folder / "table.parquet")["patient_name"].to_pylist() == ["@BASALT, Osprey"]


def test_a_table_that_is_not_there_exits_2_and_says_what_to_run(clinic: TwoNodes) -> None:
    done = clinic.run("recovery", "table", "on_treatment", "--format", "json")
    assert done.returncode == 2 and "python -m backup_jobs cycle" in done.stderr and not done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_first_run_that_is_stopped_ends_soon_and_the_next_one_goes_on(clinic: TwoNodes, number: int) -> None:
    clinic.put(
        record(uid("plan", n // 30), [beam_item(1, n % 30 + 1, 100.0, 100.0)], at=days_ago(1), PatientID=f"P{n // 30}")
        for n in range(240)
    )
    command = [sys.executable, "-m", "backup_jobs", "cycle", "--config", str(clinic.config)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        wait_until(lambda: clinic.pacs.count() >= 5)
        run.send_signal(number)
        said = run.communicate(timeout=seconds(20))[1]
    stored = len(clinic.pacs.instances())  # one more may be under way in the RT-PACS
    assert run.returncode == 1 and "the next run does the rest" in said and "Traceback" not in said
    assert stored < 240
    _, results = clinic.job("sync_records")
    counts = results["sync_records"]["counts"]
    held = counts["already_held"]
    assert held in {stored, stored + 1}
    assert counts == {"found": 240, "already_held": held, "moved": 240 - held, "unproven": 0}
