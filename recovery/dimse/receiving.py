"""This machine as a storage SCP, for as long as a job needs one.

Goal
    Take objects that a node sends here, and answer it with the truth about each.

How
    A pynetdicom server with quick sockets. Every storage class is taken, private ones too, in the transfer syntax
    that it comes in; the bytes are handed on as they came.

Why
    The replaced tool answered 0x0000 before it had forwarded anything. Here the handler's own status is the answer.
"""

from __future__ import annotations

import contextlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pydicom.uid import AllTransferSyntaxes
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from recovery.dimse.link import MAXIMUM_PDU_SIZE
from recovery.dimse.peer import DimseError
from recovery.dimse.sockets import make_quick
from recovery.model import VARIAN_RT_PLAN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pynetdicom.dimse_primitives import C_STORE

    from recovery.model import DicomNode

READ_ERRORS = (ValueError, TypeError, AttributeError, LookupError, EOFError, OSError, NotImplementedError, struct.error)
"""What pydicom raises for bytes that are no object, or not the one that they claim to be."""

CANNOT_STORE = 0xA700
"""Refused: out of resources (PS3.4 table B.2-1). What a sender is told when the object got no further than here."""


@dataclass(frozen=True, slots=True)
class EncodedObject:
    """An object as it came over the network: group 0002 apart, nothing decoded."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax: str
    data: bytes


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
def open_receiver(local: DicomNode, handle: Callable[[EncodedObject], int]) -> Iterator[None]:
    """Listen at `local`; `handle` gets each object, and returns the C-STORE status to answer.

    Raises
    ------
    DimseError
        If the port is taken.
    """
    ae = AE(ae_title=local.ae_title)
    ae.maximum_pdu_size = MAXIMUM_PDU_SIZE
    ae.maximum_associations = 50
    ae.network_timeout = 300
    ae.supported_contexts = [
        *(build_context(c.abstract_syntax or "", list(AllTransferSyntaxes)) for c in AllStoragePresentationContexts),
        build_context(VARIAN_RT_PLAN, list(AllTransferSyntaxes)),
        build_context(Verification),
    ]
    handlers: list[Any] = [
        (evt.EVT_CONN_OPEN, make_quick),
        (evt.EVT_C_STORE, lambda event: handle(encoded_object(event))),
    ]
    try:
        server = ae.start_server((local.host, local.port), block=False, evt_handlers=handlers)
    except OSError as error:
        raise DimseError(
            f"This machine cannot listen as {local}: {error.strerror or error}. Check [local] host and port, and that "
            "no other program uses them."
        ) from error
    if server is None:
        raise DimseError(f"This machine cannot listen as {local}.")
    try:
        yield
    finally:
        ae.shutdown()
