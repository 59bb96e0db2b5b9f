"""Where this program reaches into pynetdicom, and which behaviour of `VERSION` that mends. Nobody else does.

Another version may have mended it, or have no such place: read the functions against its source first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import pynetdicom
from pynetdicom import _config

if TYPE_CHECKING:
    from pynetdicom.association import Association
    from pynetdicom.dimse import DIMSEServiceProvider
    from pynetdicom.dul import DULServiceProvider
    from pynetdicom.pdu_primitives import P_DATA
    from pynetdicom.transport import AssociationSocket

    Receive = Callable[[P_DATA], None]

VERSION = "3.0.4"

if pynetdicom.__version__ != VERSION:
    raise ImportError(f"pynetdicom {pynetdicom.__version__} is installed, and {__name__} was read against {VERSION}")

logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
_config.LOG_HANDLER_LEVEL = "none"  # its own log lines cost a tenth of a query, and nobody reads them
_config.LOG_REQUEST_IDENTIFIERS = False
_config.LOG_RESPONSE_IDENTIFIERS = False
_config.UNRESTRICTED_STORAGE_SERVICE = True  # private storage classes, such as Varian's RT Plan, are storage too


def take_messages_by(assoc: Association, get_msg: Callable[[bool], Any]) -> None:
    """Mends `Association._run_reactor`, which takes a C-FIND response off the queue that the caller waits for.

    The caller then reads "Success, no match" although the match had arrived (8 of 12,000 queries). The reactor asks
    `DIMSEServiceProvider.get_msg` without `block`: a `get_msg` that answers it with nothing leaves all to the caller.
    """
    assoc.dimse.get_msg = get_msg  # type: ignore[assignment, method-assign]


def leave_messages_to_reactor(assoc: Association) -> None:
    """After `take_messages_by`, once nothing more is asked: what the node sends by itself goes to its handler again."""
    del assoc.dimse.get_msg


def read_bytes_by(socket: AssociationSocket, recv: Callable[[int], bytearray]) -> None:
    """Mends `AssociationSocket.recv`, which waits without end: half a PDU held its thread for ever."""
    socket.recv = recv  # type: ignore[assignment, method-assign]


def read_pdus_by(dul: DULServiceProvider, read: Callable[[], None]) -> Callable[[], None]:
    """Mends `DULServiceProvider._read_pdu_data`, which reads a PDU in two pieces and sends each through a queue and the
    state machine: half of the time that a long answer takes. Returns what read the PDUs before."""
    before = dul._read_pdu_data
    dul._read_pdu_data = read  # type: ignore[method-assign]
    return before


def take_stores_that_were_asked_for(assoc: Association, classes: Collection[str]) -> None:
    """Mends `Association._c_store_scp`, which refuses as not supported (0x0122) what a C-GET brings where the node did
    not grant the SCP role (PS3.7 D.3.3.4). Orthanc 1.10 grants none for private classes, such as Varian's RT Plan, and
    sends them all the same."""
    for context in assoc.accepted_contexts:
        if context.abstract_syntax in classes:
            context._as_scp = True


def is_in_data_transfer(dul: DULServiceProvider) -> bool:
    """Whether a P-DATA-TF PDU that comes now is handed to DIMSE as it is (PS3.8 table 9-10, Sta6 and Evt10)."""
    return bool(dul.state_machine.current_state == "Sta6")


def read_messages_by(dimse: DIMSEServiceProvider, receive: Receive) -> Receive:
    """Mends `DIMSEServiceProvider.receive_primitive`, which decodes each command set anew and lets a message take for
    ever; returns what read the messages before."""
    before = dimse.receive_primitive
    dimse.receive_primitive = receive  # type: ignore[assignment, method-assign]
    return before


def send_messages_by(dimse: DIMSEServiceProvider, send: Callable[[Any, int], None]) -> Callable[[Any, int], None]:
    """Mends `DIMSEServiceProvider.send_msg`, which makes three Datasets of each C-STORE response; returns what sent the
    messages before."""
    before = dimse.send_msg
    dimse.send_msg = send  # type: ignore[assignment, method-assign]
    return before


def turn_away(assoc: Association) -> None:
    """Mends `RequestHandler.handle`, which begins an association with whomever EVT_CONN_OPEN refused: two threads,
    which wait for the time-out of a connection that has ended."""
    assoc.start = lambda: None  # type: ignore[method-assign]
