"""Deliveries to the patient: the beams of a course's treatment records, each once, each in its place.

SETUP, portfilms, verification and simulated sessions are left out; a delivery finds the plan's fraction group; copies
of it under other SOP Instance UIDs, which some systems write on every export, are joined.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import isclose

from recovery.dicom.model import RT_BRACHY_TREATMENT_RECORD
from recovery.dicom.plans import NOT_TREATMENT_BEAMS, Plan
from recovery.dicom.records import BeamDelivery, TreatmentRecord
from recovery.words.units import MU, SECONDS

_ONE_SESSION = timedelta(hours=2)
"""Between a record of a beam and one of its whole session; two fractions of a day are further apart."""
TREATING = {None, "TREATMENT", "CONTINUATION"}
"""TreatmentDeliveryType is type 2; an empty one is taken as TREATMENT. All other terms do not treat (PS3.3
C.8.8.21): OPEN_PORTFILM, TRMT_PORTFILM, SETUP, VERIFICATION."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivered beam with its place in the course."""

    fraction_group_number: int | None
    fraction_number: int | None
    beam: BeamDelivery
    treated_at: datetime | None
    is_brachy: bool = False
    sop_instance_uid: str | None = None
    """Of the record that it stands in; of one of them, where it stands in several."""
    treatment_machine_name: str | None = None
    treatment_record_content_origin: str | None = None

    @property
    def unit(self) -> str | None:
        """Of its metersets, as its record says it; a record made of the R&V database knows no more than the plan."""
        said = self.beam.meterset_unit if self.beam.delivery_id is None else None
        return said or (SECONDS if self.is_brachy else None)


def setup_beams(plan: Plan | None) -> frozenset[int]:
    """Beams that the plan does not treat with: what a record says of them under TREATMENT treated nobody."""
    beams = plan.beams if plan is not None else ()
    return frozenset(b.beam_number for b in beams if b.treatment_delivery_type in NOT_TREATMENT_BEAMS)


def is_session(record: TreatmentRecord, setup: Set[int] = frozenset()) -> bool:
    """Whether the patient was treated: one beam at least treats, or the record tells nothing of its beams.

    `setup`: the plan's beams that do not treat, whatever the record calls them.
    Radixact writes records without TreatmentSessionBeamSequence: they count nothing, and yet somebody was treated.
    """
    if record.treatment_record_content_origin == "SIMULATION":
        return False
    treating = (b.beam_number for b in record.beams if b.treatment_delivery_type in TREATING)
    return not record.beams or any(number not in setup for number in treating)


def treated_since(records: Iterable[TreatmentRecord], day: date) -> dict[str | None, list[datetime]]:
    """By plan, when machines treated with it on a day and since."""
    found: dict[str | None, list[datetime]] = {}
    for record in records:
        at = record.last_delivered_at
        if at is not None and at.date() >= day and is_session(record) and not any(b.charted_by for b in record.beams):
            found.setdefault(record.referenced_rt_plan_uid, []).append(at)
    return found


def session_numbers(records: Iterable[TreatmentRecord]) -> frozenset[int]:
    """Every fraction number at which the patient lay there, if only for a portfilm; not those of rehearsals."""
    return frozenset(
        beam.current_fraction_number
        for record in records
        if record.treatment_record_content_origin != "SIMULATION"
        for beam in record.beams
        if beam.current_fraction_number is not None and beam.treatment_delivery_type != "VERIFICATION"
    )


