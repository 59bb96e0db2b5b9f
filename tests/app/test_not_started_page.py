"""The page Not started yet: each stage counted, everybody listed, and an Excel file of it; or why nobody knows."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from streamlit.testing.v1 import AppTest

from recovery.cache.store import Cache
from recovery.tables.schema import PIPELINE
from tests.app.clinic import LOCAL, NOW
from tests.app.conftest import said

Open = Callable[..., AppTest]


def test_without_a_database_it_says_that_nobody_knows(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page="not_started")
    assert not visit.exception and "Who is not on treatment yet is not known." in said(visit)


def test_everybody_is_listed_and_each_stage_counted(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page="not_started")
    plain = dict.fromkeys(PIPELINE.columns) | {"told": "plan planning approved", "since": LOCAL - timedelta(days=3)}
    rows = [
        plain
        | {"patient_id": "7", "patient_name": "FERN, Flora", "stage": stage, "waits_for": "the signature to treat"}
        for stage in ("waiting_for_approval", "waiting_for_approval", "referred")
    ]
    cache = Cache(Path(os.environ["RBRDT_CONFIG"]).parent / "data" / "cache")
    cache.write(PIPELINE, rows, taken_at=NOW, source="R&V database and RT-PACS")
    visit = visit.run()
    assert not visit.exception
    assert "**2** waiting for approval · **1** referred" in said(visit)
    (table,) = [one.value for one in visit.dataframe if "waits_for" in one.value]
    assert list(table["stage"]) == ["waiting for approval", "waiting for approval", "referred"]
    assert list(table["patient_name"]) == ["FERN, Flora"] * 3
    assert "Excel" in [button.proto.label for button in visit.get("download_button")]
