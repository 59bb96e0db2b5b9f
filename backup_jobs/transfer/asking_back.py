"""Ask the R&V system for records of which only the RT-PACS tells (`recovery.pacs.doubted_records` says why).

A denial counts only where the same question was answered with the records at both ends of its list, which the R&V
system named in this run, and with none that was not asked for: an answer of nothing, of the first value alone or of
whatever it holds is a question that was not understood.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from recovery.cache.errors import CacheError
from recovery.dicom.model import TREATMENT_RECORD_CLASSES, InstanceRef
from recovery.dimse import DimseError, find_by_uid, find_images, find_refs, open_link
from recovery.dimse.query.identifiers import UIDS_PER_QUERY
from recovery.pacs.doubted_records import WAITING
from recovery.pacs.peers import pacs_peer, tps_peers
from recovery.tables.schema import DENIED, UNASKED

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
    uids = {ref.sop_instance_uid for ref in named}
    settled = uids | known | doubted.records.keys()
    new = {ref.sop_instance_uid: ref for ref in on_pacs if ref.sop_instance_uid not in settled}
    asked = [*new, *_in_turn(space)][:ASKED_PER_RUN]
    has, denied = _answers(rv, search, asked, uids)
    back |= doubted.note_named(has, known, space.now)
    refs = [new[uid] for uid in _of_deliveries(space, denied & new.keys())]
    back |= doubted.note_named(_elsewhere(space, denied, refs), known, space.now)
    most, counted = space.config.guard.past_patients, _counted(space, refs)
    doubted.note_denied(refs, space.now, heard_of=_heard_of(space, named), counted=counted, most_patients=most)
    doubted.note_still_denied(denied)
    memory.unread = sorted({*memory.unread, *back})
    with suppress(CacheError):  # no reason to move nothing: the job that makes the list says it
        doubted.save(space.cache, space.now)


def _elsewhere(space: Workspace, denied: Set[str], new: Iterable[InstanceRef]) -> set[InstanceRef]:
    """Which of those that do not count, or would not, a planning system has: a machine may tell of its treatments there
    and not to the R&V system. One that cannot be asked settles nothing."""
    whose = {uid: of for uid, (of, state, _) in space.doubted.records.items() if state in WAITING and uid in denied}
    whose |= {ref.sop_instance_uid: ref.patient_id for ref in new}
    patients, found = {of for of in whose.values() if of}, set[InstanceRef]()
    if not patients or len(patients) > space.config.guard.past_patients:
        return found
    for peer in tps_peers(space.config, space.memory):
        with suppress(DimseError), open_link(peer) as link:
            for one in sorted(patients):  # named, for a node that must be walked
                found |= find_by_uid(link, [uid for uid, of in whose.items() if of == one], PatientID=one)
    return found


def _in_turn(space: Workspace) -> list[str]:
    """Those that it could not be asked for yet, then those that it denied before, others in each run."""
    denied = sorted(space.doubted.of_state(DENIED, *WAITING))
    start = space.memory.runs * UIDS_PER_QUERY % max(1, len(denied))
    return [*sorted(space.doubted.of_state(UNASKED)), *[*denied[start:], *denied[:start]][:UIDS_PER_QUERY]]


def _heard_of(space: Workspace, named: Set[InstanceRef]) -> set[str | None]:
    """Patients of whom the R&V system has other records; nobody where it is lost which were known before."""
    doubted, collection = space.doubted, space.collection
    if not _is_known_what_was_before(space):
        return set()
    counted = {record.ref.patient_id for uid, record in collection.records.items() if uid not in doubted.records}
    return counted | {ref.patient_id for ref in named}


def _counted(space: Workspace, new: Iterable[InstanceRef]) -> set[str | None]:
    """Patients of whom other records count; everybody where it is lost which were known before."""
    if not _is_known_what_was_before(space):
        return {ref.patient_id for ref in new}
    records, waiting = space.collection.records, space.doubted.of_state(*WAITING)
    return {record.ref.patient_id for uid, record in records.items() if uid not in waiting}


def _is_known_what_was_before(space: Workspace) -> bool:
    return space.collection.has_all_records and not space.doubted.is_blank


def _answers(rv: Peer, search: Search, uids: list[str], named: Set[str]) -> tuple[set[InstanceRef], set[str]]:
    """Which of these it has, and which it denies; neither where its answer proves nothing."""
    has = {ref for ref in search.everything or () if ref.sop_instance_uid in uids}
    there = {ref.sop_instance_uid for ref in has}
    rest, denied = [uid for uid in uids if uid not in there], set[str]()
    if not rest or not named or rv.traits.unfinished:
        return has, denied
    if rv.traits.relational is False:  # it knows no question by UID, and was walked
        return has, set(rest)
    first, last = min(named), max(named)
    with open_link(rv) as link:
        for start in range(0, len(rest), UIDS_PER_QUERY - 2):
            some = rest[start : start + UIDS_PER_QUERY - 2]
            listed = [*([first] if first != last else ()), *some, last]
            found = {ref.sop_instance_uid: ref for ref in find_refs(link, {"SOPInstanceUID": "\\".join(listed)})}
            if rv.traits.unfinished:
                break
            has |= {found[uid] for uid in some if uid in found}
            denied |= set(some) - found.keys() if {first, last} <= found.keys() <= set(listed) else set()
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
