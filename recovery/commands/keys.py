"""`python -m recovery keys make`: the key that signs snapshots, made where the jobs run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from recovery.host.keys import KeyFileError, make_key
from recovery.words.printable import tell

if TYPE_CHECKING:
    from recovery.settings.config import Config


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `keys` and its verb."""
    keys = commands.add_parser("keys", help="the key that signs snapshots: make")
    verbs = keys.add_subparsers(dest="verb", required=True, metavar="VERB")
    make = verbs.add_parser("make", help="make it where the jobs run, and say what to write into the configs")
    make.add_argument("--config", type=Path, default=Path("config.toml"), help="default: config.toml")


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
