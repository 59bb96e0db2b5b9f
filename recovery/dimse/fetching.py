"""C-GET, or C-MOVE to this machine: bring objects here to read them.

Goal
    Every object asked for is handed over once, or named with the reason why not; one bad object stops no other.

How
    Lists of UIDs over a few associations. What a list did not bring is asked for again in halves, down to the one
    object that breaks the association.

Why
    Dashboards must be built from what the RT-PACS holds, and some nodes give C-GET, some only C-MOVE.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from io import BytesIO
from typing import Literal, NamedTuple

from pydicom import Dataset, dcmread
from pynetdicom import build_role, evt
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
    EncapsulatedPDFStorage,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    MRImageStorage,
    PatientRootQueryRetrieveInformationModelGet,
    PositronEmissionTomographyImageStorage,
    RawDataStorage,
    SecondaryCaptureImageStorage,
    SpatialRegistrationStorage,
    StudyRootQueryRetrieveInformationModelGet,
)

from recovery.dicom import elements as el
from recovery.dicom.model import (
    RT_DOSE,
    RT_IMAGE,
    RT_ION_PLAN,
    RT_PLAN,
    RT_STRUCTURE_SET,
    RT_TREATMENT_SUMMARY_RECORD,
    TREATMENT_RECORD_CLASSES,
    VARIAN_RT_PLAN,
    InstanceRef,
)
from recovery.dimse.crew import Chunk, work_off
from recovery.dimse.encoding import READ_IN, EncodedObject, with_file_meta
from recovery.dimse.guard import DOES_NOT_MATCH, NOT_AUTHORISED, Guard, disagreement
from recovery.dimse.link import DimseLink
from recovery.dimse.moving import image_query, move
from recovery.dimse.opening import open_association
from recovery.dimse.peer import NOT_SUPPORTED, DimseError, Door, DoorLink, Peer
from recovery.dimse.receiving import encoded_object, open_receiver

log = logging.getLogger(__name__)

UIDS_PER_GET = 50
ASSOCIATIONS = 2

_GET_MODELS = (StudyRootQueryRetrieveInformationModelGet, PatientRootQueryRetrieveInformationModelGet)
_STORAGE_CLASSES = (
    *(*sorted(TREATMENT_RECORD_CLASSES), RT_TREATMENT_SUMMARY_RECORD),
    *(RT_PLAN, RT_ION_PLAN, VARIAN_RT_PLAN, RT_STRUCTURE_SET, RT_DOSE, RT_IMAGE),
    *(CTImageStorage, MRImageStorage, PositronEmissionTomographyImageStorage),
    *(EnhancedCTImageStorage, EnhancedMRImageStorage, SecondaryCaptureImageStorage),
    *(SpatialRegistrationStorage, EncapsulatedPDFStorage, RawDataStorage),
)
"""What this project reads. A C-GET must negotiate each class beforehand (PS3.4 C.5.3), so those of the refs join."""

_MOST_CLASSES = 100
"""An association holds 128 presentation contexts (PS3.8 section 9.3.2.2)."""

_SUCCESS = 0x0000


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

    Raises `DimseError` if the node cannot be asked.
    """

    def read(obj: EncodedObject) -> _Read:
        try:
            ds = dcmread(BytesIO(with_file_meta(obj)))
        except el.UNREADABLE as error:
            return _Read(None, partial(_raise, error))
        return _Read(ds, partial(receive, ds))

    return _fetch(peer, refs, read, retrieve, on_progress)


def fetch_encoded(
    peer: Peer,
    refs: Iterable[InstanceRef],
    receive: Callable[[EncodedObject], None],
    *,
    retrieve: Literal["get", "move"] = "get",
    on_progress: Callable[[int], None] = lambda _: None,
) -> dict[str, str]:
    """As `fetch`, of objects that are to be passed on: their bytes as they came. Raises `DimseError` as it does."""
    return _fetch(peer, refs, lambda obj: _Read(None, partial(receive, obj)), retrieve, on_progress)


class _Read(NamedTuple):
    """An object that came, as far as whoever wants it has it read, and what hands it over."""

    ds: Dataset | None
    hand_over: Callable[[], None]


def _raise(error: Exception) -> None:
    raise error


def _fetch(
    peer: Peer,
    refs: Iterable[InstanceRef],
    read: Callable[[EncodedObject], _Read],
    retrieve: Literal["get", "move"],
    on_progress: Callable[[int], None],
) -> dict[str, str]:
    ordered = sorted(set(refs), key=lambda r: (r.series_instance_uid or "", r.sop_instance_uid))
    inbox = _Inbox({ref.sop_instance_uid: ref for ref in ordered}, read, on_progress)
    if not ordered:
        return {}
    if retrieve == "move" and peer.door is None:
        with open_receiver(peer.local, inbox.take, Guard.of(peer, ordered, _log_refused)):
            said = move(peer, ordered, peer.local.ae_title)
        inbox.failures = said | inbox.failures
    else:
        chunks = [ordered[start : start + UIDS_PER_GET] for start in range(0, len(ordered), UIDS_PER_GET)]
        if peer.door is None:
            work_off(chunks, _Getting(peer, inbox, ordered), ASSOCIATIONS)
        else:
            work_off(chunks, _Bringing(peer, inbox, peer.door), ASSOCIATIONS)
    for uid in inbox.wanted:
        inbox.failures.setdefault(uid, f"{peer.remote.ae_title} did not send it")
    return {uid: why for uid, why in inbox.failures.items() if uid not in inbox.taken}


