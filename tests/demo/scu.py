"""The other end of the wire for the archive's tests: pynetdicom as SCU, with fast sockets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ImplicitVRLittleEndian, generate_uid
from pynetdicom import AE, build_context, build_role, evt
from pynetdicom.dimse_primitives import C_STORE

from recovery.dicom.model import DicomNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pynetdicom.association import Association

PATIENT_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
PATIENT_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.1.2"
PATIENT_ROOT_GET = "1.2.840.10008.5.1.4.1.2.1.3"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
RT_RECORD = "1.2.840.10008.5.1.4.1.1.481.4"
CT = "1.2.840.10008.5.1.4.1.1.2"
ROOT = Path(__file__).parents[2]
TESTDATA = Path(os.environ.get("RBRDT_TESTDATA", str(ROOT.parent / "shared" / "testdata")))


_WITHOUT_A_UID = frozenset({"no_meta.dcm"})  # begins in the middle: nobody can name what it is


def test_files() -> list[Path]:
    """The shared test data; skips loudly without."""
    files = [path for path in sorted(TESTDATA.rglob("*.dcm")) if path.name not in _WITHOUT_A_UID]
    if not files:
        pytest.skip(f"no test data in {TESTDATA}: set RBRDT_TESTDATA to the folder")
    return files


def tool(name: str) -> str:
    """dcmtk's tool, never pynetdicom's script of the same name; skips loudly without."""
    folders = (folder for folder in os.environ["PATH"].split(":") if Path(sys.prefix, "bin") != Path(folder))
    for folder in (*folders, "/usr/bin"):
        path = Path(folder, name)
        if path.is_file() and b"python" not in path.read_bytes()[:60]:
            return str(path)
    pytest.skip(f"{name} is not installed: apt-get install dcmtk")


def no_delay(event: evt.Event) -> None:
    event.assoc.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # type: ignore[union-attr]


@contextmanager
def associated(node: DicomNode, *contexts: Any, handlers: Any = (), **kwargs: Any) -> Iterator[Association]:
    ae = AE(ae_title="TESTSCU")
    assoc = ae.associate(
        node.host,
        node.port,
        contexts=[c if not isinstance(c, str) else build_context(c) for c in contexts],
        ae_title=node.ae_title,
        evt_handlers=[(evt.EVT_CONN_OPEN, no_delay), *handlers],
        **kwargs,
    )
    assert assoc.is_established
    try:
        yield assoc
    finally:
        assoc.release()


def record(number: int, **elements: Any) -> Dataset:
    """A small treatment record; every call with the same number is the same object."""
    ds = Dataset()
    ds.SOPClassUID = RT_RECORD
    ds.SOPInstanceUID = generate_uid(entropy_srcs=["record", str(number)])
    ds.Modality = "RTRECORD"
    ds.PatientID = f"P{number % 3}"
    ds.PatientName = f"BASALT^Osprey{number % 3}"
    ds.StudyInstanceUID = generate_uid(entropy_srcs=["study", str(number % 3)])
    ds.SeriesInstanceUID = generate_uid(entropy_srcs=["series", str(number)])
    ds.SeriesDate = "20261101"
    ds.InstanceCreationDate = f"202611{number % 28 + 1:02d}"
    ds.TreatmentDate = f"202611{number % 28 + 1:02d}"
    ds.TreatmentTime = f"{8 + number % 9:02d}3000"
    plan = Dataset()
    plan.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.481.5"
    plan.ReferencedSOPInstanceUID = generate_uid(entropy_srcs=["plan", str(number % 3)])
    ds.ReferencedRTPlanSequence = [plan]
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return with_meta(ds)


def with_meta(ds: Dataset, syntax: str = ImplicitVRLittleEndian) -> Dataset:
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    return ds


def store(node: DicomNode, *datasets: Dataset) -> list[int]:
    """C-STORE each; the statuses."""
    contexts = {(str(ds.SOPClassUID), str(ds.file_meta.TransferSyntaxUID)) for ds in datasets}
    with associated(node, *(build_context(*pair) for pair in contexts)) as assoc:
        return [int(assoc.send_c_store(ds).Status) for ds in datasets]


def store_bytes(node: DicomNode, path: Path) -> tuple[str, bytes, int]:
    """C-STORE a file's dataset exactly as it lies there; its UID, the bytes and the status."""
    ds = dcmread(path, force=True)
    syntax = ds.file_meta.get("TransferSyntaxUID", ImplicitVRLittleEndian) if hasattr(ds, "file_meta") else None
    syntax = syntax or ImplicitVRLittleEndian
    raw = path.read_bytes()
    if raw[128:132] == b"DICM":
        raw = raw[144 + int.from_bytes(raw[140:144], "little") :]
    sop_class = ds.get("SOPClassUID") or ds.file_meta.MediaStorageSOPClassUID
    uid = ds.get("SOPInstanceUID") or ds.file_meta.MediaStorageSOPInstanceUID
    return str(uid), raw, store_raw(node, str(sop_class), str(uid), raw, syntax)


