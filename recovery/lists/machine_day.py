"""One machine's day: who is booked when, with which fraction and set-up, and who must not be lost unbooked.

The table on_treatment says who is treated and which fraction is next; the relational tables say when, with which
energy, how to set up and whom to call. What one of them does not say is absent (of alerts, "none" is an answer and the
dash is not). `recovery.lists.appointments` says which plans an appointment is for, here and for the bars.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from recovery.identity.namesakes import fold
from recovery.lists import appointments, filters
from recovery.lists.appointments import UNKNOWN_MACHINE, DayFacts, Given, Record, given_for, machine_of, records
from recovery.lists.columns import MACHINE_DAY
from recovery.tables.relational import CANCELLED_STATUSES, PHONES
from recovery.tables.schema import TEXT
from recovery.words.notices import LOOK_MARK, Next
from recovery.words.radiation import energy_in_words
from recovery.words.values import ABSENT, absent, or_none

COLUMNS = tuple(dict.fromkeys((*MACHINE_DAY.page, *MACHINE_DAY.excel, "next_is", "is_interrupted", "urgent")))


@dataclass(frozen=True, slots=True)
class Tables:
    """The relational tables that a worklist is made from; None where one cannot be read.

    `only_known`: the machines and days that `schedule` tells of, where it holds but what was planned; None: of all.
    """

    schedule: pd.DataFrame | None = None
    plan_fields: pd.DataFrame | None = None
    setup_notes: pd.DataFrame | None = None
    patients: pd.DataFrame | None = None
    only_known: frozenset[tuple[str, date]] | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """`booked` in order of appointment, `unbooked` by name; both with COLUMNS. `cancelled`: appointments that fell.

    Without a schedule nobody is booked, and nobody is known to be unbooked either: then no appointment is counted.
    """

    booked: pd.DataFrame
    unbooked: pd.DataFrame
    cancelled: int
    is_schedule_known: bool = True


def machines_of(table: pd.DataFrame, schedule: pd.DataFrame | None) -> list[str]:
    """Every machine that a plan in treatment or an appointment names, sorted; the dash last, where one names none."""
    treated = table[filters.is_unfinished(table)]
    found = set(filters.or_dash(treated["treatment_machine_name"]))
    if schedule is not None:
        found |= set(schedule["treatment_machine_name"].dropna())
    return sorted(found, key=lambda name: (name == UNKNOWN_MACHINE, fold(name)))


def fraction_of(row: Mapping[str, Any], given: Sequence[Given], known: DayFacts) -> tuple[str, Next]:
    """What a line's number is: of what was given on that day, else of what is due, as far as anybody can know.

    `7 of 15 given`, and `, charted` where it was; `8 next of 15 (7 given)`, of another day `… as of now`: what is given
    until then is not counted in. A begun fraction is due whenever it began.
    """
    due, is_next = row["fraction"], Next(row["next_is"])
    numbers, begun = dict.fromkeys(one.number for one in given), or_none(row["interrupted_fraction"])
    if given and (begun is None or begun not in numbers):
        planned = absent(or_none(row["course_number_of_fractions_planned"]))
        by_hand = ", charted" if any(one.charted_by for one in given) else ""
        return f"{', '.join(absent(number) for number in numbers)} of {planned} given{by_hand}", Next.NONE
    if known.day < known.today and not given:
        return ABSENT, Next.NONE
    is_of_any_day = known.day == known.today or is_next is not Next.DUE
    return due if is_of_any_day else f"{due} as of now", is_next


def day_of(table: pd.DataFrame, tables: Tables, machine: str, day: date, known: DayFacts | None = None) -> Day:
    """The list of one machine and day. `table` is the whole of on_treatment as `rows.describe` makes it."""
    judged_by = known or DayFacts.of(day)
    on_day = appointments.on_day(tables.schedule, day)
    expected = on_day[~appointments.is_cancelled(on_day)] if on_day is not None else None
    with_plans = appointments.with_plans(expected, table, day) if expected is not None else ()
    coming = [(one, plans) for one, plans in with_plans if one["treatment_machine_name"] == machine]
    rows = [row for _, plans in coming for row in plans if row is not None]
    here = {one["patient_id"] for one, _ in coming} | {row["patient_id"] for row in rows}
    may_be_here = table["treatment_machine_name"].fillna("").isin(["", machine])
    others = [
        row
        for row in records(table[filters.is_unfinished(table) & may_be_here])
        if machine_of(row) == machine and row["patient_id"] not in here
    ]
    people = _Lookup(tables, judged_by, table, [*rows, *others], here)
    booked = [line for one, plans in coming for line in people.lines(plans, one, machine)]
    elsewhere = said_of_day(on_day)
    unbooked = [people.line(row, None, machine, elsewhere.get(row["patient_id"], "")) for row in others]
    fallen = records(on_day[appointments.is_cancelled(on_day)]) if on_day is not None else []
    is_known = on_day is not None and (tables.only_known is None or (machine, day) in tables.only_known)
    cancelled = sum(appointment["treatment_machine_name"] == machine for appointment in fallen)
    return Day(_frame(booked), _frame(unbooked), cancelled, is_schedule_known=is_known)


def with_signers(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines for paper and Excel: when somebody was treated says who charted it, `14:38, charted by … and …`."""
    at = lines["treated_that_day"]
    return lines.assign(
        treated_that_day=at.mask(lines["charted_by"].notna(), at + ", charted by " + lines["charted_by"])
    )


