"""What commands share: `--config`, whom they mean, who answers for it, and what the audit file is told.

And the arguments of those that take long to load, apart from what they do: others need not wait.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from getpass import getuser
from pathlib import Path
from typing import TypeAlias

from recovery.access.accounts import Account, AccountError, Accounts
from recovery.access.audit import AuditEvent, AuditFile
from recovery.access.permissions import PERMISSIONS, Permission, Role
from recovery.cache.store import Cache
from recovery.host.durable import replace
from recovery.patient.chosen import NOTHING, MachineDay, NobodyError, everybody, machine_day
from recovery.settings.config import Config
from recovery.words.printable import tell
from recovery.words.refusals import RefusedError

HERE = "this machine"
DONE, PARTLY = 0, 1
"""Exit statuses. 2, which `RefusedError` has: nothing was done; 75: another does it."""


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_command(commands: Commands, name: str, told: str) -> argparse.ArgumentParser:
    """Declare a command, or a verb of one, that reads the config."""
    parser = commands.add_parser(name, help=told)
    parser.add_argument("--config", type=Path, default=Path("config.toml"), help="default: config.toml")
    return parser


def add_parsers(commands: Commands) -> None:
    """Declare them."""
    _add_package(commands)
    _add_restore(commands)
    _add_transfer_out(commands)
    _add_drill(commands)
    _add_history(commands)


def _add_package(commands: Commands) -> None:
    parser = add_command(commands, "package", "packs of plans for a machine's file mode; --verify proves one")
    whose = add_whose(parser)
    whose.add_argument("--verify", type=Path, metavar="PACK", help="whether a pack is still what was written")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="default: [package] path, with --everybody")
    parser.add_argument("--override", metavar="REASON", default="", help="pack what the gate refuses, of --patient")
    parser.add_argument("--by", metavar="NAME", default="", help="the physicist's account who answers for --override")
    parser.add_argument("--recipient", nargs="+", metavar="age1…", default=[], help="encrypt for these public keys")
    parser.add_argument("--passphrase-env", metavar="VAR", help="encrypt, or --verify, with this variable's passphrase")
    parser.add_argument("--identity", type=Path, metavar="FILE", help="the key that opens what --verify is to look at")


def _add_restore(commands: Commands) -> None:
    parser = add_command(commands, "restore", "from the RT-PACS to another DICOM node, each object proven there")
    parser.add_argument("--to", required=True, metavar="NAME", help="a destination of [[restore_to]] in the config")
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--patient", nargs="+", metavar="ID", help="these; default: on treatment or ready to start")
    whose.add_argument("--everybody", action="store_true", help="everybody of whom the RT-PACS has a plan or record")
    whose.add_argument(
        "--since", type=day_of, metavar="2026-11-24", help="everybody of whom something came to be since that day"
    )
    whose.add_argument(
        "--charted", action="store_true", help="what was charted by hand and the R&V database lacks, as records"
    )
    parser.add_argument("--with-charts", action="store_true", help="also charts and summaries that this program made")
    parser.add_argument("--dry-run", action="store_true", help="say what would be sent, and send nothing")
    parser.add_argument("--megabytes-per-second", type=float, metavar="N", help="no faster; by way of this machine")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="the report: a line for each object, as CSV")


def _add_transfer_out(commands: Commands) -> None:
    parser = add_command(commands, "transfer-out", "a packet of one patient for another hospital, and its signature")
    parser.add_argument("--patient", required=True, metavar="ID")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="an empty one; encrypted, a file .tar.age")
    parser.add_argument("--from-copy", metavar="NAME", help="of another clinic's patient, by its copy off site alone")
    parser.add_argument("--recipient", nargs="+", metavar="age1…", default=[], help="encrypt for these public keys")
    parser.add_argument("--passphrase-env", metavar="VAR", help="encrypt with this variable's passphrase")
    parser.add_argument("--to", metavar="HOSPITAL", default="", help="sign that it goes on with the patient")
    parser.add_argument("--take-back", metavar="REASON", default="", help="sign that the patient is treated here again")
    parser.add_argument("--by", metavar="NAME", default="", help="the physicist's or physician's account who signs")


def _add_drill(commands: Commands) -> None:
    parser = add_command(commands, "drill", "recovery tried in earnest, in an empty place, without the R&V system")
    parser.add_argument("--patients", type=_some, metavar="N", help="so many are packed; default: [drill] patients")


def _add_history(commands: Commands) -> None:
    parser = add_command(commands, "history", "all sites and years, by their copies: what was treated")
    parser.add_argument("--machine", metavar="NAME", help="instead, all deliveries of this machine")
    parser.add_argument("--site", metavar="ID", help="of this site alone")
    parser.add_argument("--since", type=day_of, required=True, metavar="2026-01-01")
    parser.add_argument("--until", type=day_of, required=True, metavar="2026-12-31")
    parser.add_argument("--format", choices=["csv", "json", "xlsx"], default="csv")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")


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


def who_answers(config: Config, by: str, permission: Permission) -> Account:
    """The account that `--by` names. Raises `AccountError` if it is nobody who may; `AccountsFileError`."""
    account = Accounts(config.accounts_path).find(by)
    if account is None or account.is_disabled or not account.user.may(permission):
        may = " or ".join(role for role in Role if permission in PERMISSIONS[role])
        raise AccountError(f"--by names no account of a {may}; `python -m recovery user list` shows them.")
    return account


def note(
    config: Config,
    at: datetime,
    action: str,
    patient_id: str | None,
    details: Mapping[str, str | int | bool],
    by: Account | None = None,
) -> None:
    """A line of the audit file, by whoever runs the command or answers for it. Raises `AuditError`."""
    who, role = (getuser(), "command line") if by is None else (by.name, str(by.role))
    told = dict(details) if by is None else {**details, "run_by": getuser()}
    AuditFile(config.audit_path).append(AuditEvent(at, who, role, action, HERE, patient_id, told))


def write(file: Path, content: bytes) -> None:
    """Write a file that somebody named. Raises `RefusedError` if it cannot be written."""
    try:
        replace(file, content)
    except OSError as error:
        why = f"{file} cannot be written: {error.strerror}"
        raise RefusedError(f"{why}. Name a file in a folder that exists.") from error


def tell_faults(file: Path, faults: Sequence[str]) -> int:
    """Whether a pack or bundle is what was written; returns the exit status."""
    tell(*(f"CHANGED  {said}" for said in faults), file=sys.stderr)
    if not faults:
        tell(f"whole    {file}")
    return PARTLY if faults else DONE


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
