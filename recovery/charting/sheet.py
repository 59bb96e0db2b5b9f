"""What stands on the chart of one plan, before it is drawn: the same for PDF and Excel. Pure, no I/O.

Goal
    Whoever treats from paper finds identity, prescription, fields, setup, the last fractions and the next number,
    and cannot overlook what forbids treatment.

How
    `chart_sheets` turns a patient's file into texts and tables; a checksum over all of them names the content.

Why texts
    Two programs that format the same number on their own will one day print two numbers.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from recovery.charting import say, warnings
from recovery.charting.say import ABSENT

if TYPE_CHECKING:
    from recovery.ledger import Ledger, LedgerFraction
    from recovery.patient_file import PatientFile
    from recovery.plan_file import PlanField, PlanFile

LAST_FRACTIONS = 5
FEWEST_BLANK_ROWS = 10
MOST_BLANK_ROWS = 20
TO_FILL_IN = "." * 30
"""Neither DICOM nor the R&V database tell a physician's phone: somebody writes it down."""

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A heading per column, and rows of as many texts."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class BeamToGive:
    """A column of the rows to sign: planned meterset, and what the first row has to give."""

    name: str
    planned: str
    first: str


@dataclass(frozen=True, slots=True)
class ChartSheet:
    """One plan's chart. `stops` forbid treatment before somebody has looked; `looks` ask to be read."""

    patient_id: str
    patient_name: str
    birth: str
    sex: str
    other_patient_ids: str
    site_name: str
    as_of: str
    plan_label: str
    plan_uid: str | None
    stops: tuple[str, ...]
    looks: tuple[str, ...]
    next_fraction: str
    progress: Pairs
    prescription: Pairs
    plan: Pairs
    people: Pairs
    fields: Table
    setup: Pairs
    last_fractions: Table
    unit: str
    beams: tuple[BeamToGive, ...]
    first_row: str
    """Fraction number of the first row to sign; empty when there is none."""
    blank_rows: int

    @property
    def stops_in_short(self) -> str:
        """The capitals that each stop begins with: `INTERRUPTED · NOT READY`."""
        heads = (re.match(r"[A-Z ]+(?![a-z])", stop) for stop in self.stops)
        return " · ".join(head[0].strip() for head in heads if head is not None)

    @property
    def checksum(self) -> str:
        """The first 16 hexadecimal digits of SHA-256 over everything that the sheet says."""
        said = json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def chart_sheets(file: PatientFile) -> tuple[ChartSheet, ...]:
    """A sheet per plan that may still be treated; per plan at all where none may; one without a plan where none is.

    The last two say so in their stops, and have no rows to sign.
    """
    plans: tuple[PlanFile | None, ...] = file.unfinished_plans or file.plans or (None,)
    return tuple(_sheet(file, plan) for plan in plans)


def _sheet(file: PatientFile, plan: PlanFile | None) -> ChartSheet:
    person = file.identity
    beams = _beams(plan)
    return ChartSheet(
        patient_id=person.patient_id,
        patient_name=say.text(person.patient_name),
        birth=say.birth(person.patient_birth_date, file.now),
        sex=say.text(person.patient_sex),
        other_patient_ids=person.other_patient_ids or "",
        site_name=file.site_name,
        as_of=say.moment(file.as_of) if file.as_of is not None else "nothing proven",
        plan_label=say.text(plan.row.rt_plan_label if plan is not None else None),
        plan_uid=plan.uid if plan is not None else None,
        stops=tuple(warnings.stops(file, plan)),
        looks=tuple(warnings.looks(file, plan)),
        next_fraction=warnings.next_in_words(plan) if plan is not None else "no plan",
        progress=_progress(file, plan),
        prescription=_prescription(plan),
        plan=_plan(plan),
        people=_people(file),
        fields=_fields(plan),
        setup=_setup(plan),
        last_fractions=_last_fractions(plan),
        unit=plan.ledger.unit if plan is not None and plan.ledger is not None else "MU",
        beams=beams,
        first_row=_first_row(plan),
        blank_rows=_blank_rows(plan),
    )


