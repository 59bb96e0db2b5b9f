"""`python -m recovery chart`: the paper charts of a machine's day, of everybody, or of some, from the cache alone.

How
    `recovery.patient.chosen` says whose. Everything that the command has to say goes to standard error, and names no
    patient.

Why a day without appointments is no success
    `chart … -o FILE && print FILE` must not print yesterday's charts.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from recovery.cache.copy_age import age_in_words
from recovery.cache.doors import cache_to_show, doubts_of
from recovery.cache.store import Cache
from recovery.commands.arguments import DONE, PARTLY, add_whose, chosen_of, write
from recovery.entries.downtimes import told_at
from recovery.patient.chosen import NOTHING, MachineDay, NobodyError
from recovery.words.printable import tell
from recovery.words.values import counted

if TYPE_CHECKING:
    from recovery.patient.file import PatientFile
    from recovery.settings.config import Config


def add_chart_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `chart`, but `--config`."""
    add_whose(parser)
    parser.add_argument("--paper", choices=["a4", "letter"], help="default: [charts] paper of the config")
    parser.add_argument("--format", choices=["pdf", "xlsx"], help="default: by the name of FILE, else pdf")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")


def chart_command(config: Config, options: argparse.Namespace) -> int:
    """Make the charts; returns the exit status. Raises `RefusedError`."""
    from recovery.host.clock import read_clock

    now = read_clock()
    cache = cache_to_show(config, now)
    tell(*doubts_of(cache), file=sys.stderr)
    today = now.astimezone(config.site.zone).date()
    chosen = chosen_of(cache, options, today, config.dashboard.exclude_patient_ids)
    files = _files(cache, config, chosen, now)
    write(options.output, _content(config, options, files))
    _say(chosen.remark)
    _say(told_at(config.cache_path, config.site.zone))
    _tell_age(files[0], config)
    return _tell_result(chosen.patient_ids, files, options.output)


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


def _say(text: str) -> None:
    if text:
        tell(text, file=sys.stderr)