class _Inbox:
    """What is awaited, what came, and why the rest did not."""

    def __init__(
        self, refs: dict[str, InstanceRef], read: Callable[[EncodedObject], _Read], on_progress: Callable[[int], None]
    ) -> None:
        self._refs = refs
        self.wanted = set(refs)
        self.taken: set[str] = set()
        self.failures: dict[str, str] = {}
        self._read = read
        self._on_progress = on_progress
        self._lock = threading.Lock()

    def take(self, obj: EncodedObject) -> int:
        """Read an object and hand it over. Its sender has done its part, also when it cannot be read here."""
        ref = self._refs.get(obj.sop_instance_uid)
        if ref is None:
            _log_refused("an object was sent that nobody had asked for")
            return NOT_AUTHORISED
        read = self._read(obj)  # once: what it is, and what it says
        problem = disagreement(obj, ref, read.ds)
        with self._lock:
            if obj.sop_instance_uid not in self.wanted:
                return _SUCCESS
            if problem:
                self.failures[obj.sop_instance_uid] = f"came, and {problem}"
                return DOES_NOT_MATCH
            self.wanted.discard(obj.sop_instance_uid)
            # Named first: whatever goes wrong from here on, pynetdicom would swallow, and the object with it.
            self.failures[obj.sop_instance_uid] = "came, and could not be taken"
            try:
                read.hand_over()
                self.taken.add(obj.sop_instance_uid)
            except el.UNREADABLE as error:
                self.failures[obj.sop_instance_uid] = f"cannot be read: {type(error).__name__}"
            self._on_progress(1)
        return _SUCCESS

    def still_wanted(self, chunk: Chunk) -> list[InstanceRef]:
        with self._lock:
            return [ref for ref in chunk if ref.sop_instance_uid in self.wanted]


class _Getting:
    """The job of getting lists into an inbox."""

    def __init__(self, peer: Peer, inbox: _Inbox, refs: Sequence[InstanceRef]) -> None:
        self._peer = peer
        self._inbox = inbox
        named = sorted({ref.sop_class_uid for ref in refs if ref.sop_class_uid is not None})
        self._classes = list(dict.fromkeys([*_STORAGE_CLASSES, *named]))[:_MOST_CLASSES]

    @contextlib.contextmanager
    def open(self) -> Iterator[DimseLink]:
        handlers = [(evt.EVT_C_STORE, lambda event: self._inbox.take(encoded_object(event)))]
        contexts = [build_context(uid, list(READ_IN)) for uid in (*_GET_MODELS, *self._classes)]
        roles = [build_role(sop_class, scp_role=True) for sop_class in self._classes]
        try:
            with open_association(self._peer, contexts, handlers=handlers, roles=roles) as link:
                _model(link)
                yield link
        except DimseError as error:
            if error.status == NOT_SUPPORTED:
                raise _gives_no_get(self._peer) from error
            raise

    def ask(self, link: DimseLink, chunk: Chunk) -> Sequence[Chunk]:
        """Get one list; returns what is to be asked for again: the rest when some came, else its halves."""
        said = link.get(image_query(chunk), _model(link), lambda: len(chunk) - len(self._inbox.still_wanted(chunk)))
        why = f"{self._peer.remote.ae_title} did not send it"
        if said.failed:
            why = f"{self._peer.remote.ae_title} could not send it"
        return self._rest(chunk, why)

    def divide(self, chunk: Chunk, error: DimseError) -> Sequence[Chunk]:
        return self._rest(chunk, str(error))

    def _rest(self, chunk: Chunk, why: str) -> Sequence[Chunk]:
        rest = self._inbox.still_wanted(chunk)
        if not rest:
            return []
        if len(chunk) == 1:
            self._inbox.failures[rest[0].sop_instance_uid] = why
            return []
        if len(rest) < len(chunk):
            return [rest]
        middle = len(rest) // 2
        return [rest[:middle], rest[middle:]]


class _Bringing:
    """The job of asking a door for one object after the other."""

    def __init__(self, peer: Peer, inbox: _Inbox, door: Door) -> None:
        self._peer = peer
        self._inbox = inbox
        self._door = door

    @contextlib.contextmanager
    def open(self) -> Iterator[DoorLink]:
        """A door is no association: whether anybody answers behind it shows when it is asked."""
        with self._door.open(self._peer) as link:
            link.echo()
            yield link

    def ask(self, link: DoorLink, chunk: Chunk) -> Sequence[Chunk]:
        """Bring a list; whatever is wrong with one object costs that object."""
        for ref in self._inbox.still_wanted(chunk):
            try:
                self._inbox.take(link.bring(ref))
            except DimseError as error:
                if error.status is None:
                    raise
                self._inbox.failures[ref.sop_instance_uid] = str(error)
        return []

    def divide(self, chunk: Chunk, error: DimseError) -> Sequence[Chunk]:
        """After the way broke: the rest one by one; the one that broke it is named."""
        rest = self._inbox.still_wanted(chunk)
        if len(chunk) == 1:
            self._inbox.failures |= {ref.sop_instance_uid: str(error) for ref in rest}
            return []
        return [[ref] for ref in rest]


def _log_refused(said: str) -> None:
    log.warning("refused: %s", said)


def _model(link: DimseLink) -> str:
    for model in _GET_MODELS:
        if link.accepts(model):
            return str(model)
    raise _gives_no_get(link.peer)


def _gives_no_get(peer: Peer) -> DimseError:
    return peer.error('gives no C-GET. Set [pacs] retrieve = "move" in the config')
