"""`python -m recovery binder`: one PDF of everything to print, from the cache alone.

Exit status: 0 made, 1 something that should be in it is not known and is named, 2 not made. What it says names no
patient.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from recovery.cache.doors import cache_to_show
from recovery.commands.arguments import DONE, PARTLY, Commands, add_command, write
from recovery.settings.config import Config
from recovery.words.printable import tell
from recovery.words.values import counted


def add_parser(commands: Commands) -> None:
    """Declare `binder`."""
    parser = add_command(commands, "binder", "one PDF of everything to print: lists, machine days, charts, forms")
    parser.add_argument("--paper", choices=["a4", "letter"], help="default: [charts] paper of the config")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")


def run(config: Config, options: argparse.Namespace) -> int:
    """Make the binder; returns the exit status. Raises `RefusedError`."""
    from recovery.bundling.binder import binder_pdf
    from recovery.bundling.department import read_department
    from recovery.host.clock import read_clock

    now = read_clock()
    department = read_department(config, cache_to_show(config, now), now, "this binder")
    write(options.output, binder_pdf(department, options.paper))
    tell(*department.told, file=sys.stderr)
    tell(f"The binder of {counted(len(department.treated_files), 'patient')} is in {options.output}.", file=sys.stderr)
    return PARTLY if department.damaged else DONE
