"""Streamlit's own language, spoken without a browser: what a program that forges messages can make a server say.

Goal
    Tests ask the WebSocket directly, as an attacker would, and read every byte that comes back.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.http11 import USER_AGENT
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.patience import seconds


@dataclass
class Wire:
    """One connection: `heard` is every frame so far."""

    connection: ClientConnection
    heard: list[bytes] = field(default_factory=list)

    def send(self, message: BackMsg) -> None:
        self.connection.send(message.SerializeToString())

    def rerun(self, *, query: str = "", page: str = "", widgets: Sequence[WidgetState] = ()) -> None:
        """Ask for a page as a browser does that came by an address, with widgets in these states."""
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_script_hash = page
        message.rerun_script.widget_states.widgets.extend(widgets)
        self.send(message)

    def ask_file(self, file_id: str) -> None:
        """Ask for a download that is made when it is asked for."""
        message = BackMsg()
        message.backend_operation_request.session_id = self.session_id
        message.backend_operation_request.deferred_file.file_id = file_id
        self.send(message)

    def listen(self, silence: float = 0.7, until: bytes | None = None) -> bytes:
        """Hear until nothing is said for so many seconds; with `until`, until a frame holds it."""
        began, deadline = len(self.heard), time.monotonic() + seconds(30)
        with contextlib.suppress(TimeoutError):
            while until is None or until not in b"".join(self.heard[began:][-1:]):
                frame = self.connection.recv(timeout=max(0.0, deadline - time.monotonic()) if until else silence)
                self.heard.append(frame if isinstance(frame, bytes) else frame.encode())
        return b"".join(self.heard[began:])

    def listen_to_the_end(self) -> None:
        """Hear until the page is drawn: what is pressed before may be lost."""
        while True:
            frame = self.connection.recv(timeout=seconds(30))
            self.heard.append(frame if isinstance(frame, bytes) else frame.encode())
            said = ForwardMsg.FromString(self.heard[-1])
            if said.WhichOneof("type") == "script_finished" and said.script_finished == said.FINISHED_SUCCESSFULLY:
                return

    def messages(self) -> list[ForwardMsg]:
        return [ForwardMsg.FromString(frame) for frame in self.heard]

    @property
    def session_id(self) -> str:
        return next(id_ for said in self.messages() if (id_ := said.new_session.initialize.session_id))

    def page_hashes(self) -> list[str]:
        return [page.page_script_hash for said in self.messages() for page in said.navigation.app_pages]

    def widget_ids(self) -> dict[str, str]:
        """Labels of the text fields and buttons seen so far, and their ids."""
        found = {}
        for said in self.messages():
            element = said.delta.new_element
            for widget in (element.text_input, element.button):
                if widget.id:
                    found[widget.label] = widget.id
        return found


@contextlib.contextmanager
def wire(
    url: str, *, headers: Mapping[str, str] | None = None, origin: str | None = None, session: str | None = None
) -> Iterator[Wire]:
    """Connect to a dashboard's WebSocket until the block ends; with `session`, as its browser does that comes back."""
    address = f"ws://{urlsplit(url).netloc}/_stcore/stream"
    told = [Subprotocol(one) for one in ("streamlit", "none", session)] if session else None
    agent = (headers or {}).get("User-Agent", USER_AGENT)
    others = {name: value for name, value in (headers or {}).items() if name != "User-Agent"}
    with connect(
        address,
        additional_headers=others,
        origin=origin,
        proxy=None,
        subprotocols=told,
        user_agent_header=agent,  # type: ignore[arg-type]
    ) as connection:
        yield Wire(connection)