def distinct_deliveries(records: Sequence[TreatmentRecord], plan: Plan | None) -> tuple[list[Delivery], int]:
    """Each delivery once, and how many came again in another record.

    The same beam cannot start twice in the same second with the same outcome: two records that say so are one
    delivery under two SOP Instance UIDs; what one record says again of others' beams (`_summaries`) is none either.
    Within one record every item counts. Where no record gives a time, the same outcome is taken for the same
    delivery: what is counted must be proven.
    """
    found = list(_deliveries(records, plan))
    by_place: dict[object, list[tuple[str, Delivery]]] = {}
    for uid, delivery in found:
        by_place.setdefault(_place(delivery), []).append((uid, delivery))
    kept: list[Delivery] = []
    duplicates = 0
    for same in (group for members in by_place.values() for group in _joined(members)):
        by_record: dict[str, list[Delivery]] = {}
        for uid, delivery in same:
            by_record.setdefault(uid, []).append(delivery)
        longest = max(by_record.values(), key=len)
        kept += longest
        duplicates += len(same) - len(longest)
    summaries = {id(delivery) for delivery in _summaries(kept, plan)}
    kept, duplicates = [d for d in kept if id(d) not in summaries], duplicates + len(summaries)
    order = {id(delivery): place for place, (_, delivery) in enumerate(found)}
    return sorted(kept, key=lambda delivery: order[id(delivery)]), duplicates


def _deliveries(records: Sequence[TreatmentRecord], plan: Plan | None) -> Iterable[tuple[str, Delivery]]:
    """Deliveries to the patient, each with the UID of its record."""
    numbers = [r.referenced_fraction_group_number for r in records if r.referenced_fraction_group_number is not None]
    for record in filter(is_session, records):
        is_brachy = record.ref.sop_class_uid == RT_BRACHY_TREATMENT_RECORD
        for beam in record.beams:
            if beam.treatment_delivery_type in TREATING:
                group = (
                    _group_of(record, beam, plan, is_brachy)
                    if plan is not None
                    else _group_without_plan(record, numbers)
                )
                treated_at = record.treated_at or beam.started_at
                number = beam.current_fraction_number
                uid, machine = record.ref.sop_instance_uid, record.treatment_machine_name
                origin = record.treatment_record_content_origin
                yield uid, Delivery(group, number, beam, treated_at, is_brachy, uid, machine, origin)


def _group_of(record: TreatmentRecord, beam: BeamDelivery, plan: Plan, is_brachy: bool) -> int | None:
    """The plan's fraction group that a delivery belongs to: the one that the record names where it has the beam.

    A plan may hold a beam and an application setup of one number, in two groups: they are told apart by their kind.
    """
    numbers = [g.fraction_group_number for g in plan.fraction_groups]
    with_beam = [b for b in plan.beams if b.beam_number == beam.beam_number]
    of_kind = [b for b in with_beam if (b.meterset_unit == SECONDS) == is_brachy]
    candidates = [b.fraction_group_number for b in of_kind or with_beam] or numbers
    named = record.referenced_fraction_group_number
    return named if named in candidates else next(iter(candidates), None)


def _group_without_plan(record: TreatmentRecord, numbers: Sequence[int]) -> int | None:
    """The record's own number; a record that names none belongs to the course's first group (type 3)."""
    own = record.referenced_fraction_group_number
    return own if own is not None else min(numbers, default=None)


def _place(delivery: Delivery) -> object:
    """What two records of one delivery have in common to the letter."""
    beam = delivery.beam
    delivery_type = beam.treatment_delivery_type or "TREATMENT"
    channels = tuple(channel.channel_number for channel in beam.channel_times)
    return delivery.fraction_group_number, delivery.fraction_number, beam.beam_number, delivery_type, channels


