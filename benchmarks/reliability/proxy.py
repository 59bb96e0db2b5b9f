"""Ports that pass on to others what they hear, and by plan delay, lose, cut, hold or change it."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from tests.orthanc import free_port

KINDS = ("delay", "drop", "cut", "stall", "corrupt")
HELD = 7.0
"""Seconds: three time-outs of whoever waits."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: a close is a reset, as where a machine dies."""


@dataclass(slots=True)
class Fault:
    """What happens once so many bytes have passed in one direction, over all connections; `towards` the target."""

    kind: str
    towards: bool
    at: int
    size: int

    @classmethod
    def by(cls, chance: random.Random) -> Fault:
        at = int(10 ** chance.uniform(1.5, 4.7))  # an association, a question, an object: each as often
        return cls(chance.choice(KINDS), chance.random() < 0.5, at, int(10 ** chance.uniform(0, 3.5)))


@dataclass
class Proxy:
    """Listens at `port` until `close`; `plan` is what goes wrong from now on."""

    target: int
    port: int = field(default_factory=free_port)
    plan: list[Fault] = field(default_factory=list)
    passed: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    did: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def break_by(self, plan: list[Fault]) -> None:
        with self._lock:
            self.plan, self.passed, self.did = plan, {True: 0, False: 0}, []

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.target), 5)
                except OSError:
                    _reset(near)
                    continue
                for pair in ((near, far, True), (far, near, False)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, towards: bool) -> None:
        with suppress(OSError):
            sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := _heard(source):
                for part in self._spoilt(data, towards):
                    if part is None:
                        _reset(source)
                        _reset(sink)
                        return
                    sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)

    def _spoilt(self, data: bytes, towards: bool) -> list[bytes | None]:
        """What is passed on; None: and then cut."""
        with self._lock:
            start = self.passed[towards]
            self.passed[towards] += len(data)
            due = [f for f in self.plan if f.towards == towards and start <= f.at < start + len(data)]
            self.plan = [f for f in self.plan if f not in due]
            self.did += [f.kind for f in due]
        for fault in due:
            at = fault.at - start
            if fault.kind == "delay":
                time.sleep(min(2.0, fault.size / 500))
            elif fault.kind == "drop":
                data = data[:at] + data[at + fault.size :]
            elif fault.kind == "corrupt":
                data = (
                    data[:at] + bytes([data[at] ^ (1 << fault.size % 8)]) + data[at + 1 :] if at < len(data) else data
                )
            elif fault.kind == "cut":
                return [data[:at], None]
            else:  # held until the other end has had enough
                time.sleep(HELD)
                return [None]
        return [data]


def _heard(source: socket.socket) -> bytes:
    """What comes next; said to have come at once, or a stock Orthanc waits 40 ms before it sends on."""
    source.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    return source.recv(65_536)


def _reset(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
