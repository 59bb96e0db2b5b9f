"""One association to one node, and the one place where DIMSE statuses are judged.

Goal
    Whoever asks a node gets its answer or an error that says what to do. Never silence that looks like "none".

How
    `Link` wraps a pynetdicom association: small packets leave at once (TCP_NODELAY), received ones are
    acknowledged at once (TCP_QUICKACK), and only the caller takes responses off the queue.

Why
    Nagle's algorithm on one side and delayed acknowledgement on the other cost 40 ms a message. And pynetdicom's
    own reactor thread can take a C-FIND response that the caller waits for: the caller then reads "Success, no
    match" although the match had arrived (8 of 12,000 queries). Here the reactor of a requestor takes none.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

from pynetdicom import AE, _config, evt
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelFind,
    PatientRootQueryRetrieveInformationModelMove,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)
from pynetdicom.status import code_to_category

from recovery.model import DicomNode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom import Dataset
    from pynetdicom.association import Association

logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
_config.LOG_REQUEST_IDENTIFIERS = False
_config.LOG_RESPONSE_IDENTIFIERS = False
_config.UNRESTRICTED_STORAGE_SERVICE = True  # private storage classes, such as Varian's RT Plan, are storage too

FIND_MODELS = (StudyRootQueryRetrieveInformationModelFind, PatientRootQueryRetrieveInformationModelFind)
MOVE_MODELS = (StudyRootQueryRetrieveInformationModelMove, PatientRootQueryRetrieveInformationModelMove)
RELATIONAL = b"\x01"
"""Extended negotiation: relational queries, please (PS3.4 C.5.1.1.1)."""

MAXIMUM_PDU_SIZE = 131_072

_ROLES = {"rv": "The R&V system", "pacs": "The RT-PACS", "tps": "The planning system", "": "The node"}


class DimseError(RuntimeError):
    """A node could not be asked, or did not do what it was asked. `fault` is its role, `status` what it said."""

    def __init__(self, text: str, *, fault: str = "", status: int | None = None) -> None:
        super().__init__(text)
        self.fault = fault
        self.status = status


@dataclass(slots=True)
class NodeTraits:
    """What a node was found to understand; tried once, kept between runs. None: not tried yet."""

    relational: bool | None = None
    uid_lists: bool | None = None
    ignored_keys: list[str] = field(default_factory=list)
    asked: dict[str, list[float]] = field(default_factory=dict)
    """Per query: when it was last asked (seconds since 1970) and how long it took (s)."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A node as this machine speaks to it. `role`: rv, pacs or tps; `timeout` in seconds."""

    local: DicomNode
    remote: DicomNode
    role: str = ""
    timeout: float = 60.0
    traits: NodeTraits = field(default_factory=NodeTraits, compare=False)

    def error(self, text: str, status: int | None = None) -> DimseError:
        said = f" (status 0x{status:04X})" if status is not None else ""
        return DimseError(f"{_ROLES[self.role]} {self.remote} {text}{said}.", fault=self.role, status=status)


class QuickSocket(socket.socket):
    """A socket that acknowledges at once what it receives. Linux forgets TCP_QUICKACK, so it is set at each read."""

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        with contextlib.suppress(OSError):
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return super().recv(bufsize, flags)


def make_quick(event: evt.Event) -> None:
    """Give a freshly opened connection a socket without delays. For EVT_CONN_OPEN, on either side."""
    holder = event.assoc.dul.socket
    plain = holder.socket if holder is not None else None
    if holder is None or plain is None:
        return
    quick = QuickSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
    quick.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    holder.socket = quick


def query_contexts() -> list[PresentationContext]:
    """What asking and moving need: verification, find and move, in both information models."""
    return [build_context(uid) for uid in (Verification, *FIND_MODELS, *MOVE_MODELS)]


