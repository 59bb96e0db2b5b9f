"""A delivery that was charted with one plan of a course and recorded with another is a conflict, not two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from recovery.course.charted import settle_all
from recovery.course.charted_entries import ChartedFraction, standing
from recovery.course.courses import Chain, Member, chains, told_with_two_plans
from recovery.course.fractions import count_fractions
from recovery.dicom.records import TreatmentRecord
from tests.recovery.charting import FULL, entry
from tests.recovery.courses import day, delivery, plain_plan, plain_record

PLANS = {
    "first": plain_plan(dict(FULL), 20, "first"),
    "second": plain_plan(dict(FULL), 20, "second", predecessor_uids=("first",)),
}


def record(plan: str, number: int, on: int) -> TreatmentRecord:
    at = day(on)
    beams = [delivery(beam, number, mu, at=at) for beam, mu in FULL.items()]
    return plain_record(f"{plan} {number} {on}", beams, at=at, plan_uid=plan, treatment_machine_name="TB1")


BEFORE = [*(record("first", number, number) for number in range(1, 6)), record("second", 6, 6)]
"""Fraction 6 was the first with the adapted plan."""


def course(entries: Sequence[ChartedFraction], records: Sequence[TreatmentRecord]) -> Chain:
    settled = settle_all(standing(entries), records)
    every = [*records, *(r for one in settled.values() for r in one.records)]
    own = {uid: [r for r in every if r.referenced_rt_plan_uid == uid] for uid in PLANS}
    (chain,) = chains([Member(uid, plan, count_fractions(own[uid], plan)) for uid, plan in PLANS.items()], PLANS)
    return chain


def told(chain: Chain) -> list[list[str]]:
    return [list(told_with_two_plans(chain, member)) for member in chain.members]


def charted(plan: str, number: int = 7, on: int = 7, entry_id: str = "a") -> ChartedFraction:
    return entry(entry_id, number, FULL, day(on) + timedelta(minutes=5), referenced_rt_plan_uid=plan)


def test_one_day_charted_with_one_plan_and_told_with_another_is_a_conflict_of_both() -> None:
    wrong_plan = charted("first")
    assert told(course([wrong_plan], BEFORE)) == [[], []]
    chain = course([wrong_plan], [*BEFORE, record("second", 7, 7)])
    assert chain.fractions_delivered == 8, "of seven"
    assert all("First" in said and "Second" in said for (said,) in told(chain))
    twice = told(course([wrong_plan, charted("second", entry_id="b")], BEFORE))
    assert len(twice[0]) == len(twice[1]) == 1, "on two workstations, each with another plan"


def test_the_next_day_with_the_next_plan_is_none() -> None:
    assert told(course([charted("second", 7, 7), charted("second", 8, 8, "b")], BEFORE)) == [[], []]
    assert told(course([charted("first", 6, 6)], BEFORE[:5])) == [[], []]


def test_what_a_phantom_got_with_the_plan_stands_in_no_patients_place() -> None:
    """Under the plan's UID and another patient's ID, the same fraction on the same day."""
    phantom = record("first", 1, 1)
    phantom = replace(phantom, ref=replace(phantom.ref, patient_id="phantom"))
    entries = standing([charted("first", 1, 1)])
    (told_apart,) = settle_all(entries, [phantom], lambda _, patient_id: patient_id).values()
    (one_person,) = settle_all(entries, [phantom], lambda *_: "1").values()
    assert len(told_apart.records) == 1 and not one_person.records
    assert told_apart.patient_ids == {"1"}, "and of the phantom's row nothing is said"
