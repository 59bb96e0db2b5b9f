"""What the R&V database says of a row of on_treatment, and where it disagrees with the DICOM objects. Pure, no I/O.

Both values stand in the sentence. Deliveries of the database are counted by the same arithmetic as records.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from recovery.course.by_session import delivery_of
from recovery.course.fractions import count_fractions
from recovery.course.metersets import FULL_WITHIN, planned_by_database
from recovery.course.remarks import is_ahead
from recovery.dicom.model import RT_BEAMS_TREATMENT_RECORD, InstanceRef, Patient
from recovery.dicom.plans import Plan, PlannedBeam
from recovery.dicom.records import TreatmentRecord
from recovery.identity.told_plans import PlanKey
from recovery.tables.relational import PHONES
from recovery.words.plan_states import approval_disagreement
from recovery.words.prescription import laterality, prescribed_or_planned
from recovery.words.sentences import each_differing, in_dicom_and_database, joined, parted
from recovery.words.statuses import is_over
from recovery.words.units import MU

Rows = Sequence[Mapping[str, Any]]

METERSET_TOLERANCE = 0.05
"""MU; two sources that differ by more disagree, unless one keeps whole MU."""
_LOOK = "look at the machine before treating"


@dataclass(frozen=True, slots=True)
class SecondSource:
    """Rows of the relational tables by what they are looked up by; empty where there is no database."""

    patients: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    physicians: Mapping[str, Rows] = field(default_factory=dict)
    plans: Mapping[PlanKey, Mapping[str, Any]] = field(default_factory=dict)
    """By patient and plan, as the list has them."""
    prescriptions: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    courses: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    plan_fields: Mapping[PlanKey, Rows] = field(default_factory=dict)
    in_flight: Mapping[str, Rows] = field(default_factory=dict)
    """By patient: what began and was not recorded."""
    fractions_delivered: Mapping[PlanKey, int] = field(default_factory=dict)
    """By patient and plan: fractions delivered in full by the database's own deliveries; absent where not counted."""
    untold: Mapping[PlanKey, tuple[str, ...]] = field(default_factory=dict)
    """By patient and plan, in words: what records made of the database tell, and it does not any more."""
    made_here: frozenset[PlanKey] = frozenset()
    """Patients and plans whose treatment records were made of this database: those are no second source."""
    sessions_remaining: Mapping[PlanKey, int] = field(default_factory=dict)
    """By patient and plan: sessions left in the calendar of the R&V system; absent where it has none."""
    deliveries_known_until: datetime | None = None
    """When the deliveries were last read, local to the site: of what came later they can tell nothing."""
    now: datetime | None = None
    """Local to the site. A record that is dated later excuses nothing."""


def told_of(row: Mapping[str, Any], source: SecondSource, plan: Plan | None) -> dict[str, str | None]:
    """The columns of one row of on_treatment that the database tells; each null where it tells nothing."""
    patient_id, uid = row["patient_id"], row["referenced_rt_plan_uid"]
    person = source.patients.get(patient_id, {})
    told_plan = source.plans.get((patient_id, uid), {})
    prescription_id = told_plan.get("prescription_id") or row.get("prescription_id")
    prescription = source.prescriptions.get((patient_id, prescription_id or ""), {})
    course = source.courses.get((patient_id, told_plan.get("course_id") or ""), {})
    label = (plan.rt_plan_label if plan is not None else None) or told_plan.get("rt_plan_label")
    differing = [
        *parted(row.get("disagreement")),
        *_number(row, told_plan),
        *_births(row, person.get("patient_birth_date"), source, plan),
        *_labels(told_plan, plan),
        *numbers_planned(row, plan, told_plan, prescription),
        *_states(row, told_plan, plan, source),
        *_fields(row, source, plan),
        *_counts(row, source),
    ]
    return {
        "physician": _primary(source.physicians.get(patient_id, ())),
        "site": prescription.get("site"),
        "laterality": laterality(prescription.get("laterality"), course.get("laterality"), course.get("diagnoses")),
        "intent": prescription.get("intent") or course.get("intent"),
        "prescription": _with_pattern(
            prescribed_or_planned(prescription, told_plan), prescription.get("fraction_pattern")
        ),
        "phone": next(filter(None, map(person.get, PHONES)), None),
        "alerts": person.get("alerts"),
        "disagreement": joined(differing) or None,
        "in_flight": joined(_begun(row, label, source.in_flight.get(patient_id, ()))) or None,
    }


