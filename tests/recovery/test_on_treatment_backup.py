"""Which plans an adapted plan replaced, and what is missing of a course."""

from __future__ import annotations

import dataclasses

import pytest

from recovery.dicom.model import InstanceRef
from recovery.dicom.plans import StructureSet
from recovery.on_treatment.evidence import PlanBackup
from tests.recovery.clinics import evidence, planned, row_of, rows_of, treated
from tests.recovery.courses import day, delivery, plain_record

# adapted plans


def test_an_adapted_plan_supersedes_and_tells_what_the_earlier_one_delivered() -> None:
    known = evidence(
        [*treated("cervix", range(1, 9), 1), *treated("cervix2", [1, 2], 9)],
        [planned("cervix", 25), planned("cervix2", 17)],
    )
    assert row_of(known, "cervix")["status"] == "superseded"
    row = row_of(known, "cervix2")
    assert (row["status"], row["earlier_plans"]) == ("on_treatment", "Cervix: 8 of 25")
    assert row_of(known, "cervix")["earlier_plans"] == ""


def test_a_chain_of_three_tells_all_that_came_before_in_order_of_time() -> None:
    known = evidence(
        [*treated("m", [1, 2], 4), *treated("a", [1], 6), *treated("z", [1, 2, 3], 1)],
        [planned("z", 25), planned("m", None, rt_plan_label=None), planned("a", 20)],
    )
    assert [row_of(known, uid)["status"] for uid in ("z", "m", "a")] == ["superseded", "superseded", "on_treatment"]
    assert row_of(known, "m")["earlier_plans"] == "Z: 3 of 25"
    assert row_of(known, "a")["earlier_plans"] == "Z: 3 of 25; m: 2 of —", "its UID where it has no label"


def test_two_plans_treated_in_turn_never_supersede_each_other() -> None:
    known = evidence(
        [*treated("a", [1], 1), *treated("b", [1], 2), *treated("a", [2], 3), *treated("b", [2], 4)],
        [planned("a"), planned("b")],
    )
    assert [(r["status"], r["earlier_plans"]) for r in rows_of(known)] == [("on_treatment", "")] * 2


def test_two_plans_of_one_session_never_supersede_each_other() -> None:
    known = evidence([*treated("a", [1, 2], 1), *treated("b", [1, 2], 1)], [planned("a"), planned("b")])
    assert {r["status"] for r in rows_of(known)} == {"on_treatment"}


def test_plans_that_first_and_last_touch_at_one_moment_do_not_supersede() -> None:
    known = evidence([*treated("a", [1], 1), *treated("b", [1], 1)], [planned("a"), planned("b")])
    assert {r["status"] for r in rows_of(known)} == {"on_treatment"}


def test_a_completed_primary_stays_completed_when_the_boost_begins_and_is_no_earlier_plan() -> None:
    known = evidence(
        [*treated("primary", [1, 2], 1), *treated("boost", [1], 3)], [planned("primary", 2), planned("boost", 5)]
    )
    assert row_of(known, "primary")["status"] == "completed"
    assert row_of(known, "boost")["earlier_plans"] == ""


@pytest.mark.parametrize(
    ("earlier", "later", "status"),
    [
        ({"frame_of_reference_uid": "f1"}, {"frame_of_reference_uid": "f2"}, "on_treatment"),
        ({"frame_of_reference_uid": None}, {"frame_of_reference_uid": None}, "on_treatment"),
        (
            {"frame_of_reference_uid": "f1", "structure_set_uids": ("s1",)},
            {"frame_of_reference_uid": "f2", "structure_set_uids": ("s1",)},
            "superseded",
        ),
        (
            {"frame_of_reference_uid": None, "structure_set_uids": ("s1",)},
            {"frame_of_reference_uid": "f3"},
            "superseded",
        ),
    ],
)
def test_only_a_plan_on_the_same_frame_of_reference_or_structure_set_supersedes(earlier, later, status) -> None:
    known = evidence(
        [*treated("a", [1], 1), *treated("b", [1], 2)],
        [planned("a", **earlier), planned("b", **later)],
        structure_sets={"s1": StructureSet(InstanceRef("s1"), None, ("f3",), ())},
    )
    assert row_of(known, "a")["status"] == status


