"""The arguments with which somebody says whose charts or packs are wanted, and whom they mean."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from recovery.patient.chosen import NOTHING, MachineDay, NobodyError, everybody, machine_day

if TYPE_CHECKING:
    from recovery.cache.store import Cache


def add_whose(parser: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    """Declare `--machine`, `--patient`, `--everybody` and `--date`; returns the group of the first three."""
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--machine", help="everybody who is booked on this treatment machine")
    whose.add_argument("--patient", nargs="+", metavar="ID", help="these patients")
    whose.add_argument(
        "--everybody", action="store_true", help="all who are on treatment or ready to start, by machine and name"
    )
    parser.add_argument("--date", type=day_of, metavar="2026-11-24", help="the day of --machine; default: today")
    return whose


def chosen_of(cache: Cache, options: argparse.Namespace, today: date, exclude_patient_ids: Iterable[str]) -> MachineDay:
    """Whom the arguments mean.

    Raises `NobodyError` if it is nobody; `CacheError` if the list of patients cannot be read.
    """
    if options.date is not None and options.machine is None:
        raise NobodyError("--date belongs to --machine; a patient's chart has no day.", NOTHING)
    if options.patient:
        return MachineDay(tuple(dict.fromkeys(options.patient)))
    if options.everybody:
        return everybody(cache, exclude_patient_ids)
    return machine_day(cache, options.machine, options.date or today, exclude_patient_ids)


def day_of(text: str) -> date:
    """A day of the command line."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  a day has no zone
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no day; write it like 2026-11-24") from error
