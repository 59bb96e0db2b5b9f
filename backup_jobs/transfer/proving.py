"""Ask the RT-PACS what it holds, while the next objects are still on their way.

Lists that a source says it sent are asked for on a second association, in the order in which they come. What is not
proven by the time that the last list was sent is asked for again afterwards, by `prove`: here it may fail quietly.
"""

from __future__ import annotations

import logging
import queue
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from recovery.dimse import DimseError, find_held, open_link
from recovery.pacs.peers import pacs_peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from recovery.dicom.model import InstanceRef
    from recovery.dimse import Peer
    from recovery.pacs.workspace import Workspace

log = logging.getLogger(__name__)

_Sent = queue.SimpleQueue["Sequence[InstanceRef] | None"]


def prove(space: Workspace, refs: Iterable[InstanceRef]) -> set[InstanceRef]:
    """Which of these objects the RT-PACS says that it holds, asked on a new association.

    Raises `DimseError` if it cannot be asked.
    """
    with open_link(pacs_peer(space.config, space.memory)) as link:
        return find_held(link, refs)


@contextmanager
def proved_meanwhile(space: Workspace) -> Iterator[tuple[Callable[[Sequence[InstanceRef]], None], set[InstanceRef]]]:
    """A function that takes what was sent, and the set of what is proven of it, which is complete at the end."""
    sent: _Sent = queue.SimpleQueue()
    held: set[InstanceRef] = set()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_prove_all, pacs_peer(space.config, space.memory), sent, held)
        try:
            yield sent.put, held
        finally:
            sent.put(None)


def _prove_all(pacs: Peer, sent: _Sent, held: set[InstanceRef]) -> None:
    """Prove list after list until None comes."""
    refs = sent.get()
    if refs is None:
        return
    try:
        with open_link(pacs) as link:
            while refs is not None:
                held |= find_held(link, refs)
                refs = sent.get()
    except DimseError as error:
        log.info("proven afterwards instead of meanwhile: %s", error)
