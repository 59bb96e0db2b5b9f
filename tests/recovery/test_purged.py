"""Which denied records an R&V system rather purged, and on which of them a fraction hinges."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from demo.clinic import delivery, planning
from demo.clinic.clinic import Clinic
from recovery.dicom.plans import Plan
from recovery.dicom.records import TreatmentRecord
from recovery.overview.purged import purged
from tests.recovery.courses import FULL, TWO_BEAMS, as_plan, as_record, day, session

Given = dict[int, float | None]
NAMED = session(TWO_BEAMS, 9, FULL)


def given(*parts: tuple[Given, datetime], **beam: Any) -> list[TreatmentRecord]:
    """Fraction 3, a record for each part."""
    return [session(TWO_BEAMS, 3, delivered, at, **beam) for delivered, at in parts]


def judged(
    denied: list[TreatmentRecord], *others: TreatmentRecord, plan: Plan = TWO_BEAMS
) -> tuple[set[str], set[str]]:
    uids = {one.ref.sop_instance_uid for one in denied}
    return purged(uids, uids, [*denied, *others], {plan.ref.sop_instance_uid: plan}, {})


@pytest.mark.parametrize(
    "told",
    [
        given((FULL, day(3))),
        given(({1: 100.0}, day(3)), ({2: 50.0}, day(3, minutes=3))),
        [one for number in range(1, 8) for one in (session(TWO_BEAMS, number, FULL),)],
    ],
    ids=["whole", "a record for each beam", "one fraction after the other"],
)
def test_what_is_whole_and_of_one_session_hinges_on_nothing(told: list[TreatmentRecord]) -> None:
    assert judged(told, NAMED) == ({one.ref.sop_instance_uid for one in told}, set())


@pytest.mark.parametrize(
    "told",
    [
        given(({1: 100.0, 2: 20.0}, day(3))),
        given(({1: 100.0, 2: 20.0}, day(3)), ({2: 30.0}, day(3, minutes=9))),
        given(({1: 100.0}, day(3)), ({2: 50.0}, day(4))),
        [
            *given(({1: 100.0}, day(3))),
            *given(({2: 50.0}, day(3, minutes=9)), delivery_type="CONTINUATION"),
        ],
    ],
    ids=["not finished", "a beam in two records", "another day", "called a continuation"],
)
def test_on_what_finishes_a_fraction_or_leaves_it_open_the_next_one_hinges(told: list[TreatmentRecord]) -> None:
    uids, whole = {one.ref.sop_instance_uid for one in told}, session(TWO_BEAMS, 2, FULL)
    assert judged([*told, whole], NAMED) == ({whole.ref.sop_instance_uid}, uids)


def test_what_is_later_or_of_no_plan_that_it_has_is_no_purge() -> None:
    later = session(TWO_BEAMS, 3, {1: 40.0}, day(10))
    assert judged([later], NAMED) == judged([later]) == judged([]) == (set(), set())
    part = given(({1: 60.0, 2: 50.0}, day(3)))
    assert judged([*part, replace(later)], NAMED) == (set(), {part[0].ref.sop_instance_uid}), "the later one is denied"


@pytest.mark.parametrize("days, hinging", [(3, {4}), (7, {4}), (14, set())])
def test_of_the_simulated_clinic_the_fraction_that_was_interrupted_hinges_and_no_other(
    days: int, hinging: set[int]
) -> None:
    opened = datetime(2026, 11, 20, 11)  # noqa: DTZ001  site time
    clinic = Clinic(1, opened, fast=True)
    told = [as_record(delivery.dataset(one)) for one in clinic.delivered(day(-999), opened)]
    plans = {plan.sop_instance_uid: as_plan(planning.plan_dataset(plan)) for plan in clinic.plans}
    denied = {
        one.ref.sop_instance_uid for one in told if one.treated_at and one.treated_at < opened - timedelta(days=days)
    }
    found, open_ones = purged(denied, denied, told, plans, {})
    of = {one.current_fraction_number for r in told if r.ref.sop_instance_uid in open_ones for one in r.beams}
    assert (of, len(found) > 80) == (hinging, True)
    assert purged(set(), denied, told, plans, {}) == (set(), set()), "where nothing is denied nothing is looked at"
