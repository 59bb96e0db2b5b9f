"""Whose meterset holds: the plan's, or the one that the R&V system asked for on that day, when two say so."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from recovery.course.fractions import Course, count_fractions
from recovery.course.ledger import lay_out
from recovery.course.metersets import is_enough, may_ask_otherwise, planned_by_database
from recovery.course.remarks import specified_in_words
from recovery.dicom.records import TreatmentRecord
from recovery.on_treatment.second_source import SecondSource, told_of
from tests.recovery.clinics import NOW, evidence, row_of
from tests.recovery.courses import day, delivery, plain_plan, plain_record

PLAN = plain_plan({1: 120.0, 2: 80.0})


def given(
    fraction: int, delivered: float = 108.0, specified: float | None = 108.0, hours: int = 0, **more: Any
) -> TreatmentRecord:
    """One record of beam 1, and of beam 2 as planned."""
    whole = delivery(2, fraction, 80.0, specified=80.0)
    own = delivery(1, fraction, delivered, specified=specified, **more)
    beams = [own, whole] if not hours else [own]
    return plain_record(f"{fraction} {hours}", beams, at=day(fraction, hours=hours))


def told(*rows: tuple[int, float, str | None]) -> dict[tuple[int, int], float]:
    """What the database says was planned of beam 1: fraction, meterset, delivery type."""
    return planned_by_database(
        {"fraction_number": fraction, "beam_number": 1, "planned_meterset": planned, "delivery_type": kind}
        for fraction, planned, kind in rows
    )


def said(counted: Course) -> list[str]:
    return list(specified_in_words(counted))


def test_a_meterset_that_was_edited_after_import_counts_by_what_was_asked_for() -> None:
    records = [given(n, 120.0, 120.0) for n in (1, 2, 3)] + [given(n) for n in range(4, 9)]
    counted = count_fractions(records, PLAN)
    assert counted.fractions_delivered == 8
    assert said(counted) == [
        "beam 1: 120.0 MU in the plan, 108.0 MU asked for by the R&V system in fractions 4-8, counted by 108.0 MU"
    ]
    ledger = lay_out(counted, NOW)
    assert {beam: one.meterset for beam, one in ledger.next_metersets.items()} == {1: 108.0, 2: 80.0}
    row = row_of(evidence(records, [PLAN]), "plan")
    assert (row["fractions_delivered"], row["interrupted_fraction"]) == (8, None)
    assert row["disagreement"] == said(counted)[0]
    assert str(told_of(row, SecondSource(), PLAN)["disagreement"]).startswith("beam 1: 120.0 MU in the plan")


def test_edited_upward_the_plans_meterset_is_not_enough() -> None:
    counted = count_fractions([given(1, 132.0, 132.0), given(2, 120.0, 132.0)], PLAN)
    assert (counted.fractions_delivered, counted.next_fraction_number) == (1, 2)
    assert counted.interrupted is not None
    assert counted.interrupted.meterset_remaining == 12.0


def test_one_fraction_alone_is_no_witness_of_itself_and_both_numbers_are_told() -> None:
    counted = count_fractions([given(1, 120.0, 120.0), given(2)], PLAN)
    assert (counted.fractions_delivered, counted.next_fraction_number) == (1, 2)
    (sentence,) = said(counted)
    assert sentence.startswith("beam 1: 120.0 MU in the plan, 108.0 MU asked for by the R&V system in fraction 2, ")
    assert sentence.endswith("nothing else says so, counted by 120.0 MU")
    assert counted.next_metersets[1].meterset == 120.0


@pytest.mark.parametrize("fraction", [2, 7])
def test_the_database_is_a_witness(fraction: int) -> None:
    counted = count_fractions([given(1, 120.0, 120.0), given(2)], PLAN, told((fraction, 108.0, "TREATMENT")))
    assert counted.fractions_delivered == 2
    assert "counted by 108.0 MU" in said(counted)[0]


def test_a_database_that_says_the_plans_meterset_is_none() -> None:
    assert count_fractions([given(2)], PLAN, told((2, 120.0, "TREATMENT"))).fractions_delivered == 0


def test_a_continuation_never_specifies_the_whole() -> None:
    rests = [given(n, 48.0, 48.0, delivery_type="CONTINUATION") for n in (1, 2)]
    counted = count_fractions(rests, PLAN, told((1, 48.0, "CONTINUATION"), (2, 48.0, "CONTINUATION")))
    assert counted.fractions_delivered == 0
    assert said(counted) == []
    assert [f.beams[0].planned for f in counted.fractions] == [120.0, 120.0]


def test_a_rest_that_is_called_a_treatment_is_not_the_whole_where_the_first_part_is_known() -> None:
    both = [record for n in (1, 2) for record in (given(n, 60.0, 120.0), given(n, 60.0, 60.0, hours=3))]
    assert count_fractions(both, PLAN).fractions_delivered == 2
    assert said(count_fractions(both, PLAN)) == []
    lost = [given(n, 60.0, 60.0) for n in (1, 2)]
    whole = told((1, 120.0, "TREATMENT"), (1, 60.0, "TREATMENT"), (2, 120.0, "TREATMENT"))
    assert count_fractions(lost, PLAN, whole).fractions_delivered == 0


def test_what_was_not_begun_of_a_fraction_is_asked_for_as_last() -> None:
    only_second = plain_record("3", [delivery(2, 3, 80.0, specified=80.0)], at=day(3))
    counted = count_fractions([given(1), given(2), only_second], PLAN)
    assert counted.interrupted is not None
    assert counted.interrupted.meterset_remaining == 108.0


def test_after_an_edit_was_taken_back_the_plans_meterset_is_next() -> None:
    counted = count_fractions([given(1), given(2), given(3, 120.0, 120.0)], PLAN)
    assert counted.fractions_delivered == 3
    assert counted.next_metersets[1].meterset == 120.0


@pytest.mark.parametrize("specified", [None, 0.0, 119.6, 120.4])
def test_nothing_specified_or_another_rounding_leaves_the_plans(specified: float | None) -> None:
    counted = count_fractions([given(n, 120.0, specified) for n in (1, 2)], PLAN)
    assert (counted.fractions_delivered, said(counted)) == (2, [])


def test_two_beams_and_two_values_are_told_each() -> None:
    records = [given(1), given(2), given(3, 96.0, 96.0), given(4, 96.0, 96.0)]
    counted = count_fractions(records, PLAN)
    assert counted.fractions_delivered == 4
    assert [sentence.split("system in ")[1] for sentence in said(counted)] == [
        "fractions 1, 2, counted by 108.0 MU", "fractions 3, 4, counted by 96.0 MU",
    ]  # fmt: skip


def test_without_a_plan_the_records_witness_each_other() -> None:
    counted = count_fractions([given(1, 120.0, 120.0), given(2), given(3)], None)
    assert counted.fractions_delivered == 3
    assert said(counted)[0].startswith("beam 1: 120.0 MU at most in the records, 108.0 MU asked for")


def test_another_unit_is_no_witness() -> None:
    records = [given(n, 108.0, 108.0, unit="MINUTE") for n in (1, 2)]
    beams = tuple(dataclasses.replace(beam, meterset_unit="MU") for beam in PLAN.beams)
    assert count_fractions(records, dataclasses.replace(PLAN, beams=beams)).fractions_delivered == 0


def test_the_seconds_of_a_source_are_not_asked_for_again() -> None:
    records = [plain_record(f"{n}", [delivery(1, n, 100.0, specified=100.0, unit="s")], at=day(n)) for n in (1, 2)]
    counted = count_fractions(records, plain_plan({1: 120.0}))
    assert counted.next_metersets[1].meterset is None
    assert said(counted) == []


# what mutations showed to be untested


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, {(1, 2): 120.0}),
        ({"delivery_type": None}, {(1, 2): 120.0}),
        ({"delivery_type": "CONTINUATION"}, {}),
        ({"delivery_type": "SETUP"}, {}),
        ({"fraction_number": None}, {}),
        ({"beam_number": None}, {}),
        ({"planned_meterset": None}, {}),
        ({"planned_meterset": 0.0}, {}),
    ],
)
def test_only_a_whole_beam_that_treats_is_a_witness_of_the_database(
    changed: dict[str, object], told: dict[tuple[int, int], float]
) -> None:
    row = {"fraction_number": 1, "beam_number": 2, "planned_meterset": 120.0, "delivery_type": "TREATMENT", **changed}
    assert planned_by_database([row]) == told


@pytest.mark.parametrize(
    ("delivered", "planned", "unit", "is_full"),
    [(99.0, 100.0, "NP", True), (98.9999, 100.0, "NP", False), (9.5, 10.0, "MU", True), (9.49, 10.0, "MU", False)],
)
def test_the_share_itself_is_enough(delivered: float, planned: float, unit: str, is_full: bool) -> None:
    assert is_enough(delivered, planned, unit) is is_full


METERSETS = st.sampled_from([None, 0.0, 0.3, 0.4, 79.6, 80.0, 80.7, 119.6, 120.0, 120.4, 120.7, 108.0])


@drawn(st.lists(st.tuples(METERSETS, st.sampled_from(["TREATMENT", "CONTINUATION"])), max_size=4), METERSETS)
def test_the_quick_look_misses_no_plan_of_which_the_counting_finds_another_meterset(
    asked: list[tuple[float | None, str]], planned: float | None
) -> None:
    for plan in (plain_plan({1: planned}), None):
        records = [
            plain_record(f"{n}", [delivery(1, n, 100.0, specified=one, delivery_type=kind)], at=day(n))
            for n, (one, kind) in enumerate(asked, start=1)
        ]
        assert may_ask_otherwise(records, plan) or not count_fractions(records, plan).specified
    assert not may_ask_otherwise([given(n, 120.0, 120.0) for n in (1, 2)], PLAN), "most plans cost no reading"


def timeless(given_one: TreatmentRecord, uid: str) -> TreatmentRecord:
    beams = tuple(dataclasses.replace(beam, started_at=None) for beam in given_one.beams)
    ref = dataclasses.replace(given_one.ref, sop_instance_uid=uid)
    return dataclasses.replace(given_one, treatment_date=None, treatment_time=None, ref=ref, beams=beams)


def test_of_fractions_without_a_time_the_highest_number_is_the_last() -> None:
    records = [timeless(given(3), "1"), timeless(given(1), "2"), timeless(given(2, 120.0, 120.0), "3")]
    assert count_fractions(records, PLAN).next_metersets[1].meterset == 108.0


def test_a_fraction_without_a_time_is_not_the_last() -> None:
    records = [timeless(given(4, 120.0, 120.0), "1"), given(1), given(3)]
    assert count_fractions(records, PLAN).next_metersets[1].meterset == 108.0
