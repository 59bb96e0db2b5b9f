"""ARIA's words, units and lists, made into the relational tables.

One `TableReading` per file of `queries/aria/`. The dictionaries are the only place where ARIA's codes stand; a code
that is not in them is kept as it is.
"""

from collections.abc import Callable

from backup_jobs.rv import values
from backup_jobs.rv.aria.prescriptions import PRESCRIPTION_READING, fraction_pattern, in_gray
from backup_jobs.rv.machines import other_machine, treatment_machine
from backup_jobs.rv.photos import photo_reading
from backup_jobs.rv.table_readings import (
    Group,
    RawRow,
    TableReading,
    died_on,
    each_once,
    each_value,
    family_given,
    first_known,
    joined,
    name_of,
    one_line,
    said_together,
    translated,
)
from recovery.tables import relational as tables
from recovery.tables.delivered import IN_FLIGHT
from recovery.tables.relational import WAIT_LISTED
from recovery.words import sentences
from recovery.words.prescription import of_a_site

PLAN_STATUSES = {
    "TreatApproval": "treatment approved",
    "ExternalApproval": "externally approved",
    "PlanApproval": "planning approved",
    "Reviewed": "reviewed",
    "Unapproved": "unapproved",
    "UnApproved": "unapproved",
    "Completed": "completed",
    "CompletedEarly": "completed early",
    "Retired": "retired",
    "Rejected": "rejected",
}
_ARE_APPROVED = frozenset({"treatapproval", "externalapproval"})
_WERE_APPROVED = frozenset({"completed", "completedearly"})

APPOINTMENT_STATUSES = {
    "Open": "booked",
    "In Progress": "in progress",
    "Completed": "completed",
    "Manually Completed": "completed",
    "Pt. CompltFinish": "completed",
    "Cancelled": "cancelled",
    "Canceled": "cancelled",
    "Pt. Cancelled": "cancelled",
    "Cancelled - Patient No-Show": "cancelled, patient did not come",
    "No Show": "cancelled, patient did not come",
}
SEXES = {"Male": "M", "Female": "F", "Other": "O", "Unknown": ""}
COURSE_STATUSES = {"ACTIVE": "active", "COMPLETED": "completed", "RESTORED": "restored"}
DOCUMENT_STATUSES = {"A": "approved", "Y": "approved", "U": "not approved", "N": "not approved", "E": "made in error"}


def _alert(row: RawRow) -> str | None:
    said = {
        "": values.line(row["medical_alerts"]),
        "contrast allergies: ": values.line(row["contrast_allergies"]),
        "pregnancy: ": values.line(row["pregnancy_status"]),
        "allergy: ": said_together(row, ", ", "allergy", "allergy_comment"),
        "implanted device: ": said_together(row, ", ", "device", "device_model", "device_mri_safety"),
    }
    return "; ".join(f"{what}{words}" for what, words in said.items() if words) or None


def _alerts(group: Group) -> str | None:
    died = died_on(group[0], "died_at", "died_at_by_emr")
    if died is None and any(values.text(row["alive"]) == "N" for row in group):
        died = "died"
    said = [died] if died else []
    said += [part for row in group if (alert := _alert(row)) for part in alert.split("; ")]
    return "; ".join(dict.fromkeys(said)) or None


def _contact(row: RawRow) -> str | None:
    name = name_of(row, "contact_family_name", "contact_given_name")
    relationship = values.line(row["contact_relationship"])
    phones = said_together(row, ", ", "contact_phone_home", "contact_phone_mobile", "contact_phone_work")
    who = f"{name or ''} ({relationship})".strip() if relationship else name
    return ": ".join(part for part in (who, phones) if part) or None


def _appointment_status(group: Group) -> str | None:
    """A wish that waits for a slot is no booking, whatever time it names."""
    status = translated(APPOINTMENT_STATUSES, "status")(group)
    return WAIT_LISTED if status == "booked" and values.truth(group[0]["is_wait_listed"]) else status  # type: ignore[return-value]


def _address(group: Group) -> str | None:
    """The first address that says something: the primary one comes first, one that has ended not at all."""
    return next((said for row in group if (said := _address_of(row))), None)


def _address_of(row: RawRow) -> str | None:
    city = said_together(row, " ", "postal_code", "city")
    lines = said_together(row, ", ", "address_line_1", "address_line_2", "address_line_3")
    return ", ".join(part for part in (lines, city, said_together(row, ", ", "state", "country")) if part) or None


def _role(group: Group) -> str | None:
    if any(values.truth(row["is_oncologist"]) for row in group):
        return "oncologist"
    return "primary care physician" if any(values.truth(row["is_primary_care"]) for row in group) else None


def _is_primary(group: Group) -> bool:
    return any(values.truth(row["is_oncologist"]) and values.truth(row["is_primary_flag"]) for row in group)


def _approval(column_while_approved: str, column_of_history: str) -> Callable[[Group], object]:
    """Who approved a plan for treatment, or when: its status says it while that is the newest word, else Approval."""

    def read(group: Group) -> object:
        status = (values.text(group[0]["status"]) or "").casefold()
        if status in _ARE_APPROVED:
            return group[0][column_while_approved]
        return group[0][column_of_history] if status in _WERE_APPROVED else None

    return read


