"""Which of the records that the R&V system denies it rather purged, and on which of these a fraction hinges. Pure.

Goal
    An R&V system that keeps the last weeks alone denies hundreds of records at once, where what was known before is
    lost: that is said, and nobody is asked about each. But one that somebody added among them finishes a fraction that
    was interrupted, and the rest of that would never be given.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import timedelta

from recovery.course.deliveries import Delivery
from recovery.course.fractions import FractionState, count_fractions
from recovery.course.metersets import ByFraction
from recovery.dicom.plans import Plan
from recovery.dicom.records import TreatmentRecord
from recovery.identity.one_patient import own_plan

AT_ONCE = timedelta(hours=2)
"""Records of one fraction, a beam each, are of one session."""


def purged(
    denied: Set[str],
    doubted: Set[str],
    records: Iterable[TreatmentRecord],
    plans: Mapping[str, Plan],
    asked: Mapping[str, ByFraction],
) -> tuple[set[str], set[str]]:
    """Which of those that it denies are of earlier days and lower fractions than all that it ever named of the plan: an
    R&V system that purges has no more of them. Whoever adds a fraction that nobody gave adds a higher or later one.
    After these the others, on which a fraction hinges that was given in parts, or is not finished.

    `doubted`: what it was not seen to have; `asked`: by plan, what the R&V database says was planned.
    """
    if not denied:
        return set(), set()
    courses: dict[tuple[str | None, str | None], list[TreatmentRecord]] = {}
    for one in records:
        courses.setdefault((one.ref.patient_id, one.course_uid), []).append(one)
    found, hinging = set[str](), set[str]()
    for (_, uid), told in courses.items():
        named = [one for one in told if one.ref.sop_instance_uid not in doubted]
        before = (one for one in told if named and all(_is_before(one, later) for later in named))
        if own := {one.ref.sop_instance_uid for one in before} & denied:
            found |= own
            fractions = count_fractions(told, own_plan(plans.get(uid or ""), told), asked.get(uid or "")).fractions
            hinging |= own & {by for fraction in fractions if _hinges(fraction) for by in _records_of(fraction)}
    return found - hinging, hinging


def _is_before(one: TreatmentRecord, later: TreatmentRecord) -> bool:
    numbers, higher = ([beam.current_fraction_number for beam in record.beams] for record in (one, later))
    if one.treated_at is None or later.treated_at is None or not numbers or not higher or None in (*numbers, *higher):
        return False
    return one.treated_at < later.treated_at and max(filter(None, numbers)) < min(filter(None, higher))


def _hinges(fraction: FractionState) -> bool:
    return not fraction.is_complete or _is_in_parts(fraction.deliveries)


def _is_in_parts(deliveries: Sequence[Delivery]) -> bool:
    """Whether it was gone on with: a beam has two records, one says so, or some are of another hour."""
    given = [d for d in deliveries if d.beam.delivered_meterset != 0]
    if len({d.sop_instance_uid for d in given}) < 2:
        return False
    beams = {(d.sop_instance_uid, _beam_of(d)) for d in given}
    times = [d.treated_at for d in given if d.treated_at is not None]
    return (
        len({beam for _, beam in beams}) < len(beams)
        or any(d.beam.treatment_delivery_type == "CONTINUATION" for d in given)
        or (len(times) > 1 and max(times) - min(times) > AT_ONCE)
    )


def _beam_of(delivery: Delivery) -> tuple[object, ...]:
    """Of brachytherapy a record may tell of its own channels alone."""
    return delivery.beam.beam_number, *(one.channel_number for one in delivery.beam.channel_times)


def _records_of(fraction: FractionState) -> Iterable[str]:
    return (d.sop_instance_uid for d in fraction.deliveries if d.sop_instance_uid is not None)
