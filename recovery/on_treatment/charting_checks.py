"""What is refused, or warned of, before two people sign that a fraction was given. Pure, no I/O, no clock.

How
    Each check looks at one thing and says both sides. Whether it refuses, warns or is off stands in the config, which a
    physicist signs: a clinic that treats in a downtime knows best what its machines do. What would count a delivery
    twice, or count none, is always refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from recovery.course.charted_entries import ChartedBeam, ChartedFraction, KnownDelivery
from recovery.course.metersets import is_absurd
from recovery.on_treatment.charting_limits import Checks, Limits
from recovery.words import next_unknown
from recovery.words.statuses import is_over, why_over
from recovery.words.times import age, at_time_this_year
from recovery.words.units import MU
from recovery.words.values import absent, counted

TWICE_A_DAY = ("bid", "twice", "2 x a day", "2x a day", "hyperfraction")
"""Words of a FractionPattern, in small letters, by which two fractions a day are meant."""
AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the plan as somebody charts. `row`: of the list, as it is now; `times`: when its fractions were
    given, by number; `given`: what records and entries tell of the fraction to be charted, MU by beam; `units`: those
    of the plan's beams; `copied_at`: the newest that the safety copy tells of; `was_given`: an entry that tells a
    delivery is corrected, whatever became of the plan since; times are naive, local to the site."""

    row: Mapping[str, Any]
    now: datetime
    times: Sequence[tuple[int | None, datetime]] = ()
    given: Mapping[int, float] = field(default_factory=dict)
    planned: Mapping[int, float | None] = field(default_factory=dict)
    units: frozenset[str] = frozenset({MU})
    machines: frozenset[str] = frozenset()
    fraction_pattern: str | None = None
    known: Sequence[KnownDelivery] = ()
    copied_at: datetime | None = None
    was_given: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """`said` about an entry; whoever signs may accept it unless it is refused."""

    check: str
    said: str
    is_refused: bool


def findings(
    entry: ChartedFraction, facts: Facts, checks: Checks | None = None, limits: Limits | None = None
) -> list[Finding]:
    """What is to be said of an entry before it is signed, what refuses it first. `checks`: the config's."""
    own, answers = limits or Limits(), checks or Checks()
    if entry.beams:
        told = [*_of_plan(entry, facts), *_of_number(entry, facts, own), *_of_metersets(entry, facts, own)]
    else:
        told = [*_of_none(entry, facts)]
    told += _of_time(entry, facts)
    asked = [(check, said, getattr(answers, check)) for check, said in told]
    found = [Finding(check, said, answer == "refuse") for check, said, answer in asked if answer != "off"]
    return sorted(found, key=lambda one: not one.is_refused)


def uncountable(facts: Facts) -> str:
    """Why nothing can be charted with a plan; empty where it can."""
    if not facts.planned:
        return "its beams and their MU are not known here: keep it on paper"
    if facts.units != {MU}:
        return f"its beams are planned in {', '.join(sorted(facts.units))}: only MU are charted here, keep it on paper"
    return ""


Told = Iterator[tuple[str, str]]


def _of_plan(entry: ChartedFraction, facts: Facts) -> Told:
    row = facts.row
    if is_over(row["status"]) and not facts.was_given:
        yield "plan_over", f"the plan is {row['status']}: {why_over(row['status'])}"
    if row["plan_held"] is not True:
        yield "plan_not_held", "the RT-PACS does not hold the plan: what it planned is not known"
    if row["ready"] is not True:
        yield "not_ready", f"the plan is not ready: missing {row['missing'] or 'nobody knows what'}"
    if facts.machines and entry.treatment_machine_name not in facts.machines:
        planned = ", ".join(sorted(facts.machines))
        yield "wrong_machine", f"the plan is for {planned}, and {entry.treatment_machine_name} is charted"
    if row.get("charted_conflict"):
        yield "conflict_open", f"not settled yet: {row['charted_conflict']}"
    for reason in next_unknown.unsettled(row):
        yield "not_the_next_fraction", f"which fraction is next is not known: {reason}"