def _progress(file: PatientFile, plan: PlanFile | None) -> Pairs:
    if plan is None:
        return ()
    row, ledger = plan.row, plan.ledger
    prescribed = plan.prescription.total_dose if plan.prescription is not None else None
    given = say.fixed(ledger.dose_delivered if ledger is not None else None, 2)
    dose = ABSENT if given == ABSENT and prescribed is None else f"{given} of {say.fixed(prescribed, 2)} Gy"
    ahead = file.next_appointment
    booked = ABSENT
    if ahead is not None:
        booked = f"{say.moment(ahead.appointment_at)} {ahead.treatment_machine_name or ''}".strip()
    return (
        ("Delivered in full", f"{say.text(row.fractions_delivered)} of {say.text(row.number_of_fractions_planned)}"),
        ("Dose given of total", dose),
        ("Last treated", say.moment(row.last_treatment_at)),
        ("Next appointment", booked),
    )


def _prescription(plan: PlanFile | None) -> Pairs:
    if plan is None:
        return ()
    rx = plan.prescription
    pairs = [
        ("Site", say.text(rx.site if rx else None)),
        ("Laterality", (plan.laterality or ABSENT).upper()),
        ("Intent", say.text((rx.intent if rx else None) or plan.plan_intent)),
        ("Dose", _dose(plan)),
    ]
    if rx is not None:
        more = (
            ("Pattern", rx.fraction_pattern),
            ("Technique", rx.technique),
            ("Bolus", rx.bolus),
            ("Gating", rx.gating),
        )
        pairs += [(label, say.text(value)) for label, value in more]
        rare = (("Dose levels", rx.dose_levels), ("Phase", rx.phase), ("Notes", rx.notes))
        pairs += [(label, say.text(value)) for label, value in rare if value]
    pairs += [("Diagnosis", say.text(plan.course.diagnoses))] if plan.course is not None else []
    return tuple(pairs)


def _dose(plan: PlanFile) -> str:
    """`2.67 Gy × 15 = 40.05 Gy`"""
    rx = plan.prescription
    if rx is None:
        return ABSENT
    number = ABSENT if rx.number_of_fractions is None else str(rx.number_of_fractions)
    return f"{say.fixed(rx.dose_per_fraction, 2, 'Gy')} × {number} = {say.fixed(rx.total_dose, 2, 'Gy')}"


def _plan(plan: PlanFile | None) -> Pairs:
    if plan is None:
        return ()
    told = plan.approval
    by = f" by {told.approved_by}" if told.approved_by else ""
    at = f", {say.moment(told.approved_at)}" if told.approved_at else ""
    machines = say.one_of(f.treatment_machine_name for f in plan.treatment_fields)
    return (
        ("Plan", say.text(plan.row.rt_plan_label)),
        ("Plan UID", say.short_uid(plan.uid)),
        ("Approval", f"{told.approval_status or (told.dicom_approval_status or ABSENT).lower()}{by}{at}"),
        ("Machine", machines if machines != ABSENT else say.text(plan.row.treatment_machine_name)),
    )


def _people(file: PatientFile) -> Pairs:
    physicians = file.physicians[:2]
    own = ", ".join(f"{number} ({kind})" for kind, number in file.contacts.phones)
    return (
        ("Physician", "; ".join(p.physician_name for p in physicians) or ABSENT),
        ("Physician's phone", TO_FILL_IN),
        ("Patient's phone", own or ABSENT),
        ("Emergency", say.text(file.contacts.emergency_contacts)),
        ("Language", say.text(file.contacts.language)),
    )


def _fields(plan: PlanFile | None) -> Table:
    headings = (
        "No",
        "Field",
        "MU",
        "Machine",
        "Energy",
        "Technique",
        "MLC",
        "Gantry °",
        "Coll. °",
        "Couch °",
        "SSD cm",
    )
    fields = sorted(plan.fields, key=lambda f: bool(f.is_setup_field)) if plan is not None else []
    return Table((*headings, "Tolerance"), tuple(_field(field) for field in fields))


