"""A DICOMweb server that answers what a test says: what real ones will not do on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydicom import Dataset

from recovery.dicom.model import DicomNode
from recovery.dicomweb.door import WebDoor
from recovery.dimse import Peer
from tests.patience import seconds

JSON = "application/dicom+json"


@dataclass
class Question:
    path: str
    params: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def number(self, name: str, otherwise: int) -> int:
        return int(self.params.get(name, [str(otherwise)])[0])


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    write: Callable[[Any], None] | None = None
    """Instead of `body`: gets the file to write to."""


def matches(*objects: Dataset) -> Answer:
    return Answer(body=json.dumps([ds.to_json_dict() for ds in objects]).encode())


def pages(objects: list[Dataset], question: Question, most: int = 10**6) -> Answer:
    """As a server pages that gives at most `most` at a time."""
    first = question.number("offset", 0)
    return matches(*objects[first : first + min(most, question.number("limit", 10**6))])


@contextmanager
def web_server(answer: Callable[[Question], Answer]) -> Iterator[tuple[Peer, list[Question]]]:
    """A peer to speak to it, and what it was asked."""
    asked: list[Question] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            question = Question(parts.path, parse_qs(parts.query), dict(self.headers), body)
            asked.append(question)
            said = answer(question)
            self.send_response(said.status)
            for name, value in {"Content-Type": said.content_type, **said.headers}.items():
                self.send_header(name, value)
            if said.write is None:
                self.send_header("Content-Length", str(len(said.body)))
                self.end_headers()
                self.wfile.write(said.body)
            else:
                self.send_header("Connection", "close")
                self.end_headers()
                said.write(self.wfile)
                self.close_connection = True

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Who hangs up is expected to."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    port = server.server_address[1]
    here = DicomNode("RBRDT", "127.0.0.1", 1)
    door = WebDoor(f"http://127.0.0.1:{port}/dicom-web")
    try:
        yield Peer(here, DicomNode("DICOMWEB", "127.0.0.1", port), "pacs", seconds(10), door=door), asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(seconds(10))
