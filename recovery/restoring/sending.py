"""Send what a receiver lacks, and ask it what it holds since.

How
    Kind after kind. The RT-PACS sends by C-MOVE where it knows the receiver; what has not arrived, and all of it where
    the RT-PACS does not, goes by way of this machine, a few objects at a time, which also tells the receiver's own
    status for each. At the end the receiver is asked for every object by its UID.

Why not by way of this machine alone
    An RT-PACS that knows the receiver needs no detour. A pace can be kept here only: with one, all go this way.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from recovery.dicom.model import InstanceRef
from recovery.dimse import DimseError, EncodedObject, Peer, fetch_encoded, find_held, find_refs, move, open_link, store
from recovery.dimse.peer import NOT_SUPPORTED, UNKNOWN_DESTINATION
from recovery.restoring.contents import kind_of

log = logging.getLogger(__name__)

AT_ONCE, MOST_BYTES = 10, 256_000_000
"""Objects that are in memory together, and their bytes, as soon as one of their kind was seen to be large."""
MEGABYTE = 1_000_000
_WARNINGS = range(0xB000, 0xC000)
"""Stored, with elements coerced or not kept (PS3.4 table B.2-1): whether it is held is asked."""

NOT_TOLD = "it answers no queries, so that nobody can prove what it holds"
NOT_TAKEN = "it does not take this SOP class"
SAID_SUCCESS = "it was sent without an error, and the receiver does not hold it, or another object of its UID"


@dataclass(frozen=True, slots=True)
class Unproven:
    """Why an object is not proven at the receiver. `sop_class_uid`: where it is known."""

    why: str
    sop_class_uid: str = ""
    is_refused: bool = False
    """Whether the receiver itself said that it does not take it."""


@dataclass(slots=True)
class Sending:
    """The ways to one receiver. `asked`: where it answers queries; None where it answers none."""

    pacs: Peer
    receiver: Peer
    asked: Peer | None
    retrieve: Literal["get", "move"] = "get"
    megabytes_per_second: float | None = None
    goes_directly: bool = True
    """Whether the RT-PACS may be asked to send: not any more once it said that it does not know the receiver, and never
    where it may know another node by the receiver's AE title, as a new R&V system's that bears the old one's."""
    copied: set[str] = field(default_factory=set)
    """Of these UIDs another patient's object is in the RT-PACS, too: `Belongings.copied`."""
    made: Mapping[str, EncodedObject] = field(default_factory=dict)
    """By UID, what was made here and is in no RT-PACS."""
    unproven: dict[str, Unproven] = field(default_factory=dict)
    _at_once: int = field(default=1, init=False)

    def held(self, refs: Sequence[InstanceRef]) -> set[InstanceRef]:
        """What of these the receiver says that it holds. Raises `DimseError` if it cannot be asked."""
        if self.asked is None or not refs:
            return set()
        with open_link(self.asked) as link:
            held = find_held(link, refs)
            copied = {ref for ref in held if ref.sop_instance_uid in self.copied}
            return held - {ref for ref in copied if not find_refs(link, _whose(ref))}

    def send(self, refs: Sequence[InstanceRef], on_progress: Callable[[int], None]) -> set[InstanceRef]:
        """Send these, which are in order of their kinds; returns those that the receiver says that it holds since.

        Raises `DimseError` if the RT-PACS or the receiver can no longer be spoken to.
        """
        for _, of_kind in groupby(refs, kind_of):
            rest = list(of_kind)
            before = len(rest)
            if self.goes_directly and self.asked is not None and self.megabytes_per_second is None:
                copied = [ref for ref in rest if ref.sop_instance_uid in self.copied]
                rest = self._directly([ref for ref in rest if ref not in copied]) + copied
                on_progress(before - len(rest))
            self._at_once = 1  # of each kind one comes alone, and tells how large they are
            while rest:
                some = rest[: self._at_once]
                self._relay(some)
                on_progress(len(some))
                rest = rest[len(some) :]
        held = self.held(refs)
        for ref in refs:
            if ref in held:
                self.unproven.pop(ref.sop_instance_uid, None)
            else:
                said = SAID_SUCCESS if self.asked is not None else NOT_TOLD
                self.unproven.setdefault(ref.sop_instance_uid, Unproven(said, ref.sop_class_uid or ""))
        return held

    def _directly(self, refs: list[InstanceRef]) -> list[InstanceRef]:
        """Have the RT-PACS send these; returns those that the receiver does not hold afterwards."""
        try:
            move(self.pacs, refs, self.receiver.remote.ae_title)
        except DimseError as error:
            self.goes_directly = error.status != UNKNOWN_DESTINATION
            log.info("by way of this machine instead: %s", error)
            if not self.goes_directly:
                return refs
        held = self.held(refs)
        return [ref for ref in refs if ref not in held]

    def _relay(self, refs: Sequence[InstanceRef]) -> None:
        """Bring a few objects here and send them on, noting what the RT-PACS or the receiver says against it."""
        began = time.monotonic()
        objects: dict[str, EncodedObject] = {}
        failures = self._bring(refs, objects)
        self.unproven |= {uid: Unproven(why) for uid, why in failures.items()}
        self._fit(objects.values())
        statuses = store(self.receiver, (objects[r.sop_instance_uid] for r in refs if r.sop_instance_uid in objects))
        for uid, status in statuses.items():
            said = _refusal(status, objects[uid].sop_class_uid)
            if said is not None:
                self.unproven[uid] = said
        if self.megabytes_per_second is not None:
            due = sum(len(obj.data) for obj in objects.values()) / MEGABYTE / self.megabytes_per_second
            time.sleep(max(0.0, began + due - time.monotonic()))

    def _fit(self, objects: Collection[EncodedObject]) -> None:
        """Bring fewer at once where those that came were large, and more again where they were small."""
        largest = max((len(obj.data) for obj in objects), default=0)
        self._at_once = max(1, min(AT_ONCE, MOST_BYTES // max(1, largest)))

    def _bring(self, refs: Sequence[InstanceRef], objects: dict[str, EncodedObject]) -> dict[str, str]:
        def take(obj: EncodedObject) -> None:
            objects[obj.sop_instance_uid] = obj

        objects |= {r.sop_instance_uid: self.made[r.sop_instance_uid] for r in refs if r.sop_instance_uid in self.made}
        refs = [ref for ref in refs if ref.sop_instance_uid not in objects]
        failures = fetch_encoded(self.pacs, refs, take, retrieve=self.retrieve)
        if failures and self.retrieve == "get":
            with suppress(DimseError):  # a private SOP class, or a compressed object, that is given by C-MOVE alone
                rest = [ref for ref in refs if ref.sop_instance_uid in failures]
                failures = fetch_encoded(self.pacs, rest, take, retrieve="move")
        return failures


def _whose(ref: InstanceRef) -> dict[str, str]:
    """A question that another patient's object of the same UID does not answer."""
    return {"SOPInstanceUID": ref.sop_instance_uid, "PatientID": ref.patient_id or ""}


def _refusal(status: int | None, sop_class_uid: str) -> Unproven | None:
    """What a receiver's status says against an object; nothing where it says that it took it."""
    if status == 0 or status in _WARNINGS:
        return None
    if status is None:
        return Unproven("the receiver ended the association, or did not answer", sop_class_uid)
    said = NOT_TAKEN if status == NOT_SUPPORTED else f"it refused it with status 0x{status:04X}"
    return Unproven(said, sop_class_uid, is_refused=True)
