"""Which plans an appointment is for, and whether they were treated: the one truth of a machine's list and timeline.

How
    An appointment is a patient's. Its plans are the patient's unfinished ones on its machine (all of them, where none
    is known to be there) and those that were finished on that day; each was treated that day, or not yet, or nobody
    knows. List, counts and bars all ask here.

Why an appointment with one of two plans treated is neither treated nor to come
    Nobody but people know whether both were meant. It is shown as what it is, and marked in the list.

Why "unknown" is a state of its own
    What the R&V system did after the newest proof no record tells. Who was booked since may have been treated, and
    "to come" would send a patient to the couch twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pandas as pd

from recovery.dicom.course_uids import course_uid
from recovery.identity.one_patient import ids_of
from recovery.on_treatment.unknown_since import AGAIN, EARLY, Doubt, is_unanswered
from recovery.tables.relational import CANCELLED_STATUSES
from recovery.words.statuses import OVER, is_over
from recovery.words.values import ABSENT, absent, or_none

Record = dict[str, Any]
UNKNOWN_MACHINE = ABSENT
TREATED, IN_PART, TO_COME = "treated", "only some plans treated", "to come"
UNKNOWN, NOT_RECORDED = "unknown", "no treatment recorded"
"""What an appointment is: unknown, where it may have been kept since the newest proof; the last, of a day gone by."""


PlanKey = tuple[str | None, str | None]
"""patient_id, referenced_rt_plan_uid"""


@dataclass(frozen=True, slots=True)
class Given:
    """A fraction, or a part of one, that was given. `number`: None where no record tells it; `charted_by`: who signed
    it, of what no record tells."""

    at: datetime
    number: int | None
    charted_by: str | None = None


@dataclass(frozen=True, slots=True)
class DayFacts:
    """What a day's appointments are judged by: the day, today, what was given on it, and the time nobody can tell of.

    Where `given` says nothing of a plan, the list's last treatment tells that it was treated, and no number.
    """

    day: date
    today: date
    given: Mapping[PlanKey, Sequence[Given]] = field(default_factory=dict)
    doubt: Doubt | None = None
    answered: Mapping[str | None, Sequence[datetime]] = field(default_factory=dict)
    """By plan, the times for which somebody said whether it was treated."""

    @classmethod
    def of(cls, day: date) -> DayFacts:
        """Of a day that is today, from the list alone."""
        return cls(day, day)


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
    plans: dict[str | None, list[Record]] = {}
    may_be = table["patient_id"].isin(expected["patient_id"]) | table["other_patient_ids"].notna()
    is_of_day = ~table["status"].isin(OVER).astype(bool) | (table["last_treatment_at"].dt.date == day)
    for row in records(table[may_be & is_of_day]):
        for patient_id in ids_of({**row, "other_patient_ids": or_none(row["other_patient_ids"])}):
            plans.setdefault(patient_id, []).append(row)
    for appointment in records(_in_turn(expected)):
        own = plans.get(appointment["patient_id"], [])
        yield appointment, _plans_for(own, appointment["treatment_machine_name"], day)


def _in_turn(expected: pd.DataFrame) -> pd.DataFrame:
    """With `is_again` where the patient comes for a second time, and when the patient's following one is."""
    by_patient = expected.groupby("patient_id", sort=False, dropna=False)["appointment_at"]
    return expected.assign(is_again=expected["patient_id"].duplicated(), following_at=by_patient.shift(-1))


def _plans_for(plans: Sequence[Record], machine: str, day: date) -> Sequence[Record | None]:
    unfinished = [row for row in plans if not is_over(row["status"])]
    here = [row for row in unfinished if machine_of(row) == machine] or unfinished
    ended = [row for row in plans if is_over(row["status"]) and _last_on(row, day) is not None]
    return [*(row for row in ended if machine_of(row) == machine), *here] or [None]


def machine_of(row: Record) -> str:
    return absent(or_none(row["treatment_machine_name"]))


def course_of(row: Record) -> str | None:
    """What a patient's rows are told apart by, also where no plan is named."""
    plan_uid, prescription_id = (or_none(row.get(name)) for name in ("referenced_rt_plan_uid", "prescription_id"))
    return course_uid(plan_uid, prescription_id)


def given_for(row: Record | None, known: DayFacts, appointment: Record | None) -> list[Given]:
    """What was given of a plan on that day, in order of time; of an appointment, what belongs to it.

    Twice a day: the morning's treatment is not the afternoon's, nor the other way round. One treatment of two
    appointments that are close together is that of both.
    """
    if row is None:
        return []
    found = list(known.given.get((row["patient_id"], course_of(row)), ()))
    last = _last_on(row, known.day)
    if last is not None and not found:
        found = [Given(last, None)]
    if appointment is None:
        return found
    begins = appointment["appointment_at"] - EARLY if appointment["is_again"] else None
    following = or_none(appointment["following_at"])
    is_apart = following is not None and following - appointment["appointment_at"] >= AGAIN
    ends = following - EARLY if following is not None and (is_apart or len(found) > 1) else None
    return [one for one in found if (begins is None or one.at >= begins) and (ends is None or one.at < ends)]


def state_of(plans: Sequence[Record | None], known: DayFacts, appointment: Record) -> str:
    """What an appointment is, by what was given of each of its plans."""
    given = [given_for(row, known, appointment) for row in plans]
    if all(given):
        return TREATED
    if any(given):
        return IN_PART
    if known.doubt is not None and is_unanswered(appointment["appointment_at"], (), known.doubt):
        said = [known.answered.get((row or {}).get("referenced_rt_plan_uid"), ()) for row in plans]
        if not all(_is_answered(appointment["appointment_at"], times, known.doubt) for times in said):
            return UNKNOWN
        return NOT_RECORDED
    return TO_COME if known.day >= known.today else NOT_RECORDED


def _is_answered(at: datetime, times: Sequence[datetime], doubt: Doubt) -> bool:
    return not is_unanswered(at, times, doubt)


def records(frame: pd.DataFrame) -> list[Record]:
    columns = list(frame.columns)
    values = (frame[name].to_numpy(dtype=object).tolist() for name in columns)
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def _last_on(row: Mapping[str, Any], day: date) -> datetime | None:
    last: datetime | None = or_none(row["last_treatment_at"])
    return last if last is not None and last.date() == day else None
