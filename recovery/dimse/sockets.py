"""Sockets without delays, and none that waits for ever.

How
    A freshly opened connection gets TCP_NODELAY, on Linux TCP_QUICKACK at each read, and the association's own
    time-out, for each PDU as a whole and for each message as a whole.

Why
    Nagle's algorithm on one side and delayed acknowledgement on the other cost 40 ms a message. And a node that sends
    half a PDU, or reads no more, held its thread for ever, and with it whoever aborted the association.
"""

import contextlib
import socket
import ssl
import time

from pynetdicom import evt
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.pdu_primitives import P_DATA

from recovery.dimse import upstream
from recovery.dimse.messages.stores import Stores
from recovery.host import system

_MOST_BYTES = 65_536
_MEGABYTE = 1_000_000
MOST_OF_A_MESSAGE = 2 * 1024**3
"""Bytes. The largest objects that clinics keep are multi-frame images of some hundred megabytes."""
_IS_LAST = 0b10
"""A bit of a fragment's message control header (PS3.8 annex E.2)."""


class QuickSocket(socket.socket):
    """A socket that acknowledges at once what it receives, where the system can; told so at each read."""

    is_reading = False
    ahead = b""
    """What was read, and is not asked for yet."""

    def recv(self, buflen: int = _MOST_BYTES, flags: int = 0) -> bytes:
        with contextlib.suppress(OSError):
            system.acknowledge_at_once(self)
        return super().recv(buflen, flags)

    def read_ahead(self) -> None:
        """Read what has come, for `recv_all` to give."""
        self.is_reading = True
        try:
            self.ahead += self.recv()
        finally:
            self.is_reading = False

    def recv_all(self, count: int, seconds: float | None) -> bytearray:
        """Read `count` bytes, or fewer where the connection ends.

        Raises `TimeoutError` if they are not there in `seconds`: a peer that sends a byte now and then is not waited
        for.
        """
        began, usual, data = time.monotonic(), self.gettimeout(), bytearray(self.ahead[:count])
        self.ahead = self.ahead[count:]
        if len(data) == count:
            return data
        self.is_reading = True
        try:
            while len(data) < count:
                if seconds is not None:
                    left = began + seconds - time.monotonic()
                    if left <= 0:
                        raise TimeoutError
                    self.settimeout(left)
                got = self.recv(min(count - len(data), _MOST_BYTES))
                if not got:
                    break
                data += got
        finally:
            self.is_reading = False
            with contextlib.suppress(OSError):
                self.settimeout(usual)
        return data


class SecureSocket(QuickSocket, ssl.SSLSocket):
    """The same inside TLS. `fault` is what ended the handshake, or what the other side said against it later."""

    fault: OSError | None = None

    def recv(self, buflen: int = _MOST_BYTES, flags: int = 0) -> bytes:
        try:
            return super().recv(buflen, flags)
        except (ssl.SSLError, ConnectionError) as error:
            self.fault = self.fault or error
            raise

    def shake_hands(self, seconds: float) -> None:
        """The whole handshake, in so many seconds. Where it fails there is a `fault`, and nothing can be sent more."""
        usual = self.gettimeout()
        try:
            self.settimeout(seconds)
            self.do_handshake()
            self.settimeout(usual)
        except (OSError, ValueError) as error:
            self.fault = error if isinstance(error, OSError) else OSError(str(error))
            cut(self)


def make_quick(
    event: evt.Event, context: ssl.SSLContext | None = None, server_name: str | None = None
) -> QuickSocket | None:
    """Give a freshly opened connection a socket without delays. For EVT_CONN_OPEN, on either side.

    With a TLS context it is a `SecureSocket` whose hands are still to be shaken; a client gives the `server_name`.
    """
    holder = event.assoc.dul.socket
    plain = holder.socket if holder is not None else None
    if holder is None or plain is None:
        return None
    quick = QuickSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
    quick.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    seconds = event.assoc.dimse_timeout
    quick.settimeout(seconds)
    if context is not None:
        quick = _secure(quick, context, server_name)
    holder.socket = quick
    upstream.read_bytes_by(holder, lambda nr_bytes: quick.recv_all(nr_bytes, seconds))
    Stores(event.assoc.dimse)
    _bound_messages(event.assoc.dimse, quick, seconds)
    return quick


def _secure(quick: QuickSocket, context: ssl.SSLContext, server_name: str | None) -> SecureSocket:
    context.sslsocket_class = SecureSocket
    is_server = server_name is None
    secure = context.wrap_socket(
        quick, server_side=is_server, do_handshake_on_connect=False, server_hostname=server_name
    )
    assert isinstance(secure, SecureSocket)
    return secure


def cut(quick: socket.socket) -> None:
    """End a connection at once, whoever is reading from it. One inside TLS stays so: what was encrypted is not read."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(quick, socket.SHUT_RDWR)


def _bound_messages(dimse: DIMSEServiceProvider, quick: QuickSocket, seconds: float | None) -> None:
    """A message that takes longer than `seconds`, and as long again for each megabyte, ends the connection; one that is
    larger than anything a clinic keeps does, before it fills the memory."""
    began: float | None = None
    size = 0

    def receive(primitive: P_DATA) -> None:
        nonlocal began, size
        now = time.monotonic()
        fragments = primitive.presentation_data_value_list
        if began is None:
            began, size = now, 0
        size += sum(len(fragment) for _, fragment in fragments)
        is_late = seconds is not None and now - began > seconds * (1 + size / _MEGABYTE)
        if is_late or size > MOST_OF_A_MESSAGE:
            cut(quick)
            return
        if fragments[-1][1][0] & _IS_LAST:
            began = None
        usual(primitive)

    usual = upstream.read_messages_by(dimse, receive)
