"""Store objects that this software made in the RT-PACS, and prove each by reading it back.

Ask which UIDs the RT-PACS holds, send the others by C-STORE, get them back and compare every element. Held objects that
no earlier run proved are read back too: an archive may answer success and store nothing, or something else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from pydicom.uid import ImplicitVRLittleEndian

from backup_jobs.transfer.proving import prove
from recovery.dicom import elements as el
from recovery.dimse import DimseError, EncodedObject, fetch, store
from recovery.host.child_process import asked_beside
from recovery.host.logs import progress
from recovery.objects.differences import differences
from recovery.objects.modules import encoded
from recovery.objects.text import UnwritableError
from recovery.pacs.peers import pacs_peer, pacs_store_peer

if TYPE_CHECKING:
    from pydicom import Dataset

    from recovery.dicom.model import InstanceRef
    from recovery.pacs.proven_objects import ProvenObjects
    from recovery.pacs.workspace import Workspace

AT_ONCE = 100
"""Objects that are held in memory together."""

WORTH_A_PROCESS = 10
"""Objects for which another process is started."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object that the RT-PACS is to hold.

    `build` makes it for the moment, local to the site, when it was first made; `rebuild` makes what an object that
    came back should be, where that needs more than its moment. `may_differ`: elements that the tables may say
    otherwise by now, in an object of which this machine does not know how it came back.
    """

    ref: InstanceRef
    build: Callable[[datetime], Dataset]
    may_differ: frozenset[str] = frozenset()
    rebuild: Callable[[datetime, Dataset], Dataset] | None = None

    def again(self, came: Dataset, made_at: datetime) -> Dataset:
        """What `came` should be."""
        return self.rebuild(made_at, came) if self.rebuild is not None else self.build(made_at)


@dataclass(slots=True)
class ArchiveReport:
    """What became of the objects. `added`: elements that the RT-PACS added to some of them."""

    found: int = 0
    held: int = 0
    sent: set[str] = field(default_factory=set)
    unproven: dict[str, str] = field(default_factory=dict)
    added: set[str] = field(default_factory=set)

    def join(self, other: ArchiveReport) -> None:
        """Count another report in."""
        self.found += other.found
        self.held += other.held
        self.sent |= other.sent
        self.unproven |= other.unproven
        self.added |= other.added


def archive(
    space: Workspace,
    wanted: Sequence[Wanted],
    proven: ProvenObjects,
    what: str,
    take: Callable[[Dataset], None] = lambda _: None,
) -> ArchiveReport:
    """Bring objects into the RT-PACS that it lacks; `take` gets each that was read back and proven.

    Safe to run again at any time: a second run sends nothing and reads nothing.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    report = ArchiveReport(found=len(wanted))
    held = {ref.sop_instance_uid for ref in prove(space, {one.ref for one in wanted})} if wanted else set()
    due = [one for one in wanted if one.ref.sop_instance_uid not in held]
    unread = []
    for uid, one in ((one.ref.sop_instance_uid, one) for one in wanted):
        if uid in held and proven.is_proven(uid):
            proven.note_asked(uid, space.now)
            report.held += 1
        elif uid in held:
            unread.append(one)
    with progress(what, len(due) + len(unread)) as advance:
        for chunk in _chunks(due):
            _send(space, chunk, proven, report, take)
            advance(len(chunk))
        for chunk in _chunks(unread):
            proof = _Proof(space, proven, report, take)
            proof.read({one.ref.sop_instance_uid: one for one in chunk}, {})
            report.held += len(proof.proven_now)
            advance(len(chunk))
    return report


def _chunks(wanted: Sequence[Wanted]) -> Iterable[Sequence[Wanted]]:
    return (wanted[start : start + AT_ONCE] for start in range(0, len(wanted), AT_ONCE))


def _send(
    space: Workspace,
    chunk: Sequence[Wanted],
    proven: ProvenObjects,
    report: ArchiveReport,
    take: Callable[[Dataset], None],
) -> None:
    """Send some, and read them back."""
    built = build_all(chunk, _moment(space))
    report.unproven |= {uid: data for uid, data in built.items() if isinstance(data, str)}
    objects = {
        uid: EncodedObject(one.ref.sop_class_uid or "", uid, str(ImplicitVRLittleEndian), data)
        for one in chunk
        if isinstance(data := built[uid := one.ref.sop_instance_uid], bytes)
    }
    statuses = store(pacs_store_peer(space.config, space.memory), objects.values())
    proof = _Proof(space, proven, report, take)
    proof.read(
        {one.ref.sop_instance_uid: one for one in chunk if one.ref.sop_instance_uid in objects},
        {uid: obj.data for uid, obj in objects.items()},
    )
    report.sent |= proof.proven_now
    for uid in objects.keys() & report.unproven.keys():
        if uid not in proof.came:
            report.unproven[uid] = f"{_said(statuses.get(uid))}, and does not give it back"


