"""Laws of counting fractions that hold for any course, however odd its records."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from itertools import combinations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from recovery.course.fractions import Course, count_fractions
from recovery.course.remarks import remarks
from recovery.dicom.plans import Plan
from recovery.dicom.records import BeamDelivery, TreatmentRecord
from tests.recovery.courses import MONDAY, delivery, plain_plan, plain_record

METERSETS = st.sampled_from([0.0, 0.4, 33.3, 50.0, 60.0, 98.99, 99.0, 100.0, 120.0])
MINUTES = st.integers(0, 6).map(lambda n: MONDAY + timedelta(minutes=7 * n))


@st.composite
def deliveries(draw: st.DrawFn) -> BeamDelivery:
    return delivery(
        beam=draw(st.sampled_from([1, 2, 3, None])),
        fraction=draw(st.sampled_from([1, 2, 3, 14, None])),
        delivered=draw(METERSETS | st.none()),
        at=draw(MINUTES | st.none()),
        delivery_type=draw(st.sampled_from(["TREATMENT", "TREATMENT", "CONTINUATION", "SETUP", "VERIFICATION", None])),
        termination=draw(st.sampled_from(["NORMAL", "MACHINE", None])),
        specified=draw(st.sampled_from([None, 50.0, 100.0])),
    )


@st.composite
def histories(draw: st.DrawFn) -> list[TreatmentRecord]:
    count = draw(st.integers(0, 7))
    return [
        plain_record(
            f"{n}",
            draw(st.lists(deliveries(), max_size=3)),
            at=draw(MINUTES | st.none()),
            referenced_fraction_group_number=draw(st.sampled_from([None, 1])),
            number_of_fractions_planned=draw(st.sampled_from([None, 3, 20])),
            treatment_machine_name=draw(st.sampled_from([None, "TB1", "TB2"])),
            treatment_record_content_origin=draw(st.sampled_from([None, None, "USER", "SIMULATION"])),
        )
        for n in range(count)
    ]


PLANS = st.builds(
    plain_plan,
    st.dictionaries(st.sampled_from([1, 2, 3]), st.sampled_from([None, 0.0, 50.0, 100.0]), min_size=1),
    st.sampled_from([None, 0, 3, 20]),
)
FULL_PLAN = plain_plan({1: 100.0, 2: 100.0, 3: 50.0})


def copy(record: TreatmentRecord, uid: str) -> TreatmentRecord:
    return dataclasses.replace(record, ref=dataclasses.replace(record.ref, sop_instance_uid=uid))


def without_specified(record: TreatmentRecord) -> TreatmentRecord:
    beams = tuple(dataclasses.replace(beam, specified_meterset=None) for beam in record.beams)
    return dataclasses.replace(record, beams=beams)


def counts(course: Course) -> tuple[object, ...]:
    """All but what the newest of several records of one moment decides."""
    return course.fractions, course.first_treatment_at, course.last_treatment_at, course.held_fraction_numbers


@given(histories(), PLANS | st.none(), st.data())
def test_the_order_of_the_records_changes_nothing(
    records: list[TreatmentRecord], plan: Plan | None, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(records))
    assert count_fractions(records, plan) == count_fractions(shuffled, plan)
    course = count_fractions(records, plan)
    assert list(remarks(course, records, plan)) == list(remarks(course, shuffled, plan))


@given(histories(), PLANS | st.none(), st.data())
def test_copies_under_other_uids_change_no_count(
    records: list[TreatmentRecord], plan: Plan | None, data: st.DataObject
) -> None:
    copied = data.draw(st.lists(st.sampled_from(records), max_size=4)) if records else []
    copies = [copy(record, f"copy {n}") for n, record in enumerate(copied)]
    assert counts(count_fractions([*records, *copies], plan)) == counts(count_fractions(records, plan))


@given(histories(), PLANS | st.none())
def test_copies_beam_by_beam_change_no_count(records: list[TreatmentRecord], plan: Plan | None) -> None:
    parts = [
        dataclasses.replace(
            copy(r, f"{r.ref.sop_instance_uid} {n}"), beams=(beam,), treatment_date=at.date(), treatment_time=at.time()
        )
        for r in records
        if (at := r.treated_at) is not None
        for n, beam in enumerate(r.beams)
    ]
    course, with_parts = count_fractions(records, plan), count_fractions([*records, *parts], plan)
    assert with_parts.fractions == course.fractions
    assert with_parts.fractions_delivered == course.fractions_delivered


@given(st.lists(st.floats(0.1, 60.0), min_size=1, max_size=5), st.integers(0, 4), PLANS | st.none())
def test_a_delivery_in_parts_adds_up_to_the_same(parts: list[float], split: int, plan: Plan | None) -> None:
    def part(n: int, delivered: float) -> TreatmentRecord:
        at = MONDAY + timedelta(minutes=n)
        return plain_record(f"{n}", [delivery(delivered=delivered, specified=100.0, at=at)], at=at)

    whole = count_fractions([part(0, sum(parts))], plan)
    in_parts = count_fractions([part(n, delivered) for n, delivered in enumerate(parts)], plan)
    assert in_parts.duplicates == 0
    assert [f.is_complete for f in whole.fractions] == [f.is_complete for f in in_parts.fractions]
    for one, other in zip(whole.fractions, in_parts.fractions, strict=True):
        assert all(abs(a.delivered - b.delivered) < 1e-5 for a, b in zip(one.beams, other.beams, strict=True))


@given(histories(), PLANS | st.none())
def test_found_fractions_are_complete_or_not_and_each_number_is_found_once(
    records: list[TreatmentRecord], plan: Plan | None
) -> None:
    course = count_fractions(records, plan)
    incomplete = [f for f in course.fractions if not f.is_complete]
    numbers = [f.fraction_number for f in course.fractions]
    assert len(course.fractions) == course.fractions_delivered + len(incomplete)
    assert len(numbers) == len(set(numbers))
    assert set(numbers) <= course.held_fraction_numbers
    assert course.fractions_delivered <= len({b.current_fraction_number for r in records for b in r.beams} - {None})
    assert course.interrupted == (incomplete[-1] if incomplete else None)
    assert course.is_treated or not course.fractions
    if course.fractions_remaining is not None:
        assert course.fractions_remaining >= 0


@given(histories(), PLANS, st.data())
def test_losing_a_record_never_adds_a_fraction(records: list[TreatmentRecord], plan: Plan, data: st.DataObject) -> None:
    if all(b.beam_meterset is None for b in plan.beams):
        plan = FULL_PLAN  # where the records stand in for the plan, they also tell what was planned
    records = [without_specified(record) for record in records]  # a lost record may be the witness of an edit
    kept = data.draw(st.lists(st.sampled_from(records), unique_by=lambda r: r.ref)) if records else []
    before, after = count_fractions(records, plan), count_fractions(kept, plan)
    assert after.fractions_delivered <= before.fractions_delivered
    complete = {f.fraction_number for f in before.fractions if f.is_complete}
    assert {f.fraction_number for f in after.fractions if f.is_complete} <= complete


@given(histories(), PLANS | st.none())
def test_a_complete_fraction_lacks_nothing_and_any_other_lacks_something(
    records: list[TreatmentRecord], plan: Plan | None
) -> None:
    for fraction in count_fractions(records, plan).fractions:
        remaining = fraction.meterset_remaining
        assert remaining == 0.0 if fraction.is_complete else remaining is None or remaining > 0.5
        for beam in fraction.beams:
            assert beam.delivered >= 0


@given(histories(), PLANS | st.none())
def test_what_does_not_treat_changes_no_count(records: list[TreatmentRecord], plan: Plan | None) -> None:
    idle = [
        delivery(beam=1, delivery_type=kind) for kind in ("SETUP", "VERIFICATION", "OPEN_PORTFILM", "TRMT_PORTFILM")
    ]
    more = [plain_record(f"idle {n}", [beam]) for n, beam in enumerate(idle)]
    more.append(plain_record("simulated", [delivery()], treatment_record_content_origin="SIMULATION"))
    course, with_more = count_fractions(records, plan), count_fractions([*records, *more], plan)
    assert with_more.fractions == course.fractions
    assert with_more.last_treatment_at == course.last_treatment_at
    assert with_more.is_treated == course.is_treated


ROUNDINGS = st.sampled_from(
    [
        lambda m: m,
        lambda m: round(m, 1),
        lambda m: round(m, 2),
        lambda m: m + 0.004,
        lambda m: float(np.float32(m)),
        lambda m: float(f"{m:.6g}"),
    ]
)


@given(
    st.lists(st.floats(1.0, 900.0).map(lambda m: round(m, 2)), min_size=1, max_size=4, unique_by=lambda m: round(m)),
    st.lists(ROUNDINGS, min_size=1, max_size=3),
    st.sampled_from([timedelta(), timedelta(milliseconds=400)]),
)
def test_copies_that_round_otherwise_add_nothing_and_genuine_deliveries_stay(
    metersets: list[float], roundings: list[Callable[[float], float]], later: timedelta
) -> None:
    """Deliveries of one beam in one second, which only their metersets tell apart."""
    plan = plain_plan({1: sum(metersets)})
    records = [plain_record(f"{n}", [delivery(delivered=m, specified=m)]) for n, m in enumerate(metersets)]
    copies = [
        plain_record(f"copy {n} {k}", [delivery(delivered=rounded(m), specified=m)], at=MONDAY + later)
        for n, m in enumerate(metersets)
        for k, rounded in enumerate(roundings)
    ]
    apart = min((abs(a - b) for a, b in combinations(metersets, 2)), default=1.0)
    assume(apart > 0.2)
    once, again = count_fractions(records, plan), count_fractions([*records, *copies], plan)
    assert once.duplicates == 0
    assert again.duplicates == len(copies)
    assert abs(again.fractions[0].beams[0].delivered - once.fractions[0].beams[0].delivered) < 0.3
