"""Two Orthancs that speak DICOM inside TLS alone, and their certificates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recovery.dicom.model import DicomNode
from recovery.dimse.tls import Tls
from tests.certificates import Authority, toml
from tests.clinic import TwoNodes
from tests.orthanc import Orthanc, free_port

HOST = "127.0.0.1"
NODES = ("local", "rv", "pacs")


class Certificates:
    """The clinic's CA and another; the certificate of each node, and what an attacker or a forgetful one has."""

    def __init__(self, folder: Path) -> None:
        self.ca, self.foreign = Authority(folder, "clinic"), Authority(folder, "foreign")
        self.of = {name: self.ca.tls(name) for name in NODES}
        self.expired = self.ca.tls("expired", days=-3)
        self.soon = self.ca.tls("soon", days=12)
        self.by_foreign = self.foreign.tls("stranger", ca=self.ca)


def _options(tls: Tls, peers: list[DicomNode]) -> dict[str, object]:
    """Orthanc's, for both its sides: it takes nobody without a certificate, and sends by TLS alone."""
    return {
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": str(tls.certificate),
        "DicomTlsPrivateKey": str(tls.key),
        "DicomTlsTrustedCertificates": str(tls.ca),
        "DicomTlsRemoteCertificateRequired": True,
        "DicomModalities": {
            p.ae_title: {"AET": p.ae_title, "Host": p.host, "Port": p.port, "UseDicomTls": True} for p in peers
        },
    }


@contextmanager
def tls_nodes(folder: Path, certificates: Certificates) -> Iterator[TwoNodes]:
    """Start the servers; stop them at the end."""
    local, rv, pacs = (DicomNode(title, HOST, free_port()) for title in ("RBRDT", "RV", "RTPACS"))
    of = certificates.of
    with (
        Orthanc(folder / "rv", rv, options=_options(of["rv"], [local, pacs])) as rv_server,
        Orthanc(folder / "pacs", pacs, options=_options(of["pacs"], [local])) as pacs_server,
    ):
        yield TwoNodes(folder, rv_server, pacs_server, local, extra=tables(certificates, {}))


def tables(certificates: Certificates, changed: dict[str, Tls]) -> str:
    """The `tls` tables of a config, this machine's certificate in each, but where it is `changed`."""
    ours = certificates.of["local"]
    return "".join(f"[{name}.tls]\n{toml(changed.get(name, ours))}" for name in NODES)
