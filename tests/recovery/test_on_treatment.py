"""Who is on treatment, with which plan, and could they be treated from the backup? Row by row by the contract."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.model import InstanceRef, Patient
from recovery.on_treatment import Evidence, PlanBackup, build_rows
from recovery.plans import Plan, StructureSet
from recovery.records import TreatmentRecord
from tests.recovery.courses import day, delivery, plain_plan, plain_record

HELD = PlanBackup(plan_held=True, structure_set_held=True, images_held=True)
NOW = day(12, hours=3)


def treated(
    uid: str, numbers: Sequence[int], first_day: int, patient_id: str | None = "1", meterset: float = 100.0, **more: Any
) -> list[TreatmentRecord]:
    """Records of plan `uid`, one fraction a day from `first_day` on."""
    return [
        plain_record(
            f"{uid} {patient_id} {number}",
            [delivery(fraction=number, delivered=meterset, specified=100.0)],
            at=day(first_day + n),
            plan_uid=uid,
            **{
                "ref": InstanceRef(f"{uid} {patient_id} {number}", patient_id=patient_id),
                "patient": Patient(patient_id, f"NAME, {patient_id}", None, None),
                **more,
            },
        )
        for n, number in enumerate(numbers)
    ]


def planned(uid: str, fractions: int | None = 20, patient_id: str | None = "1", **more: Any) -> Plan:
    values = {"ref": InstanceRef(uid, patient_id=patient_id), "patient": Patient(patient_id, f"NAME, {patient_id}", None, None)}
    return plain_plan({1: 100.0}, fractions, uid, **(values | more))


def evidence(records: Sequence[TreatmentRecord] = (), plans: Sequence[Plan] = (), **more: Any) -> Evidence:
    by_uid = {p.ref.sop_instance_uid: p for p in plans}
    values: dict[str, Any] = {"structure_sets": {}, "backups": dict.fromkeys(by_uid, HELD)}
    return Evidence(records=list(records), plans=by_uid, **(values | more))


def rows_of(known: Evidence, now: datetime = NOW, days: int = 14, exclude: Sequence[str] = ()) -> list[dict[str, Any]]:
    return build_rows(known, now, on_treatment_days=days, exclude_patient_ids=exclude)[0]


def row_of(known: Evidence, uid: str | None, now: datetime = NOW, days: int = 14) -> dict[str, Any]:
    [row] = [r for r in rows_of(known, now, days) if r["referenced_rt_plan_uid"] == uid]
    return row


def test_a_course_that_goes_as_planned_is_on_treatment_and_ready() -> None:
    known = evidence(treated("prost", range(1, 9), 1), [planned("prost")])
    assert row_of(known, "prost") == {
        "patient_id": "1", "patient_name": "NAME, 1", "patient_birth_date": None, "patient_sex": None,
        "physicians_of_record": None, "referenced_rt_plan_uid": "prost", "rt_plan_label": "Prost",
        "treatment_machine_name": "TB1", "number_of_fractions_planned": 20, "fractions_delivered": 8,
        "fractions_remaining": 12, "interrupted_fraction": None, "interrupted_meterset_remaining": None,
        "first_treatment_at": day(1), "last_treatment_at": day(8), "next_appointment_at": None, "status": "on_treatment",
        "plan_held": True, "structure_set_held": True, "images_held": True, "records_held": True, "ready": True,
        "missing": "", "earlier_plans": "", "remarks": "the plan names no structure set",
    }  # fmt: skip


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
    known = evidence(
        [*treated("prost", [1], 1), *treated("prost", [2], 2, meterset=60.0)], [planned("prost", 2)]
    )
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
    booked = {"1": NOW}
    assert rows_of(evidence([], [planned("prost")], appointments=booked, approvals={"prost": False})) == []
    unapproved = planned("prost", approval_status="UNAPPROVED")
    row = row_of(evidence([], [unapproved], appointments=booked, approvals={"prost": True}), "prost")
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


@pytest.mark.parametrize("beams", [(), (delivery(fraction=None),), (delivery(beam=None),)])
def test_who_was_treated_in_a_way_that_cannot_be_counted_is_not_ready_to_start(beams: tuple[Any, ...]) -> None:
    record = plain_record("a", beams, at=day(10), plan_uid="prost")
    row = row_of(evidence([record], [planned("prost")], appointments={"1": NOW}), "prost")
    assert (row["status"], row["last_treatment_at"], row["fractions_delivered"]) == ("on_treatment", day(10), 0)
    assert "not counted" in row["remarks"]


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
        [*treated("z", [1, 2, 3], 1), *treated("m", [1, 2], 4), *treated("a", [1], 6)],
        [planned("z", 25), planned("m", None), planned("a", 20)],
    )
    assert [row_of(known, uid)["status"] for uid in ("z", "m", "a")] == ["superseded", "superseded", "on_treatment"]
    assert row_of(known, "m")["earlier_plans"] == "Z: 3 of 25"
    assert row_of(known, "a")["earlier_plans"] == "Z: 3 of 25; M: 2 of —"


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
        ({"frame_of_reference_uid": "f1", "structure_set_uids": ("s1",)},
         {"frame_of_reference_uid": "f2", "structure_set_uids": ("s1",)}, "superseded"),
        ({"frame_of_reference_uid": None, "structure_set_uids": ("s1",)}, {"frame_of_reference_uid": "f3"}, "superseded"),
    ],
)  # fmt: skip
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
    known = evidence(
        [*treated("a", [1, 2, 5], 1), *treated("b", [9], 9)], [planned("a"), planned("b")]
    )
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


# who


def test_an_unknown_patient_id_has_rows_of_its_own_and_is_never_excluded() -> None:
    known = evidence([*treated("a", [1], 1, None), *treated("b", [1], 1, None)], appointments={"": NOW})
    rows, excluded = build_rows(known, NOW, on_treatment_days=14, exclude_patient_ids=["*"])
    assert [(r["patient_id"], r["referenced_rt_plan_uid"]) for r in rows] == [(None, "a"), (None, "b")]
    assert excluded == []


def test_one_plan_uid_under_two_patient_ids_is_two_rows() -> None:
    known = evidence([*treated("a", [1], 1, "1"), *treated("a", [2], 2, "2")], [planned("a")])
    assert [(r["patient_id"], r["fractions_delivered"]) for r in rows_of(known)] == [("1", 1), ("2", 1)]


def test_patterns_exclude_who_is_no_patient_and_tell_whom() -> None:
    ids = ["$QA1", "QA_2", "qa_3", "1QA_", "Z$"]
    records = [r for i in ids for r in treated(f"plan {i}", [1], 1, i)]
    known = evidence(records, [planned("new", patient_id="QA_9")], appointments={"QA_9": NOW})
    rows, excluded = build_rows(known, NOW, on_treatment_days=14, exclude_patient_ids=["$*", "QA_*"])
    assert [r["patient_id"] for r in rows] == ["1QA_", "Z$", "qa_3"]
    assert excluded == ["$QA1", "QA_2", "QA_9"]


def test_rows_are_sorted_by_name_then_id_then_plan() -> None:
    def named(patient_id: str, name: str | None, uid: str) -> list[TreatmentRecord]:
        return treated(uid, [1], 1, patient_id, patient=Patient(patient_id, name, None, None))

    records = [*named("2", "BETA, A", "p"), *named("1", "BETA, A", "r"), *named("1", "BETA, A", "q"),
               *named("9", "ALPHA, Z", "s"), *named("5", None, "t")]  # fmt: skip
    assert [r["referenced_rt_plan_uid"] for r in rows_of(evidence(records))] == ["t", "s", "q", "r", "p"]


def test_the_patient_is_as_the_newest_record_with_a_name_says() -> None:
    def named(number: int, name: str | None) -> TreatmentRecord:
        return treated("a", [number], number, patient=Patient("1", name, None, None))[0]

    records = [named(1, "MAIDEN, Ada"), named(2, "MARRIED, Ada"), named(3, None)]
    assert rows_of(evidence(records))[0]["patient_name"] == "MARRIED, Ada"
    assert rows_of(evidence([named(3, None)], [planned("a")]))[0]["patient_name"] == "NAME, 1"


def test_physicians_and_machine_are_of_the_newest_record_that_names_them() -> None:
    def of(number: int, physician: str | None, machine: str | None) -> TreatmentRecord:
        return treated("a", [number], number, physicians_of_record=physician, treatment_machine_name=machine)[0]

    row = row_of(evidence([of(3, None, None), of(1, "Quartz, Ada", "TB1"), of(2, "Flint, Ben", "TB2")]), "a")
    assert (row["physicians_of_record"], row["treatment_machine_name"]) == ("Flint, Ben", "TB2")


# laws


@st.composite
def clinics(draw: st.DrawFn) -> Evidence:
    uids = ["a", "b", "c", None]
    records = [
        plain_record(
            f"r{n}",
            [delivery(fraction=draw(st.integers(1, 4)), delivered=draw(st.sampled_from([0.0, 60.0, 100.0])))],
            at=draw(st.none() | st.integers(-20, 20).map(day)),
            plan_uid=draw(st.sampled_from(uids)),
            ref=InstanceRef(f"r{n}", patient_id=(patient_id := draw(st.sampled_from(["1", "2", None])))),
            patient=Patient(patient_id, draw(st.sampled_from([None, "BASALT, Osprey"])), None, None),
            physicians_of_record=draw(st.sampled_from([None, "Quartz, Ada", "Flint, Ben"])),
        )
        for n in range(draw(st.integers(0, 6)))
    ]
    plans = [
        planned(
            uid,
            draw(st.sampled_from([None, 1, 2, 20])),
            draw(st.sampled_from(["1", "2", None])),
            approval_status=draw(st.sampled_from(["APPROVED", "UNAPPROVED", None])),
            frame_of_reference_uid=draw(st.sampled_from(["f", "g", None])),
        )
        for uid in draw(st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True))
    ]
    appointments = draw(st.dictionaries(st.sampled_from(["1", "2"]), st.integers(0, 40).map(lambda n: NOW + timedelta(days=n))))
    approved_for = draw(st.dictionaries(st.sampled_from(["c", "d", "e"]), st.sampled_from(["1", "2"])))
    return evidence(records, plans, appointments=appointments, approved_for=approved_for)


@given(clinics())
def test_there_is_one_row_per_patient_and_plan(known: Evidence) -> None:
    rows = rows_of(known)
    keys = [(r["patient_id"], r["referenced_rt_plan_uid"]) for r in rows]
    assert len(keys) == len(set(keys))
    assert {(r.ref.patient_id, r.referenced_rt_plan_uid) for r in known.records} <= set(keys)
    for row in rows:
        assert row["ready"] is (row["missing"] == "")
        assert row["status"] in {"on_treatment", "on_break", "ready_to_start", "completed", "superseded"}
        assert (row["status"] == "completed") is (row["fractions_remaining"] == 0)
        assert row["records_held"] is ("records of fraction" not in row["missing"])
        if row["status"] == "ready_to_start":
            assert row["fractions_delivered"] == 0
            assert row["next_appointment_at"] is not None


@given(clinics(), st.data())
def test_the_order_of_the_records_changes_no_row(known: Evidence, data: st.DataObject) -> None:
    shuffled = dataclasses.replace(known, records=data.draw(st.permutations(known.records)))
    assert rows_of(known) == rows_of(shuffled)


@given(clinics())
def test_of_two_plans_only_one_can_supersede_the_other(known: Evidence) -> None:
    for row in rows_of(known):
        if row["status"] == "superseded":
            others = [r for r in rows_of(known) if r["patient_id"] == row["patient_id"] and r is not row]
            assert any(
                r["first_treatment_at"] is not None and r["first_treatment_at"] > row["last_treatment_at"] for r in others
            )


@given(clinics(), st.lists(st.sampled_from(["1", "2", "?", "*", "[1]", "x*"]), max_size=2))
def test_patterns_only_remove_rows(known: Evidence, patterns: list[str]) -> None:
    rows, excluded = build_rows(known, NOW, on_treatment_days=14, exclude_patient_ids=patterns)
    assert rows == [r for r in rows_of(known) if r["patient_id"] not in excluded]
