"""Read the answers to a C-FIND: a thousand of them bear the same command set, which is decoded once.

How
    Stands before pynetdicom's own reader of messages. A message that begins with the very bytes of a command set
    known to mean "pending, one more match" is put together here; every other one is left to pynetdicom.

Why
    pynetdicom makes a Dataset of each command set and a primitive of that Dataset: more than half of the time that a
    long answer takes, spent on the same hundred bytes again and again.
"""

import copy
from io import BytesIO

from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_primitives import C_FIND
from pynetdicom.dsutils import decode
from pynetdicom.pdu_primitives import P_DATA

from recovery.dimse import upstream

_IS_COMMAND, _IS_LAST = 0b01, 0b10
"""Bits of a fragment's message control header (PS3.8 annex E.2)."""

_IS_FIND_RESPONSE = b"\x00\x00\x00\x01\x02\x00\x00\x00\x20\x80"
"""Command Field (0000,0100) C-FIND-RSP, Implicit VR Little Endian (PS3.7 sections 6.3.1 and E.1)."""

_PENDING = (0xFF00, 0xFF01)
"""PS3.4 table C.4-1."""


class Answers:
    """Reads the messages of one association."""

    def __init__(self, dimse: DIMSEServiceProvider) -> None:
        self._dimse = dimse
        self._command = b""
        self._response = C_FIND()
        self._match: BytesIO | None = None
        self._context_id = 0
        self._usual = upstream.read_messages_by(dimse, self.receive)

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
        response = copy.copy(self._response)
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