def test_plans_of_two_patients_never_supersede_each_other() -> None:
    known = evidence(
        [*treated("a", [1], 1, "1"), *treated("b", [1], 2, "2")], [planned("a"), planned("b", patient_id="2")]
    )
    assert {r["status"] for r in rows_of(known)} == {"on_treatment"}


def test_a_quality_check_of_the_new_plan_supersedes_nothing() -> None:
    check = plain_record("qa", [delivery(delivery_type="VERIFICATION")], at=day(9), plan_uid="b")
    known = evidence([*treated("a", [1, 2], 1), check], [planned("a"), planned("b")])
    assert row_of(known, "a")["status"] == "on_treatment"


# what is held, and what is missing


def test_when_the_first_held_is_number_14_the_records_of_1_to_13_are_missing() -> None:
    row = row_of(evidence(treated("prost", [14, 15], 1), [planned("prost")]), "prost")
    assert (row["records_held"], row["ready"], row["fractions_delivered"]) == (False, False, 2)
    assert row["missing"] == "records of fractions 1-13"


def test_a_single_missing_fraction_is_told_in_the_singular() -> None:
    assert row_of(evidence(treated("prost", [2], 1), [planned("prost")]), "prost")["missing"] == "records of fraction 1"


@pytest.mark.parametrize("first_planned", [8, 25])
def test_numbers_that_go_on_after_a_replan_miss_nothing(first_planned: int) -> None:
    known = evidence(
        [*treated("a", range(1, 9), 1), *treated("b", [9, 10], 9)], [planned("a", first_planned), planned("b", 17)]
    )
    row = row_of(known, "b")
    assert (row["records_held"], row["missing"], row["fractions_delivered"]) == (True, "", 2)


def test_numbers_that_go_on_after_a_replan_tell_which_are_held_nowhere() -> None:
    known = evidence([*treated("a", [1, 2, 5], 1), *treated("b", [9], 9)], [planned("a"), planned("b")])
    assert row_of(known, "b")["missing"] == "records of fractions 3-4, 6-8"


def test_numbers_of_a_plan_treated_in_turn_prove_nothing_of_this_ones() -> None:
    known = evidence([*treated("a", range(1, 9), 1), *treated("b", [4, 5], 4)], [planned("a"), planned("b")])
    assert row_of(known, "b")["missing"] == "records of fractions 1-3"


def test_records_of_a_plan_that_is_nowhere_are_counted_and_missing_says_so() -> None:
    row = row_of(evidence(treated("lost", [1, 2], 1, number_of_fractions_planned=25)), "lost")
    assert (row["fractions_delivered"], row["number_of_fractions_planned"], row["fractions_remaining"]) == (2, 25, 23)
    assert (row["rt_plan_label"], row["plan_held"], row["ready"], row["status"]) == (None, False, False, "on_treatment")
    assert "plan" in row["missing"]
    assert "records' own metersets" in row["missing"]


def test_records_that_name_no_plan_have_a_row_that_says_so() -> None:
    records = [dataclasses.replace(r, referenced_rt_plan_uid=None) for r in treated("x", [1, 2], 1)]
    row = row_of(evidence(records), None)
    assert (row["fractions_delivered"], row["ready"], row["plan_held"]) == (2, False, False)
    assert "name no plan" in row["missing"]


def test_a_plan_without_metersets_is_counted_by_the_records_and_missing_says_so() -> None:
    bare = planned("prost", beams=())
    row = row_of(evidence(treated("prost", [1], 1), [bare]), "prost")
    assert "metersets of the plan" in row["missing"]
    assert row["ready"] is False


def test_what_the_archive_lacks_and_what_is_unproven_is_named_and_makes_not_ready() -> None:
    backup = PlanBackup(plan_held=True, structure_set_held=True, missing=("3 of 120 images",))
    known = evidence(
        treated("prost", [1], 1), [planned("prost")], backups={"prost": backup}, unproven_records={"1": 2, "2": 5}
    )
    row = row_of(known, "prost")
    assert row["missing"] == "3 of 120 images; 2 treatment records of the R&V system"
    assert (row["ready"], row["records_held"], row["images_held"], row["plan_held"]) == (False, False, False, True)


def test_a_plan_that_the_archive_was_not_asked_about_is_not_ready() -> None:
    row = row_of(evidence(treated("prost", [1], 1), [planned("prost")], backups={}), "prost")
    assert (row["ready"], row["plan_held"]) == (False, False)
    assert row["missing"]
