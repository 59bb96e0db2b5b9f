"""The embedded RT-PACS: a small DICOM archive, so that everything runs on any machine with nothing but Python.

Goal
    A destination to prove backups against, and the simulated clinic's R&V system. It answers C-ECHO, C-STORE,
    C-FIND, C-GET, C-MOVE and Storage Commitment.

How
    pynetdicom speaks, `archive_store` keeps, `archive_query` answers. As its own process:

        python -m demo.pacs.archive --ae-title RTPACS --host 127.0.0.1 --port 11112 --folder DIR --peer AE=host:port

    It prints one line when it listens; SIGTERM ends it. Killed at any moment, it starts again whole.

Why
    pynetdicom's own `qrscp` answers once per object at every level, and refuses relational queries and commitment.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sqlite3
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydicom import Dataset
from pynetdicom import AE, evt

from demo.pacs import network
from demo.pacs.commitment import commit
from demo.pacs.index import GROUP_BY, INDEXED, UNREADABLE, held_sop_instance_uids
from demo.pacs.matching import match_of
from demo.pacs.query import IdentifierError, find, level_of
from demo.pacs.store import ArchiveStore
from recovery.dicom.model import DicomNode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from pynetdicom.dimse_primitives import C_STORE
    from pynetdicom.events import Event

    from demo.pacs.store import StoredObject

log = logging.getLogger(__name__)

_SUCCESS, _PENDING, _CANCELLED = 0x0000, 0xFF00, 0xFE00
_OUT_OF_RESOURCES, _NOT_OF_THIS_MODEL, _CANNOT_UNDERSTAND = 0xA700, 0xA900, 0xC000


class Archive:
    """An archive in this process. `with Archive(node, folder, peers) as archive:` listens until the end.

    `node.port` 0 takes a free port, which `archive.node` then tells. `peers` are the destinations of C-MOVE and
    whom commitment reports go to, by AE title; anybody may connect.
    """

    def __init__(self, node: DicomNode, folder: Path, peers: Mapping[str, DicomNode]) -> None:
        self.node = node
        self.folder = folder
        self.peers = dict(peers)
        self._store: ArchiveStore | None = None
        self._ae = AE(ae_title=node.ae_title)
        self._ae.maximum_pdu_size = network.MAXIMUM_PDU_SIZE
        self._ae.maximum_associations = 100
        self._ae.network_timeout = 300

    @property
    def store(self) -> ArchiveStore:
        """The folder's store, while the archive runs."""
        if self._store is None:
            raise RuntimeError("the archive is not started")
        return self._store

    def start(self) -> None:
        """Recover what a crash left, and listen.

        Raises
        ------
        OSError
            If the folder cannot be written or the port is taken.
        """
        self._store = ArchiveStore(self.folder, self.node.ae_title)
        self._store.recover()
        server = self._ae.start_server(
            (self.node.host, self.node.port),
            block=False,
            evt_handlers=self._handlers(),
            contexts=network.supported_contexts(),
        )
        if server is None:
            raise OSError("the archive does not listen")
        port = int(server.server_address[1])
        self.node = DicomNode(self.node.ae_title, self.node.host, port)

    def stop(self) -> None:
        """Stop listening and end the associations. The folder stays."""
        self._ae.shutdown()
        if self._store is not None:
            self._store.close()
        self._store = None

    def __enter__(self) -> Archive:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def held_sop_instance_uids(self) -> set[str]:
        """What the archive lists; works when it is stopped, too."""
        return held_sop_instance_uids(self.folder)

    def _handlers(self) -> list[Any]:
        return [
            (evt.EVT_CONN_OPEN, network.on_connection, [self.store]),
            (evt.EVT_SOP_EXTENDED, _answer_extended_negotiation),
            (evt.EVT_C_ECHO, lambda _event: _SUCCESS),
            (evt.EVT_C_STORE, self._on_store),
            (evt.EVT_C_FIND, self._on_find),
            (evt.EVT_C_GET, self._on_get),
            (evt.EVT_C_MOVE, self._on_move),
            (evt.EVT_N_ACTION, self._on_commitment),
        ]

    def _on_store(self, event: Event) -> int:
        request = cast("C_STORE", event.request)
        uid = str(request.AffectedSOPInstanceUID)
        try:
            self.store.put(
                event.encoded_dataset(), str(request.AffectedSOPClassUID), uid, str(event.context.transfer_syntax)
            )
        except (OSError, sqlite3.Error) as error:
            log.error("%s is not stored: %s", uid, error)  # noqa: TRY400  the peer is told; no trace is needed
            return _OUT_OF_RESOURCES
        return _SUCCESS

    def _on_find(self, event: Event) -> Iterator[tuple[int, Dataset | None]]:
        try:
            identifier = event.identifier
            level = level_of(identifier, study_root=event.context.abstract_syntax in network.STUDY_ROOT)
        except IdentifierError:
            yield _NOT_OF_THIS_MODEL, None
            return
        except UNREADABLE:
            yield _CANNOT_UNDERSTAND, None
            return
        for number, answer in enumerate(find(self.store, identifier, level)):
            if number % 50 == 49:
                network.let_the_peer_speak(event.assoc)
            if event.is_cancelled:
                yield _CANCELLED, None
                return
            yield _PENDING, answer

    def _on_get(self, event: Event) -> Iterator[Any]:
        objects = self._wanted(event)
        if objects is None:
            yield 1
            yield _NOT_OF_THIS_MODEL, None
            return
        yield len(objects)
        yield from _sub_operations(event, objects)

    def _on_move(self, event: Event) -> Iterator[Any]:
        peer = self.peers.get(str(event.move_destination).strip())
        if peer is None:
            yield None, None
            return
        objects = self._wanted(event)
        handlers = [(evt.EVT_CONN_OPEN, network.on_connection, [self.store])]
        contexts = network.contexts_to_send(objects or [])
        yield (
            peer.host,
            peer.port,
            {"contexts": contexts, "evt_handlers": handlers, "max_pdu": network.MAXIMUM_PDU_SIZE},
        )
        yield len(objects or [])
        yield from _sub_operations(event, objects or [])

    def _wanted(self, event: Event) -> list[StoredObject] | None:
        """What a retrieve identifier names by the unique key of its level; None when it names nothing."""
        try:
            identifier = event.identifier
            level = level_of(identifier, study_root=event.context.abstract_syntax in network.STUDY_ROOT)
        except (IdentifierError, *UNREADABLE):
            return None
        columns = {c for group in GROUP_BY.values() for c in group}
        keys = Dataset()
        for keyword, column in INDEXED.items():
            if column in columns and keyword in identifier:
                keys[keyword] = identifier[keyword]
        unique_key = next(k for k, column in INDEXED.items() if column == GROUP_BY[level][-1])
        if not keys.get(unique_key):
            return None
        match = match_of(keys)
        return self.store.objects(match.where, match.parameters)

    def _on_commitment(self, event: Event) -> tuple[int, None]:
        requestor = str(event.assoc.requestor.ae_title).strip()
        peer = self.peers.get(requestor)
        if peer is None:
            log.warning("no address is known of %s: it gets no commitment report", requestor)
            return 0x0110, None
        request = event.action_information
        threading.Thread(target=commit, args=(self._ae, self.store, peer, request), daemon=True).start()
        return _SUCCESS, None


