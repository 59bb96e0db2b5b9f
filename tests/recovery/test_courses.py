"""Plans that make one course are counted as one, and what is no course is not joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from recovery.course.planned_number import Prescribed
from recovery.dicom.model import InstanceRef
from recovery.dicom.plans import Plan, PlannedBeam
from recovery.dicom.records import TreatmentRecord
from recovery.on_treatment.evidence import Evidence
from tests import objects as o
from tests.recovery.clinics import NOW, evidence, planned, row_of, rows_of, treated
from tests.recovery.courses import as_plan, day

COURSE = ("course_fractions_delivered", "course_number_of_fractions_planned", "course_plan_labels")


def given(
    uid: str, numbers: Sequence[int], first_day: int, machine: str = "UNITY", **more: Any
) -> list[TreatmentRecord]:
    return treated(uid, numbers, first_day, treatment_machine_name=machine, **more)


def planned_on(uid: str, fractions: int | None, *made_from: str, frame: str | None = None, study: str = "s") -> Plan:
    """A plan of a patient's study, on its own frame of reference unless one is given."""
    return planned(
        uid,
        fractions,
        ref=InstanceRef(uid, patient_id="1", study_instance_uid=study),
        frame_of_reference_uid=frame or f"frame {uid}",
        predecessor_uids=made_from,
        beams=(PlannedBeam(1, None, 1, "TREATMENT", 100.0, "UNITY"),),
    )


def daily(each: int, *, by_name: bool, with_reference: bool = True, **more: Any) -> Evidence:
    """Case c06: a reference plan of 5 fractions, never treated, and three adapted plans that were."""
    made_from = ("ref",) if by_name else ()
    plans = [planned_on(f"ad{n}", each, *made_from) for n in (1, 2, 3)]
    plans += [planned_on("ref", 5)] if with_reference else []
    records = [r for n in (1, 2, 3) for r in given(f"ad{n}", [n], 2 * n - 1)]
    return evidence(records, plans, **more)


def course_of(row: dict[str, Any]) -> tuple[object, ...]:
    return tuple(row[name] for name in COURSE)


@pytest.mark.parametrize("each", [5, 1, None])
@pytest.mark.parametrize("by_name", [True, False])
def test_a_plan_for_every_fraction_is_one_course(each: int, *, by_name: bool) -> None:
    rows = {r["referenced_rt_plan_uid"]: r for r in rows_of(daily(each, by_name=by_name))}
    labels = "Ad3, Ad2, Ad1" + (", Ref" if by_name else "")
    assert {course_of(r) for r in rows.values()} == {(3, 5, labels)}
    assert [rows[f"ad{n}"]["status"] for n in (1, 2, 3)] == ["superseded", "superseded", "on_treatment"]
    assert {r["fractions_remaining"] for r in rows.values()} == {2}
    assert rows["ad3"]["next_fraction_number"] == 4
    assert all(r["records_held"] and r["ready"] for r in rows.values())


@pytest.mark.parametrize("each", [5, 1])
def test_the_reference_plan_that_is_booked_is_no_new_start(each: int) -> None:
    booked = {"1": NOW + timedelta(days=1)}
    by_name = {r["referenced_rt_plan_uid"]: r for r in rows_of(daily(each, by_name=True, appointments=booked))}
    assert (by_name["ref"]["status"], course_of(by_name["ref"])[:2]) == ("superseded", (3, 5))
    prescribed = dict.fromkeys(("ref", "ad1", "ad2", "ad3"), Prescribed("rx", 5))
    known = daily(each, by_name=False, appointments=booked, prescribed=prescribed)
    assert (row_of(known, "ref")["status"], row_of(known, "ad3")["status"]) == ("superseded", "on_treatment")


def test_the_prescription_tells_the_number_where_no_reference_plan_does() -> None:
    prescribed = {f"ad{n}": Prescribed("rx", 5) for n in (1, 2, 3)}
    known = daily(1, by_name=False, with_reference=False, prescribed=prescribed)
    assert course_of(row_of(known, "ad3")) == (3, 5, "Ad3, Ad2, Ad1")
    assert row_of(known, "ad3")["fractions_remaining"] == 2


