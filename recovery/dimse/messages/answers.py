"""Read the answers to a C-FIND: a thousand of them bear the same command set, which is decoded once.

How
    Stands before pynetdicom's own readers of PDUs and of messages. PDUs of data are read as many at a time as have
    come, and handed on; the last of them, one that is not whole yet, and any other, are left to pynetdicom. A message
    that begins with the very bytes of a command set known to mean "pending, one more match" is put together here;
    every other one is left to pynetdicom.

Why
    pynetdicom makes a Dataset of each command set and a primitive of that Dataset, and reads each PDU in two pieces,
    through a queue: three quarters of the time that a long answer takes, spent on the same hundred bytes.
"""

from contextlib import suppress
from io import BytesIO

from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_FIND
from pynetdicom.dsutils import decode
from pynetdicom.pdu_primitives import P_DATA

from recovery.dimse import upstream
from recovery.dimse.sockets import QuickSocket

_P_DATA_TF = 4
_HEADER = 6
"""Bytes of a PDU: its type, one reserved, four of its length (PS3.8 table 9-22)."""
_IS_COMMAND, _IS_LAST = 0b01, 0b10
"""Bits of a fragment's message control header (PS3.8 annex E.2)."""

_IS_FIND_RESPONSE = b"\x00\x00\x00\x01\x02\x00\x00\x00\x20\x80"
"""Command Field (0000,0100) C-FIND-RSP, Implicit VR Little Endian (PS3.7 sections 6.3.1 and E.1)."""

_PENDING = (0xFF00, 0xFF01)
"""PS3.4 table C.4-1."""


class Answers:
    """Reads the messages of one association."""

    def __init__(self, assoc: Association) -> None:
        self._dul, self._dimse = assoc.dul, assoc.dimse
        self._command = b""
        self._response = C_FIND()
        self._match: BytesIO | None = None
        self._context_id = 0
        self._usual = upstream.read_messages_by(self._dimse, self.receive)
        self._read_one = upstream.read_pdus_by(self._dul, self.read)

    def read(self) -> None:
        """Read what has come; called by pynetdicom's reactor when something has."""
        quick = self._dul.socket.socket if self._dul.socket is not None else None
        if isinstance(quick, QuickSocket) and upstream.is_in_data_transfer(self._dul):
            with suppress(OSError):  # of which `_read_one` hears, too
                quick.read_ahead()
            quick.ahead = self._hand_on(quick.ahead)
            while len(quick.ahead) >= _HEADER:
                self._read_one()
                if not quick.ahead:
                    return
        self._read_one()

    def _hand_on(self, came: bytes) -> bytes:
        """Hand on whole PDUs of data but the last one; returns the rest. With the last, pynetdicom's reactor has an
        event to work on, and does not sleep."""
        at = 0
        while (end := end_of_data(came, at)) and end < len(came):
            if not (fragments := fragments_of(came, at + _HEADER, end)):
                break
            primitive = P_DATA()
            primitive.presentation_data_value_list = []
            primitive.presentation_data_value_list.extend(fragments)
            self._dimse.receive_primitive(primitive)
            at = end
        return came[at:]

    def receive(self, primitive: P_DATA) -> None:
        """Take the next fragments; called by pynetdicom's reactor. A message never shares its P-DATA with another."""
        fragments = primitive.presentation_data_value_list
        if self._match is None:
            context_id, first = fragments[0]
            if self._dimse.message is not None or not first[0] & _IS_COMMAND or not first[0] & _IS_LAST:
                self._usual(primitive)
                return
            if not self._command or first[1:] != self._command:
                self._learn(first[1:])
                self._usual(primitive)
                return
            self._match, self._context_id = BytesIO(), context_id
            fragments = fragments[1:]
        for _, fragment in fragments:
            if fragment[0] & _IS_COMMAND:  # the match before it was cut short: pynetdicom judges what follows
                self._match = None
                self._usual(primitive)
                return
            self._match.write(fragment[1:])
            if fragment[0] & _IS_LAST:
                self._pass_on(self._match)
                return

    def _pass_on(self, match: BytesIO) -> None:
        self._match = None
        response = C_FIND.__new__(C_FIND)
        response.__dict__ |= self._response.__dict__
        response.Identifier = match
        self._dimse.msg_queue.put((self._context_id, response))

    def _learn(self, command: bytes) -> None:
        """Keep a command set that says "pending, one more match"."""
        if _IS_FIND_RESPONSE not in command:
            return
        ds = decode(BytesIO(command), True, True)
        if ds.get("Status") not in _PENDING:
            return
        self._command, self._response = command, C_FIND()
        self._response.MessageIDBeingRespondedTo = ds.get("MessageIDBeingRespondedTo")
        self._response.AffectedSOPClassUID = ds.get("AffectedSOPClassUID")
        self._response.Status = ds.Status


def end_of_data(came: bytes, at: int) -> int:
    """Where a PDU of data that begins here ends; 0 where none does, or not all of it has come."""
    if len(came) < at + _HEADER or came[at] != _P_DATA_TF:
        return 0
    end = at + _HEADER + int.from_bytes(came[at + 2 : at + _HEADER])
    return end if end <= len(came) else 0


def fragments_of(came: bytes, at: int, end: int) -> list[tuple[int, bytes]]:
    """Presentation context and value of each item of a PDU (PS3.8 table 9-23); none where they do not fill it."""
    found: list[tuple[int, bytes]] = []
    while at < end:
        next_at = at + 4 + int.from_bytes(came[at : at + 4])
        if not at + 6 <= next_at <= end:
            return []
        found.append((came[at + 4], came[at + 5 : next_at]))
        at = next_at
    return found
