"""The whole job as the cycle runs it: an ARIA's database into the cache, and from there into a stock Orthanc."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from backup_jobs.jobs.cycle import JOBS
from recovery.cache.journal import JobResult
from recovery.cache.memory import Memory
from recovery.dicom.model import DicomNode
from recovery.pacs.workspace import open_workspace
from recovery.settings.config import Config
from recovery.settings.nodes import Local, Pacs
from recovery.tables.relational import RELATIONAL_TABLES
from tests.orthanc import HOW_TO_INSTALL, Orthanc, free_port, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)


@pytest.fixture
def pacs(tmp_path: Path) -> Iterator[Orthanc]:
    with Orthanc(tmp_path / "pacs", DicomNode("RTPACS", "127.0.0.1", free_port())) as orthanc:
        yield orthanc


def run(config: Config, pacs: Orthanc, now: datetime) -> JobResult:
    node = Pacs(pacs.node.ae_title, pacs.node.host, pacs.node.port)
    here = Local("RBRDT", "127.0.0.1", free_port(), timeout_seconds=10)
    whole = replace(config, pacs=node, local=here)
    space = open_workspace(whole, Memory.load(whole.cache_path), now)
    result = JOBS["snapshot_tables"](space)
    space.keep()
    return result


def test_the_tables_reach_the_rt_pacs_with_the_job_that_read_them_and_go_there_once(
    config: Config, pacs: Orthanc, now: datetime
) -> None:
    first = run(config, pacs, now)
    assert (first.outcome, first.message) == ("OK", "")
    assert first.counts["written"] == len(RELATIONAL_TABLES)
    assert first.counts["moved"] == len(pacs.instances()) > 0
    held = pacs.instances()
    second = run(config, pacs, now)
    assert (second.counts["written"], second.counts["moved"]) == (0, 0)
    assert second.counts["already_held"] == first.counts["moved"]
    assert pacs.instances() == held
    assert "treatment_records" not in second.counts, "ARIA's records are sync_records' to tell of"


def test_an_rt_pacs_that_is_down_keeps_no_table_from_the_cache(config: Config, pacs: Orthanc, now: datetime) -> None:
    pacs.kill()
    result = run(config, pacs, now)
    assert (result.outcome, result.fault) == ("PARTIAL", "pacs")
    assert result.counts["written"] == len(RELATIONAL_TABLES)
