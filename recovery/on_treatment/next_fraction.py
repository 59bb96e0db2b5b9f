"""Why the next fraction cannot be told by one number, or may be given already, in sentences. Pure, no I/O, no clock.

Goal
    Nobody reads `finish 3 first, 120 MU left` where the records themselves show that these 120 MU may have been given,
    nor a number that is another fraction group's.

How
    What was given and counts nowhere; what one fraction lacks and another got beyond its plan; parts under two numbers
    that together are one fraction; two fractions under one number; fraction groups that count for themselves; plans of
    one anatomy that were treated in each other's place. Nothing of it changes a count: a person decides.
"""

from collections.abc import Iterable, Iterator
from itertools import combinations

from recovery.course.courses import Chain, Member, shares_anatomy
from recovery.course.deliveries import Delivery, is_rounding, may_be_one
from recovery.course.fractions import UNNUMBERED, WITHOUT_BEAMS, Course, FractionState, Unplaced
from recovery.course.metersets import FULL_SHARE, agree, is_enough
from recovery.course.remarks import both_tell, is_of_both
from recovery.words import next_unknown
from recovery.words.times import day
from recovery.words.units import PULSES, amount
from recovery.words.values import absent, counted

OVER = 1.01
"""Times the planned meterset: where a machine stops."""
TWICE = 1.98
"""Times the planned meterset: two whole fractions, each in full at 99 %."""


def next_remarks(chain: Chain, member: Member, beside: Iterable[Member]) -> Iterator[str]:
    """What is to be remarked on the number of the next fraction of one plan. `beside`: all plans of the patient."""
    found = list(doubts(chain, member, beside))
    yield from map(next_unknown.why, found) if found else in_group(member.course)


def doubts(chain: Chain, member: Member, beside: Iterable[Member] = ()) -> Iterator[str]:
    """Of one plan of a course; none where nothing remains to be given."""
    if chain.remaining_with(member) == 0:
        return
    course = member.course
    yield from _of_groups(course)
    yield from _unplaced(course)
    yield from _untold(course)
    yield from _begun_at_once(course)
    yield from _taken_for_copies(course)
    yield from _out_of_course(course)
    yield from _twice_over(course)
    yield from _told_again(course)
    yield from _given_elsewhere(course)
    yield from _of_no_plan(member, beside)
    for other in beside:
        yield from _begun_with_one_not_held(course, other)
        is_of_course = any(other is one for one in chain.members)
        if other is not member and (is_of_course or shares_anatomy(member.plan, other.plan)):
            yield from _begun_with_both(course, other)
            yield from _treated_again(member, other)
            yield from _treated_again(other, member)


def _of_no_plan(member: Member, beside: Iterable[Member]) -> Iterator[str]:
    """Where some records of a patient name a plan and others none, on one machine, and not long before."""
    for other in beside:
        named, unnamed = (member, other) if other.uid is None else (other, member)
        machines = {one.course.treatment_machine_name for one in (named, unnamed)} - {None}
        began, last = named.course.first_treatment_at, unnamed.course.last_treatment_at
        is_either = unnamed.uid is None and named.uid is not None
        if is_either and len(machines) < 2 and began is not None and last is not None and last >= began:
            yield f"treatment records of this patient that name no plan may be of plan {_label(named)}"


def goes_on(earlier: Member, later: Member) -> bool:
    """Whether the numbers of a plan go on from those that another gave before it.

    On one anatomy; elsewhere, as of a boost on its own images and another machine, where the plan cannot have had so
    many fractions by itself.
    """
    before, first = _numbers_before(earlier, later), min(later.numbers, default=0)
    is_above_its_own = later.own_number is not None and later.own_number < first
    is_one_course = shares_anatomy(earlier.plan, later.plan) or is_above_its_own
    return earlier is not later and is_one_course and first > 1 and max(before, default=0) == first - 1


def _numbers_before(earlier: Member, later: Member) -> list[int]:
    first = later.course.first_treatment_at
    times = ((f.fraction_number, f.last_treatment_at) for f in earlier.course.fractions)
    return [number for number, at in times if at is not None and first is not None and at < first]


def _treated_again(earlier: Member, later: Member) -> Iterator[str]:
    """A plan that was treated once more after another had taken its place."""
    last, began = earlier.course.last_treatment_at, later.course.first_treatment_at
    if last is not None and began is not None and last > began and goes_on(earlier, later):
        number = max(_numbers_before(earlier, later))
        went_on = f"plan {_label(later)} had gone on from its fraction {number}"
        yield f"plan {_label(earlier)} was treated again on {day(last.date())}, after {went_on}"


def _begun_with_both(course: Course, other: Member) -> Iterator[str]:
    """The interrupted fraction of one plan, of which the records of another plan show the beams that it lacks."""
    own = course.interrupted
    for theirs in other.course.fractions:
        is_same = own is not None and theirs.fraction_number == own.fraction_number and not theirs.is_complete
        if own is not None and is_same and _completes(own, theirs):
            yield f"fraction {own.fraction_number} was begun with plan {_label(other)} too, with other beams"


