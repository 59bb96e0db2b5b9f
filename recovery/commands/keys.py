"""What makes a snapshot believed, by hand, where the jobs run.

`python -m recovery keys make` makes the key that signs snapshots; `accept-snapshot` makes one current that the guard
keeps in quarantine, because a physicist knows it to be right.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path

from recovery.access.accounts import Accounts
from recovery.access.audit import AuditError, AuditEvent, AuditFile
from recovery.access.permissions import Permission
from recovery.cache.journal import lock
from recovery.cache.manifests import ManifestError
from recovery.cache.snapshot_publishing import accept, acceptable
from recovery.host.clock import read_clock
from recovery.host.durable import LockedError
from recovery.host.keys import KeyFileError, make_key
from recovery.settings.config import Config
from recovery.settings.trust import signing_key, trust_of
from recovery.words.printable import tell


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `keys` and its verb."""
    keys = commands.add_parser("keys", help="the key that signs snapshots: make")
    verbs = keys.add_subparsers(dest="verb", required=True, metavar="VERB")
    make = verbs.add_parser("make", help="make it where the jobs run, and say what to write into the configs")
    accepts = commands.add_parser("accept-snapshot", help="a physicist believes tables that are in quarantine")
    accepts.add_argument("name", metavar="NAME", help="the snapshot, as the banner and Backup health call it")
    accepts.add_argument("--by", metavar="PHYSICIST", required=True, help="the account of who answers for it")
    accepts.add_argument("--reason", required=True, help="what was looked at, in a few words; no patient's name")
    for command in (make, accepts):
        command.add_argument("--config", type=Path, default=Path("config.toml"), help="default: config.toml")


def run_accept(config: Config, options: argparse.Namespace) -> int:
    """Make a quarantined snapshot current, once the audit file has it; returns the exit status."""
    name, account = options.name, Accounts(config.accounts_path).find(options.by)
    if account is None or account.is_disabled or not account.user.may(Permission.SIGN_OFF):
        tell("--by names no account of a physicist; `python -m recovery user list` shows them.", file=sys.stderr)
        return 2
    if not options.reason.strip():
        tell("--reason says nothing.", file=sys.stderr)
        return 2
    try:
        key, trust = signing_key(config), trust_of(config)
        with lock(config.cache_path, "snapshot_tables"):
            acceptable(config.cache_path, name, trust)
            details = {"snapshot": name, "reason": options.reason.strip(), "run_by": getpass.getuser()}
            event = AuditEvent(read_clock(), account.name, str(account.role), "accept snapshot", "", None, details)
            AuditFile(config.audit_path).append(event)
            accept(config.cache_path, name, key, trust)
    except LockedError as error:
        tell(f"{error}; try again when it has ended", file=sys.stderr)
        return 75
    except (ManifestError, KeyFileError, AuditError) as error:
        tell(f"{name} is not accepted: {error}", file=sys.stderr)
        return 2
    tell(f"{name} is accepted: its tables are current. The next cycle compares the R&V database with them.")
    return 0


def run(config: Config) -> int:
    """Make the key; returns the exit status: 0 made, 2 not."""
    path = config.signing_key_path
    try:
        public_key = make_key(path)
    except KeyFileError as error:
        tell(error, file=sys.stderr)
        return 2
    tell(
        f"The private key is in {path}. Keep a copy offline; whoever has it can sign what looks like yours.",
        "1. `python -m backup_jobs snapshot_tables` now: it makes the first signed snapshot.",
        "2. Then add this to the config of the jobs, of the dashboard and of whoever rebuilds:",
        "",
        "[signing]",
        f'public_keys = ["{public_key}"]',
    )
    return 0
