"""One night of re-reading: what was read, what failed, what was healed, what was held against its source.

By lists of UIDs: the RT-PACS is asked which it holds, and gives those back. What it holds and does not give is asked
for once more, and is unreadable only when the RT-PACS answers again afterwards: an archive that died in mid-night is no
damaged object.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from typing import Literal
from zlib import crc32

from pydicom import Dataset

from backup_jobs.transfer.sources import Sources
from backup_jobs.transfer.transfer import NAMED, twins_in_words
from recovery.dicom import elements as el
from recovery.dicom.model import RT_DOSE, InstanceRef
from recovery.dimse import DimseError, EncodedObject, Peer, fetch, find_by_uid, find_images, open_link, store
from recovery.host.logs import progress
from recovery.objects.differences import differences
from recovery.objects.digest import MAY_BE_COERCED, digest_and_size, digest_of
from recovery.objects.modules import encoded
from recovery.pacs.collection import Collection
from recovery.pacs.peers import pacs_peer, pacs_store_peer
from recovery.pacs.retrieval import in_workers
from recovery.pacs.verified_objects import ALTERED, DIFFERS, GONE, VerifiedObjects
from recovery.pacs.workspace import Workspace

AT_ONCE = 100
"""Objects that are read together; between them a run waits as long as the rate limit wants."""
KEPT_EVERY = 60.0
"""Seconds after which what was found so far is kept: a killed run costs no more."""
NIGHTS = 14
"""In which everything that is re-read is compared once with what is known of it, and asked for once by Storage
Commitment."""
COMPARED_PER_RUN = 2000
"""Objects that a source is asked for in one run, because they were never held against it."""
LOOK = "compare with paper, then `python -m recovery verify --forget`"
CHANGED = f"{ALTERED}, and its source has another content too: {LOOK}"
IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
_WHOSE = ("PatientName", "PatientBirthDate", "PatientSex")


@dataclass(slots=True)
class Reread:
    """What a worker read of a list: where each lies, what it says, by UID digest, size and whose dose it is, and
    why not."""

    refs: dict[str, InstanceRef]
    said: Collection
    came: dict[str, tuple[str, int, tuple[str, ...]]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    sop_classes: dict[str, str] = field(default_factory=dict)


def _reread(
    pacs: Peer, uids: Sequence[str], compared: Set[str], zone: tzinfo, retrieve: Literal["get", "move"]
) -> Reread:
    """A task: read a list of objects; those to be `compared` with what is known of them in full. What is held and did
    not come is asked for once more.

    Raises `DimseError` if it was the node that failed.
    """
    read = Reread(_held(pacs, uids), Collection(zone))

    def take(ds: Dataset) -> None:
        uid = el.required_uid(ds, "SOPInstanceUID")
        read.came[uid] = (*digest_and_size(ds), _plans_of(ds))
        read.sop_classes[uid] = el.text(ds, "SOPClassUID") or ""
        if uid in compared:
            with suppress(*el.UNREADABLE):
                read.said.add(ds)

    failures = fetch(pacs, read.refs.values(), take, retrieve=retrieve)
    if failures:
        there = _held(pacs, failures)
        gone = dict.fromkeys(failures.keys() - there.keys(), GONE)
        failures = gone | fetch(pacs, there.values(), take, retrieve=retrieve)
    if failures:
        _held(pacs, failures)
    read.failures = failures
    return read


def _held(pacs: Peer, uids: Iterable[str]) -> dict[str, InstanceRef]:
    with open_link(pacs) as link:
        return {ref.sop_instance_uid: ref for ref in find_by_uid(link, uids)}


def _plans_of(ds: Dataset) -> tuple[str, ...]:
    """The plans that a dose is of; of another object none."""
    if el.text(ds, "SOPClassUID") != RT_DOSE:
        return ()
    named = (el.text(item, "ReferencedSOPInstanceUID") for item in el.items(ds, "ReferencedRTPlanSequence"))
    return tuple(uid for uid in named if uid)


@dataclass(slots=True)
class Rereading:
    """What one run does, and what became of it."""

    space: Workspace
    verified: VerifiedObjects
    done: int = 0
    good: int = 0
    to_compare: set[str] = field(default_factory=set)
    """Objects that were read and never held against a source that had the same."""
    failed: dict[str, InstanceRef | None] = field(default_factory=dict)
    """Objects that failed in this run, with the place where the RT-PACS has them, where it does."""
    healed: set[str] = field(default_factory=set)
    misread: set[str] = field(default_factory=set)
    """Objects that are what they were, and of which something else is known: altered on their way here, once."""
    sop_classes: dict[str, str] = field(default_factory=dict)
    """Of objects that were what they had been, by UID."""
    said: list[str] = field(default_factory=list)
    pacs: Peer = field(init=False)
    sources: Sources = field(init=False)
    ends: float = field(init=False)

    def __post_init__(self) -> None:
        self.pacs = pacs_peer(self.space.config, self.space.memory)
        self.sources = Sources.of(self.space)
        self.ends = time.monotonic() + self.space.config.verify.hours * 3600

    def read(self, uids: Sequence[str]) -> None:
        """Read objects from the RT-PACS, as many as there is time for.

        Raises `CacheError` if what was found so far cannot be kept; `DimseError` if it stops answering. The objects in
        hand have had their turn: one that kills an archive each night keeps no other from being read.
        """
        kept_at = last = time.monotonic()
        pace = self.space.config.verify.megabytes_per_second * 1e6  # no faster: a clinic's archive has others to serve
        answers = in_workers(self.space.config, [self._task(chunk) for chunk in _chunks(uids)])
        with progress("re-reading", len(uids)) as advance, closing(answers):
            for chunk in _chunks(uids):
                if time.monotonic() > self.ends:
                    return
                try:
                    size = self._judge(chunk, next(answers))
                except DimseError:
                    self.verified.had_their_turn(chunk)
                    raise
                time.sleep(max(0.0, last + size / pace - time.monotonic()))
                last = time.monotonic()
                self.done += len(chunk)
                advance(len(chunk))
                if time.monotonic() - kept_at > KEPT_EVERY:
                    self.keep()
                    kept_at = time.monotonic()

    def keep(self) -> None:
        """Write what was found so far; first what the list reads, so that a full disk hides no fault from it.

        Raises `CacheError` if it cannot be written.
        """
        self.verified.proofs(self.space.collection).save(self.space.cache, self.space.now)
        self.verified.save(self.space.cache, self.space.now)

    def heal(self) -> None:
        """Bring again what is gone; store again what was altered, where a source has what was read first."""
        if not self.failed:
            return
        gone = {uid for uid, ref in self.failed.items() if ref is None}
        self.sources.bring(gone, "bringing again")
        there = {uid: ref for uid, ref in self.failed.items() if ref is not None}
        changed = {uid for uid, ds in self._at_sources(there) if not self._stored_again(ds, there[uid])}
        again = [uid for uid in self.failed if uid not in changed]
        self.failed = {}
        before = self.good
        for chunk in _chunks(again):
            self._judge(chunk, self._task(chunk)())
        self.healed = {uid for uid in again if uid not in self.failed}
        self.good = before

    def compare(self, uids: Iterable[str]) -> None:
        """Hold what was read for the first time against what a source has; where they are many, others each night: a
        source may have none of the first any more."""
        known = self.verified.objects
        wanted = sorted(uid for uid in uids if not known[uid].why or known[uid].differs)
        start = self.verified.turn * COMPARED_PER_RUN % max(1, len(wanted))
        for uid, ds in self._at_sources([*wanted[start:], *wanted[:start]][:COMPARED_PER_RUN]):
            altered = self._altered(uid, ds)
            if altered:
                self.verified.failed(uid, f"{DIFFERS} in {', '.join(altered[:NAMED])}: {LOOK}", self.space.now)
            else:
                self.verified.is_as_at_source(uid, self.space.now)

    def _stored_again(self, ds: Dataset, ref: InstanceRef) -> bool:
        """Store a source's object over the altered one; False where the source's is another than was read first.

        Whose it is, is the archive's own answer: patients may have been merged there since.
        """
        uid = ref.sop_instance_uid
        known = self.verified.objects[uid].digest
        try:
            if known is not None and digest_of(ds) != known:
                self.verified.failed(uid, CHANGED, self.space.now)
                return False
            if ref.patient_id and ref.patient_id != el.text(ds, "PatientID"):
                self._give_to(ds, ref)
            data = encoded(ds)
        except el.UNREADABLE:
            return True  # unreadable at the source too: it stays what it was found to be
        obj = EncodedObject(el.text(ds, "SOPClassUID") or "", uid, IMPLICIT_VR_LITTLE_ENDIAN, data)
        store(pacs_store_peer(self.space.config, self.space.memory), [obj])
        return True

    def _give_to(self, ds: Dataset, ref: InstanceRef) -> None:
        """Let an object be of the patient of whom the RT-PACS lists it."""
        with open_link(self.pacs) as link:
            answers = list(find_images(link, {"SOPInstanceUID": ref.sop_instance_uid}, _WHOSE))
        told = {name: said for answer in answers for name in _WHOSE if (said := el.text(answer, name))}
        for name, said in ({"PatientID": ref.patient_id} | told).items():
            setattr(ds, name, said)

    def _altered(self, uid: str, at_source: Dataset) -> list[str]:
        """What the RT-PACS says otherwise, by keyword. Private sequences look different in another transfer syntax."""
        try:
            if digest_of(at_source) == self.verified.objects[uid].digest:
                return []
            sent = encoded(at_source)
        except el.UNREADABLE:
            return ["content: the source's cannot be read"]
        came: dict[str, Dataset] = {}
        with open_link(self.pacs) as link:
            refs = find_by_uid(link, [uid])
        fetch(self.pacs, refs, partial(_keep, came), retrieve=self.space.config.pacs.retrieve)
        if uid not in came:
            return ["content"]
        found = differences(sent, came[uid])
        return [n for n in (*found.altered, *found.added) if n.isidentifier() or "." in n if n not in MAY_BE_COERCED]

    def _task(self, uids: Sequence[str]) -> Callable[[], Reread]:
        """Reading takes twice as long where it is compared: what was never proven is, and of all else a share."""
        config, verified = self.space.config, self.verified
        compared = {uid for uid in uids if not verified.was_read(uid) or is_in_turn(uid, verified.turn)}
        return partial(_reread, self.pacs, uids, compared, config.site.zone, config.pacs.retrieve)

    def _judge(self, uids: Sequence[str], answer: Reread) -> int:
        """Take what came of these; returns how many bytes came."""
        for uid in uids:
            if uid not in answer.refs:
                self._gone(uid)
        for uid, (digest, _, plans) in answer.came.items():
            if self.verified.came(uid, digest, self.space.now, plans):
                self.good += 1
                self.sop_classes[uid] = answer.sop_classes[uid]
            elif not self.verified.objects[uid].differs:
                self.failed[uid] = answer.refs[uid]
            if not self.verified.objects[uid].is_as_at_source:
                self.to_compare.add(uid)
        for uid, why in answer.failures.items():
            if why == GONE:
                self._gone(uid)
            else:
                self.verified.failed(uid, why, self.space.now)
                self.failed[uid] = answer.refs[uid]
        self.misread |= self.space.collection.known_otherwise(answer.said) & self.sop_classes.keys()
        return sum(size for _, size, _ in answer.came.values())

    def _gone(self, uid: str) -> None:
        """An object that is not there: brought again where a source has it. That one that never was there
        is lacking, the cycle says."""
        self.failed[uid] = None
        if uid in self.verified.objects and self.verified.objects[uid].digest is not None:
            self.verified.failed(uid, GONE, self.space.now)

    def _at_sources(self, uids: Iterable[str]) -> Iterator[tuple[str, Dataset]]:
        """Objects as the first source that has them gives them; a source that does not is named once. One that has
        several objects under a UID tells nothing of it but that."""
        rest = set(uids)
        for peer in self.sources.answering:
            came: dict[str, Dataset] = {}
            for chunk in _chunks(sorted(rest)):
                try:
                    with open_link(peer) as link:
                        found = find_by_uid(link, chunk)
                    for uid, why in twins_in_words(found).items():
                        self.verified.failed(uid, f"{DIFFERS}, where {why}", self.space.now)
                        rest.discard(uid)
                    fetch(peer, [ref for ref in found if not ref.twins], partial(_keep, came), retrieve="move")
                except DimseError as error:
                    self.said.append(f"not held against {peer.remote.ae_title}: {error}")
                    break
                yield from came.items()
                rest -= came.keys()
                came.clear()


def is_in_turn(uid: str, turn: int) -> bool:
    """Whether this is the one night of `NIGHTS` for an object."""
    return crc32(uid.encode()) % NIGHTS == turn % NIGHTS


def _keep(came: dict[str, Dataset], ds: Dataset) -> None:
    came[el.required_uid(ds, "SOPInstanceUID")] = ds


def _chunks(uids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (uids[start : start + AT_ONCE] for start in range(0, len(uids), AT_ONCE))
