"""One RT-PACS for many tests: an Orthanc takes a second to start, and a moment to forget."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from recovery.dicom.model import DicomNode
from tests.archive_clinic import OneSite
from tests.orthanc import Orthanc, free_port


@pytest.fixture(scope="session")
def shared_pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    node = DicomNode("RTPACS", "127.0.0.1", free_port())
    with Orthanc(tmp_path_factory.mktemp("pacs"), node, options={"SaveJobs": False}) as orthanc:
        yield orthanc


@pytest.fixture
def pacs(shared_pacs: Orthanc) -> Orthanc:
    """An RT-PACS that holds nothing."""
    shared_pacs.delete_all()
    return shared_pacs


@pytest.fixture
def site(tmp_path, pacs: Orthanc) -> OneSite:  # type: ignore[no-untyped-def]
    """A site with an empty cache, and that RT-PACS."""
    return OneSite(tmp_path, pacs.node)
