"""Put one plan's file together from the rows of its patient."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any

from recovery.course.courses import Chain, Member, chains
from recovery.course.fractions import count_fractions
from recovery.course.ledger import CourseSoFar, Ledger, as_decided, lay_out
from recovery.course.metersets import planned_by_database
from recovery.course.needed_images import needed_images
from recovery.dicom.course_uids import course_uid
from recovery.dicom.plans import Plan, PlannedBeam
from recovery.identity.one_patient import own_plan
from recovery.patient import plan as pf
from recovery.patient.disagreements import disagreements
from recovery.patient.tables import PatientTables, Rows
from recovery.words.prescription import prescribed_or_planned
from recovery.words.units import MU, PULSES, SECONDS
from recovery.words.values import absent


def counted_courses(tables: PatientTables, rows: Rows) -> Sequence[Chain]:
    """The courses of one patient, counted from the records: plans that make one course stand together."""
    members = []
    for row in rows:
        uid = course_uid(row["referenced_rt_plan_uid"], row["prescription_id"])
        records = [r for r in tables.records.get(row["patient_id"], ()) if r.course_uid == uid]
        plan = own_plan(tables.plans.get(uid or ""), records)
        plan_uid = row["referenced_rt_plan_uid"]
        deliveries = (
            r for r in tables.rows("deliveries", row["patient_id"]) if r["referenced_rt_plan_uid"] == plan_uid
        )
        members.append(Member(uid, plan, count_fractions(records, plan, planned_by_database(deliveries))))
    return chains(members, tables.plans)


def read_plan(
    tables: PatientTables, row: Mapping[str, Any], now: datetime, courses: Sequence[Chain], of_person: Sequence[str]
) -> pf.PlanFile:
    """The file of the plan of one row of on_treatment. `now` is naive, local to the site; `of_person`: disagreements
    that are told of the patient, and of none of the plans."""
    uid, patient_id = row["referenced_rt_plan_uid"], row["patient_id"]

    def own(table: str, column: str = "sop_instance_uid") -> Rows:
        return [r for r in tables.rows(table, patient_id) if r[column] == uid]

    course = course_uid(uid, row["prescription_id"])
    plan = next(m.plan for chain in courses for m in chain.members if m.uid == course)
    without_plan = {"prescription_id": row["prescription_id"], "course_id": None} if uid is None else None
    told = next(iter(own("plans")), None)
    line = pf.of_row(pf.OnTreatmentRow, {"next_decided": None, **row})
    prescription = _named(pf.Prescription, tables, patient_id, "prescriptions", "prescription_id", told or without_plan)
    deliveries = own("deliveries", "referenced_rt_plan_uid")
    if uid is None:
        deliveries = [r for r in deliveries if r["prescription_id"] == row["prescription_id"]]
    fields = _plan_fields(plan, own("plan_fields"))
    numbers = [field.beam_number for field in fields]
    names = {field.beam_number: field.beam_name for field in fields if numbers.count(field.beam_number) == 1}
    ledger = _ledger(tables, row, courses, now, _dose_per_fraction(prescription, told), names, deliveries)
    if ledger is not None and line.next_decided is not None:
        ledger = as_decided(ledger, line.next_fraction_number, row["next_group"], row["next_rest"], names)
    differing = dict.fromkeys(disagreements(row, plan, told, prescription, ledger))
    return pf.PlanFile(
        row=line,
        approval=_approval(told, plan),
        prescription=prescription,
        course=_named(pf.TreatmentCourse, tables, patient_id, "courses", "course_id", told),
        plan_intent=(plan.plan_intent if plan is not None else None) or (told["plan_intent"] if told else None),
        fields=tuple(_with_unit(field, ledger) for field in fields),
        setup_notes=tuple(pf.of_row(pf.SetupNote, r) for r in sorted(own("setup_notes"), key=_beam_number)),
        couch_shifts=_couch_shifts(deliveries, tables.rows("couch_shifts", patient_id)),
        ledger=ledger,
        held_objects=tuple(_held_objects(tables, uid, plan)),
        disagreements=tuple(said for said in differing if said not in of_person),
        prescribed=prescribed_or_planned(asdict(prescription) if prescription is not None else None, told),
        doubted=row.get("doubted"),
    )


def _with_unit(field: pf.PlanField, ledger: Ledger | None) -> pf.PlanField:
    """With the unit of its records, where the plan tells none."""
    ahead = ledger.next_metersets.get(field.beam_number) if ledger is not None else None
    if field.meterset_unit is not None or ahead is None:
        return field
    return replace(field, meterset_unit=SECONDS if ahead.unit == PULSES else ahead.unit)


def _ledger(
    tables: PatientTables,
    row: Mapping[str, Any],
    courses: Sequence[Chain],
    now: datetime,
    dose_per_fraction: float | None,
    names: Mapping[int, str | None],
    deliveries: Rows,
) -> Ledger | None:
    if "treatment_records" in tables.missing or "rt_plans" in tables.missing:
        return None
    uid = course_uid(row["referenced_rt_plan_uid"], row["prescription_id"])
    chain, member = next((c, m) for c in courses for m in c.members if m.uid == uid)
    whole = CourseSoFar(
        number_of_fractions_planned=row["course_number_of_fractions_planned"],
        fractions_delivered=chain.fractions_delivered,
        fractions_remaining=row["fractions_remaining"],
        next_fraction_number=row["next_fraction_number"],
        others=tuple(m.course for m in chain.members if m is not member),
    )
    return lay_out(
        member.course, now, dose_per_fraction=dose_per_fraction, beam_names=names, database=deliveries, whole=whole
    )


def _dose_per_fraction(prescription: pf.Prescription | None, told: Mapping[str, Any] | None) -> float | None:
    """Gy, as prescribed, else as the R&V database's plan has it; None where the two differ: nobody knows."""
    prescribed = prescription.dose_per_fraction if prescription is not None else None
    planned: float | None = told["dose_per_fraction"] if told is not None else None
    if prescribed is None or planned is None:
        return planned if prescribed is None else prescribed
    return prescribed if abs(prescribed - planned) <= pf.DOSE_TOLERANCE else None


