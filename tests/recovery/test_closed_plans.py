"""A plan that the R&V system has closed: behind the list, never ready, its chart without rows to sign."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from recovery.words.plan_states import APPROVED_STATUSES, CLOSED_STATUSES, PLAN_STATES, approval_disagreement
from tests.recovery.clinics import NOW, evidence, planned, row_of, rows_of, treated
from tests.recovery.courses import day

PROST = ("1", "prost")
BOOKED = {"1": NOW + timedelta(days=1)}


def test_no_word_both_closes_a_plan_and_lets_treat_with_it() -> None:
    assert not APPROVED_STATUSES & CLOSED_STATUSES
    closing = {"completed", "completed early", "retired", "rejected", "closed", "void", "hidden", "replaced"}
    assert closing == CLOSED_STATUSES
    assert all(state.meaning for state in PLAN_STATES.values())


@pytest.mark.parametrize("word", sorted(CLOSED_STATUSES))
def test_what_the_rv_system_has_closed_is_closed_and_never_ready(word: str) -> None:
    known = evidence(treated("prost", [1, 2], 1), [planned("prost")], told={PROST: word}, appointments=BOOKED)
    row = row_of(known, "prost")
    assert (row["status"], row["fractions_delivered"]) == ("closed", 2)
    assert (row["ready"], row["missing"]) == (False, f"leave to treat: the plan is {word} in the R&V database")


@pytest.mark.parametrize("word", sorted(CLOSED_STATUSES))
def test_a_closed_plan_that_was_never_treated_is_not_ready_to_start(word: str) -> None:
    (row,) = rows_of(evidence([], [planned("prost")], told={PROST: word}, appointments=BOOKED))
    assert (row["status"], row["ready"]) == ("closed", False)
    unapproved = planned("prost", approval_status="UNAPPROVED")
    assert rows_of(evidence([], [unapproved], told={PROST: word}, appointments=BOOKED)) == []


@pytest.mark.parametrize("word", [w for w in PLAN_STATES if w not in CLOSED_STATUSES] + ["Frobnicated", "42"])
def test_a_word_that_closes_nothing_or_that_nobody_knows_closes_nothing(word: str) -> None:
    known = evidence(treated("prost", [1, 2], 1), [planned("prost")], told={PROST: word})
    assert (row_of(known, "prost")["status"], row_of(known, "prost")["ready"]) == ("on_treatment", True)


def test_a_word_for_another_patients_plan_of_the_same_uid_closes_nothing() -> None:
    known = evidence(treated("prost", [1, 2], 1), [planned("prost")], told={("9", "prost"): "retired"})
    assert row_of(known, "prost")["status"] == "on_treatment"


@pytest.mark.parametrize(("word", "status"), [("completed", "completed"), ("completed early", "closed")])
def test_a_course_that_is_whole_and_completed_in_both_sources_is_completed(word: str, status: str) -> None:
    known = evidence(treated("prost", range(1, 21), 1), [planned("prost")], told={PROST: word})
    assert row_of(known, "prost")["status"] == status


def test_completed_in_the_rv_system_with_fractions_left_is_closed() -> None:
    known = evidence(treated("prost", range(1, 20), 1), [planned("prost")], told={PROST: "completed"})
    assert row_of(known, "prost")["status"] == "closed"


def test_a_revised_plan_tells_what_was_given_with_the_closed_one_before_and_after_its_first_fraction() -> None:
    plans = [planned("prost", 25), planned("prost2", 15)]
    told = {PROST: "retired", ("1", "prost2"): "treatment approved"}
    waiting = evidence(treated("prost", range(1, 11), 1), plans, told=told, appointments=BOOKED)
    assert row_of(waiting, "prost")["status"] == "closed"
    row = row_of(waiting, "prost2")
    assert (row["status"], row["earlier_plans"]) == ("ready_to_start", "Prost: 10 of 25")
    begun = evidence([*treated("prost", range(1, 11), 1), *treated("prost2", [1], 11)], plans, told=told)
    assert row_of(begun, "prost")["status"] == "closed"
    row = row_of(begun, "prost2")
    assert (row["status"], row["earlier_plans"]) == ("on_treatment", "Prost: 10 of 25")


def test_an_open_plan_beside_one_that_waits_is_no_earlier_plan() -> None:
    plans = [planned("prost", 25), planned("prost2", 15)]
    known = evidence(treated("prost", range(1, 11), 1), plans, appointments=BOOKED)
    assert row_of(known, "prost2")["earlier_plans"] == ""


def test_a_phantoms_records_do_not_take_the_plan_of_a_new_start_away() -> None:
    known = evidence(
        treated("prost", [1], 1, patient_id="$QA1"),
        [planned("prost")],
        told={PROST: "treatment approved"},
        approved_for={"prost": "1"},
        appointments=BOOKED,
    )
    found = {row["patient_id"]: (row["status"], row["fractions_delivered"]) for row in rows_of(known)}
    assert found["1"] == ("ready_to_start", 0)
    changed = evidence(treated("prost", [1], 1, patient_id="OLD"), [planned("prost")], appointments=BOOKED)
    assert [row["patient_id"] for row in rows_of(changed)] == ["OLD"], "nothing says that they are two"


def row(**columns: Any) -> dict[str, Any]:
    return {"status": "closed", "fractions_remaining": 5, "last_treatment_at": day(1), **columns}


@pytest.mark.parametrize(
    ("word", "dicom", "differs"),
    [
        ("treatment approved", "APPROVED", False),
        ("treatment approved", "UNAPPROVED", True),
        ("externally approved", "REJECTED", True),
        ("unapproved", "APPROVED", True),
        ("unapproved", "UNAPPROVED", False),
        ("planning approved", "APPROVED", False),
        ("retired", "APPROVED", True),
        ("rejected", "REJECTED", False),
        ("hidden", "APPROVED", True),
        ("Frobnicated", "APPROVED", True),
        ("retired", None, False),
        (None, "APPROVED", False),
    ],
)
def test_the_plans_own_approval_and_the_rv_systems_word_are_told_where_they_differ(
    word: str | None, dicom: str | None, differs: bool
) -> None:
    said = approval_disagreement(row(), word, dicom)
    assert said == (f"plan {dicom} in DICOM, {word} in the R&V database" if differs else None)


def test_completed_by_both_is_no_disagreement() -> None:
    assert approval_disagreement(row(status="completed"), "completed", "APPROVED") is None
    assert approval_disagreement(row(), "completed", "APPROVED") is not None
