"""C-GET, or C-MOVE to this machine: all others come, and what does not is named."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID
from pynetdicom import evt

from recovery.dicom.model import DicomNode, InstanceRef
from recovery.dimse import fetch
from recovery.dimse.encoding import READ_IN, EncodedObject, with_file_meta
from tests.dimse.scripted import by_uid, gives, peer_of, ref_of, scp, sends
from tests.objects import obj, record
from tests.orthanc import free_port


def _records(count: int) -> list[Dataset]:
    return [record(None, []) for _ in range(count)]


def test_a_class_of_which_nobody_thought_is_fetched_when_its_ref_names_it() -> None:
    ds, came = obj("1.2.840.10008.5.1.4.1.1.104.1", "DOC"), []
    with scp({evt.EVT_C_GET: gives(by_uid([ds]))}) as pacs:
        assert fetch(peer_of(pacs.node), [ref_of(ds)], came.append) == {}
    assert [c.SOPInstanceUID for c in came] == [ds.SOPInstanceUID]


def test_a_get_that_one_bad_object_aborts_brings_all_others_and_names_it() -> None:
    holds = by_uid(_records(30))
    bad, came = sorted(holds)[13], []
    with scp({evt.EVT_C_GET: gives(holds, {bad})}) as pacs:
        refs = (ref_of(ds) for ds in holds.values())
        failures = fetch(peer_of(pacs.node), refs, lambda ds: came.append(str(ds.SOPInstanceUID)))
    assert set(failures) == {bad}
    assert "ended the association" in failures[bad]
    assert sorted(came) == sorted(set(holds) - {bad})


@pytest.mark.parametrize("retrieve", ["get", "move"])
def test_what_the_node_does_not_hold_is_named(retrieve: Any) -> None:
    holds, port, came = by_uid(_records(3)), free_port(), []
    here = DicomNode("RBRDT", "127.0.0.1", port)
    with scp({evt.EVT_C_GET: gives(holds), evt.EVT_C_MOVE: sends(holds, here)}) as pacs:
        refs = [InstanceRef("1.2.3.4"), *(ref_of(ds) for ds in holds.values())]
        failures = fetch(peer_of(pacs.node, port=port), refs, came.append, retrieve=retrieve)
    assert failures == {"1.2.3.4": "SCRIPTED did not send it"}
    assert {str(ds.SOPInstanceUID) for ds in came} == set(holds)


@pytest.mark.parametrize("retrieve", ["get", "move"])
@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("x"), OSError("disk full")])
def test_an_object_that_its_reader_chokes_on_is_named_not_lost(retrieve: Any, error: Exception) -> None:
    holds, port = by_uid(_records(3)), free_port()
    bad, came = min(holds), []

    def receive(ds: Dataset) -> None:
        if ds.SOPInstanceUID == bad:
            raise error
        came.append(str(ds.SOPInstanceUID))

    here = DicomNode("RBRDT", "127.0.0.1", port)
    with scp({evt.EVT_C_GET: gives(holds), evt.EVT_C_MOVE: sends(holds, here)}) as pacs:
        refs = [ref_of(ds) for ds in holds.values()]
        failures = fetch(peer_of(pacs.node, port=port), refs, receive, retrieve=retrieve)
    assert set(failures) == {bad}
    assert set(came) == set(holds) - {bad}


def test_a_port_on_which_another_job_receives_just_now_is_waited_for() -> None:
    holds, came = by_uid(_records(1)), []
    other = socket.create_server(("127.0.0.1", 0))
    here = DicomNode("RBRDT", "127.0.0.1", other.getsockname()[1])
    ends = threading.Timer(0.3, other.close)
    ends.start()
    with scp({evt.EVT_C_MOVE: sends(holds, here)}) as pacs:
        refs = [ref_of(ds) for ds in holds.values()]
        assert fetch(peer_of(pacs.node, port=here.port), refs, came.append, retrieve="move") == {}
    ends.join()
    assert len(came) == 1


@pytest.mark.parametrize("uid", ["1.2.3", "1.2.34", "1" * 64])
@pytest.mark.parametrize("transfer_syntax", READ_IN)
def test_an_object_becomes_the_file_that_pydicom_would_write(uid: str, transfer_syntax: str) -> None:
    obj = EncodedObject("1.2.840.10008.5.1.4.1.1.481.4", uid, transfer_syntax, b"its bytes")
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(obj.sop_class_uid), UID(uid)
    meta.TransferSyntaxUID = UID(transfer_syntax)
    file = DicomBytesIO()
    write_file_meta_info(file, meta, enforce_standard=True)
    assert with_file_meta(obj) == bytes(128) + b"DICM" + file.getvalue() + b"its bytes"
