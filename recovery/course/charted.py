"""Fractions that people charted while no R&V system did, beside the records of machines. Pure, no I/O, no clock.

Goal
    What two people signed counts at once, by the one arithmetic, and no delivery ever counts twice.

How
    The entries that stand (`charted_entries`) become treatment records of content origin USER (300A,0709), beam by
    beam. A machine's own record of the same fraction and beam, or of the same beam and day, stands in their place. Each
    entry names what was known when it was signed: that it adds to, and is not replaced by.

Why what differs is a conflict, and the next fraction then unknown
    Two days, two numbers or other MU than were charted may be one delivery or two. Whichever is taken, a next fraction
    counted from it may be given twice: people settle it. Not where the machine gave the whole of it: nothing of that
    fraction is left to be given, in either case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from recovery.course.by_session import is_by_session
from recovery.course.charted_entries import ChartedFraction, KnownDelivery, Standing
from recovery.course.charted_groups import Group, grouped, match
from recovery.course.deliveries import distinct_deliveries
from recovery.course.metersets import agree, is_absurd, is_enough
from recovery.dicom.model import RT_BEAMS_TREATMENT_RECORD, InstanceRef, Patient
from recovery.dicom.records import CHARTED, BeamDelivery, TreatmentRecord
from recovery.words.times import at_time, day
from recovery.words.units import MU
from recovery.words.values import absent

AT_ONE_TIME = timedelta(minutes=15)
"""So far apart may the times of a part be, as charted and as recorded: another part of that day may be as large."""
OF_ONE_SESSION = timedelta(hours=5)
"""So far apart may those of a whole be, which people type from memory: two fractions of a day are six hours apart."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What one plan's entries come to beside its records. `records`: to be counted with them; `said`: who charted what
    of it; `conflicts`: what people must settle before the next fraction is known."""

    records: tuple[TreatmentRecord, ...] = ()
    said: str = ""
    disagreements: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    beyond_planned: tuple[tuple[int | None, str], ...] = ()
    """Those conflicts that are a fraction's with more than it was to give, after its number."""
    patient_ids: frozenset[str] = frozenset()
    """Whose entries they are, as these name them: of another patient with the plan nothing is said."""


Whose = Callable[[str, str | None], str | None]
"""Under which ID a patient is listed, by plan and by the ID that an object or an entry bears."""


def settle_all(
    plans: Mapping[str, Standing], records: Iterable[TreatmentRecord], whose: Whose | None = None
) -> dict[str, Settled]:
    """By plan, its entries held against its records; `whose`: those of another patient, such as a phantom, are none."""
    own: dict[str | None, list[TreatmentRecord]] = {}
    for record in records:
        own.setdefault(record.referenced_rt_plan_uid, []).append(record)
    found = {}
    for uid, plan in plans.items():
        told = own.get(uid, [])
        if whose is not None:
            ids = {whose(uid, patient_id) for patient_id in plan.patient_ids}
            told = [record for record in told if whose(uid, record.ref.patient_id) in ids]
        found[uid] = replace(settle(plan, told), patient_ids=plan.patient_ids)
    return found


def settle(plan: Standing, records: Sequence[TreatmentRecord]) -> Settled:
    """Hold one plan's entries against its `records`, those of machines.

    A plan that is counted by session has no beams to hold anything against: its entries are said, and not counted.
    """
    if plan.delivered and is_by_session(records):
        told = "fractions are counted by session here, and what was charted is not among them"
        return Settled(conflicts=(*plan.conflicts, told), said=_said(plan.delivered))
    groups = grouped(plan.delivered)
    recorded = [one for one in deliveries_of(records) if None not in {one.fraction_number, one.beam_number}]
    match(groups, recorded)
    gone = {(entry.entry_id, beam.beam_number) for group in groups for entry, beam in group.replaced if group.told}
    left = [(e, tuple(b for b in e.beams if (e.entry_id, b.beam_number) not in gone)) for e in plan.delivered]
    counted = [replace(entry, beams=beams) for entry, beams in left if beams]
    differing = [(group, said) for group in groups if group.told and (said := _difference(group))]
    beyond = tuple(_beyond_planned(plan.delivered, counted, recorded, _wholes(plan.delivered, records)))
    differ = (said for group, said in differing if _is_conflict(group))
    people = {r.ref.patient_id: r.patient for r in records}  # as their records write them
    return Settled(
        records=tuple(_record(entry, people.get(entry.patient_id)) for entry in counted),
        said=_said(counted),
        disagreements=tuple(said for group, said in differing if not _is_conflict(group)),
        conflicts=(*plan.conflicts, *differ, *(said for _, said in beyond)),
        beyond_planned=beyond,
    )


def deliveries_of(records: Iterable[TreatmentRecord]) -> Iterator[KnownDelivery]:
    """What records tell of deliveries to the patient, each once, for an entry to name or to be held against."""
    for delivery in distinct_deliveries(list({r.ref: r for r in records}.values()), None)[0]:
        beam, began_at = delivery.beam, delivery.beam.started_at or delivery.treated_at
        given = beam.delivered_meterset if delivery.unit in {None, MU} else None
        if given != 0:
            yield KnownDelivery(beam.current_fraction_number, beam.beam_number, began_at, given)


