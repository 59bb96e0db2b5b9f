"""C-STORE messages, and what a C-GET says between them: the few elements of their command sets.

How
    Stands before pynetdicom's own reader and writer of messages, on every association. A message that begins with a
    C-STORE-RQ, a C-STORE-RSP or a "pending" of a C-GET, of the elements that each must have, is put together here, and
    a C-STORE-RSP is written here; every other message is left to pynetdicom, and so is whatever is odd.

Why
    pynetdicom makes a Dataset of each command set and a primitive of that, and the same back: for an object of some
    kilobytes that is half of what receiving it costs.
"""

from io import BytesIO
from struct import pack, unpack_from
from typing import TypeVar

from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_primitives import C_GET, C_STORE
from pynetdicom.pdu_primitives import P_DATA

from recovery.dimse import upstream

_IS_COMMAND, _IS_LAST = 0b01, 0b10
"""Bits of a fragment's message control header (PS3.8 annex E.2)."""
_REQUEST, _RESPONSE, _GET_RESPONSE, _NO_DATA, _PENDING = 0x0001, 0x8001, 0x8010, 0x0101, 0xFF00
_CLASS, _FIELD, _ID, _ID_OF_REQUEST = 0x0002, 0x0100, 0x0110, 0x0120
_PRIORITY, _DATA_SET_TYPE, _STATUS, _INSTANCE = 0x0700, 0x0800, 0x0900, 0x1000
_LENGTH, _MOVE_ORIGINATOR, _MOVE_ID = 0x0000, 0x1030, 0x1031
"""Elements of group 0000 (PS3.7 section 9.3.1 and annex E)."""
_OF_A_REQUEST = {_CLASS, _FIELD, _ID, _PRIORITY, _DATA_SET_TYPE, _INSTANCE}
_MAY_STAND_THERE = {_LENGTH, _MOVE_ORIGINATOR, _MOVE_ID}
_OF_A_RESPONSE = {_FIELD, _ID_OF_REQUEST, _DATA_SET_TYPE, _STATUS}
_MAY_BE_ANSWERED = {_LENGTH, _CLASS, _INSTANCE, _ID}
_SUBOPERATIONS = {
    0x1020: "NumberOfRemainingSuboperations",
    0x1021: "NumberOfCompletedSuboperations",
    0x1022: "NumberOfFailedSuboperations",
    0x1023: "NumberOfWarningSuboperations",
}
"""PS3.7 section 9.3.3.2."""
_NUMBERS = {_FIELD, _ID, _ID_OF_REQUEST, _PRIORITY, _DATA_SET_TYPE, _STATUS, *_SUBOPERATIONS}
Answer = TypeVar("Answer", C_STORE, C_GET)
_ROOM = 1024
"""Bytes that a PDU must hold for a response to be one fragment."""


class Stores:
    """Reads and writes the messages of one association."""

    def __init__(self, dimse: DIMSEServiceProvider) -> None:
        self._dimse = dimse
        self._request: C_STORE | None = None
        self._usual_read = upstream.read_messages_by(dimse, self.receive)
        self._usual_send = upstream.send_messages_by(dimse, self.send)

    def receive(self, primitive: P_DATA) -> None:
        """Take the next fragments; called by pynetdicom's reactor. A message never shares its P-DATA with another."""
        fragments = primitive.presentation_data_value_list
        if self._request is None:
            context_id, first = fragments[0]
            is_whole = first[0] & _IS_COMMAND and first[0] & _IS_LAST and self._dimse.message is None
            message = read_message(first[1:]) if is_whole else None
            has_data = isinstance(message, C_STORE) and message.DataSet is not None
            if message is None or (len(fragments) > 1 and not has_data):
                self._usual_read(primitive)
                return
            message._context_id = context_id
            if isinstance(message, C_GET) or message.DataSet is None:
                self._dimse.msg_queue.put((context_id, message))
                return
            self._request, fragments = message, fragments[1:]
        for _, fragment in fragments:
            if fragment[0] & _IS_COMMAND:  # the object before it was cut short: pynetdicom judges what follows
                self._request = None
                self._usual_read(primitive)
                return
            request, data = self._request, self._request.DataSet
            assert data is not None
            data.write(fragment[1:])
            if fragment[0] & _IS_LAST:
                self._request = None
                self._dimse.msg_queue.put((request._context_id or 0, request))
                return

    def send(self, message: object, context_id: int) -> None:
        """Send a message, as a caller of `DIMSEServiceProvider.send_msg` wants it sent."""
        command = written_response(message) if isinstance(message, C_STORE) else b""
        if not command or 0 < self._dimse.maximum_pdu_size < _ROOM:
            self._usual_send(message, context_id)
            return
        primitive = P_DATA()
        primitive.presentation_data_value_list.append((context_id, bytes([_IS_COMMAND | _IS_LAST]) + command))
        self._dimse.dul.send_pdu(primitive)