def _sub_operations(event: Event, objects: list[StoredObject]) -> Iterator[tuple[int, Dataset | None]]:
    for stored in objects:
        if event.is_cancelled:
            yield _CANCELLED, None
            return
        name = Dataset()
        name.SOPClassUID = stored.sop_class_uid
        name.SOPInstanceUID = stored.sop_instance_uid
        yield _PENDING, name


def _answer_extended_negotiation(event: Event) -> dict[Any, bytes]:
    """Relational queries and retrievals: yes; nothing else (PS3.4 sections C.5.1.1 and C.5.2.1)."""
    asked_for: dict[Any, bytes] = getattr(event, "app_info", {})  # pynetdicom sets it per event
    return {uid: b"\x01" + b"\x00" * (len(asked) - 1) for uid, asked in asked_for.items() if asked}


def parse_peer(text: str) -> tuple[str, DicomNode]:
    """`AE=host:port`.

    Raises
    ------
    argparse.ArgumentTypeError
        If it does not read so.
    """
    ae_title, _, address = text.partition("=")
    host, _, port = address.rpartition(":")
    if not (ae_title and host and port.isdigit()):
        raise argparse.ArgumentTypeError(f"not AE=host:port: {text}")
    return ae_title, DicomNode(ae_title, host, int(port))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m demo.pacs.archive", description="A small RT-PACS.")
    parser.add_argument("--ae-title", default="RTPACS")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; default: this machine only")
    parser.add_argument("--port", type=int, default=11112)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--peer", type=parse_peer, action="append", default=[], metavar="AE=host:port")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        with Archive(DicomNode(asked.ae_title, asked.host, asked.port), asked.folder, dict(asked.peer)) as archive:
            print(f"listening: {archive.node}", flush=True)  # the line that a launcher waits for
            ended.wait()
    except OSError as error:
        print(f"the archive cannot start: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
