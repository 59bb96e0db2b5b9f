"""Ask the R&V system for records of which only the RT-PACS tells (`recovery.pacs.doubted_records` says why).

A denial counts only where the same question was answered with a record that the R&V system is known to have: an answer
of nothing may as well be a question that was not understood.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from recovery.cache.errors import CacheError
from recovery.dicom.model import TREATMENT_RECORD_CLASSES, InstanceRef
from recovery.dimse import find_by_uid, find_images, open_link
from recovery.dimse.query.identifiers import UIDS_PER_QUERY
from recovery.pacs.peers import pacs_peer
from recovery.tables.schema import DENIED, SET_ASIDE, UNASKED

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

    from recovery.dimse import Peer
    from recovery.pacs.record_search import Search
    from recovery.pacs.workspace import Workspace

ASKED_PER_RUN = 1000
"""Records of which it is asked in one run; those that it denied before take turns."""


def ask_back(
    space: Workspace, rv: Peer, search: Search, named: Set[InstanceRef], on_pacs: Iterable[InstanceRef]
) -> None:
    """Note what the R&V system has of what the RT-PACS holds. `named`: what it named in this run.

    Raises `DimseError` if a node cannot be asked.
    """
    doubted, memory = space.doubted, space.memory
    known = {*space.collection.records, *memory.passed_over}
    back = doubted.note_named(named, known, space.now)
    if not memory.first_look_done:
        return  # whatever else lies in the RT-PACS was there before anybody could be asked
    back |= doubted.note_signed()
    uids = {ref.sop_instance_uid for ref in named}
    settled = uids | known | doubted.records.keys()
    new = {ref.sop_instance_uid: ref for ref in on_pacs if ref.sop_instance_uid not in settled}
    asked = [*new, *_in_turn(space)][:ASKED_PER_RUN]
    has, denied = _answers(rv, search, asked, min(uids, default=""))
    back |= doubted.note_named(has, known, space.now)
    refs = [new[uid] for uid in _of_deliveries(space, denied & new.keys())]
    most = space.config.guard.past_patients
    doubted.note_denied(refs, space.now, may_set_aside=not doubted.is_blank, most_patients=most)
    doubted.note_still_denied(denied)
    _forget_deleted(space)
    memory.unread = sorted({*memory.unread, *back})
    with suppress(CacheError):  # no reason to move nothing: the job that makes the list says it
        doubted.save(space.cache, space.now)


def _in_turn(space: Workspace) -> list[str]:
    """Those that it could not be asked for yet, then those that it denied before, others in each run."""
    denied = sorted(space.doubted.of_state(DENIED, SET_ASIDE))
    start = space.memory.runs * UIDS_PER_QUERY % max(1, len(denied))
    return [*sorted(space.doubted.of_state(UNASKED)), *[*denied[start:], *denied[:start]][:UIDS_PER_QUERY]]


def _answers(rv: Peer, search: Search, uids: list[str], control: str) -> tuple[set[InstanceRef], set[str]]:
    """Which of these it has, and which it denies; neither where its answer proves nothing."""
    has: set[InstanceRef] = set()
    denied: set[str] = set()
    if not uids or not control or rv.traits.unfinished:
        return has, denied
    if search.everything is not None:
        has = {ref for ref in search.everything if ref.sop_instance_uid in uids}
        return has, set(uids) - {ref.sop_instance_uid for ref in has}
    with open_link(rv) as link:
        for start in range(0, len(uids), UIDS_PER_QUERY - 1):
            some = uids[start : start + UIDS_PER_QUERY - 1]
            found = find_by_uid(link, [control, *some])
            names = {ref.sop_instance_uid for ref in found}
            if rv.traits.unfinished:
                break
            has |= {ref for ref in found if ref.sop_instance_uid in some}
            denied |= set(some) - names if control in names else set()
    return has, denied


def _of_deliveries(space: Workspace, uids: Set[str]) -> list[str]:
    """Those that the RT-PACS does not tell to be anything else of Modality RTRECORD, such as summaries."""
    others: set[str] = set()
    if not uids:
        return []
    with open_link(pacs_peer(space.config, space.memory)) as link:
        for start in range(0, len(uids), UIDS_PER_QUERY):
            listed = "\\".join(sorted(uids)[start : start + UIDS_PER_QUERY])
            for answer in find_images(link, {"SOPInstanceUID": listed}, ("SOPClassUID",)):
                ref = InstanceRef.from_dataset(answer)
                if ref.sop_class_uid and ref.sop_class_uid not in TREATMENT_RECORD_CLASSES:
                    others.add(ref.sop_instance_uid)
    return sorted(uids - others)


def _forget_deleted(space: Workspace) -> None:
    """What was set aside and the RT-PACS does not hold any more was somebody's, and nobody has it."""
    if not (aside := space.doubted.of_state(SET_ASIDE)):
        return
    with open_link(pacs_peer(space.config, space.memory)) as link:
        there = {ref.sop_instance_uid for ref in find_by_uid(link, sorted(aside))}
    for uid in aside - there:
        del space.doubted.records[uid]
