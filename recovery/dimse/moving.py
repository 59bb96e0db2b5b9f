"""C-MOVE: have one node send objects to another.

Goal
    Everything asked for is on its way, whatever the node makes of lists, and one bad object stops no other.

How
    Lists of UIDs over a few associations at once. Where a list fails, its objects are asked for one by one, with all
    upper keys; an association that broke is made anew.

Why
    One C-MOVE of 100 UIDs takes a tenth of the time of 100 C-MOVEs. Its status is no proof: Orthanc skips unknown
    UIDs in a list and answers success. The caller asks the destination.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pydicom import Dataset

from recovery.dimse.link import DimseError, Link, Peer, open_link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from recovery.model import InstanceRef

UIDS_PER_MOVE = 50
ASSOCIATIONS = 2
PATIENCE = 3

UNKNOWN_DESTINATION = 0xA801
"""Refused: move destination unknown (PS3.4 table C.4-2)."""


def move(
    peer: Peer,
    refs: Iterable[InstanceRef],
    destination: str,
    *,
    associations: int = ASSOCIATIONS,
    on_progress: Callable[[int], None] = lambda _: None,
) -> dict[str, str]:
    """Have `peer` send objects to the AE title `destination`.

    Returns
    -------
    Why, by SOP Instance UID, for those that the node itself said it did not send. The rest is not proven either.

    Raises
    ------
    DimseError
        If the node cannot be asked at all, or does not know the destination.
    """
    ordered = sorted(refs, key=lambda r: (r.series_instance_uid or "", r.sop_instance_uid))
    size = UIDS_PER_MOVE if peer.traits.uid_lists is not False else 1
    chunks: queue.SimpleQueue[Sequence[InstanceRef]] = queue.SimpleQueue()
    for start in range(0, len(ordered), size):
        chunks.put(ordered[start : start + size])
    failures: dict[str, str] = {}
    lock = threading.Lock()

    def done(count: int) -> None:
        with lock:
            on_progress(count)

    workers = min(associations, chunks.qsize())
    if workers == 0:
        return failures
    with ThreadPoolExecutor(workers) as pool:
        for future in [pool.submit(_work, peer, chunks, destination, failures, done) for _ in range(workers)]:
            future.result()
    return failures


def move_series(peer: Peer, study_instance_uid: str | None, series_instance_uid: str, destination: str) -> None:
    """Have `peer` send a whole series. ARIA may refuse images by SOP Instance UID and send them so (Evil-DICOM #88).

    Raises
    ------
    DimseError
        If it does not.
    """
    query = Dataset()
    query.QueryRetrieveLevel = "SERIES"
    if study_instance_uid:
        query.StudyInstanceUID = study_instance_uid
    query.SeriesInstanceUID = series_instance_uid
    with open_link(peer) as link:
        link.move(query, destination)


def _work(
    peer: Peer,
    chunks: queue.SimpleQueue[Sequence[InstanceRef]],
    destination: str,
    failures: dict[str, str],
    done: Callable[[int], None],
) -> None:
    """Move chunks until there are none left; each break of an association costs one chunk's second try."""
    while True:
        with open_link(peer) as link:
            try:
                while link.is_open:
                    chunk = chunks.get_nowait()
                    if not _move_chunk(link, chunk, destination):
                        failures.update(_move_singly(peer, chunk, destination))
                    done(len(chunk))
            except queue.Empty:
                return


def _move_chunk(link: Link, chunk: Sequence[InstanceRef], destination: str) -> bool:
    """Whether the node carried out a C-MOVE of the whole list."""
    try:
        link.move(image_query(chunk), destination)
    except DimseError as error:
        if error.status == UNKNOWN_DESTINATION:
            raise _unknown_destination(link.peer, destination) from error
        link.abort()
        return False
    return True


def _move_singly(peer: Peer, chunk: Sequence[InstanceRef], destination: str) -> dict[str, str]:
    """Move one by one, on one association for as long as it lasts.

    Raises
    ------
    DimseError
        If the node falls silent `PATIENCE` times in a row: then it is the node, not the object.
    """
    failures: dict[str, str] = {}
    rest = list(chunk)
    silences = 0
    while rest:
        with open_link(peer) as link:
            while rest and link.is_open:
                ref = rest.pop(0)
                try:
                    link.move(image_query([ref]), destination)
                    silences = 0
                except DimseError as error:
                    if error.status == UNKNOWN_DESTINATION:
                        raise _unknown_destination(peer, destination) from error
                    silences = silences + 1 if error.status is None else 0
                    if silences == PATIENCE:
                        raise
                    failures[ref.sop_instance_uid] = str(error)
    return failures


def image_query(chunk: Sequence[InstanceRef]) -> Dataset:
    """A C-MOVE or C-GET identifier; upper keys wherever all of the chunk share them (PS3.4 C.4.2.2.1)."""
    query = Dataset()
    query.QueryRetrieveLevel = "IMAGE"
    shared = {
        "PatientID": {r.patient_id for r in chunk},
        "StudyInstanceUID": {r.study_instance_uid for r in chunk},
        "SeriesInstanceUID": {r.series_instance_uid for r in chunk},
    }
    for keyword, values in shared.items():
        value = next(iter(values)) if len(values) == 1 else None
        if value is not None and value.isascii():
            setattr(query, keyword, value)
    query.SOPInstanceUID = [r.sop_instance_uid for r in chunk]
    return query


def _unknown_destination(peer: Peer, destination: str) -> DimseError:
    return peer.error(
        f"does not know {destination} as a move destination. Enter its AE title, host and port there",
        UNKNOWN_DESTINATION,
    )