def _begun_with_one_not_held(course: Course, other: Member) -> Iterator[str]:
    """The interrupted fraction, of which records of a plan that nobody has show beams that it lacks: a UID that was
    altered under way is such a plan."""
    own = course.interrupted
    for theirs in other.course.fractions if other.plan is None and other.uid is not None else ():
        if own is not None and theirs.fraction_number == own.fraction_number and _given(theirs) <= _lacking(own):
            yield f"fraction {own.fraction_number} was begun with plan {_label(other)} too, which is not held"


def _label(member: Member) -> str:
    return absent((member.plan.rt_plan_label if member.plan is not None else None) or member.uid)


def in_group(course: Course) -> Iterator[str]:
    """Of a plan with several fraction groups, whose fraction is next, where that is sure: a number does not say it."""
    own = course.interrupted
    if len(course.groups) < 2 or course.fractions_remaining == 0:
        return
    if own is not None:
        yield _of_group(own.fraction_group_number, f"fraction {own.fraction_number} is to be finished")
        return
    found = course.next_of_groups()
    if len(found) == 1 and found[0][1] is not None:
        planned = {g.fraction_group_number: g.number_of_fractions_planned for g in course.groups}
        group, number = found[0]
        yield _of_group(group, f"fraction {number}{' if any remains' if planned[group] is None else ''}")


def _of_group(group: int | None, said: str) -> str:
    return next_unknown.in_group(group, f"{said}, with the beams of that group alone")


def _of_groups(course: Course) -> Iterator[str]:
    """Which fraction groups may be next, and with which number."""
    found = course.next_of_groups() if course.interrupted is None and len(course.groups) > 1 else []
    if len(found) == 1 and found[0][1] is None:
        after = max(f.fraction_number for f in course.fractions) + 1
        yield f"the first of fraction group {found[0][0]}, numbered 1, or {after} if numbers run through all groups"
    elif len(found) > 1:
        which = [("the first" if number is None else f"fraction {number}", group) for group, number in found]
        yield f"by the records it is {' or '.join(f'{one} of fraction group {group}' for one, group in which)}"


def _unplaced(course: Course) -> Iterator[str]:
    """What treated and counts nowhere, where it may be what a fraction lacks, or a whole one."""
    by_kind: dict[str, list[Unplaced]] = {}
    for one in course.unplaced:
        by_kind.setdefault(one.what, []).append(one)
    for what, found in by_kind.items():
        is_less = what == UNNUMBERED and course.interrupted is None and len(found) < len(course.next_metersets)
        days = sorted({one.at.date() for one in found if one.at is not None})
        on = (f" of {day(days[0])}" if len(days) == 1 else f", the last of {day(days[-1])},") if days else ""
        noun = "record" if what == WITHOUT_BEAMS else "delivered beam"
        if not is_less:
            yield f"{counted(len(found), noun)}{on}{what.removeprefix(noun)} may be of it"


def _untold(course: Course) -> Iterator[str]:
    """Beams of the interrupted fraction of which the records do not tell how much was given, or was to be."""
    own = course.interrupted
    beams = [b.beam_number for b in own.beams if not (b.is_full or b.is_known or b.channels_untold)] if own else []
    if own is not None and beams:
        which = f"{'beam' if len(beams) == 1 else 'beams'} {', '.join(map(str, beams))}"
        yield f"how much fraction {own.fraction_number} lacks of {which} is not known"


def _begun_at_once(course: Course) -> Iterator[str]:
    """Two records of one beam from the same second, that tell of different metersets: one may correct the other. Not
    where they add up to what was planned, as parts do that bear the time of their session, nor where one is full."""
    for fraction in (f for f in course.fractions if not both_tell(f)):
        for beam in fraction.beams:
            own = [d for d in fraction.deliveries if d.beam.beam_number == beam.beam_number]
            given = [d.beam.delivered_meterset or 0.0 for d in own]
            planned = beam.planned
            if planned is None or len(own) < 2 or agree(sum(given), planned, beam.unit):
                continue
            if is_enough(max(given), planned, beam.unit):
                continue
            for one, other in combinations(own, 2):
                if may_be_one(one, other):
                    both = " and ".join(amount(d.beam.delivered_meterset, beam.unit) for d in (one, other))
                    which = f"beam {beam.beam_number} of fraction {fraction.fraction_number}"
                    yield f"{both} of {which} are told of one moment"


