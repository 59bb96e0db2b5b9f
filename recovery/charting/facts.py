"""What a chart tells in pairs of a label and a value: prescription, plan, people, setup. Pure, no I/O."""

from recovery.charting import on_paper
from recovery.patient.file import PatientFile, Physician
from recovery.patient.plan import PlanFile
from recovery.words.prescription import with_side_in_capitals
from recovery.words.times import day_or_time
from recovery.words.values import ABSENT

Pairs = tuple[tuple[str, str], ...]

TO_FILL_IN = "." * 30
"""Neither DICOM nor the R&V database tell a physician's phone: somebody writes it down."""


def progress(file: PatientFile, plan: PlanFile | None) -> Pairs:
    """How far the course is."""
    if plan is None:
        return ()
    row, ledger = plan.row, plan.ledger
    prescribed = plan.prescription.total_dose if plan.prescription is not None else None
    given = on_paper.fixed(ledger.dose_delivered if ledger is not None else None, 2)
    dose = ABSENT if given == ABSENT and prescribed is None else f"{given} of {on_paper.fixed(prescribed, 2)} Gy"
    ahead = file.next_appointment
    booked = ABSENT
    if ahead is not None:
        booked = f"{day_or_time(ahead.appointment_at)} {ahead.treatment_machine_name or ''}".strip()
    return (
        (
            "Delivered in full",
            " of ".join(map(on_paper.text, (row.course_fractions_delivered, row.course_number_of_fractions_planned))),
        ),
        ("Dose given of total", dose),
        ("Last treated", day_or_time(row.last_treatment_at)),
        ("Next appointment", booked),
    )


def prescription(plan: PlanFile | None) -> Pairs:
    """What was prescribed; only what must never lack where there is no prescription."""
    if plan is None:
        return ()
    rx = plan.prescription
    pairs = [
        ("Site", on_paper.text(rx.site if rx else None)),
        _laterality(plan),
        ("Intent", on_paper.text(plan.intent)),
        ("Dose", plan.prescribed or ABSENT),
    ]
    if rx is not None:
        more = (
            ("Pattern", rx.fraction_pattern),
            ("Technique", rx.technique),
            ("Bolus", rx.bolus),
            ("Gating", rx.gating),
        )
        pairs += [(label, on_paper.text(value)) for label, value in more]
        rare = (("Dose levels", rx.dose_levels), ("Phase", rx.phase), ("Notes", rx.notes))
        pairs += [(label, on_paper.text(value)) for label, value in rare if value]
    pairs += [("Diagnosis", on_paper.text(plan.course.diagnoses))] if plan.course is not None else []
    return tuple(pairs)


def _laterality(plan: PlanFile) -> tuple[str, str]:
    """The prescription's own; else the diagnosis', which is not the site's where a metastasis elsewhere is treated."""
    return "Laterality", with_side_in_capitals(plan.laterality) if plan.laterality else ABSENT


def plan(plan: PlanFile | None) -> Pairs:
    """Which plan, and who approved it."""
    if plan is None:
        return ()
    told = plan.approval
    by = f" by {told.approved_by}" if told.approved_by else ""
    at = f", {day_or_time(told.approved_at)}" if told.approved_at else ""
    machines = on_paper.one_of(f.treatment_machine_name for f in plan.treatment_fields)
    return (
        ("Plan", on_paper.text(plan.label)),
        ("Plan UID", on_paper.short_uid(plan.uid)),
        ("Approval", f"{told.approval_status or (told.dicom_approval_status or ABSENT).lower()}{by}{at}"),
        ("Machine", machines if machines != ABSENT else on_paper.text(plan.row.treatment_machine_name)),
    )


def people(file: PatientFile) -> Pairs:
    """Whom to call."""
    physicians = [p for p in file.physicians if p.is_primary] or file.physicians[:2]
    own = ", ".join(f"{number} ({kind})" for kind, number in file.contacts.phones)
    return (
        ("Physician", "; ".join(_with_role(p) for p in physicians) or ABSENT),
        ("Physician's phone", TO_FILL_IN),
        ("Patient's phone", own or ABSENT),
        ("Emergency", on_paper.text(file.contacts.emergency_contacts)),
        ("Language", on_paper.text(file.contacts.language)),
    )


def _with_role(physician: Physician) -> str:
    """`Green, Gloria (primary oncologist)`; one whom only the treatment records name has no role."""
    role = "primary oncologist" if physician.is_primary else physician.role
    return f"{physician.physician_name} ({role})" if role else physician.physician_name


def setup(plan: PlanFile | None) -> Pairs:
    """Each thing once, though the tables repeat it for every field."""
    if plan is None:
        return ()
    notes = plan.setup_notes
    couch = [on_paper.triple(n.couch_vertical, n.couch_longitudinal, n.couch_lateral) for n in notes]
    shifts = [on_paper.triple(n.shift_vertical, n.shift_longitudinal, n.shift_lateral) for n in notes]
    written = [*(n.setup_note for n in notes), *(f.setup_note for f in plan.fields)]
    pairs = [
        ("Position", on_paper.one_of([*(n.treatment_orientation for n in notes), *(n.setup_technique for n in notes)])),
        ("Devices", on_paper.one_of(n.devices for n in notes)),
        ("Shift vrt / lng / lat, cm", on_paper.one_of(s for s in shifts if s != ABSENT)),
        ("Couch vrt / lng / lat, cm", on_paper.one_of(c for c in couch if c != ABSENT)),
        ("Note", "\n".join(dict.fromkeys(n.strip() for n in written if n and n.strip())) or ABSENT),
    ]
    is_known = any(value != ABSENT for _, value in pairs)
    return tuple(pairs) if is_known else (("Note", "Nothing about the setup is in the safety copy."),)
