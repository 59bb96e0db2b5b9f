"""The page Downtime: who declares it, what every page then says, the runbook, and its end."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button
from streamlit.util import calc_hash

from recovery.cache.store import Cache
from recovery.entries.day_plans import DayPlanEntry, Slot, planned_at
from recovery.entries.downtimes import DowntimeEntry, lasting_at
from recovery.host.entry_lines import append_statement, read_statements
from recovery.settings.config import load_config
from recovery.tables.delivered import DELIVERIES
from recovery.tables.relational import PLANS
from recovery.tables.schema import ON_TREATMENT, RT_PLANS, TREATMENT_RECORDS
from tests.app import people
from tests.app.conftest import said

Open = Callable[..., AppTest]


def cache_path() -> Path:
    return load_config(Path(os.environ["RBRDT_CONFIG"])).cache_path


def markup(visit: AppTest) -> str:
    return "".join(one.proto.body for one in visit.get("html"))


def declared(open_dashboard: Open, role: str = "physicist") -> AppTest:
    """The page, on which a downtime was declared that began at 09:05."""
    visit = open_dashboard("good", 13, page="downtime", role=role)
    visit.time_input(key="begin_at").set_value(time(9, 5))
    visit.text_input(key="begin_why").set_value("R&V system <b>encrypted</b>")
    visit.button(key="begin").click().run()
    assert not visit.exception
    return visit


def test_whoever_declares_it_says_why_and_every_page_says_it(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page="downtime")
    assert "No downtime is declared" in said(visit) and "DOWNTIME" not in markup(visit)
    visit.button(key="begin").click().run()
    assert "Nothing was declared" in said(visit) and lasting_at(cache_path()) is None
    visit = declared(open_dashboard)
    assert "DOWNTIME since Tue 24 Nov 2026 09:05, declared by Physicist of the tests" in markup(visit)
    assert "&lt;b&gt;encrypted" in markup(visit)
    visit._page_hash = calc_hash("machine_day")
    assert "DOWNTIME since" in markup(visit.run())
    audit = (cache_path().parent / "audit.jsonl").read_text()
    assert '"downtime begin"' in audit


def test_in_a_downtime_a_fresh_proof_leaves_nobody_known(open_dashboard: Open) -> None:
    visit = declared(open_dashboard)
    assert "may have been treated, and nobody has answered for it" in said(visit), (
        "no schedule: everybody may have been"
    )


def test_steps_are_ticked_by_name_and_it_is_ended_with_words(open_dashboard: Open) -> None:
    visit = declared(open_dashboard, "physician")
    visit.button(key="step_2").click().run()
    assert ":green[✓]" in said(visit) and "Physician of the tests" in said(visit)
    assert not [one for one in visit.button if one.key == "step_2"]
    visit.button(key="end").click().run()
    assert "Nothing was ended" in said(visit)
    visit.text_input(key="end_why").set_value("all compared")
    visit.button(key="end").click().run()
    assert "No downtime is declared" in said(visit) and lasting_at(cache_path()) is None
    kept = read_statements(cache_path(), DowntimeEntry).all
    assert [one.kind for one in kept] == ["begin", "step", "end"]


def test_therapists_tick_and_declare_nothing_and_viewers_look(open_dashboard: Open) -> None:
    declared(open_dashboard)
    for role, ticks in (("therapist", True), ("viewer", False)):
        visit = open_dashboard("good", 13, page="downtime", role=role)
        keys = {one.key for one in visit.button}
        assert ("step_1" in keys) is ticks and "end" not in keys
    assert people.PASSWORD not in said(visit)


def sign_of(visit: AppTest) -> Button:
    return next(one for one in visit.button if one.label.startswith("Sign this plan"))


def test_a_machines_day_is_proposed_signed_and_then_its_appointments(open_dashboard: Open) -> None:
    visit = declared(open_dashboard)
    visit.toggle(key="day_plan").set_value(True).run()
    told = said(visit).replace("\\", "")
    assert not visit.exception and "Proposed: the usual times, the most urgent first" in told and " free" in told
    sign_of(visit).click().run()
    assert not visit.exception and "Signed by Physicist of the tests" in said(visit).replace("\\", "")
    ((_, day), plan), *_ = planned_at(cache_path()).counting.items()
    assert plan.slots and day > date(2026, 11, 23)
    audit = (cache_path().parent / "audit.jsonl").read_text()
    assert '"day plan"' in audit


def test_who_presses_sign_signs_what_was_on_the_page_and_no_plan_that_came_meanwhile(open_dashboard: Open) -> None:
    visit = declared(open_dashboard)
    visit.toggle(key="day_plan").set_value(True).run()
    machine, day = str(visit.selectbox(key="plan_machine").value), visit.date_input(key="plan_day").value
    theirs = DayPlanEntry(machine, day, (Slot(time(8), "100377"),), "Other", datetime(2026, 11, 24, 13, 38, tzinfo=UTC))
    append_statement(cache_path(), theirs)
    sign_of(visit).click().run()
    assert "Signed by Other" in said(visit) and planned_at(cache_path()).counting == {(machine, day): theirs}
    sign_of(visit).click().run()
    mine = planned_at(cache_path()).counting[machine, day]
    assert mine.signed_by.startswith("Physicist of the tests") and mine.replaces == (theirs.entered_at,)


def test_what_differs_in_coming_back_is_compared_when_it_is_asked_for_and_signed(open_dashboard: Open) -> None:
    visit = declared(open_dashboard)
    visit.toggle(key="reconcile").set_value(True).run()
    assert not visit.exception and "▲" in said(visit) and "deliveries" in said(visit), "no table of the database"
    cache = Cache(cache_path())
    row = cache.read(ON_TREATMENT)[0]
    given = {
        "delivery_id": "1", "patient_id": row["patient_id"], "referenced_rt_plan_uid": row["referenced_rt_plan_uid"],
        "fraction_number": 31, "beam_number": 1, "beam_name": "<b>F</b>", "treated_at": datetime(2026, 11, 24, 9, 30),  # noqa: DTZ001
        "delivered_meterset": 90.0, "delivery_type": "TREATMENT",
    }  # fmt: skip
    for schema, rows in ((DELIVERIES, [given]), (TREATMENT_RECORDS, []), (RT_PLANS, []), (PLANS, [])):
        whole = [{**dict.fromkeys(schema.columns), **one} for one in rows]
        cache.write(schema, whole, taken_at=datetime(2026, 11, 24, 13, 30, tzinfo=UTC), source="aria")
    visit.run()
    assert "NOT EQUAL" in said(visit) and "1 item is open" in said(visit)
    visit.selectbox(key="reconcile_item").set_value(visit.selectbox(key="reconcile_item").options[0])
    visit.radio(key="reconcile_kind").set_value("agrees")
    visit.button(key="reconcile_sign_it").click().run()
    assert "say why that agrees" in said(visit) and "NOT EQUAL" in said(visit)
    visit.text_input(key="reconcile_why").set_value("given after the downtime")
    visit.button(key="reconcile_sign_it").click().run()
    assert not visit.exception and "✓ **EQUAL since" in said(visit)
    assert '"reconcile agrees"' in (cache_path().parent / "audit.jsonl").read_text()
