"""Storage and query SCPs that do, on demand, what real servers do at the worst moment.

Each is a pynetdicom server on a free loopback port, with quick sockets, whose handlers are the script; or a bare
socket, where the misbehaviour lies below DICOM. All end with their `with`.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.uid import AllTransferSyntaxes
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.presentation import build_context

from recovery.dicom.model import VARIAN_RT_PLAN, DicomNode, InstanceRef
from recovery.dimse import EncodedObject, Peer
from recovery.dimse.sockets import make_quick
from tests.objects import encode
from tests.orthanc import free_port
from tests.patience import seconds

VERIFICATION = "1.2.840.10008.1.1"
FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3))
QUERY = (VERIFICATION, FIND, MOVE, GET)
STORAGE = (*(str(c.abstract_syntax) for c in AllStoragePresentationContexts), VARIAN_RT_PLAN)

NOT_OFFERED = "1.2.840.10008.5.1.4.1.2.3.1"
"""A service that none of these offers."""

PENDING, SUCCESS = 0xFF00, 0x0000


@dataclass
class Scripted:
    """A running SCP: where it is, what it was asked, and how often it was called."""

    node: DicomNode
    heard: list[Dataset] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)
    syntaxes: dict[str, str] = field(default_factory=dict)
    associations: int = 0
    most_at_once: int = 0
    open_now: int = 0

    def levels(self) -> list[str]:
        return [str(query.QueryRetrieveLevel) for query in self.heard]


@contextlib.contextmanager
def scp(
    handlers: dict[Any, Callable[[Scripted, evt.Event], Any]] | None = None,
    *,
    contexts: Sequence[str] = (*QUERY, *STORAGE),
    transfer_syntaxes: Sequence[str] = AllTransferSyntaxes,
    most_associations: int = 100,
    require_called: bool = False,
    patience: float = 30.0,
    node: DicomNode | None = None,
) -> Iterator[Scripted]:
    """Listen with these handlers; the first argument of each is the `Scripted`, its `heard` already holds the query.

    `patience`: seconds that it waits for an answer. As an SCU, pynetdicom may lose one (`test_lost_response`), and
    then holds its association open for so long.
    """
    here = Scripted(node or DicomNode("SCRIPTED", "127.0.0.1", free_port()))
    ae = AE(ae_title=here.node.ae_title)
    ae.maximum_associations = most_associations
    ae.require_called_aet = require_called
    ae.maximum_pdu_size = 131_072
    ae.dimse_timeout = patience
    queries = [uid for uid in contexts if uid not in STORAGE]  # storage is taken unlisted, see `refuse_others`
    ae.supported_contexts = [build_context(uid, list(transfer_syntaxes)) for uid in queries or [VERIFICATION]]
    lock = threading.Lock()

    def opened(event: evt.Event) -> None:
        with lock:
            here.associations += 1
            here.open_now += 1
            here.most_at_once = max(here.most_at_once, here.open_now)

    def closed(event: evt.Event) -> None:
        with lock:
            here.open_now -= 1

    takes, syntaxes = set(contexts), {str(syntax) for syntax in transfer_syntaxes}

    def refuse_others(event: evt.Event) -> None:
        """pynetdicom's switch for private storage classes, which recovery.dimse sets, makes this side take them all."""
        for context in event.assoc.requestor.primitive.presentation_context_definition_list:
            fitting = [s for s in context.transfer_syntax if str(s) in syntaxes]
            if str(context.abstract_syntax) not in takes or not fitting:
                context.abstract_syntax = NOT_OFFERED
            else:
                context.transfer_syntax = fitting

    def bound(kind: Any, handler: Callable[[Scripted, evt.Event], Any]) -> Callable[[evt.Event], Any]:
        if kind in {evt.EVT_C_FIND, evt.EVT_C_MOVE, evt.EVT_C_GET}:

            def answer(event: evt.Event) -> Iterator[Any]:
                here.heard.append(event.identifier)
                yield from handler(here, event)

            return answer
        return lambda event: handler(here, event)

    script = {evt.EVT_C_STORE: keep, **(handlers or {})}
    events: list[Any] = [(kind, bound(kind, handler)) for kind, handler in script.items()]
    events += [(evt.EVT_CONN_OPEN, make_quick), (evt.EVT_ESTABLISHED, opened), (evt.EVT_RELEASED, closed)]
    events += [(evt.EVT_ABORTED, closed), (evt.EVT_REQUESTED, refuse_others)]
    ae.start_server((here.node.host, here.node.port), block=False, evt_handlers=events)
    try:
        yield here
    finally:
        ae.shutdown()


def keep(here: Scripted, event: evt.Event) -> int:
    """C-STORE: keep the bytes as they came."""
    uid = str(event.request.AffectedSOPInstanceUID)
    here.stored[uid] = event.request.DataSet.getvalue()
    here.syntaxes[uid] = str(event.context.transfer_syntax)
    return SUCCESS


def match(query: Dataset, sop_instance_uid: str, **elements: Any) -> Dataset:
    """An answer to a C-FIND at the level of the query."""
    answer = Dataset()
    answer.QueryRetrieveLevel = query.QueryRetrieveLevel
    answer.SOPInstanceUID = sop_instance_uid
    for keyword, value in elements.items():
        setattr(answer, keyword, value)
    return answer