def fractions_by_database(deliveries: Rows, plan: Plan | None, until: datetime) -> int:
    """Fractions delivered in full by one plan's rows of `deliveries` that began before `until` (local to the site)."""
    records = [_record(row) for row in deliveries if row["treated_at"] is not None and row["treated_at"] < until]
    return count_fractions(records, plan, planned_by_database(deliveries)).fractions_delivered


def _record(row: Mapping[str, Any]) -> TreatmentRecord:
    """A delivered field as a record of its own, so that the one arithmetic counts it."""
    return TreatmentRecord(
        ref=InstanceRef(f"delivery {row['delivery_id']}", RT_BEAMS_TREATMENT_RECORD),
        patient=Patient(row["patient_id"], None, None, None),
        physicians_of_record=None,
        treatment_date=row["treated_at"].date(),
        treatment_time=row["treated_at"].time(),
        referenced_rt_plan_uid=row["referenced_rt_plan_uid"],
        referenced_fraction_group_number=None,
        number_of_fractions_planned=None,
        treatment_machine_name=row["treatment_machine_name"],
        treatment_record_content_origin=None,
        beams=(delivery_of(row),),
    )


def _births(row: Mapping[str, Any], theirs: date | None, source: SecondSource, plan: Plan | None) -> Iterator[str]:
    """Birth dates that DICOM tells on its own: the plan's, and the records' where the database did not make them."""
    told = [plan.patient.patient_birth_date if plan is not None else None]
    if (row["patient_id"], row["referenced_rt_plan_uid"]) not in source.made_here:
        told.append(row["patient_birth_date"])
    for ours in dict.fromkeys(birth for birth in told if birth is not None):
        if theirs is not None and ours != theirs:
            yield in_dicom_and_database("born", ours, theirs)


def _number(row: Mapping[str, Any], told_plan: Mapping[str, Any]) -> Iterator[str]:
    """A number that was corrected in one of the two sources: the plan is the same, and so are name and birth date."""
    ours, theirs = row["patient_id"], told_plan.get("patient_id")
    if ours is not None and theirs is not None and ours != theirs:
        yield in_dicom_and_database("patient ID", ours, theirs)


def _labels(told_plan: Mapping[str, Any], plan: Plan | None) -> Iterator[str]:
    ours, theirs = plan.rt_plan_label if plan is not None else None, told_plan.get("rt_plan_label")
    if ours and theirs and ours.strip().casefold() != theirs.strip().casefold():
        yield in_dicom_and_database("plan", ours, theirs)


def numbers_planned(
    row: Mapping[str, Any], plan: Plan | None, told_plan: Mapping[str, Any], prescription: Mapping[str, Any]
) -> list[str]:
    """How many fractions are planned, by each that says so; a plan for one day says nothing of its course."""
    is_several = bool(row["course_plan_labels"])
    if is_several:
        where, ours = "in the course", row["course_number_of_fractions_planned"]
    elif plan is not None:
        where, ours = "in the plan", plan.number_of_fractions_planned
    else:
        where, ours = "in the treatment records", row["number_of_fractions_planned"]
    planned = {
        where: ours,
        "in the R&V database": None if is_several else told_plan.get("number_of_fractions_planned"),
        "prescribed": prescription.get("number_of_fractions"),
    }
    return each_differing("fractions planned", planned)


def _states(
    row: Mapping[str, Any], told_plan: Mapping[str, Any], plan: Plan | None, source: SecondSource
) -> Iterator[str]:
    """What the R&V database's word for the plan contradicts: its own ApprovalStatus, what is left, what was given."""
    word = told_plan.get("approval_status")
    if said := approval_disagreement(row, word, plan.approval_status if plan is not None else None):
        yield said
    if row["status"] != "closed":
        return
    remaining, last = row["fractions_remaining"], row["last_treatment_at"]
    if word == "completed" and remaining and not row["course_plan_labels"]:
        yield f"plan completed in the R&V database, {remaining} of {row['number_of_fractions_planned']} not given"
    changed, until = told_plan.get("status_changed_at"), source.deliveries_known_until
    is_late = last is not None and (
        last > changed if changed is not None else until is not None and last.date() >= until.date()
    )
    if is_late:
        yield f"treated {last:%Y-%m-%d %H:%M}, and the plan is {word} in the R&V database"


def _fields(row: Mapping[str, Any], source: SecondSource, plan: Plan | None) -> Iterator[str]:
    """Beams of a plan that may be treated, of which the R&V system would give other MU, or that it has no more: hidden,
    or typed anew."""
    rows = source.plan_fields.get((row["patient_id"], row["referenced_rt_plan_uid"]), ())
    for beam in plan.beams if plan is not None and rows and not is_over(row["status"]) else ():
        ours, told = beam.beam_meterset, _field_of(beam, rows)
        if not beam.treats or not ours or beam.meterset_unit not in {None, MU}:
            continue
        theirs = told["beam_meterset"] if told is not None else None
        if told is None:
            yield f"beam {beam.beam_number}: {ours:.1f} MU in the plan, no field of it in the R&V database"
        elif theirs is not None and not _is_as_planned(theirs, ours):
            yield f"beam {beam.beam_number}: {ours:.1f} MU in the plan, {theirs:.1f} MU in the R&V database"


