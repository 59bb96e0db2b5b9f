"""What several workers rebuild and read again is bit for bit what one process does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from recovery.pacs.retrieval import OBJECTS_PER_TASK
from tests.app.conftest import set_clock
from tests.clinic import TwoNodes, two_nodes
from tests.objects import beam_item, encode, plan, record
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)
NOW = datetime.fromisoformat("2026-11-22T12:00:00+01:00")


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path) as nodes:
        yield nodes


def tables(cache: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(cache.rglob("*.parquet"))}


def test_a_rebuild_and_a_night_by_several_workers_write_what_one_writes(clinic: TwoNodes) -> None:
    for patient in range(6):
        whose = {"PatientID": f"P{patient}", "PatientName": f"BASALT^N{patient}"}
        treated = plan({1: 100.0}, **whose)
        days = [NOW.replace(tzinfo=None) - timedelta(days=19 - f) for f in range(1, 19)]
        given = [
            record(treated.SOPInstanceUID, [beam_item(1, f, 100.0, 100.0)], at=at, **whose)
            for f, at in enumerate(days, start=1)
        ]
        for ds in (treated, *given):
            clinic.pacs.put(encode(ds))
    set_clock(clinic.folder / "clock.json", NOW)
    written = []
    for associations in (2, 8):
        folder = clinic.folder / f"by_{associations}"
        folder.mkdir()
        one = replace(clinic, folder=folder, clock=str(clinic.folder / "clock.json"), associations=associations)
        assert one.run("recovery", "rebuild").returncode == 0
        status, results = one.job("verify_backup")
        assert status == 0, results
        assert (
            results["verify_backup"]["counts"]["already_held"]
            == results["verify_backup"]["counts"]["found"]
            > OBJECTS_PER_TASK
        )
        written.append(tables(folder / "cache"))
    assert written[0] == written[1] and len(written[0]) > 5
