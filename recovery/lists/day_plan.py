"""A machine's day in a downtime: who comes when, from the usual times and who can wait least. Pure but for pandas.

How
    Whoever is in treatment on the machine comes at the times of the newest day on which they were booked there; twice,
    where they were booked twice. The most urgent get the slots, and choose first: each the free one nearest to the
    usual time, then those without one. Who finds none stands below, with the gap so far: people decide.

Why several machines
    Where one fails, its patients come to another. What then differs for them people decide: each such line says it.

Why it only proposes
    Who is treated first is decided by physicians. What is signed is what stands in the list, whoever changed it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import pandas as pd

from recovery.entries.day_plans import DayPlanEntry, DayPlans, Slot
from recovery.lists import appointments, filters, older_ids
from recovery.lists.appointments import Record, records
from recovery.lists.machine_day import said_of_day
from recovery.tables.relational import SCHEDULE
from recovery.tables.schema import TEXT
from recovery.words.notices import LOOK_MARK
from recovery.words.values import ABSENT, counted, or_none

_OVER = "no unfinished plan of this patient is known"
COLUMNS = ("mark", "patient_name", "patient_id", "patient_birth_date", "plan", "fraction", "gap", "clock", "check")
"""Beside `slot`, when a patient comes: None where there is none."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When a machine treats: from the first slot on, one every so many minutes, none at `ends` or later."""

    begins: time
    ends: time
    minutes: int

    @property
    def slots(self) -> list[time]:
        day = date(2000, 1, 1)
        at, end = datetime.combine(day, self.begins), datetime.combine(day, self.ends)
        found = []
        while at < end and at.date() == day:
            found.append(at.time())
            at += timedelta(minutes=self.minutes)
        return found


def proposed(
    table: pd.DataFrame,
    schedule: pd.DataFrame | None,
    machines: Sequence[str],
    day: date,
    hours: Hours,
    urgent: Sequence[str],
) -> pd.DataFrame:
    """A line for each patient and time, those with a slot first; `urgent`: patient IDs, who can wait least first.

    `table`: on_treatment as described, with `gap` and `clock`; `schedule`: under each patient's newest ID; `machines`:
    the one that is planned, and those whose patients come to it.
    """
    lines = _people(table[filters.is_unfinished(table)], machines[0], machines)
    usual = _usual_times(schedule, machines, day)
    order = {patient_id: place for place, patient_id in enumerate(urgent)}
    ids = sorted(lines, key=lambda one: (order.get(one, len(order)), one))
    wants: list[tuple[str, time | None]] = [(one, at) for one in ids for at in usual.get(one, (None,))]
    free = hours.slots
    found = [{**lines[one], "slot": None} for one, _ in wants[len(free) :]]
    for one, wanted in sorted(wants[: len(free)], key=lambda want: want[1] is None):  # a usual time is somebody's
        slot = min(free, key=lambda at: 0 if wanted is None else abs(_minutes(at) - _minutes(wanted)))
        free.remove(slot)
        found.append({**lines[one], "slot": slot})
    return _in_order(found, _elsewhere(schedule, machines[0], day))


def as_signed(
    table: pd.DataFrame, schedule: pd.DataFrame | None, machines: Sequence[str], plan: DayPlanEntry
) -> pd.DataFrame:
    """The lines of a plan that was signed, and below them whoever is in treatment on the machines and not in it."""
    names, is_unfinished = older_ids.names_of(table), filters.is_unfinished(table)
    over = {who: _with_look(line, _OVER) for who, line in _people(table[~is_unfinished], plan.machine).items()}
    lines = _people(table[is_unfinished], plan.machine, machines)
    known = over | _people(table[is_unfinished], plan.machine) | lines
    slots = [replace(slot, patient_id=names.get(slot.patient_id, slot.patient_id)) for slot in plan.slots]
    nobody = {
        one.patient_id: _with_look({"patient_id": one.patient_id}, "not on the list of patients") for one in slots
    }
    found = [{**(nobody | known)[slot.patient_id], "slot": slot.at} for slot in slots]
    planned = {slot.patient_id for slot in slots}
    return _in_order(
        [*found, *({**line, "slot": None} for one, line in lines.items() if one not in planned)],
        _elsewhere(schedule, plan.machine, plan.day),
    )


def slots_of(lines: pd.DataFrame) -> tuple[Slot, ...]:
    """What is signed of the lines: whoever has a time."""
    listed = [(or_none(at), patient_id) for at, patient_id in zip(lines["slot"], lines["patient_id"], strict=True)]
    return tuple(
        sorted((Slot(at, who) for at, who in listed if at is not None), key=lambda one: (one.at, one.patient_id))
    )


