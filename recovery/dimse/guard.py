"""Who may send here, and what: the nodes of the config, and the objects that were asked for.

Goal
    Nobody is believed for being on the network: no object of a stranger gets into the RT-PACS under our name.

How
    A connection from another address is closed, another AE title is refused. Of each object, the SOP Instance UID must
    have been asked for, and the dataset must agree with the command and with what the question before said: SOP class
    and PatientID. What is refused is told, by UID.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO

from pydicom import Dataset, dcmread

from recovery.dicom import elements as el
from recovery.dicom.model import InstanceRef
from recovery.dimse.encoding import EncodedObject, with_file_meta
from recovery.dimse.peer import Peer
from recovery.dimse.tls import Tls

NOT_AUTHORISED = 0x0124
"""Refused: not authorised (PS3.7 section C.5.9). What a sender of something that was not asked for is told."""

DOES_NOT_MATCH = 0xA900
"""Error: data set does not match SOP class (PS3.4 table B.2-1), nor what the command said."""

_READ = ["SOPClassUID", "SOPInstanceUID", "PatientID", "SpecificCharacterSet"]


@dataclass(frozen=True, slots=True)
class Guard:
    """Whom a receiver listens to, and for what. `senders`: addresses by AE title."""

    senders: Mapping[str, frozenset[str]]
    wanted: Mapping[str, InstanceRef] = field(default_factory=dict)
    timeout: float = 60.0
    on_refused: Callable[[str], None] = lambda _: None
    tls: Tls | None = None
    """With it nobody is heard in the clear, nor without a certificate of its CA."""

    @classmethod
    def of(cls, peer: Peer, refs: Iterable[InstanceRef], on_refused: Callable[[str], None] = lambda _: None) -> Guard:
        """Who sends what `peer` is asked to move here."""
        wanted = {ref.sop_instance_uid: ref for ref in refs}
        return cls(senders_of(peer), wanted, peer.timeout, on_refused, peer.own_tls)

    def knows_address(self, address: str) -> bool:
        return any(address in addresses for addresses in self.senders.values())

    def knows(self, ae_title: str, address: str) -> bool:
        return address in self.senders.get(ae_title.strip(), frozenset())

    def refusal(self, obj: EncodedObject) -> int:
        """The status to refuse an object with; 0 for one that is welcome."""
        ref = self.wanted.get(obj.sop_instance_uid)
        if ref is None:
            self.on_refused(f"object {_printable(obj.sop_instance_uid)} was sent here, and nobody had asked for it")
            return NOT_AUTHORISED
        problem = disagreement(obj, ref)
        if problem:
            self.on_refused(f"object {ref.sop_instance_uid} was sent here, and {problem}")
            return DOES_NOT_MATCH
        return 0


def disagreement(obj: EncodedObject, ref: InstanceRef, ds: Dataset | None = None) -> str:
    """In what an object is not what it was sent as, or not what was asked for; empty when it agrees. `ds`: the object
    itself, where it has been read."""
    if ds is None:
        try:
            ds = dcmread(BytesIO(with_file_meta(obj)), specific_tags=list(_READ), stop_before_pixels=True)
        except el.UNREADABLE:
            return "cannot be read"
    ds = _as_it_came(ds)
    if el.text(ds, "SOPInstanceUID") != obj.sop_instance_uid or obj.sop_instance_uid != ref.sop_instance_uid:
        return "its dataset is another object's"
    if el.text(ds, "SOPClassUID") != obj.sop_class_uid or ref.sop_class_uid not in {None, obj.sop_class_uid}:
        return "its SOP class is not the one that it was sent as, or asked for as"
    told, expected = el.text(ds, "PatientID"), ref.patient_id
    if expected and expected.isascii() and (told or "").strip() != expected.strip():
        return "it is another patient's than the node had said"
    return ""


def _as_it_came(ds: Dataset) -> Dataset:
    """What is read here of an object, which itself stays as it came: decoding an element changes it in its place."""
    told = Dataset()
    for keyword in _READ:
        if keyword in ds:
            told[keyword] = ds.get_item(keyword)
    is_implicit, is_little_endian = ds.original_encoding
    told.set_original_encoding(is_implicit, is_little_endian, ds.original_character_set)
    return told


def senders_of(peer: Peer) -> dict[str, frozenset[str]]:
    """The AE titles under which a node's objects come, each with its addresses. A name without an address has none."""
    found: dict[str, frozenset[str]] = {}
    for ae_title, host in [(peer.remote.ae_title, peer.remote.host), *peer.sends_as]:
        found[ae_title] = found.get(ae_title, frozenset()) | _addresses(host)
    return found


def _addresses(host: str) -> frozenset[str]:
    try:
        return frozenset(str(info[4][0]) for info in socket.getaddrinfo(host, None))
    except OSError:
        return frozenset()


def _printable(uid: str) -> str:
    """A UID that a stranger made up, without what is none."""
    return "".join(c if c in "0123456789." else "?" for c in uid[:64])