@pytest.mark.parametrize("by_name", [True, False])
def test_the_1_of_a_daily_plan_is_nobodys_number_of_fractions(*, by_name: bool) -> None:
    row = row_of(daily(1, by_name=by_name, with_reference=False), "ad3")
    assert (row["course_number_of_fractions_planned"], row["fractions_remaining"]) == (None, None)
    assert (row["status"], row["next_fraction_number"], row["records_held"]) == ("on_treatment", 4, True)
    assert "is not known" in row["remarks"]


def test_two_waiting_plans_are_nobodys_reference() -> None:
    known = daily(1, by_name=False)
    boost = planned_on("boost", 8)
    both = evidence(known.records, [*known.plans.values(), boost])
    assert row_of(both, "ad3")["course_number_of_fractions_planned"] is None


def test_a_waiting_boost_is_ready_to_start_beside_a_course_of_daily_plans() -> None:
    known = daily(1, by_name=True)
    plans = [*known.plans.values(), planned_on("boost", 8)]
    booked = evidence(known.records, plans, appointments={"1": NOW + timedelta(days=1)})
    assert course_of(row_of(booked, "boost")) == (0, 8, "")
    assert row_of(booked, "boost")["status"] == "ready_to_start"
    assert row_of(booked, "ad3")["course_number_of_fractions_planned"] == 5


def test_a_course_is_completed_with_its_last_daily_plan() -> None:
    plans = [planned_on("ref", 3), *(planned_on(f"ad{n}", 1, "ref") for n in (1, 2, 3))]
    rows = rows_of(evidence([r for n in (1, 2, 3) for r in given(f"ad{n}", [n], n)], plans))
    assert {(r["status"], r["fractions_remaining"], r["next_fraction_number"]) for r in rows} == {
        ("completed", 0, None)
    }


def test_a_plan_of_one_fraction_alone_is_completed_by_it() -> None:
    row = row_of(evidence(given("srs", [1], 1), [planned_on("srs", 1)]), "srs")
    assert (row["status"], course_of(row)) == ("completed", (1, 1, ""))


def test_a_plan_that_says_one_fraction_and_bears_number_2_is_not_completed() -> None:
    row = row_of(evidence(given("ad2", [2], 11), [planned_on("ad2", 1)]), "ad2")
    assert (row["status"], row["course_number_of_fractions_planned"]) == ("on_treatment", None)
    assert "records of fraction 1" in row["missing"]


def test_the_first_daily_plan_is_not_the_whole_course() -> None:
    plans = [planned_on("ref", 5), planned_on("ad1", 1, "ref")]
    row = row_of(evidence(given("ad1", [1], 11), plans), "ad1")
    assert (row["status"], course_of(row), row["next_fraction_number"]) == ("on_treatment", (1, 5, "Ad1, Ref"), 2)
    told = evidence(given("ad1", [1], 11), [planned_on("ad1", 1)], prescribed={"ad1": Prescribed("rx", 5)})
    assert row_of(told, "ad1")["fractions_remaining"] == 4


# numbers that go on


def test_a_boost_that_restarts_at_1_is_another_course() -> None:
    known = evidence(
        [*given("base", range(1, 6), 1), *given("boost", [1, 2], 8)], [planned_on("base", 5), planned_on("boost", 8)]
    )
    assert course_of(row_of(known, "base")) == (5, 5, "")
    assert course_of(row_of(known, "boost")) == (2, 8, "")
    assert row_of(known, "boost")["next_fraction_number"] == 3


def test_a_boost_that_names_its_complete_base_is_another_course() -> None:
    plans = [planned_on("base", 5), planned_on("boost", 8, "base")]
    known = evidence([*given("base", range(1, 6), 1), *given("boost", [1, 2], 8)], plans)
    assert [course_of(row_of(known, u)) for u in ("base", "boost")] == [(5, 5, ""), (2, 8, "")]
    assert row_of(known, "base")["status"] == "completed"


