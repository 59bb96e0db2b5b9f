"""Which images a plan needs, on two Orthancs: nothing named is never nothing needed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recovery.dicom.model import DicomNode
from tests.backup_jobs.needing import Person, series_item, uids
from tests.clinic import TwoNodes, two_nodes
from tests.objects import uid
from tests.orthanc import HOW_TO_INSTALL, Orthanc, free_port, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

FOUND = "image series found on the plan's frame of reference, not named by a structure set"


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path) as nodes:
        yield nodes


def rows_of(clinic: TwoNodes) -> dict[str, dict[str, Any]]:
    return {row["patient_id"]: row for row in clinic.table()}


def is_ready(row: dict[str, Any]) -> bool:
    assert row["ready"] is (row["missing"] == "")
    return bool(row["plan_held"] and row["structure_set_held"] and row["images_held"] and row["ready"])


def of_contours_only() -> Person:
    """Case c01, B01."""
    person = Person("contours only")
    contours = person.contours(drawn_on=person.ct)
    person.objects.append(contours)
    person.treated(contours)
    return person


def of_nothing_named(patient_id: str = "nothing named") -> Person:
    """Case c01, B02."""
    person = Person(patient_id)
    contours = person.contours(drawn_on=person.ct, are_named=False)
    person.objects.append(contours)
    person.treated(contours)
    return person


def of_two_series(patient_id: str, *, is_whole: bool) -> Person:
    """Case c02: B03 names both series whole; B04 leaves out a slice that a contour names."""
    person = Person(patient_id)
    second = person.series()
    contours = person.contours([person.ct if is_whole else person.ct[:3], second], [*person.ct, *second])
    person.objects += [*second, contours]
    person.treated(contours)
    return person


def of_a_series_without_slices() -> Person:
    """One contour names one slice: the series is named as a whole all the same."""
    person = Person("whole series")
    contours = person.contours([person.ct], person.ct[:1])
    del (
        contours.ReferencedFrameOfReferenceSequence[0]
        .RTReferencedStudySequence[0]
        .RTReferencedSeriesSequence[0]
        .ContourImageSequence
    )
    person.objects.append(contours)
    person.treated(contours)
    return person


def of_a_slice_in_another_series() -> Person:
    """A structure set that lists two slices in a series in which they do not lie."""
    person = Person("another series")
    second = person.series(2)
    contours = person.contours([person.ct])
    study = contours.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
    named = series_item([*person.ct, *second], str(person.ct[0].SeriesInstanceUID))
    study.RTReferencedSeriesSequence = [named]
    person.objects += [*second, contours]
    person.treated(contours)
    return person


def of_two_structure_sets() -> Person:
    """A plan that names two, which name different slices of one series, and one of them nothing at all besides."""
    person = Person("two sets")
    first, second = person.contours([person.ct[:2]]), person.contours([person.ct[1:]])
    treated = person.treated(first)
    treated.ReferencedStructureSetSequence += person.treated(second, fractions=0).ReferencedStructureSetSequence
    person.objects += [first, second]
    del person.objects[-3]
    return person


NAMED = (
    of_contours_only(),
    of_two_series("two series", is_whole=True),
    of_two_series("a slice left out", is_whole=False),
    of_a_series_without_slices(),
    of_a_slice_in_another_series(),
    of_two_structure_sets(),
)


@pytest.mark.parametrize("route", ["relay", "direct"])
def test_every_slice_that_is_named_anywhere_is_brought_and_nothing_is_ready_without(
    clinic: TwoNodes, route: str
) -> None:
    clinic.route = route
    clinic.put(*(person.objects for person in NAMED))
    status, results = clinic.job("cycle")
    assert status == 0, results
    assert clinic.pacs.instances() == clinic.rv.instances()
    rows = rows_of(clinic)
    assert {p.patient_id: (is_ready(rows[p.patient_id]), rows[p.patient_id]["remarks"]) for p in NAMED} == {
        p.patient_id: (True, "") for p in NAMED
    }
    status, results = clinic.job("cycle")
    assert status == 0 and [r["counts"].get("moved") for r in results.values()] == [0, 0, None, 0]


def test_any_slice_that_is_lost_is_missed_by_name_however_it_is_named(clinic: TwoNodes) -> None:
    """Another object takes the slice's place in the series: a count stands for no names."""
    clinic.put(*(person.objects for person in NAMED))
    assert clinic.job("cycle")[0] == 0
    clinic.rv.kill()
    for person in NAMED:
        lost, added = person.ct[3], person.series(1)[0]
        added.SeriesInstanceUID = lost.SeriesInstanceUID
        put(clinic.pacs, added)
        clinic.pacs.delete_instance(str(lost.SOPInstanceUID))
    assert clinic.job("cycle")[0] == 2
    rows = rows_of(clinic)
    for person in NAMED:
        row = rows[person.patient_id]
        assert (row["images_held"], row["ready"]) == (False, False), person.patient_id
        assert row["missing"].startswith("1 of "), person.patient_id


