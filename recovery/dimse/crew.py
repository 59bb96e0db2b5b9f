"""A few associations at one heap of work.

Goal
    Everything is asked for, whatever breaks on the way; an error only when no association gets any further.

How
    Each worker holds an association and takes lists of objects from the heap. What a list did not bring comes back
    onto the heap in smaller lists, down to the single object that is then named. A worker that cannot go on puts
    back what it had and ends; the others go on. When all have ended and work is left, a new round begins, for as
    long as the last one got something done; one worker comes alone where the node found several too many.

Why
    A node may allow one association only, may break it at a bad object, may refuse lists. None of that may cost
    another object. Time-outs alone are limited: a node that is silent several times in a row is not asked all night.
"""

import logging
import queue
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from recovery.dicom.model import InstanceRef
from recovery.dimse.peer import UNKNOWN_DESTINATION, DimseError, Link

PATIENCE = 3
"""Time-outs in a row after which it is the node, not the object."""

Chunk = Sequence[InstanceRef]
_Heap = queue.SimpleQueue[Chunk]
AnyLink = TypeVar("AnyLink", bound=Link)

log = logging.getLogger(__name__)


class Job(Protocol[AnyLink]):
    """What the crew does with each list."""

    def open(self) -> AbstractContextManager[AnyLink]:
        """An association for one worker."""

    def ask(self, link: AnyLink, chunk: Chunk) -> Iterable[Chunk]:
        """Ask for a list; returns what is to be asked for again. Raises `DimseError`."""

    def divide(self, chunk: Chunk, error: DimseError) -> Iterable[Chunk]:
        """What to ask for after an error: smaller lists; nothing for a single object, which is named as failed."""


def work_off(chunks: Iterable[Chunk], job: Job[AnyLink], associations: int) -> None:
    """Do `job` with every list, on up to `associations` associations at once.

    Raises `DimseError` if lists are left and no worker gets any further.
    """
    heap: _Heap = queue.SimpleQueue()
    left = _put(heap, chunks)
    while left:
        workers = min(associations, heap.qsize())
        with ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(_work, heap, job) for _ in range(workers)]
            try:
                wait(futures)
            except KeyboardInterrupt:
                _taken(heap)  # each worker ends with the list that it has in hand
                raise
        errors = [error for future in futures if (error := future.exception()) is not None]
        for error in errors:
            if not isinstance(error, DimseError):
                raise error
            log.info("one association less: %s", error)
        before, left = left, _put(heap, _taken(heap))
        if left < before:
            continue
        if workers == 1 or not any(isinstance(error, DimseError) and error.busy for error in errors):
            raise max(errors, key=lambda e: isinstance(e, DimseError) and e.status is not None)
        associations = 1  # several that come at once may each be refused because of the others


def _work(heap: _Heap, job: Job[AnyLink]) -> None:
    """Ask for list after list until there are none.

    Raises `DimseError` if there can be no association, or the node is silent `PATIENCE` times in a row. What was not
    done is back on the heap.
    """
    unanswered: list[tuple[Chunk, DimseError]] = []
    try:
        while True:
            with job.open() as link:
                while True:
                    try:
                        chunk = heap.get_nowait()
                    except queue.Empty:
                        if not unanswered:
                            return
                        _divide(heap, job, unanswered)
                        continue
                    _ask(heap, job, link, chunk, unanswered)
                    if not link.is_open:
                        break
    finally:
        _put(heap, [chunk for chunk, _ in unanswered])


def _ask(
    heap: _Heap, job: Job[AnyLink], link: AnyLink, chunk: Chunk, unanswered: list[tuple[Chunk, DimseError]]
) -> None:
    """Ask for one list, and put back onto the heap what it did not bring."""
    try:
        again = job.ask(link, chunk)
    except DimseError as error:
        if error.status is None:
            link.abort()
        if error.timed_out or error.status == UNKNOWN_DESTINATION:
            unanswered.append((chunk, error))
            if len(unanswered) >= PATIENCE or error.status == UNKNOWN_DESTINATION:
                raise
            return
        again = job.divide(chunk, error)
    _divide(heap, job, unanswered)
    _put(heap, again)


def _divide(heap: _Heap, job: Job[AnyLink], unanswered: list[tuple[Chunk, DimseError]]) -> None:
    """The node answers again, or nothing else is left: what it was silent about is asked for in smaller lists."""
    for chunk, error in unanswered:
        _put(heap, job.divide(chunk, error))
    unanswered.clear()


def _put(heap: _Heap, chunks: Iterable[Chunk]) -> int:
    """Put lists onto the heap; returns how many objects they hold."""
    count = 0
    for chunk in chunks:
        heap.put(chunk)
        count += len(chunk)
    return count


def _taken(heap: _Heap) -> list[Chunk]:
    return [heap.get_nowait() for _ in range(heap.qsize())]
