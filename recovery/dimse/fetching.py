"""C-GET, or C-MOVE to this machine: bring objects here to read them.

Goal
    Every object asked for is handed over once, or named with the reason why not; one bad object stops no other.

How
    Lists of UIDs over a few associations. What a list did not bring is asked for again in halves, down to the one
    object that breaks the association.

Why
    Dashboards must be built from what the RT-PACS holds, and some nodes give C-GET, some only C-MOVE.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Literal

from pydicom import Dataset, dcmread
from pynetdicom import build_role, evt
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    MRImageStorage,
    PatientRootQueryRetrieveInformationModelGet,
    PositronEmissionTomographyImageStorage,
    StudyRootQueryRetrieveInformationModelGet,
)

from recovery.dimse.link import DimseError, Link, Peer, open_link
from recovery.dimse.moving import image_query, move
from recovery.dimse.receiving import EncodedObject, encoded_object, open_receiver
from recovery.dimse.storing import with_file_meta
from recovery.model import (
    RT_DOSE,
    RT_IMAGE,
    RT_ION_PLAN,
    RT_PLAN,
    RT_STRUCTURE_SET,
    TREATMENT_RECORD_CLASSES,
    VARIAN_RT_PLAN,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from recovery.model import InstanceRef

UIDS_PER_GET = 50
ASSOCIATIONS = 2

_GET_MODELS = (StudyRootQueryRetrieveInformationModelGet, PatientRootQueryRetrieveInformationModelGet)
_STORAGE_CLASSES = (
    *sorted(TREATMENT_RECORD_CLASSES),
    *(RT_PLAN, RT_ION_PLAN, VARIAN_RT_PLAN, RT_STRUCTURE_SET, RT_DOSE, RT_IMAGE),
    *(CTImageStorage, MRImageStorage, PositronEmissionTomographyImageStorage),
    *(EnhancedCTImageStorage, EnhancedMRImageStorage),
)
"""What this project ever reads. A C-GET must negotiate each class beforehand (PS3.4 C.5.3)."""

_SUCCESS = 0x0000
_READ_ERRORS = (ValueError, TypeError, AttributeError, LookupError, EOFError, OSError, NotImplementedError)


def fetch(
    peer: Peer,
    refs: Iterable[InstanceRef],
    receive: Callable[[Dataset], None],
    *,
    retrieve: Literal["get", "move"] = "get",
    on_progress: Callable[[int], None] = lambda _: None,
) -> dict[str, str]:
    """Bring objects here; `receive` is called once with each, from one thread at a time.

    Returns
    -------
    Why, by SOP Instance UID, for those that did not come or could not be read.

    Raises
    ------
    DimseError
        If the node cannot be asked.
    """
    inbox = _Inbox({ref.sop_instance_uid for ref in refs}, receive, on_progress)
    ordered = sorted(refs, key=lambda r: (r.series_instance_uid or "", r.sop_instance_uid))
    if not ordered:
        return {}
    if retrieve == "move":
        with open_receiver(peer.local, inbox.take):
            inbox.failures.update(move(peer, ordered, peer.local.ae_title))
    else:
        chunks: queue.SimpleQueue[Sequence[InstanceRef]] = queue.SimpleQueue()
        for start in range(0, len(ordered), UIDS_PER_GET):
            chunks.put(ordered[start : start + UIDS_PER_GET])
        workers = min(ASSOCIATIONS, chunks.qsize())
        with ThreadPoolExecutor(workers) as pool:
            for future in [pool.submit(_work, peer, chunks, inbox) for _ in range(workers)]:
                future.result()
    for uid in inbox.wanted:
        inbox.failures.setdefault(uid, f"{peer.remote.ae_title} did not send it")
    return {uid: why for uid, why in inbox.failures.items() if uid not in inbox.taken}


class _Inbox:
    """What is awaited, what came, and why the rest did not."""

    def __init__(
        self, wanted: set[str], receive: Callable[[Dataset], None], on_progress: Callable[[int], None]
    ) -> None:
        self.wanted = wanted
        self.taken: set[str] = set()
        self.failures: dict[str, str] = {}
        self._receive = receive
        self._on_progress = on_progress
        self._lock = threading.Lock()

    def take(self, obj: EncodedObject) -> int:
        """Read an object and hand it over. Its sender has done its part, also when it cannot be read here."""
        with self._lock:
            if obj.sop_instance_uid not in self.wanted:
                return _SUCCESS
            self.wanted.discard(obj.sop_instance_uid)
            try:
                ds = dcmread(BytesIO(with_file_meta(obj)))
                self._receive(ds)
                self.taken.add(obj.sop_instance_uid)
            except _READ_ERRORS as error:
                self.failures[obj.sop_instance_uid] = f"cannot be read: {type(error).__name__}"
            self._on_progress(1)
        return _SUCCESS


def _work(peer: Peer, chunks: queue.SimpleQueue[Sequence[InstanceRef]], inbox: _Inbox) -> None:
    """Get chunks until there are none left."""
    handlers = [(evt.EVT_C_STORE, lambda event: inbox.take(encoded_object(event)))]
    contexts = [build_context(model) for model in _GET_MODELS]
    contexts += [build_context(sop_class) for sop_class in _STORAGE_CLASSES]
    roles = [build_role(sop_class, scp_role=True) for sop_class in _STORAGE_CLASSES]
    while True:
        with open_link(peer, contexts, handlers=handlers, roles=roles) as link:
            try:
                while link.is_open:
                    chunk = chunks.get_nowait()
                    for rest in _get_chunk(link, chunk, inbox):
                        chunks.put(rest)
            except queue.Empty:
                return


def _get_chunk(link: Link, chunk: Sequence[InstanceRef], inbox: _Inbox) -> list[Sequence[InstanceRef]]:
    """Get one list; returns what is to be asked for again: the rest when some came, else its halves."""
    why = ""
    model = _model(link)
    try:
        link.get(image_query(chunk), model)
    except DimseError as error:
        why = str(error)
        link.abort()
    rest = [ref for ref in chunk if ref.sop_instance_uid in inbox.wanted]
    if not rest:
        return []
    if len(chunk) == 1:
        inbox.failures[rest[0].sop_instance_uid] = why or f"{link.peer.remote.ae_title} did not send it"
        return []
    if len(rest) < len(chunk):
        return [rest]
    middle = len(rest) // 2
    return [rest[:middle], rest[middle:]]


def _model(link: Link) -> str:
    for model in _GET_MODELS:
        if link.accepts(model):
            return str(model)
    raise link.peer.error('gives no C-GET. Set [pacs] retrieve = "move" in the config')
