"""Fractions that people charted while no R&V system did, beside the records of machines. Pure, no I/O, no clock.

Goal
    What two people signed counts at once, by the one arithmetic, and no delivery ever counts twice.

How
    The entries that stand (`charted_entries`) become treatment records of content origin USER (300A,0709), beam by
    beam. A machine's own record of the same fraction and beam, or of the same beam and day, stands in their place. Each
    entry names what was known when it was signed: that it adds to, and is not replaced by.

Why what differs is a conflict, and the next fraction then unknown
    Two days, two numbers or fewer MU than were charted may be one delivery or two. Whichever is taken, a next fraction
    counted from it may be given twice: people settle it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from recovery.course.by_session import is_by_session
from recovery.course.charted_entries import ChartedBeam, ChartedFraction, KnownDelivery, Standing
from recovery.course.deliveries import TREATING, is_rounding, is_session
from recovery.course.metersets import agree
from recovery.dicom.model import RT_BEAMS_TREATMENT_RECORD, InstanceRef, Patient
from recovery.dicom.records import CHARTED, BeamDelivery, TreatmentRecord
from recovery.words.times import at_time, day
from recovery.words.units import MU
from recovery.words.values import absent


@dataclass(frozen=True, slots=True)
class Settled:
    """What one plan's entries come to beside its records. `records`: to be counted with them; `said`: who charted what
    of it; `conflicts`: what people must settle before the next fraction is known."""

    records: tuple[TreatmentRecord, ...] = ()
    said: str = ""
    disagreements: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()


@dataclass(slots=True)
class _Group:
    """What was charted of one fraction and beam on one day, in order of time, and the machine's own deliveries that
    are, or may be, the same."""

    fraction_number: int | None
    beam_number: int
    day: date
    parts: list[tuple[ChartedFraction, ChartedBeam]]
    told: list[KnownDelivery] = field(default_factory=list)

    def may_be(self, one: KnownDelivery) -> bool:
        """Whether it is of that beam, and not every part was signed in its knowledge."""
        is_of_beam = one.beam_number in {None, self.beam_number}
        return is_of_beam and not all(_knows(entry, one) for entry, _ in self.parts)

    def is_of_day(self, one: KnownDelivery) -> bool:
        return one.began_at is None or one.began_at.date() == self.day

    def order(self, one: KnownDelivery) -> tuple[bool, timedelta, str]:
        """The same number first, then by time."""
        entry = self.parts[0][0]
        apart = abs(one.began_at - entry.treated_at) if one.began_at is not None else timedelta(0)
        return one.fraction_number != self.fraction_number, apart, entry.entry_id

    @property
    def replaced(self) -> list[tuple[ChartedFraction, ChartedBeam]]:
        """The parts in whose place the machine's deliveries stand: from the first on, until no more was charted than
        they and the parts that are left come to."""
        open_to_it = [part for part in self.parts if not all(_knows(part[0], one) for one in self.told)]
        given = self.given
        if given is None:
            return open_to_it
        room, gone = sum(beam.delivered_meterset for _, beam in open_to_it) - given + 1e-6, []
        for part in reversed(open_to_it):
            if part[1].delivered_meterset <= room:
                room -= part[1].delivered_meterset
            else:
                gone.append(part)
        return gone[::-1]

    @property
    def given(self) -> float | None:
        """MU by the machine; None where one of its records tells none."""
        known = [one.delivered_meterset for one in self.told if one.delivered_meterset is not None]
        return sum(known) if len(known) == len(self.told) else None


def settle_all(plans: Mapping[str, Standing], records: Iterable[TreatmentRecord]) -> dict[str, Settled]:
    """By plan, its entries held against its records."""
    own: dict[str | None, list[TreatmentRecord]] = {}
    for record in records:
        own.setdefault(record.referenced_rt_plan_uid, []).append(record)
    return {uid: settle(plan, own.get(uid, ())) for uid, plan in plans.items()}


def settle(plan: Standing, records: Sequence[TreatmentRecord]) -> Settled:
    """Hold one plan's entries against its `records`, those of machines.

    A plan that is counted by session has no beams to hold anything against: its entries are said, and not counted.
    """
    if plan.delivered and is_by_session(records):
        told = "fractions are counted by session here, and what was charted is not among them"
        return Settled(conflicts=(*plan.conflicts, told), said=_said(plan.delivered))
    groups = _grouped(plan.delivered)
    _match(groups, list(deliveries_of(records)))
    gone = {(entry.entry_id, beam.beam_number) for group in groups for entry, beam in group.replaced if group.told}
    left = [(e, tuple(b for b in e.beams if (e.entry_id, b.beam_number) not in gone)) for e in plan.delivered]
    counted = [replace(entry, beams=beams) for entry, beams in left if beams]
    differing = [(group, said) for group in groups if group.told and (said := _difference(group))]
    people = {r.ref.patient_id: r.patient for r in records}  # as their records write them
    return Settled(
        records=tuple(_record(entry, people.get(entry.patient_id)) for entry in counted),
        said=_said(counted),
        disagreements=tuple(said for group, said in differing if not _is_conflict(group)),
        conflicts=(*plan.conflicts, *(said for group, said in differing if _is_conflict(group))),
    )


def deliveries_of(records: Iterable[TreatmentRecord]) -> Iterator[KnownDelivery]:
    """What records tell of deliveries to the patient, for an entry to name or to be held against."""
    for record in filter(is_session, records):
        for beam in record.beams:
            if beam.treatment_delivery_type in TREATING and beam.delivered_meterset != 0:
                began_at = beam.started_at or record.treated_at
                yield KnownDelivery(beam.current_fraction_number, beam.beam_number, began_at, beam.delivered_meterset)


def deliveries_by_course(records: Iterable[TreatmentRecord]) -> dict[str, tuple[KnownDelivery, ...]]:
    """By course, what records of machines tell."""
    by_course: dict[str, list[TreatmentRecord]] = {}
    for record in records:
        if not any(beam.charted_by for beam in record.beams):
            by_course.setdefault(record.course_uid or "", []).append(record)
    return {uid: tuple(deliveries_of(own)) for uid, own in by_course.items()}


def _grouped(entries: Iterable[ChartedFraction]) -> list[_Group]:
    """`entries` in order of time."""
    groups: dict[object, _Group] = {}
    for entry in entries:
        for beam in entry.beams:
            key = entry.fraction_number, beam.beam_number, entry.treated_at.date()
            groups.setdefault(key, _Group(*key, [])).parts.append((entry, beam))
    return list(groups.values())


def _match(groups: Sequence[_Group], deliveries: Sequence[KnownDelivery]) -> None:
    """Give each group the deliveries that may be the same: of its number and day first, then of either."""
    rest = []
    for one in sorted(deliveries, key=lambda d: (d.began_at or datetime.max, repr(d))):  # noqa: DTZ901  for order only
        own = [group for group in groups if group.may_be(one) and one.fraction_number == group.fraction_number]
        of_day = [group for group in own if group.is_of_day(one)]
        for group in of_day:
            group.told.append(one)
        if not of_day:
            rest.append(one)
    for one in rest:
        free = [group for group in groups if not group.told and group.may_be(one)]
        alike = [g for g in free if one.fraction_number == g.fraction_number or g.is_of_day(one)]
        if alike:
            nearest = min(alike, key=lambda group: group.order(one))
            for group in alike if one.beam_number is None else [nearest]:
                if (group.fraction_number, group.day) == (nearest.fraction_number, nearest.day):
                    group.told.append(one)


def _knows(entry: ChartedFraction, one: KnownDelivery) -> bool:
    """Whether an entry was signed in the knowledge of a delivery."""
    return any(_is_one(one, known) for known in entry.known)


def _is_one(one: KnownDelivery, other: KnownDelivery) -> bool:
    """The same delivery, also where it is told again with other digits or under another UID."""
    if (one.fraction_number, one.beam_number) != (other.fraction_number, other.beam_number):
        return False
    if one.began_at is None or other.began_at is None:
        is_one_time = one.began_at is other.began_at
    else:
        is_one_time = abs(one.began_at - other.began_at) < timedelta(seconds=1)
    return is_one_time and is_rounding(one.delivered_meterset, other.delivered_meterset)


def _other_numbers(group: _Group) -> list[int | None]:
    return sorted({one.fraction_number for one in group.told} - {group.fraction_number}, key=str)


def _other_days(group: _Group) -> list[date]:
    return sorted({one.began_at.date() for one in group.told if one.began_at is not None} - {group.day})


def _is_conflict(group: _Group) -> bool:
    given, charted = group.given, sum(beam.delivered_meterset for _, beam in group.replaced)
    is_less = given is not None and given < charted and not agree(given, charted, MU)
    return is_less or bool(_other_numbers(group) or _other_days(group))


def _difference(group: _Group) -> str:
    """Both sides, where they differ; empty where they are the same."""
    given, replaced = group.given, group.replaced
    charted = sum(beam.delivered_meterset for _, beam in replaced)
    numbers, days = _other_numbers(group), _other_days(group)
    if not replaced or not (numbers or days or (given is not None and not agree(given, charted, MU))):
        return ""
    entry, beam = replaced[0]
    theirs = [f"{given:.1f} MU" if given is not None else "no MU"]
    theirs += [f"as fraction {absent(number)}" for number in numbers] + [f"on {day(one)}" for one in days]
    ours = f"{charted:.1f} MU of {beam.beam_name or f'beam {beam.beam_number}'} charted as {entry.in_words}"
    return f"{ours}, by the machine's record {', '.join(theirs)}, which counts"


def _record(entry: ChartedFraction, patient: Patient | None) -> TreatmentRecord:
    """An entry as a treatment record, for the one arithmetic. Nothing is filled in that nobody said."""
    person = patient or Patient(entry.patient_id, entry.patient_name, entry.patient_birth_date, None)
    return TreatmentRecord(
        ref=InstanceRef(f"charted {entry.entry_id}", RT_BEAMS_TREATMENT_RECORD, patient_id=entry.patient_id),
        patient=person,
        physicians_of_record=None,
        treatment_date=entry.treated_at.date(),
        treatment_time=entry.treated_at.time(),
        referenced_rt_plan_uid=entry.referenced_rt_plan_uid,
        referenced_fraction_group_number=None,
        number_of_fractions_planned=None,
        treatment_machine_name=entry.treatment_machine_name,
        treatment_record_content_origin="USER",
        beams=tuple(
            BeamDelivery(
                beam_number=beam.beam_number,
                beam_name=beam.beam_name,
                current_fraction_number=entry.fraction_number,
                treatment_delivery_type="CONTINUATION" if beam.is_continuation else "TREATMENT",
                treatment_termination_status=None,
                specified_meterset=beam.planned_meterset,
                delivered_meterset=beam.delivered_meterset,
                started_at=entry.treated_at,
                beam_description=f"{CHARTED}{entry.signers}",
                meterset_unit=MU,
            )
            for beam in entry.beams
        ),
    )


def _said(entries: Sequence[ChartedFraction]) -> str:
    """`fraction 13 on Tue 24 Nov 2026 09:30, by … and …`; of several all numbers, and who signed the newest."""
    if not entries:
        return ""
    newest = entries[-1]
    numbers = sorted({e.fraction_number for e in entries if e.fraction_number is not None})
    which = f"fraction {numbers[0]}" if len(numbers) == 1 else f"fractions {', '.join(map(str, numbers))}"
    return f"{which} by hand, the newest {at_time(newest.treated_at)} by {newest.signers}"