def test_a_boost_whose_numbers_go_on_ends_with_all_fractions_of_both() -> None:
    plans = [planned_on("base", 5), planned_on("boost", 3)]
    two = evidence([*given("base", range(1, 6), 1), *given("boost", [6, 7], 8)], plans)
    row = row_of(two, "boost")
    assert (course_of(row), row["next_fraction_number"]) == ((7, 8, "Boost, Base"), 8)
    assert (row["status"], row["fractions_remaining"]) == ("on_treatment", 1)
    all_of_it = evidence([*given("base", range(1, 6), 1), *given("boost", [6, 7, 8], 8)], plans)
    assert {r["status"] for r in rows_of(all_of_it)} == {"completed"}


@pytest.mark.parametrize("left", [17, 25])
def test_a_replan_goes_on_where_the_first_plan_stopped(left: int) -> None:
    plans = [planned_on("cervix", 25, frame="f"), planned_on("replan", left, frame="f")]
    known = evidence([*given("cervix", range(1, 9), 1), *given("replan", [9, 10], 9)], plans)
    row = row_of(known, "replan")
    assert (course_of(row), row["fractions_remaining"]) == ((10, 25, "Replan, Cervix"), 15)
    assert (row["earlier_plans"], row["records_held"], row["next_fraction_number"]) == ("Cervix: 8 of 25", True, 11)
    assert row_of(known, "cervix")["status"] == "superseded"


def test_a_replan_that_restarts_at_1_and_names_its_origin_adds_up_and_keeps_its_numbers() -> None:
    plans = [planned_on("cervix", 25), planned_on("replan", 17, "cervix")]
    known = evidence([*given("cervix", range(1, 9), 1), *given("replan", [1, 2], 9)], plans)
    row = row_of(known, "replan")
    assert course_of(row) == (10, 25, "Replan, Cervix")
    assert row["next_fraction_number"] == 3


def test_a_planned_number_that_does_not_fit_is_not_the_courses() -> None:
    """The base was left one fraction short, and another plan went on: 25 is not the number of both."""
    plans = [planned_on("base", 5), planned_on("boost", 8)]
    row = row_of(evidence([*given("base", range(1, 5), 1), *given("boost", [5], 8)], plans), "boost")
    assert course_of(row)[:2] == (5, None)
    assert (row["status"], row["fractions_remaining"]) == ("on_treatment", 7)


@pytest.mark.parametrize(
    ("machine", "first_day", "numbers"),
    [("TB1", 3, [3]), ("UNITY", 1, [3]), ("UNITY", 3, [2, 3])],
)
def test_another_machine_an_overlap_in_time_or_in_numbers_is_no_course(
    machine: str, first_day: int, numbers: list[int]
) -> None:
    plans = [planned_on("a", 5), planned_on("b", 5)]
    known = evidence([*given("a", [1, 2], 1), *given("b", numbers, first_day, machine)], plans)
    assert {r["course_plan_labels"] for r in rows_of(known)} == {""}


def test_a_hole_in_the_numbers_of_a_course_is_named() -> None:
    plans = [planned_on("ref", 5), *(planned_on(f"ad{n}", 1) for n in (1, 3))]
    row = row_of(evidence([*given("ad1", [1], 1), *given("ad3", [3], 5)], plans), "ad3")
    assert (row["course_fractions_delivered"], row["records_held"]) == (2, False)
    assert "records of fraction 2" in row["missing"]


def test_two_fractions_on_one_day_make_a_course_too() -> None:
    known = [
        *given("ad1", [1], 1),
        *(r for r in treated("ad2", [2], 1, treatment_machine_name="UNITY")),
    ]
    known[1] = replace(known[1], treatment_time=(day(1) + timedelta(hours=6)).time())
    plans = [planned_on("ref", 5), planned_on("ad1", 1), planned_on("ad2", 1)]
    assert course_of(row_of(evidence(known, plans), "ad2"))[:2] == (2, 5)


def test_a_fraction_taken_up_with_the_next_plan_is_one_fraction() -> None:
    plans = [planned_on("ref", 5), *(planned_on(f"ad{n}", 1, "ref") for n in (1, 2, 3))]
    begun = given("ad2", [2], 3, meterset=40.0)
    known = evidence([*given("ad1", [1], 1), *begun, *given("ad3", [2], 5)], plans)
    row = row_of(known, "ad3")
    assert (row["course_fractions_delivered"], row["next_fraction_number"]) == (2, 3)
    assert "fraction 2 was begun with plan Ad2 too" in row["remarks"]