def capacity(lines: pd.DataFrame, hours: Hours) -> str:
    """`36 slots, 24 taken, 12 free`, who has none, and two patients of one time."""
    taken = [slot.at for slot in slots_of(lines)]
    without = lines.loc[lines["slot"].isna(), "patient_id"].nunique()
    twice = sorted({at for at in taken if taken.count(at) > 1})
    said = [f"{counted(len(hours.slots), 'slot')}, {len(taken)} taken, {len(set(hours.slots) - set(taken))} free"]
    said += [f"▲ {counted(without, 'patient has', 'patients have')} no slot, below"] if without else []
    said += [f"▲ more than one patient at {', '.join(f'{at:%H:%M}' for at in twice)}"] if twice else []
    return " · ".join(said)


def with_day_plans(schedule: pd.DataFrame | None, plans: DayPlans) -> pd.DataFrame | None:
    """The schedule, with what was signed of a machine and day in the place of its appointments there."""
    if not plans:
        return schedule
    known = schedule if schedule is not None else pd.DataFrame(columns=list(SCHEDULE.columns))
    at = pd.to_datetime(known["appointment_at"])
    places = zip(known["treatment_machine_name"], at.dt.date, strict=True)
    kept = known[[(or_none(machine), day) not in plans for machine, day in places]]
    new = pd.DataFrame([row for plan in plans.values() for row in _appointments(plan)], columns=list(known.columns))
    kinds = {name: kind for name, kind in known.dtypes.items() if schedule is not None}
    return pd.concat([kept, new.astype(kinds)], ignore_index=True) if len(new) else kept


def _appointments(plan: DayPlanEntry) -> Iterable[Record]:
    for number, slot in enumerate(plan.slots):
        yield {
            "appointment_id": f"planned {plan.machine} {plan.day} {number}",
            "patient_id": slot.patient_id,
            "appointment_at": pd.Timestamp(datetime.combine(plan.day, slot.at)),
            "treatment_machine_name": plan.machine,
            "activity": f"planned in the downtime by {plan.signed_by}",
            "status": "planned",
        }


def _people(table: pd.DataFrame, machine: str, machines: Sequence[str] | None = None) -> dict[str, Record]:
    """By patient treated on one of `machines`, None: on any, the line: of several plans all labels and marks."""
    found: dict[str, Record] = {}
    for row in records(table[table["patient_id"].notna()]):
        treated_on = appointments.machine_of(row)
        if machines is not None and treated_on not in machines:
            continue
        line = {name: or_none(row.get(name)) for name in COLUMNS}
        if treated_on not in {machine, appointments.UNKNOWN_MACHINE}:
            line = _with_look(line, f"last treated on {treated_on}")
        other = found.setdefault(row["patient_id"], line)
        if other is not line:
            both = {name: " · ".join(filter(None, (other[name], line[name]))) for name in ("plan", "fraction", "check")}
            mark = max(other["mark"] or "", line["mark"] or "", key=_weight)
            found[row["patient_id"]] = {**other, **both, "mark": mark}
    return found


def _with_look(line: Record, look: str) -> Record:
    check = " · ".join(filter(None, (line.get("check"), f"{LOOK_MARK} {look}")))
    return {**line, "check": check, "mark": line.get("mark") or LOOK_MARK}


def _elsewhere(schedule: pd.DataFrame | None, machine: str, day: date) -> Mapping[str, str]:
    """By patient, where else they are expected that day."""
    on_day = appointments.on_day(schedule, day)
    return said_of_day(on_day[on_day["treatment_machine_name"] != machine]) if on_day is not None else {}


def _weight(mark: str) -> int:
    return ("", "▲", "■").index(mark)


def _usual_times(schedule: pd.DataFrame | None, machines: Sequence[str], day: date) -> Mapping[str, Sequence[time]]:
    """By patient, the times of the newest day before `day` on which they were booked on the machines."""
    if schedule is None:
        return {}
    booked = schedule[~appointments.is_cancelled(schedule) & schedule["treatment_machine_name"].isin(machines)]
    booked = booked[booked["appointment_at"] < pd.Timestamp(day)]
    days: dict[str, dict[date, list[time]]] = {}
    for patient_id, at in zip(booked["patient_id"], booked["appointment_at"], strict=True):
        days.setdefault(patient_id, {}).setdefault(at.date(), []).append(at.time())
    return {patient_id: sorted(own[max(own)]) for patient_id, own in days.items()}


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _in_order(lines: Iterable[Record], elsewhere: Mapping[str, str]) -> pd.DataFrame:
    """By time; those without one last, in the order that they came in. Each says where else it is expected."""
    told = (_with_look(x, elsewhere[x["patient_id"]]) if x["patient_id"] in elsewhere else x for x in lines)
    ordered = sorted(told, key=lambda line: (line["slot"] is None, line["slot"] or time.min))
    frame = pd.DataFrame(ordered, columns=["slot", *COLUMNS]).astype({"slot": object})
    return frame.assign(**{name: frame[name].astype(TEXT) for name in set(COLUMNS) - {"patient_birth_date"}})


def said_of(at: object) -> str:
    """`08:15`; a dash without a time."""
    known = or_none(at)
    return f"{known:%H:%M}" if isinstance(known, time) else ABSENT
