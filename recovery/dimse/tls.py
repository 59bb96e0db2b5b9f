"""TLS under DICOM, as BCP 195 wants it (PS3.15 B.12), and in words why there is none.

How
    TLS 1.3, or 1.2 with forward secrecy and AEAD suites alone. Whoever is spoken to must show a certificate of the
    config's CA with the name that the config has for it; whoever sends here, one of `[local.tls]`'s CA. Nothing of this
    can be switched off, and nothing goes back to DICOM in the clear.
"""

import contextlib
import re
import socket
import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from recovery.host.certificates import Certificate, certificates_in

_SUITES = "@SECLEVEL=2:ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2 (RFC 9325 section 4.2); those of 1.3 are all of this kind."""


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of one side of a connection, and the name that the other's certificate bears, if not its host."""

    ca: Path
    certificate: Path | None = None
    key: Path | None = None
    server_name: str = ""

    def context(self, *, is_server: bool = False) -> ssl.SSLContext:
        """Made anew when a file has changed. Raises `OSError`, in words, if a file cannot be used."""
        files = [path for path in (self.ca, self.certificate, self.key) if path is not None]
        try:
            return _context(self, is_server, tuple(path.stat().st_mtime_ns for path in files))
        except ssl.SSLError as error:
            reason = (error.reason or "is none").lower().replace("_", " ")
            raise OSError(f"TLS cannot begin with {', '.join(map(str, files))}: {reason}") from error
        except OSError as error:
            raise OSError(f"TLS cannot begin: {error.filename or files[0]}: {error.strerror or error}") from error


@lru_cache(maxsize=32)
def _context(tls: Tls, is_server: bool, _stamps: tuple[int, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_SUITES)
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(tls.ca)
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key, password=lambda: "")  # else it asks at the terminal
    if is_server:
        context.num_tickets = 0  # nobody comes back soon enough to resume
    return context


def seen_certificate(host: str, port: int, tls: Tls, seconds: float) -> Certificate | None:
    """The certificate that a node shows, believed or not, to say what it is; None if it shows none."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE  # nothing is said over this connection
    with contextlib.suppress(OSError, ValueError):
        if tls.certificate is not None:
            trusting.load_cert_chain(tls.certificate, tls.key, password=lambda: "")
        with socket.create_connection((host, port), seconds) as plain, trusting.wrap_socket(plain) as other:
            return Certificate.from_der(other.getpeercert(binary_form=True) or b"")
    return None


_WORDS = {
    r"WRONG_VERSION|HTTP_REQUEST|UNKNOWN_PROTOCOL|RECORD_LAYER|LENGTH_TOO_LONG|UNEXPECTED_MESSAGE": "it speaks no TLS",
    r"UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION|VERSION_TOO_LOW": "it speaks TLS older than 1.2 only",
    r"NOT_RETURN_A_CERTIFICATE": "it shows no certificate",
    r"ALERT_UNKNOWN_CA": "it does not know the CA that signed our certificate",
    r"ALERT_CERTIFICATE_EXPIRED": "it says that our certificate has expired",
    r"ALERT_(BAD_|UNSUPPORTED_)?CERTIFICATE|ALERT_ACCESS_DENIED": "it refuses our certificate",
}
_ASKS = r"ALERT_CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE|ALERT_BAD_CERTIFICATE"
_HUNG_UP = "it hung up in the TLS handshake: does it speak TLS at this port, and know the CA of our certificate?"
_EXPIRED, _NOT_YET, _PURPOSE, _NAME, _ADDRESS = 10, 9, 26, 62, 64
"""OpenSSL's codes of what is wrong with a certificate (X509_V_ERR_…)."""


def in_words(error: OSError, tls: Tls, seen: Certificate | None = None, host: str = "") -> str:
    """Why there is no TLS with a node. `seen`: the certificate that it showed, where it is known."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_in_words(error, tls, seen, host)
    if isinstance(error, TimeoutError):
        return "it did not answer the TLS handshake in time: does it speak TLS at this port?"
    reason = error.reason or "" if isinstance(error, ssl.SSLError) else ""
    if tls.certificate is None and re.search(_ASKS, reason):
        return "it asks for a certificate of ours, and its `tls` in the config names none"
    said = next((words for pattern, words in _WORDS.items() if re.search(pattern, reason)), "")
    if said or not reason or "EOF" in reason:
        return said or _HUNG_UP
    return f"the TLS handshake failed: {reason.lower().replace('_', ' ')}"


def _certificate_in_words(error: ssl.SSLCertVerificationError, tls: Tls, seen: Certificate | None, host: str) -> str:
    code = error.verify_code
    if code in {_NAME, _ADDRESS}:
        name = tls.server_name or host
        if seen is not None and not seen.names:
            return f"its certificate bears no host's name or address (subjectAltName), and is not believed to be {name}"
        names = f"for {', '.join(seen.names)}, and " if seen is not None else ""
        return f"its certificate is {names}not for {name}: if this is the right node, server_name is that name"
    if code == _EXPIRED:
        return _expired_in_words(tls, seen)
    if code == _NOT_YET:
        since = f" before {seen.begins_at:%Y-%m-%d}" if seen else " yet"
        return f"its certificate is not valid{since}: compare the clocks"
    if code == _PURPOSE:
        return "its certificate is not made for this side of TLS (extendedKeyUsage)"
    if (
        "issuer" in error.verify_message
        or "self-signed" in error.verify_message
        or "self signed" in error.verify_message
    ):
        return f"its certificate is signed by another CA than those in {tls.ca}"
    return f"its certificate is not believed: {error.verify_message}"


def _expired_in_words(tls: Tls, seen: Certificate | None) -> str:
    """Of two that end, the one that ends first has."""
    with contextlib.suppress(OSError, ValueError):
        first = min(one.ends_at for one in certificates_in(tls.ca))
        if seen is not None and first < seen.ends_at:
            return f"the CA in {tls.ca} expired on {first:%Y-%m-%d}"
    return f"its certificate expired on {seen.ends_at:%Y-%m-%d}" if seen else "its certificate has expired"
