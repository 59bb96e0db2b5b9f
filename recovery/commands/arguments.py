"""The arguments of `package`, `restore`, `transfer-out`, `drill`, apart from what these do: others need not wait.

And with which somebody says whose charts or packs are wanted, and whom they mean.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

from recovery.cache.store import Cache
from recovery.patient.chosen import NOTHING, MachineDay, NobodyError, everybody, machine_day


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare them."""
    _add_package(commands)
    _add_restore(commands)
    _add_transfer_out(commands)
    _add_drill(commands)
    _add_history(commands)


def _add_package(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("package", help="packs of plans for a machine's file mode; --verify proves one")
    whose = add_whose(parser)
    whose.add_argument("--verify", type=Path, metavar="PACK", help="whether a pack is still what was written")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="default: [package] path, with --everybody")
    parser.add_argument("--override", metavar="REASON", default="", help="pack what the gate refuses, of --patient")
    parser.add_argument("--by", metavar="NAME", default="", help="the physicist's account who answers for --override")
    parser.add_argument("--recipient", nargs="+", metavar="age1…", default=[], help="encrypt for these public keys")
    parser.add_argument("--passphrase-env", metavar="VAR", help="encrypt, or --verify, with this variable's passphrase")
    parser.add_argument("--identity", type=Path, metavar="FILE", help="the key that opens what --verify is to look at")
    parser.add_argument("--config", type=Path, default=Path("config.toml"), help="default: config.toml")


def _add_restore(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("restore", help="from the RT-PACS to another DICOM node, each object proven there")
    parser.add_argument("--to", required=True, metavar="NAME", help="a destination of [[restore_to]] in the config")
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--patient", nargs="+", metavar="ID", help="these; default: on treatment or ready to start")
    whose.add_argument("--everybody", action="store_true", help="everybody of whom the RT-PACS has a plan or record")
    whose.add_argument(
        "--since", type=day_of, metavar="2026-11-24", help="everybody of whom something came to be since that day"
    )
    parser.add_argument("--with-charts", action="store_true", help="also charts and summaries that this program made")
    parser.add_argument("--dry-run", action="store_true", help="say what would be sent, and send nothing")
    parser.add_argument("--megabytes-per-second", type=float, metavar="N", help="no faster; by way of this machine")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="the report: a line for each object, as CSV")
    parser.add_argument("--config", type=Path, default=Path("config.toml"), help="default: config.toml")


def _add_transfer_out(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("transfer-out", help="a packet of one patient for another hospital, and its signature")
    parser.add_argument("--patient", required=True, metavar="ID")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="an empty one; encrypted, a file .tar.age")
    parser.add_argument("--recipient", nargs="+", metavar="age1…", default=[], help="encrypt for these public keys")
    parser.add_argument("--passphrase-env", metavar="VAR", help="encrypt with this variable's passphrase")
    parser.add_argument("--to", metavar="HOSPITAL", default="", help="sign that it goes on with the patient")
    parser.add_argument("--take-back", metavar="REASON", default="", help="sign that the patient is treated here again")
    parser.add_argument("--by", metavar="NAME", default="", help="the physicist's or physician's account who signs")
    parser.add_argument("--config", type=Path, default=Path("config.toml"), help="default: config.toml")


def _add_drill(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("drill", help="recovery tried in earnest, in an empty place, without the R&V system")
    parser.add_argument("--patients", type=_some, metavar="N", help="so many are packed; default: [drill] patients")
    parser.add_argument("--config", type=Path, default=Path("config.toml"), help="default: config.toml")


def _add_history(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("history", help="all sites and years, by their copies: what was treated")
    parser.add_argument("--machine", metavar="NAME", help="instead, all deliveries of this machine")
    parser.add_argument("--site", metavar="ID", help="of this site alone")
    parser.add_argument("--since", type=day_of, required=True, metavar="2026-01-01")
    parser.add_argument("--until", type=day_of, required=True, metavar="2026-12-31")
    parser.add_argument("--format", choices=["csv", "json", "xlsx"], default="csv")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
    parser.add_argument("--config", type=Path, default=Path("config.toml"), help="default: config.toml")


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


def _some(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number
