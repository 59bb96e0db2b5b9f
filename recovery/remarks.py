"""What is odd about a course, in words, for a person to judge.

Goal
    Nothing that was noticed while counting is lost, and nothing odd changes the count silently.

How
    One sentence per oddity, computed from the course and the records that it was counted from.

Why
    A beam delivered at 160 % is a fact that a physicist must see; a tool that hides it, or that refuses to count,
    helps nobody at 3 a.m.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recovery.deliveries import TREATING, is_session
from recovery.fractions import Course, planned_metersets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from recovery.plans import Plan
    from recovery.records import TreatmentRecord

OVER_SHARE = 1.05
OVER_BY = 5.0
"""MU. A beam that got more than both of its planned meterset is remarked on."""


def remarks(course: Course, records: Iterable[TreatmentRecord], plan: Plan | None) -> Iterator[str]:
    """Yield one sentence per oddity; none for a course that went as planned."""
    listed = list(records)
    yield from _too_much(course)
    yield from _left_open(course)
    if course.duplicates:
        noun = "delivery" if course.duplicates == 1 else "deliveries"
        yield f"{course.duplicates} {noun} recorded twice, counted once"
    yield from _not_counted(listed, plan)
    if plan is not None and plan.approval_status not in {None, "APPROVED"}:
        yield f"the plan is {plan.approval_status}"
    if plan is not None and not plan.structure_set_uids:
        yield "the plan names no structure set"


def _too_much(course: Course) -> Iterator[str]:
    planned, delivered = course.number_of_fractions_planned, course.fractions_delivered
    if planned is not None and delivered > planned:
        yield f"{delivered} fractions delivered of {planned} planned"
    for fraction in course.fractions:
        for beam in fraction.beams:
            if beam.planned is not None and beam.delivered > max(OVER_SHARE * beam.planned, beam.planned + OVER_BY):
                yield (
                    f"fraction {fraction.fraction_number} beam {beam.beam_number}: "
                    f"{beam.delivered:.1f} {course.unit} delivered of {beam.planned:.1f} planned"
                )


def _left_open(course: Course) -> Iterator[str]:
    numbers = [f.fraction_number for f in course.fractions if not f.is_complete][:-1]
    if numbers:
        yield f"also begun and not complete: fraction {', '.join(map(str, numbers))}"


def _not_counted(records: list[TreatmentRecord], plan: Plan | None) -> Iterator[str]:
    sessions = filter(is_session, records)
    treating = [b for record in sessions for b in record.beams if b.treatment_delivery_type in TREATING]
    unnumbered = sum(beam.current_fraction_number is None for beam in treating)
    if unnumbered:
        yield f"{unnumbered} delivered {'beam' if unnumbered == 1 else 'beams'} without a fraction number, not counted"
    nameless = sum(beam.beam_number is None for beam in treating)
    if nameless:
        yield f"{nameless} delivered {'beam' if nameless == 1 else 'beams'} without a beam number, not counted"
    without_beams = sum(not record.beams and is_session(record) for record in records)
    if without_beams:
        yield f"{without_beams} {'record' if without_beams == 1 else 'records'} without beams, not counted"
    silent = sum(beam.delivered_meterset is None for beam in treating)
    if silent:
        yield f"{silent} delivered {'beam' if silent == 1 else 'beams'} without a meterset; NORMAL is taken as full"
    known = {number for beams in planned_metersets(plan).values() for number in beams}
    unknown = {beam.beam_number for beam in treating if beam.beam_number is not None} - known if known else set()
    if unknown:
        yield f"delivered beams that the plan does not treat with: {', '.join(map(str, sorted(unknown)))}"
