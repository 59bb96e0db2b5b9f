"""Who is on treatment, with which plan, and could they be treated from the backup? Row by row by the contract."""

# ruff: noqa: DTZ001  treatment times are local to the site, and naive
from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from recovery.dicom.model import RT_BRACHY_TREATMENT_RECORD, InstanceRef
from tests.recovery.clinics import NOW, evidence, planned, row_of, rows_of, treated
from tests.recovery.courses import day, delivery, plain_record


def test_a_course_that_goes_as_planned_is_on_treatment_and_ready() -> None:
    known = evidence(treated("prost", range(1, 9), 1), [planned("prost")])
    assert row_of(known, "prost") == {
        "patient_id": "1",
        "patient_name": "NAME, 1",
        "patient_birth_date": None,
        "patient_sex": None,
        "physicians_of_record": None,
        "referenced_rt_plan_uid": "prost",
        "prescription_id": None,
        "rt_plan_label": "Prost",
        "treatment_machine_name": "TB1",
        "number_of_fractions_planned": 20,
        "fractions_delivered": 8,
        "fractions_remaining": 12,
        "course_fractions_delivered": 8,
        "course_number_of_fractions_planned": 20,
        "course_plan_labels": "",
        "interrupted_fraction": None,
        "interrupted_meterset_remaining": None,
        "interrupted_remaining_in_words": None,
        "next_fraction_number": 9,
        "first_treatment_at": day(1),
        "last_treatment_at": day(8),
        "next_appointment_at": None,
        "unknown_since": None,
        "proven_at": None,
        "status": "on_treatment",
        "plan_held": True,
        "structure_set_held": True,
        "images_held": True,
        "records_held": True,
        "ready": True,
        "missing": "",
        "earlier_plans": "",
        "remarks": "the plan names no structure set",
        "other_patient_ids": None,
        "disagreement": None,
        "charted": None,
        "charted_conflict": None,
    }


def test_an_interrupted_fraction_stands_in_its_columns() -> None:
    known = evidence([*treated("prost", [1], 1), *treated("prost", [2], 2, meterset=61.4)], [planned("prost")])
    row = row_of(known, "prost")
    assert (row["interrupted_fraction"], row["interrupted_meterset_remaining"]) == (2, 38.6)
    assert (row["fractions_delivered"], row["fractions_remaining"]) == (1, 19)


# status


@pytest.mark.parametrize(
    ("last", "now", "status"),
    [
        (datetime(2026, 11, 2, 9, 30), datetime(2026, 11, 16, 9, 29), "on_treatment"),
        (datetime(2026, 11, 2, 9, 30), datetime(2026, 11, 16, 23, 59), "on_treatment"),
        (datetime(2026, 11, 2, 9, 30), datetime(2026, 11, 17, 0, 1), "on_break"),
        (datetime(2026, 11, 2, 23, 59), datetime(2026, 11, 17, 0, 1), "on_break"),
        (datetime(2026, 11, 2, 0, 1), datetime(2026, 11, 16, 23, 59), "on_treatment"),
        (datetime(2024, 2, 29, 9), datetime(2024, 3, 14, 18), "on_treatment"),
        (datetime(2024, 2, 29, 9), datetime(2024, 3, 15, 8), "on_break"),
        (datetime(2026, 10, 24, 23, 59), datetime(2026, 11, 7, 23, 59), "on_treatment"),  # the night of 25 hours
        (datetime(2026, 3, 28, 23, 59), datetime(2026, 4, 12, 0, 0), "on_break"),  # the night of 23 hours
        (datetime(2026, 12, 31, 23, 59), datetime(2027, 1, 14, 0, 1), "on_treatment"),
        (datetime(2026, 11, 3, 9), datetime(2026, 11, 2, 9), "on_treatment"),  # a machine whose clock is ahead
    ],
)
def test_treated_within_14_days_counts_days_of_the_calendar(last: datetime, now: datetime, status: str) -> None:
    record = plain_record("a", [delivery()], at=last, plan_uid="prost")
    assert row_of(evidence([record], [planned("prost")]), "prost", now=now)["status"] == status


@pytest.mark.parametrize(("days_ahead", "status"), [(0, "on_treatment"), (14, "on_treatment"), (15, "on_break")])
def test_booked_within_14_days_is_on_treatment_however_long_the_break(days_ahead: int, status: str) -> None:
    known = evidence(
        treated("prost", [1], -90), [planned("prost")], appointments={"1": NOW + timedelta(days=days_ahead)}
    )
    row = row_of(known, "prost")
    assert row["status"] == status
    assert row["next_appointment_at"] == NOW + timedelta(days=days_ahead)


def test_the_number_of_days_is_the_configs() -> None:
    known = evidence(treated("prost", [1], 5), [planned("prost")])
    assert row_of(known, "prost", days=7)["status"] == "on_treatment"
    assert row_of(known, "prost", days=6)["status"] == "on_break"


def test_completed_when_nothing_remains_even_if_booked() -> None:
    known = evidence(treated("prost", [1, 2], 1), [planned("prost", 2)], appointments={"1": NOW})
    assert row_of(known, "prost")["status"] == "completed"


