"""An RT-PACS that gives no C-GET: what is stored there is proven by C-MOVE to this machine, whatever kind it is."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from backup_jobs.jobs.check import check
from recovery.cache.snapshot_writing import open_writer
from recovery.commands.rebuild import restore_tables
from recovery.dicom.model import DicomNode
from recovery.pacs.peers import pacs_peer
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import PROVEN_OBJECTS
from tests.archive_clinic import NOBODY, OneSite, delivery, local, object_counts, stored_files
from tests.backup_jobs.mosaiq import the_plan
from tests.objects import encode
from tests.orthanc import HOW_TO_INSTALL, Orthanc, free_port, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

FRACTIONS = 103
"""More than are held in memory together: this machine listens several times in one run."""
KINDS = {
    "1.2.840.10008.5.1.4.1.1.481.4": "record",
    "1.2.840.10008.5.1.4.1.1.481.5": "plan",
    "1.2.840.10008.5.1.4.1.1.481.7": "summary",
    "1.2.840.10008.5.1.4.1.1.104.1": "chart",
    "1.2.840.10008.5.1.4.1.1.66": "tables",
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[OneSite, Orthanc]]:
    here, node = DicomNode("RBRDT", "127.0.0.1", free_port()), DicomNode("RTPACS", "127.0.0.1", free_port())
    may = {"AllowGet": False, "AllowMove": True, "AllowFind": True, "AllowStore": True, "AllowEcho": True}
    known = {"RBRDT": {"AET": here.ae_title, "Host": here.host, "Port": here.port, **may}}
    options = {"DicomAlwaysAllowGet": False, "DicomModalities": known}
    with Orthanc(tmp_path / "pacs", node, options=options) as pacs:
        pacs.put(encode(the_plan()))
        yield OneSite(tmp_path, node, "mosaiq", local_port=here.port, retrieve="move"), pacs


def take_tables(site: OneSite, fractions: int) -> None:
    told: dict[str, list[dict[str, Any]]] = {
        "patients": [{"patient_id": "00017R", "patient_name": "BASALT, Osprey"}],
        "plans": [{"sop_instance_uid": "1.2.3.4", "patient_id": "00017R"}],
        "deliveries": [
            delivery(n, fraction_number=n, treated_at=local(fractions + 1 - n)) for n in range(1, fractions + 1)
        ],
    }
    with open_writer(site.config.cache_path, site.now) as new:
        for name, rows in told.items():
            whole = [{column: row.get(column) for column in RELATIONAL_TABLES[name].columns} for row in rows]
            new.write(RELATIONAL_TABLES[name], whole, source="test", query_sha256="ab", rows_sha256=name)
        new.commit()


def test_every_kind_of_object_is_proven_by_c_move_to_this_machine(site: tuple[OneSite, Orthanc]) -> None:
    here, pacs = site
    here.config.cache_path.mkdir()
    take_tables(here, FRACTIONS)
    first = here.run()
    assert (first.outcome, first.message) == ("OK", "")
    assert object_counts(first) == (FRACTIONS + 5, 0, FRACTIONS + 5, 0)
    here.overview()
    assert here.later(minutes=10).run().counts["moved"] == 1, "the chart"
    kinds = Counter(KINDS[dcmread(path).SOPClassUID] for path in stored_files(pacs.folder).values())
    assert kinds == {"record": FRACTIONS, "plan": 1, "summary": 1, "chart": 1, "tables": 4}

    (here.config.cache_path / "tables" / "proven_objects.parquet").unlink()
    again = here.later(minutes=20).run()
    assert (again.outcome, again.counts["moved"]) == ("OK", 0)
    proven = here.space().cache.read(PROVEN_OBJECTS)
    assert {row["why"] for row in proven} == {None}
    assert len(proven) == again.counts["already_held"] >= 10


def test_tables_come_back_by_c_move_on_a_machine_that_has_nothing(site: tuple[OneSite, Orthanc]) -> None:
    here, _ = site
    here.config.cache_path.mkdir()
    take_tables(here, 3)
    here.run()
    for path in sorted(here.config.cache_path.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    config = here.config
    report = restore_tables(config, pacs_peer(config, here.space().memory), here.space().now, are_expected=True)
    assert report.problems == []
    assert len(here.space().cache.read(RELATIONAL_TABLES["deliveries"])) == 3
    assert here.overview()[0]["fractions_delivered"] == 0, "of two fields, one was treated"


def test_check_tells_a_port_that_is_taken_though_no_record_is_relayed(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        here = OneSite(tmp_path, NOBODY, "mosaiq", local_port=taken.getsockname()[1], retrieve="move")
        space = here.space()
        assert space.config.rv is not None
        space.config = replace(space.config, rv=replace(space.config.rv, route="direct"))
        assert "This machine cannot listen as" in check(space).message
