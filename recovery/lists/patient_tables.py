"""The tables of the patient's page, as frames: one function per table, in the order and words of the screen."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pandas as pd

from recovery.course.ledger import Ledger, LedgerBeam, LedgerFraction
from recovery.course.sessions import Session
from recovery.patient.file import PatientFile
from recovery.patient.page_words import energy, held
from recovery.patient.plan import PlanFile
from recovery.tables.schema import TEXT
from recovery.words.notices import LOOK_MARK, STOP_MARK, Next, next_fraction
from recovery.words.prescription import gray
from recovery.words.radiation import gantry_in_words
from recovery.words.times import day_or_time, moment
from recovery.words.units import amount, common, unit_word
from recovery.words.units import number as in_unit
from recovery.words.values import ABSENT, absent

_ENDED = {"NORMAL": "", "OPERATOR": "stopped by operator", "MACHINE": "stopped by machine", "UNKNOWN": "end unknown"}
_STATES = {"complete": "", "interrupted": "INTERRUPTED", "in part": "in part"}


def ledger(plan: PlanFile, book: Ledger, today: date, appointment: str) -> pd.DataFrame:
    """The fraction ledger, newest first, what comes next on top, but for where the list tells none: whoever reads a
    number here gives it. Metersets delivered / planned."""
    rows = [_ledger_row(fraction, today) for fraction in reversed(book.fractions)]
    ahead, is_told = book.next, next_fraction(plan.told)[1] is Next.DUE
    is_decided = plan.row.next_decided is not None
    if is_told and ahead.fraction_number is not None and (ahead.unfinished is None or is_decided):
        left = [ahead.unfinished.left_in_words] if ahead.unfinished is not None else []
        rows.insert(
            0, _ahead(str(ahead.fraction_number), appointment, ", ".join(("next", *["decided"] * is_decided, *left)))
        )
    elif is_told and ahead.number_after is not None:
        rows.insert(0, _ahead(str(ahead.number_after), "", f"after fraction {ahead.fraction_number} is finished"))
    columns = ["mark", "fraction", "when", "machine", "given", "beams", "notes"]
    return pd.DataFrame(rows, columns=columns, dtype=TEXT)


def deliveries(book: Ledger, today: date) -> pd.DataFrame:
    """Every beam of every session, newest first."""
    beams = [beam for fraction in book.fractions for session in fraction.sessions for beam in session.beams]
    unit, is_pulsed = common(beam.unit for beam in beams), any(beam.pulses for beam in beams)
    word = unit_word(unit)
    rows = [
        {
            "Fraction": fraction.fraction_number,
            "When": day_or_time(beam.started_at or session.started_at, today),
            "Machine": absent(session.treatment_machine_name),
            "Beam": absent(beam.beam_name or beam.beam_number),
            "Type": absent(beam.treatment_delivery_type),
            f"Given {word}": beam.delivered_meterset
            if unit is not None
            else amount(beam.delivered_meterset, beam.unit),
            f"Asked for {word}": beam.specified_meterset
            if unit is not None
            else amount(beam.specified_meterset, beam.unit),
            **({"Pulses": absent(beam.pulses)} if is_pulsed else {}),
            "Ended": absent(beam.treatment_termination_status),
            "Reason": absent(beam.termination_reason),
            "Override": _yes_no(beam.was_overridden),
            "Written by": _written_by(session),
        }
        for fraction in reversed(book.fractions)
        for session in reversed(fraction.sessions)
        for beam in session.beams
    ]
    return pd.DataFrame(rows)


def fields(plan: PlanFile) -> pd.DataFrame:
    """The field table: angles in degrees, SSD in cm, the meterset in the unit that all fields have, else in its own."""
    unit = common(f.unit for f in plan.treatment_fields)
    return pd.DataFrame(
        {
            "No": f.beam_number,
            "Field": absent(f.beam_name),
            "Kind": "setup" if f.is_setup_field else "treatment",
            "Machine": absent(f.treatment_machine_name),
            "Energy": energy(f.nominal_beam_energy, f.radiation_type),
            "Technique": absent(f.technique),
            unit_word(unit): f.beam_meterset if unit is not None else amount(f.beam_meterset, f.unit),
            "Gantry": gantry_in_words(f.gantry_angle, f.gantry_stop_angle, f.gantry_direction) or ABSENT,
            "Collimator": f.collimator_angle,
            "Couch": f.patient_support_angle,
            "SSD": f.source_to_surface_distance,
            "MLC": absent(f.mlc_type),
            "Dose rate": f.dose_rate,
            "Tolerance": absent(f.tolerance_table),
            "Note": absent(f.setup_note),
        }
        for f in plan.fields
    )


def setup(plan: PlanFile) -> pd.DataFrame:
    """How the patient lies, per field that says something; couch and shifts in cm."""
    names = {f.beam_number: f.beam_name for f in plan.fields}
    return pd.DataFrame(
        {
            "Field": absent(names.get(note.beam_number) or note.beam_number),
            "Position": absent(note.treatment_orientation),
            "Technique": absent(note.setup_technique),
            "Note": absent(note.setup_note),
            "Devices": absent(note.devices),
            "Shift vert": note.shift_vertical,
            "Shift long": note.shift_longitudinal,
            "Shift lat": note.shift_lateral,
            "Couch vert": note.couch_vertical,
            "Couch long": note.couch_longitudinal,
            "Couch lat": note.couch_lateral,
        }
        for note in plan.setup_notes
    )


def couch(plan: PlanFile, today: date) -> pd.DataFrame:
    """Where the couch stood, newest first, cm."""
    names: dict[int | None, str | None] = {field.beam_number: field.beam_name for field in plan.fields}
    return pd.DataFrame(
        {
            "Fraction": shift.fraction_number,
            "When": day_or_time(shift.treated_at, today),
            "Beam": names.get(shift.beam_number) or shift.beam_number,
            "Couch vert": shift.couch_vertical,
            "Couch long": shift.couch_longitudinal,
            "Couch lat": shift.couch_lateral,
            "Moved vert": shift.correction_vertical,
            "Moved long": shift.correction_longitudinal,
            "Moved lat": shift.correction_lateral,
        }
        for shift in reversed(plan.couch_shifts)
    )


def prescription(plan: PlanFile) -> list[tuple[str, str]]:
    """Label and text, in the order of reading."""
    own, course = plan.prescription, plan.course
    said: list[tuple[str, str | None]] = [
        ("Site", own.site if own else None),
        ("Laterality", plan.laterality),
        ("Intent", plan.intent),
        ("Dose per fraction", gray(own.dose_per_fraction) if own else None),
        ("Fractions", str(own.number_of_fractions) if own and own.number_of_fractions is not None else None),
        ("Total dose", gray(own.total_dose) if own else None),
        ("Dose levels", own.dose_levels if own else None),
        ("Pattern", own.fraction_pattern if own else None),
        ("Technique", own.technique if own else None),
        ("Bolus", own.bolus if own else None),
        ("Gating", own.gating if own else None),
        ("Phase", own.phase if own else None),
        ("Follows", own.follows_prescription_id if own else None),
        ("Notes", own.notes if own else None),
        ("Status", own.status if own else None),
        ("Diagnosis", _joined(course.diagnoses, course.diagnosis_codes) if course else None),
        ("Course", _joined(course.course_id, course.status, course.comment) if course else None),
    ]
    return [(label, absent(text)) for label, text in said]


def schedule(file: PatientFile) -> pd.DataFrame:
    """Appointments in order of time, those to come first, then those past, newest first."""
    today = file.now.date()
    ahead = [a for a in file.appointments if a.appointment_at is None or a.appointment_at >= file.now]
    past = [a for a in file.appointments if a.appointment_at is not None and a.appointment_at < file.now]
    return pd.DataFrame(
        {
            "When": day_or_time(a.appointment_at, today),
            "Until": f"{a.ends_at:%H:%M}" if a.ends_at is not None else ABSENT,
            "Machine": absent(a.treatment_machine_name or a.other_machine_name),
            "Activity": absent(a.activity),
            "Status": absent(a.status),
            "Note": absent(a.note),
        }
        for a in (*ahead, *reversed(past))
    )


def contacts(file: PatientFile) -> list[tuple[str, str]]:
    """Label and text: whom to call."""
    who = file.contacts
    said = [
        *((f"Phone, {kind}", number_of_it) for kind, number_of_it in who.phones),
        *([("Phone", None)] if not who.phones else []),
        ("E-mail", who.email),
        ("Address", who.address),
        ("Language", who.language),
        ("Emergency contact", who.emergency_contacts),
        ("Transport", who.transport),
        ("Special needs", who.special_needs),
    ]
    physicians = [
        ("Physician in charge" if p.is_primary else (p.role or "Physician"), _joined(p.physician_name, p.institution))
        for p in file.physicians
    ]
    return [(label, absent(text)) for label, text in (*said, *physicians)]


def papers(file: PatientFile) -> pd.DataFrame:
    """Documents, notes and checks, newest first."""
    today = file.now.date()
    rows: list[tuple[datetime | None, dict[str, str]]] = []
    for d in file.documents:
        rows.append((d.written_at, _paper(d.written_at, today, f"document, {absent(d.kind)}", d.status, d.location)))
    for n in file.notes:
        rows.append((n.written_at, _paper(n.written_at, today, f"note, {absent(n.kind)}", n.written_by, n.note)))
    for c in file.checks:
        said = _joined(c.status, c.comment)
        rows.append((c.checked_at, _paper(c.checked_at, today, f"check, {absent(c.kind)}", c.checked_by, said)))
    rows.sort(key=lambda pair: (pair[0] is not None, pair[0] or file.now), reverse=True)
    return pd.DataFrame([row for _, row in rows])


def holdings(plan: PlanFile, now: datetime, zone: ZoneInfo) -> pd.DataFrame:
    """What the RT-PACS said that it holds of the plan's chain, and when. `now` is aware."""
    return pd.DataFrame(
        {
            "": "" if thing.is_held else STOP_MARK,
            "What": thing.kind,
            "Held": held(thing),
            "Asked": moment(thing.asked_at, now, zone) if thing.asked_at is not None else ABSENT,
            "UID": thing.uid,
        }
        for thing in plan.held_objects
    )


