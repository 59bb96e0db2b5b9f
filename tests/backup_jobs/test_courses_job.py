"""Courses of several plans, patients of several IDs, and UIDs of several objects: the jobs on two stock Orthancs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from recovery.cache.memory import Memory
from tests.backup_jobs.test_main_job import course
from tests.clinic import TwoNodes, two_nodes
from tests.objects import beam_item, dose, images, item, plan, record, structure_set, uid
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

NOW = datetime.now().replace(microsecond=0)  # noqa: DTZ005  the servers' clock, site-local


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path) as nodes:
        yield nodes


def given(plan_uid: str, number: int, days_ago: float, **elements: object) -> Dataset:
    at = NOW - timedelta(days=days_ago)
    return record(plan_uid, [beam_item(1, number, 100.0, 100.0)], at=at, **elements)


def daily_course(patient_id: str = "B11", *, by_name: bool = True) -> list[Dataset]:
    """Case c06: a reference plan of 5 fractions and three plans of one day, each on its own image, of their own."""
    whose = {"PatientID": patient_id, "PatientName": "DAILY^Dan", "StudyInstanceUID": uid("study", patient_id)}
    made: list[Dataset] = []
    for number in range(4):
        slices = images(2, **whose)
        contours = structure_set(slices, **whose)
        frame = {"FrameOfReferenceUID": slices[0].FrameOfReferenceUID}
        treated = plan(
            {1: 100.0}, fractions=1 if number else 5, structure_set_uid=contours.SOPInstanceUID,
            RTPlanLabel=f"Pros_ad{number}" if number else "Pros_ref", **whose, **frame,
        )  # fmt: skip
        made += [*slices, contours, treated]
        if number and by_name:
            treated.ReferencedRTPlanSequence = [
                item(ReferencedSOPInstanceUID=made[3].SOPInstanceUID, RTPlanRelationship="PARENT")
            ]
        if number:
            made.append(given(treated.SOPInstanceUID, number, 7 - 2 * number, **whose))
    return made


def renamed_course() -> list[Dataset]:
    """Case c05: ten fractions under B09-TMP, two under B09-MRN."""
    whose = {"PatientName": "NEWMAN^Nora", "StudyInstanceUID": uid("study of nora")}
    slices = images(2, PatientID="B09-TMP", **whose)
    contours = structure_set(slices, PatientID="B09-TMP", **whose)
    brain = plan(
        {1: 100.0}, fractions=30, structure_set_uid=contours.SOPInstanceUID, PatientID="B09-TMP", RTPlanLabel="Brain",
        **whose,
    )  # fmt: skip
    records = [
        given(brain.SOPInstanceUID, n, 13 - n, PatientID="B09-TMP" if n <= 10 else "B09-MRN", **whose)
        for n in range(1, 13)
    ]
    return [*slices, contours, brain, *records]


def test_courses_of_several_plans_and_ids_come_through_the_jobs_and_a_rebuild(clinic: TwoNodes) -> None:
    five_beams = plan(dict.fromkeys(range(1, 6), 40.0), PatientID="B33")
    doses = [dose(five_beams.SOPInstanceUID, PatientID="B33", DoseSummationType="BEAM") for _ in range(5)]
    treated = record(
        five_beams.SOPInstanceUID, [beam_item(n, 1, 40.0, 40.0) for n in range(1, 6)], at=NOW, PatientID="B33"
    )
    clinic.put(daily_course(), daily_course("B10", by_name=False), renamed_course(), five_beams, *doses, treated)
    clinic.job("cycle")
    assert clinic.pacs.instances() == clinic.rv.instances()
    rows = clinic.table()
    [nora] = [r for r in rows if str(r["patient_id"]).startswith("B09")]
    assert (nora["patient_id"], nora["fractions_delivered"], nora["fractions_remaining"]) == ("B09-MRN", 12, 18)
    assert (nora["next_fraction_number"], nora["ready"]) == (13, True)
    assert "B09-TMP" in nora["remarks"]
    days = [r for r in rows if r["patient_id"] in {"B10", "B11"}]
    assert {(r["course_fractions_delivered"], r["course_number_of_fractions_planned"]) for r in days} == {(3, 5)}
    [unnamed, newest] = [r for r in days if r["status"] == "on_treatment"]
    assert (unnamed["patient_id"], unnamed["course_plan_labels"]) == ("B10", "Pros_ad3, Pros_ad2, Pros_ad1")
    assert (newest["rt_plan_label"], newest["next_fraction_number"], newest["ready"]) == ("Pros_ad3", 4, True)
    assert newest["course_plan_labels"] == "Pros_ad3, Pros_ad2, Pros_ad1, Pros_ref"

    clinic.rv.kill()
    (clinic.folder / "cache").rename(clinic.folder / "lost")
    assert clinic.run("recovery", "rebuild").returncode == 0
    again = clinic.table()
    kept = ("patient_id", "referenced_rt_plan_uid", "status", "course_number_of_fractions_planned", "missing")
    assert [[r[name] for name in kept] for r in again] == [[r[name] for name in kept] for r in rows]


def test_a_uid_in_two_patients_is_moved_twice_and_named_in_every_cycle(clinic: TwoNodes) -> None:
    of_anna = given(uid("plan of anna"), 1, 1, PatientID="1", PatientName="ANNA^A")
    of_berta = given(uid("plan of berta"), 1, 1, PatientID="2", PatientName="BERTA^B")
    of_berta.SOPInstanceUID = of_anna.SOPInstanceUID
    clinic.put(of_anna, of_berta)
    for _ in range(2):
        status, results = clinic.job("cycle")
        told = results["sync_records"]
        assert (status, told["outcome"], told["unproven"]) == (1, "PARTIAL", [of_anna.SOPInstanceUID])
        assert "objects of several patients or series bear this UID" in told["message"]
        assert "ANNA" not in str(results) and "BERTA" not in str(results)


def chain_of(patient_id: str, slices: list[Dataset], **more: Any) -> list[Dataset]:
    whose: dict[str, Any] = {
        "PatientID": patient_id,
        "PatientName": f"{patient_id}^Given",
        "StudyInstanceUID": uid("study", patient_id),
    }
    contours = structure_set(slices, **whose)
    treated = plan({1: 100.0}, structure_set_uid=contours.SOPInstanceUID, **whose, **more)
    return [*slices, contours, treated, given(treated.SOPInstanceUID, 1, 1, **whose)]


def test_slices_and_plans_of_one_uid_in_two_patients_are_held_for_one_of_them_and_named(clinic: TwoNodes) -> None:
    of = {i: images(3, PatientID=i, PatientName=f"{i}^Given", StudyInstanceUID=uid("study", i)) for i in "ABCD"}
    of["B"][1].SOPInstanceUID = of["A"][1].SOPInstanceUID
    of["C"][2].StudyInstanceUID, of["C"][2].SeriesInstanceUID = uid("another study"), uid("another series")
    shared = {"SOPInstanceUID": uid("one plan")}
    twins = [*chain_of("E", images(2, PatientID="E"), **shared), *chain_of("F", images(2, PatientID="F"), **shared)]
    clinic.put(chain_of("A", of["A"]), chain_of("B", of["B"]), chain_of("C", of["C"]), twins)
    for _ in range(2):
        status, results = clinic.job("cycle")
        ready = {row["patient_id"]: row["ready"] for row in clinic.table()}
        assert ready["A"] + ready["B"] == 1, "one slice of two was stored"
        assert ready["C"], "a slice in another series than the structure set says is held where it lies"
        assert ready["E"] + ready["F"] == 1
        unproven = set(results["sync_plans"]["unproven"])
        assert (status, unproven >= {of["A"][1].SOPInstanceUID, uid("one plan")}) == (1, True)


def test_another_patients_object_of_the_same_uid_is_not_taken_for_the_one_to_back_up(clinic: TwoNodes) -> None:
    from tests.objects import encode

    ours = given(uid("plan of anna"), 1, 1, PatientID="1")
    theirs = given(uid("plan of berta"), 1, 30, PatientID="2")
    theirs.SOPInstanceUID = ours.SOPInstanceUID
    clinic.put(ours)
    clinic.pacs.put(encode(theirs))
    _, results = clinic.job("sync_records")
    assert results["sync_records"]["counts"]["already_held"] == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4"}, "two objects of one UID"),
        ({"RTPlanLabel": "Changed"}, "its content was changed under its UID"),
    ],
)
@pytest.mark.parametrize("modality", ["RTPLAN", "RTDOSE"])
def test_what_a_source_holds_otherwise_under_a_uid_that_is_held_is_named_in_every_cycle(
    clinic: TwoNodes, modality: str, change: dict[str, str], said: str
) -> None:
    from tests.objects import encode

    objects = course("A", "A^A", {1: 100.0}, 3)
    (ours,) = [ds for ds in objects if ds.Modality == modality]
    clinic.put(objects)
    assert clinic.job("cycle")[0] == 0
    clinic.rv.delete_instance(str(ours.SOPInstanceUID))
    for keyword, value in change.items():
        setattr(ours, keyword, value)
    clinic.rv.put(encode(ours))
    _forget_daily_questions(clinic)
    for _ in range(2):
        status, results = clinic.job("cycle")
        if modality == "RTDOSE" and "RTPlanLabel" in change:
            assert status == 0, "a dose has no label: that cannot be told"
            continue
        told = results["sync_plans"]
        assert (status, told["outcome"], told["unproven"]) == (1, "PARTIAL", [ours.SOPInstanceUID])
        assert said in told["message"]
    assert str(ours.SOPInstanceUID) in clinic.pacs.instances()


def _forget_daily_questions(clinic: TwoNodes) -> None:
    memory = Memory.load(clinic.config.parent / "cache")
    memory.forget("plans ")
    assert not [question for question in Memory.load(clinic.config.parent / "cache").asked if "plans" in question]