def test_a_fraction_begun_with_an_older_plan_and_left_is_told() -> None:
    plans = [planned_on("ref", 5), *(planned_on(f"ad{n}", 1, "ref") for n in (1, 2, 3))]
    known = evidence([*given("ad1", [1], 1), *given("ad2", [2], 3, meterset=40.0), *given("ad3", [3], 5)], plans)
    row = row_of(known, "ad3")
    assert (row["course_fractions_delivered"], row["interrupted_fraction"]) == (2, None)
    assert "fraction 2 was begun with plan Ad2 and is not complete" in row["remarks"]


def test_another_patients_plan_makes_no_course() -> None:
    other = replace(planned_on("template", 30), ref=InstanceRef("template", patient_id="9"))
    known = evidence(given("a", [1, 2], 1), [planned_on("a", 5, "template"), other])
    assert course_of(row_of(known, "a")) == (2, 5, "")


def test_parallel_courses_of_daily_plans_are_told_apart_by_their_names() -> None:
    plans = [planned_on("ref", 5), planned_on("ref2", 3)]
    plans += [planned_on(f"{k}{n}", 1, r) for k, r in (("p", "ref"), ("q", "ref2")) for n in (1, 2)]
    records = [r for k in "pq" for n in (1, 2) for r in given(f"{k}{n}", [n], n)]
    known = evidence(records, plans)
    assert course_of(row_of(known, "p2")) == (2, 5, "P2, P1, Ref")
    assert course_of(row_of(known, "q2")) == (2, 3, "Q2, Q1, Ref2")


# the plan's own words


@pytest.mark.parametrize(
    ("relationship", "is_one"),
    [("PARENT", True), ("PREDECESSOR", True), ("CONCURRENT", False), ("ALTERNATIVE", False), ("PRIOR", False)],
)
def test_a_plan_names_the_plans_that_it_was_made_from(relationship: str, *, is_one: bool) -> None:
    named = o.item(ReferencedSOPInstanceUID="1.2.3", RTPlanRelationship=relationship)
    plan = as_plan(o.plan({1: 100.0}, ReferencedRTPlanSequence=[named]))
    assert plan.predecessor_uids == (("1.2.3",) if is_one else ())


@pytest.mark.parametrize("made_from", [("base",), ("ref",)])
def test_plans_that_are_treated_in_turn_are_no_course_though_one_is_made_from_the_other(made_from: tuple[str]) -> None:
    """A boost beside its base, or two sides of one reference plan: nobody adds up what two isocentres got."""
    plans = [
        planned_on("base", 25, *({"ref"} & set(made_from))),
        planned_on("boost", 10, *made_from),
        planned_on("ref", 25),
    ]
    boost = [replace(r, treatment_time=day(1, hours=1).time()) for r in given("boost", [1, 2, 3], 3)]
    known = evidence([*given("base", [1, 2, 3, 4, 5], 1), *boost], plans)
    for uid, delivered, following in (("base", 5, 6), ("boost", 3, 4)):
        row = row_of(known, uid)
        told = row["course_fractions_delivered"], row["next_fraction_number"], row["status"]
        assert told == (delivered, following, "on_treatment")


def test_a_reference_plan_that_is_treated_on_the_days_without_adaptation_is_of_the_course() -> None:
    plans = [planned_on("ref", 5), planned_on("ad2", 1, "ref"), planned_on("ad3", 1, "ref")]
    records = [*given("ref", [1, 4], 1), *given("ad2", [2], 2), *given("ad3", [3], 3)]
    records[1] = replace(records[1], treatment_date=day(4).date())
    row = row_of(evidence(records, plans), "ref")
    assert (row["course_fractions_delivered"], row["next_fraction_number"]) == (4, 5)


def test_fractions_of_a_copy_on_another_machine_are_not_missed_though_both_are_treated_in_turn() -> None:
    records = [*given("a", [1, 2, 3], 1), *given("a", [5], 5), *given("b", [4], 4, machine="TB2")]
    row = row_of(evidence(records, [planned("a"), planned("b")]), "b")
    assert (row["records_held"], row["missing"]) == (True, "")