def deliveries_by_course(records: Iterable[TreatmentRecord]) -> dict[str, tuple[KnownDelivery, ...]]:
    """By course, what records of machines tell."""
    by_course: dict[str, list[TreatmentRecord]] = {}
    for record in records:
        if not any(beam.charted_by for beam in record.beams):
            by_course.setdefault(record.course_uid or "", []).append(record)
    return {uid: tuple(deliveries_of(own)) for uid, own in by_course.items()}


def _other_numbers(group: Group) -> list[int | None]:
    return sorted({one.fraction_number for one in group.told} - {group.fraction_number}, key=str)


def _other_days(group: Group) -> list[date]:
    return sorted({one.began_at.date() for one in group.told if one.began_at is not None} - {group.day})


def _other_times(group: Group) -> list[datetime | None]:
    """The times of deliveries that may be another part of that day, or another fraction. None: no record tells."""
    apart = OF_ONE_SESSION if _is_whole(group) else AT_ONE_TIME
    charted = [entry.treated_at for entry, _ in group.parts]
    of_day = (one.began_at for one in group.told if group.is_of_day(one))
    unlike = [at for at in of_day if at is None or not any(abs(at - one) <= apart for one in charted)]
    return [at for at in unlike if at is not None or not _is_whole(group)]


def _is_conflict(group: Group) -> bool:
    return not _is_whole(group) or bool(_other_numbers(group) or _other_days(group))


def _is_whole(group: Group) -> bool:
    """Whether the machine gave all that the beam was to give."""
    planned = [beam.planned_meterset for _, beam in group.replaced if not beam.is_continuation]
    whole = max((meterset for meterset in planned if meterset is not None), default=None)
    if group.given is None or whole is None:
        return False
    return is_enough(group.given, whole, MU) and not is_absurd(group.given, whole)


def _beyond_planned(
    charted: Iterable[ChartedFraction],
    counted: Iterable[ChartedFraction],
    recorded: Iterable[KnownDelivery],
    wholes: Mapping[int | None, float],
) -> Iterator[tuple[int | None, str]]:
    """Fractions that were charted and come to so much more than was planned that a delivery must be told twice, in
    words: also where two records of machines bear one number, as of a restored R&V system that counts on from before.

    `wholes`: by beam, what a fraction is held against of which only a rest was charted.
    """
    given: dict[tuple[int | None, int | None], float] = {}
    whole: dict[tuple[int | None, int | None], float] = {}
    for one in recorded:
        place = one.fraction_number, one.beam_number
        given[place] = given.get(place, 0.0) + (one.delivered_meterset or 0.0)
    for entry in counted:
        for beam in entry.beams:
            place = entry.fraction_number, beam.beam_number
            given[place] = given.get(place, 0.0) + beam.delivered_meterset
    for entry in charted:
        for beam in entry.beams:
            place = entry.fraction_number, beam.beam_number
            planned = wholes.get(beam.beam_number) if beam.is_continuation else beam.planned_meterset
            if planned is not None:
                whole[place] = max(whole.get(place, 0.0), planned)
    numbers = {number for number, _ in whole}
    for number, beam_number in given:  # also of a beam that only machines told of
        if number in numbers and beam_number in wholes:
            whole.setdefault((number, beam_number), wholes[beam_number])
    for place, most in whole.items():
        if is_absurd(given.get(place, 0.0), most):
            number, beam_number = place
            yield (
                number,
                f"fraction {number} comes to {given[place]:.1f} MU of beam {beam_number}, {most:.1f} were planned",
            )


def _wholes(charted: Iterable[ChartedFraction], records: Iterable[TreatmentRecord]) -> Mapping[int | None, float]:
    """By beam, the most MU that an entry or a record of any fraction says were to be given."""
    told = [(b.beam_number, b.planned_meterset) for entry in charted for b in entry.beams if not b.is_continuation]
    told += [
        (b.beam_number, b.specified_meterset)
        for r in records
        for b in r.beams
        if b.meterset_unit == MU and b.beam_number is not None
    ]
    return dict(sorted((number, most) for number, most in told if most))  # the largest comes last, and stays


def _difference(group: Group) -> str:
    """Both sides, where they differ; empty where they are the same."""
    given, replaced = group.given, group.replaced
    charted = sum(beam.delivered_meterset for _, beam in replaced)
    numbers, days, times = _other_numbers(group), _other_days(group), _other_times(group)
    if not replaced or not (numbers or days or times or given is None or not agree(given, charted, MU)):
        return ""
    entry, beam = replaced[0]
    theirs = [f"{given:.1f} MU" if given is not None else "no MU"]
    theirs += [f"as fraction {absent(number)}" for number in numbers] + [f"on {day(one)}" for one in days]
    theirs += [f"at {one:%H:%M}" if one is not None else "at a time that it does not tell" for one in times]
    ours = f"{charted:.1f} MU of {beam.beam_name or f'beam {beam.beam_number}'} charted as {entry.in_words}"
    return f"{ours}, by the machine's record {', '.join(theirs)}, which counts"


def charted_uid(entry_id: str) -> str:
    """What stands for a SOP Instance UID in the record of an entry."""
    return f"charted {entry_id}"


def _record(entry: ChartedFraction, patient: Patient | None) -> TreatmentRecord:
    """An entry as a treatment record, for the one arithmetic. Nothing is filled in that nobody said."""
    person = patient or Patient(entry.patient_id, entry.patient_name, entry.patient_birth_date, None)
    return TreatmentRecord(
        ref=InstanceRef(charted_uid(entry.entry_id), RT_BEAMS_TREATMENT_RECORD, patient_id=entry.patient_id),
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
