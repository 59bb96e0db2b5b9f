"""Whose plans or charts are asked for: a machine's day, or everybody who is treated these days.

Who is booked on the machine that day, in order of appointment; where the cache has no schedule, everybody on treatment
there, by name. Errors and remarks name no patient.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from recovery.cache.errors import TableMissingError
from recovery.cache.store import Cache
from recovery.identity.namesakes import fold
from recovery.identity.one_patient import ids_of, newest_ids, under_newest
from recovery.patient.tables import read_list
from recovery.tables.relational import CANCELLED_STATUSES, SCHEDULE
from recovery.words.refusals import RefusedError
from recovery.words.statuses import NOW_TREATED
from recovery.words.times import day as day_in_words
from recovery.words.values import counted

PARTLY, NOTHING = 1, 2
"""Exit statuses."""


class NobodyError(RefusedError, LookupError):
    """Nobody's chart is to be printed. The text says why, and names no patient."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.exit_status = status


@dataclass(frozen=True, slots=True)
class MachineDay:
    """Whose charts a machine's day needs, in order. `remark`: a sentence about who is not among them."""

    patient_ids: tuple[str, ...]
    remark: str = ""
    machine: str | None = None
    """As its plans spell it."""


def machine_day(cache: Cache, machine: str, day: date, exclude_patient_ids: Iterable[str] = ()) -> MachineDay:
    """Who is booked on a machine on a day, in order of appointment; without a schedule, who is treated there.

    Raises `NobodyError` if there is no such machine, or nobody is booked; `TableMissingError` or `CacheError` if the
    list of patients cannot be read, or the schedule is there and cannot be.
    """
    listed = read_list(cache)
    try:
        schedule: list[dict[str, Any]] | None = under_newest(cache.read(SCHEDULE), newest_ids(listed))
    except TableMissingError:
        schedule = None
    known = {r["treatment_machine_name"] for r in (*listed, *(schedule or ()))} - {None}
    name = next((m for m in sorted(known) if m.casefold() == machine.casefold()), None)
    if name is None:
        there_are = f"There are: {', '.join(sorted(known))}." if known else "The cache knows of none."
        raise NobodyError(f"No machine {machine} in the cache. {there_are}", NOTHING)
    if schedule is None:
        own = [r for r in listed if r["treatment_machine_name"] == name and r["status"] in NOW_TREATED]
        own.sort(key=lambda r: (r["patient_name"] or "", r["patient_id"] or ""))
        remark = f"The cache has no schedule: these are all who are on treatment on {name}, by name, not a day's list."
    else:
        own = [r for r in schedule if r["treatment_machine_name"] == name and _is_on(r, day)]
        own.sort(key=lambda r: (r["appointment_at"], r["patient_id"] or ""))
        remark = _not_booked(listed, own, name)
    wanted = _not_excluded((i for r in own for i in _all_of(r["patient_id"], listed)), exclude_patient_ids)
    if not wanted:
        when = f"booked on {name} on {day_in_words(day)}" if schedule is not None else f"on {name}"
        raise NobodyError(f"Nobody is {when}. No file was written.", PARTLY)
    return MachineDay(wanted, remark, name)


def everybody(cache: Cache, exclude_patient_ids: Iterable[str] = ()) -> MachineDay:
    """Whoever is on treatment or ready to start, a pile for each machine, by name.

    Raises `NobodyError` if there is nobody; `TableMissingError` or `CacheError` if the list of patients cannot be read.
    """
    listed = read_list(cache)
    own = [row for row in listed if row["status"] in NOW_TREATED]
    own.sort(key=lambda row: (fold(row["patient_name"] or ""), row["patient_id"] or ""))
    own.sort(key=lambda row: row["treatment_machine_name"] or "~")
    ids = _not_excluded((row["patient_id"] for row in own), exclude_patient_ids)
    if not ids:
        raise NobodyError("Nobody is on treatment or ready to start. No file was written.", PARTLY)
    without = sum(row["patient_id"] is None for row in own)
    return MachineDay(ids, f"{without} plans bear no patient ID and have no chart." if without else "")


def _not_booked(listed: list[dict[str, Any]], booked: list[dict[str, Any]], machine: str) -> str:
    """How many are on treatment on a machine and have no appointment there that day."""
    ids = {r["patient_id"] for r in booked}
    others = {
        r["patient_id"] for r in listed if r["treatment_machine_name"] == machine and r["status"] == "on_treatment"
    } - ids
    if not others:
        return ""
    who = counted(len(others), "more patient is", "more patients are")
    return f"{who} on treatment on {machine} and not booked there on this day; `--patient ID` prints their charts."


def _not_excluded(patient_ids: Iterable[str | None], patterns: Iterable[str]) -> tuple[str, ...]:
    """Each once, without those whom the config calls no patients."""
    known = tuple(patterns)
    wanted = (i for i in patient_ids if i is not None and not any(fnmatchcase(i, pattern) for pattern in known))
    return tuple(dict.fromkeys(wanted))


def _all_of(patient_id: str | None, listed: list[dict[str, Any]]) -> list[str | None]:
    """The patient of an appointment, and every row that says that this is its patient's number too."""
    others = (row["patient_id"] for row in listed if patient_id is not None and patient_id in ids_of(row))
    return [patient_id, *others]


def _is_on(row: dict[str, Any], day: date) -> bool:
    at = row["appointment_at"]
    return at is not None and at.date() == day and row["status"] not in CANCELLED_STATUSES
