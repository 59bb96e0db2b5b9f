"""What docs/scale.md says of the archive, as it stands there: several Orthancs on one PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from recovery.dicom.model import DicomNode
from recovery.dimse import Peer, fetch, find_refs, open_link
from tests.dimse.scripted import peer_of
from tests.objects import encode, record
from tests.orthanc import Orthanc, free_port
from tests.postgres import HOW_TO_INSTALL, IS_INSTALLED, options, postgresql

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason=HOW_TO_INSTALL)


def test_two_orthancs_on_one_database_are_one_archive(tmp_path: Path) -> None:
    stored = [record("1.9", []) for _ in range(3)]
    with postgresql() as port:
        settings = options(port, tmp_path / "files")
        nodes = [DicomNode(name, "127.0.0.1", free_port()) for name in ("FIRST", "SECOND")]
        with (
            Orthanc(tmp_path / "first", nodes[0], options=settings) as first,
            Orthanc(tmp_path / "second", nodes[1], options=settings),
        ):
            for ds in stored:
                first.put(encode(ds))
            peer: Peer = peer_of(nodes[1])
            with open_link(peer) as link:
                found = find_refs(link, {"Modality": "RTRECORD"})
            came: list[str] = []
            assert fetch(peer, found, lambda ds: came.append(ds.SOPInstanceUID)) == {}
    assert sorted(came) == sorted(ds.SOPInstanceUID for ds in stored)