def build_all(wanted: Sequence[Wanted], moment: datetime) -> dict[str, bytes | str]:
    """The encoded objects, or why there is none, by UID: made by as many processes as there are processors.

    A chart is a tenth of a second of drawing. No process is started for fewer than `WORTH_A_PROCESS` objects.
    `moment`, when they are made, is local to the site.
    """
    shares = max(1, min(os.cpu_count() or 1, len(wanted) // WORTH_A_PROCESS))
    with ExitStack() as stack:
        answers = [
            stack.enter_context(asked_beside(partial(_built, wanted[share::shares], moment)))
            for share in range(1, shares)
        ]
        built = _built(wanted[::shares], moment)
        for answer in answers:
            built |= answer()
    return built


def _built(wanted: Iterable[Wanted], moment: datetime) -> dict[str, bytes | str]:
    built: dict[str, bytes | str] = {}
    for one in wanted:
        try:
            built[one.ref.sop_instance_uid] = encoded(one.build(moment))
        except UnwritableError as error:
            built[one.ref.sop_instance_uid] = str(error)
    return built


def _said(status: int | None) -> str:
    """What the RT-PACS answered to a C-STORE."""
    if status is None:
        return "the RT-PACS did not answer when it was sent"
    return f"the RT-PACS answered 0x{status:04X} when it was sent"


@dataclass(slots=True)
class _Proof:
    """Reads objects back and holds each against what was sent, or would be."""

    space: Workspace
    proven: ProvenObjects
    report: ArchiveReport
    take: Callable[[Dataset], None]
    came: set[str] = field(default_factory=set)
    proven_now: set[str] = field(default_factory=set)

    def read(self, chunk: dict[str, Wanted], sent: dict[str, bytes]) -> None:
        """Fetch and compare; `sent` has the bytes of those that this run sent."""

        def receive(ds: Dataset) -> None:
            uid = el.required_uid(ds, "SOPInstanceUID")
            self.came.add(uid)
            why = self._compare(chunk[uid], ds, sent.get(uid))
            self.proven.note(uid, why, self.space.now)
            if why:
                self.report.unproven[uid] = why
            else:
                self.proven_now.add(uid)
                self.take(ds)

        refs = {one.ref for one in chunk.values()}
        peer, retrieve = pacs_peer(self.space.config, self.space.memory), self.space.config.pacs.retrieve
        failures = fetch(peer, refs, receive, retrieve=retrieve)
        if failures and retrieve == "get":
            with suppress(DimseError):
                rest = {ref for ref in refs if ref.sop_instance_uid in failures and ref.sop_instance_uid in chunk}
                failures = fetch(peer, rest, receive, retrieve="move")
        for uid, why in failures.items():
            if uid not in self.came:
                self.report.unproven[uid] = why

    def _compare(self, wanted: Wanted, came: Dataset, sent: bytes | None) -> str:
        """Why what came is not what was sent; empty when it is."""
        uid = wanted.ref.sop_instance_uid
        tolerated: frozenset[str] = frozenset()
        if sent is None:
            sent = encoded(wanted.again(came, _made_at(came) or _moment(self.space)))
            tolerated = frozenset() if self.proven.came_back_altered(uid) else wanted.may_differ
        found = differences(sent, came)
        self.report.added |= set(found.added)
        altered = [name for name in found.altered if name.rpartition(".")[2] not in tolerated]
        return f"the RT-PACS gives it back with another {', '.join(altered)}" if altered else ""


def _moment(space: Workspace) -> datetime:
    return space.local_now.replace(microsecond=0)


def _made_at(ds: Dataset) -> datetime | None:
    """When an object says that it was made."""
    day, at = el.day(ds, "InstanceCreationDate"), el.clock_time(ds, "InstanceCreationTime")
    return datetime.combine(day, at) if day is not None and at is not None else None