def _field(field: PlanField) -> tuple[str, ...]:
    return (
        str(field.beam_number),
        say.text(field.beam_name),
        say.fixed(field.beam_meterset, 1),
        say.text(field.treatment_machine_name),
        say.energy(field),
        "setup" if field.is_setup_field else say.text(field.technique),
        say.text(field.mlc_type),
        say.gantry(field),
        say.fixed(field.collimator_angle, 1),
        say.fixed(field.patient_support_angle, 1),
        say.fixed(field.source_to_surface_distance, 1),
        say.text(field.tolerance_table),
    )


def _setup(plan: PlanFile | None) -> Pairs:
    """Each thing once, though the tables repeat it for every field."""
    if plan is None:
        return ()
    notes = plan.setup_notes
    couch = [say.triple(n.couch_vertical, n.couch_longitudinal, n.couch_lateral) for n in notes]
    shifts = [say.triple(n.shift_vertical, n.shift_longitudinal, n.shift_lateral) for n in notes]
    written = [*(n.setup_note for n in notes), *(f.setup_note for f in plan.fields)]
    pairs = [
        ("Position", say.one_of([*(n.treatment_orientation for n in notes), *(n.setup_technique for n in notes)])),
        ("Devices", say.one_of(n.devices for n in notes)),
        ("Shift from reference, cm", say.one_of(s for s in shifts if s != ABSENT)),
        ("Couch planned, cm", say.one_of(c for c in couch if c != ABSENT)),
        ("Note", "\n".join(dict.fromkeys(n.strip() for n in written if n and n.strip())) or ABSENT),
    ]
    is_known = any(value != ABSENT for _, value in pairs)
    return tuple(pairs) if is_known else (("Note", "Nothing about the setup is in the safety copy."),)


def _last_fractions(plan: PlanFile | None) -> Table:
    headings = ("No", "Date", "Machine", "MU given of planned, by field", "State", "Couch corr. cm")
    if plan is None or plan.ledger is None:
        return Table(headings, ())
    rows = [_fraction(f, plan) for f in plan.ledger.fractions[-LAST_FRACTIONS:]]
    return Table(headings, tuple(rows))


def _fraction(fraction: LedgerFraction, plan: PlanFile) -> tuple[str, ...]:
    given = "   ".join(f"{b.beam_number}:\u00a0{b.delivered:.1f}/{say.fixed(b.planned, 1)}" for b in fraction.beams)
    state = "complete" if fraction.state == "complete" else f"■ {fraction.state.upper()}"
    more = [*fraction.terminations, *(["overridden"] if fraction.was_overridden else [])]
    shift = next((s for s in plan.couch_shifts if s.fraction_number == fraction.fraction_number), None)
    moved = shift and (shift.correction_vertical, shift.correction_longitudinal, shift.correction_lateral)
    return (
        str(fraction.fraction_number),
        say.moment(fraction.started_at),
        ", ".join(fraction.treatment_machine_names) or ABSENT,
        given,
        ", ".join([state, *more]),
        say.triple(*moved) if moved else ABSENT,
    )


def _beams(plan: PlanFile | None) -> tuple[BeamToGive, ...]:
    if plan is None:
        return ()
    treating = [f for f in plan.treatment_fields if f.beam_meterset is not None] or list(plan.treatment_fields)
    unfinished = plan.ledger.next.unfinished if plan.ledger is not None else None
    rest = {b.beam_number: b.remaining for b in unfinished.beams} if unfinished is not None else {}
    found = []
    for field in treating:
        planned = say.fixed(field.beam_meterset, 1)
        first = say.fixed(rest.get(field.beam_number), 1) if unfinished is not None else planned
        found.append(BeamToGive(str(field.beam_number), planned, first))
    return tuple(found)


def _first_row(plan: PlanFile | None) -> str:
    ledger: Ledger | None = plan.ledger if plan is not None and plan.is_unfinished else None
    if ledger is None or ledger.next.fraction_number is None:
        return ""
    return f"{ledger.next.fraction_number}{' rest' if ledger.next.unfinished is not None else ''}"


def _blank_rows(plan: PlanFile | None) -> int:
    """Enough for what remains, and at least ten; none for a plan that is not to be treated."""
    if plan is None or not plan.is_unfinished:
        return 0
    remaining = plan.row.fractions_remaining or 0
    return min(MOST_BLANK_ROWS, max(FEWEST_BLANK_ROWS, remaining + 1))