def test_a_plan_that_names_itself_or_a_circle_of_plans_is_read_to_an_end() -> None:
    plans = [planned_on("a", 5, "b"), planned_on("b", 5, "a")]
    known = evidence([*given("a", [1], 1), *given("b", [2], 2)], plans)
    assert course_of(row_of(known, "b")) == (2, 5, "B, A")


def test_a_reference_plan_that_says_less_than_was_given_is_none() -> None:
    plans = [planned_on("draft", 1), *(planned_on(f"ad{n}", 1, "draft") for n in (1, 2))]
    row = row_of(evidence([*given("ad1", [1], 1), *given("ad2", [2], 3)], plans), "ad2")
    assert (row["course_number_of_fractions_planned"], row["status"]) == (None, "on_treatment")


def test_two_prescriptions_of_one_number_are_not_the_whole_courses() -> None:
    """A base of 5 that was left at 4, and another prescription of 5: nobody says that the course has 5."""
    prescribed = {"a": Prescribed("base", 5), "b": Prescribed("boost", 5)}
    plans = [planned_on("a", None), planned_on("b", None)]
    known = evidence([*given("a", range(1, 5), 1), *given("b", [5], 8)], plans, prescribed=prescribed)
    assert course_of(row_of(known, "b"))[:2] == (5, None)
    assert row_of(known, "b")["status"] == "on_treatment"


def test_the_first_day_of_a_course_is_not_completed_while_an_approved_plan_of_more_waits() -> None:
    """Nothing names the reference plan, and yet 1 of 1 may be 1 of 5."""
    row = row_of(evidence(given("ad1", [1], 11), [planned_on("ad1", 1), planned_on("ref", 5)]), "ad1")
    assert (row["status"], row["fractions_remaining"], row["next_fraction_number"]) == ("on_treatment", None, 2)
    assert "whether it is one day of plan Ref, 5 fractions, is not known" in row["remarks"]


@pytest.mark.parametrize("other", [planned_on("srs2", 1), planned_on("ref", 5, study="of another course")])
def test_a_plan_of_one_fraction_is_completed_beside_one_that_it_is_no_day_of(other: Plan) -> None:
    row = row_of(evidence(given("srs", [1], 11), [planned_on("srs", 1), other]), "srs")
    assert row["status"] == "completed"
    assert "a plan of 1 fraction" not in row["remarks"]


def test_a_plan_of_one_fraction_of_a_patient_who_is_booked_again_is_not_completed_unless_a_prescription_says_so() -> (
    None
):
    plans, booked = [planned_on("ad1", 1)], {"1": NOW + timedelta(days=1)}
    row = row_of(evidence(given("ad1", [1], 11), plans, appointments=booked), "ad1")
    assert (row["status"], row["fractions_remaining"]) == ("on_treatment", None)
    assert "booked again" in row["remarks"]
    told = evidence(given("ad1", [1], 11), plans, appointments=booked, prescribed={"ad1": Prescribed("rx", 1)})
    assert row_of(told, "ad1")["status"] == "completed"


@pytest.mark.parametrize(
    ("numbers", "said"),
    [([1, 3], "fraction 2,"), ([1, 2, 3], ""), ([1, 4, 2147483647], "fractions 2-3, 5-2147483646,")],
)
def test_a_number_that_nobody_has_a_record_of_between_others_is_remarked_on(numbers: list[int], said: str) -> None:
    """A record that the RT-PACS lost before a rebuild: 2 of 10 and ready, without a word."""
    row = row_of(evidence(given("base", numbers, 1), [planned_on("base", 10)]), "base")
    assert (row["records_held"], row["fractions_delivered"]) == (True, len(numbers))
    assert (f"no record of {said}" if said else "") in row["remarks"]
    assert bool(said) is ("no record of" in row["remarks"])


def test_a_number_that_another_plan_of_the_course_has_is_no_gap() -> None:
    plans = [planned_on("ref", 9), *(planned_on(f"ad{n}", 1, "ref") for n in (2, 4))]
    known = evidence([*given("ref", [1, 3, 5], 1), *given("ad2", [2], 2), *given("ad4", [4], 4)], plans)
    assert not any("no record of" in row["remarks"] for row in rows_of(known))
