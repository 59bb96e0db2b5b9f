"""Fraction truth: what one plan delivered, from its treatment records. Pure arithmetic, no I/O, no clock.

The metersets that all records report for one fraction and beam add up, and are held against the plan's. Which
deliveries count, and that each counts once, is settled in `recovery.course.deliveries`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
from typing import TypeVar

from recovery.course.beam_states import BeamState, beam_state
from recovery.course.by_session import countable
from recovery.course.deliveries import (
    Delivery,
    distinct_deliveries,
    is_session,
    session_numbers,
    setup_beams,
)
from recovery.course.metersets import (
    Authority,
    ByFraction,
    Planned,
    Specified,
    ToGive,
    authority_of,
    planned_metersets,
    specified_metersets,
    with_units,
)
from recovery.dicom.plans import FractionGroup, Plan
from recovery.dicom.records import TreatmentRecord, began_at
from recovery.words.units import MU, PULSES, amount, common, number

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FractionState:
    """One fraction of a plan: every planned treatment beam of its fraction group, delivered or not."""

    fraction_group_number: int | None
    fraction_number: int
    beams: tuple[BeamState, ...]
    last_treatment_at: datetime | None
    deliveries: tuple[Delivery, ...] = field(default=(), compare=False)
    """What was added up, each delivery once, in order of time."""
    is_complete: bool = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_complete", bool(self.beams) and all(beam.is_full for beam in self.beams))

    @property
    def unit(self) -> str | None:
        """Of what remains, else of all its beams; None where they differ."""
        lacking = [beam.unit for beam in self.beams if not beam.is_full]
        return common(lacking or [beam.unit for beam in self.beams])

    @property
    def meterset_remaining(self) -> float | None:
        """All beams, in `unit`; None when one of them cannot tell, or where units differ."""
        rest = [beam.remaining for beam in self.beams]
        known = [r for r in rest if r is not None]
        if len(known) < len(rest) or self.unit is None:
            return None
        return max(known) if self.unit == PULSES else round(sum(known), 4)

    @property
    def left_in_words(self) -> str:
        """`50.0 MU left`, `0.4 min left`, `23 of 43 pulses left`, `12.0 MU and 0.4 min left`; `— left` if unknown."""
        lacking = [beam for beam in self.beams if beam.remaining != 0]
        if any(beam.remaining is None for beam in lacking):
            return f"{amount(None, None)} left"
        said = []
        for unit in dict.fromkeys(beam.unit for beam in lacking):
            beams = [beam for beam in lacking if beam.unit == unit]
            if unit == PULSES:
                worst = max(beams, key=lambda beam: beam.remaining or 0.0)
                said.append(f"{number(worst.remaining, unit)} of {amount(worst.planned, unit)}")
            else:
                said.append(amount(sum(beam.remaining or 0.0 for beam in beams), unit))
        return f"{' and '.join(said) or amount(0.0, self.unit or MU)} left"


@dataclass(frozen=True, slots=True)
class Unplaced:
    """What treated, and counts nowhere: `what` it is, and when."""

    what: str
    at: datetime | None


UNNUMBERED = "delivered beam without fraction or beam number"
NOT_OF_THE_PLAN = "delivered beam that the plan does not have"
WITHOUT_BEAMS = "record without beams"


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
    next_metersets: Mapping[int, ToGive] = field(default_factory=dict)
    """By beam number, what a whole next fraction is to give: as the R&V system asked last, else as planned."""
    next_by_group: Planned = field(default_factory=dict)
    """The same by fraction group, of a plan that has several too."""
    specified: tuple[Specified, ...] = ()
    """Where the R&V system asked for another meterset than the plan's."""
    groups: tuple[FractionGroup, ...] = ()
    """The plan's fraction groups that treat."""
    unplaced: tuple[Unplaced, ...] = ()
    """What treated and counts nowhere."""

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
    def unit(self) -> str | None:
        """Of all metersets; None where they differ."""
        units = [beam.unit for fraction in self.fractions for beam in fraction.beams]
        return common(units or [one.unit for one in self.next_metersets.values()])

    @property
    def next_fraction_number(self) -> int | None:
        """The interrupted fraction's, else the one after the highest; None when nothing remains to be given.

        Numbers need not be consecutive, nor begin at 1 after a replan: this is no count.
        """
        if self.fractions_remaining == 0:
            return None
        if self.interrupted is not None:
            return self.interrupted.fraction_number
        if len(self.groups) > 1:
            numbers = {number for _, number in self.next_of_groups()}
            return next(iter(numbers)) if len(numbers) == 1 else None
        return max([0, *(f.fraction_number for f in self.fractions)]) + 1

    @property
    def begun_by_group(self) -> Mapping[int | None, list[FractionState]]:
        return {
            group.fraction_group_number: [
                f for f in self.fractions if f.fraction_group_number == group.fraction_group_number
            ]
            for group in self.groups
        }

    @property
    def groups_left(self) -> list[FractionGroup]:
        """Fraction groups of which not all planned fractions are given."""
        return [g for g in self.groups if _has_left(g, self.begun_by_group[g.fraction_group_number])]

    @property
    def has_own_numbers(self) -> bool:
        """Whether one number stands in two fraction groups: each has numbers of its own (PS3.3 C.8.8.13)."""
        numbers = [{f.fraction_number for f in begun} for begun in self.begun_by_group.values()]
        return any(one & other for one, other in combinations(numbers, 2))

    def next_of_groups(self) -> list[tuple[int | None, int | None]]:
        """Each fraction group that may be next, with the number that its next fraction bears; None where nobody knows.

        A group that was begun goes on before one that was not. Numbers may run through all groups, which those of a
        group that nobody has begun do not tell.
        """
        begun, left = self.begun_by_group, self.groups_left
        active = [g.fraction_group_number for g in left if begun[g.fraction_group_number]]
        highest = max([0, *(f.fraction_number for f in self.fractions)])
        is_own = self.has_own_numbers or len(active) == 1
        if active:
            own = {g: max(f.fraction_number for f in begun[g]) if is_own else highest for g in active}
            return [(g, number + 1) for g, number in own.items()]
        first = 1 if self.has_own_numbers or not highest else None
        return [(g.fraction_group_number, first) for g in left]


