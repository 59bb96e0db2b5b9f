"""Sockets without delays, and none that waits for ever.

Goal
    An answer takes as long as the node needs for it, and a node that stops in mid-message is given up.

How
    A freshly opened connection gets TCP_NODELAY, TCP_QUICKACK at each read, and the association's own time-out.

Why
    Nagle's algorithm on one side and delayed acknowledgement on the other cost 40 ms a message. And pynetdicom reads
    and writes without a time-out: a node that sends half a PDU, or reads no more, held its thread for ever, and with
    it whoever aborted the association.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pynetdicom import evt


class QuickSocket(socket.socket):
    """A socket that acknowledges at once what it receives. Linux forgets TCP_QUICKACK, so it is set at each read."""

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        with contextlib.suppress(OSError):
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return super().recv(bufsize, flags)


def make_quick(event: evt.Event) -> None:
    """Give a freshly opened connection a socket without delays. For EVT_CONN_OPEN, on either side."""
    holder = event.assoc.dul.socket
    plain = holder.socket if holder is not None else None
    if holder is None or plain is None:
        return
    quick = QuickSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
    quick.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    quick.settimeout(event.assoc.dimse_timeout)
    holder.socket = quick
