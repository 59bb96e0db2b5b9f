"""An RT-PACS with a few patients, their list, and no R&V system; receivers that the config names."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from pydicom import Dataset, dcmread

from recovery.dicom.model import DicomNode
from recovery.objects.digest import digest_of
from tests.clinic import TwoNodes
from tests.objects import encode
from tests.orthanc import Orthanc, free_port


@contextmanager
def archive(folder: Path, objects: Iterable[Dataset], environment: dict[str, str] | None = None) -> Iterator[TwoNodes]:
    """The RT-PACS holds these; the list is made of them alone."""
    local = DicomNode("RBRDT", "127.0.0.1", free_port())
    pacs = Orthanc(folder / "pacs", DicomNode("RTPACS", "127.0.0.1", free_port()), [local], environment or {})
    gone = Orthanc(folder / "rv", DicomNode("RV", "127.0.0.1", free_port()))
    with pacs:
        for ds in objects:
            pacs.put(encode(ds))
        clinic = TwoNodes(folder, gone, pacs, local)
        status, said = clinic.job("build_on_treatment")
        assert status == 0, said
        yield clinic


def destination(name: str, node: DicomNode, more: str = "") -> str:
    """A `[[restore_to]]` of the config."""
    of = f'ae_title = "{node.ae_title}"\nhost = "{node.host}"\nport = {node.port}\n'
    return f'[[restore_to]]\nname = "{name}"\n{of}{more}'


def introduce(pacs: Orthanc, node: DicomNode) -> None:
    """From now on the RT-PACS knows this node as a move destination."""
    said = json.dumps([node.ae_title, node.host, node.port]).encode()
    url = f"http://127.0.0.1:{pacs.http_port}/modalities/{node.ae_title}"
    urllib.request.urlopen(urllib.request.Request(url, said, method="PUT"), timeout=30).read()


def digests(orthanc: Orthanc) -> dict[str, list[str]]:
    """By SOP Instance UID, the digests of all objects that a server holds under it."""
    found: dict[str, list[str]] = {}
    for instance in orthanc._get("/instances"):
        url = f"http://127.0.0.1:{orthanc.http_port}/instances/{instance}/file"
        ds = dcmread(BytesIO(urllib.request.urlopen(url, timeout=30).read()))
        found.setdefault(str(ds.SOPInstanceUID), []).append(digest_of(ds))
    return found


def senders(orthanc: Orthanc) -> set[str]:
    """The AE titles that a server's objects came from."""
    urls = (
        f"http://127.0.0.1:{orthanc.http_port}/instances/{i}/metadata/RemoteAET" for i in orthanc._get("/instances")
    )
    return {urllib.request.urlopen(url, timeout=30).read().decode() for url in urls}
