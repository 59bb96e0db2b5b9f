"""MOSAIQ's words, units and lists, made into the relational tables.

One `TableReading` per file of `queries/mosaiq/`. What MOSAIQ's public schema does not tell is null, and the query's
header says so.
"""

from datetime import datetime, timedelta

from backup_jobs.rv import values
from backup_jobs.rv.machines import other_machine, side_in, treatment_machine
from backup_jobs.rv.mosaiq.deliveries import COUCH_SHIFTS, DELIVERIES, IN_FLIGHT
from backup_jobs.rv.mosaiq.plans import PLAN_FIELDS, PLANS, SETUP_NOTES, course_id, gray
from backup_jobs.rv.mosaiq.words import FILE_FORMATS, PRESCRIPTION_STATUSES, SEXES
from backup_jobs.rv.photos import photo_reading
from backup_jobs.rv.table_readings import (
    Group,
    RawRow,
    Reader,
    TableReading,
    died_on,
    each_once,
    each_value,
    family_given,
    first_known,
    joined,
    nothing,
    said_together,
    translated,
)
from recovery.tables import relational as tables

COURSE_MARKERS = {"S": "new start", "O": "boost", "F": "last one"}
"""First character of SchStatus_Hist_SD; F is inferred."""
_KEPT = frozenset("CDE")
_CANCELLED = "X"
_TICKS_PER_SECOND = 100


def _other_ids(group: Group) -> str | None:
    """IDB to IDF, and numbers that were retired: what was written under one of those is this patient's too."""
    said = [values.line(group[0][f"other_id_{letter}"]) for letter in "bcdef"]
    said += [values.line(row["retired_id"]) for row in group]
    return "; ".join(dict.fromkeys(number for number in said if number is not None)) or None


def _address(group: Group) -> str | None:
    row = group[0]
    lines = said_together(row, ", ", "address_line_1", "address_line_2")
    city = said_together(row, " ", "postal_code", "city")
    parts = (lines, city, said_together(row, ", ", "county", "state", "country"))
    return ", ".join(part for part in parts if part) or None


def _alerts(group: Group) -> str | None:
    died = died_on(group[0], "died_at")
    said = [died] if died is not None else []
    said += [alert for row in group if (alert := said_together(row, ": ", "alert_subject", "alert_note"))]
    return "; ".join(dict.fromkeys(said)) or None


def _special_needs(group: Group) -> str | None:
    if not values.truth(group[0]["is_in_patient"]):
        return None
    ward = values.line(group[0]["ward"])
    return f"in-patient, ward {ward}" if ward else "in-patient"


def _work_phone(group: Group) -> str | None:
    return said_together(group[0], " ext. ", "phone_work", "phone_work_extension")


def _role(group: Group) -> str | None:
    parts = {row["part"] for row in group}
    if "attending" in parts:
        return "oncologist"
    return "primary care physician" if "primary care" in parts else "referring physician"


def _dose_levels(group: Group) -> str | None:
    """The target with its doses, as ARIA's are told: `PTV: 50 Gy, 2 Gy per fraction`."""
    total, each = gray("total_dose", group), gray("dose_per_fraction", group)
    said = [f"{total:g} Gy"] if total is not None else []
    said += [f"{each:g} Gy per fraction"] if each is not None else []
    target = values.line(group[0]["target"])
    return (f"{target}: {', '.join(said)}" if target else ", ".join(said)) if said else None


def _follows(group: Group) -> str | None:
    """The prescription that this one waits for; 0 is none."""
    followed = values.text(group[0]["follows_prescription_id"])
    return None if followed == "0" else followed


def _phase(group: Group) -> str | None:
    """When a boost begins: `starts after fraction 25 of that prescription, offset 1`."""
    fraction, offset = values.integer(group[0]["follows_fraction"]), values.integer(group[0]["follows_offset"])
    if _follows(group) is None or fraction is None:
        return None
    return f"starts after fraction {fraction}" + (f", offset {offset}" if offset else "")


def _gating(group: Group) -> str | None:
    flags = {values.truth(row["gating"]) for row in group} - {None}
    return None if not flags else "respiration" if True in flags else "none"


def appointment_status(group: Group) -> str | None:
    """SchStatus_Hist_SD in the words of `schedule.status`; an unknown code as it is, blank is still to come."""
    raw = group[0]["status"]
    code = values.text(raw)
    if code is None:
        return None if raw is None else "booked"
    if _CANCELLED in code:
        return "cancelled"
    marker, kept = (code[:-1], code[-1]) if code[-1] in _KEPT else (code, "")
    if marker and marker.strip() not in COURSE_MARKERS:
        return code
    return "completed" if kept else "booked"


def _appointment_note(group: Group) -> str | None:
    code = values.text(group[0]["status"]) or " "
    parts = (COURSE_MARKERS.get(code[0]), values.line(group[0]["note"]))
    return "; ".join(part for part in parts if part) or None


