"""What a fraction that is to be charted is filled in with, and held against, out of a patient's file. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from recovery.course.charted import charted_uid
from recovery.course.charted_entries import ChartedBeam, KnownDelivery
from recovery.on_treatment.charting_checks import Facts
from recovery.words.units import MU

if TYPE_CHECKING:
    from datetime import datetime

    from recovery.course.charted_entries import ChartedFraction
    from recovery.course.ledger import LedgerFraction
    from recovery.patient.file import PatientFile
    from recovery.patient.plan import PlanFile


def beams_due(plan: PlanFile, number: int | None) -> tuple[ChartedBeam, ...]:
    """What fraction `number` still is to give, beam by beam: the rest of a begun one, else a whole one; MU."""
    names = {field.beam_number: field.beam_name for field in plan.treatment_fields}
    given, planned = _given(plan, number, None), _planned(plan, number)
    found = []
    for beam, whole in planned.items():
        rest = None if whole is None else round(max(0.0, whole - given.get(beam, 0.0)), 2)
        if rest or whole is None:
            found.append(ChartedBeam(beam, names.get(beam), rest, rest or 0.0, given.get(beam, 0.0) > 0))
    return tuple(found)


def facts_of(
    file: PatientFile,
    plan: PlanFile,
    entry: ChartedFraction,
    corrected: ChartedFraction | None,
    freed: Sequence[ChartedFraction] = (),
) -> Facts:
    """What an entry is held against.

    `corrected`: the entry in whose place it is to stand, which then was not given; `freed`: those that count once it is
    signed, and do not yet.
    """
    row = dict(plan.told)
    if corrected is not None:  # what is next comes after it
        row |= {"next_fraction_number": None, "charted_conflict": None}
        if row["course_fractions_delivered"] and _is_in_a_whole(plan, corrected):
            row["course_fractions_delivered"] -= 1
    ledger = plan.ledger
    ahead = ledger.next_metersets.values() if ledger is not None else ()
    pattern = plan.prescription.fraction_pattern if plan.prescription is not None else None
    return Facts(
        row=row,
        now=file.now,
        times=[*_times(plan, corrected), *((one.fraction_number, one.treated_at) for one in freed)],
        given=_given(plan, entry.fraction_number, corrected, freed),
        planned=_planned(plan, entry.fraction_number),
        units=frozenset(one.unit for one in ahead) or frozenset({MU}),
        machines=frozenset(f.treatment_machine_name for f in plan.treatment_fields if f.treatment_machine_name),
        fraction_pattern=pattern,
        known=entry.known,
        was_given=corrected is not None and bool(corrected.beams),
        copied_at=max(filter(None, (file.as_of, file.built_at))),
    )


def known_of(file: PatientFile, plan: PlanFile, number: int | None, at: datetime) -> tuple[KnownDelivery, ...]:
    """What records tell of this fraction, or of this day: an entry that is signed now adds to it."""
    own = file.deliveries.get(plan.course_uid or "", ())
    day = at.date()
    return tuple(d for d in own if d.fraction_number == number or (d.began_at is not None and d.began_at.date() == day))


def _planned(plan: PlanFile, number: int | None) -> Mapping[int, float | None]:
    """MU by beam of one fraction: as it was begun, else as the next is to be given."""
    if plan.ledger is None:
        return {}
    for fraction in plan.ledger.fractions:
        if fraction.fraction_number == number:
            return {beam.beam_number: beam.planned for beam in fraction.beams}
    return {beam: to_give.meterset for beam, to_give in plan.ledger.next_metersets.items()}


def _given(
    plan: PlanFile, number: int | None, corrected: ChartedFraction | None, freed: Sequence[ChartedFraction] = ()
) -> dict[int, float]:
    fractions = [f for f in (plan.ledger.fractions if plan.ledger is not None else ()) if f.fraction_number == number]
    ahead = plan.ledger.next if plan.ledger is not None else None
    if plan.row.next_decided and ahead is not None and ahead.fraction_number == number and corrected is None:
        fractions = [ahead.unfinished] if ahead.unfinished is not None else []  # whatever the records tell of it
    found = {b.beam_number: b.delivered for f in fractions for b in f.beams}
    for fraction in fractions:
        for beam, given in _counted_of(corrected, fraction):
            found[beam] -= given
    for one in freed:
        for charted in one.beams if one.fraction_number == number else ():
            found[charted.beam_number] = found.get(charted.beam_number, 0.0) + charted.delivered_meterset
    return {beam: mu for beam, mu in found.items() if mu > 1e-6}


def _counted_of(entry: ChartedFraction | None, fraction: LedgerFraction) -> Iterator[tuple[int, float]]:
    """What of an entry counts, MU by beam: nothing where a machine's record, or another entry, stands in its place."""
    uid = charted_uid(entry.entry_id) if entry is not None else None
    for beam in (beam for session in fraction.sessions for beam in session.beams):
        if entry is not None and beam.sop_instance_uid == uid and beam.beam_number is not None:
            yield beam.beam_number, beam.delivered_meterset or 0.0


def _is_in_a_whole(plan: PlanFile, entry: ChartedFraction) -> bool:
    """Whether what an entry tells counts in a fraction that is complete."""
    fractions = plan.ledger.fractions if plan.ledger is not None else ()
    return any(any(_counted_of(entry, fraction)) for fraction in fractions if fraction.state == "complete")


def _times(plan: PlanFile, corrected: ChartedFraction | None) -> Iterator[tuple[int, datetime]]:
    for fraction in plan.ledger.fractions if plan.ledger is not None else ():
        for session in fraction.sessions:
            at = session.started_at
            is_corrected = corrected is not None and session.charted_by is not None and at == corrected.treated_at
            if at is not None and not is_corrected:
                yield fraction.fraction_number, at
