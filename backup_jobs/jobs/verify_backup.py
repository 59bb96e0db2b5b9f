"""The nightly proof: objects are read again from the RT-PACS, and what is not what it was is healed or named.

Goal
    An object that an archive lost, altered or cut off is found before somebody needs it.

How
    Everything that patients on treatment, or about to start, need is read in full, slice by slice, in every run; of
    all else so much that each has its turn within `[verify] weeks`. Each is known by a digest of what it says
    (`recovery.objects.digest`). What a run reads for the first time is held against the source, where that answers
    and still has it. What fails is brought again, or stored again where a source has what was read first.

Why the source is no judge
    A source that has the altered content too was altered as well, or somebody changed an object under its UID: a
    person must look.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from pydicom import Dataset

from backup_jobs.transfer.sources import Sources
from backup_jobs.transfer.transfer import NAMED, in_words
from recovery.cache.journal import JobResult, Outcome
from recovery.dicom import elements as el
from recovery.dicom.model import InstanceRef
from recovery.dimse import DimseError, EncodedObject, Peer, fetch, find_by_uid, open_link, store
from recovery.host.progress import progress
from recovery.objects.differences import differences
from recovery.objects.digest import MAY_BE_COERCED, digest_of
from recovery.objects.modules import encoded
from recovery.pacs.peers import pacs_peer, pacs_store_peer
from recovery.pacs.verified_objects import DIFFERS, VerifiedObjects, chain_of
from recovery.pacs.workspace import Workspace
from recovery.tables.schema import ON_TREATMENT

JOB = "verify_backup"

ACTIVE = frozenset({"on_treatment", "ready_to_start"})
AT_ONCE = 200
"""Objects that are read together; what they were found to be is kept after each twentieth part of a run."""
COMPARED_PER_RUN = 2000
"""Objects that a source is asked for in one run, because they were never held against it."""
GONE = "the RT-PACS does not hold it"
CHANGED = "changed under its UID, at the source too: compare with paper, then `python -m recovery verify --forget`"
IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"


def verify_backup(space: Workspace) -> JobResult:
    """Re-read what is due, heal what can be healed, name the rest; PARTIAL when something is not proven.

    Raises
    ------
    DimseError
        If the RT-PACS cannot be asked.
    CacheError
        If what was found cannot be kept.
    """
    verified = VerifiedObjects.load(space.cache)
    active, others = _wanted(space)
    due = [*verified.in_turn(active), *_share(space, verified, others)]
    verified.forget(verified.objects.keys() - active - others)
    run = _Run(space, verified)
    try:
        run.read(due)
        run.heal()
        run.compare(uid for uid in due if uid in run.to_compare)
    finally:
        verified.save(space.cache, space.now)
        verified.proofs(space.collection).save(space.cache, space.now)
    faults = {uid: why for uid, why in verified.faults.items() if uid in active | others}
    said = [in_words(faults)] if faults else []
    if left := len(due) - run.done:
        said.append(f"{left} objects were left for the next run: [verify] hours were over")
    said += run.said
    counts = {"found": len(due), "already_held": run.good, "moved": len(run.healed), "unproven": len(faults)}
    outcome: Outcome = "PARTIAL" if faults or left else "OK"
    return JobResult(JOB, outcome, counts, tuple(sorted(faults)), "; ".join(said))


def _wanted(space: Workspace) -> tuple[set[str], set[str]]:
    """What active patients need, and everything else that is known, by SOP Instance UID.

    Raises
    ------
    CacheError
        If the list cannot be read: nobody knows who is on treatment.
    """
    collection = space.collection
    rows = space.cache.read(ON_TREATMENT)
    plans = {row["referenced_rt_plan_uid"] for row in rows if row["status"] in ACTIVE}
    active, known = set(), set(collection.structure_sets)
    for uid, plan in collection.plans.items():
        known.update(chain_of(plan, collection))
        if uid in plans:
            active.update(chain_of(plan, collection))
    for uid, record in collection.records.items():
        (active if record.referenced_rt_plan_uid in plans else known).add(uid)
    return active, known - active


def _share(space: Workspace, verified: VerifiedObjects, others: set[str]) -> list[str]:
    """Of those that nobody is treated with, so many that each has its turn in time; those that failed always."""
    nights = 7 * space.config.verify.weeks
    in_turn = verified.in_turn(others)
    failed = [uid for uid in in_turn if uid in verified.faults]
    return list(dict.fromkeys([*failed, *in_turn[: -(-len(in_turn) // nights)]]))


@dataclass(slots=True)
class _Run:
    """One night: what was read, what failed, what was healed."""

    space: Workspace
    verified: VerifiedObjects
    done: int = 0
    good: int = 0
    to_compare: set[str] = field(default_factory=set)
    """Objects that were read and never held against a source that had the same."""
    failed: dict[str, InstanceRef | None] = field(default_factory=dict)
    """Objects that failed in this run, with the place where the RT-PACS has them, where it does."""
    healed: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    pacs: Peer = field(init=False)
    sources: Sources = field(init=False)
    ends: float = field(init=False)

    def __post_init__(self) -> None:
        self.pacs = pacs_peer(self.space.config, self.space.memory)
        self.sources = Sources.of(self.space)
        self.ends = time.monotonic() + self.space.config.verify.hours * 3600

    def read(self, uids: list[str]) -> None:
        """Read objects from the RT-PACS, as many as there is time for."""
        with progress("re-reading", len(uids)) as advance:
            for number, chunk in enumerate(_chunks(uids)):
                if time.monotonic() > self.ends:
                    return
                self._read_chunk(chunk)
                self.done += len(chunk)
                advance(len(chunk))
                if number % 20 == 19:
                    self.verified.save(self.space.cache, self.space.now)

    def heal(self) -> None:
        """Bring again what is gone; store again what was altered, where a source has what was read first."""
        if not self.failed:
            return
        gone = {uid for uid, ref in self.failed.items() if ref is None}
        self.sources.bring(gone, "bringing again")
        wanted, changed = {uid for uid, ref in self.failed.items() if ref is not None}, set[str]()
        for uid, ds in self._at_sources(wanted):
            known = self.verified.objects[uid].digest
            if known is not None and digest_of(ds) != known:
                self.verified.failed(uid, CHANGED, self.space.now)
                changed.add(uid)
                continue
            obj = EncodedObject(el.text(ds, "SOPClassUID") or "", uid, IMPLICIT_VR_LITTLE_ENDIAN, encoded(ds))
            store(pacs_store_peer(self.space.config, self.space.memory), [obj])
        again = [uid for uid in self.failed if uid not in changed]
        self.failed = {}
        before = self.good
        for chunk in _chunks(again):
            self._read_chunk(chunk)
        self.healed = {uid for uid in again if uid not in self.failed}
        self.good = before

    def compare(self, uids: Iterable[str]) -> None:
        """Hold what was read for the first time against what a source has."""
        known = self.verified.objects
        wanted = [uid for uid in uids if not known[uid].why or known[uid].differs][:COMPARED_PER_RUN]
        for uid, ds in self._at_sources(wanted):
            altered = [] if digest_of(ds) == self.verified.objects[uid].digest else self._altered(uid, ds)
            if altered:
                why = f"{DIFFERS} in {', '.join(altered[:NAMED])}; compare, then `python -m recovery verify --forget`"
                self.verified.failed(uid, why, self.space.now)
            else:
                self.verified.is_as_at_source(uid, self.space.now)

    def _altered(self, uid: str, at_source: Dataset) -> list[str]:
        """What the RT-PACS says otherwise, by keyword. Private sequences look different in another transfer syntax."""
        came: dict[str, Dataset] = {}
        with open_link(self.pacs) as link:
            refs = find_by_uid(link, [uid])
        fetch(self.pacs, refs, partial(_keep, came), retrieve=self.space.config.pacs.retrieve)
        if uid not in came:
            return ["content"]
        found = differences(encoded(at_source), came[uid])
        return [n for n in (*found.altered, *found.added) if n.isidentifier() or "." in n if n not in MAY_BE_COERCED]

    def _read_chunk(self, uids: list[str]) -> None:
        with open_link(self.pacs) as link:
            refs = {ref.sop_instance_uid: ref for ref in find_by_uid(link, uids)}
        for uid in uids:
            if uid not in refs:
                self._fail(uid, GONE, None)
        retrieve = self.space.config.pacs.retrieve
        failures = fetch(self.pacs, refs.values(), self._receiver(refs), retrieve=retrieve)
        for uid, why in failures.items():
            self._fail(uid, why, refs[uid])

    def _receiver(self, refs: dict[str, InstanceRef]) -> Callable[[Dataset], None]:
        slowly = _Slowly(self.space.config.verify.megabytes_per_second)

        def receive(ds: Dataset) -> None:
            uid = el.required_uid(ds, "SOPInstanceUID")
            if self.verified.came(uid, digest_of(ds), self.space.now):
                self.good += 1
            elif not self.verified.objects[uid].differs:
                self.failed[uid] = refs[uid]
            if not self.verified.objects[uid].is_as_at_source:
                self.to_compare.add(uid)
            slowly.after(ds)

        return receive

    def _fail(self, uid: str, why: str, ref: InstanceRef | None) -> None:
        self.verified.failed(uid, why, self.space.now)
        self.failed[uid] = ref

    def _at_sources(self, uids: Iterable[str]) -> Iterator[tuple[str, Dataset]]:
        """Objects as the first source that has them gives them; a source that does not is named once."""
        rest = set(uids)
        for peer in self.sources.answering:
            came: dict[str, Dataset] = {}
            for chunk in _chunks(sorted(rest)):
                try:
                    with open_link(peer) as link:
                        found = find_by_uid(link, chunk)
                    fetch(peer, found, partial(_keep, came), retrieve="move")
                except DimseError as error:
                    self.said.append(f"not held against {peer.remote.ae_title}: {error}")
                    break
                yield from came.items()
                rest -= came.keys()
                came.clear()


def _keep(came: dict[str, Dataset], ds: Dataset) -> None:
    came[el.required_uid(ds, "SOPInstanceUID")] = ds


@dataclass(slots=True)
class _Slowly:
    """No faster than so many megabytes a second: a clinic's archive has others to serve."""

    megabytes_per_second: int
    began: float = field(default_factory=time.monotonic)
    bytes: int = 0

    def after(self, ds: Dataset) -> None:
        """Wait as long as this object may take."""
        self.bytes += len(ds.get("PixelData", b"")) + 10_000
        ahead = self.bytes / (self.megabytes_per_second * 1e6) - (time.monotonic() - self.began)
        if ahead > 0:
            time.sleep(ahead)


def _chunks(uids: list[str]) -> Iterator[list[str]]:
    return (uids[start : start + AT_ONCE] for start in range(0, len(uids), AT_ONCE))
