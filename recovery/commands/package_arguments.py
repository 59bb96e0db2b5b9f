"""The arguments of `python -m recovery package`, apart from what it does: other commands need not wait for that."""

from __future__ import annotations

import argparse
from pathlib import Path

from recovery.commands.whose import add_whose


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `package`."""
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
