"""Fraction truth: what one plan delivered, from its treatment records. Pure arithmetic, no I/O, no clock.

Goal
    How many fractions were delivered in full, which one was begun and is not complete, and what it lacks.

How
    The metersets that all records report for one fraction and beam add up, and are held against the plan's. Only
    deliveries to the patient count: TREATMENT and CONTINUATION, not SETUP, portfilms or verification.

Why
    The replaced tool read CurrentFractionNumber of the first beam of one record. A partial fraction then counts as
    full, and "which fraction is next?" has a wrong answer: the failure mode with the highest risk in a downtime.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from recovery.plans import Plan
from recovery.records import BeamDelivery, TreatmentRecord

_T = TypeVar("_T")

FULL_SHARE = 0.99
FULL_WITHIN = 0.5
"""MU. A beam is delivered in full at 99 % of its planned meterset, or within 0.5 MU of it."""

TREATING = {None, "TREATMENT", "CONTINUATION"}
"""TreatmentDeliveryType is type 2; an empty one is taken as TREATMENT. All other terms do not treat (PS3.3
C.8.8.21): OPEN_PORTFILM, TRMT_PORTFILM, SETUP, VERIFICATION."""

_NOT_TREATMENT_BEAMS = {"SETUP", "OPEN_PORTFILM", "TRMT_PORTFILM"}


@dataclass(frozen=True, slots=True)
class BeamState:
    """One beam in one fraction, metersets in MU. `planned` is None when neither plan nor records give it."""

    beam_number: int
    planned: float | None
    delivered: float
    ended_normally: bool = False

    @property
    def is_full(self) -> bool:
        """At 99 % or within 0.5 MU; where nothing says how much was planned, a NORMAL termination is full."""
        if self.planned is None:
            return self.ended_normally
        return self.delivered >= FULL_SHARE * self.planned - 1e-9 or self.planned - self.delivered <= FULL_WITHIN + 1e-9

    @property
    def remaining(self) -> float | None:
        """MU that the beam still lacks; 0 when full, None when unknown."""
        if self.is_full:
            return 0.0
        return None if self.planned is None else self.planned - self.delivered


@dataclass(frozen=True, slots=True)
class FractionState:
    """One fraction of a plan: every planned treatment beam of its fraction group, delivered or not."""

    fraction_group_number: int | None
    fraction_number: int
    beams: tuple[BeamState, ...]
    last_treatment_at: datetime | None

    @property
    def is_complete(self) -> bool:
        return bool(self.beams) and all(beam.is_full for beam in self.beams)

    @property
    def meterset_remaining(self) -> float | None:
        """MU, all beams; None when one of them cannot tell."""
        rest = [beam.remaining for beam in self.beams]
        known = [r for r in rest if r is not None]
        return round(sum(known), 4) if len(known) == len(rest) else None


@dataclass(frozen=True, slots=True)
class Course:
    """What one plan delivered to one patient."""

    number_of_fractions_planned: int | None
    fractions: tuple[FractionState, ...]
    first_treatment_at: datetime | None
    last_treatment_at: datetime | None
    treatment_machine_name: str | None
    held_fraction_numbers: frozenset[int]
    """Every fraction number that a record bears, of whatever delivery type."""
    is_counted_without_plan: bool
    """The records' own specified metersets stood in for the plan's."""
    duplicates: int
    """Deliveries that stood in a second record too, counted once."""

    @property
    def fractions_delivered(self) -> int:
        return sum(fraction.is_complete for fraction in self.fractions)

    @property
    def fractions_remaining(self) -> int | None:
        if self.number_of_fractions_planned is None:
            return None
        return max(0, self.number_of_fractions_planned - self.fractions_delivered)

    @property
    def is_treated(self) -> bool:
        return bool(self.fractions)

    @property
    def interrupted(self) -> FractionState | None:
        """The newest fraction that was begun and is not complete."""
        return next((fraction for fraction in reversed(self.fractions) if not fraction.is_complete), None)


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A delivered beam with its place in the course."""

    fraction_group_number: int | None
    fraction_number: int
    beam: BeamDelivery
    treated_at: datetime | None


def count_fractions(records: Iterable[TreatmentRecord], plan: Plan | None) -> Course:
    """Count what `records`, all of one patient and plan, delivered of `plan`.

    Parameters
    ----------
    records
        In any order; the same delivery may stand in several.
    plan
        None where the plan is nowhere held: then the records' specified metersets and planned number stand in.
    """
    ordered = sorted({r.ref: r for r in records}.values(), key=_by_time)
    deliveries, duplicates = _distinct(_deliveries(ordered, plan))
    planned = planned_metersets(plan)
    stands_in = not any(planned.values())
    if stands_in:
        planned = _specified_metersets(deliveries)
    fractions = tuple(_fractions(deliveries, planned))
    times = [d.treated_at for d in deliveries if d.treated_at is not None]
    number = (
        plan.number_of_fractions_planned
        if plan is not None
        else _newest(r.number_of_fractions_planned for r in ordered)
    )
    return Course(
        number_of_fractions_planned=number,
        fractions=fractions,
        first_treatment_at=min(times, default=None),
        last_treatment_at=max(times, default=None),
        treatment_machine_name=_newest(r.treatment_machine_name for r in ordered),
        held_fraction_numbers=frozenset(
            b.current_fraction_number for r in ordered for b in r.beams if b.current_fraction_number is not None
        ),
        is_counted_without_plan=stands_in,
        duplicates=duplicates,
    )


