"""What each beam of a fraction was to give: the plan's meterset, or what the R&V system asked for instead. Pure.

Goal
    A field that was edited after import counts by what was asked for on that day, and a remainder that was asked for
    after an interruption is never taken for the whole.

How
    The plan's meterset holds. Where the records of a fraction specify another, the largest of them holds, provided
    that the database's deliveries or another fraction of the plan say the same. Continuations specify what is left:
    they are not asked. Both numbers are told, whichever counts.

Why the largest
    A fraction in two parts has two records. The first specifies the whole, the second often the rest alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from recovery.course.deliveries import TREATING, Delivery
from recovery.dicom.plans import Plan
from recovery.dicom.records import TreatmentRecord
from recovery.words.units import MU, PULSES, SECONDS

FULL_SHARE = 0.99
FULL_WITHIN = 0.5
"""MU. A beam is delivered in full at 99 % of its planned meterset, or within 0.5 MU of it."""
ABSURD = 1.5
"""Times the planned meterset: a fraction that was told twice would come to twice."""

ByFraction = Mapping[tuple[int, int], float]
"""By fraction number and beam number: the largest meterset that the R&V database says was planned."""
ByNumber = Mapping[int, float]
"""By fraction number, of one beam."""


@dataclass(frozen=True, slots=True)
class ToGive:
    """What one beam is to give in one fraction. `pulses`: by channel, where brachytherapy is pulsed; `channels`:
    seconds of each on the plan's day, where brachytherapy has several."""

    meterset: float | None
    unit: str = MU
    pulses: Mapping[int | None, int] = field(default_factory=dict)
    channels: Mapping[int | None, float] = field(default_factory=dict)


Planned = Mapping[int | None, Mapping[int, ToGive]]
"""By fraction group and beam number."""


@dataclass(frozen=True, slots=True)
class Specified:
    """A beam of which the R&V system asked for another meterset than the plan's, in these fractions."""

    beam_number: int
    fraction_numbers: tuple[int, ...]
    planned: float
    specified: float
    unit: str
    counts: bool
    """Whether a second witness says the same, and the fractions are counted by it."""


def is_enough(delivered: float, planned: float, unit: str) -> bool:
    """99 % of what was planned; in MU also what lacks no more than half of one."""
    if unit == MU and planned - delivered <= FULL_WITHIN + 1e-9:
        return True
    return delivered >= FULL_SHARE * planned * (1 - 1e-9)


def is_absurd(delivered: float, planned: float) -> bool:
    """Whether so many MU come to one fraction of a beam that one of its deliveries must be told twice."""
    return delivered > ABSURD * planned + 1.0


def agree(one: float, other: float, unit: str) -> bool:
    """Whether two metersets differ by no more than counts as full: within 0.5 MU, or 1 % in another unit."""
    apart, most = abs(one - other), FULL_WITHIN if unit == MU else (1 - FULL_SHARE) * max(one, other)
    return apart <= most * (1 + 1e-9)


def planned_metersets(plan: Plan | None) -> Planned:
    """By fraction group and beam number: the beams that treat and have a BeamMeterset. A unit untold is MU."""
    groups: dict[int | None, dict[int, ToGive]] = {}
    for beam in plan.beams if plan is not None else ():
        beams = groups.setdefault(beam.fraction_group_number, {})
        if beam.treats:
            by_channel = dict(beam.pulses), dict(beam.channel_times)
            beams[beam.beam_number] = ToGive(beam.beam_meterset, beam.meterset_unit or MU, *by_channel)
    return groups


def with_units(planned: Planned, plan: Plan | None, deliveries: Iterable[Delivery]) -> Planned:
    """With the unit of the records where the plan does not tell it (type 3), and with the pulses that they specify."""
    by_beam: dict[tuple[int | None, int | None], list[Delivery]] = {}
    for delivery in deliveries:
        by_beam.setdefault((delivery.fraction_group_number, delivery.beam.beam_number), []).append(delivery)
    beams = plan.beams if plan is not None else ()
    told = {(b.fraction_group_number, b.beam_number) for b in beams if b.meterset_unit is not None}
    return {
        group: {
            beam: ToGive(
                one.meterset,
                one.unit if (group, beam) in told else next((d.unit for d in own if d.unit), one.unit),
                one.pulses or _specified_pulses(own),
                one.channels,
            )
            for beam, one in beams_of_group.items()
            for own in (by_beam.get((group, beam), ()),)
        }
        for group, beams_of_group in planned.items()
    }


