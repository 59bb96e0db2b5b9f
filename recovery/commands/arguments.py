"""The arguments of `package`, `restore` and `drill`, apart from what these do: others need not wait for that."""

from __future__ import annotations

import argparse
from pathlib import Path

from recovery.commands.whose import add_whose, day_of


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare them."""
    _add_package(commands)
    _add_restore(commands)
    _add_drill(commands)


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


def _add_drill(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("drill", help="recovery tried in earnest, in an empty place, without the R&V system")
    parser.add_argument("--patients", type=int, metavar="N", help="so many are packed; default: [drill] patients")
    parser.add_argument("--config", type=Path, default=Path("config.toml"), help="default: config.toml")
