"""This machine takes objects from nodes of the config alone, and those that it asked for; and it waits for nobody."""

from __future__ import annotations

import contextlib
import copy
import socket
import struct
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydicom import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pynetdicom import AE, build_context, evt
from pynetdicom.dsutils import encode

from recovery.dicom.model import DicomNode
from recovery.dimse import DimseError, EncodedObject, Guard, Peer, fetch, open_receiver, store
from recovery.dimse.guard import DOES_NOT_MATCH, NOT_AUTHORISED
from recovery.dimse.opening import query_contexts
from recovery.dimse.receiving import CANNOT_UNDERSTAND
from tests.dimse.scripted import encoded, gives, peer_of, ref_of, scp
from tests.objects import plan, record
from tests.orthanc import free_port
from tests.patience import seconds

WANTED = record(None, [])


class Here:
    """A receiver that awaits `WANTED` from RV at 127.0.0.1, and what became of what was sent."""

    def __init__(self) -> None:
        self.took: list[EncodedObject] = []
        self.refused: list[str] = []
        self.node = DicomNode("RBRDT", "127.0.0.1", free_port())

    def send(self, ds: Dataset | EncodedObject, as_title: str = "RV", called: str = "RBRDT") -> int | None:
        obj = encoded(ds) if isinstance(ds, Dataset) else ds
        sender = Peer(DicomNode(as_title, "127.0.0.1", 1), DicomNode(called, "127.0.0.1", self.node.port), "", 5.0)
        return store(sender, [obj])[obj.sop_instance_uid]

    @contextlib.contextmanager
    def listening(self, host: str = "127.0.0.1", sends_as: tuple[tuple[str, str], ...] = ()) -> Iterator[None]:
        def handle(obj: EncodedObject) -> int:
            self.took.append(obj)
            return 0

        rv = Peer(self.node, DicomNode("RV", host, 104), "rv", 2.0, sends_as=sends_as)
        with open_receiver(self.node, handle, Guard.of(rv, [ref_of(WANTED)], self.refused.append)):
            yield


def test_what_was_asked_for_comes_in() -> None:
    here = Here()
    with here.listening():
        assert here.send(WANTED) == 0
    assert here.took == [encoded(WANTED)]
    assert here.refused == []


@pytest.mark.parametrize(("as_title", "called"), [("RBRDT", "RBRDT"), ("ANYBODY", "RBRDT"), ("RV", "OTHER")])
def test_another_name_is_refused(as_title: str, called: str) -> None:
    here = Here()
    with here.listening(), pytest.raises(DimseError):
        here.send(WANTED, as_title, called)
    assert here.took == []
    told = [f"an association as {as_title} from 127.0.0.1 was refused: no node of the config sends under that AE title"]
    expected = told if as_title != "RV" else []
    until = time.monotonic() + seconds(3)
    while here.refused != expected and time.monotonic() < until:
        time.sleep(0.02)  # it is told after the answer
    assert here.refused == expected


def test_another_address_is_refused_and_told() -> None:
    here = Here()
    with here.listening("127.0.0.2"), pytest.raises(DimseError):
        here.send(WANTED)
    assert here.took == []
    assert "127.0.0.1" in here.refused[0]


def test_a_node_may_send_from_where_the_config_says() -> None:
    here = Here()
    with here.listening("127.0.0.2", (("RVSEND", "localhost"),)):
        assert here.send(WANTED, "RVSEND") == 0
        with pytest.raises(DimseError):
            here.send(record(None, []), "ANYBODY")
        assert here.send(WANTED, "RV") == NOT_AUTHORISED, "that name sends from another address"
    assert len(here.took) == 1


def _changed(**elements: str) -> EncodedObject:
    """The object that is awaited by its command, with another dataset."""
    forged = copy.deepcopy(WANTED)
    for keyword, value in elements.items():
        setattr(forged, keyword, value)
    return EncodedObject(
        WANTED.SOPClassUID, WANTED.SOPInstanceUID, str(WANTED.file_meta.TransferSyntaxUID), encoded(forged).data
    )