def _taken_for_copies(course: Course) -> Iterator[str]:
    """Deliveries that were counted once, where a beam that lacks something has one that got all that it was to give:
    the others may be its further parts, under the time of the session."""
    own = course.interrupted
    lacking = _lacking(own) if own is not None and course.duplicates else set()
    parts = [d.beam for d in (own.deliveries if own is not None else ()) if d.beam.beam_number in lacking]
    if own is not None and any(
        b.delivered_meterset and is_rounding(b.specified_meterset, b.delivered_meterset) for b in parts
    ):
        copies = counted(course.duplicates, "delivery", "deliveries")
        yield f"{copies} recorded twice and counted once may be parts of fraction {own.fraction_number}"


def _out_of_course(course: Course) -> Iterator[str]:
    """A number further from the one before it than the plan has fractions: a slip, after which no number follows."""
    numbers, planned = sorted({f.fraction_number for f in course.fractions}), course.number_of_fractions_planned
    if course.interrupted is None and planned is not None and len(numbers) > 1 and numbers[-1] - numbers[-2] > planned:
        yield f"fraction number {numbers[-1]}, after {numbers[-2]}, is none of a plan of {counted(planned, 'fraction')}"


def _twice_over(course: Course) -> Iterator[str]:
    twice = (f for f in course.fractions if f.is_complete and all(map(_is_twice, _known(f))))
    numbers = [f.fraction_number for f in twice if not both_tell(f)]
    if numbers:
        which = f"fraction {numbers[0]}" if len(numbers) == 1 else f"fractions {', '.join(map(str, numbers))}"
        yield f"every beam of {which} was given twice over: two fractions under one number, or one given twice"


def _told_again(course: Course) -> Iterator[str]:
    """A beam that is more than full by two deliveries of one meterset, or of which database and machine tell one part:
    the second may be the first, told later."""
    for fraction in (f for f in course.fractions if not both_tell(f)):
        for beam in (b for b in fraction.beams if b.planned is not None):
            own = [d for d in fraction.deliveries if d.beam.beam_number == beam.beam_number]
            parts = [d for d in own if 0 < (d.beam.delivered_meterset or 0.0) < FULL_SHARE * (beam.planned or 0.0)]
            is_over = beam.delivered > OVER * (beam.planned or 0.0)
            alike = (pair for pair in combinations(parts, 2) if _is_alike(*pair, beam.unit))
            if any(is_over or is_of_both(*pair) for pair in alike):
                part = amount(parts[0].beam.delivered_meterset, beam.unit)
                twice = f"{part} of beam {beam.beam_number} are told twice"
                yield f"{twice}, of fraction {fraction.fraction_number}, which may lack them"


def _is_alike(one: Delivery, other: Delivery, unit: str) -> bool:
    return agree(one.beam.delivered_meterset or 0.0, other.beam.delivered_meterset or 0.0, unit)


def _known(fraction: FractionState) -> list[tuple[float, float]]:
    return [(b.planned or 0.0, 0.0 if b.unit == PULSES else b.delivered) for b in fraction.beams]


def _is_twice(beam: tuple[float, float]) -> bool:
    planned, delivered = beam
    return 0 < TWICE * planned <= delivered


def _given_elsewhere(course: Course) -> Iterator[str]:
    """What the interrupted fraction lacks, and another of its fraction group was given instead of it or beyond it."""
    own = course.interrupted
    if own is None:
        return
    group = [f for f in course.fractions if f.fraction_group_number == own.fraction_group_number and f is not own]
    parts = [f.fraction_number for f in group if not f.is_complete and _completes(own, f)]
    if parts:
        numbers = ", ".join(map(str, parts))
        yield f"fractions {numbers} and {own.fraction_number} have parts of which each lacks the other: they may be one"
    for other in (f for f in group if not both_tell(f)):
        for beam, surplus in _surplus(own, other):
            number = other.fraction_number
            yield f"fraction {number} got {surplus} of beam {beam} too much, which {own.fraction_number} lacks"


def _completes(one: FractionState, other: FractionState) -> bool:
    """Whether two fractions that lack something have no beam in common, and each gave what the other lacks."""
    mine, theirs = _given(one), _given(other)
    return bool(mine and theirs) and not mine & theirs and theirs <= _lacking(one) and mine <= _lacking(other)


def _given(fraction: FractionState) -> set[int]:
    return {b.beam_number for b in fraction.beams if b.delivered > 0 or b.is_full}


def _lacking(fraction: FractionState) -> set[int]:
    return {b.beam_number for b in fraction.beams if not b.is_full}


def _surplus(own: FractionState, other: FractionState) -> Iterator[tuple[int, str]]:
    lacks = {b.beam_number: b for b in own.beams if b.remaining}
    for beam in other.beams:
        lacking, planned = lacks.get(beam.beam_number), beam.planned
        if lacking is None or planned is None or lacking.unit != beam.unit:
            continue
        more, rest = beam.delivered - planned, lacking.remaining or 0.0
        if more > 0 and (more >= rest or agree(more, rest, beam.unit)):
            yield beam.beam_number, amount(more, beam.unit)
