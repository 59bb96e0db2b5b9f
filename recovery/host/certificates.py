"""X.509 certificates in files: whose they are, when they end, and what is wrong with them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from recovery.host import system

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cryptography import x509

WARN_BEFORE = timedelta(days=30)
_OTHERS = 0o037
"""Debian keeps keys for a group of services (0640): its members may read them, nobody else."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """`names`: the hosts and addresses that it is for (subjectAltName). Both times are aware."""

    names: tuple[str, ...]
    begins_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, found: x509.Certificate) -> Certificate:
        from cryptography import x509

        names = []
        with contextlib.suppress(x509.ExtensionNotFound, ValueError):
            alternatives = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            names = [str(name.value) for name in alternatives if isinstance(name, x509.DNSName | x509.IPAddress)]
        return cls(tuple(names), found.not_valid_before_utc, found.not_valid_after_utc)

    @classmethod
    def from_der(cls, data: bytes) -> Certificate:
        """Raises `ValueError` if it is none."""
        from cryptography import x509

        return cls.of(x509.load_der_x509_certificate(data))

    def fault(self, now: datetime) -> str:
        """What is wrong with its days, or soon will be; empty when nothing is."""
        if now >= self.ends_at:
            return f"expired on {self.ends_at:%Y-%m-%d}"
        if now < self.begins_at:
            return f"is valid only from {self.begins_at:%Y-%m-%d} on"
        left = self.ends_at - now
        return f"ends on {self.ends_at:%Y-%m-%d}, in {left.days} days" if left < WARN_BEFORE else ""


def certificates_in(path: Path) -> list[Certificate]:
    """Raises `OSError` if the file cannot be read, `ValueError` if it holds no certificate as PEM."""
    from cryptography import x509

    return [Certificate.of(one) for one in x509.load_pem_x509_certificates(path.read_bytes())]


def faults_of_files(ca: Path, certificate: Path | None, key: Path | None, now: datetime) -> list[str]:
    """All that is wrong with the files of one side of TLS, a sentence each; empty when nothing is."""
    faults = [fault for path in (certificate, ca) if path for fault in _faults_of_certificates(path, now)]
    if key is None:
        return faults
    try:
        if (system.mode_of(key) or 0) & _OTHERS:
            faults.append(f"others may read the key {key}: `chmod 600 {key}`, and make a new one")
        own = _public_key_of(key)
    except (OSError, ValueError, TypeError) as error:
        return [*faults, _why_not(key, error, "a private key as PEM without a passphrase")]
    try:
        fits = certificate is None or _public_key_in(certificate) == own
    except (OSError, ValueError):
        fits = True  # told above
    return faults if fits else [*faults, f"the key {key} does not fit the certificate {certificate}"]


def _faults_of_certificates(path: Path, now: datetime) -> Iterable[str]:
    try:
        return [f"{path} {fault}" for one in certificates_in(path) if (fault := one.fault(now))]
    except (OSError, ValueError) as error:
        return [_why_not(path, error, "a certificate as PEM")]


def _why_not(path: Path, error: Exception, what: str) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{path} is not there"
    return f"{path} cannot be read: {error.strerror}" if isinstance(error, OSError) else f"{path} is not {what}"


def _public_key_of(key: Path) -> bytes:
    from cryptography.hazmat.primitives import serialization as s

    found = s.load_pem_private_key(key.read_bytes(), password=None).public_key()
    return found.public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)


def _public_key_in(certificate: Path) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization as s

    found = x509.load_pem_x509_certificates(certificate.read_bytes())[0].public_key()
    return found.public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)
