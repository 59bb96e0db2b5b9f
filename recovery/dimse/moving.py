"""C-MOVE: have one node send objects to another.

How
    Lists of UIDs over a few associations at once. Where a list fails, its objects are asked for one by one, with all
    upper keys; where the node says which of a list failed, those alone.

Why
    One C-MOVE of 100 UIDs takes a tenth of the time of 100 C-MOVEs. Its status is no proof: Orthanc skips unknown
    UIDs in a list and answers success. The caller asks the destination.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager

from pydicom import Dataset

from recovery.dicom.model import InstanceRef
from recovery.dimse.crew import Chunk, work_off
from recovery.dimse.link import DimseLink
from recovery.dimse.opening import open_association
from recovery.dimse.peer import UNKNOWN_DESTINATION, DimseError, Peer

UIDS_PER_MOVE = 50
ASSOCIATIONS = 4


def move(
    peer: Peer,
    refs: Iterable[InstanceRef],
    destination: str,
    *,
    associations: int = ASSOCIATIONS,
    on_progress: Callable[[int], None] = lambda _: None,
    on_sent: Callable[[Sequence[InstanceRef]], None] = lambda _: None,
) -> dict[str, str]:
    """Have `peer` send objects to the AE title `destination`. `on_sent` is told what the node says it sent.

    Returns
    -------
    Why, by SOP Instance UID, for those that the node itself said it did not send. The rest is not proven either.

    Raises `DimseError` if the node cannot be asked at all, falls silent, or does not know the destination.
    """
    ordered = sorted(set(refs), key=lambda r: (r.series_instance_uid or "", r.sop_instance_uid))
    size = UIDS_PER_MOVE if peer.traits.uid_lists is not False else 1
    job = _Moving(peer, destination, on_progress, on_sent)
    work_off([ordered[start : start + size] for start in range(0, len(ordered), size)], job, associations)
    job.note_what_was_learnt()
    return job.failures


def move_series(peer: Peer, study_instance_uid: str | None, series_instance_uid: str, destination: str) -> None:
    """Have `peer` send a whole series. ARIA may refuse images by SOP Instance UID and send them so (Evil-DICOM #88).

    Raises `DimseError` if it does not.
    """
    query = Dataset()
    query.QueryRetrieveLevel = "SERIES"
    if study_instance_uid:
        query.StudyInstanceUID = study_instance_uid
    query.SeriesInstanceUID = series_instance_uid
    with open_association(peer) as link:
        try:
            said = link.move(query, destination)
        except DimseError as error:
            raise _unknown_destination(peer, destination) if error.status == UNKNOWN_DESTINATION else error from None
    if said.failed:
        raise peer.error(f"could not send {said.failed} of the series to {destination}")


class _Moving:
    """The job of moving lists, and what came of it."""

    def __init__(
        self,
        peer: Peer,
        destination: str,
        on_progress: Callable[[int], None],
        on_sent: Callable[[Sequence[InstanceRef]], None],
    ) -> None:
        self.failures: dict[str, str] = {}
        self._peer = peer
        self._destination = destination
        self._on_progress = on_progress
        self._on_sent = on_sent
        self._lock = threading.Lock()
        self._broken: set[str] = set()
        self._lists_taken = 0
        self._lists_refused = 0

    def open(self) -> AbstractContextManager[DimseLink]:
        return open_association(self._peer)

    def ask(self, link: DimseLink, chunk: Chunk) -> Sequence[Chunk]:
        """Move a list; returns, one by one, what the node says it could not send."""
        try:
            said = link.move(image_query(chunk), self._destination)
        except DimseError as error:
            if error.status == UNKNOWN_DESTINATION:
                raise _unknown_destination(self._peer, self._destination) from error
            raise
        rest = [ref for ref in chunk if ref.sop_instance_uid in said.failed_uids]
        if said.failed and not rest:
            rest = list(chunk)
        if len(chunk) > 1:
            self._lists_taken += 1
        elif rest:
            return self._give_up(chunk[0], f"{self._peer.remote.ae_title} could not send it to {self._destination}")
        self._done(len(chunk) - len(rest))
        self._on_sent([ref for ref in chunk if ref not in rest])
        return [[ref] for ref in rest]

    def divide(self, chunk: Chunk, error: DimseError) -> Sequence[Chunk]:
        """After a list failed: its objects one by one; one that broke the association, once more."""
        if len(chunk) == 1:
            is_first_break = error.status is None and chunk[0].sop_instance_uid not in self._broken
            self._broken.add(chunk[0].sop_instance_uid)
            return [chunk] if is_first_break else self._give_up(chunk[0], str(error))
        self._lists_refused += error.status is not None
        return [[ref] for ref in chunk]

    def note_what_was_learnt(self) -> None:
        """A node that refuses every list, and sends every object of them one by one, takes no lists."""
        if self._lists_taken:
            self._peer.traits.uid_lists = True
        elif self._lists_refused and not self.failures:
            self._peer.traits.uid_lists = False

    def _give_up(self, ref: InstanceRef, why: str) -> Sequence[Chunk]:
        self.failures[ref.sop_instance_uid] = why
        self._done(1)
        return []

    def _done(self, count: int) -> None:
        with self._lock:
            self._on_progress(count)


def image_query(chunk: Sequence[InstanceRef]) -> Dataset:
    """A C-MOVE or C-GET identifier; upper keys wherever all of the chunk share them (PS3.4 C.4.2.2.1)."""
    query = Dataset()
    query.QueryRetrieveLevel = "IMAGE"
    shared = {
        "PatientID": {r.patient_id for r in chunk},
        "StudyInstanceUID": {r.study_instance_uid for r in chunk},
        "SeriesInstanceUID": {r.series_instance_uid for r in chunk},
    }
    stand_in_one_place = not any(r.twins for r in chunk)
    for keyword, values in shared.items():
        value = next(iter(values)) if len(values) == 1 and stand_in_one_place else None
        if value is not None and value.isascii():
            setattr(query, keyword, value)
    query.SOPInstanceUID = [r.sop_instance_uid for r in chunk]
    return query


def _unknown_destination(peer: Peer, destination: str) -> DimseError:
    return peer.error(
        f"does not know {destination} as a move destination. Enter its AE title, host and port there",
        UNKNOWN_DESTINATION,
    )