def test_a_last_fraction_that_was_interrupted_is_not_completed() -> None:
    known = evidence([*treated("prost", [1], 1), *treated("prost", [2], 2, meterset=60.0)], [planned("prost", 2)])
    assert row_of(known, "prost")["status"] == "on_treatment"


@pytest.mark.parametrize("number", [1, 2])
def test_an_unknown_planned_number_is_never_completed(number: int) -> None:
    known = evidence(treated("prost", range(1, 40), -20), [planned("prost", None)])
    row = row_of(known, "prost")
    assert (row["status"], row["fractions_remaining"], row["fractions_delivered"]) == ("on_treatment", None, 39)


# never treated


def test_an_approved_and_booked_plan_is_ready_to_start() -> None:
    row = row_of(evidence([], [planned("prost")], appointments={"1": NOW + timedelta(days=40)}), "prost")
    assert (row["status"], row["fractions_delivered"], row["fractions_remaining"]) == ("ready_to_start", 0, 20)
    assert (row["patient_name"], row["first_treatment_at"], row["ready"]) == ("NAME, 1", None, True)


@pytest.mark.parametrize("approval_status", ["UNAPPROVED", "REJECTED", None])
def test_a_plan_not_approved_or_not_booked_has_no_row(approval_status: str | None) -> None:
    assert rows_of(evidence([], [planned("prost")])) == []
    assert rows_of(evidence([], [planned("prost")], appointments={"2": NOW})) == []
    not_approved = planned("prost", approval_status=approval_status)
    assert rows_of(evidence([], [not_approved], appointments={"1": NOW})) == []


def test_the_rv_database_is_believed_before_the_plans_own_approval_status() -> None:
    booked, prost = {"1": NOW}, ("1", "prost")
    assert rows_of(evidence([], [planned("prost")], appointments=booked, told={prost: "unapproved"})) == []
    unapproved = planned("prost", approval_status="UNAPPROVED")
    row = row_of(evidence([], [unapproved], appointments=booked, told={prost: "treatment approved"}), "prost")
    assert row["status"] == "ready_to_start"


def test_a_plan_that_is_approved_and_booked_and_nowhere_held_has_a_row_that_says_so() -> None:
    known = evidence(
        treated("old", [1], 1), [planned("old", 1)], approved_for={"lost": "1", "other": "9"}, appointments={"1": NOW}
    )
    row = row_of(known, "lost")
    assert (row["status"], row["patient_id"], row["patient_name"]) == ("ready_to_start", "1", "NAME, 1")
    assert (row["rt_plan_label"], row["number_of_fractions_planned"]) == (None, None)
    assert (row["plan_held"], row["ready"]) == (False, False)
    assert "plan" in row["missing"]
    assert len(rows_of(known)) == 2


def test_a_plan_with_only_setup_records_has_a_row_and_is_not_treated() -> None:
    record = plain_record("a", [delivery(delivery_type="SETUP")], plan_uid="prost")
    assert row_of(evidence([record], [planned("prost")]), "prost")["status"] == "on_break"
    booked = evidence([record], [planned("prost")], appointments={"1": NOW})
    row = row_of(booked, "prost")
    assert (row["status"], row["last_treatment_at"]) == ("ready_to_start", None)


@pytest.mark.parametrize("told", [{}, {("1", "prost"): "unapproved"}, {("1", "prost"): "planning approved"}])
def test_a_booked_plan_that_nobody_approved_is_not_ready_to_start_though_its_setup_was_recorded(
    told: dict[tuple[str, str], str],
) -> None:
    record = plain_record("a", [delivery(delivery_type="SETUP")], plan_uid="prost")
    plan = planned("prost", approval_status="APPROVED" if told else "UNAPPROVED")
    known = evidence([record], [plan], appointments={"1": NOW}, told=told)
    assert row_of(known, "prost")["status"] != "ready_to_start"


@pytest.mark.parametrize("beams", [(), (delivery(fraction=None),), (delivery(beam=None),)])
def test_who_was_treated_in_a_way_that_cannot_be_counted_is_not_ready_to_start(beams: tuple[Any, ...]) -> None:
    record = plain_record("a", beams, at=day(10), plan_uid="prost")
    row = row_of(evidence([record], [planned("prost")], appointments={"1": NOW}), "prost")
    assert (row["status"], row["last_treatment_at"], row["fractions_delivered"]) == ("on_treatment", day(10), 0)
    assert "not counted" in row["remarks"]


def test_the_seconds_of_a_source_are_never_called_monitor_units() -> None:
    """The list's column is in MU; its words have the seconds with their unit."""
    seconds = {1: 120.0, 2: 300.0}
    records = [
        replace(
            plain_record(f"r{n}", [delivery(1, n, given, specified=200.0, unit="s")], at=day(n), plan_uid="hdr"),
            ref=InstanceRef(f"r{n}", RT_BRACHY_TREATMENT_RECORD, patient_id="1"),
        )
        for n, given in seconds.items()
    ]
    row = row_of(evidence(records, [planned("hdr")]), "hdr")
    assert (row["interrupted_fraction"], row["interrupted_meterset_remaining"]) == (1, None)
    assert row["interrupted_remaining_in_words"] == "80.0 s left"
    assert "fraction 2 beam 1: 300.0 s delivered of 200.0 planned" in str(row["remarks"])