def put(node: Orthanc, ds: Any) -> None:
    from tests.objects import encode

    node.put(encode(ds))


def of_no_structure_set() -> Person:
    person = Person("no structure set")
    person.treated(None)
    return person


def of_empty_sequences() -> Person:
    person = Person("empty sequences")
    contours = person.contours()
    contours.ReferencedFrameOfReferenceSequence = []
    contours.ROIContourSequence = []
    person.objects.append(contours)
    person.treated(contours)
    return person


def of_a_structure_set_that_is_nowhere() -> Person:
    person = Person("set nowhere")
    person.treated(person.contours([person.ct]))
    return person


def of_several_modalities() -> Person:
    """Beside the CT an MR and a PT on the frame; and a cone beam CT on another, which nothing needs."""
    person = of_nothing_named("several modalities")
    person.objects += person.series(2, "MR")
    return person


def test_images_that_nothing_names_are_found_on_the_plans_frame_of_reference_and_said_to_be(clinic: TwoNodes) -> None:
    people = [of_nothing_named(), of_no_structure_set(), of_empty_sequences(), of_several_modalities()]
    nowhere = of_a_structure_set_that_is_nowhere()
    unneeded = people[0].series(3, frame=uid("cone beam"))
    of_a_namesake = Person("somebody else")
    of_a_namesake.ct[0].FrameOfReferenceUID = people[0].frame
    clinic.put(*(p.objects for p in [*people, nowhere]), unneeded, of_a_namesake.ct)
    status, results = clinic.job("cycle")
    (lost,) = results["sync_plans"]["unproven"]
    assert status == 1 and lost in results["sync_plans"]["message"], "the structure set that is nowhere, and no more"
    assert clinic.rv.instances() - clinic.pacs.instances() == uids([*unneeded, *of_a_namesake.ct])
    rows = rows_of(clinic)
    for person in [*people, nowhere]:
        row = rows[person.patient_id]
        assert row["images_held"] is True and FOUND in row["remarks"], row
    assert rows["several modalities"]["remarks"].startswith("2 image series found")
    assert (
        is_ready(rows["nothing named"]) and is_ready(rows["several modalities"]) and is_ready(rows["empty sequences"])
    )
    row = rows["no structure set"]
    assert (row["structure_set_held"], row["ready"], row["missing"]) == (
        False,
        False,
        "structure set (the plan names none)",
    )
    assert (rows["set nowhere"]["ready"], rows["set nowhere"]["missing"]) == (False, "structure set")
    _, results = clinic.job("cycle")
    assert [r["counts"].get("moved") for r in results.values()] == [0, 0, None, 0]
    before = clinic.table()
    clinic.rv.kill()
    shutil.rmtree(clinic.folder / "cache")
    assert clinic.run("recovery", "rebuild").returncode == 0
    assert clinic.table() == before, "the RT-PACS alone tells the same"
    clinic.pacs.delete_instance(str(people[0].ct[1].SOPInstanceUID))
    clinic.job("build_on_treatment")
    row = rows_of(clinic)["nothing named"]
    assert (row["images_held"], row["ready"], row["missing"]) == (False, False, "1 of 4 images")