def planned_metersets(plan: Plan | None) -> dict[int | None, dict[int, float | None]]:
    """Planned MU by beam number, by fraction group: the beams that treat and have a BeamMeterset."""
    groups: dict[int | None, dict[int, float | None]] = {}
    for beam in plan.beams if plan is not None else ():
        beams = groups.setdefault(beam.fraction_group_number, {})
        if beam.beam_meterset is not None and beam.treatment_delivery_type not in _NOT_TREATMENT_BEAMS:
            beams[beam.beam_number] = beam.beam_meterset
    return groups


def missing_fraction_numbers(course: Course, earlier: Iterable[Course]) -> tuple[int, ...]:
    """Fractions that must have been delivered before the first one held, and of which no record is held.

    Numbers that stand in `earlier`, the courses of plans that this one continues, are held: after a replan the
    numbering may go on. Gaps after the first number prove nothing: numbers need not be consecutive.
    """
    numbers = course.held_fraction_numbers
    if not numbers:
        return ()
    elsewhere = {number for other in earlier for number in other.held_fraction_numbers}
    return tuple(number for number in range(1, min(numbers)) if number not in elsewhere)


def _by_time(record: TreatmentRecord) -> tuple[datetime, str]:
    return record.treated_at or datetime.min, record.ref.sop_instance_uid  # noqa: DTZ901  site-local, for order only


def _deliveries(records: Iterable[TreatmentRecord], plan: Plan | None) -> Iterable[tuple[str, _Delivery]]:
    """Deliveries to the patient that bear a fraction number, each with the UID of its record."""
    for record in records:
        if record.treatment_record_content_origin == "SIMULATION":
            continue
        for beam in record.beams:
            number = beam.current_fraction_number
            if beam.treatment_delivery_type in TREATING and number is not None:
                group = _group_of(record, beam, plan)
                yield record.ref.sop_instance_uid, _Delivery(group, number, beam, record.treated_at or beam.started_at)


def _group_of(record: TreatmentRecord, beam: BeamDelivery, plan: Plan | None) -> int | None:
    """The plan's fraction group that a delivery belongs to; the records' own number where no plan is held."""
    if plan is None:
        return record.referenced_fraction_group_number
    numbers = [g.fraction_group_number for g in plan.fraction_groups]
    if record.referenced_fraction_group_number in numbers:
        return record.referenced_fraction_group_number
    with_beam = [b.fraction_group_number for b in plan.beams if b.beam_number == beam.beam_number]
    return next(iter([*with_beam, *numbers]), None)


def _distinct(deliveries: Iterable[tuple[str, _Delivery]]) -> tuple[list[_Delivery], int]:
    """Each delivery once, and how many came twice.

    The same beam cannot start twice at the same second with the same outcome: two records that say so are one
    delivery under two SOP Instance UIDs. Within one record every item counts, and without a time nothing is joined.
    """
    by_identity: dict[object, dict[str, list[_Delivery]]] = {}
    for uid, delivery in deliveries:
        beam = delivery.beam
        started_at = beam.started_at or delivery.treated_at
        outcome = (beam.treatment_delivery_type, beam.specified_meterset, beam.delivered_meterset)
        place = (delivery.fraction_group_number, delivery.fraction_number, beam.beam_number)
        identity = (*place, started_at, *outcome) if started_at is not None else (uid, *place)
        by_identity.setdefault(identity, {}).setdefault(uid, []).append(delivery)
    kept: list[_Delivery] = []
    duplicates = 0
    for by_record in by_identity.values():
        longest = max(by_record.values(), key=len)
        kept += longest
        duplicates += sum(map(len, by_record.values())) - len(longest)
    return kept, duplicates


def _specified_metersets(deliveries: Iterable[_Delivery]) -> dict[int | None, dict[int, float | None]]:
    """What the records themselves say was planned: per beam the largest value, over all fractions."""
    groups: dict[int | None, dict[int, float | None]] = {}
    for delivery in deliveries:
        beam = delivery.beam
        if beam.beam_number is None:
            continue
        beams = groups.setdefault(delivery.fraction_group_number, {})
        known = [m for m in (beams.get(beam.beam_number), beam.specified_meterset) if m is not None]
        beams[beam.beam_number] = max(known, default=None)
    return groups


def _fractions(
    deliveries: Iterable[_Delivery], planned: Mapping[int | None, Mapping[int, float | None]]
) -> Iterable[FractionState]:
    """Fractions that were begun, by group and number."""
    begun: dict[tuple[int | None, int], list[_Delivery]] = {}
    for delivery in deliveries:
        if delivery.beam.beam_number in planned.get(delivery.fraction_group_number, {}):
            begun.setdefault((delivery.fraction_group_number, delivery.fraction_number), []).append(delivery)
    for (group, number), members in sorted(begun.items(), key=lambda pair: (pair[0][1], pair[0][0] or 0)):
        yield FractionState(
            fraction_group_number=group,
            fraction_number=number,
            beams=tuple(_beam_state(beam, meterset, members) for beam, meterset in planned[group].items()),
            last_treatment_at=max((d.treated_at for d in members if d.treated_at is not None), default=None),
        )


def _beam_state(beam_number: int, planned: float | None, members: Iterable[_Delivery]) -> BeamState:
    """Add up what the records report. One that reports no meterset and ended NORMAL gave what was planned."""
    delivered = 0.0
    ended_normally = False
    for delivery in members:
        beam = delivery.beam
        if beam.beam_number != beam_number:
            continue
        is_normal = beam.treatment_termination_status == "NORMAL"
        ended_normally = ended_normally or is_normal
        if beam.delivered_meterset is not None:
            delivered += beam.delivered_meterset
        elif is_normal and planned is not None:
            delivered += planned
    return BeamState(beam_number, planned, round(delivered, 6), ended_normally)


def _newest(values: Iterable[_T | None]) -> _T | None:
    """The last value that says something, of values in order of time."""
    return next((value for value in reversed(list(values)) if value is not None), None)
