"""This machine as a storage SCP, for as long as a job needs one.

How
    A pynetdicom server with quick sockets, inside TLS where the config says so: each handshake has its own thread and
    an end. Every storage class is taken, private ones too (`upstream`), in the first transfer syntax that is proposed;
    the bytes are handed on as they came. A guard says from whom, and which objects.

Why
    The replaced tool answered 0x0000 before it had forwarded anything. Here the handler's own status is the answer.
"""

from __future__ import annotations

import contextlib
import errno
import queue
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pydicom import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, generate_uid
from pynetdicom import AE, build_context, evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    Verification,
)

from recovery.dicom import elements as el
from recovery.dicom.model import DicomNode
from recovery.dimse import upstream
from recovery.dimse.encoding import EncodedObject, inflated
from recovery.dimse.guard import NOT_AUTHORISED, Guard, senders_of
from recovery.dimse.link import MAXIMUM_PDU_SIZE
from recovery.dimse.opening import open_association
from recovery.dimse.peer import DimseError, Peer
from recovery.dimse.sockets import QuickSocket, SecureSocket, cut, make_quick
from recovery.dimse.tls import in_words
from recovery.host import system
from recovery.words.printable import printable

CANNOT_STORE = 0xA700
"""Refused: out of resources (PS3.4 table B.2-1). What a sender is told when the object got no further than here."""
CANNOT_UNDERSTAND = 0xC000
"""Error: cannot understand (PS3.4 table B.2-1)."""
_HANDSHAKE_SECONDS = 15.0
_ON_THE_SAME_SECONDS = 3.0
_GOODBYE_SECONDS = 5.0
_COMMITMENT = StorageCommitmentPushModel


def encoded_object(event: evt.Event) -> EncodedObject:
    """The object of an EVT_C_STORE."""
    request = cast("C_STORE", event.request)
    return EncodedObject(
        sop_class_uid=str(request.AffectedSOPClassUID),
        sop_instance_uid=str(request.AffectedSOPInstanceUID),
        transfer_syntax=str(event.context.transfer_syntax),
        data=request.DataSet.getvalue() if request.DataSet is not None else b"",
    )


@contextlib.contextmanager
def open_receiver(local: DicomNode, handle: Callable[[EncodedObject], int], guard: Guard | None) -> Iterator[None]:
    """Listen at `local`; `handle` gets each object, and returns the C-STORE status to answer.

    `guard` says who may send what; None takes everything from everybody, which is for tests.

    Raises `DimseError` if the port is taken, and was not free again within the guard's time-out.
    """
    takes = (evt.EVT_REQUESTED, _prefer_what_is_not_deflated), (evt.EVT_C_STORE, lambda e: _take(e, handle, guard))
    with _open_server(local, takes, guard):
        yield


def ask_to_commit(peer: Peer, objects: Mapping[str, str]) -> dict[str, str] | None:
    """Ask a node to take responsibility for what it holds (Storage Commitment, PS3.4 annex J); `objects`: SOP class by
    SOP Instance UID. Returns what it does not, and why; None where it tells nothing in `peer.timeout` seconds.

    The answer comes on this association or, as from most nodes, on one of the node's own (section J.3.3).

    Raises `DimseError` if it cannot be asked; its `status` is `NOT_SUPPORTED` if it does not offer that.
    """
    request, answers = Dataset(), queue.SimpleQueue[tuple[Dataset, Association]]()
    request.TransactionUID = generate_uid()
    request.ReferencedSOPSequence = [_referenced(sop_class, uid) for uid, sop_class in objects.items()]

    def hear(event: evt.Event) -> tuple[int, None]:
        try:
            said = event.event_information
        except el.UNREADABLE:
            return CANNOT_UNDERSTAND, None
        if el.text(said, "TransactionUID") == request.TransactionUID:
            answers.put((said, event.assoc))
        return 0x0000, None

    def answer(seconds: float) -> tuple[Dataset, Association] | None:
        with contextlib.suppress(queue.Empty):
            return answers.get(timeout=seconds)
        return None

    guard = Guard(senders_of(peer), timeout=peer.timeout, tls=peer.own_tls)
    heard = evt.EVT_N_EVENT_REPORT, hear
    with _open_server(peer.local, [heard], guard):
        with open_association(peer, [build_context(_COMMITMENT)], handlers=[heard]) as link:
            link.ask_to_commit(request, _COMMITMENT, StorageCommitmentPushModelInstance)
            told = answer(min(_ON_THE_SAME_SECONDS, peer.timeout))
        told = told or answer(peer.timeout)
        if told is None:
            return None
        said, by = told
        by.join(min(_GOODBYE_SECONDS, peer.timeout))  # our response is on its way: cut off, the node would tell again
    held = {el.text(item, "ReferencedSOPInstanceUID") for item in el.items(said, "ReferencedSOPSequence")}
    failed = {el.text(one, "ReferencedSOPInstanceUID"): one for one in el.items(said, "FailedSOPSequence")}
    return {uid: _reason(failed.get(uid)) for uid in objects if uid not in held or uid in failed}