def test_without_any_image_nothing_is_ready_the_job_says_so_and_images_that_come_later_are_brought(
    clinic: TwoNodes,
) -> None:
    elsewhere = of_nothing_named("elsewhere")
    for one in elsewhere.ct:
        one.FrameOfReferenceUID = uid("another frame")
    unknown = Person("no frame")
    del unknown.treated(None).FrameOfReferenceUID
    lost = of_contours_only()
    clinic.put(elsewhere.objects, unknown.objects, [ds for ds in lost.objects if ds is not lost.ct[2]])
    status, results = clinic.job("cycle")
    assert (status, results["sync_plans"]["outcome"]) == (1, "PARTIAL")
    plans = {str(ds.SOPInstanceUID) for p in (elsewhere, unknown) for ds in p.objects if ds.Modality == "RTPLAN"}
    assert set(results["sync_plans"]["unproven"]) == plans | uids([lost.ct[2]])
    rows = rows_of(clinic)
    assert not any(rows[p]["images_held"] or rows[p]["ready"] for p in ("elsewhere", "no frame", "contours only"))
    assert rows["elsewhere"]["missing"] == (
        "images (the structure set names none, and none was found on its frame of reference)"
    )
    assert rows["no frame"]["missing"].endswith(
        "images (the plan names no structure set, and no frame of reference is known)"
    )
    assert rows["contours only"]["missing"] == "1 of 4 images of which no series is named"
    late = elsewhere.series(2)
    clinic.put(late, lost.ct[2])
    clinic.job("cycle")
    assert uids([*late, lost.ct[2]]) <= clinic.pacs.instances()
    rows = rows_of(clinic)
    assert is_ready(rows["elsewhere"]) and is_ready(rows["contours only"])


def test_a_structure_set_of_another_patient_is_not_the_plans(clinic: TwoNodes) -> None:
    person, renumbered = Person("own"), Person("old number")
    other = person.contours([person.ct], PatientID="other", PatientName="SOMEBODY^Else")
    under_new = renumbered.contours([renumbered.ct], PatientID="new number")
    person.treated(other)
    renumbered.treated(under_new)
    clinic.put(person.objects, other, renumbered.objects, under_new)
    clinic.job("cycle")
    rows = rows_of(clinic)
    assert (rows["own"]["structure_set_held"], rows["own"]["ready"]) == (False, False)
    assert rows["own"]["missing"] == "structure set (the one that the plan names is another patient's)"
    assert is_ready(rows["old number"]), "the same name and birth date: one person"


def test_a_node_that_tells_no_frame_of_reference_gives_a_slice_to_be_read(tmp_path: Path) -> None:
    with two_nodes(tmp_path) as clinic:
        nodes = {}
        for name, peers in (("RV", [clinic.local, clinic.pacs.node]), ("RTPACS", [clinic.local])):
            kept = clinic.rv if name == "RV" else clinic.pacs
            kept.kill()
            node = DicomNode(name, "127.0.0.1", kept.node.port)
            options: dict[str, object] = {"StorageAccessOnFind": "Never"}
            nodes[name] = Orthanc(
                tmp_path / f"silent {name}", node, peers=peers, options=options, http_port=free_port()
            ).start()
        clinic.rv, clinic.pacs = nodes["RV"], nodes["RTPACS"]
        try:
            person = of_nothing_named()
            other = person.series(5, frame=uid("elsewhere"))
            clinic.put(person.objects, other)
            _, results = clinic.job("cycle")
            assert uids(person.objects) <= clinic.pacs.instances(), results
            assert len(clinic.pacs.instances() & uids(other)) == 1, "one slice is read, no more"
            row = rows_of(clinic)["nothing named"]
            assert is_ready(row) and FOUND in row["remarks"]
        finally:
            for node in nodes.values():
                node.kill()