def _ledger_row(fraction: LedgerFraction, today: date) -> dict[str, str]:
    unit = common(beam.unit for beam in fraction.beams)
    known = [beam.planned for beam in fraction.beams if beam.planned is not None]
    total = sum(known) if known and len(known) == len(fraction.beams) else None
    given = f"{in_unit(sum(b.delivered for b in fraction.beams), unit)} / {in_unit(total, unit)}"
    is_stopped = fraction.state == "interrupted"
    return {
        "mark": STOP_MARK if is_stopped else LOOK_MARK if fraction.state == "in part" else "",
        "fraction": str(fraction.fraction_number),
        "when": fraction.when(today),
        "machine": ", ".join(fraction.treatment_machine_names) or ABSENT,
        "given": given if unit is not None else ABSENT,
        "beams": " · ".join(_beam(b) for b in fraction.beams),
        "notes": _notes(fraction),
    }


def _notes(fraction: LedgerFraction) -> str:
    said = [_STATES[fraction.state]]
    if fraction.state != "complete":
        said.append(fraction.left_in_words)
    ended = [_ENDED.get(end, end) for end in fraction.terminations]
    said += [end.removeprefix("stopped ") if fraction.state == "interrupted" else end for end in ended]
    said += ["overridden"] if fraction.was_overridden else []
    said += dict.fromkeys(by for s in fraction.sessions if (by := _written_by(s)) != "machine")
    return " · ".join(filter(None, said))


