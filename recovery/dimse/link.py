"""One association to one node, and the one place where DIMSE statuses are judged.

Goal
    Whoever asks a node gets its answer or an error that says what to do. Never silence that looks like "none".

How
    `DimseLink` wraps a pynetdicom association; only the caller takes responses off its queue (`upstream`).
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom import Dataset
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_FIND, C_STORE
from pynetdicom.dsutils import decode, encode
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelFind,
    PatientRootQueryRetrieveInformationModelMove,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
)
from pynetdicom.status import code_to_category

from recovery.dicom import elements as el
from recovery.dimse import upstream
from recovery.dimse.encoding import READ_IN
from recovery.dimse.messages.answers import Answers
from recovery.dimse.patience import Patience, longest_of, patience_of
from recovery.dimse.peer import NOT_SUPPORTED, DimseError, Peer
from recovery.dimse.sockets import QuickSocket, cut

FIND_MODELS = (StudyRootQueryRetrieveInformationModelFind, PatientRootQueryRetrieveInformationModelFind)
MOVE_MODELS = (StudyRootQueryRetrieveInformationModelMove, PatientRootQueryRetrieveInformationModelMove)
RELATIONAL = b"\x01"
"""Extended negotiation: relational queries, please (PS3.4 C.5.1.1.1)."""

MAXIMUM_PDU_SIZE = 131_072
_LAST_MESSAGE_ID = 65_535

_SECONDS_PER_MATCH = 1.0
"""What each match adds to the time of a C-FIND, up to `longest_of`."""
MOST_MATCHES = 1_000_000
"""Of one C-FIND: a node that goes on and on is not believed, and must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Suboperations:
    """What a node says at the end of a C-MOVE or C-GET (PS3.4 C.4.2.1): how many failed, and which where it says so."""

    failed: int
    failed_uids: frozenset[str]