def _referenced(sop_class: str, uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
    return item


def _reason(failed: Dataset | None) -> str:
    code = el.integer(failed, "FailureReason")
    return "it was not named in the answer" if code is None else f"reason {code:04X}"


@contextlib.contextmanager
def _open_server(local: DicomNode, takes: Iterable[Any], guard: Guard | None) -> Iterator[None]:
    connections = _Connections()
    context = _tls_context(guard)
    handlers: list[Any] = [
        (evt.EVT_CONN_OPEN, lambda event: _let_in(event, guard, context, connections)),
        (evt.EVT_REJECTED, lambda event: _tell_rejected(event, guard)),
        *takes,
    ]
    ae = _scp(local, guard)
    server = _listening(ae, local, handlers, guard.timeout if guard is not None else 0.0)
    if server is None:
        raise DimseError(f"This machine cannot listen as {local}.")
    try:
        yield
    finally:
        _shut_down(ae, server, connections)


def _listening(ae: AE, local: DicomNode, handlers: list[Any], patience: float) -> Any:
    """Start to listen. Another job of this machine may be receiving just now: it is waited for, `patience` seconds."""
    until = time.monotonic() + patience
    while True:
        try:
            system.refuse_taken_port(local.host, local.port)
            return ae.start_server((local.host, local.port), block=False, evt_handlers=handlers)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < until:
                time.sleep(0.1)
                continue
            raise DimseError(
                f"This machine cannot listen as {local}: {error.strerror or error}. Check [local] host and port, and "
                "that no other program uses them."
            ) from error


def _scp(local: DicomNode, guard: Guard | None) -> AE:
    ae = AE(ae_title=local.ae_title)
    ae.maximum_pdu_size = MAXIMUM_PDU_SIZE
    ae.maximum_associations = 50
    ae.network_timeout = 300
    ae.add_supported_context(Verification)  # all that is not storage; more would be copied for each association
    ae.add_supported_context(_COMMITMENT, scu_role=False, scp_role=True)  # who reports it is its SCP
    if guard is not None:
        ae.require_called_aet = True
        ae.require_calling_aet = sorted(guard.senders)
        ae.acse_timeout = min(guard.timeout, 15.0)
        ae.dimse_timeout = guard.timeout
    return ae


@dataclass(slots=True)
class _Connections:
    """All that were opened. One that comes when they have ended ends, too, in mid-handshake."""

    sockets: list[QuickSocket] = field(default_factory=list)
    have_ended: bool = False

    def add(self, quick: QuickSocket) -> None:
        self.sockets.append(quick)
        if self.have_ended:
            cut(quick)

    def end(self) -> None:
        self.have_ended = True
        for quick in self.sockets:
            cut(quick)


def _tls_context(guard: Guard | None) -> ssl.SSLContext | None:
    try:
        return guard.tls.context(is_server=True) if guard is not None and guard.tls is not None else None
    except OSError as error:
        raise DimseError(f"This machine cannot listen: {error}. Check [local.tls].") from error


def _let_in(event: evt.Event, guard: Guard | None, context: ssl.SSLContext | None, connections: _Connections) -> None:
    quick = make_quick(event, context)
    if quick is None:
        return
    connections.add(quick)
    why_not = _why_refused(quick, str(cast("Any", event).address[0]), guard)
    if not why_not or guard is None:
        return
    is_ours = connections.have_ended and isinstance(getattr(quick, "fault", None), ssl.SSLEOFError | ConnectionError)
    if not is_ours:  # who is cut off in mid-handshake because this server ends has done nothing
        guard.on_refused(why_not)
    cut(quick)
    quick.close()
    upstream.turn_away(event.assoc)


def _why_refused(quick: QuickSocket, address: str, guard: Guard | None) -> str:
    """Why nobody at this address is heard; empty when somebody is, and inside TLS where there is to be TLS."""
    if guard is None:
        return ""
    refused = f"a connection from {address} was refused"
    if not guard.knows_address(address):
        return f"{refused}: no node of the config sends from there"
    if guard.tls is None:
        return ""
    if not isinstance(quick, SecureSocket):
        return f"{refused}: it is not inside TLS"
    quick.shake_hands(min(guard.timeout, _HANDSHAKE_SECONDS))
    return f"{refused}: {in_words(quick.fault, guard.tls)}" if quick.fault is not None else ""


def _prefer_what_is_not_deflated(event: evt.Event) -> None:
    """pynetdicom takes the first syntax of a context: Deflated only where the sender leaves no other."""
    request = cast("A_ASSOCIATE", event.assoc.requestor.primitive)
    for context in request.presentation_context_definition_list:
        proposed = context.transfer_syntax
        context.transfer_syntax = sorted(proposed, key=lambda syntax: syntax == DeflatedExplicitVRLittleEndian)


def _tell_rejected(event: evt.Event, guard: Guard | None) -> None:
    """pynetdicom refuses an AE title that is not in the config; told, because it may be a node that was renamed."""
    sender = event.assoc.requestor
    name = str(sender.ae_title).strip()
    if guard is not None and name not in guard.senders:
        said = f"an association as {printable(name)} from {sender.address} was refused"
        guard.on_refused(f"{said}: no node of the config sends under that AE title")


def _take(event: evt.Event, handle: Callable[[EncodedObject], int], guard: Guard | None) -> int:
    obj = encoded_object(event)
    if guard is None:
        return handle(obj)
    sender = event.assoc.requestor
    if not guard.knows(str(sender.ae_title), str(sender.address)):
        guard.on_refused(f"object {obj.sop_instance_uid!r} was sent here from another address than its node's")
        return NOT_AUTHORISED
    if obj.sop_instance_uid in guard.wanted:
        try:
            obj = inflated(obj)
        except ValueError as error:
            guard.on_refused(f"object {obj.sop_instance_uid} was sent here, and {error}")
            return CANNOT_UNDERSTAND
    return guard.refusal(obj) or handle(obj)


def _shut_down(ae: AE, server: Any, connections: _Connections) -> None:
    """End the server, and first whoever is connected: pynetdicom waits without end for a peer in mid-message."""
    connections.end()
    server.server_close()  # waits for whoever is shaking hands
    ae.shutdown()
