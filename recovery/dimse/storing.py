"""C-STORE: send objects to a node, and pass on what another node sends (relay).

How
    One association per object on its way, kept for the next, negotiated for the object's own class and transfer
    syntax first: with the default contexts an Orthanc picks Explicit VR, and every object is decoded and encoded
    again (57 ms, not 12).

Why
    MIM takes RT objects in Implicit VR only, so that syntax is offered beside the object's own, and the object is
    converted where the destination leaves no choice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack
from io import BytesIO

from pydicom import dcmread
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.dsutils import encode
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from recovery.dicom import elements as el
from recovery.dimse.crew import PATIENCE
from recovery.dimse.encoding import EncodedObject, with_file_meta
from recovery.dimse.link import DimseLink
from recovery.dimse.opening import open_association
from recovery.dimse.peer import NOT_SUPPORTED, DimseError, DoorLink, Peer
from recovery.dimse.receiving import CANNOT_STORE

MOST_ASSOCIATIONS = 8
ANEW_AFTER = 1.0
"""Seconds in which a node that could not be reached is not tried again."""


def store(peer: Peer, objects: Iterable[EncodedObject]) -> dict[str, int | None]:
    """Send objects one after the other; the node's status by SOP Instance UID, None where it gave none.

    Raises `DimseError` if the node cannot be reached, or is silent `PATIENCE` times in a row. An object that breaks the
    association costs only itself.
    """
    statuses: dict[str, int | None] = {}
    silences = 0
    with Forwarder(peer) as forwarder:
        for obj in objects:
            try:
                statuses[obj.sop_instance_uid] = forwarder.forward(obj)
                silences = 0
            except DimseError as error:
                silences += 1
                if not error.timed_out or silences == PATIENCE:
                    raise
                statuses[obj.sop_instance_uid] = None
    return statuses


class Forwarder:
    """Sends objects on to one node, from any number of threads, over as many associations as are needed at once.

    A sender may come with a new association, and so a new thread, for each object: associations to the node belong
    to no thread, and are used again.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._idle: list[_OutgoingLink] = []
        self._count = 0
        self._limit = MOST_ASSOCIATIONS
        self._changed = threading.Condition()
        self._not_before, self._unreachable = 0.0, DimseError("")

    def forward(self, obj: EncodedObject) -> int | None:
        """Send one object; returns the node's own status, None when it broke the association twice.

        Raises `DimseError` if the node cannot be reached or is silent; at once, if it could not be reached within the
        last `ANEW_AFTER` seconds: a sender goes on to offer all that it has, one after the other.
        """
        while True:
            if time.monotonic() < self._not_before:
                raise self._unreachable.with_traceback(None)
            link = self._borrow()
            try:
                return link.send(obj)
            except DimseError as error:
                if link.has_stood or not self._make_do_with_fewer():
                    if not (link.is_open or error.timed_out or error.busy):
                        self._not_before, self._unreachable = time.monotonic() + ANEW_AFTER, error
                    raise
            finally:
                self._give_back(link)

    def handle(self, obj: EncodedObject) -> int:
        """As `forward`, for a storage SCP: what is not answered by the node is a refusal, never a success."""
        try:
            status = self.forward(obj)
        except DimseError:
            return CANNOT_STORE
        return CANNOT_STORE if status is None else status

    def __enter__(self) -> Forwarder:
        return self

    def __exit__(self, *_: object) -> None:
        for link in self._idle:
            link.close()

    def _borrow(self) -> _OutgoingLink:
        """An association that nobody uses, made if need be; waits where there may be no more."""
        with self._changed:
            while not self._idle and self._count >= self._limit:
                self._changed.wait()
            if self._idle:
                return self._idle.pop()
            self._count += 1
            return _OutgoingLink(self._peer)

    def _give_back(self, link: _OutgoingLink) -> None:
        with self._changed:
            if link.has_stood:
                self._idle.append(link)
            else:
                self._count -= 1
            self._changed.notify()

    def _make_do_with_fewer(self) -> bool:
        """The node would not open one more association: use those that there are, if there are any."""
        with self._changed:
            others = self._count - 1
            if others:
                self._limit = min(self._limit, others)
            return others > 0