@pytest.mark.parametrize(
    "elements",
    [
        {"SOPInstanceUID": "1.2.3"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.481.9"},
        {"PatientID": "666"},
        {"PatientID": ""},
    ],
)
def test_a_dataset_that_is_not_what_was_asked_for_is_refused(elements: dict[str, str]) -> None:
    here = Here()
    with here.listening():
        assert here.send(_changed(**elements)) == DOES_NOT_MATCH
    assert here.took == []
    assert str(WANTED.SOPInstanceUID) in here.refused[0]
    assert "666" not in here.refused[0], "no patient is named"


def test_an_object_that_nobody_asked_for_is_refused_and_named() -> None:
    here, other = Here(), plan({1: 100.0})
    with here.listening():
        assert here.send(other) == NOT_AUTHORISED
        assert here.send(WANTED) == 0
    assert [obj.sop_instance_uid for obj in here.took] == [WANTED.SOPInstanceUID]
    assert other.SOPInstanceUID in here.refused[0]


def test_outside_a_job_nobody_listens() -> None:
    here = Here()
    with here.listening():
        pass
    with pytest.raises(DimseError):
        here.send(WANTED)


@pytest.mark.parametrize("said", [b"", b"\x01", b"\x01\x00\x00\x00\x40\x00" + b"\x00" * 20, b"GET / HTTP/1.0\r\n"])
def test_who_drips_holds_nobody_up(said: bytes) -> None:
    """A byte every tenth of a second, for ever: the receiver ends all the same."""
    here, done = Here(), threading.Event()

    def drip(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(said)
            while not done.wait(0.1):
                connection.sendall(b"\x00")

    with here.listening():
        connection = socket.create_connection((here.node.host, here.node.port))
        thread = threading.Thread(target=drip, args=(connection,))
        thread.start()
        time.sleep(0.5)
        assert here.send(WANTED) == 0, "others are served meanwhile"
        began = time.monotonic()
    assert time.monotonic() - began < seconds(10)
    done.set()
    thread.join(seconds(5))
    connection.close()


def nested(depth: int) -> EncodedObject:
    """A record with a sequence in a sequence in a sequence, of undefined lengths (PS3.5 7.5.2)."""
    inner = b""
    for _ in range(depth):
        item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + inner + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
        end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
        inner = struct.pack("<HH2s2xI", 0x300A, 0x00B0, b"SQ", 0xFFFFFFFF) + item + end
    whole = encoded(WANTED)
    return replace(whole, transfer_syntax=str(ExplicitVRLittleEndian), data=explicit(WANTED) + inner)


def explicit(ds: Dataset) -> bytes:
    return encode(ds, is_implicit_vr=False, is_little_endian=True) or b""


def test_an_object_nested_without_end_is_refused_by_name_and_the_next_one_comes_in() -> None:
    here = Here()
    with here.listening():
        assert here.send(nested(50)) == 0
        assert here.send(nested(5000)) == DOES_NOT_MATCH
        assert here.send(WANTED) == 0
    assert here.refused == [f"object {WANTED.SOPInstanceUID} was sent here, and cannot be read"]


def test_a_message_that_would_fill_the_memory_ends_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recovery.dimse.sockets.MOST_OF_A_MESSAGE", 300_000)
    here, large = Here(), copy.deepcopy(WANTED)
    large.EncapsulatedDocument = bytes(2_000_000)
    with here.listening():
        assert here.send(large) is None, "no answer"
    assert here.took == []


def deflated(data: bytes) -> EncodedObject:
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = squeeze.compress(data) + squeeze.flush()
    return replace(encoded(WANTED), transfer_syntax=str(DeflatedExplicitVRLittleEndian), data=packed)


def test_what_came_deflated_goes_on_inflated_and_never_to_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recovery.dimse.encoding.MOST_INFLATED", 1_000_000)
    whole, here = encode(WANTED, is_implicit_vr=False, is_little_endian=True) or b"", Here()
    zeros = bytes.fromhex("0D300400") + b"OB\0\0" + (20_000_000).to_bytes(4, "little") + bytes(20_000_000)
    bomb, cut_off = deflated(whole + zeros), replace(deflated(whole), data=deflated(whole).data[:-9])
    with here.listening():
        tracemalloc.start()
        assert here.send(bomb) == CANNOT_UNDERSTAND
        assert tracemalloc.get_traced_memory()[1] < 8_000_000, "nobody has unpacked it"
        tracemalloc.stop()
        assert here.send(cut_off) == here.send(replace(cut_off, data=b"no stream")) == CANNOT_UNDERSTAND
        assert here.took == []
        assert here.send(deflated(whole)) == 0
        either = build_context(WANTED.SOPClassUID, [DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian])
        sender = AE("RV").associate("127.0.0.1", here.node.port, [either], "RBRDT")
        assert [c.transfer_syntax for c in sender.accepted_contexts] == [[ExplicitVRLittleEndian]], "where there is one"
        sender.release()
    assert [(o.transfer_syntax, o.data) for o in here.took] == [(ExplicitVRLittleEndian, whole)]
    why = ["is larger than it may be when it is inflated", "is cut off", "cannot be inflated"]
    assert here.refused == [f"object {WANTED.SOPInstanceUID} was sent here, and {text}" for text in why]


def test_nothing_is_asked_for_in_a_syntax_that_unpacks_to_any_size() -> None:
    proposed = {syntax for context in query_contexts() for syntax in context.transfer_syntax}
    assert proposed == {ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian}
    deflated_only = scp({evt.EVT_C_GET: gives({})}, transfer_syntaxes=[DeflatedExplicitVRLittleEndian])
    with deflated_only as pacs, pytest.raises(DimseError, match="gives no C-GET"):
        fetch(peer_of(pacs.node), [ref_of(WANTED)], lambda _: None)
