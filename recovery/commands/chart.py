"""`python -m recovery chart`: the paper charts of a machine's day, of everybody, or of some, from the cache alone.

How
    Who is booked on the machine that day, in order of appointment; where the cache has no schedule, everybody on
    treatment there, by name. Everything that the command has to say goes to standard error, and names no patient.

Why a day without appointments is no success
    `chart … -o FILE && print FILE` must not print yesterday's charts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recovery.cache.copy_age import age_in_words
from recovery.cache.doors import cache_to_show, doubts_of
from recovery.cache.errors import TableMissingError
from recovery.cache.store import Cache
from recovery.host import durable
from recovery.identity.namesakes import fold
from recovery.identity.one_patient import ids_of, newest_ids, under_newest
from recovery.tables.relational import CANCELLED_STATUSES, SCHEDULE
from recovery.tables.schema import ON_TREATMENT
from recovery.words.printable import tell
from recovery.words.statuses import NOW_TREATED
from recovery.words.times import day as day_in_words
from recovery.words.values import counted

if TYPE_CHECKING:
    from recovery.patient.file import PatientFile
    from recovery.settings.config import Config

DONE, PARTLY, NOTHING = 0, 1, 2


class NobodyError(LookupError):
    """Nobody's chart is to be printed. The text says why, and names no patient."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class MachineDay:
    """Whose charts a machine's day needs, in order. `remark`: a sentence about who is not among them."""

    patient_ids: tuple[str, ...]
    remark: str = ""


def add_chart_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `chart`, but `--config`."""
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--machine", help="everybody who is booked on this treatment machine")
    whose.add_argument("--patient", nargs="+", metavar="ID", help="these patients")
    whose.add_argument(
        "--everybody", action="store_true", help="all who are on treatment or ready to start, by machine and name"
    )
    parser.add_argument("--date", type=_day, metavar="2026-11-24", help="the day of --machine; default: today")
    parser.add_argument("--paper", choices=["a4", "letter"], help="default: [charts] paper of the config")
    parser.add_argument("--format", choices=["pdf", "xlsx"], help="default: by the name of FILE, else pdf")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")


def chart_command(config: Config, options: argparse.Namespace) -> int:
    """Make the charts; returns the exit status. Raises `CacheError` if the cache cannot be read."""
    from recovery.charting import FontError
    from recovery.host.clock import read_clock

    now = read_clock()
    cache = cache_to_show(config, now)
    tell(*doubts_of(cache), file=sys.stderr)
    today = now.astimezone(config.site.zone).date()
    try:
        chosen = _chosen(cache, config, options, today)
        files = _files(cache, config, chosen, now)
        content = _content(config, options, files)
    except NobodyError as error:
        _say(str(error))
        return error.status
    except FontError as error:
        _say(str(error))
        return NOTHING
    if not _write(options.output, content):
        return NOTHING
    _say(chosen.remark)
    _tell_age(files[0], config)
    return _tell_result(chosen.patient_ids, files, options.output)


def machine_day(cache: Cache, machine: str, day: date, exclude_patient_ids: Iterable[str] = ()) -> MachineDay:
    """Who is booked on a machine on a day, in order of appointment; without a schedule, who is treated there.

    Raises `NobodyError` if there is no such machine, or nobody is booked; `TableMissingError` or `CacheError` if the
    list of patients cannot be read, or the schedule is there and cannot be.
    """
    listed: list[dict[str, Any]] = cache.read(ON_TREATMENT)
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
    return MachineDay(wanted, remark)


def everybody(cache: Cache, exclude_patient_ids: Iterable[str] = ()) -> MachineDay:
    """Whoever is on treatment or ready to start, a pile for each machine, by name.

    Raises `NobodyError` if there is nobody; `TableMissingError` or `CacheError` if the list of patients cannot be read.
    """
    listed: list[dict[str, Any]] = cache.read(ON_TREATMENT)
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


def _chosen(cache: Cache, config: Config, options: argparse.Namespace, today: date) -> MachineDay:
    if options.date is not None and options.machine is None:
        raise NobodyError("--date belongs to --machine; a patient's chart has no day.", NOTHING)
    if options.patient:
        return MachineDay(tuple(dict.fromkeys(options.patient)))
    if options.everybody:
        return everybody(cache, config.dashboard.exclude_patient_ids)
    return machine_day(cache, options.machine, options.date or today, config.dashboard.exclude_patient_ids)


def _files(cache: Cache, config: Config, chosen: MachineDay, now: datetime) -> list[PatientFile]:
    from recovery.patient.file import read_patient_files

    files = read_patient_files(cache, config.site, chosen.patient_ids, now, config.schedule.grace)
    if not files:
        raise NobodyError("None of these patients is in the cache. Compare the IDs with the list.", NOTHING)
    return files


def _content(config: Config, options: argparse.Namespace, files: list[PatientFile]) -> bytes:
    from recovery.charting import charts_pdf, charts_workbook

    paper = options.paper or config.charts.paper
    form = options.format or ("xlsx" if options.output.suffix.lower() == ".xlsx" else "pdf")
    if form == "xlsx":
        return charts_workbook(files, paper=paper)
    return charts_pdf(files, paper=paper, own_font=config.chart_font)


def _write(path: Path, content: bytes) -> bool:
    try:
        durable.replace(path, content)
    except OSError as error:
        _say(f"{path} cannot be written: {error.strerror}. Name a file in a folder that exists.")
        return False
    return True


def _tell_age(file: PatientFile, config: Config) -> None:
    zone = config.site.zone
    as_of = file.as_of.replace(tzinfo=zone) if file.as_of is not None else None
    _say(age_in_words(as_of, file.now.replace(tzinfo=zone), config, "these charts"))


def _tell_result(asked: tuple[str, ...], files: list[PatientFile], path: Path) -> int:
    found = {i for file in files for i in (file.identity.patient_id, *file.older_patient_ids)}
    absent = [str(place) for place, patient_id in enumerate(asked, start=1) if patient_id not in found]
    patients = counted(len(files), "patient")
    _say(f"Charts of {patients} are in {path}.")
    if absent:
        _say(f"Not in the cache: the patient in place {', '.join(absent)} of those asked for.")
        return PARTLY
    return DONE


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  a day has no zone
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no day; write it like 2026-11-24") from error


def _say(text: str) -> None:
    if text:
        tell(text, file=sys.stderr)