def with_marked_alerts(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines for a column of alerts, in a table that has no bold: each with its mark, `none` without."""
    said = [one if or_none(one) in {None, "", "none"} else f"{LOOK_MARK} {one}" for one in lines["alerts"]]
    return lines.assign(alerts=pd.Series(said, index=lines.index, dtype=TEXT))


def heading_of_unbooked(machine: str, number: int, *, is_schedule_known: bool) -> str:
    """What stands above those who have no appointment; without a schedule nobody knows whether they have one."""
    if not is_schedule_known:
        return f"Unfinished plans on {machine}, appointments unknown: {number}"
    return f"Unfinished plans on {machine}, no appointment known that day: {number}"


def said_of_day(on_day: pd.DataFrame | None) -> dict[str, str]:
    """By patient, what the day's schedule says besides a booking here: cancelled, or booked on another machine."""
    said: dict[str, str] = {}
    for row in records(on_day) if on_day is not None else ():
        when = f"{row['appointment_at']:%H:%M}"
        if row["status"] in CANCELLED_STATUSES:
            said.setdefault(row["patient_id"], f"{when} {row['status']}")
        else:
            said[row["patient_id"]] = f"booked {when} on {row['treatment_machine_name']}"
    return said


class _Lookup:
    """What the relational tables know, by plan and by patient, of the `rows` of one day and whoever else is booked."""

    def __init__(
        self, tables: Tables, judged_by: DayFacts, table: pd.DataFrame, rows: Sequence[Record], booked: Iterable[Any]
    ) -> None:
        plans = {row["referenced_rt_plan_uid"] for row in rows}
        patients = {*booked, *(row["patient_id"] for row in rows)}
        self.fields = _by(tables.plan_fields, "sop_instance_uid", plans)
        self.notes = _by(tables.setup_notes, "sop_instance_uid", plans)
        self.patients = _by(tables.patients, "patient_id", patients)
        self.people = {patient_id: own[-1] for patient_id, own in _by(table, "patient_id", patients).items()}
        self.judged_by = judged_by

    def lines(self, plans: Sequence[Record | None], appointment: Record, machine: str) -> list[Record]:
        """A line for each plan of an appointment; one not treated says with which of the others the patient was."""
        lines = [self.line(row, appointment, machine) for row in plans]
        given = [f"{line['plan']} treated, {line['treated_that_day']}" for line in lines if line["treated_that_day"]]
        for line in lines if given else ():
            if not line["treated_that_day"]:
                line |= _with_looks(line, [f"only {' and '.join(given)}"])
        return lines

    def line(self, row: Record | None, appointment: Record | None, machine: str, elsewhere: str = "") -> Record:
        """One line of the list, of a plan with or without an appointment, or of an appointment without a plan."""
        patient_id = or_none((row or appointment or {}).get("patient_id"))
        person = (self.patients.get(patient_id) or [{}])[0]
        named = row or self.people.get(patient_id) or {}
        fields = self.fields.get(row["referenced_rt_plan_uid"], []) if row is not None else []
        notes = self.notes.get(row["referenced_rt_plan_uid"], []) if row is not None else []
        said = [field["setup_note"] for field in (*fields, *notes)] + [(appointment or {}).get("note")]
        given = given_for(row, self.judged_by, appointment)
        beams = [field for field in fields if not or_none(field["is_setup_field"])]
        said_next, is_next = fraction_of(row, given, self.judged_by) if row is not None else (None, Next.NONE)
        of_person = ("patient_name", "patient_birth_date", "physicians_of_record")
        return {
            "appointment_at": (appointment or {}).get("appointment_at"),
            "patient_id": patient_id,
            **{name: or_none(named.get(name)) or or_none(person.get(name)) for name in of_person},
            "plan": row["plan"] if row is not None else None,
            "next_fraction": said_next,
            "next_is": is_next,
            "treated_that_day": f"{given[-1].at:%H:%M}" if given else None,
            "charted_by": given[-1].charted_by if given else None,
            "energy": _joined(map(_energy, beams)),
            "technique": _joined(field["technique"] for field in beams),
            "setup_note": _joined(said),
            "alerts": (or_none(person.get("alerts")) or "none") if person else None,
            "phone": _joined(map(person.get, PHONES)),
            "initials": None,
            **_checked(row, machine, elsewhere),
        }


def _checked(row: Record | None, machine: str, elsewhere: str) -> Record:
    """What to look at before treating, with its mark: what the list of all says, and what only this day shows."""
    looks = [elsewhere] if elsewhere else []
    if row is None:
        looks.insert(0, "booked, and no unfinished plan of this patient is known")
    elif machine_of(row) not in {machine, UNKNOWN_MACHINE}:
        looks.append(f"last treated on {machine_of(row)}")
    if row is not None and row["status"] == "on_break":
        looks.append("on break")
    return _with_looks(row or {"mark": "", "check": "", "urgent": "", "is_interrupted": False}, looks)


def _with_looks(line: Record, looks: Sequence[str]) -> Record:
    """What a line says of itself, and after it what else is worth a look."""
    marked = [f"{LOOK_MARK} {look}" for look in looks]
    told = {name: " · ".join(filter(None, (line[name], *marked))) for name in ("check", "urgent")}
    return {**told, "mark": line["mark"] or (LOOK_MARK if looks else ""), "is_interrupted": line["is_interrupted"]}


def _energy(field: Record) -> str | None:
    return energy_in_words(or_none(field["nominal_beam_energy"]), or_none(field["radiation_type"]))


def _joined(values: Iterable[Any]) -> str | None:
    """Texts that say something, each once."""
    return ", ".join(dict.fromkeys(str(value) for value in values if or_none(value) not in {None, ""})) or None


def _by(frame: pd.DataFrame | None, column: str, wanted: Iterable[Any]) -> dict[str, list[Record]]:
    """The rows whose `column` is wanted: a table of ten years takes longer to go through than a day takes to show."""
    found: dict[str, list[Record]] = {}
    for row in records(frame[frame[column].isin(list(wanted))]) if frame is not None else ():
        found.setdefault(row[column], []).append(row)
    return found


def _frame(lines: list[Record]) -> pd.DataFrame:
    frame = pd.DataFrame(lines, columns=list(COLUMNS))
    others = set(COLUMNS) - {"appointment_at", "patient_birth_date", "is_interrupted"}
    kinds: dict[str, Any] = {
        "appointment_at": "datetime64[us]",
        "is_interrupted": bool,
        **dict.fromkeys(others, TEXT),
    }
    return frame.astype(kinds)
