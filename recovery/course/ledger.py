"""The fraction ledger of one plan: each fraction with its sessions, the next one, dose and gaps. Pure, no I/O.

`recovery.course.fractions` counts; this lays the same count out. What only the R&V database tells of a delivery
(overrides, why it ended) is joined by record UID and beam, or by the row's key where we made the record of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from recovery.course.deliveries import TREATING
from recovery.course.fractions import Course, FractionState
from recovery.course.metersets import Planned, ToGive
from recovery.course.sessions import Session, ToldDeliveries, sessions_of
from recovery.words.times import day_or_time
from recovery.words.units import MU, amount
from recovery.words.values import ABSENT

State = Literal["complete", "interrupted", "in part"]
"""`interrupted` is the newest fraction begun and not complete, which comes next; older ones are `in part`."""

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class LedgerBeam:
    """One planned beam in one fraction, all sessions together, in `unit`; `remaining` is 0 when full, None when
    unknown."""

    beam_number: int
    beam_name: str | None
    planned: float | None
    delivered: float
    remaining: float | None
    unit: str = MU


@dataclass(frozen=True, slots=True)
class LedgerFraction:
    """One fraction number with its sessions, in order of time."""

    fraction_group_number: int | None
    fraction_number: int
    state: State
    beams: tuple[LedgerBeam, ...]
    sessions: tuple[Session, ...]
    meterset_remaining: float | None
    """All beams; None when one of them cannot tell, or where units differ."""
    left_in_words: str
    """With its unit."""

    @property
    def started_at(self) -> datetime | None:
        return min((s.started_at for s in self.sessions if s.started_at is not None), default=None)

    def when(self, today: date | None = None) -> str:
        """Each session's day and time, as lists tell when somebody was last treated: `Mon 23 Nov 12:49`"""
        return " + ".join(day_or_time(s.treated_at, today) for s in self.sessions) or ABSENT

    @property
    def treatment_machine_names(self) -> tuple[str, ...]:
        names = (s.treatment_machine_name for s in self.sessions)
        return tuple(dict.fromkeys(name for name in names if name is not None))

    @property
    def was_overridden(self) -> bool | None:
        """Whether one of its deliveries was; None when the database tells nothing of any."""
        told = [b.was_overridden for s in self.sessions for b in s.beams if b.was_overridden is not None]
        return any(told) if told else None

    @property
    def terminations(self) -> tuple[str, ...]:
        """How its deliveries ended, each way once, where it was not NORMAL."""
        ends = (b.treatment_termination_status for s in self.sessions for b in s.beams)
        return tuple(dict.fromkeys(end for end in ends if end not in {None, "NORMAL"}))


@dataclass(frozen=True, slots=True)
class NextFraction:
    """What comes next. `fraction_number` None: nothing remains to be given."""

    fraction_number: int | None
    """The interrupted fraction's where there is one, else the one after the highest."""
    unfinished: LedgerFraction | None
    """The fraction to finish before any other."""
    number_after: int | None
    """The fraction after that one; None without an unfinished one, or when nothing is left after it."""