class _OutgoingLink:
    """One association; made anew when it broke, or when an object needs another context."""

    def __init__(self, peer: Peer) -> None:
        self.has_stood = False
        self._peer = peer
        self._proposed: list[tuple[str, str]] = []
        self._stack = ExitStack()
        self._link: DimseLink | DoorLink | None = None

    def send(self, obj: EncodedObject) -> int | None:
        """Send; tried twice, for the association may have been dead before. A time-out is final."""
        for attempt in (1, 2):
            try:
                link = self._link_for(obj)
            except DimseError as error:
                if error.status is not None:
                    return error.status
                raise
            try:
                return _store(link, obj)
            except DimseError as error:
                if error.status is not None:
                    return error.status
                self.close()
                if error.timed_out or (attempt > 1 and self._peer.door is not None):
                    raise
        return None

    @property
    def is_open(self) -> bool:
        return self._link is not None

    def close(self) -> None:
        self._link = None
        self._stack.close()

    def _link_for(self, obj: EncodedObject) -> DimseLink | DoorLink:
        if self._peer.door is not None:
            if self._link is None or not self._link.is_open:
                self.close()
                self._link = self._stack.enter_context(self._peer.door.open(self._peer))
                self.has_stood = True
            return self._link
        wanted = (obj.sop_class_uid, obj.transfer_syntax)
        if self._link is not None and self._link.is_open and wanted in self._proposed:
            return self._link
        self.close()
        if wanted not in self._proposed:
            self._proposed = [*self._proposed[-50:], wanted]
        self._link = self._stack.enter_context(open_association(self._peer, _contexts(self._proposed)))
        self.has_stood = True
        return self._link


def _contexts(proposed: list[tuple[str, str]]) -> list[PresentationContext]:
    """Per class: each transfer syntax that objects come in, alone, then Implicit VR Little Endian.

    Verification keeps the association standing where the node takes none of the classes.
    """
    pairs = dict.fromkeys([*proposed, *((c, str(ImplicitVRLittleEndian)) for c, _ in proposed)])
    return [build_context(Verification), *(build_context(sop_class, syntax) for sop_class, syntax in pairs)]


def _store(link: DimseLink | DoorLink, obj: EncodedObject) -> int | None:
    """Send as it is where that syntax was accepted, else as Implicit VR Little Endian.

    Raises `DimseError` if neither is accepted, or the object cannot be converted (both `NOT_SUPPORTED`), or the node
    does not answer.
    """
    if not isinstance(link, DimseLink):
        return link.send(obj)
    if link.takes(obj.sop_class_uid, obj.transfer_syntax):
        # A deflated stream of odd length needs a null byte (PS3.5 A.5): files lack it, and Orthanc falls silent.
        padding = b"\0" if obj.transfer_syntax == DeflatedExplicitVRLittleEndian and len(obj.data) % 2 else b""
        return link.store_encoded(obj.sop_class_uid, obj.sop_instance_uid, obj.transfer_syntax, obj.data + padding)
    data = _as_implicit(link.peer, obj)
    return link.store_encoded(obj.sop_class_uid, obj.sop_instance_uid, ImplicitVRLittleEndian, data)


def _as_implicit(peer: Peer, obj: EncodedObject) -> bytes:
    if obj.transfer_syntax not in {ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian}:
        name = UID(obj.transfer_syntax).name
        raise peer.error(f"does not take object {obj.sop_instance_uid} in {name}", NOT_SUPPORTED)
    try:
        encoded = encode(dcmread(BytesIO(with_file_meta(obj))), is_implicit_vr=True, is_little_endian=True)
    except el.UNREADABLE:
        encoded = None
    if encoded is None:
        text = f"takes object {obj.sop_instance_uid} in Implicit VR only, and it cannot be converted"
        raise peer.error(text, NOT_SUPPORTED)
    return encoded
