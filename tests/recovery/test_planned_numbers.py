"""How many fractions are planned: 0 and less say nothing, and a group that treats nobody adds none."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset

from recovery.course.remarks import remarks
from tests import objects as o
from tests.recovery.clinics import NOW, evidence, row_of
from tests.recovery.courses import as_plan, as_record, course, day


def whole(plan: Dataset, fraction: int, **more: Any) -> Dataset:
    beam = o.beam_item(1, fraction, 100.0, specified=100.0, **more)
    return o.record(plan.SOPInstanceUID, [beam], at=day(12 - fraction % 10))


def row(plan: Dataset, *records: Dataset) -> dict[str, Any]:
    return row_of(evidence([as_record(ds) for ds in records], [as_plan(plan)]), str(plan.SOPInstanceUID), NOW)


def second_group(plan: Dataset, fractions: int | None, *beams: Dataset, **reference: float) -> Dataset:
    plan.BeamSequence.extend(beams)
    group = o.item(
        FractionGroupNumber=2,
        ReferencedBeamSequence=[o.item(ReferencedBeamNumber=b.BeamNumber, **reference) for b in beams],
    )
    group.NumberOfFractionsPlanned = fractions
    plan.FractionGroupSequence.append(group)
    return plan


def beam(number: int, kind: str) -> Dataset:
    return o.item(BeamNumber=number, BeamName=f"B{number}", TreatmentDeliveryType=kind)


@pytest.mark.parametrize("number", [0, -1, -25])
def test_a_planned_number_of_nothing_is_unknown_and_never_completed(number: int) -> None:
    plan = o.plan({1: 100.0}, fractions=number)
    told = row(plan, *(whole(plan, n) for n in (1, 2, 3)))
    assert (told["number_of_fractions_planned"], told["fractions_remaining"]) == (None, None)
    assert (told["fractions_delivered"], told["status"], told["next_fraction_number"]) == (3, "on_treatment", 4)


def test_a_number_of_nothing_in_the_records_is_unknown_too() -> None:
    plan = o.plan({1: 100.0})
    record = whole(plan, 1)
    record.NumberOfFractionsPlanned = 0
    told = row_of(evidence([as_record(record)]), str(plan.SOPInstanceUID))
    assert (told["number_of_fractions_planned"], told["status"]) == (None, "on_treatment")


@pytest.mark.parametrize("kind", ["SETUP", "OPEN_PORTFILM", "TRMT_PORTFILM"])
@pytest.mark.parametrize("number", [25, 0, None])
def test_a_group_of_setup_beams_adds_no_fractions(kind: str, number: int | None) -> None:
    plan = second_group(o.plan({1: 100.0}, fractions=3), number, beam(9, kind), BeamMeterset=1.0)
    told = row(plan, *(whole(plan, n) for n in (1, 2, 3)))
    assert (told["number_of_fractions_planned"], told["fractions_delivered"], told["status"]) == (3, 3, "completed")
    assert "fraction group" not in told["remarks"]


def test_a_group_whose_beams_have_no_meterset_adds_none_and_is_remarked_on() -> None:
    plan = second_group(o.plan({1: 100.0}, fractions=3), 25, beam(9, "TREATMENT"))
    told = row(plan, *(whole(plan, n) for n in (1, 2, 3)))
    assert (told["number_of_fractions_planned"], told["status"]) == (3, "completed")
    assert "no beam of fraction group 2 has a meterset, its 25 fractions are not counted" in told["remarks"]


def test_two_groups_that_treat_add_up_and_one_that_says_0_makes_the_sum_unknown() -> None:
    for number, planned in ((5, 8), (0, None), (None, None)):
        plan = second_group(o.plan({1: 100.0}, fractions=3), number, beam(2, "TREATMENT"), BeamMeterset=50.0)
        assert as_plan(plan).number_of_fractions_planned == planned


def test_of_two_groups_that_treat_each_says_what_it_delivered() -> None:
    """Of 3 and 5 fractions, 3 and 1 were given: `4` alone, the number after the highest, would be nobody's next."""
    plan = second_group(o.plan({1: 100.0}, fractions=3), 5, beam(2, "TREATMENT"), BeamMeterset=50.0)
    boost = o.record(plan.SOPInstanceUID, [o.beam_item(2, 1, 50.0, specified=50.0)], at=day(12))
    boost.ReferencedFractionGroupNumber = 2
    told = row(plan, *(whole(plan, n) for n in (1, 2, 3)), boost)
    assert (told["fractions_delivered"], told["fractions_remaining"]) == (4, 4)
    assert "fraction groups with numbers of their own: group 1 3 of 3, group 2 1 of 5" in told["remarks"]


