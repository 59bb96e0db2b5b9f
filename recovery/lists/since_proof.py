"""Everybody who may have been treated since the newest proof, per machine in order of time, to be worked off.

Every appointment since the proof that no record answers, with each plan that it may be for; then who is unknown without
one: begun before the proof, or on treatment where no schedule is known.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import pandas as pd

from recovery.lists import appointments
from recovery.lists.appointments import DayFacts, Record, machine_of, records
from recovery.lists.columns import SINCE_PROOF
from recovery.on_treatment.unknown_since import Doubt
from recovery.tables.schema import TEXT
from recovery.words.values import absent, or_none

COLUMNS = (*SINCE_PROOF.excel, "check")
BOOKED, OTHER_PLAN = "booked", "another plan of a patient who is booked"
BEGUN, NO_SCHEDULE = "begun before, end not recorded", "on treatment, appointments unknown"
"""Why a line is on the list."""


def lines_of(
    table: pd.DataFrame,
    schedule: pd.DataFrame | None,
    doubt: Doubt,
    patients: pd.DataFrame | None = None,
    facts: Callable[[date], DayFacts] | None = None,
) -> pd.DataFrame:
    """The list, with COLUMNS, and `at`: when somebody was booked. `table` is the whole of on_treatment as
    it is now; `patients` names who has no plan;
    `facts`: what is known of a day."""
    of_day = facts or (lambda day: DayFacts(day, doubt.now.date(), doubt=doubt))
    found = list(_booked(table, schedule, doubt, of_day))
    persons = {row["patient_id"]: row for row in records(patients)} if patients is not None else {}
    for line in found:
        for column in ("patient_name", "patient_birth_date"):
            line[column] = line[column] or or_none(persons.get(line["patient_id"], {}).get(column))
    told, people = {(line["patient_id"], line["uid"]) for line in found}, {line["patient_id"] for line in found}
    for row in records(table[table["unknown_since"].notna()]):
        if (row["patient_id"], row["referenced_rt_plan_uid"]) not in told:
            is_begun = bool(or_none(row["in_flight"])) or or_none(row["interrupted_fraction"]) is not None
            is_booked = row["patient_id"] in people
            why = BEGUN if is_begun else OTHER_PLAN if is_booked else NO_SCHEDULE
            found.append(_line(row, machine_of(row), None, why))
    found.sort(key=_in_order)
    frame = pd.DataFrame(found, columns=[*COLUMNS, "at"])
    for name in set(COLUMNS) - {"booked", "patient_birth_date"}:
        frame[name] = frame[name].astype(TEXT)
    return frame


def _in_order(line: Record) -> tuple[str, bool, str, str]:
    """By machine, then time, those without one last, then name."""
    machine, at = line["treatment_machine_name"], line["at"]
    return machine, at is None, "" if at is None else at.isoformat(), absent(line["patient_name"])


def _booked(
    table: pd.DataFrame, schedule: pd.DataFrame | None, doubt: Doubt, facts: Callable[[date], DayFacts]
) -> Iterator[Record]:
    day, today = doubt.since.date(), doubt.now.date()
    while day <= today:
        on_day = appointments.on_day(schedule, day)
        expected = on_day[~appointments.is_cancelled(on_day)] if on_day is not None else None
        known = facts(day)
        for appointment, plans in appointments.with_plans(expected, table, day) if expected is not None else ():
            if appointments.state_of(plans, known, appointment) == appointments.UNKNOWN:
                for row in plans:
                    machine = appointment["treatment_machine_name"]
                    yield _line(row, machine, appointment["appointment_at"], BOOKED, appointment["patient_id"])
        day += timedelta(days=1)


def _line(row: Record | None, machine: str, at: datetime | None, why: str, patient_id: str | None = None) -> Record:
    columns = ("mark", "patient_name", "patient_id", "patient_birth_date", "plan", "fraction", "check")
    told = {name: or_none((row or {}).get(name)) for name in columns}
    return {
        **told,
        "mark": told["mark"] or "▲",
        "patient_id": told["patient_id"] or patient_id,
        "check": told["check"] or "",
        "treatment_machine_name": machine,
        "booked": None if at is None else f"{at:%a %H:%M}",
        "at": at,
        "why": why,
        "uid": or_none((row or {}).get("referenced_rt_plan_uid")),
    }