def _joined(members: Sequence[tuple[str, Delivery]]) -> Iterable[list[tuple[str, Delivery]]]:
    """Members that are one delivery, together: also where the first looks like the last only through one between."""
    groups: list[list[tuple[str, Delivery]]] = []
    for member in members:
        near = [group for group in groups if any(_is_copy(member[1], other) for _, other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([*(one for group in near for one in group), member])
    return groups


def _summaries(deliveries: Iterable[Delivery], plan: Plan | None) -> Iterator[Delivery]:
    """What a record of several beams tells again that records of fewer tell of the same fraction and session: some
    systems write a record for each beam, and one of the whole session, at its end.

    Told again is what agrees in every beam, and would come to more than was planned if both had been given.
    """
    planned: dict[tuple[int | None, int | None], float | None]
    planned = {(b.fraction_group_number, b.beam_number): b.beam_meterset for b in (plan.beams if plan else ())}
    fractions: dict[object, dict[str | None, list[Delivery]]] = {}
    for d in deliveries:
        if None not in (d.fraction_number, d.beam.beam_number, d.beam.delivered_meterset) and not d.beam.charted_by:
            of = fractions.setdefault((d.fraction_group_number, d.fraction_number), {})
            of.setdefault(d.sop_instance_uid, []).append(d)
    for records in fractions.values():
        for own in records.values() if len(records) > 2 else ():
            told, again = _sums(own), _sums(d for one in records.values() if _is_part(one, own) for d in one)
            is_same = told.keys() == again.keys() and all(is_rounding(told[n], again[n], own[0].unit) for n in told)
            if is_same and any(2 * told[d.beam.beam_number] > _most(d, planned) for d in own):
                yield from own


def _is_part(one: Sequence[Delivery], of: Sequence[Delivery]) -> bool:
    """Whether a record tells of some of another's beams, on the same machine, in the same session."""
    beams, all_beams = ({d.beam.beam_number for d in record} for record in (one, of))
    is_near = abs(_when(one[0]) - _when(of[0])) < _ONE_SESSION
    return is_near and beams < all_beams and one[0].treatment_machine_name == of[0].treatment_machine_name


def _most(delivery: Delivery, planned: Mapping[tuple[int | None, int | None], float | None]) -> float:
    """What a beam may come to in one fraction; without a plan, by the record itself."""
    own = planned.get((delivery.fraction_group_number, delivery.beam.beam_number))
    whole = own if own is not None else delivery.beam.specified_meterset
    return float("inf") if whole is None else 1.01 * whole + 0.5


def _when(delivery: Delivery) -> datetime:
    return delivery.treated_at or datetime.min  # noqa: DTZ901  site-local, for order only


def _sums(deliveries: Iterable[Delivery]) -> dict[int | None, float]:
    sums: dict[int | None, float] = {}
    for d in deliveries:
        sums[d.beam.beam_number] = sums.get(d.beam.beam_number, 0.0) + (d.beam.delivered_meterset or 0.0)
    return sums


def _is_copy(one: Delivery, other: Delivery) -> bool:
    """Whether they began in the same second with the same outcome, but for how the two records round."""
    outcomes = (
        (one.beam.specified_meterset, other.beam.specified_meterset),
        (one.beam.delivered_meterset, other.beam.delivered_meterset),
    )
    unit = one.unit or other.unit
    return _began_together(one, other) and all(is_rounding(a, b, unit) for a, b in outcomes)


def may_be_one(one: Delivery, other: Delivery) -> bool:
    """Whether two records tell of one beam from the same second, whatever they say that it got."""
    is_apart = one.sop_instance_uid != other.sop_instance_uid and not (one.beam.charted_by or other.beam.charted_by)
    return is_apart and _place(one) == _place(other) and _began_together(one, other)


def _began_together(one: Delivery, other: Delivery) -> bool:
    """Less than one second apart: a second may be cut off or rounded."""
    first, second = (d.beam.started_at or d.treated_at for d in (one, other))
    if one.treated_at is not None and other.treated_at is not None and one.treated_at.fold != other.treated_at.fold:
        return False  # an hour apart, in a night that repeats an hour
    if first is None or second is None:
        return first is second
    return abs(first - second) < timedelta(seconds=1)


def is_rounding(one: float | None, other: float | None, unit: str | None = MU) -> bool:
    """Whether two metersets are one number, written with fewer digits or as a binary float of 32 bits.

    MU and seconds are written to two digits after the point, at least to one; any other unit to three figures.
    """
    if one is None or other is None:
        return one is other
    if unit not in {None, MU, SECONDS}:
        return isclose(one, other, rel_tol=1e-3)
    shorter = any(isclose(round(a, 1), b) for a, b in ((one, other), (other, one)))
    return shorter or isclose(one, other, rel_tol=1e-6, abs_tol=0.01 + 1e-9)
