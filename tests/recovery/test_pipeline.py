"""Who is not on treatment yet is found by what the R&V database tells, and who is being treated is not told twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from recovery.cache.memory import Memory
from recovery.cache.store import Cache
from recovery.on_treatment.pipeline import pipeline
from recovery.overview.build import write_pipeline
from recovery.pacs.workspace import open_workspace
from recovery.settings.config import load_config
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import ON_TREATMENT, PIPELINE
from tests.app.clinic import CONFIG

NOW = datetime(2026, 11, 24, 14, 38)  # noqa: DTZ001  site-local
READ_AT = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)
SOON = NOW + timedelta(days=3)
PAST = NOW - timedelta(days=3)


def row(table: str, **told: Any) -> dict[str, Any]:
    columns = ON_TREATMENT.columns if table == "listed" else RELATIONAL_TABLES[table].columns
    assert told.keys() <= columns.keys()
    return {**dict.fromkeys(columns), "patient_id": "1", **told}


PLAN = row("plans", sop_instance_uid="1.2", course_id="C1", prescription_id="P1", approval_status="treatment approved")
BOOST = {**PLAN, "sop_instance_uid": "1.3", "prescription_id": "P2", "approval_status": "unapproved"}
PRESCRIBED = row("prescriptions", prescription_id="P1", prescription_name="Breast", course_id="C1", site="Breast L")
COURSE = row("courses", course_id="C1", status="active", started_at=PAST, intent="Curative")
TREATED = row("listed", referenced_rt_plan_uid="1.2", status="on_treatment", first_treatment_at=PAST,
              last_treatment_at=PAST)  # fmt: skip
CLOSED = row("listed", referenced_rt_plan_uid="1.2", status="closed")
DONE = {**TREATED, "status": "completed"}
TODAY = {**DONE, "last_treatment_at": NOW - timedelta(hours=2)}
BOOKED = row("schedule", appointment_at=SOON, treatment_machine_name="TB1", status="booked")
SCAN = row("schedule", appointment_at=PAST, other_machine_name="CT1", status="completed")
QA = {**PLAN, "sop_instance_uid": "1.9", "plan_intent": "VERIFICATION"}
AGAIN = {**PLAN, "sop_instance_uid": "1.4", "course_id": "C2", "prescription_id": "P4"}
VISIT = row("schedule", appointment_at=PAST, activity="Erstgespräch", status="completed")


def found(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in RELATIONAL_TABLES}
    tables["patients"] = [row("patients", patient_name="ABELSEN, Anna", phone_home="031", phone_mobile="079")]
    listed = []
    for one in rows:
        names = [name for name, schema in RELATIONAL_TABLES.items() if schema.columns.keys() == one.keys()]
        if names:
            tables[names[0]].append(one)
        else:
            listed.append(one)
    made = pipeline(tables, listed, NOW)
    PIPELINE.to_arrow(made)
    return made


@pytest.mark.parametrize(
    ("rows", "stages"),
    [
        ([PLAN, BOOKED], ["booked"]),
        ([PLAN], ["approved"]),
        ([PLAN, {**BOOKED, "status": "cancelled"}], ["approved"]),
        ([PLAN, {**BOOKED, "appointment_at": PAST}], ["approved"]),
        ([{**PLAN, "approval_status": "planning approved"}], ["waiting_for_approval"]),
        ([{**PLAN, "approval_status": "unapproved"}], ["being_planned"]),
        ([{**PLAN, "approval_status": None}], ["being_planned"]),
        ([PRESCRIBED], ["prescribed"]),
        ([PRESCRIBED, PLAN], ["approved"]),
        ([PRESCRIBED, {**PLAN, "approval_status": "rejected"}], ["prescribed"]),
        ([COURSE, SCAN], ["simulated"]),
        ([COURSE, {**SCAN, "appointment_at": SOON}], ["simulation_booked"]),
        ([COURSE], ["referred"]),
        ([VISIT], ["referred"]),
        ([BOOKED], ["booked"]),
        ([{**COURSE, "status": "completed"}], []),
        ([{**PLAN, "approval_status": "retired"}], []),
        ([{**PLAN, "plan_intent": "VERIFICATION"}], []),
        ([PLAN, PRESCRIBED, COURSE, BOOKED, TREATED], []),
        ([PLAN, BOOST, TREATED, BOOKED], ["being_planned"]),
        ([PLAN, {**BOOST, "prescription_id": "P1"}, TREATED], []),
        ([PLAN, {**BOOST, "prescription_id": "P1", "approval_status": "treatment approved"}, TREATED], ["approved"]),
        ([PLAN, {**BOOST, "prescription_id": "P1"}, BOOKED], ["booked"]),
        ([PLAN, {**BOOST, "prescription_id": None}, BOOKED], ["booked"]),
        ([PLAN, BOOST, BOOKED], ["booked", "being_planned"]),
        ([PLAN, COURSE, DONE], []),
        ([PLAN, DONE, {**SCAN, "appointment_at": SOON}], ["simulation_booked"]),
        ([QA, {**PLAN, "approval_status": "planning approved"}, BOOKED], ["waiting_for_approval"]),
        ([QA, PRESCRIBED], ["prescribed"]),
        ([PLAN, DONE, AGAIN, BOOKED], ["booked"]),
        ([PLAN, COURSE, DONE, {**SCAN, "appointment_at": PAST - timedelta(days=30)}], []),
        ([PLAN, DONE, {**SCAN, "appointment_at": NOW - timedelta(days=1)}], ["simulated"]),
        ([PLAN, COURSE, DONE, {**COURSE, "course_id": "C2"}], ["referred"]),
        ([COURSE, {**PLAN, "approval_status": "rejected"}, CLOSED], ["referred"]),
        ([PLAN, {**BOOKED, "appointment_at": NOW - timedelta(hours=2)}], ["booked"]),
        ([{**BOOKED, "appointment_at": NOW - timedelta(hours=2)}], ["booked"]),
        ([PLAN, TODAY, {**BOOKED, "appointment_at": NOW - timedelta(hours=2, minutes=4)}], []),
        ([PLAN, TODAY, {**BOOKED, "appointment_at": NOW - timedelta(hours=1)}], []),
        ([PLAN, TODAY, AGAIN, {**BOOKED, "appointment_at": NOW - timedelta(hours=2, minutes=4)}], ["approved"]),
        ([PLAN, TODAY, {**BOOKED, "appointment_at": NOW - timedelta(hours=3)}, BOOKED], ["booked"]),
        ([], []),
    ],
)
def test_each_stage_is_told_by_its_evidence(rows: list[dict[str, Any]], stages: list[str]) -> None:
    assert [one["stage"] for one in found(*rows)] == stages


def test_a_row_says_what_it_waits_for_and_whom_to_call() -> None:
    (one,) = found({**PLAN, "approval_status": "planning approved", "status_changed_at": PAST}, PRESCRIBED, COURSE)
    assert (one["waits_for"], one["told"], one["since"]) == ("the signature to treat", "plan planning approved", PAST)
    assert (one["site"], one["intent"], one["phone"]) == ("Breast L", "Curative", "079")
    assert found({**PLAN, "status_changed_at": SOON})[0]["since"] is None, "by a clock that was wrong"
    (boost,) = found(PLAN, BOOST, TREATED, BOOKED)
    assert boost["told"] == "plan unapproved; being treated with another plan"
    assert boost["next_appointment_at"] is None, "it is the other plan's"
    (boost,) = found(PLAN, {**PRESCRIBED, "prescription_id": "P2"}, TREATED, BOOKED)
    assert (boost["stage"], boost["next_appointment_at"]) == ("prescribed", None), "it is the plan's that he is on"
    (again,) = found(PLAN, DONE, AGAIN, BOOKED)
    assert again["told"] == "plan treatment approved", "nobody is being treated with another"


def test_in_an_outage_who_was_to_start_since_is_still_told_as_booked(tmp_path: Path) -> None:
    """The database said so last: a day later nobody has told that it is otherwise."""
    file = tmp_path / "config.toml"
    file.write_text(CONFIG)
    config = load_config(file)
    cache = Cache(config.cache_path)
    for name, schema in RELATIONAL_TABLES.items():
        rows = {"patients": [row("patients")], "plans": [PLAN], "schedule": [BOOKED]}.get(name, [])
        cache.write(schema, rows, taken_at=READ_AT, source="aria")
    space = open_workspace(config, Memory.load(cache.path), READ_AT + timedelta(days=5))
    write_pipeline(space, [])
    (one,) = cache.read(PIPELINE)
    assert (one["stage"], one["next_appointment_at"]) == ("booked", SOON)
