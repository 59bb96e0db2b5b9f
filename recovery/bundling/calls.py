"""Whom to call, machine by machine: the call list of binder and bundle."""

from collections.abc import Iterable

from recovery.patient import notices
from recovery.patient.file import PatientFile
from recovery.words.times import at_time_this_year
from recovery.words.values import ABSENT, absent

HEADINGS = (
    *("Name", "ID", "Born", "Next fraction", "Next appointment", "Phones", "Also", "In charge"),
    "Reached: whom, when, by",
)


def by_machine(files: Iterable[PatientFile]) -> dict[str, list[tuple[str, ...]]]:
    """By the machine of a patient's first unfinished plan, a line of HEADINGS each, in the order of `files`."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for file in files:
        found.setdefault(machine_of(file), []).append(line(file))
    return dict(sorted(found.items(), key=lambda pair: (pair[0] == ABSENT, pair[0])))


def machine_of(file: PatientFile) -> str:
    return absent(next((plan.row.treatment_machine_name for plan in file.unfinished_plans), None))


def line(file: PatientFile) -> tuple[str, ...]:
    """What the caller must know, and a place for what he learns. Each phone on a line of its own."""
    person, who, ahead = file.identity, file.contacts, file.next_appointment
    born = person.patient_birth_date
    booked = f"{at_time_this_year(ahead.appointment_at)} {ahead.treatment_machine_name}" if ahead is not None else None
    also = (
        ("speaks", who.language),
        ("emergency contact", who.emergency_contacts),
        ("transport", who.transport),
        ("needs", who.special_needs),
    )
    return (
        *(absent(person.patient_name), person.patient_id, absent(born.isoformat() if born is not None else None)),
        " / ".join(notices.next_fraction(plan) for plan in file.unfinished_plans) or ABSENT,
        absent(booked),
        absent("\n".join(f"{kind} {number}" for kind, number in who.phones)),
        absent("; ".join(f"{label} {value}" for label, value in also if value)),
        absent(next((physician.physician_name for physician in file.physicians), None)),
        "",
    )
