"""Fraction truth: what one plan delivered, from its treatment records. Pure arithmetic, no I/O, no clock.

Goal
    How many fractions were delivered in full, which one was begun and is not complete, and what it lacks.

How
    The metersets that all records report for one fraction and beam add up, and are held against the plan's. Which
    deliveries count, and that each counts once, is settled in `recovery.deliveries`.

Why
    The replaced tool read CurrentFractionNumber of the first beam of one record. A partial fraction then counts as
    full, and "which fraction is next?" has a wrong answer: the failure mode with the highest risk in a downtime.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Literal, TypeVar

from recovery.deliveries import TREATING as TREATING
from recovery.deliveries import Delivery, distinct_deliveries, is_session, session_numbers
from recovery.plans import Plan
from recovery.records import TreatmentRecord

_T = TypeVar("_T")

FULL_SHARE = 0.99
FULL_WITHIN = 0.5
"""MU. A beam is delivered in full at 99 % of its planned meterset, or within 0.5 MU of it."""

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
    deliveries: tuple[Delivery, ...] = field(default=(), compare=False)
    """What was added up, each delivery once, in order of time."""

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
    is_treated: bool
    """A record says so, if only one that cannot be counted."""
    held_fraction_numbers: frozenset[int]
    """Every fraction number that a record of this patient's sessions bears; rehearsals are none."""
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
    def interrupted(self) -> FractionState | None:
        """The newest fraction that was begun and is not complete."""
        return next((fraction for fraction in reversed(self.fractions) if not fraction.is_complete), None)

    @property
    def unit(self) -> Literal["MU", "s"]:
        """Of all metersets: seconds for brachytherapy."""
        is_brachy = any(d.is_brachy for fraction in self.fractions for d in fraction.deliveries)
        return "s" if is_brachy else "MU"

    @property
    def next_fraction_number(self) -> int | None:
        """The interrupted fraction's, else the one after the highest; None when nothing remains to be given.

        Numbers need not be consecutive, nor begin at 1 after a replan: this is no count.
        """
        if self.fractions_remaining == 0:
            return None
        if self.interrupted is not None:
            return self.interrupted.fraction_number
        return max((f.fraction_number for f in self.fractions if f.fraction_number > 0), default=0) + 1


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
    deliveries, duplicates = distinct_deliveries(ordered, plan)
    planned = planned_metersets(plan)
    stands_in = not any(planned.values())
    if stands_in:
        planned = _specified_metersets(deliveries)
    fractions = tuple(_fractions(deliveries, planned))
    sessions = [r for r in ordered if is_session(r)]
    times = [r.treated_at for r in sessions if r.treated_at is not None]
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
        is_treated=bool(sessions),
        held_fraction_numbers=session_numbers(ordered),
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


def missing_fraction_numbers(course: Course, earlier: Iterable[Course]) -> tuple[range, ...]:
    """Fractions that must have been delivered before the first one held, and of which no record is held.

    Ascending ranges, never enumerated: a number may be an accident as large as 2147483647. Numbers that stand in
    `earlier`, the courses of plans that this one continues, are held: after a replan the numbering may go on. Gaps
    after the first number prove nothing: numbers need not be consecutive.
    """
    first = min((number for number in course.held_fraction_numbers if number > 0), default=1)
    elsewhere = {number for other in earlier for number in other.held_fraction_numbers if 0 < number < first}
    bounds = pairwise([0, *sorted(elsewhere), first])
    return tuple(range(before + 1, after) for before, after in bounds if after - before > 1)


def _by_time(record: TreatmentRecord) -> tuple[datetime, str]:
    return record.treated_at or datetime.min, record.ref.sop_instance_uid  # noqa: DTZ901  site-local, for order only


def _specified_metersets(deliveries: Iterable[Delivery]) -> dict[int | None, dict[int, float | None]]:
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
    deliveries: Iterable[Delivery], planned: Mapping[int | None, Mapping[int, float | None]]
) -> Iterable[FractionState]:
    """Fractions that were begun, by group and number."""
    begun: dict[tuple[int | None, int], list[Delivery]] = {}
    for delivery in deliveries:
        number = delivery.fraction_number
        if number is not None and delivery.beam.beam_number in planned.get(delivery.fraction_group_number, {}):
            begun.setdefault((delivery.fraction_group_number, number), []).append(delivery)
    for (group, number), members in sorted(begun.items(), key=lambda pair: (pair[0][1], pair[0][0] or 0)):
        yield FractionState(
            fraction_group_number=group,
            fraction_number=number,
            beams=tuple(_beam_state(beam, meterset, members) for beam, meterset in planned[group].items()),
            last_treatment_at=max((d.treated_at for d in members if d.treated_at is not None), default=None),
            deliveries=tuple(members),
        )


def _beam_state(beam_number: int, planned: float | None, members: Iterable[Delivery]) -> BeamState:
    """Add up what the records report.

    A treatment that reports no meterset and ended NORMAL gave what was planned; such a continuation, what lacked.
    """
    own = [d for d in members if d.beam.beam_number == beam_number]
    planned = _decayed(planned, own)
    delivered = sum(d.beam.delivered_meterset or 0.0 for d in own)
    normal = [d.beam for d in own if d.beam.treatment_termination_status == "NORMAL"]
    silent = [b.treatment_delivery_type for b in normal if b.delivered_meterset is None]
    if planned is not None and silent:
        delivered += planned * sum(delivery_type != "CONTINUATION" for delivery_type in silent)
        delivered = max(delivered, planned)
    return BeamState(beam_number, planned, round(delivered, 6), ended_normally=bool(normal))


def _decayed(planned: float | None, own: Iterable[Delivery]) -> float | None:
    """What was to be delivered on the day: for brachytherapy the seconds that the records specify.

    The source decays, for Ir-192 by 1 % a day, and is exchanged: the plan's seconds hold on the plan's day alone.
    """
    on_the_day = [d.beam.specified_meterset for d in own if d.is_brachy and d.beam.specified_meterset is not None]
    return max(on_the_day, default=planned)


def _newest(values: Iterable[_T | None]) -> _T | None:
    """The last value that says something, of values in order of time."""
    return next((value for value in reversed(list(values)) if value is not None), None)