def _has_left(group: FractionGroup, begun: Iterable[FractionState]) -> bool:
    planned = group.number_of_fractions_planned
    return planned is None or sum(f.is_complete for f in begun) < planned


def count_fractions(records: Iterable[TreatmentRecord], plan: Plan | None, told: ByFraction | None = None) -> Course:
    """Count what `records`, all of one patient and plan, delivered of `plan`.

    In `records`, of any order, the same delivery may stand twice. Without a `plan`, because it is nowhere held, the
    records' specified metersets and planned number stand in. `told`: what the R&V database says was planned
    (`metersets.planned_by_database`), a witness where the records specify another meterset than the plan's.
    """
    ordered, plan = countable(sorted({r.ref: r for r in records}.values(), key=_by_time), plan)
    deliveries, duplicates = distinct_deliveries(ordered, plan)
    planned = planned_metersets(plan)
    stands_in = not any(planned.values())
    planned = specified_metersets(deliveries) if stands_in else planned
    authority = authority_of(with_units(planned, plan, deliveries), deliveries, told or {})
    setup = setup_beams(plan)
    sessions = [r for r in ordered if is_session(r, setup)]
    times = [r.treated_at for r in sessions if r.treated_at is not None]
    number = (
        plan.number_of_fractions_planned
        if plan is not None
        else _newest(r.number_of_fractions_planned for r in ordered)
    )
    fractions = tuple(_fractions(deliveries, authority))
    return Course(
        number_of_fractions_planned=number,
        fractions=fractions,
        first_treatment_at=min(times, default=None),
        last_treatment_at=max((r.last_delivered_at or at for r in sessions if (at := r.treated_at)), default=None),
        treatment_machine_name=_newest(r.treatment_machine_name for r in ordered),
        is_treated=bool(sessions),
        held_fraction_numbers=session_numbers(ordered),
        is_counted_without_plan=stands_in,
        duplicates=duplicates,
        next_metersets=authority.next_metersets(),
        next_by_group=authority.next_by_group(),
        specified=authority.specified,
        groups=plan.treating_groups if plan is not None else (),
        unplaced=(*_unplaced(deliveries, fractions, None if stands_in else plan), *_beamless(sessions, fractions)),
    )


def _unplaced(
    deliveries: Iterable[Delivery], fractions: Sequence[FractionState], plan: Plan | None
) -> Iterator[Unplaced]:
    """A beam that the plan does not have may be one that it treats with, under another number: not where the fraction
    is complete without it."""
    complete = {f.fraction_number for f in fractions if f.is_complete}
    planned = {b.beam_number: b.treats for b in plan.beams} if plan is not None else {}
    for delivery in deliveries:
        number, beam = delivery.fraction_number, delivery.beam.beam_number
        if delivery.beam.delivered_meterset == 0 or (beam is not None and planned.get(beam) is False):
            continue
        if number is None or beam is None:
            yield Unplaced(UNNUMBERED, delivery.treated_at)
        elif planned and beam not in planned and number not in complete:
            yield Unplaced(NOT_OF_THE_PLAN, delivery.treated_at)


def _beamless(sessions: Iterable[TreatmentRecord], fractions: Iterable[FractionState]) -> Iterator[Unplaced]:
    """Records that tell nothing of their beams, of days on which nothing else was given."""
    days = {d.treated_at.date() for f in fractions for d in f.deliveries if d.treated_at is not None}
    for record in sessions:
        if not record.beams and (record.treated_at is None or record.treated_at.date() not in days):
            yield Unplaced(WITHOUT_BEAMS, record.treated_at)


def _by_time(record: TreatmentRecord) -> tuple[datetime, str]:
    return record.treated_at or datetime.min, record.ref.sop_instance_uid  # noqa: DTZ901  site-local, for order only


def _fractions(deliveries: Iterable[Delivery], authority: Authority) -> Iterable[FractionState]:
    """Fractions that were begun, by group and number."""
    begun: dict[tuple[int | None, int], list[Delivery]] = {}
    for delivery in deliveries:
        of = delivery.fraction_number
        if of is not None and delivery.beam.beam_number in authority.planned.get(delivery.fraction_group_number, {}):
            begun.setdefault((delivery.fraction_group_number, of), []).append(delivery)
    for (group, of), members in sorted(begun.items(), key=lambda pair: (pair[0][1], pair[0][0] or 0)):
        to_give = authority.to_give(group, of, (d.beam.beam_number for d in members))
        yield FractionState(
            fraction_group_number=group,
            fraction_number=of,
            beams=tuple(
                beam_state(beam, one, [d for d in members if d.beam.beam_number == beam])
                for beam, one in to_give.items()
            ),
            last_treatment_at=max((at for d in members if (at := began_at(d.treated_at, d.beam))), default=None),
            deliveries=tuple(members),
        )


def _newest(values: Iterable[_T | None]) -> _T | None:
    """The last value that says something, of values in order of time."""
    return next((value for value in reversed(list(values)) if value is not None), None)