def read_message(command: bytes) -> C_STORE | C_GET | None:
    """The message that a command set begins; None for another kind, and for whatever is odd. A request to store has an
    empty data set, to be filled."""
    try:
        elements = _elements(command)
        numbers = {element: _number(value) for element, value in elements.items() if element in _NUMBERS}
        kind, has_data = numbers.get(_FIELD), numbers.get(_DATA_SET_TYPE) != _NO_DATA
        if kind == _REQUEST and has_data and _has(elements, _OF_A_REQUEST, _MAY_STAND_THERE):
            return _stored(elements, numbers)
        if kind == _RESPONSE and not has_data and _has(elements, _OF_A_RESPONSE, _MAY_BE_ANSWERED):
            return _answered(C_STORE(), elements, numbers)
        is_pending = kind == _GET_RESPONSE and not has_data and numbers.get(_STATUS) == _PENDING
        if is_pending and _has(elements, _OF_A_RESPONSE, {_LENGTH, _CLASS, *_SUBOPERATIONS}):
            return _answered(C_GET(), elements, numbers)
    except ValueError:
        pass
    return None


def _stored(elements: dict[int, bytes], numbers: dict[int, int]) -> C_STORE | None:
    """Raises `ValueError`, as `_answered` does, for what is no UID."""
    message = C_STORE()
    message.MessageID, message.Priority = numbers[_ID], numbers[_PRIORITY]
    message.AffectedSOPClassUID, message.AffectedSOPInstanceUID = _uid(elements, _CLASS), _uid(elements, _INSTANCE)
    message.DataSet = BytesIO()
    return message if message.is_valid_request else None


def _answered(message: Answer, elements: dict[int, bytes], numbers: dict[int, int]) -> Answer:
    message.MessageIDBeingRespondedTo, message.Status = numbers[_ID_OF_REQUEST], numbers[_STATUS]
    message.AffectedSOPClassUID = _uid(elements, _CLASS)
    if isinstance(message, C_STORE):
        message.AffectedSOPInstanceUID = _uid(elements, _INSTANCE)
    else:
        for element, keyword in _SUBOPERATIONS.items():
            setattr(message, keyword, numbers.get(element))
    return message


def written_response(message: C_STORE) -> bytes:
    """The command set of a response; empty for a request, and for a response that says more than its status."""
    says_more = message.OffendingElement or message.ErrorComment
    if message.MessageIDBeingRespondedTo is None or message.Status is None or says_more:
        return b""
    elements = b"".join(
        [
            _written_uid(_CLASS, message.AffectedSOPClassUID),
            _element(_FIELD, pack("<H", _RESPONSE)),
            _element(_ID_OF_REQUEST, pack("<H", message.MessageIDBeingRespondedTo)),
            _element(_DATA_SET_TYPE, pack("<H", _NO_DATA)),
            _element(_STATUS, pack("<H", message.Status)),
            _written_uid(_INSTANCE, message.AffectedSOPInstanceUID),
        ]
    )
    return _element(_LENGTH, pack("<L", len(elements))) + elements


def _elements(command: bytes) -> dict[int, bytes]:
    """By element of group 0000, Implicit VR Little Endian (PS3.7 section 6.3.1). Raises `ValueError` if it is not."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(command):
        if at + 8 > len(command):
            raise ValueError("the command set is cut off")
        group, element, length = unpack_from("<HHL", command, at)
        end = at + 8 + length
        if group or element in found or end > len(command):
            raise ValueError("this is no command set")
        found[element] = command[at + 8 : end]
        at = end
    return found


def _has(elements: dict[int, bytes], needed: set[int], may_be: set[int]) -> bool:
    return needed <= elements.keys() <= needed | may_be


def _number(value: bytes) -> int:
    if len(value) != 2:
        raise ValueError("a number of a command set has two bytes")
    return int.from_bytes(value, "little")


def _uid(elements: dict[int, bytes], element: int) -> str | None:
    value = elements.get(element)
    return None if value is None else value.decode("ascii").rstrip("\0 ")


def _element(element: int, value: bytes) -> bytes:
    return pack("<HHL", 0, element, len(value)) + value


def _written_uid(element: int, uid: str | None) -> bytes:
    """Padded to an even length (PS3.5 section 9.1); nothing for a UID that there is not."""
    if uid is None:
        return b""
    value = str(uid).encode("ascii", "replace")
    return _element(element, value + b"\0" * (len(value) % 2))