def test_fractions_that_bear_no_number_of_a_fraction_are_counted_and_named() -> None:
    plan = o.plan({1: 100.0}, fractions=10)
    told = row(plan, *(whole(plan, n) for n in (-1, 0, 1)))
    assert told["fractions_delivered"] == 3
    assert "2 fractions counted whose number is below 1: -1, 0" in told["remarks"]


def test_without_any_meterset_every_group_is_told_by_its_number() -> None:
    assert as_plan(o.plan({1: None}, fractions=20)).number_of_fractions_planned == 20


def test_a_negative_meterset_is_malformed() -> None:
    assert as_plan(o.plan({1: -100.0})).beams[0].beam_meterset is None


# what only a comment says


@pytest.mark.parametrize(
    "said",
    [
        {"SeriesDescription": "Patient QA"},
        {"StudyDescription": "Plan verification"},
        {"CommentsOnThePerformedProcedureStep": "dry run without patient; phantom"},
        {"SeriesDescription": "PDQA"},
    ],
)
def test_a_record_whose_comment_names_a_verification_is_remarked_on(said: dict[str, str]) -> None:
    plan = o.plan({1: 100.0})
    record = whole(plan, 1)
    for keyword, text in said.items():
        setattr(record, keyword, text)
    told = row(plan, record)
    comment = next(iter(said.values())).replace(";", ",")
    assert told["fractions_delivered"] == 1
    assert f"1 record counted as treatment, though a comment says “{comment}”" in told["remarks"]


@pytest.mark.parametrize("said", ["Prostate", "testis left", "Aquarium", "verified by MB", "RBRDT treatment record"])
def test_other_words_are_not_taken_for_a_verification(said: str) -> None:
    plan = o.plan({1: 100.0})
    record = whole(plan, 1)
    record.SeriesDescription = said
    assert "comment" not in row(plan, record)["remarks"]


def test_a_beam_whose_name_says_verification_and_a_missing_type_are_remarked_on() -> None:
    plan = o.plan({1: 100.0})
    told = row(plan, whole(plan, 1, BeamName="QA field", TreatmentDeliveryType=""))
    assert "“QA field”" in told["remarks"]
    assert "“dry run”" in row(plan, whole(plan, 1, TreatmentStatusComment="dry run"))["remarks"]
    assert "1 delivered beam without TreatmentDeliveryType, taken as treatment" in told["remarks"]


@pytest.mark.parametrize(("intent", "is_odd"), [("VERIFICATION", True), ("MACHINE_QA", True), ("CURATIVE", False)])
def test_the_intent_of_a_plan_that_is_no_treatment_is_remarked_on(intent: str, is_odd: bool) -> None:
    plan = o.plan({1: 100.0}, PlanIntent=intent)
    assert (f"the plan's intent is {intent}, not treatment" in row(plan, whole(plan, 1))["remarks"]) is is_odd


# fraction numbers


@pytest.mark.parametrize("number", [0, -1, -7])
def test_numbers_of_nothing_are_no_place_in_the_course(number: int) -> None:
    plan = as_plan(o.plan({1: 100.0}, fractions=5))
    counted = course(plan, *(as_record(whole_of(plan.ref.sop_instance_uid, n)) for n in (number, 1)))
    assert counted.next_fraction_number == 2
    alone = course(plan, as_record(whole_of(plan.ref.sop_instance_uid, number)))
    assert alone.next_fraction_number == 1
    assert not [said for said in remarks(alone, [], None) if "delivered of" in said]


def whole_of(uid: str, number: int) -> Dataset:
    return o.record(uid, [o.beam_item(1, number, 100.0, specified=100.0)], at=day(9))
