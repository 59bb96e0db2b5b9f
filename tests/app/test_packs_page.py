"""The page of packs: what the gate refuses and why, who may pack, and that a press makes a pack and is written down."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from app.data.packs import Judged
from app.screens.recovery_packs import _counts
from recovery.packing.gate import Refusal, is_complete, was_proven_lately
from recovery.packing.proof import faults_of
from tests.app.conftest import said

Open = Callable[..., AppTest]
PAGE = "recovery_packs"


def folder() -> Path:
    return Path(os.environ["RBRDT_CONFIG"]).parent


def test_what_the_gate_refuses_is_counted_by_reason_and_listed_with_its_sentence(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page=PAGE)
    assert not visit.exception
    assert "**0 plans** may be packed · :red[■ **9** refused by the safety gate]: 9 without a plan object" in said(
        visit
    )
    (table,) = [one.value for one in visit.dataframe if "why" in one.value]
    assert set(table["why"]) == {"The safety copy has no plan object of it: there is nothing to load."}
    assert "No pack is kept ready: the config names no folder" in said(visit)


def test_a_plan_that_is_refused_twice_is_counted_by_its_first_reason() -> None:
    late = Refusal(was_proven_lately.__name__, "It was never proven whole by re-reading.")
    refused = [
        Judged("TB1", "BERG, Bo", "2", "Prost", (Refusal(is_complete.__name__, "1 of 28 images."), late)),
        Judged("TB1", "ABELSEN, Anna", "1", "Breast", (late,)),
    ]
    assert _counts(3, refused) == (
        "**3 plans** may be packed · :red[■ **2** refused by the safety gate]: 1 incomplete, 1 not proven lately"
    )


def test_who_may_not_recover_plans_sees_why_not_and_cannot_pack(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page=PAGE, role="therapist")
    button = visit.button(key="pack_download")
    assert button.disabled and "This needs the role physicist or admin." in button.help


def test_a_press_makes_a_pack_of_that_machine_and_day_and_is_written_down(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page=PAGE)
    config = folder() / "config.toml"
    config.write_text(config.read_text() + f'[package]\npath = "{folder() / "kept"}"\n')
    for key, made in (
        ("pack_download", folder() / "data" / "cache" / "downloads" / "TB1_2026-11-24"),
        ("pack_folder", folder() / "kept_TB1_2026-11-24"),
    ):
        visit = visit.run().button(key=key).click().run()
        assert not visit.exception, visit.exception
        (status,) = visit.status
        assert status.label == "Packed; not every plan: see below what the gate refused"
        assert list(faults_of(made, {})) == [] and "ABELSEN, Anna" in (made / "index.html").read_text()
    assert "Prostate" not in (made / "index.html").read_text(), "that is Bo's, on TB2"
    lines = [json.loads(line) for line in (folder() / "data" / "audit.jsonl").read_text().splitlines()]
    noted = [one for one in lines if one["action"] == "package" and one["who"] == "physicist"]
    assert [one["details"] for one in noted] == [{"machine": "TB1", "day": "2026-11-24"}] * 2