def _written_by(session: Session) -> str:
    if session.charted_by is not None:
        return f"charted by {session.charted_by}"
    return "entered by hand" if session.treatment_record_content_origin == "USER" else "machine"


def _ahead(number_of_it: str, when: str, note: str) -> dict[str, str]:
    return {"mark": "", "fraction": number_of_it, "when": when, "machine": "", "given": "", "beams": "", "notes": note}


def _beam(beam: LedgerBeam) -> str:
    given = f"{in_unit(beam.delivered, beam.unit)}/{in_unit(beam.planned, beam.unit)}"
    return f"{absent(beam.beam_name or beam.beam_number)} {given}"


def _paper(at: datetime | None, today: date, kind: str, who: str | None, said: str | None) -> dict[str, str]:
    return {"When": day_or_time(at, today), "Kind": kind, "By, status": absent(who), "What": absent(said)}


def _joined(*parts: str | None) -> str | None:
    return " · ".join(filter(None, parts)) or None


def _yes_no(value: bool | None) -> str:
    return ABSENT if value is None else "yes" if value else "no"


def people(table: pd.DataFrame) -> pd.DataFrame:
    """One row per patient of on_treatment, in its order: who, and with which unfinished plans."""
    if table.empty:
        return table.assign(plans=[])[["patient_id", "patient_name", "other_patient_ids"]]
    known = table[table["patient_id"].notna()]
    grouped = known.groupby("patient_id", sort=False)
    return grouped.agg(
        mark=("mark", lambda marks: next((m for m in (STOP_MARK, LOOK_MARK) if m in set(marks)), "")),
        patient_name=("patient_name", "first"),
        patient_birth_date=("patient_birth_date", "first"),
        plans=("plan", lambda plans: ", ".join(plans)),
        treatment_machine_name=("treatment_machine_name", "first"),
        other_patient_ids=("other_patient_ids", "first"),
    ).reset_index()