def _field_of(beam: PlannedBeam, rows: Rows) -> Mapping[str, Any] | None:
    """The database's field of a beam: by its name, where one field alone bears it, for it may number them otherwise."""
    name = (beam.beam_name or "").strip().casefold()
    named = [one for one in rows if name and (one["beam_name"] or "").strip().casefold() == name]
    numbered = (one for one in rows if one["beam_number"] == beam.beam_number)
    return named[0] if len(named) == 1 else next(numbered, None)


def _is_as_planned(theirs: float, ours: float) -> bool:
    """Whether a meterset of the database is the plan's, but for the digits that it keeps: one, or none."""
    tolerance = FULL_WITHIN if theirs > 0 and theirs.is_integer() else METERSET_TOLERANCE
    return abs(ours - theirs) <= tolerance + 1e-6


def _counts(row: Mapping[str, Any], source: SecondSource) -> Iterator[str]:
    key = row["patient_id"], row["referenced_rt_plan_uid"]
    ours, theirs = row["fractions_delivered"], source.fractions_delivered.get(key)
    last, until = row["last_treatment_at"], source.deliveries_known_until
    is_impossible = last is not None and source.now is not None and is_ahead(last, source.now)
    is_read_since = until is not None and (last is None or last < until or is_impossible)
    if theirs is not None and is_read_since and theirs != ours:
        yield f"fractions delivered: {ours} in the treatment records, {theirs} in the R&V database"
    left, sessions = row.get("fractions_remaining"), source.sessions_remaining.get(key)
    is_open = not is_over(row["status"]) and row["interrupted_fraction"] is None
    if is_open and is_read_since and None not in (left, sessions) and left != sessions:
        yield f"fractions remaining: {left} by the records, {sessions} sessions in the R&V calendar"
    yield from source.untold.get(key, ())


def _begun(row: Mapping[str, Any], label: str | None, in_flight: Rows) -> Iterator[str]:
    """What began and was not recorded, of this plan; what names no plan stands with every unfinished one.

    MOSAIQ tells of a field when it was sent to the machine. ARIA tells no more than that a fraction of the plan is
    partly given: where the records show that fraction, the sources agree, and there is nothing to ask.
    """
    for told in in_flight:
        named, is_timed = told["referenced_rt_plan_uid"], told["started_at"] is not None
        is_open = not is_over(row["status"])
        if named != row["referenced_rt_plan_uid"] if named is not None else not is_open:
            continue
        plan = f"plan {label or 'without a label'}" if named is not None else "a plan that is not named"
        if is_timed:
            yield f"{_field_begun(told, plan)}, and its end was not recorded: {_LOOK}"
        elif named is None or row["interrupted_fraction"] is None:
            yield f"a fraction of {plan} began and is not finished by the R&V database, and no record shows it: {_LOOK}"


def _field_begun(told: Mapping[str, Any], plan: str) -> str:
    """`fraction 3 of plan Prost, beam Arc 2, began 2026-11-04 09:30 on TB1, 61.2 MU delivered`"""
    fraction, beam = told["fraction_number"], told["beam_name"] or told["beam_number"]
    what = f"fraction {fraction} of {plan}" if fraction is not None else f"a fraction of {plan}"
    began = f"began {told['started_at']:%Y-%m-%d %H:%M}"
    parts = [
        f"{what}, beam {beam}, {began}" if beam is not None else f"{what} {began}",
        f" on {told['treatment_machine_name']}" if told["treatment_machine_name"] else "",
        f", {told['delivered_meterset']:.1f} MU delivered" if told["delivered_meterset"] is not None else "",
    ]
    return "".join(parts)


def _primary(physicians: Rows) -> str | None:
    """The oncologist in charge; where the database marks none, nobody is guessed."""
    return next((str(p["physician_name"]) for p in physicians if p["is_primary"]), None)


def _with_pattern(said: str | None, pattern: str | None) -> str | None:
    return f"{said}, {pattern}" if said and pattern else said


def by_key(rows: Iterable[Mapping[str, Any]], column: str) -> dict[str, list[Mapping[str, Any]]]:
    """Rows by one column, in their order."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row[column], []).append(row)
    return found
