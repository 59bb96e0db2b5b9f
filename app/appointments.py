"""Which plans an appointment is for, and whether they were treated: the one truth of a machine's list and timeline.

Goal
    The bar of an appointment and its lines in the list beneath never tell different things.

How
    An appointment is a patient's. Its plans are the patient's unfinished ones on its machine (all of them, where none
    is known to be there) and those that were finished on that day; each was treated that day, or not yet. List, counts
    and bars all ask here.

Why an appointment with one of two plans treated is neither treated nor to come
    Nobody but people know whether both were meant. It is shown as what it is, and marked in the list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from app import filters, words
from app.words import ABSENT
from recovery.relational_tables import CANCELLED_STATUSES

Record = dict[str, Any]
UNKNOWN_MACHINE = ABSENT
TREATED, IN_PART, TO_COME = "treated", "one of its plans treated", "to come"
"""What an appointment is."""
_EARLY = timedelta(minutes=30)
"""A treatment so much before its appointment is still taken as that appointment's."""


def on_day(schedule: pd.DataFrame | None, day: date) -> pd.DataFrame | None:
    """The day's appointments on machines, cancelled ones included, in order; None without a schedule."""
    if schedule is None:
        return None
    at = schedule["appointment_at"]
    begins = pd.Timestamp(day)
    is_that_day = (at >= begins) & (at < begins + pd.Timedelta(days=1))
    found = schedule[is_that_day & schedule["treatment_machine_name"].notna()]
    return found.sort_values(["appointment_at", "appointment_id"], kind="stable")


def is_cancelled(appointments: pd.DataFrame) -> pd.Series[bool]:
    """Appointments with which nobody is expected."""
    return appointments["status"].isin(CANCELLED_STATUSES).astype(bool)


def busiest(schedule: pd.DataFrame | None, day: date, machines: Sequence[str]) -> str:
    """The machine of `machines` with most appointments on a day; the first one where none has any."""
    found = on_day(schedule, day)
    if found is None:
        return machines[0]
    booked = found[~is_cancelled(found)]["treatment_machine_name"].value_counts()
    return max(machines, key=lambda machine: int(booked.get(machine, 0)))


def with_plans(
    expected: pd.DataFrame, table: pd.DataFrame, day: date
) -> Iterator[tuple[Record, Sequence[Record | None]]]:
    """Each appointment of the day with the rows of on_treatment that it may be for; one None where there is none.

    `expected`: all that are not cancelled, of every machine, in order: who comes twice is known by it.
    """
    plans: dict[str, list[Record]] = {}
    for row in records(table):
        plans.setdefault(row["patient_id"], []).append(row)
    for appointment in records(expected.assign(is_again=expected["patient_id"].duplicated())):
        own = plans.get(appointment["patient_id"], [])
        yield appointment, _plans_for(own, appointment["treatment_machine_name"], day)


def _plans_for(plans: Sequence[Record], machine: str, day: date) -> Sequence[Record | None]:
    unfinished = [row for row in plans if row["status"] in filters.UNFINISHED]
    here = [row for row in unfinished if machine_of(row) == machine] or unfinished
    ended = [row for row in plans if row["status"] not in filters.UNFINISHED and _last_on(row, day) is not None]
    return [*(row for row in ended if machine_of(row) == machine), *here] or [None]


def machine_of(row: Record) -> str:
    return words.absent(words.known(row["treatment_machine_name"]))


def treated_at(row: Record | None, day: date, appointment: Record | None) -> str | None:
    """When the plan was treated on that day, `08:12`; absent when it was not, or only before the last time.

    Twice a day: the morning's treatment is not the afternoon's.
    """
    last = _last_on(row, day) if row is not None else None
    if last is None:
        return None
    is_ahead = appointment is not None and appointment["is_again"] and appointment["appointment_at"] > last + _EARLY
    return None if is_ahead else f"{last:%H:%M}"


def state_of(treated: Sequence[str | None]) -> str:
    """What an appointment is, by when each of its plans was treated."""
    if all(treated):
        return TREATED
    return IN_PART if any(treated) else TO_COME


def records(frame: pd.DataFrame) -> list[Record]:
    columns = list(frame.columns)
    return [dict(zip(columns, row, strict=True)) for row in zip(*(frame[name] for name in columns), strict=True)]


def _last_on(row: Mapping[str, Any], day: date) -> datetime | None:
    last: datetime | None = words.known(row["last_treatment_at"])
    return last if last is not None and last.date() == day else None
