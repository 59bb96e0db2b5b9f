"""Whose rows they are, and the laws that hold for any clinic."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from recovery.dicom.model import InstanceRef, Patient
from recovery.dicom.records import TreatmentRecord
from recovery.on_treatment.evidence import Evidence
from recovery.on_treatment.rows import build_rows
from tests.recovery.clinics import NOW, evidence, planned, row_of, rows_of, treated
from tests.recovery.courses import day, delivery, plain_record

# who


def test_an_unknown_patient_id_has_rows_of_its_own_and_is_never_excluded() -> None:
    known = evidence([*treated("a", [1], 1, None), *treated("b", [1], 1, None)], appointments={"": NOW})
    listed = build_rows(known, NOW, on_treatment_days=14, exclude_patient_ids=["*"])
    rows, excluded = listed.rows, listed.excluded
    assert [(r["patient_id"], r["referenced_rt_plan_uid"]) for r in rows] == [(None, "a"), (None, "b")]
    assert excluded == []


def test_one_plan_uid_under_two_patient_ids_is_two_rows() -> None:
    known = evidence([*treated("a", [1], 1, "1"), *treated("a", [2], 2, "2")], [planned("a")])
    assert [(r["patient_id"], r["fractions_delivered"]) for r in rows_of(known)] == [("1", 1), ("2", 1)]


def test_patterns_exclude_who_is_no_patient_and_tell_whom() -> None:
    ids = ["$QA1", "QA_2", "qa_3", "1QA_", "Z$", "QUARTZ"]
    records = [r for i in ids for r in treated(f"plan {i}", [1], 1, i)]
    known = evidence(records, [planned("new", patient_id="QA_9")], appointments={"QA_9": NOW})
    listed = build_rows(known, NOW, on_treatment_days=14, exclude_patient_ids=["$*", "QA_*"])
    rows, excluded = listed.rows, listed.excluded
    assert [r["patient_id"] for r in rows] == ["1QA_", "QUARTZ", "Z$", "qa_3"]
    assert excluded == ["$QA1", "QA_2", "QA_9"]


def test_rows_are_sorted_by_name_then_id_then_plan() -> None:
    def named(patient_id: str, name: str | None, uid: str) -> list[TreatmentRecord]:
        return treated(uid, [1], 1, patient_id, patient=Patient(patient_id, name, None, None))

    records = [
        *named("2", "BETA, A", "p"),
        *named("1", "BETA, A", "r"),
        *named("1", "BETA, A", "q"),
        *named("9", "ALPHA, Z", "s"),
        *named("5", None, "t"),
    ]
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


def test_of_two_records_of_one_moment_the_same_one_tells_in_any_order() -> None:
    def of(uid: str, physician: str, name: str) -> TreatmentRecord:
        ref, patient = InstanceRef(uid, patient_id="1"), Patient("1", name, None, None)
        return treated("a", [1], 1, ref=ref, patient=patient, physicians_of_record=physician)[0]

    records = [of("x", "Quartz, Ada", "MAIDEN, Ada"), of("y", "Flint, Ben", "MARRIED, Ada")]
    assert rows_of(evidence(records)) == rows_of(evidence(records[::-1]))


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
    appointments = draw(
        st.dictionaries(st.sampled_from(["1", "2"]), st.integers(0, 40).map(lambda n: NOW + timedelta(days=n)))
    )
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
                r["first_treatment_at"] is not None and r["first_treatment_at"] > row["last_treatment_at"]
                for r in others
            )


@given(clinics(), st.lists(st.sampled_from(["1", "2", "?", "*", "[1]", "x*"]), max_size=2))
def test_patterns_only_remove_rows(known: Evidence, patterns: list[str]) -> None:
    listed = build_rows(known, NOW, on_treatment_days=14, exclude_patient_ids=patterns)
    rows, excluded = listed.rows, listed.excluded
    assert rows == [r for r in rows_of(known) if r["patient_id"] not in excluded]