class Link:
    """An established association. Every method returns what the node answered, or raises `DimseError`."""

    def __init__(self, peer: Peer, assoc: Association) -> None:
        self.peer = peer
        self._assoc = assoc
        blocking_get = assoc.dimse.get_msg

        def get_msg(block: bool = False) -> Any:
            return blocking_get(block=True) if block else (None, None)

        # The reactor asks without blocking, and gets nothing: no response can go astray.
        assoc.dimse.get_msg = get_msg  # type: ignore[method-assign]

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

    def find(self, query: Dataset) -> Iterator[Dataset]:
        """C-FIND; yields the matches as they come (PS3.4 C.4.1). None left means: asked, and there is no other."""
        for status, identifier in self._send(lambda: self._assoc.send_c_find(query, self._model(FIND_MODELS))):
            category = self._checked("C-FIND", status)
            if category != "Pending":
                return
            if identifier is None:
                raise self.peer.error("answered a C-FIND with a match that cannot be decoded")
            yield identifier

    def move(self, query: Dataset, destination: str) -> int:
        """C-MOVE; returns the number of completed sub-operations (PS3.4 C.4.2)."""
        model = self._model(MOVE_MODELS)
        return self._suboperations("C-MOVE", lambda: self._assoc.send_c_move(query, destination, model))

    def get(self, query: Dataset, model: str) -> int:
        """C-GET; objects arrive at the handler that the association was opened with (PS3.4 C.4.3)."""
        return self._suboperations("C-GET", lambda: self._assoc.send_c_get(query, model))

    def store_encoded(self, sop_class_uid: str, sop_instance_uid: str, transfer_syntax: str, data: bytes) -> int:
        """C-STORE of a dataset as it is encoded; returns the node's status, also a failure.

        Raises
        ------
        DimseError
            If the node did not accept the class in this transfer syntax, or does not answer.
        """
        context_id = self._context_id(sop_class_uid, transfer_syntax)
        if context_id is None or not self.is_open:
            raise self.peer.error(f"does not take SOP class {sop_class_uid} in transfer syntax {transfer_syntax}")
        request = C_STORE()
        request.MessageID = 1
        request.AffectedSOPClassUID = sop_class_uid
        request.AffectedSOPInstanceUID = sop_instance_uid
        request.Priority = 2
        request.DataSet = BytesIO(data)
        self._assoc.dimse.send_msg(request, context_id)
        _, response = self._assoc.dimse.get_msg(block=True)
        if not isinstance(response, C_STORE) or response.Status is None:
            raise self._silence("C-STORE")
        return int(response.Status)

    def close(self) -> None:
        if self._assoc.is_established:
            self._assoc.release()

    def abort(self) -> None:
        if self._assoc.is_established:
            self._assoc.abort()

    def _context_id(self, sop_class_uid: str, transfer_syntax: str) -> int | None:
        for context in self._assoc.accepted_contexts:
            if context.abstract_syntax == sop_class_uid and context.transfer_syntax[0] == transfer_syntax:
                return context.context_id
        return None

    def _model(self, models: Sequence[str]) -> str:
        for model in models:
            if self.accepts(model):
                return model
        raise self.peer.error("accepts neither Study Root nor Patient Root queries from this machine")

    def _send(self, send: Any) -> Any:
        """Send, turning pynetdicom's complaint about a lost association into ours."""
        try:
            return send()
        except (RuntimeError, ValueError) as error:
            raise self.peer.error(f"lost the association or refused the request: {error}") from error

    def _suboperations(self, verb: str, send: Any) -> int:
        """Follow a C-MOVE or C-GET to its end; failed sub-operations are the caller's to prove one by one."""
        completed = 0
        for status, _ in self._send(send):
            category = self._checked(verb, status)
            completed = int(status.get("NumberOfCompletedSuboperations") or completed)
            if category in {"Success", "Warning"}:
                return completed
        return completed

    def _checked(self, verb: str, status: Dataset) -> str:
        """The category of a status: Success, Pending or Warning. All else, and no status at all, raises."""
        code = status.get("Status")
        if code is None:
            raise self._silence(verb)
        category = str(code_to_category(code))
        if category not in {"Success", "Pending", "Warning"}:
            raise self.peer.error(f"answered {verb} with {category.lower()}", code)
        return category

    def _silence(self, verb: str) -> DimseError:
        """What an empty status means: pynetdicom's time-out, an abort, or a closed connection."""
        if self._assoc.is_aborted or not self._assoc.is_established:
            return self.peer.error(f"ended the association, or was silent for {self.peer.timeout:g} s, during {verb}")
        return self.peer.error(f"did not answer {verb} in {self.peer.timeout:g} s")


@contextlib.contextmanager
def open_link(
    peer: Peer,
    contexts: Sequence[PresentationContext] | None = None,
    *,
    handlers: Sequence[Any] = (),
    roles: Sequence[Any] = (),
) -> Iterator[Link]:
    """Open an association, and release it at the end (abort it, if the end is an exception).

    Raises
    ------
    DimseError
        If the node cannot be reached, refuses, or does not answer in `peer.timeout` seconds.
    """
    ae = AE(ae_title=peer.local.ae_title)
    ae.acse_timeout = min(peer.timeout, 15.0)
    ae.connection_timeout = min(peer.timeout, 10.0)
    ae.dimse_timeout = peer.timeout
    ae.network_timeout = peer.timeout * 2
    relational = [SOPClassExtendedNegotiation() for _ in FIND_MODELS]
    for item, model in zip(relational, FIND_MODELS, strict=True):
        item.sop_class_uid = model
        item.service_class_application_information = RELATIONAL
    assoc = ae.associate(
        peer.remote.host,
        peer.remote.port,
        contexts=list(contexts if contexts is not None else query_contexts()),
        ae_title=peer.remote.ae_title,
        max_pdu=MAXIMUM_PDU_SIZE,
        ext_neg=[*(relational if contexts is None else []), *roles],
        evt_handlers=[(evt.EVT_CONN_OPEN, make_quick), *handlers],
    )
    if not assoc.is_established:
        raise peer.error(_why_not(assoc))
    link = Link(peer, assoc)
    try:
        yield link
    except BaseException:
        link.abort()
        raise
    link.close()


def _why_not(assoc: Association) -> str:
    """Why an association was not established, and what to look at."""
    answer = assoc.acceptor.primitive
    if assoc.is_rejected and answer is not None:
        return f"refused the association: {answer.reason_str.lower()}. Check the AE titles on both sides"
    if assoc.is_aborted:
        return "aborted the association while it was set up, or did not answer"
    return "cannot be reached. Check host and port in the config, and that it runs"
