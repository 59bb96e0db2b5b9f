"""The page Shift check: what is compared, who says so, and what every page says when nobody does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.access import rights
from recovery.access.permissions import Permission
from recovery.entries.shift_checks import ShiftCheck
from recovery.host.entry_lines import read_statements
from recovery.settings.config import load_config
from tests.app import people
from tests.app.conftest import said

Open = Callable[..., AppTest]
TIMES = '[watch]\nshift_checks = ["06:30", "14:30"]\n'


def opened(open_dashboard: Open, role: str = "therapist", page: str = "shift_check", config: str = TIMES) -> AppTest:
    """The page in a clinic that asks for two checks a day."""
    visit = open_dashboard("good", 13, page=page, role=None)
    file = Path(os.environ["RBRDT_CONFIG"])
    file.write_text(file.read_text() + config)
    people.sign_in(visit.run(), role)
    assert not visit.exception
    return visit


def sheet(visit: AppTest) -> str:
    return "".join(one.proto.body for one in visit.get("html"))


def kept() -> tuple[ShiftCheck, ...]:
    cache_path = load_config(Path(os.environ["RBRDT_CONFIG"])).cache_path
    return read_statements(cache_path, ShiftCheck).all


def test_a_line_for_each_machine_with_the_newest_fraction_that_the_copy_knows(open_dashboard: Open) -> None:
    visit = opened(open_dashboard)
    text = sheet(visit)
    assert text.index(">TB1<") < text.index(">TB2<")
    assert "ABELSEN, Anna" in text and "ID 100231" in text and "Compared by ____" in text
    assert "shift began Tue 24 Nov 14:30" in said(visit)
    assert "Tue 24 Nov 06:30: :orange[▲ nobody compared]" in said(visit)


def test_who_compared_is_named_and_a_difference_needs_words(open_dashboard: Open) -> None:
    visit = opened(open_dashboard)
    assert "Shift check open since" in said(visit), "the shift of 06:30 passed without one"
    visit.radio(key="shift_found").set_value("Something differs")
    visit.button(key="shift_sign").click().run()
    assert "Nothing was entered" in said(visit) and kept() == ()
    visit.radio(key="shift_found").set_value("Something differs")
    visit.text_input(key="shift_remark").set_value("TB2 has one fraction more")
    visit.button(key="shift_sign").click().run()
    assert [(one.agrees, one.remark, one.signed_by) for one in kept()] == [
        (False, "TB2 has one fraction more", "Therapist of the tests (therapist)")
    ]
    assert "who compared found that the copy and the R&V system differ" in said(visit).replace("\\", "")
    visit.radio(key="shift_found").set_value("All of it agrees")
    visit.text_input(key="shift_remark").set_value("")
    visit.button(key="shift_sign").click().run()
    assert [one.agrees for one in kept()] == [False, True]
    assert "Shift check open" not in said(visit) and "This shift's check was made" in said(visit)
    audit = Path(os.environ["RBRDT_CONFIG"]).parent / "data" / "audit.jsonl"
    actions = [json.loads(line) for line in audit.read_text().splitlines()]
    assert [one["details"]["agrees"] for one in actions if one["action"] == "shift check"] == [False, True]


def test_whoever_only_looks_signs_nothing(open_dashboard: Open) -> None:
    visit = opened(open_dashboard, "viewer")
    assert "A check bears the name of who compared" in said(visit)
    here = visit.session_state[rights.SITTING]
    here.break_glass("Nobody else is here for TB1", timedelta(minutes=60))
    visit.run()
    assert here.may(Permission.CHARTS)
    assert not [one for one in visit.button if one.key == "shift_sign"], "broken glass makes nobody a therapist"


@pytest.mark.parametrize(("config", "is_told"), [(TIMES, True), ("", False)])
def test_every_page_says_that_a_check_is_open_where_the_clinic_asks_for_it(
    open_dashboard: Open, config: str, is_told: bool
) -> None:
    visit = opened(open_dashboard, page="", config=config)
    assert ("▲ Shift check open since Tue" in said(visit)) is is_told