class DimseLink:
    """An established association. Every method returns what the node answered, or raises `DimseError`."""

    def __init__(self, peer: Peer, assoc: Association) -> None:
        self.peer = peer
        self._assoc = assoc
        self._timed_out = False
        self._patience: Patience | None = None
        self._message_id = 0

        def get_msg(block: bool = False) -> Any:
            if not block:
                return None, None
            if self._patience is not None and self._patience.is_over():  # asked here: C-STOREs come between responses
                self.abort()
                return None, None
            try:
                return assoc.dimse.msg_queue.get(timeout=peer.timeout)
            except queue.Empty:
                self._timed_out = True
                return None, None

        upstream.take_messages_by(assoc, get_msg)
        Answers(assoc)

    @property
    def is_open(self) -> bool:
        return bool(self._assoc.is_established)

    @property
    def is_relational(self) -> bool:
        """Whether the node said in the negotiation that it takes relational queries."""
        agreed = self._assoc.acceptor.sop_class_extended
        return any(agreed.get(model, b"")[:1] == RELATIONAL for model in FIND_MODELS)

    def accepts(self, abstract_syntax: str) -> bool:
        return any(c.abstract_syntax == abstract_syntax for c in self._assoc.accepted_contexts)

    def takes(self, sop_class_uid: str, transfer_syntax: str) -> bool:
        """Whether a C-STORE of this class in this transfer syntax was negotiated."""
        return self._context_id(sop_class_uid, transfer_syntax) is not None

    def echo(self) -> None:
        """C-ECHO (PS3.7 section 9.1.5)."""
        self._checked("C-ECHO", self._send(lambda: self._assoc.send_c_echo()))

    def ask_to_commit(self, request: Dataset, model: str, instance: str) -> None:
        """N-ACTION of Storage Commitment (PS3.4 section J.3.2), the last request of this link: the answer that counts
        comes later, by itself, here or elsewhere."""
        status, _ = self._send(lambda: self._assoc.send_n_action(request, 1, model, instance))
        self._checked("N-ACTION", status)
        upstream.leave_messages_to_reactor(self._assoc)

    def find(self, query: Dataset) -> Iterator[Dataset]:
        """C-FIND; yields the matches as they come (PS3.4 C.4.1). None left means: asked, and there is no other.

        A caller who stops before the end ends the association: the next question must not hear this one's answers.
        """
        context = self._context(self._model(FIND_MODELS))
        syntax = context.transfer_syntax[0]
        if syntax not in READ_IN:
            raise self.peer.error("agreed to be asked in a transfer syntax that nobody had proposed")
        encoding = (syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
        request = C_FIND()
        request.AffectedSOPClassUID = context.abstract_syntax
        request.Identifier = BytesIO(encode(query, *encoding) or b"")
        is_pending = True
        try:
            response = self._asked("C-FIND", request, context.context_id)
            until, last = (time.monotonic() + f(self.peer.timeout) for f in (patience_of, longest_of))
            count = 0
            while is_pending := code_to_category(response.Status) == "Pending":
                asked_on = time.monotonic()
                yield self._match(response, encoding)
                count, by_caller = count + 1, time.monotonic() - asked_on
                until, last = until + by_caller + _SECONDS_PER_MATCH, last + by_caller
                response = self._answer("C-FIND", C_FIND)
                if time.monotonic() > min(until, last) or count > MOST_MATCHES:
                    raise self._silence("C-FIND", too_slow=True)
            if self._judged("C-FIND", response.Status) == "Warning":
                raise self.peer.error("answered C-FIND with a warning: there may be more matches", response.Status)
        finally:
            if is_pending:
                self.abort()

    def move(self, query: Dataset, destination: str) -> Suboperations:
        """C-MOVE (PS3.4 C.4.2); what the node says it sent, which is no proof that it arrived."""
        model = self._model(MOVE_MODELS)
        patience = Patience(self.peer.timeout, query)
        return self._suboperations("C-MOVE", lambda: self._assoc.send_c_move(query, destination, model), patience)

    def get(self, query: Dataset, model: str, arrived: Callable[[], int]) -> Suboperations:
        """C-GET; objects arrive at the handler that the association was opened with (PS3.4 C.4.3).

        `arrived` says how many of those asked for have come by now: as long as more do, the end is waited for.
        """
        patience = Patience(self.peer.timeout, query, arrived)
        return self._suboperations("C-GET", lambda: self._assoc.send_c_get(query, model), patience)

    def store_encoded(self, sop_class_uid: str, sop_instance_uid: str, transfer_syntax: str, data: bytes) -> int:
        """C-STORE of a dataset as it is encoded; returns the node's status, also a failure.

        Raises `DimseError` if the node did not accept the class in this transfer syntax, or does not answer.
        """
        context_id = self._context_id(sop_class_uid, transfer_syntax)
        if context_id is None or not self.is_open:
            text = f"does not take SOP class {sop_class_uid} in transfer syntax {transfer_syntax}"
            raise self.peer.error(text, NOT_SUPPORTED if self.is_open else None)
        request = C_STORE()
        request.AffectedSOPClassUID = sop_class_uid
        request.AffectedSOPInstanceUID = sop_instance_uid
        request.DataSet = BytesIO(data)
        try:
            return int(self._asked("C-STORE", request, context_id).Status)
        except DimseError:
            self.abort()
            raise

    def close(self) -> None:
        if self._assoc.is_established:
            self._assoc.release()

    def abort(self) -> None:
        """End the association, and at once: a node in mid-message is not waited for."""
        if self._assoc.is_established:
            holder = self._assoc.dul.socket
            quick = holder.socket if holder is not None else None
            if isinstance(quick, QuickSocket) and quick.is_reading:
                cut(quick)
            self._assoc.abort()

    def _context_id(self, sop_class_uid: str, transfer_syntax: str) -> int | None:
        for context in self._assoc.accepted_contexts:
            if context.abstract_syntax == sop_class_uid and context.transfer_syntax[0] == transfer_syntax:
                return context.context_id
        return None

    def _context(self, abstract_syntax: str) -> PresentationContext:
        return next(c for c in self._assoc.accepted_contexts if c.abstract_syntax == abstract_syntax)

    def _model(self, models: Sequence[str]) -> str:
        for model in models:
            if self.accepts(model):
                return model
        raise self.peer.error("accepts neither Study Root nor Patient Root queries from this machine")

    def _asked(self, verb: str, request: C_FIND | C_STORE, context_id: int | None) -> Any:
        """Send a request; returns the first response to it."""
        if context_id is None or not self.is_open:
            raise self.peer.error("lost the association")
        self._message_id = self._message_id % _LAST_MESSAGE_ID + 1
        request.MessageID = self._message_id
        request.Priority = 2
        self._assoc.dimse.send_msg(request, context_id)
        return self._answer(verb, type(request))

    def _answer(self, verb: str, kind: type[C_FIND | C_STORE]) -> Any:
        """The next response, which has a status."""
        until = time.monotonic() + patience_of(self.peer.timeout)
        _, response = self._assoc.dimse.get_msg(block=True)
        while isinstance(response, kind) and 0 < (response.MessageIDBeingRespondedTo or 0) < self._message_id:
            if time.monotonic() > until:
                raise self._silence(verb, too_slow=True)
            _, response = self._assoc.dimse.get_msg(block=True)  # what came after the end of an earlier answer
        if not isinstance(response, kind) or response.Status is None:
            raise self._silence(verb)
        return response

    def _match(self, response: C_FIND, encoding: tuple[bool, bool, bool]) -> Dataset:
        try:
            return decode(response.Identifier or BytesIO(), *encoding)
        except el.UNREADABLE as error:
            raise self.peer.error("answered a C-FIND with a match that cannot be decoded") from error

    def _send(self, send: Any) -> Any:
        """Send, turning pynetdicom's complaint about a lost association into ours."""
        try:
            return send()
        except (RuntimeError, ValueError) as error:
            raise self.peer.error(f"lost the association or refused the request: {error}") from error

    def _suboperations(self, verb: str, send: Any, patience: Patience) -> Suboperations:
        """Follow a C-MOVE or C-GET to its end; the caller proves one by one what became of the objects."""
        self._patience = patience
        for status, identifier in self._send(send):
            if self._checked(verb, status) == "Pending":
                patience.hear(status)
                continue
            self._patience = None
            return Suboperations(
                failed=int(status.get("NumberOfFailedSuboperations") or 0),
                failed_uids=_failed_uids(identifier),
            )
        raise self._silence(verb)

    def _checked(self, verb: str, status: Dataset) -> str:
        """The category of a status: Success, Pending or Warning. All else, and no status at all, raises."""
        code = status.get("Status")
        if code is None:
            raise self._silence(verb)
        return self._judged(verb, code)

    def _judged(self, verb: str, code: int) -> str:
        category = str(code_to_category(code))
        if category not in {"Success", "Pending", "Warning"}:
            raise self.peer.error(f"answered {verb} with {category.lower()}", code)
        return category

    def _silence(self, verb: str, *, too_slow: bool = False) -> DimseError:
        """What an empty status means: nothing came in time, or the node ended the association."""
        if too_slow or (self._patience is not None and self._patience.has_ended):
            return self.peer.error(f"did not come to an end with {verb}", timed_out=True)
        if self._timed_out:
            return self.peer.error(f"did not answer {verb} in {self.peer.timeout:g} s", timed_out=True)
        return self.peer.error(f"ended the association during {verb}")


def _failed_uids(identifier: Dataset | None) -> frozenset[str]:
    """FailedSOPInstanceUIDList, which a node should send with a warning or a failure (PS3.4 C.4.2.1.4.2)."""
    value = identifier.get("FailedSOPInstanceUIDList") if identifier is not None else None
    if not value:
        return frozenset()
    return frozenset([value] if isinstance(value, str) else map(str, value))
