"""The patient's page where a physicist decides which fraction is next, and takes it back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.data import cached, charted
from recovery.entries.next_decisions import NextDecision
from recovery.host.entry_lines import read_statements
from recovery.settings.config import load_config
from tests.app import people
from tests.app.test_patient_page import Open, open_patient, plain
from tests.recovery.patient_clinic import Clinic, anna
from tests.recovery.test_next_decisions import CARL, carl

__all__ = ["open_patient"]

DOUBT = "fractions 4 and 5 have parts of which each lacks the other: they may be one"


def field(visit: AppTest, kind: str, begins: str):  # type: ignore[no-untyped-def]
    return next(one for one in visit.get(kind) if str(one.key).startswith(f"decide_{begins}"))


def sign(visit: AppTest) -> AppTest:
    visit.button(key="decide_sign").click().run()
    assert not visit.exception
    return visit


@pytest.fixture
def page(open_patient: Open) -> AppTest:
    clinic = Clinic()
    carl(clinic)
    return open_patient(clinic, CARL)


def kept() -> tuple[NextDecision, ...]:
    return read_statements(load_config(Path(os.environ["RBRDT_CONFIG"])).cache_path, NextDecision).all


def test_a_physicist_decides_with_nothing_filled_in_page_and_list_say_it_and_it_is_taken_back(page: AppTest) -> None:
    assert f"Next fraction: unknown: {DOUBT} (3 of 20 given)" in plain(page)
    assert "Nothing was signed. Say what is next" in plain(sign(page)) and kept() == ()
    field(page, "button_group", "kind").set_value("rest").run()
    assert [field(page, "number_input", name).value for name in ("number", "mu 1", "mu 2")] == [None, None, None]
    field(page, "number_input", "number").set_value(4)
    field(page, "text_input", "reason").set_value("seen in the console's log")
    assert "what remains of each field, 0 for nothing" in plain(sign(page)) and kept() == ()
    field(page, "number_input", "mu 1").set_value(0.0)
    field(page, "number_input", "mu 2").set_value(30.0)
    text = plain(sign(page))
    said = "finish 4 of 20 first, decided by Physicist of the tests (physicist) on Tue 24 Nov 2026 14:38 (3 given)"
    assert f"■ Next fraction: {said}" in text
    assert page.dataframe[0].value.iloc[0][["fraction", "notes"]].tolist() == ["4", "next, decided, 30.0 MU left"]
    assert "■ INTERRUPTED: finish fraction 4 first, 30.0 MU left (Field 2 30.0)" in text
    assert (
        "▲ DECIDED: by Physicist of the tests (physicist) on Tue 24 Nov 2026 14:38: seen in" in text and DOUBT in text
    )
    config = load_config(Path(os.environ["RBRDT_CONFIG"]))
    listed = charted.with_charted(cached.load_on_treatment(config.cache_path), config.cache_path).table
    assert listed["fraction"].str.startswith(said).tolist() == [True]
    field(page, "button_group", "kind").set_value("open").run()
    field(page, "text_input", "reason").set_value("the log was another's")
    assert f"Next fraction: unknown: {DOUBT}" in plain(sign(page))
    assert [one.kind for one in kept()] == ["rest", "open"]
    audit = config.audit_path.read_text()
    assert '"decide next fraction"' in audit and '"take back next fraction"' in audit


def test_a_number_that_the_plan_cannot_have_is_refused_and_the_reason_is_wanted(page: AppTest) -> None:
    field(page, "button_group", "kind").set_value("whole").run()
    field(page, "number_input", "number").set_value(22)
    assert "say why" in plain(sign(page))
    field(page, "text_input", "reason").set_value("seen")
    assert "Nothing was signed: fraction 22 is none: 20 are planned" in plain(sign(page)) and kept() == ()


def test_who_may_not_sign_reads_who_may_and_nobody_is_asked_where_nothing_is_in_doubt(
    open_patient: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = Clinic()
    carl(clinic)
    anna(clinic)
    assert not [one for one in open_patient(clinic, "100231").button if one.key == "decide_sign"]
    monkeypatch.setattr(people.sign_in, "__defaults__", ("physician", people.PASSWORD))
    visit = open_patient(None, CARL)
    assert not [one for one in visit.button if one.key == "decide_sign"]
    assert "Which fraction is next can be decided, with a reason. This needs the role physicist." in plain(visit)