def store_raw(node: DicomNode, sop_class: str, uid: str, raw: bytes, syntax: str = ImplicitVRLittleEndian) -> int:
    """C-STORE these bytes as the dataset, whatever they are; the status."""
    with associated(node, build_context(sop_class, syntax)) as assoc:
        request = C_STORE()
        request.MessageID, request.Priority = 1, 2
        request.AffectedSOPClassUID = sop_class
        request.AffectedSOPInstanceUID = uid
        request.DataSet = BytesIO(raw)
        assoc._reactor_checkpoint.clear()
        while not assoc._is_paused:
            pass
        assoc.dimse.send_msg(request, assoc.accepted_contexts[0].context_id or 0)
        _, response = assoc.dimse.get_msg(block=True)
        assoc._reactor_checkpoint.set()
    return int(response.Status)  # type: ignore[union-attr,arg-type]


def find(node: DicomNode, level: str, model: str = PATIENT_ROOT_FIND, **keys: Any) -> list[Dataset]:
    """The answers to one C-FIND, which must end in success."""
    identifier = Dataset()
    identifier.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    with associated(node, model) as assoc:
        responses = list(assoc.send_c_find(identifier, model))
    assert responses[-1][0].Status == 0x0000, hex(responses[-1][0].get("Status", 0xFFFF))
    return [answer for _, answer in responses[:-1] if answer is not None]


def uids(answers: list[Dataset]) -> set[str]:
    return {str(answer.SOPInstanceUID) for answer in answers}


def get(node: DicomNode, sop_classes: list[tuple[str, str]], **keys: Any) -> tuple[dict[str, bytes], Dataset]:
    """What a C-GET brings, as dataset bytes by UID, and its final status."""
    got: dict[str, bytes] = {}

    def keep(event: evt.Event) -> int:
        got[str(event.request.AffectedSOPInstanceUID)] = event.encoded_dataset(include_meta=False)  # type: ignore[union-attr]
        return 0

    identifier = Dataset()
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    contexts = [PATIENT_ROOT_GET, *(build_context(*pair) for pair in sop_classes)]
    roles = [build_role(sop_class, scp_role=True) for sop_class, _ in dict(sop_classes).items()]
    with associated(node, *contexts, handlers=[(evt.EVT_C_STORE, keep)], ext_neg=roles) as assoc:
        responses = list(assoc.send_c_get(identifier, PATIENT_ROOT_GET))
    return got, responses[-1][0]


def move(node: DicomNode, destination: str, **keys: Any) -> Dataset:
    """The final status of a C-MOVE."""
    identifier = Dataset()
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    with associated(node, PATIENT_ROOT_MOVE) as assoc:
        return list(assoc.send_c_move(identifier, destination, PATIENT_ROOT_MOVE))[-1][0]


def archive_process(
    folder: Path, port: int, *peers: str, ae_title: str = "RTPACS", **kwargs: Any
) -> subprocess.Popen[str]:
    """`python -m demo.pacs.archive`, once it listens."""
    command = [sys.executable, "-m", "demo.pacs.archive", "--ae-title", ae_title, "--port", str(port)]
    command += ["--folder", str(folder), *(f"--peer={peer}" for peer in peers)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, **kwargs)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("listening")
    return process
