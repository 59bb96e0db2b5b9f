"""An ID that changes in mid-course splits no course, and an ID that two people share joins nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from recovery.dicom.model import InstanceRef, Patient
from recovery.dicom.plans import Plan
from recovery.dicom.records import TreatmentRecord
from recovery.identity.one_patient import without_others_ids
from recovery.on_treatment.rows import build_rows
from tests.recovery.clinics import NOW, evidence, planned, row_of, rows_of, treated
from tests.recovery.courses import day

BORN = date(1958, 7, 4)


def named(
    uid: str,
    numbers: Sequence[int],
    patient_id: str | None,
    name: str | None = "NEWMAN, Nora",
    born: date | None = BORN,
    first_day: int | None = None,
) -> list[TreatmentRecord]:
    """Records of plan `uid` under an ID and a name, one a day from the day of the first number on."""
    who = Patient(patient_id, name, born, "F")
    return treated(uid, numbers, first_day or numbers[0], patient_id, patient=who)


def plan_of(uid: str, patient_id: str, fractions: int = 30, **more: Any) -> Plan:
    return planned(uid, fractions, patient_id, patient=Patient(patient_id, "NEWMAN, Nora", BORN, "F"), **more)


def counts(rows: Sequence[dict[str, Any]]) -> list[tuple[str | None, str, int]]:
    return [(r["patient_id"], r["referenced_rt_plan_uid"], r["fractions_delivered"]) for r in rows]


def test_a_course_under_an_old_and_a_new_id_is_one_row_under_the_new_one() -> None:
    """Case c05."""
    records = [*named("brain", range(1, 11), "TMP"), *named("brain", [11, 12], "MRN")]
    [row] = rows_of(evidence(records, [plan_of("brain", "TMP")]))
    assert (row["patient_id"], row["other_patient_ids"]) == ("MRN", "TMP")
    assert (row["fractions_delivered"], row["fractions_remaining"], row["next_fraction_number"]) == (12, 18, 13)
    assert row["records_held"] and "also under patient ID TMP" in row["remarks"]


@pytest.mark.parametrize(
    ("name", "is_same"),
    [
        ("Newman, Nora", True),
        ("NÉWMAN, NORA", True),
        ("NEWMAN NORA", True),
        ("NEUMAN, Nora", False),
        ("NEWMAN, N", False),
        (None, False),
    ],
)
def test_names_agree_without_case_and_accents_and_letter_by_letter_else(name: str | None, *, is_same: bool) -> None:
    rows = rows_of(evidence([*named("brain", [1, 2], "TMP"), *named("brain", [3], "MRN", name)]))
    assert len(rows) == (1 if is_same else 2)


@pytest.mark.parametrize(("one", "other"), [("MÜLLER, Zoë", "MUELLER, Zoe"), ("MÜLLER, Zoë", "MULLER, ZOE")])
def test_an_umlaut_may_be_spelled_in_two_letters(one: str, other: str) -> None:
    assert len(rows_of(evidence([*named("brain", [1], "TMP", one), *named("brain", [2], "MRN", other)]))) == 1


@pytest.mark.parametrize(
    ("name", "born", "why"),
    [
        ("NEWMAN, Paul", BORN, "another name"),
        ("NEWMAN, Nora", date(1985, 7, 4), "another birth date"),
        ("NEWMAN, Nora", None, "cannot be compared"),
    ],
)
def test_who_does_not_agree_has_a_row_of_their_own_and_both_say_so(name: str, born: date | None, why: str) -> None:
    records = [*named("brain", range(1, 11), "TMP"), *named("brain", [11, 12], "MRN", name, born)]
    rows = rows_of(evidence(records, [plan_of("brain", "TMP")]))
    assert sorted(counts(rows), key=str) == [("MRN", "brain", 2), ("TMP", "brain", 10)]
    for row, other in ((r, {"MRN": "TMP", "TMP": "MRN"}[r["patient_id"]]) for r in rows):
        assert f"objects of patient ID {other} name this plan too" in row["remarks"]
        assert why in row["remarks"]
        assert row["other_patient_ids"] is None


def test_no_birth_date_on_either_side_is_no_agreement() -> None:
    records = [*named("brain", [1], "TMP", born=None), *named("brain", [2], "MRN", born=None)]
    assert len(rows_of(evidence(records))) == 2


def test_a_record_without_birth_date_under_one_of_the_ids_goes_with_that_id() -> None:
    records = [
        *named("brain", [1], "TMP"),
        *named("brain", [2], "TMP", born=None),
        *named("brain", [3], "MRN"),
        *named("brain", [4], "MRN", born=None),
    ]
    assert counts(rows_of(evidence(records))) == [("MRN", "brain", 4)]


def test_a_chain_of_three_ids_is_one_patient_under_the_newest() -> None:
    records = [
        *named("brain", [1, 2], "A"),
        *named("brain", [3, 4], "B"),
        *named("spine", [1], "B", first_day=3),
        *named("spine", [2], "C", first_day=5),
    ]
    rows = rows_of(evidence(records, [plan_of("brain", "A"), plan_of("spine", "B")]))
    assert sorted(counts(rows)) == [("C", "brain", 4), ("C", "spine", 2)]
    assert {r["other_patient_ids"] for r in rows} == {"A\\B"}


def test_a_plan_that_only_the_old_id_bears_follows_the_patient() -> None:
    records = [*named("brain", [1], "TMP"), *named("brain", [2], "MRN"), *named("spine", [1], "TMP")]
    waiting = plan_of("boost", "TMP")
    known = evidence(records, [waiting], appointments={"TMP": day(20)})
    assert {r["patient_id"] for r in rows_of(known)} == {"MRN"}
    boost = row_of(known, "boost")
    assert (boost["patient_id"], boost["status"], boost["patient_name"]) == ("MRN", "ready_to_start", "NEWMAN, Nora")


def test_a_name_that_changed_with_the_marriage_under_one_id_stays_one_patient() -> None:
    records = [
        *named("brain", [1], "TMP", "MAIDEN, Nora"),
        *named("brain", [2], "MRN", "MAIDEN, Nora"),
        *named("brain", [3], "MRN"),
        *named("brain", [4], "NEW"),
    ]
    assert counts(rows_of(evidence(records))) == [("NEW", "brain", 4)]


def test_an_id_that_two_patients_share_joins_neither_with_the_other() -> None:
    records = [
        *named("brain", [1], "UNKNOWN"),
        *named("brain", [2], "1"),
        *named("lung", [1], "UNKNOWN", "BASALT, Paul", date(1940, 1, 1)),
        *named("lung", [2], "2", "BASALT, Paul", date(1940, 1, 1)),
    ]
    assert sorted(counts(rows_of(evidence(records)))) == [("1", "brain", 2), ("2", "lung", 2)]


def test_a_record_without_any_id_stays_apart_and_both_rows_say_so() -> None:
    records = [*named("brain", [1, 2], "1"), *named("brain", [3], None)]
    rows = {r["patient_id"]: r for r in rows_of(evidence(records))}
    assert {i: r["fractions_delivered"] for i, r in rows.items()} == {"1": 2, None: 1}
    assert "objects without a patient ID name this plan too" in rows["1"]["remarks"]
    assert "objects of patient ID 1 name this plan too" in rows[None]["remarks"]


def test_appointments_and_unproven_records_are_found_under_either_id() -> None:
    records = [*named("brain", [1, 2], "TMP"), *named("brain", [3], "MRN")]
    booked = {"TMP": day(15), "MRN": day(16)}
    row = row_of(evidence(records, appointments=booked, unproven_records={"TMP": 2, "MRN": 1}), "brain")
    assert row["next_appointment_at"] == day(15)
    assert "3 treatment records of the R&V system" in row["missing"]


def test_a_pattern_excludes_only_who_has_no_other_id() -> None:
    records = [*named("brain", [1], "$TMP"), *named("brain", [2], "MRN"), *named("qa", [1], "$QA", "PHANTOM")]
    listed = build_rows(evidence(records), NOW, on_treatment_days=14, exclude_patient_ids=["$*"])
    rows, excluded = listed.rows, listed.excluded
    assert ([r["patient_id"] for r in rows], excluded) == (["MRN"], ["$QA"])
    renamed = [*named("brain", [1], "MRN"), *named("brain", [2], "$MRN")]
    assert build_rows(evidence(renamed), NOW, on_treatment_days=14, exclude_patient_ids=["$*"]).excluded == []


@pytest.mark.parametrize("born", [date(1940, 1, 1), BORN])
def test_a_plan_that_is_another_patients_is_told_and_not_held_for_this_one(born: date) -> None:
    """One UID in two patients: whoever is treated by it would be treated with somebody else's fields."""
    other = planned("brain", 30, "9", patient=Patient("9", "QUARTZ, Heron", born, None))
    [row] = rows_of(evidence(named("brain", [1], "MRN"), [other]))
    assert "objects of patient ID 9 name this plan too, with another name" in row["remarks"]
    elsewhere = without_others_ids(row["remarks"])
    assert "objects of another patient ID name this plan too, with another name" in elsewhere and "9" not in elsewhere
    assert (row["plan_held"], row["images_held"], row["ready"]) == (False, False, False)
    assert "what is held under the plan's UID is another patient's" in row["missing"]
    assert row["number_of_fractions_planned"] is None