def _dose_per_fraction(group: Group) -> float | None:
    dose = values.number(group[0]["dose_per_fraction"])
    units = {(values.text(group[0][name]) or "Gy").casefold() for name in ("dose_unit", "other_dose_unit")}
    if dose is None:
        return None
    if len(units) > 1:
        raise values.AmbiguousError("whose unit the database sets in two ways")
    return in_gray(dose, units.pop())


def _nominal_energy(group: Group) -> float | None:
    """kV or keV to MV or MeV."""
    energy = values.number(group[0]["energy"])
    return None if energy is None else energy / 1000


def _standing(group: Group) -> Group:
    """The rows of a course without those of struck-out diagnoses."""
    return [row for row in group if not values.truth(row["is_struck_out"])]


def _sides_of_diagnoses(group: Group) -> str | None:
    """The only diagnosis' side; of several each with its site."""
    standing = _standing(group)
    if len({row["diagnosis_serial"] for row in standing} - {None}) <= 1:
        return each_value("laterality")(standing)  # type: ignore[return-value]
    return sentences.joined(dict.fromkeys(filter(None, map(_side_of_diagnosis, standing)))) or None


def _side_of_diagnosis(row: RawRow) -> str | None:
    side = values.line(row["laterality"])
    site = values.line(row["diagnosis"]) or values.line(row["diagnosis_code"])
    return of_a_site(side, site) if side is not None else None


_approver = _approval("status_user", "treat_approval_user")
_approval_time = _approval("status_at", "treat_approval_at")


READINGS = (
    TableReading(
        tables.PATIENTS,
        {
            "other_patient_ids": each_value("other_patient_id"),
            "patient_name": family_given("family_name", "given_name", capitals=True),
            "patient_sex": translated(SEXES, "sex"),
            "email": first_known("email"),
            "address": _address,
            "emergency_contacts": each_once(_contact),
            "transport": each_once(
                lambda row: said_together(row, ", ", "transport_name", "transport_phone", "transport_comment")
            ),
            "alerts": _alerts,
        },
        one_row_per=("patient_serial",),
    ),
    TableReading(
        tables.PHYSICIANS,
        {
            "physician_name": family_given("physician_family_name", "physician_given_name", capitals=False),
            "role": _role,
            "is_primary": _is_primary,
            "specialty": first_known("specialty"),
            "institution": first_known("institution"),
        },
        one_row_per=("patient_serial", "physician_family_name", "physician_given_name"),
    ),
    TableReading(
        tables.COURSES,
        {
            "status": translated(COURSE_STATUSES, "status"),
            "diagnosis_codes": lambda group: each_value("diagnosis_code")(_standing(group)),
            "diagnoses": lambda group: each_value("diagnosis")(_standing(group)),
            "laterality": _sides_of_diagnoses,
            "intent": each_value("intent"),
        },
        one_row_per=("course_serial",),
    ),
    PRESCRIPTION_READING,
    TableReading(
        tables.PLANS,
        {
            "approval_status": translated(PLAN_STATUSES, "status"),
            "approved_by": lambda group: values.line(_approver(group)),
            "approved_at": lambda group: values.moment(_approval_time(group)),
            "status_changed_by": one_line("status_user"),
            "status_changed_at": lambda group: values.moment(group[0]["status_at"]),
            "dose_per_fraction": _dose_per_fraction,
            "fraction_pattern": fraction_pattern,
        },
        one_row_per=("plan_serial",),
    ),
    TableReading(
        tables.PLAN_FIELDS,
        {
            "nominal_beam_energy": _nominal_energy,
        },
        one_row_per=("sop_instance_uid", "field_serial"),
    ),
    TableReading(
        tables.SETUP_NOTES,
        {"devices": each_once(lambda row: said_together(row, ", ", "device", "device_type"))},
        one_row_per=("sop_instance_uid", "field_serial"),
    ),
    TableReading(
        tables.SCHEDULE,
        {
            "status": _appointment_status,
            "treatment_machine_name": treatment_machine,
            "other_machine_name": other_machine,
        },
        one_row_per=("appointment_id",),
    ),
    TableReading(IN_FLIGHT, one_row_per=("in_flight_id",)),
    TableReading(tables.NOTES, {"note_id": joined("-", "note_source", "note_owner", "note_number")}),
    TableReading(
        tables.CHECKS,
        {
            "check_id": joined("-", "check_source", "check_number", "check_revision"),
            "sop_instance_uid": each_value("sop_instance_uid"),
            "status": translated(PLAN_STATUSES, "status"),
        },
        one_row_per=("check_source", "check_number", "check_revision"),
    ),
    TableReading(
        tables.DOCUMENTS,
        {
            "document_id": joined("-", "document_owner", "document_visit", "document_number"),
            "status": translated(DOCUMENT_STATUSES, "approval_flag"),
        },
    ),
    photo_reading(),
)
"""How ARIA's rows become tables, where that is more than reading the columns."""
