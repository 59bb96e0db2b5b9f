"""The embedded RT-PACS as a source: C-MOVE between two archives, and what it says it took responsibility for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from pydicom import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.sop_class import StorageCommitmentPushModelInstance as COMMITMENT_INSTANCE

from demo.pacs.archive import Archive
from demo.pacs.network import STORAGE_COMMITMENT_PUSH_MODEL
from recovery.dicom.model import DicomNode
from tests.demo import scu
from tests.demo.scu import move, record, store
from tests.orthanc import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Archive, Archive]]:
    with Archive(DicomNode("RTPACS", "127.0.0.1", 0), tmp_path / "pacs", {}) as pacs:
        rv_node = DicomNode("DEMO_RV", "127.0.0.1", 0)
        peers = {"RTPACS": pacs.node, "NOBODY": DicomNode("NOBODY", "127.0.0.1", free_port())}
        with Archive(rv_node, tmp_path / "rv", peers) as rv:
            store(rv.node, *(record(n) for n in range(9)))
            yield rv, pacs


def test_move_by_a_list_of_uids_skips_the_unknown(two: tuple[Archive, Archive]) -> None:
    rv, pacs = two
    wanted = [record(n).SOPInstanceUID for n in (1, 2, 3)]
    status = move(rv.node, "RTPACS", QueryRetrieveLevel="IMAGE", SOPInstanceUID=[*wanted, "1.2.3.4"])
    assert (status.Status, status.NumberOfCompletedSuboperations) == (0, 3)
    assert pacs.held_sop_instance_uids() == set(wanted)


@pytest.mark.parametrize("level", ["PATIENT", "STUDY", "SERIES"])
def test_move_at_the_upper_levels_takes_all_below(two: tuple[Archive, Archive], level: str) -> None:
    rv, pacs = two
    keys = {"PATIENT": "PatientID", "STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID"}
    value = record(1)[keys[level]].value
    assert move(rv.node, "RTPACS", QueryRetrieveLevel=level, **{keys[level]: value}).Status == 0
    numbers = (1,) if level == "SERIES" else (1, 4, 7)
    assert pacs.held_sop_instance_uids() == {record(n).SOPInstanceUID for n in numbers}


def test_move_of_unknown_uids_alone_does_nothing_and_says_so(two: tuple[Archive, Archive]) -> None:
    status = move(two[0].node, "RTPACS", QueryRetrieveLevel="IMAGE", SOPInstanceUID=["1.2.3", "1.2.4"])
    assert (status.Status, status.NumberOfCompletedSuboperations, status.NumberOfFailedSuboperations) == (0, 0, 0)


@pytest.mark.parametrize("destination", ["ELSEWHERE", "NOBODY"])
def test_move_to_an_unknown_or_absent_destination_fails(two: tuple[Archive, Archive], destination: str) -> None:
    status = move(two[0].node, destination, QueryRetrieveLevel="IMAGE", SOPInstanceUID=record(1).SOPInstanceUID)
    assert status.Status == 0xA801


def test_a_retrieve_without_its_unique_key_never_means_everything(two: tuple[Archive, Archive]) -> None:
    rv, pacs = two
    move(rv.node, "RTPACS", QueryRetrieveLevel="STUDY", StudyInstanceUID="")
    assert pacs.held_sop_instance_uids() == set()


def test_a_destination_that_refuses_is_counted_as_failed(two: tuple[Archive, Archive]) -> None:
    rv, pacs = two
    broken = rv.store.held(record(1).SOPInstanceUID)
    assert broken is not None
    broken.path.unlink()
    uids_of = [record(n).SOPInstanceUID for n in (1, 2)]
    status = move(rv.node, "RTPACS", QueryRetrieveLevel="IMAGE", SOPInstanceUID=uids_of)
    assert (status.Status, status.NumberOfFailedSuboperations) == (0xB000, 1)
    assert pacs.held_sop_instance_uids() == {uids_of[1]}


def test_commitment_is_reported_on_a_new_association_with_failures_named(tmp_path: Path) -> None:
    reports: list[tuple[int, Dataset]] = []
    arrived = threading.Event()

    def on_report(event: evt.Event) -> tuple[int, None]:
        reports.append((event.event_type or 0, event.event_information))
        arrived.set()
        return 0, None

    ae = AE(ae_title="TESTSCU")
    ae.add_supported_context(STORAGE_COMMITMENT_PUSH_MODEL, scu_role=False, scp_role=True)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, on_report)])
    assert server is not None
    here = DicomNode("TESTSCU", "127.0.0.1", server.server_address[1])
    try:
        with Archive(DicomNode("RTPACS", "127.0.0.1", 0), tmp_path, {"TESTSCU": here}) as archive:
            store(archive.node, record(1))
            request = Dataset()
            request.TransactionUID = generate_uid()
            request.ReferencedSOPSequence = [_reference(record(1)), _reference(record(2))]
            with scu.associated(archive.node, STORAGE_COMMITMENT_PUSH_MODEL) as assoc:
                status, _ = assoc.send_n_action(request, 1, STORAGE_COMMITMENT_PUSH_MODEL, COMMITMENT_INSTANCE)
            assert status.Status == 0
            assert arrived.wait(10)
    finally:
        server.shutdown()
    ((event_type, report),) = reports
    assert (event_type, report.TransactionUID) == (2, request.TransactionUID)
    assert [i.ReferencedSOPInstanceUID for i in report.ReferencedSOPSequence] == [record(1).SOPInstanceUID]
    assert [(i.ReferencedSOPInstanceUID, i.FailureReason) for i in report.FailedSOPSequence] == [
        (record(2).SOPInstanceUID, 0x0112)
    ]


def _reference(ds: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = ds.SOPClassUID
    item.ReferencedSOPInstanceUID = ds.SOPInstanceUID
    return item
