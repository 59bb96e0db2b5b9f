"""What is odd about a course, in words, for a person to judge: it is neither hidden nor does it change the count."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from recovery.course.by_session import COUNTED, is_by_session
from recovery.course.deliveries import TREATING, Delivery, is_session
from recovery.course.fractions import Course, FractionState
from recovery.course.metersets import FULL_WITHIN, Specified, is_enough, planned_metersets
from recovery.dicom.local_time import offset
from recovery.dicom.plans import NOT_TREATMENT_BEAMS, Plan
from recovery.dicom.records import TreatmentRecord
from recovery.words.units import MU, PULSES, SECONDS, amount, number, unit_word
from recovery.words.values import counted

OVER_SHARE = 1.05
OVER_BY = {MU: 5.0, SECONDS: 5.0}
"""By unit. A beam that got more than both of its planned meterset is remarked on; in other units the share tells."""

_ONE_SESSION = timedelta(hours=2)
_OVER = 1.01
"""Times the planned meterset: where a machine stops."""
_NO_TREATMENT = frozenset({"VERIFICATION", "MACHINE_QA", "RESEARCH", "SERVICE"})
"""Terms of PlanIntent (300A,000A)."""


def remarks(
    course: Course, records: Iterable[TreatmentRecord], plan: Plan | None, now: datetime | None = None
) -> Iterator[str]:
    """Yield one sentence per oddity; none for a course that went as planned. `now`: local to the site."""
    listed = list(records)
    treated = [record.treated_at for record in listed if record.treated_at is not None]
    if ahead := [at for at in treated if now is not None and is_ahead(at, now)]:
        is_dated = "treatment record is" if len(ahead) == 1 else "treatment records are"
        yield f"{len(ahead)} {is_dated} dated in the future, the last {max(ahead):%Y-%m-%d %H:%M}: who made it?"
    yield from _too_much(course)
    yield from _channels_untold(course)
    yield from _left_open(course)
    yield from _numbered_below_one(course)
    if course.duplicates:
        yield f"{counted(course.duplicates, 'delivery', 'deliveries')} recorded twice, counted once"
    if is_by_session(listed):
        yield from _by_session(listed)
    else:
        yield from _notcounted(listed, plan)
        yield from _other_units(course, listed, plan)
    yield from _not_said(listed)
    if plan is not None:
        yield from _of_plan(plan)
        yield from _of_groups(course, plan)


def is_ahead(treated_at: datetime, now: datetime) -> bool:
    """Whether it cannot have been treated then, however a machine's clock goes; both local to the site."""
    return treated_at > now + timedelta(days=1)


def specified_in_words(course: Course) -> Iterator[str]:
    """A sentence for each beam of which the R&V system asked for another meterset than the plan's: both numbers."""
    for one in course.specified:
        planned, asked = amount(one.planned, one.unit), amount(one.specified, one.unit)
        fractions = f"{'fraction' if len(one.fraction_numbers) == 1 else 'fractions'} {_in_short(one)}"
        where = "at most in the records" if course.is_counted_without_plan else "in the plan"
        whose = f"counted by {asked}" if one.counts else f"nothing else says so, counted by {planned}"
        yield f"beam {one.beam_number}: {planned} {where}, {asked} asked for by the R&V system in {fractions}, {whose}"


def _in_short(one: Specified) -> str:
    """`4-8`, or each number."""
    numbers: Sequence[int] = one.fraction_numbers
    is_run = len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1
    return f"{numbers[0]}-{numbers[-1]}" if is_run else ", ".join(map(str, numbers))


