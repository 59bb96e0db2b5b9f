"""The embedded RT-PACS, asked by pynetdicom: what it lists, matches, returns and moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid
from pynetdicom.dsutils import encode

from demo.pacs.archive import Archive
from recovery.dicom.model import DicomNode
from tests.demo import scu
from tests.demo.scu import find, get, record, store, uids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(DicomNode("RTPACS", "127.0.0.1", 0), tmp_path / "pacs", {}) as running:
        yield running


@pytest.fixture
def nine(archive: Archive) -> Archive:
    """Nine records, each its own series, in three studies of three patients."""
    assert store(archive.node, *(record(n) for n in range(9))) == [0] * 9
    return archive


def test_each_level_answers_once_per_entity(nine: Archive) -> None:
    assert len(find(nine.node, "PATIENT", PatientID="")) == 3
    assert len(find(nine.node, "STUDY", StudyInstanceUID="")) == 3
    assert len(find(nine.node, "SERIES", SeriesInstanceUID="")) == 9
    assert len(find(nine.node, "IMAGE", SOPInstanceUID="")) == 9


def test_counts_and_modalities_are_of_the_whole_entity_whatever_matched(nine: Archive) -> None:
    store(nine.node, record(100, PatientID="P1", StudyInstanceUID=record(1).StudyInstanceUID, Modality="RTPLAN"))
    (study,) = find(
        nine.node,
        "STUDY",
        PatientID="P1",
        ModalitiesInStudy="RTPLAN",
        NumberOfStudyRelatedInstances=None,
        NumberOfStudyRelatedSeries=None,
        NumberOfPatientRelatedStudies=None,
    )
    assert list(study.ModalitiesInStudy) == ["RTPLAN", "RTRECORD"]
    assert (study.NumberOfStudyRelatedInstances, study.NumberOfStudyRelatedSeries) == (4, 4)
    assert study.NumberOfPatientRelatedStudies == 1
    (series,) = find(
        nine.node, "SERIES", SeriesInstanceUID=record(1).SeriesInstanceUID, NumberOfSeriesRelatedInstances=None
    )
    assert series.NumberOfSeriesRelatedInstances == 1


def test_only_what_was_asked_for_comes_back(nine: Archive) -> None:
    answers = find(nine.node, "IMAGE", TreatmentDate="20261103")
    assert [{e.keyword for e in a} for a in answers] == [
        {"QueryRetrieveLevel", "RetrieveAETitle", "SOPInstanceUID", "TreatmentDate"}
    ]


@pytest.mark.parametrize(
    ("keys", "numbers"),
    [
        ({"TreatmentDate": "20261103-20261105"}, {2, 3, 4}),
        ({"TreatmentDate": "20261108-"}, {7, 8}),
        ({"TreatmentDate": "-20261102"}, {0, 1}),
        ({"TreatmentDate": "20261104"}, {3}),
        ({"InstanceCreationDate": "20261101-20261102"}, {0, 1}),
        ({"SeriesDate": "20261101-20261101", "PatientID": "P2"}, {2, 5, 8}),
        ({"TreatmentTime": "0900-1030"}, {1, 2}),
        ({"PatientID": "P*"}, set(range(9))),
        ({"PatientID": "?1"}, {1, 4, 7}),
        ({"PatientID": "p1"}, set()),
        ({"PatientID": "*"}, set(range(9))),
        ({"PatientName": "basalt^osprey2"}, {2, 5, 8}),
        ({"PatientName": "Basalt*0"}, {0, 3, 6}),
        ({"Modality": "RTPLAN"}, set()),
        ({"SOPClassUID": scu.RT_RECORD, "PatientID": "P0"}, {0, 3, 6}),
        ({"SOPInstanceUID": [record(1).SOPInstanceUID, record(5).SOPInstanceUID, "1.2.3"]}, {1, 5}),
        ({"StudyInstanceUID": [record(0).StudyInstanceUID, record(1).StudyInstanceUID]}, {0, 1, 3, 4, 6, 7}),
    ],
)
def test_matching_at_image_level_needs_no_upper_keys(nine: Archive, keys: dict[str, object], numbers: set[int]) -> None:
    for model in (scu.PATIENT_ROOT_FIND, scu.STUDY_ROOT_FIND):
        assert uids(find(nine.node, "IMAGE", model, **keys)) == {record(n).SOPInstanceUID for n in numbers}


def test_an_empty_element_matches_the_universal_key_only(archive: Archive) -> None:
    store(archive.node, record(1, TreatmentDate=""))
    for dates in ("19000101-29991231", "-29991231", "19000101-"):
        assert find(archive.node, "IMAGE", TreatmentDate=dates) == []
    assert len(find(archive.node, "IMAGE", TreatmentDate="")) == 1


def test_records_are_found_by_the_plan_they_name(nine: Archive) -> None:
    plan = Dataset()
    plan.ReferencedSOPInstanceUID = generate_uid(entropy_srcs=["plan", "2"])
    answers = find(nine.node, "IMAGE", ReferencedRTPlanSequence=[plan])
    assert uids(answers) == {record(n).SOPInstanceUID for n in (2, 5, 8)}
    assert [e.keyword for e in answers[0].ReferencedRTPlanSequence[0]] == ["ReferencedSOPInstanceUID"]


def test_elements_without_a_column_are_returned_and_matched_from_the_file(archive: Archive) -> None:
    store(archive.node, record(1, RTPlanLabel="Prostate", ApprovalStatus="APPROVED"), record(2, RTPlanLabel="Cervix"))
    answers = find(archive.node, "IMAGE", RTPlanLabel="Pro*", ApprovalStatus="", PatientBirthDate="", PatientName="")
    assert [(a.RTPlanLabel, a.ApprovalStatus, a.PatientBirthDate, a.PatientName) for a in answers] == [
        ("Prostate", "APPROVED", "", "BASALT^Osprey1")
    ]
    assert len(find(archive.node, "STUDY", RTPlanLabel="")) == 2


def test_names_in_any_alphabet_come_back_readable(archive: Archive) -> None:
    name = "YAMAGATA^Suzume=山形^雀=やまがた^すずめ"
    store(archive.node, record(1, SpecificCharacterSet="ISO_IR 192", PatientName=name))
    (answer,) = find(archive.node, "PATIENT", PatientName="Yamagata*")
    assert str(answer.PatientName) == name
    assert find(archive.node, "PATIENT", PatientName="山形*")


@pytest.mark.parametrize("level", ["", "PLANET"])
def test_a_level_that_is_none_is_refused(archive: Archive, level: str) -> None:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = level
    with scu.associated(archive.node, scu.PATIENT_ROOT_FIND) as assoc:
        ((status, _),) = assoc.send_c_find(identifier, scu.PATIENT_ROOT_FIND)
    assert status.Status == 0xA900


def test_the_same_uid_twice_is_one_row_with_the_newer_content(archive: Archive) -> None:
    store(archive.node, record(1))
    store(archive.node, record(1, TreatmentDate="20261231"))
    (answer,) = find(archive.node, "IMAGE", TreatmentDate="")
    assert answer.TreatmentDate == "20261231"
    got, _ = get(
        archive.node,
        [(scu.RT_RECORD, ImplicitVRLittleEndian)],
        QueryRetrieveLevel="IMAGE",
        SOPInstanceUID=answer.SOPInstanceUID,
    )
    assert len(got) == 1


def test_objects_without_patient_and_study_are_kept_and_listed(archive: Archive) -> None:
    bare = record(1)
    del bare.PatientID, bare.StudyInstanceUID
    assert store(archive.node, bare) == [0]
    assert uids(find(archive.node, "IMAGE", SOPInstanceUID="")) == {bare.SOPInstanceUID}
    assert archive.held_sop_instance_uids() == {bare.SOPInstanceUID}


def test_a_cancelled_query_stops_early(archive: Archive) -> None:
    archive.store.ingest(record(n) for n in range(1500))
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "IMAGE"
    identifier.SOPInstanceUID = ""
    with scu.associated(archive.node, scu.PATIENT_ROOT_FIND) as assoc:
        statuses = []
        for status, _ in assoc.send_c_find(identifier, scu.PATIENT_ROOT_FIND, msg_id=7):
            statuses.append(status.Status)
            if len(statuses) == 10:
                assoc.send_c_cancel(7, query_model=scu.PATIENT_ROOT_FIND)
    assert statuses[-1] == 0xFE00
    assert len(statuses) < 1500


def test_get_returns_the_bytes_as_they_were_received(archive: Archive) -> None:
    sent = [scu.store_bytes(archive.node, path) for path in scu.test_files()]
    assert {status for _, _, status in sent} == {0}
    expected = {uid: raw for uid, raw, _ in sent}
    assert archive.held_sop_instance_uids() == set(expected)
    got: dict[str, bytes] = {}
    for held in archive.store.objects("1", ()):
        pair = (held.sop_class_uid, held.transfer_syntax_uid)
        part, status = get(archive.node, [pair], QueryRetrieveLevel="IMAGE", SOPInstanceUID=held.sop_instance_uid)
        assert status.Status == 0x0000
        got |= part
    assert got == expected


def test_the_private_varian_plan_class_is_stored_and_moved(archive: Archive) -> None:
    plan = record(1, SOPClassUID="1.2.246.352.70.1.70", Modality="RTPLAN")
    assert store(archive.node, scu.with_meta(plan)) == [0]
    got, _ = get(
        archive.node,
        [("1.2.246.352.70.1.70", ImplicitVRLittleEndian)],
        QueryRetrieveLevel="IMAGE",
        SOPInstanceUID=plan.SOPInstanceUID,
    )
    assert set(got) == {plan.SOPInstanceUID}


def test_an_explicit_object_is_converted_for_a_peer_that_knows_implicit_only(archive: Archive) -> None:
    explicit = scu.with_meta(record(1), ExplicitVRLittleEndian)
    assert store(archive.node, explicit) == [0]
    keys = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": explicit.StudyInstanceUID}
    got, status = get(archive.node, [(scu.RT_RECORD, ImplicitVRLittleEndian)], **keys)
    assert status.Status == 0
    (received,) = got.values()
    assert received == encode(record(1), True, True)


@pytest.mark.parametrize(
    "torn",
    [
        b"\xff" * 101,
        b"\x08\x00\x16\x00\x40\x00\x00\x00ab",  # a value shorter than it says
        b"\x0c\x30\x02\x00\xff\xff\xff\xff\x01\x02\x03\x04\x05\x06\x07\x08\x09",  # a sequence without its end
    ],
)
def test_a_torn_dataset_is_kept_under_its_announced_uid(archive: Archive, torn: bytes) -> None:
    uid = record(1).SOPInstanceUID
    assert scu.store_raw(archive.node, scu.RT_RECORD, uid, torn) == 0
    stored = archive.store.held(uid)
    assert stored is not None
    assert stored.encoded_dataset() == torn
    assert uids(find(archive.node, "IMAGE", SOPInstanceUID="")) == {uid}
    archive.store.files.path_of(uid).touch()
    archive.store.recover()
    assert archive.held_sop_instance_uids() == {uid}
