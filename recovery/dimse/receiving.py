"""This machine as a storage SCP, for as long as a job needs one.

How
    A pynetdicom server with quick sockets. Every storage class is taken, private ones too (`upstream`), in the first
    transfer syntax that is proposed; the bytes are handed on as they came. A guard says from whom, and which objects.

Why
    The replaced tool answered 0x0000 before it had forwarded anything. Here the handler's own status is the answer.
"""

from __future__ import annotations

import contextlib
import errno
import time
from typing import TYPE_CHECKING, Any, cast

from pydicom.uid import DeflatedExplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from recovery.dimse.encoding import EncodedObject, inflated
from recovery.dimse.guard import NOT_AUTHORISED, Guard
from recovery.dimse.link import MAXIMUM_PDU_SIZE
from recovery.dimse.peer import DimseError
from recovery.dimse.sockets import QuickSocket, cut, make_quick
from recovery.host import system
from recovery.words.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pynetdicom.dimse_primitives import C_STORE
    from pynetdicom.pdu_primitives import A_ASSOCIATE

    from recovery.dicom.model import DicomNode

CANNOT_STORE = 0xA700
"""Refused: out of resources (PS3.4 table B.2-1). What a sender is told when the object got no further than here."""
CANNOT_UNDERSTAND = 0xC000
"""Error: cannot understand (PS3.4 table B.2-1)."""


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
    open_sockets: list[QuickSocket] = []
    handlers: list[Any] = [
        (evt.EVT_CONN_OPEN, lambda event: _let_in(event, guard, open_sockets)),
        (evt.EVT_REQUESTED, _prefer_what_is_not_deflated),
        (evt.EVT_REJECTED, lambda event: _tell_rejected(event, guard)),
        (evt.EVT_C_STORE, lambda event: _take(event, handle, guard)),
    ]
    ae = _scp(local, guard)
    server = _listening(ae, local, handlers, guard.timeout if guard is not None else 0.0)
    if server is None:
        raise DimseError(f"This machine cannot listen as {local}.")
    try:
        yield
    finally:
        _shut_down(ae, server, open_sockets)


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
    if guard is not None:
        ae.require_called_aet = True
        ae.require_calling_aet = sorted(guard.senders)
        ae.acse_timeout = min(guard.timeout, 15.0)
        ae.dimse_timeout = guard.timeout
    return ae


def _let_in(event: evt.Event, guard: Guard | None, open_sockets: list[QuickSocket]) -> None:
    quick = make_quick(event)
    if quick is None:
        return
    open_sockets.append(quick)
    address = str(cast("Any", event).address[0])
    if guard is not None and not guard.knows_address(address):
        guard.on_refused(f"a connection from {address} was refused: no node of the config sends from there")
        cut(quick)


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


def _shut_down(ae: AE, server: Any, open_sockets: list[QuickSocket]) -> None:
    """End the server, and first whoever is connected: pynetdicom waits without end for a peer in mid-message."""
    server.server_close()
    for quick in open_sockets:
        cut(quick)
    ae.shutdown()
