"""Certificates for the tests of TLS, made on the fly: an authority, and what it signs."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from recovery.dimse.tls import Tls


class Authority:
    """A CA with a key of its own; `file` is its certificate."""

    def __init__(self, folder: Path, name: str, days: int = 3650) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.file = folder / f"{name}.pem"
        certificate = self._signed(self._name, self._key, days, x509.BasicConstraints(ca=True, path_length=0))
        self.file.write_bytes(certificate.public_bytes(s.Encoding.PEM))

    def tls(
        self, name: str, host: str = "127.0.0.1", days: int = 365, ca: Authority | None = None, is_named: bool = True
    ) -> Tls:
        """A certificate for `host`, which ends in so many days, and what its bearer believes: this CA, or `ca`.

        Not `is_named`: the host is its subject alone.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            alternative = x509.DNSName(host)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name if is_named else host)])
        extension = x509.SubjectAlternativeName([alternative]) if is_named else x509.BasicConstraints(False, None)
        found = self._signed(subject, key, days, extension)
        certificate, private = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        certificate.write_bytes(found.public_bytes(s.Encoding.PEM))
        private.touch(0o600)
        private.write_bytes(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
        return Tls((ca or self).file, certificate, private)

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: int, extension: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=400))
        builder = builder.not_valid_after(now + timedelta(days=days)).add_extension(extension, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def toml(tls: Tls) -> str:
    """The lines of a `tls` table."""
    files = {"ca": tls.ca, "certificate": tls.certificate, "key": tls.key, "server_name": tls.server_name}
    return "".join(f'{key} = "{value}"\n' for key, value in files.items() if value)
