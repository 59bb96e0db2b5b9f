"""The embedded RT-PACS when things go wrong: killed in the middle, full disk, an index that is lost."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from pydicom import Dataset
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import build_context

from demo.pacs.files import ArchiveFiles
from demo.pacs.index import held_sop_instance_uids
from demo.pacs.store import ArchiveStore
from recovery.dicom.model import DicomNode
from tests.demo import scu
from tests.demo.scu import RT_RECORD, archive_process, find, record, store, uids
from tests.orthanc import free_port

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_acknowledged_survives_kill_9_and_nothing_is_half(tmp_path: Path) -> None:
    node = DicomNode("RTPACS", "127.0.0.1", free_port())
    process = archive_process(tmp_path, node.port)
    acknowledged: list[str] = []

    def send() -> None:
        with scu.associated(node, build_context(RT_RECORD, ImplicitVRLittleEndian)) as assoc:
            for number in range(100_000):
                ds = record(number)
                try:
                    status: Dataset | None = assoc.send_c_store(ds)
                except RuntimeError:  # the association is gone
                    return
                if status is None or status.get("Status") != 0:
                    return
                acknowledged.append(ds.SOPInstanceUID)

    sender = threading.Thread(target=send)
    sender.start()
    while len(acknowledged) < 50:
        time.sleep(0.01)
    process.kill()
    process.wait()
    sender.join(30)
    # files that a kill leaves between write, rename and row, made by hand so that each start meets them
    orphan = ArchiveStore(tmp_path).files
    whole = record(200_000)
    path = orphan.path_of(whole.SOPInstanceUID)
    path.parent.mkdir(exist_ok=True)
    whole.save_as(path, enforce_file_format=True)
    part = path.with_name("1.2.3.dcm.1-1.part")
    part.write_bytes(b"half")
    process = archive_process(tmp_path, node.port)
    try:
        listed = uids(find(node, "IMAGE", SOPInstanceUID=""))
        assert listed >= {*acknowledged, whole.SOPInstanceUID}
        assert len(listed) - len(acknowledged) <= 2  # the orphan, and one that was stored but not yet acknowledged
        assert not part.exists()
        got, status = scu.get(
            node, [(RT_RECORD, ImplicitVRLittleEndian)], QueryRetrieveLevel="IMAGE", SOPInstanceUID=sorted(listed)
        )
        assert (set(got), status.Status) == (listed, 0)
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_a_lost_index_is_made_again_from_the_files(tmp_path: Path) -> None:
    archive = ArchiveStore(tmp_path)
    archive.ingest(record(n) for n in range(5))
    archive.close()
    for path in tmp_path.glob("index.sqlite*"):
        path.unlink()
    again = ArchiveStore(tmp_path)
    again.recover()
    again.close()
    assert held_sop_instance_uids(tmp_path) == {record(n).SOPInstanceUID for n in range(5)}


def test_a_file_that_is_gone_or_changed_while_stopped_is_noticed(tmp_path: Path) -> None:
    archive = ArchiveStore(tmp_path)
    archive.ingest(record(n) for n in range(3))
    archive.files.path_of(record(0).SOPInstanceUID).unlink()
    record(1, TreatmentDate="20300101").save_as(
        archive.files.path_of(record(1).SOPInstanceUID), enforce_file_format=True
    )
    archive.recover()
    assert {o.sop_instance_uid for o in archive.objects("1", ())} == {record(n).SOPInstanceUID for n in (1, 2)}
    assert [o.sop_instance_uid for o in archive.objects("treatment_date = ?", ("20300101",))] == [
        record(1).SOPInstanceUID
    ]


def test_a_full_disk_is_out_of_resources_and_leaves_no_half_file(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="RLIMIT_FSIZE needs a POSIX system")
    node = DicomNode("RTPACS", "127.0.0.1", free_port())
    limit = 1_000_000

    def no_larger_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = archive_process(tmp_path, node.port, preexec_fn=no_larger_files)
    try:
        large = record(2, EncapsulatedDocument=bytes(2 * limit))
        assert store(node, record(1), large, record(3)) == [0, 0xA700, 0]
        assert uids(find(node, "IMAGE", SOPInstanceUID="")) == {record(n).SOPInstanceUID for n in (1, 3)}
        assert len(list((tmp_path / "objects").glob("*/*"))) == 2
    finally:
        process.terminate()
        process.wait(10)


def test_two_senders_of_the_same_object_leave_one(tmp_path: Path) -> None:
    node = DicomNode("RTPACS", "127.0.0.1", free_port())
    process = archive_process(tmp_path, node.port)
    try:
        senders = [threading.Thread(target=store, args=(node, *[record(n) for n in range(20)])) for _ in range(4)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(60)
        assert len(find(node, "IMAGE", SOPInstanceUID="")) == 20
        assert not list((tmp_path / "objects").glob("*/*.part"))
    finally:
        process.terminate()
        process.wait(10)


def test_two_writers_of_one_object_never_share_a_half_written_file(tmp_path: Path) -> None:
    files = ArchiveFiles(tmp_path)
    with ThreadPoolExecutor(2) as pool:
        barrier = threading.Barrier(2)

        def write(content: bytes) -> Path:
            barrier.wait(10)
            return files.write_beside("1.2.3", content)

        first, second = pool.map(write, (b"one", b"two"))
    assert (first.read_bytes(), second.read_bytes()) == (b"one", b"two")
