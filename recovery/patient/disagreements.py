"""Where two sources tell different things of one plan, in sentences. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recovery.patient.plan import DOSE_TOLERANCE, METERSET_TOLERANCE
from recovery.words.units import MU

if TYPE_CHECKING:
    from recovery.course.ledger import Ledger
    from recovery.dicom.plans import Plan
    from recovery.patient.plan import OnTreatmentRow, Prescription


def disagreements(
    row: OnTreatmentRow,
    plan: Plan | None,
    told_plan: Mapping[str, Any] | None,
    told_fields: Sequence[Mapping[str, Any]],
    prescription: Prescription | None,
    ledger: Ledger | None,
) -> Iterator[str]:
    """Sentences about what two sources tell differently of one plan."""
    beams = {beam.beam_number: beam for beam in (plan.beams if plan is not None else ())}
    for field in told_fields:
        beam = beams.get(field["beam_number"])
        theirs, ours = field["beam_meterset"], beam.beam_meterset if beam is not None else None
        is_mu = beam is not None and beam.meterset_unit in {None, MU}
        if is_mu and ours is not None and theirs is not None and abs(ours - theirs) > METERSET_TOLERANCE:
            yield f"Field {field['beam_number']}: {ours:.1f} MU in the plan held, {theirs:.1f} MU in the R&V database"
    numbers = {
        _whose(row, plan): row.course_number_of_fractions_planned,
        "the R&V database": None
        if told_plan is None or row.course_plan_labels
        else told_plan["number_of_fractions_planned"],
        "the prescription": prescription.number_of_fractions if prescription is not None else None,
    }
    yield from _differing("Number of fractions", numbers)
    doses = {
        "the R&V database's plan": told_plan["dose_per_fraction"] if told_plan is not None else None,
        "the prescription": prescription.dose_per_fraction if prescription is not None else None,
    }
    known = [dose for dose in doses.values() if dose is not None]
    if known and max(known) - min(known) > DOSE_TOLERANCE:
        yield from _differing("Dose per fraction, Gy", doses)
    for said in (row.disagreement or "").split("; "):
        if said and not said.startswith(("born ", "fractions planned:")):  # both are told from the tables themselves
            yield said
    if ledger is not None and ledger.fractions_delivered != row.course_fractions_delivered:
        listed = row.course_fractions_delivered
        yield f"{ledger.fractions_delivered} fractions in the records, {listed} in the list: reload"
    if ledger is not None and ledger.only_in_database:
        numbers_said = ", ".join(map(str, ledger.only_in_database))
        yield f"The R&V database shows fraction {numbers_said} as treated; no record of it is held"


def _whose(row: OnTreatmentRow, plan: Plan | None) -> str:
    """What the number of fractions is told by."""
    if row.course_plan_labels:
        return "the course"
    return "the plan" if plan is not None else "the treatment records"


def _differing(what: str, values: Mapping[str, float | int | None]) -> Iterator[str]:
    known = {source: value for source, value in values.items() if value is not None}
    if len(set(known.values())) > 1:
        yield f"{what}: " + ", ".join(f"{value:g} in {source}" for source, value in known.items())