def specified_metersets(deliveries: Iterable[Delivery]) -> Planned:
    """What the records themselves say was planned: per beam the largest value of its first unit, over all fractions."""
    groups: dict[int | None, dict[int, ToGive]] = {}
    for delivery in deliveries:
        beam = delivery.beam
        if beam.beam_number is None:
            continue
        beams = groups.setdefault(delivery.fraction_group_number, {})
        before = beams.get(beam.beam_number, ToGive(None, delivery.unit or MU))
        is_alike = delivery.unit in {None, before.unit}
        known = [m for m in (before.meterset, beam.specified_meterset if is_alike else None) if m is not None]
        beams[beam.beam_number] = ToGive(max(known, default=None), before.unit)
    return groups


def _specified_pulses(deliveries: Iterable[Delivery]) -> dict[int | None, int]:
    """By channel, the most that a record specifies, where it is more than one."""
    most: dict[int | None, int] = {}
    for channel in (c for d in deliveries for c in d.beam.pulses):
        if channel.specified is not None and channel.specified > 1:
            most[channel.channel_number] = max(channel.specified, most.get(channel.channel_number, channel.specified))
    return most


def planned_by_database(deliveries: Iterable[Mapping[str, Any]]) -> dict[tuple[int, int], float]:
    """The largest `planned_meterset` of one plan's rows of `deliveries`, by fraction and beam; no continuation's."""
    largest: dict[tuple[int, int], float] = {}
    for row in deliveries:
        key, planned = (row["fraction_number"], row["beam_number"]), row["planned_meterset"]
        is_whole = row["delivery_type"] in TREATING and row["delivery_type"] != "CONTINUATION"
        if is_whole and None not in key and planned is not None and planned > 0:
            largest[key] = max(planned, largest.get(key, 0.0))
    return largest


def may_ask_otherwise(records: Iterable[TreatmentRecord], plan: Plan | None) -> bool:
    """Whether the records specify metersets that differ from the plan's or among each other: looked at quickly, beam
    by beam, and never False where `authority_of` finds a difference."""
    planned = ((b.beam_number, b.beam_meterset) for b in (plan.beams if plan is not None else ()) if b.treats)
    asked = ((b.beam_number, b.specified_meterset or None) for record in records for b in record.beams)
    by_beam: dict[int | None, list[float]] = {}
    for number, meterset in chain[tuple[int | None, float | None]](planned, asked):
        if meterset is not None:
            by_beam.setdefault(number, []).append(meterset)
    ends = ((min(metersets), max(metersets)) for metersets in by_beam.values())
    return any(not (agree(least, most, MU) and agree(least, most, "")) for least, most in ends)


@dataclass(frozen=True, slots=True)
class Authority:
    """What each beam of each fraction was to give, and where the R&V system asked for something else."""

    planned: Planned
    asked: Mapping[tuple[int | None, int, int], float]
    """By fraction group, fraction number and beam number: what counts instead of the plan's meterset."""
    asked_last: Mapping[tuple[int | None, int], float]
    """By fraction group and beam number, the same of the newest fraction: so it will be asked for again."""
    specified: tuple[Specified, ...] = ()

    def to_give(self, group: int | None, fraction_number: int, begun: Iterable[int | None]) -> dict[int, ToGive]:
        """By beam number, of a fraction of which these beams were begun: what no record tells is asked for as last."""
        recorded = set(begun)
        return {
            beam: _as_asked(
                one,
                self.asked.get((group, fraction_number, beam))
                if beam in recorded
                else self.asked_last.get((group, beam)),
            )
            for beam, one in self.planned.get(group, {}).items()
        }

    def next_metersets(self) -> dict[int, ToGive]:
        """By beam number, of a fraction that nobody has begun; no meterset where a plan has several fraction groups:
        who treats with one must not read what another gives."""
        groups = self.next_by_group()
        each = (pair for beams in groups.values() for pair in beams.items())
        return {beam: ToGive(None, one.unit) if len(groups) > 1 else one for beam, one in each}

    def next_by_group(self) -> dict[int | None, dict[int, ToGive]]:
        """By fraction group that treats and beam number, of a fraction that nobody has begun.

        Seconds of brachytherapy hold on the plan's day alone, for the source decays.
        """
        return {
            group: {beam: _ahead(one, self.asked_last.get((group, beam))) for beam, one in beams.items()}
            for group, beams in self.planned.items()
            if beams
        }