def both_tell(fraction: FractionState) -> bool:
    """Whether the R&V database alone tells every beam once and in full, and all else is of that session and no more.

    Machines may store records beside those that are made of MOSAIQ's database, by another clock and with fewer digits:
    no fraction was given twice by that.
    """
    told = [d for d in fraction.deliveries if d.beam.delivery_id is not None]
    others = [d for d in fraction.deliveries if d.beam.delivery_id is None]
    times = [d.treated_at for d in fraction.deliveries if d.treated_at is not None]
    if not told or not others or any(d.beam.charted_by for d in others) or len(times) < len(fraction.deliveries):
        return False
    if max(times) - min(times) >= _ONE_SESSION:
        return False
    for beam in fraction.beams:
        theirs, ours = (_sum_of(beam.beam_number, of) for of in (told, others))
        if beam.planned is None or not is_enough(theirs, beam.planned, beam.unit):
            return False
        if max(theirs, ours) > _OVER * beam.planned + FULL_WITHIN:
            return False
    return True


def is_of_both(one: Delivery, other: Delivery) -> bool:
    """Whether one is told by the database and one by a machine."""
    is_told = [d.beam.delivery_id is not None for d in (one, other)]
    return is_told[0] is not is_told[1] and not (one.beam.charted_by or other.beam.charted_by)


def _sum_of(beam_number: int, deliveries: Iterable[Delivery]) -> float:
    return sum(d.beam.delivered_meterset or 0.0 for d in deliveries if d.beam.beam_number == beam_number)


def _numbered_below_one(course: Course) -> Iterator[str]:
    """They were delivered, and no number after theirs follows from them."""
    odd = [fraction.fraction_number for fraction in course.fractions if fraction.fraction_number < 1]
    if odd:
        yield f"{counted(len(odd), 'fraction')} counted whose number is below 1: {', '.join(map(str, odd))}"


def _of_groups(course: Course, plan: Plan) -> Iterator[str]:
    """Each fraction group counts its own fractions (PS3.3 C.8.8.13): a number alone does not tell of which."""
    if len(plan.treating_groups) < 2:
        return
    said = []
    for group in plan.treating_groups:
        own = [f for f in course.fractions if f.fraction_group_number == group.fraction_group_number and f.is_complete]
        planned = number(group.number_of_fractions_planned, None)
        said.append(f"group {group.fraction_group_number} {len(own)} of {planned}")
    yield f"fraction groups with numbers of their own: {', '.join(said)}"


def _of_plan(plan: Plan) -> Iterator[str]:
    if plan.plan_intent in _NO_TREATMENT:
        yield f"the plan's intent is {plan.plan_intent}, not treatment"
    for group in plan.fraction_groups:
        beams = [b for b in plan.beams if b.fraction_group_number == group.fraction_group_number]
        is_left_out = group not in plan.treating_groups and any(
            b.treatment_delivery_type not in NOT_TREATMENT_BEAMS for b in beams
        )
        if is_left_out and group.number_of_fractions_planned:
            number_of_it, planned = group.fraction_group_number, group.number_of_fractions_planned
            yield f"no beam of fraction group {number_of_it} has a meterset, its {planned} fractions are not counted"
    if plan.approval_status not in {None, "APPROVED"}:
        yield f"the plan is {plan.approval_status}"
    if not plan.structure_set_uids:
        yield "the plan names no structure set"


def _too_much(course: Course) -> Iterator[str]:
    planned, delivered = course.number_of_fractions_planned, course.fractions_delivered
    if planned is not None and delivered > planned:
        yield f"{delivered} fractions delivered of {planned} planned"
    for fraction in course.fractions:
        for beam in fraction.beams:
            if beam.planned is not None and beam.delivered > _most(beam.planned, beam.unit):
                yield (
                    f"fraction {fraction.fraction_number} beam {beam.beam_number}: "
                    f"{amount(beam.delivered, beam.unit)} delivered of {number(beam.planned, beam.unit)} planned"
                )


def _channels_untold(course: Course) -> Iterator[str]:
    for fraction in course.fractions:
        for beam in fraction.beams:
            if beam.channels_untold:
                channels = counted(beam.channels_untold, "channel")
                which = f"fraction {fraction.fraction_number} beam {beam.beam_number}"
                yield f"{which}: no record of {channels} of the plan"