def _named(
    kind: type[Any],
    tables: PatientTables,
    patient_id: str,
    table: str,
    column: str,
    told: Mapping[str, Any] | None,
) -> Any:
    """The patient's row of `table` that the R&V database's plan names; None where it names none."""
    key = told[column] if told is not None else None
    rows = (r for r in tables.rows(table, patient_id) if key is not None and r[column] == key)
    return next((pf.of_row(kind, row) for row in rows), None)


def _approval(told: Mapping[str, Any] | None, plan: Plan | None) -> pf.Approval:
    said = told or {}
    return pf.Approval(
        approval_status=said.get("approval_status"),
        approved_by=said.get("approved_by"),
        approved_at=said.get("approved_at"),
        dicom_approval_status=plan.approval_status if plan is not None else None,
    )


def _couch_shifts(deliveries: Rows, shifts: Rows) -> tuple[pf.CouchShift, ...]:
    known = {row["delivery_id"]: row for row in deliveries}
    found = [
        pf.of_row(
            pf.CouchShift, {**row, **{c: known[row["delivery_id"]][c] for c in ("fraction_number", "beam_number")}}
        )
        for row in shifts
        if row["delivery_id"] in known
    ]
    return tuple(sorted(found, key=lambda s: (s.treated_at or datetime.min, s.beam_number or 0)))  # noqa: DTZ901


def _held_objects(tables: PatientTables, uid: str | None, plan: Plan | None) -> Iterator[pf.HeldObject]:
    if uid is None:
        return
    yield _held(tables, "plan", uid)
    if plan is None:
        return
    for set_uid in plan.structure_set_uids:
        yield _held(tables, "structure set", set_uid)
    needed = needed_images(plan, tables)
    for series_uid in dict.fromkeys(series.series_instance_uid for series in needed.series):
        yield _held(tables, "image series", series_uid)
    for image_uid in needed.contour_image_uids:
        yield _held(tables, "image", image_uid)
    for image_uid in plan.reference_image_uids:
        yield _held(tables, "reference image", image_uid)


def _held(tables: PatientTables, kind: str, uid: str) -> pf.HeldObject:
    answer = tables.holdings.get(uid)
    if answer is None:
        return pf.HeldObject(kind, uid, None, None, None)
    asked_at = answer["asked_at"]
    return pf.HeldObject(
        kind, uid, answer["wanted"], answer["held"], asked_at.replace(tzinfo=UTC) if asked_at is not None else None
    )


def _beam_number(row: Mapping[str, Any]) -> int:
    number: int = row["beam_number"]
    return number


def _plan_fields(plan: Plan | None, rows: Rows) -> tuple[pf.PlanField, ...]:
    """The fields of a plan, in the order in which they are treated: as the RT-PACS holds it, then as the database."""
    told = {row["beam_number"]: row for row in rows}
    order = {n: (row["treatment_order"] is None, row["treatment_order"] or 0, n) for n, row in told.items()}
    planned: dict[int, list[PlannedBeam]] = {}
    for beam in plan.beams if plan is not None else ():
        planned.setdefault(beam.beam_number, []).append(beam)
    found = []
    for number in sorted({*told, *planned}, key=lambda n: order.get(n, (True, 0, n))):
        for one in planned.get(number, (None,)):
            row = dict(told.get(number) or dict.fromkeys((f.name for f in fields(pf.PlanField)), None))
            if one is not None:
                row |= _of_beam(one, row, is_one_of=len(planned[number]) > 1)
            found.append(pf.of_row(pf.PlanField, {"meterset_unit": None, "fraction_group_number": None, **row}))
    return tuple(found)


def _of_beam(beam: PlannedBeam, row: Mapping[str, Any], *, is_one_of: bool) -> dict[str, Any]:
    """What the plan itself tells of a field; where several fraction groups give one number, also of which it is."""
    names = ("beam_name", "treatment_machine_name", "beam_meterset")
    own = {name: row[name] if getattr(beam, name) is None else getattr(beam, name) for name in names}
    if is_one_of:
        own["beam_name"] = f"{absent(own['beam_name'])} (fraction group {absent(beam.fraction_group_number)})"
    if row["is_setup_field"] is None and beam.treatment_delivery_type is not None:
        own["is_setup_field"] = beam.treatment_delivery_type not in {"TREATMENT", "CONTINUATION"}
    unit = beam.meterset_unit or (MU if is_one_of else None)
    own["fraction_group_number"] = beam.fraction_group_number
    return {"beam_number": beam.beam_number, "meterset_unit": unit, **own}
