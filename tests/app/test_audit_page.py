"""The page Audit: for admins, with a verdict that can be trusted and filters that find who saw whom."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from recovery.access.audit import AuditEvent, AuditFile
from recovery.host.clock import read_wall_clock
from tests.app import people
from tests.app.conftest import ROOT, said
from tests.patience import seconds

Open = Callable[..., AppTest]


def audit_file() -> AuditFile:
    return AuditFile(Path(os.environ["RBRDT_CONFIG"]).parent / "data" / "audit.jsonl")


@pytest.fixture
def page(open_dashboard: Open) -> AppTest:
    """The page, opened by an admin, above three views of patients and a break-glass."""
    open_dashboard("good", role=None)
    now = read_wall_clock()
    for who, patient_id, details in (
        ("doe", "100231", {}),
        ("roe", "100377", {"break_glass": True}),
        ("roe", "100231", {}),
    ):
        audit_file().append(
            AuditEvent(now, who, "therapist", "view", "10.0.0.1", patient_id, {"page": "patient", **details})
        )
    script = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from app.access import gate
from app.components import sign_in
from app.desk import Desk
from app.screens import audit
from app.access.sitting import Sitting
from recovery.host.clock import read_clock
from recovery.settings.config import load_config
desk = Desk(load_config(Path({os.environ["RBRDT_CONFIG"]!r})), read_clock)
entered = gate.enter(desk)
audit.show(desk) if isinstance(entered, Sitting) else sign_in.show(desk, entered)
"""
    return people.sign_in(AppTest.from_string(script, default_timeout=seconds(30)).run(), "admin")


def shown(page: AppTest) -> list[tuple[str, str | None]]:
    table = page.dataframe[0].value
    return list(zip(table["who"], table["patient_id"], strict=True))


def test_the_newest_line_stands_first_and_the_chain_has_a_verdict(page: AppTest) -> None:
    assert not page.exception
    assert "The audit file is whole: 4 lines" in said(page)
    assert shown(page)[1:] == [("roe", "100231"), ("roe", "100377"), ("doe", "100231")]
    table = page.dataframe[0].value
    assert list(table["mark"]) == ["", "", "■", ""] and table["details"][2] == "page: patient · break glass: yes"


def test_filters_say_who_saw_whom(page: AppTest) -> None:
    page.text_input(key="audit_patient").set_value("100231").run()
    assert shown(page) == [("roe", "100231"), ("doe", "100231")]
    page.multiselect(key="audit_who").set_value(["doe"]).run()
    assert shown(page) == [("doe", "100231")]
    page.selectbox(key="audit_days").set_value("today").run()
    assert shown(page) == [("doe", "100231")]


def test_a_broken_chain_is_said_in_red_with_its_line(page: AppTest) -> None:
    file = audit_file().path
    file.write_text(file.read_text().replace("100377", "100388"))
    page.run()
    assert ":red[■ **The audit file is NOT whole. Line 3 does not follow from line 2.**]" in said(page)


def test_a_file_that_cannot_be_read_is_said(page: AppTest) -> None:
    audit_file().path.unlink()
    audit_file().path.mkdir()
    page.run()
    assert not page.exception and "The audit file cannot be read" in said(page)