@pytest.mark.parametrize("name", ["NEWMAN, Nina", "MARRIED, Nora"])
def test_a_birth_date_alone_makes_nobodys_plan_this_patients(name: str) -> None:
    """A twin's, or somebody's who may have married and got another ID at once: to be looked at."""
    twin = planned("brain", 30, "9", patient=Patient("9", name, BORN, None))
    [row] = rows_of(evidence(named("brain", [1], "MRN"), [twin]))
    assert (row["plan_held"], row["ready"]) == (False, False)


@pytest.mark.parametrize(
    "patient",
    [
        Patient("9", None, None, None),
        Patient("9", "NEWMAN, Nora", None, None),
        Patient("MRN", "QUARTZ, Heron", date(1940, 1, 1), None),
    ],
)
def test_a_plan_that_agrees_in_id_or_name_is_this_patients(patient: Patient) -> None:
    [row] = rows_of(evidence(named("brain", [1], "MRN"), [planned("brain", 30, "9", patient=patient)]))
    assert (row["plan_held"], row["number_of_fractions_planned"]) == (True, 30)


def test_the_newest_id_is_that_of_the_newest_record_of_any_plan() -> None:
    records = [
        *named("brain", [1], "A"),
        *named("brain", [2], "B"),
        *named("spine", [1], "A", first_day=9),
    ]
    assert {r["patient_id"] for r in rows_of(evidence(records))} == {"A"}
    undated = treated("brain", [3], 1, "B", ref=InstanceRef("z", patient_id="B"), patient=records[1].patient)
    assert {r["patient_id"] for r in rows_of(evidence([*records, *undated]))} == {"A"}