def _ahead(planned: ToGive, asked: float | None) -> ToGive:
    if planned.unit != SECONDS:
        return _as_asked(planned, asked)
    return ToGive(float(max(planned.pulses.values())), PULSES) if planned.pulses else ToGive(None, SECONDS)


def _as_asked(planned: ToGive, asked: float | None) -> ToGive:
    return planned if asked is None else ToGive(asked, planned.unit)


def authority_of(planned: Planned, deliveries: Sequence[Delivery], told: ByFraction) -> Authority:
    """Hold what the records specify against the plan; `told`: see `planned_by_database`."""
    asked: dict[tuple[int | None, int, int], float] = {}
    asked_last: dict[tuple[int | None, int], float] = {}
    specified: list[Specified] = []
    parts = _specified(planned, deliveries)
    wholes = _specified(planned, (d for d in deliveries if d.beam.treatment_delivery_type != "CONTINUATION"))
    for (group, beam), told_by_fraction in wholes.items():
        one = planned[group][beam]
        by_fraction = {number: max(metersets) for number, metersets in told_by_fraction.items()}
        if one.meterset is None or all(agree(m, one.meterset, one.unit) for m in by_fraction.values()):
            continue
        if _is_in_parts(parts[group, beam].values(), one.meterset, one.unit):
            continue
        database = {number: m for (number, of), m in told.items() if of == beam}
        others = {n: m for n, m in by_fraction.items() if not agree(m, one.meterset, one.unit)}
        follow = {n for n in others if _has_witness(n, by_fraction, database, one.unit)}
        asked |= {(group, n, beam): others[n] for n in follow}
        newest = list(by_fraction)[-1]
        if newest in follow:
            asked_last[group, beam] = others[newest]
        for numbers in _alike(others, follow, one.unit):
            first = others[numbers[0]]
            specified.append(Specified(beam, numbers, one.meterset, first, one.unit, numbers[0] in follow))
    return Authority(planned, asked, asked_last, tuple(specified))


def _is_in_parts(fractions: Iterable[list[float]], planned: float, unit: str) -> bool:
    """Whether the records tell of a beam in parts, a wedge or segments, that come to the plan's meterset: in one
    fraction at least, and in no fraction but the last one part alone."""
    others = [parts for parts in fractions if not agree(max(parts), planned, unit)]
    return any(agree(sum(parts), planned, unit) for parts in others) and all(len(parts) > 1 for parts in others[:-1])


def _specified(
    planned: Planned, deliveries: Iterable[Delivery]
) -> dict[tuple[int | None, int], dict[int, list[float]]]:
    """By group and beam, then by fraction number, the last treated at the end. The time of a source is not asked."""
    found: dict[tuple[int | None, int], dict[int, list[float]]] = {}
    for d in sorted(deliveries, key=_when):
        beam, number = d.beam.beam_number, d.fraction_number
        meterset = d.beam.specified_meterset
        if beam is None or number is None or not meterset:
            continue
        one = planned.get(d.fraction_group_number, {}).get(beam)
        if one is None or one.unit == SECONDS or d.unit not in {None, one.unit}:
            continue
        by_fraction = found.setdefault((d.fraction_group_number, beam), {})
        by_fraction[number] = [*by_fraction.pop(number, ()), meterset]
    return found


def _when(delivery: Delivery) -> tuple[datetime, int]:
    return delivery.treated_at or datetime.min, delivery.fraction_number or 0  # noqa: DTZ901  for order only


def _has_witness(number: int, by_fraction: ByNumber, database: ByNumber, unit: str) -> bool:
    """Whether another fraction or the database says the same; not where the database says that more was the whole."""
    asked = by_fraction[number]
    said = [m for n, m in by_fraction.items() if n != number] + list(database.values())
    whole = database.get(number, asked)
    is_a_rest = whole > asked and not agree(whole, asked, unit)
    return not is_a_rest and any(agree(asked, m, unit) for m in said)


def _alike(others: ByNumber, follow: set[int], unit: str) -> list[tuple[int, ...]]:
    """Fraction numbers of which one sentence can tell."""
    groups: list[list[int]] = []
    for number in sorted(others):
        for group in groups:
            if (group[0] in follow) == (number in follow) and agree(others[group[0]], others[number], unit):
                group.append(number)
                break
        else:
            groups.append([number])
    return [tuple(group) for group in groups]