def _of_number(entry: ChartedFraction, facts: Facts, limits: Limits) -> Told:
    row, number, at = facts.row, entry.fraction_number, entry.treated_at
    planned = row["course_number_of_fractions_planned"] or row["number_of_fractions_planned"]
    due, is_begun = row["next_fraction_number"], bool(facts.given)
    if due is not None and number != due:
        yield "not_the_next_fraction", f"fraction {number} is charted, and {due} is next"
    if due is None and row.get("next_decided"):
        yield "not_the_next_fraction", f"fraction {number} is charted, and that nothing remains was decided"
    given = row["course_fractions_delivered"] or 0
    if planned is not None and not is_begun and given >= planned:
        yield "more_fractions_than_planned", f"all {planned} planned fractions are given"
    others = [(n, t) for n, t in facts.times if n != number]
    same_day = [(n, t) for n, t in others if t.date() == at.date()]
    if same_day:
        numbers = ", ".join(absent(n) for n, _ in same_day)
        nearest = min(abs(at - t) for _, t in same_day)
        if not any(word in (facts.fraction_pattern or "").casefold() for word in TWICE_A_DAY):
            yield "second_fraction_same_day", f"fraction {numbers} was given that day, and nothing says twice a day"
        if nearest < limits.interval:
            yield "interval_too_short", f"{age(nearest)} from fraction {numbers}, {age(limits.interval)} are wanted"
    before = [t for _, t in facts.times if t < at]
    days = (at.date() - max(before).date()).days - 1 if before else 0
    if days > limits.gap_days:
        yield "gap_too_long", f"{counted(days, 'day')} without treatment before it: has a physician decided?"


def _of_none(entry: ChartedFraction, facts: Facts) -> Told:
    for number, at in facts.times:
        if at.date() == entry.treated_at.date() and not entry.is_withdrawn:
            said = f"fraction {absent(number)} was given that day at {at:%H:%M}"
            yield "told_already", f"{said}, and not treated is charted"


def _of_metersets(entry: ChartedFraction, facts: Facts, limits: Limits) -> Told:
    for beam in entry.beams:
        name, planned = beam.beam_name or f"beam {beam.beam_number}", facts.planned.get(beam.beam_number)
        if planned is None:
            yield "plan_not_held", f"{name}: how many MU were planned is not known"
            continue
        total = facts.given.get(beam.beam_number, 0.0) + beam.delivered_meterset
        said = f"{name}: {total:.1f} MU in this fraction, {planned:.1f} planned"
        if is_absurd(total, planned):
            yield "meterset_absurd", said
        elif abs(total - planned) > max(limits.meterset_share * planned, 0.5):
            yield "meterset_beyond_tolerance", said
        if again := _told_already(entry, beam, facts.known):
            yield "told_already", f"{name}: {beam.delivered_meterset:.1f} MU are recorded at {again:%H:%M} already"
    if not any(beam.delivered_meterset > 0 for beam in entry.beams):
        yield "meterset_absurd", "nothing was given: chart that the patient was not treated"


def _told_already(entry: ChartedFraction, beam: ChartedBeam, known: Iterable[KnownDelivery]) -> datetime | None:
    """When a record or an entry has the same beam with the same MU on that day."""
    for one in known:
        is_beam = (one.beam_number, one.fraction_number) == (beam.beam_number, entry.fraction_number)
        at, given = one.began_at, one.delivered_meterset
        is_of_day = at is not None and at.date() == entry.treated_at.date()
        if is_beam and is_of_day and given is not None and abs(given - beam.delivered_meterset) <= 0.5:
            return at
    return None


def _of_time(entry: ChartedFraction, facts: Facts) -> Told:
    newest = max((t for _, t in facts.times), default=None)
    if entry.treated_at > facts.now + AHEAD:
        told = at_time_this_year(facts.now)
        yield "clock", f"{at_time_this_year(entry.treated_at)} has not come yet, it is {told}: is a clock wrong?"
    elif facts.copied_at is not None and facts.copied_at > facts.now + AHEAD:
        copied, here = at_time_this_year(facts.copied_at), at_time_this_year(facts.now)
        yield "clock", f"the safety copy is of {copied}, and here it is {here}: is the clock wrong?"
    elif newest is not None and newest > facts.now + AHEAD:
        yield (
            "clock",
            f"a fraction is recorded at {at_time_this_year(newest)}, which has not come: is the clock wrong?",
        )
