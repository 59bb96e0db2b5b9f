"""What makes a snapshot believed, by hand, where the jobs run.

`python -m recovery keys make` makes the key that signs snapshots; `accept-snapshot` makes one current that the guard
keeps in quarantine, because a physicist knows it to be right.
"""

from __future__ import annotations

import argparse

from recovery.access.audit import AuditError
from recovery.access.permissions import Permission
from recovery.cache.journal import lock
from recovery.cache.manifests import ManifestError
from recovery.cache.snapshot_publishing import accept, acceptable
from recovery.commands.arguments import Commands, add_command, note, who_answers
from recovery.host.clock import read_clock
from recovery.host.keys import KeyFileError, make_key
from recovery.settings.config import Config
from recovery.settings.trust import signing_key, trust_of
from recovery.words.printable import tell
from recovery.words.refusals import RefusedError


def add_parser(commands: Commands) -> None:
    """Declare `keys` and its verb."""
    keys = commands.add_parser("keys", help="the key that signs snapshots: make")
    verbs = keys.add_subparsers(dest="verb", required=True, metavar="VERB")
    add_command(verbs, "make", "make it where the jobs run, and say what to write into the configs")
    accepts = add_command(commands, "accept-snapshot", "a physicist believes tables that are in quarantine")
    accepts.add_argument("name", metavar="NAME", help="the snapshot, as the banner and Backup health call it")
    accepts.add_argument("--by", metavar="PHYSICIST", required=True, help="the account of who answers for it")
    accepts.add_argument("--reason", required=True, help="what was looked at, in a few words; no patient's name")


def run_accept(config: Config, options: argparse.Namespace) -> int:
    """Make a quarantined snapshot current, once the audit file has it. Raises `RefusedError`."""
    name, reason = options.name, options.reason.strip()
    account = who_answers(config, options.by, Permission.SIGN_OFF)
    if not reason:
        raise RefusedError("--reason says nothing.")
    try:
        key, trust = signing_key(config), trust_of(config)
        with lock(config.cache_path, "snapshot_tables"):
            acceptable(config.cache_path, name, trust)
            note(config, read_clock(), "accept snapshot", None, {"snapshot": name, "reason": reason}, account)
            accept(config.cache_path, name, key, trust)
    except (ManifestError, KeyFileError, AuditError) as error:
        raise RefusedError(f"{name} is not accepted: {error}") from error
    tell(f"{name} is accepted: its tables are current. The next cycle compares the R&V database with them.")
    return 0


def run(config: Config) -> int:
    """Make the key; returns the exit status. Raises `KeyFileError`."""
    path = config.signing_key_path
    public_key = make_key(path)
    tell(
        f"The private key is in {path}. Keep a copy offline; whoever has it can sign what looks like yours.",
        "1. `python -m backup_jobs snapshot_tables` now: it makes the first signed snapshot.",
        "2. Then add this to the config of the jobs, of the dashboard and of whoever rebuilds:",
        "",
        "[signing]",
        f'public_keys = ["{public_key}"]',
    )
    return 0