def _most(planned: float, unit: str) -> float:
    """What is not remarked on; a pulse too many is."""
    return planned if unit == PULSES else max(OVER_SHARE * planned, planned + OVER_BY.get(unit, 0.0))


def _left_open(course: Course) -> Iterator[str]:
    numbers = [f.fraction_number for f in course.fractions if not f.is_complete][:-1]
    if numbers:
        yield f"also begun and not complete: fraction {', '.join(map(str, numbers))}"


def _by_session(records: Iterable[TreatmentRecord]) -> Iterator[str]:
    yield COUNTED
    numbers = [beam.current_fraction_number for record in records for beam in record.beams]
    if unnumbered := sum(number is None for number in numbers):
        yield f"{counted(unnumbered, 'delivered beam')} without a fraction number, not counted"


def _notcounted(records: list[TreatmentRecord], plan: Plan | None) -> Iterator[str]:
    sessions = filter(is_session, records)
    treating = [b for record in sessions for b in record.beams if b.treatment_delivery_type in TREATING]
    unnumbered = sum(beam.current_fraction_number is None for beam in treating)
    if unnumbered:
        yield f"{counted(unnumbered, 'delivered beam')} without a fraction number, not counted"
    nameless = sum(beam.beam_number is None for beam in treating)
    if nameless:
        yield f"{counted(nameless, 'delivered beam')} without a beam number, not counted"
    without_beams = sum(not record.beams and is_session(record) for record in records)
    if without_beams:
        yield f"{counted(without_beams, 'record')} without beams, not counted"
    silent = sum(beam.delivered_meterset is None for beam in treating)
    if silent:
        yield f"{counted(silent, 'delivered beam')} without a meterset; NORMAL is taken as full"
    known = {number for beams in planned_metersets(plan).values() for number in beams}
    unknown = {beam.beam_number for beam in treating if beam.beam_number is not None} - known if known else set()
    if unknown:
        yield f"delivered beams that the plan does not treat with: {', '.join(map(str, sorted(unknown)))}"


def _other_units(course: Course, records: list[TreatmentRecord], plan: Plan | None) -> Iterator[str]:
    """What was recorded in another unit than it was planned in; and that nobody says a unit, where nobody does."""
    for fraction in course.fractions:
        units = {beam.beam_number: SECONDS if beam.unit == PULSES else beam.unit for beam in fraction.beams}
        for beam_number, unit in units.items():
            others = {d.unit for d in fraction.deliveries if d.beam.beam_number == beam_number} - {None, unit}
            for other in sorted(filter(None, others)):
                yield (
                    f"fraction {fraction.fraction_number} beam {beam_number}: planned in {unit_word(unit)} and "
                    f"recorded in {unit_word(other)}, not added up"
                )
    said = [b.meterset_unit for b in (plan.beams if plan is not None else ())]
    said += [b.meterset_unit for record in filter(is_session, records) for b in record.beams]
    if course.fractions and not any(said):
        yield "no object says the unit of the metersets, MU is taken"


def _not_said(records: list[TreatmentRecord]) -> Iterator[str]:
    """What the elements of a record do not say, and somebody should look at."""
    sessions = [record for record in records if record.beams and is_session(record)]
    named = [record.names_verification for record in sessions if record.names_verification is not None]
    for comment in dict.fromkeys(named):
        yield f"{counted(named.count(comment), 'record')} counted as treatment, though a comment says “{comment}”"
    untold = sum(b.treatment_delivery_type is None for record in sessions for b in record.beams)
    if untold:
        yield f"{counted(untold, 'delivered beam')} without TreatmentDeliveryType, taken as treatment"
    unread = [r for r in records if r.timezone_offset_from_utc and offset(r.timezone_offset_from_utc) is None]
    if unread:
        yield f"{counted(len(unread), 'record')} with a time zone that cannot be read, taken as local time"