@dataclass(frozen=True, slots=True)
class DosePoint:
    """Dose given with the whole fractions up to a moment, Gy."""

    at: datetime | None
    fraction_number: int
    dose: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Days without treatment between two days of treatment. `first_day_after` None: it goes on."""

    last_day_before: date
    first_day_after: date | None
    days: int
    weekdays: int
    """Of `days`, those from Monday to Friday; holidays of the site are not known."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Every fraction of one plan that was begun, by number, and what follows from them.

    Where several plans make one course, all but `fractions` and `unit` is the course's.
    """

    fractions: tuple[LedgerFraction, ...]
    next: NextFraction
    number_of_fractions_planned: int | None
    fractions_delivered: int
    dose_per_fraction: float | None
    fractions_over_time: tuple[tuple[datetime | None, int], ...]
    """When each whole fraction of the course was given, and its number, in order of time."""
    dose_over_time: tuple[DosePoint, ...]
    """After each whole fraction, in order of time; empty where no dose per fraction is known."""
    gaps: tuple[Gap, ...]
    """Those with a weekday in them, the present one last."""
    unit: str | None
    """Of all metersets: seconds for brachytherapy; None where they differ."""
    next_metersets: Mapping[int, ToGive]
    """By beam number, what a whole next fraction is to give: see `Course.next_metersets`."""
    next_by_group: Planned
    groups_left: frozenset[int | None]
    """Fraction groups of which not all planned fractions are given."""
    only_in_database: tuple[int, ...]
    """Fraction numbers that the R&V database shows as treated and of which no record is held."""

    @property
    def dose_delivered(self) -> float | None:
        """Gy of the whole fractions; None where no dose per fraction is known."""
        if self.dose_per_fraction is None:
            return None
        return round(self.fractions_delivered * self.dose_per_fraction, 6)


@dataclass(frozen=True, slots=True)
class CourseSoFar:
    """The whole course that a plan is of, as the list tells it; `others`: what its other plans delivered."""

    number_of_fractions_planned: int | None
    fractions_delivered: int
    fractions_remaining: int | None
    next_fraction_number: int | None
    others: tuple[Course, ...] = ()

    @classmethod
    def of_one_plan(cls, course: Course) -> CourseSoFar:
        return cls(
            course.number_of_fractions_planned,
            course.fractions_delivered,
            course.fractions_remaining,
            course.next_fraction_number,
        )


def lay_out(
    course: Course,
    now: datetime,
    *,
    dose_per_fraction: float | None = None,
    beam_names: Mapping[int, str | None] | None = None,
    database: Sequence[Mapping[str, Any]] = (),
    whole: CourseSoFar | None = None,
) -> Ledger:
    """Lay out what `count_fractions` counted.

    `now`: naive, local to the site; `dose_per_fraction`: Gy of one whole fraction, as prescribed; `beam_names`: by beam
    number, as the plan says them, else the records' own; `database`: rows of the relational table `deliveries` of the
    same plan; `whole`: the course, where further plans make one with this: what comes next, dose and gaps are its.
    """
    so_far = whole or CourseSoFar.of_one_plan(course)
    told = _by_record(database)
    fractions = tuple(_fraction(f, course, beam_names or {}, told) for f in course.fractions)
    others = tuple(_fraction(f, other, {}, {}) for other in so_far.others for f in other.fractions)
    every = (*fractions, *others)
    days = sorted({s.started_at.date() for f in every for s in f.sessions if s.started_at is not None})
    return Ledger(
        fractions=fractions,
        next=_next(so_far, fractions, others),
        number_of_fractions_planned=so_far.number_of_fractions_planned,
        fractions_delivered=so_far.fractions_delivered,
        dose_per_fraction=dose_per_fraction,
        fractions_over_time=tuple(_whole(every)),
        dose_over_time=tuple(_dose(every, dose_per_fraction)),
        gaps=tuple(_gaps(days, None if so_far.fractions_remaining == 0 else now.date())),
        unit=course.unit,
        next_metersets=course.next_metersets,
        next_by_group=course.next_by_group,
        groups_left=frozenset(group.fraction_group_number for group in course.groups_left),
        only_in_database=_only_in_database(database, course),
    )


def as_decided(
    book: Ledger, number: int | None, group: int | None, rest: Mapping[int, float], names: Mapping[int, str | None]
) -> Ledger:
    """With what somebody decided is next: fraction `number`, of a plan of several fraction groups of that `group`, or
    nothing; `rest`: MU by beam that it lacks, where it is the rest of one; `names`: of the beams."""
    beams = []
    for beam, one in book.next_by_group.get(group, book.next_metersets).items() if rest else ():
        lacks = rest.get(beam, 0.0)
        given = max(0.0, (one.meterset or 0.0) - lacks)
        beams.append(LedgerBeam(beam, names.get(beam), one.meterset, given, lacks, one.unit))
    left = round(sum(rest.values()), 4)
    open_one = LedgerFraction(group, number or 0, "interrupted", tuple(beams), (), left, f"{amount(left, MU)} left")
    told = [
        replace(f, state="in part") if f.state == "interrupted" and not (rest and f.fraction_number == number) else f
        for f in book.fractions
    ]
    return replace(book, fractions=tuple(told), next=NextFraction(number, open_one if rest else None, None))


def _by_record(database: Iterable[Mapping[str, Any]]) -> ToldDeliveries:
    told: dict[object, Mapping[str, Any]] = {}
    for row in database:
        uid, key = row["treatment_record_uid"], row["delivery_id"]
        told[key if uid is None else (uid, row["beam_number"], row["fraction_number"])] = row
    return told


def _fraction(
    counted: FractionState,
    course: Course,
    beam_names: Mapping[int, str | None],
    told: ToldDeliveries,
) -> LedgerFraction:
    state: State = "complete" if counted.is_complete else "interrupted" if counted is course.interrupted else "in part"
    recorded = {d.beam.beam_number: d.beam.beam_name for d in counted.deliveries if d.beam.beam_name}
    return LedgerFraction(
        fraction_group_number=counted.fraction_group_number,
        fraction_number=counted.fraction_number,
        state=state,
        beams=tuple(
            LedgerBeam(
                beam_number=beam.beam_number,
                beam_name=beam_names.get(beam.beam_number) or recorded.get(beam.beam_number),
                planned=beam.planned,
                delivered=beam.delivered,
                remaining=beam.remaining,
                unit=beam.unit,
            )
            for beam in counted.beams
        ),
        sessions=sessions_of(counted.deliveries, told, {beam.beam_number: beam.unit for beam in counted.beams}),
        meterset_remaining=counted.meterset_remaining,
        left_in_words=counted.left_in_words,
    )


def _next(so_far: CourseSoFar, fractions: Sequence[LedgerFraction], others: Sequence[LedgerFraction]) -> NextFraction:
    unfinished = next((f for f in fractions if f.state == "interrupted"), None)
    remaining = so_far.fractions_remaining
    if remaining == 0:
        return NextFraction(None, None, None)
    if unfinished is None or remaining == 1:
        return NextFraction(so_far.next_fraction_number, unfinished, None)
    after = max([0, *(f.fraction_number for f in (*fractions, *others))]) + 1
    return NextFraction(so_far.next_fraction_number, unfinished, after)


def _dose(fractions: Iterable[LedgerFraction], dose_per_fraction: float | None) -> Iterable[DosePoint]:
    if dose_per_fraction is None:
        return
    for count, (at, number) in enumerate(_whole(fractions), start=1):
        yield DosePoint(at, number, round(count * dose_per_fraction, 6))


def _whole(fractions: Iterable[LedgerFraction]) -> list[tuple[datetime | None, int]]:
    """When each whole fraction was given, and its number, in order of time."""
    whole = [(_ended_at(f), f.fraction_number) for f in fractions if f.state == "complete"]
    return sorted(whole, key=lambda pair: pair[0] or datetime.min)  # noqa: DTZ901  site-local, for order


def _ended_at(fraction: LedgerFraction) -> datetime | None:
    return max((s.treated_at for s in fraction.sessions if s.treated_at is not None), default=None)


def _gaps(days: Sequence[date], today: date | None) -> Iterable[Gap]:
    """Gaps between days of treatment; the last one up to yesterday, for a course that goes on."""
    for before, after in pairwise(days):
        weekdays = _weekdays_between(before, after)
        if weekdays:
            yield Gap(before, after, (after - before).days - 1, weekdays)
    if today is not None and days and (weekdays := _weekdays_between(days[-1], today)):
        yield Gap(days[-1], None, (today - days[-1]).days - 1, weekdays)


def _weekdays_between(before: date, after: date) -> int:
    """Mondays to Fridays strictly between two days."""
    between = (before + timedelta(days=n) for n in range(1, (after - before).days))
    return sum(day.weekday() < _SATURDAY for day in between)


def _only_in_database(database: Iterable[Mapping[str, Any]], course: Course) -> tuple[int, ...]:
    numbers = {r["fraction_number"] for r in database if r["delivery_type"] in TREATING and r["delivered_meterset"]}
    return tuple(sorted(n for n in numbers - course.held_fraction_numbers if n is not None))
