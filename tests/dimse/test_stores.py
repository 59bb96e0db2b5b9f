"""C-STORE messages are read and written here as pynetdicom reads and writes them; what is odd is left to it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pynetdicom.dimse_messages import C_GET_RSP, C_STORE_RQ, C_STORE_RSP
from pynetdicom.dimse_primitives import C_GET, C_STORE
from pynetdicom.dsutils import encode

from recovery.dimse.messages.stores import read_message, written_response

uids = st.from_regex(r"[12](\.(0|[1-9][0-9]{0,8})){1,5}", fullmatch=True)
numbers = st.integers(0, 0xFFFF)
NAMES = (
    *("MessageID", "MessageIDBeingRespondedTo", "AffectedSOPClassUID", "AffectedSOPInstanceUID", "Priority", "Status"),
    *("OffendingElement", "ErrorComment"),
)
GET_NAMES = ("MessageIDBeingRespondedTo", "AffectedSOPClassUID", "Status")
COUNTS = tuple(f"NumberOf{word}Suboperations" for word in ("Remaining", "Completed", "Failed", "Warning"))


def command_of(primitive: C_STORE | C_GET, message: Any) -> bytes:
    message.primitive_to_message(primitive)
    return encode(message.command_set, True, True) or b""


def request(sop_class: str, uid: str, number: int, priority: int = 2) -> C_STORE:
    made = C_STORE()
    made.AffectedSOPClassUID, made.AffectedSOPInstanceUID = sop_class, uid
    made.MessageID, made.Priority = number, priority
    made.DataSet = BytesIO(b"some bytes")
    return made


def response(sop_class: str | None, uid: str | None, number: int, status: int) -> C_STORE:
    made = C_STORE()
    made.AffectedSOPClassUID, made.AffectedSOPInstanceUID = sop_class, uid
    made.MessageIDBeingRespondedTo, made.Status = number, status
    return made


@given(uids, uids, numbers, st.sampled_from([0, 1, 2]))
def test_a_request_is_read_as_pynetdicom_reads_it(sop_class: str, uid: str, number: int, priority: int) -> None:
    sent = request(sop_class, uid, number, priority)
    read = read_message(command_of(sent, C_STORE_RQ()))
    assert isinstance(read, C_STORE) and read.is_valid_request and read.DataSet is not None
    assert [getattr(read, name) for name in NAMES] == [getattr(sent, name) for name in NAMES]


@given(st.none() | uids, st.none() | uids, numbers, numbers)
def test_a_response_is_written_and_read_as_pynetdicom_does(
    sop_class: str | None, uid: str | None, number: int, status: int
) -> None:
    sent = response(sop_class, uid, number, status)
    command = command_of(sent, C_STORE_RSP())
    assert written_response(sent) == command
    read = read_message(command)
    assert isinstance(read, C_STORE) and read.DataSet is None and read.is_valid_response
    assert [getattr(read, name) for name in NAMES] == [getattr(sent, name) for name in NAMES]


def test_a_response_that_says_why_is_left_to_pynetdicom() -> None:
    sent = response("1.2", "1.2.3", 7, 0xA700)
    sent.ErrorComment = "the disk is full"
    assert written_response(sent) == b""
    assert read_message(command_of(sent, C_STORE_RSP())) is None


@given(uids, uids, numbers, st.data())
def test_a_command_set_that_is_cut_off_or_altered_is_never_taken_for_another(
    sop_class: str, uid: str, number: int, data: st.DataObject
) -> None:
    command = bytearray(command_of(request(sop_class, uid, number), C_STORE_RQ()))
    assert read_message(bytes(command[: data.draw(st.integers(0, len(command) - 1))])) is None
    at = data.draw(st.integers(0, len(command) - 1))
    command[at] ^= 1 << data.draw(st.integers(0, 7))
    read = read_message(bytes(command))
    assert read is None or read.is_valid_request or read.is_valid_response


@given(uids, numbers, st.lists(st.none() | numbers, min_size=4, max_size=4), st.sampled_from([0xFF00, 0x0000, 0xB000]))
def test_what_a_c_get_says_between_its_objects_is_read_as_pynetdicom_reads_it(
    model: str, number: int, counts: list[int | None], status: int
) -> None:
    """Of its end there may be more to read: that is left to pynetdicom."""
    sent = C_GET()
    sent.MessageIDBeingRespondedTo, sent.AffectedSOPClassUID, sent.Status = number, model, status
    for name, count in zip(COUNTS, counts, strict=True):
        setattr(sent, name, count)
    read = read_message(command_of(sent, C_GET_RSP()))
    assert (read is not None) == (status == 0xFF00)
    if read is not None:
        assert isinstance(read, C_GET) and read.is_valid_response and read.Identifier is None
        assert [getattr(read, name) for name in (*GET_NAMES, *COUNTS)] == [
            getattr(sent, name) for name in (*GET_NAMES, *COUNTS)
        ]
