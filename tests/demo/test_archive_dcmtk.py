"""The embedded RT-PACS, asked by dcmtk: another implementation of the standard than our own."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from pydicom import dcmread

from demo.pacs.archive import Archive
from recovery.dicom.model import DicomNode
from tests.demo.scu import record, tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Archive, Archive]]:
    with (
        Archive(DicomNode("RTPACS", "127.0.0.1", 0), tmp_path / "pacs", {}) as pacs,
        Archive(DicomNode("DEMO_RV", "127.0.0.1", 0), tmp_path / "rv", {"RTPACS": pacs.node}) as rv,
    ):
        rv.store.ingest(record(n) for n in range(9))
        yield rv, pacs


def run(name: str, node: DicomNode, *arguments: str) -> str:
    command = [tool(name), "-aec", node.ae_title, node.host, str(node.port), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_echoscu_is_answered(two: tuple[Archive, Archive]) -> None:
    run("echoscu", two[0].node)


def test_storescu_stores_every_record(two: tuple[Archive, Archive], tmp_path: Path) -> None:
    for number in (20, 21):
        record(number).save_as(tmp_path / f"{number}.dcm", enforce_file_format=True)
    run("storescu", two[1].node, "-R", str(tmp_path / "20.dcm"), str(tmp_path / "21.dcm"))
    assert two[1].held_sop_instance_uids() == {record(n).SOPInstanceUID for n in (20, 21)}


def test_findscu_finds_by_treatment_date_with_relational_queries(two: tuple[Archive, Archive]) -> None:
    keys = ["QueryRetrieveLevel=IMAGE", "TreatmentDate=20261103-20261105", "SOPInstanceUID", "PatientName"]
    said = run("findscu", two[0].node, "-P", "-v", *(part for key in keys for part in ("-k", key)))
    assert {n for n in range(9) if record(n).SOPInstanceUID in said} == {2, 3, 4}


def test_movescu_moves_a_study(two: tuple[Archive, Archive]) -> None:
    keys = ["QueryRetrieveLevel=STUDY", f"StudyInstanceUID={record(1).StudyInstanceUID}"]
    run("movescu", two[0].node, "-S", "-aem", "RTPACS", *(part for key in keys for part in ("-k", key)))
    assert two[1].held_sop_instance_uids() == {record(n).SOPInstanceUID for n in (1, 4, 7)}


def test_getscu_gets_a_series(two: tuple[Archive, Archive], tmp_path: Path) -> None:
    keys = ["QueryRetrieveLevel=SERIES", f"SeriesInstanceUID={record(1).SeriesInstanceUID}"]
    folder = tmp_path / "got"
    folder.mkdir()
    run("getscu", two[0].node, "-P", "-od", str(folder), *(part for key in keys for part in ("-k", key)))
    assert [dcmread(path).SOPInstanceUID for path in folder.iterdir()] == [record(1).SOPInstanceUID]