def asked_uids(query: Dataset) -> list[str]:
    """The SOP Instance UIDs that a C-FIND or C-MOVE asks for."""
    value = query.get("SOPInstanceUID")
    if not value:
        return []
    return [value] if isinstance(value, str) else list(value)


def is_relational(query: Dataset) -> bool:
    """Whether a query below STUDY leaves out a unique key above it (PS3.4 C.4.1.2.2.1)."""
    above = {"STUDY": (), "SERIES": ("StudyInstanceUID",), "IMAGE": ("StudyInstanceUID", "SeriesInstanceUID")}
    return any(not query.get(keyword) for keyword in above[query.QueryRetrieveLevel])


def hierarchical(holds: dict[str, Dataset], refusal: int | None) -> Callable[[Scripted, evt.Event], Any]:
    """A node that wants STUDY, SERIES, IMAGE; it meets another question with `refusal`, or finds nothing (None)."""

    def find(here: Scripted, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        query = event.identifier
        if is_relational(query):
            if refusal is not None:
                yield refusal, None
            return
        keys = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}
        key, given = keys[query.QueryRetrieveLevel], set()
        for ds in holds.values():
            wanted = {e.keyword: e.value for e in query if e.value and e.keyword != "QueryRetrieveLevel"}
            fits = all(str(ds.get(k, "")) in ([v] if isinstance(v, str) else list(v)) for k, v in wanted.items())
            if fits and ds[key].value not in given:
                given.add(ds[key].value)
                answer = Dataset()
                for element in query:
                    setattr(answer, element.keyword, ds.get(element.keyword))
                answer.QueryRetrieveLevel = query.QueryRetrieveLevel
                yield PENDING, answer

    return find


def sends(
    holds: dict[str, Dataset], to: DicomNode, refuses: Callable[[Dataset], int | None] = lambda _: None
) -> Callable[[Scripted, evt.Event], Any]:
    """C-MOVE: what it holds goes to `to`; unknown UIDs are skipped, as by Orthanc. `refuses` may give a status."""

    def move(here: Scripted, event: evt.Event) -> Iterator[Any]:
        yield at(to, holds.values())
        status = refuses(event.identifier)
        if status is not None:
            yield 1
            yield status, None
            return
        found = [holds[uid] for uid in asked_uids(event.identifier) if uid in holds]
        yield len(found)
        for ds in found:
            yield PENDING, ds

    return move


def at(to: DicomNode, objects: Iterable[Dataset]) -> tuple[str, int, dict[str, Any]]:
    """What a pynetdicom C-MOVE handler yields first: where to, and which contexts to propose there."""
    pairs = {(str(ds.SOPClassUID), str(ds.file_meta.TransferSyntaxUID)) for ds in objects}
    contexts = [build_context(sop_class, syntax) for sop_class, syntax in sorted(pairs)]
    return to.host, to.port, {"ae_title": to.ae_title, "contexts": contexts}


def gives(holds: dict[str, Dataset], aborts_at: set[str] = frozenset()) -> Callable[[Scripted, evt.Event], Any]:  # type: ignore[assignment]
    """C-GET: what it holds comes; at one of `aborts_at` it ends the association."""

    def get(here: Scripted, event: evt.Event) -> Iterator[Any]:
        found = [uid for uid in asked_uids(event.identifier) if uid in holds]
        yield len(found)
        for uid in found:
            if uid in aborts_at:
                event.assoc.abort()
                return
            yield PENDING, holds[uid]

    return get


@contextlib.contextmanager
def bare_socket(talk: Callable[[socket.socket], None] = lambda _: None) -> Iterator[DicomNode]:
    """A port that takes connections, does `talk` with each, and then neither answers nor hangs up."""
    done = threading.Event()
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)

        def accept() -> None:
            while not done.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, _ = server.accept()
                    taken.append(connection)
                    talk(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield DicomNode("SILENT", "127.0.0.1", server.getsockname()[1])
        finally:
            done.set()
            thread.join(10)
            for connection in taken:
                connection.close()


def peer_of(node: DicomNode, role: str = "pacs", timeout: float | None = None, port: int | None = None) -> Peer:
    """The node as the tests speak to it, by default with patience; `port` is where this machine listens."""
    return Peer(DicomNode("RBRDT", "127.0.0.1", port or free_port()), node, role, timeout or seconds(5))


def encoded(ds: Dataset) -> EncodedObject:
    """The object as C-STORE carries it: without group 0002."""
    file = encode(ds)
    read = dcmread(BytesIO(file), stop_before_pixels=True)
    start = 144 + read.file_meta.FileMetaInformationGroupLength
    return EncodedObject(ds.SOPClassUID, ds.SOPInstanceUID, str(read.file_meta.TransferSyntaxUID), file[start:])


def ref_of(ds: Dataset) -> InstanceRef:
    return InstanceRef.from_dataset(ds)


def by_uid(objects: Iterable[Dataset]) -> dict[str, Dataset]:
    return {str(ds.SOPInstanceUID): ds for ds in objects}