def _ends_at(group: Group) -> datetime | None:
    begins, ticks = values.moment(group[0]["appointment_at"]), values.number(group[0]["duration"])
    if begins is None or not ticks:
        return None
    try:
        return begins + timedelta(seconds=ticks / _TICKS_PER_SECOND)
    except OverflowError:
        raise values.UnreadableError("not a duration") from None


def _activity(group: Group) -> str | None:
    row = group[0]
    return values.line(row["activity"]) or values.line(row["activity_code"])


def _check_status(group: Group) -> str | None:
    if group[0]["is_complete"] is None:
        return "approved" if group[0]["check_source"] != "checklist" else None
    return "completed" if values.integer(group[0]["is_complete"]) else "to do"


def _document_kind(row: RawRow) -> str | None:
    code = values.text(row["file_format"])
    written_as = FILE_FORMATS.get(code, code) if code is not None else None
    return ", ".join(part for part in (values.line(row["document_type"]), written_as) if part) or None


def _location(group: Group) -> str | None:
    files = each_value("scanned_file")(group)
    return str(files) if files is not None else values.line(group[0]["file_number"])


def _person(role: str) -> Reader:
    return family_given(f"{role}_family_name", f"{role}_given_name", capitals=False)


PATIENTS = TableReading(
    tables.PATIENTS,
    {
        "other_patient_ids": _other_ids,
        "patient_name": family_given("family_name", "given_name", capitals=True),
        "patient_sex": translated(SEXES, "sex"),
        "phone_work": _work_phone,
        "address": _address,
        "special_needs": _special_needs,
        "emergency_contacts": nothing,
        "transport": nothing,
        "alerts": _alerts,
    },
    one_row_per=("patient_serial",),
)
PHYSICIANS = TableReading(
    tables.PHYSICIANS,
    {
        "physician_name": _person("physician"),
        "role": _role,
        "is_primary": lambda group: any(row["part"] == "attending" for row in group),
        "specialty": nothing,
        "institution": nothing,
    },
    one_row_per=("patient_serial", "physician_family_name", "physician_given_name"),
)
COURSES = TableReading(
    tables.COURSES,
    {
        "course_id": course_id,
        "status": nothing,
        "started_at": nothing,
        "completed_at": nothing,
        "diagnosis_codes": each_value("diagnosis_code"),
        "diagnoses": each_value("diagnosis"),
        "laterality": nothing,
        "intent": each_value("intent"),
        "comment": each_value("comment"),
    },
    one_row_per=("patient_serial", "course_number", "unnumbered_course"),
)
PRESCRIPTIONS = TableReading(
    tables.PRESCRIPTIONS,
    {
        "course_id": course_id,
        "site": first_known("prescription_name"),
        "laterality": side_in("prescription_name"),
        "dose_per_fraction": lambda group: gray("dose_per_fraction", group),
        "total_dose": lambda group: gray("total_dose", group),
        "dose_levels": _dose_levels,
        "phase": _phase,
        "follows_prescription_id": _follows,
        "bolus": each_value("bolus"),
        "gating": _gating,
        "status": translated(PRESCRIPTION_STATUSES, "status"),
        "created_by": _person("created_by"),
    },
    one_row_per=("prescription_id",),
)
SCHEDULE = TableReading(
    tables.SCHEDULE,
    {
        "ends_at": _ends_at,
        "treatment_machine_name": treatment_machine,
        "other_machine_name": other_machine,
        "activity": _activity,
        "status": appointment_status,
        "priority": nothing,
        "note": _appointment_note,
    },
    one_row_per=("appointment_id",),
)
NOTES = TableReading(
    tables.NOTES,
    {
        "written_by": _person("written_by"),
        "note": lambda group: (
            "\n".join(said for c in ("subject", "note") if (said := values.text(group[0][c]))) or None
        ),
    },
    one_row_per=("note_id",),
)
CHECKS = TableReading(
    tables.CHECKS,
    {
        "check_id": joined("-", "check_source", "check_number"),
        "status": _check_status,
        "checked_by": _person("checked_by"),
        "comment": joined(": ", "subject", "comment"),
    },
)
DOCUMENTS = TableReading(
    tables.DOCUMENTS,
    {"kind": each_once(_document_kind), "location": _location},
    one_row_per=("document_id",),
)

READINGS = (
    *(PATIENTS, PHYSICIANS, COURSES, PRESCRIPTIONS, PLANS, PLAN_FIELDS, SETUP_NOTES, SCHEDULE),
    *(DELIVERIES, COUCH_SHIFTS, IN_FLIGHT, NOTES, CHECKS, DOCUMENTS, photo_reading()),
)
"""How MOSAIQ's rows become tables, where that is more than reading the columns."""
