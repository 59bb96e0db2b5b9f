"""Whoever stores a treatment record of his own in the RT-PACS has it counted; what the list then says of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.pacs.archive import Archive
from recovery.dicom.model import DicomNode
from tests.archive_clinic import OneSite, delivery, local
from tests.objects import beam_item, plan, record

PATIENT = "00017R"
BESIDE = "fractions delivered: 3 in the treatment records, 2 in the R&V database"


@pytest.fixture
def pacs(tmp_path: Path) -> Iterator[Archive]:
    with Archive(DicomNode("RTPACS", "127.0.0.1", 0), tmp_path / "pacs", {}) as archive:
        yield archive


@pytest.mark.parametrize(
    ("days", "has_database", "disagreement", "remark"),
    [
        (1.0, True, BESIDE, ""),
        (-30.0, True, BESIDE, "1 treatment record is dated in the future, the last 2026-12-22 09:00: who made it?"),
        (-30.0, False, None, "1 treatment record is dated in the future, the last 2026-12-22 09:00: who made it?"),
    ],
)
def test_a_fraction_that_nobody_gave_is_said_beside_the_databases_count_and_a_future_one_by_itself(
    tmp_path: Path, pacs: Archive, days: float, has_database: bool, disagreement: str | None, remark: str
) -> None:
    treated = plan({1: 100.0}, fractions=20, PatientID=PATIENT)
    uid = str(treated.SOPInstanceUID)
    at = {1: local(4), 2: local(3), 3: local(days)}
    given = [record(uid, [beam_item(1, n, 100.0, 100.0)], at=at[n], PatientID=PATIENT) for n in at]
    pacs.store.ingest([treated, *given])
    (tmp_path / "site").mkdir()
    site = OneSite(tmp_path / "site", pacs.node, has_database=has_database)
    if has_database:
        site.write("plans", [{"sop_instance_uid": uid, "patient_id": PATIENT}])
        told: list[dict[str, Any]] = [
            delivery(n, fraction_number=n, referenced_rt_plan_uid=uid, treated_at=at[n]) for n in (1, 2)
        ]
        site.write("deliveries", told)
    (row,) = site.overview()
    assert row["fractions_delivered"] == 3 and row["disagreement"] == disagreement
    assert remark in (row["remarks"] or "")
