"""Open an association to a node, or say why there is none.

How
    A new pynetdicom AE each time, with the peer's time-outs. A refusal that the node itself calls transient is met
    with a few more tries.

Why
    R&V systems allow few associations at a time, and free one a moment after it was released.
"""

import contextlib
import random
import ssl
import time
from collections.abc import Iterator, Sequence
from typing import Any

from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from recovery.dimse import upstream
from recovery.dimse.encoding import READ_IN
from recovery.dimse.link import FIND_MODELS, MAXIMUM_PDU_SIZE, MOVE_MODELS, RELATIONAL, DimseLink
from recovery.dimse.peer import NOT_SUPPORTED, UNKNOWN_DESTINATION, Link, Peer
from recovery.dimse.sockets import QuickSocket, SecureSocket, make_quick
from recovery.dimse.tls import Tls, in_words, seen_certificate

WAITS = (0.2, 0.5, 1.0, 2.0, 3.0)
"""Seconds before each further try after a transient refusal (PS3.8 section 9.3.4, result 2)."""

_TRANSIENT = 2


def query_contexts() -> list[PresentationContext]:
    """What asking and moving need: verification, find and move, in both information models."""
    return [build_context(uid, list(READ_IN)) for uid in (Verification, *FIND_MODELS, *MOVE_MODELS)]


@contextlib.contextmanager
def open_link(peer: Peer) -> Iterator[Link]:
    """Open the way to a node: its door, or an association to ask and to move. Raises `DimseError` as either does."""
    with open_association(peer) if peer.door is None else peer.door.open(peer) as link:
        yield link


@contextlib.contextmanager
def open_association(
    peer: Peer,
    contexts: Sequence[PresentationContext] | None = None,
    *,
    handlers: Sequence[Any] = (),
    roles: Sequence[Any] = (),
) -> Iterator[DimseLink]:
    """Open an association, and release it at the end (abort it, if the end is an exception).

    Raises `DimseError` if the node cannot be reached, refuses, or does not answer in `peer.timeout` seconds; its
    `status` is `NOT_SUPPORTED` if the node takes part in none of `contexts`.
    """
    if peer.door is not None:
        raise peer.error("is not spoken to by DIMSE, and sends nothing by C-MOVE", UNKNOWN_DESTINATION)
    opened: list[QuickSocket] = []
    context = _tls_context(peer)
    handlers = [(evt.EVT_CONN_OPEN, lambda event: _open(event, peer, context, opened)), *handlers]
    assoc = _associate(peer, contexts, handlers, roles)
    for wait in WAITS:
        if not _is_refused_for_now(assoc):
            break
        time.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - so that workers do not all come back at once
        assoc = _associate(peer, contexts, handlers, roles)
    if not assoc.is_established:
        raise peer.error(*_why_not(peer, assoc, opened), busy=_is_refused_for_now(assoc))
    upstream.take_stores_that_were_asked_for(assoc, {role.sop_class_uid for role in roles})
    link = DimseLink(peer, assoc)
    try:
        yield link
    except BaseException:
        link.abort()
        raise
    link.close()


def _tls_context(peer: Peer) -> ssl.SSLContext | None:
    try:
        return peer.tls.context() if peer.tls is not None else None
    except OSError as error:
        raise peer.error(f"is not spoken to: {error}") from error


def _open(event: evt.Event, peer: Peer, context: ssl.SSLContext | None, opened: list[QuickSocket]) -> None:
    name = (peer.tls.server_name if peer.tls is not None else "") or peer.remote.host
    quick = make_quick(event, context, name)
    if quick is not None:
        opened.append(quick)
    if isinstance(quick, SecureSocket):
        quick.shake_hands(min(peer.timeout, 10.0))


def _associate(
    peer: Peer, contexts: Sequence[PresentationContext] | None, handlers: Sequence[Any], roles: Sequence[Any]
) -> Association:
    ae = AE(ae_title=peer.local.ae_title)
    ae.acse_timeout = min(peer.timeout, 15.0)
    ae.connection_timeout = min(peer.timeout, 10.0)
    ae.dimse_timeout = peer.timeout
    ae.network_timeout = peer.timeout * 2
    relational = [SOPClassExtendedNegotiation() for _ in FIND_MODELS]
    for item, model in zip(relational, FIND_MODELS, strict=True):
        item.sop_class_uid = model
        item.service_class_application_information = RELATIONAL
    try:
        return ae.associate(
            peer.remote.host,
            peer.remote.port,
            contexts=list(contexts if contexts is not None else query_contexts()),
            ae_title=peer.remote.ae_title,
            max_pdu=MAXIMUM_PDU_SIZE,
            ext_neg=[*(relational if contexts is None else []), *roles],
            evt_handlers=list(handlers),
        )
    except OSError as error:
        raise peer.error(f"cannot be reached: {error.strerror or error}. Check its host in the config") from error


def _is_refused_for_now(assoc: Association) -> bool:
    answer = assoc.acceptor.primitive
    return bool(assoc.is_rejected and answer is not None and answer.result == _TRANSIENT)


def _why_not(peer: Peer, assoc: Association, opened: Sequence[QuickSocket]) -> tuple[str, int | None]:
    """Why an association was not established, and what to look at; with the status that stands for it, if any."""
    answer = assoc.acceptor.primitive
    if answer is not None and assoc.is_rejected:
        reason = answer.reason_str.lower()
        advice = "Check the AE titles on both sides"
        if answer.result == _TRANSIENT:
            advice = "It may have too many associations open: try again, or raise its limit"
        return f"refused the association: {reason}. {advice}", None
    if answer is not None:
        return "accepts none of the services that were proposed. Check what its configuration allows", NOT_SUPPORTED
    if opened:
        last = opened[-1]
        if peer.tls is not None and isinstance(last, SecureSocket) and last.fault is not None:
            return _why_no_tls(peer, peer.tls, last.fault), None
        advice = "" if peer.tls is not None else ". Does it want TLS, and has no `tls` in the config?"
        return f"aborted the association while it was set up, or did not answer{advice}", None
    return "cannot be reached. Check host and port in the config, and that it runs", None


def _why_no_tls(peer: Peer, tls: Tls, fault: OSError) -> str:
    """In words. A certificate that was refused is not told by Python: it is looked at once more, to say what it is."""
    host, seen = peer.remote.host, None
    if isinstance(fault, ssl.SSLCertVerificationError):
        seen = seen_certificate(host, peer.remote.port, tls, min(peer.timeout, 10.0))
    return f"cannot be spoken to by TLS: {in_words(fault, tls, seen, host)}"
