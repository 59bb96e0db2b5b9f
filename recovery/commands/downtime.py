"""`python -m recovery downtime begin|end|status|merge`: a downtime is declared and ended without a browser."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from recovery.access.audit import AuditError, AuditEvent, AuditFile
from recovery.entries.charted import merge, read_charted
from recovery.entries.downtimes import DowntimeEntry, downtimes_file, lasting, told_at
from recovery.host.clock import read_clock
from recovery.host.entry_lines import append_statement, read_statements
from recovery.words.printable import tell
from recovery.words.values import counted

if TYPE_CHECKING:
    from recovery.settings.config import Config

DONE, PARTLY, NOTHING = 0, 1, 2


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `downtime` and its verbs."""
    downtime = commands.add_parser("downtime", help="declare a downtime, end it, say whether one lasts")
    verbs = downtime.add_subparsers(dest="verb", required=True, metavar="VERB")
    begin = verbs.add_parser("begin", help="every page, chart and file says so from now on")
    begin.add_argument("--reason", required=True, help="why, in a few words; no patient's name")
    begin.add_argument(
        "--since", metavar='"YYYY-MM-DD HH:MM"', help="when the R&V system fell, site time; default: now"
    )
    end = verbs.add_parser("end", help="the R&V system is believed again")
    end.add_argument("--reason", required=True, help="who compared what, in a few words; no patient's name")
    for verb in (begin, end):
        verb.add_argument("--signed-by", required=True, metavar="NAME", help="the physicist or physician who says so")
    merge = verbs.add_parser("merge", help="take over what was charted on other workstations")
    merge.add_argument("folder", type=Path, help="with their journals: a folder `charted` of a share or a stick")
    for verb in (begin, end, merge, verbs.add_parser("status", help="since when, why and by whom")):
        verb.add_argument("--config", type=Path, default=Path("config.toml"), help="default: config.toml")


def run(config: Config, options: argparse.Namespace) -> int:
    """Do what `options.verb` says; returns the exit status: 1 where there was nothing to begin or to end."""
    now = read_clock()
    try:
        if options.verb == "merge":
            return _merge(config, options.folder)
        lasts = lasting(read_statements(downtimes_file(config.cache_path), DowntimeEntry).all) is not None
        if options.verb == "status":
            tell(told_at(config.cache_path, config.site.zone) or "No downtime is declared.")
            return DONE
        if lasts is (options.verb == "begin"):
            tell("A downtime lasts already." if lasts else "No downtime is declared.", file=sys.stderr)
            return PARTLY
        since = _since(config, options.since, now) if options.verb == "begin" else None
        entry = DowntimeEntry(options.verb, options.reason.strip(), options.signed_by.strip(), now, since)
        note = AuditEvent(now, entry.signed_by, "command line", f"downtime {entry.kind}", "", None, {"why": entry.said})
        AuditFile(config.audit_path).append(note)
        append_statement(downtimes_file(config.cache_path), entry)
    except (ValueError, AuditError, OSError) as error:
        tell(str(error), file=sys.stderr)
        return NOTHING
    tell(told_at(config.cache_path, config.site.zone) or "The downtime is ended.")
    return DONE


def _merge(config: Config, folder: Path) -> int:
    if not folder.is_dir():
        tell(f"{folder} is no folder", file=sys.stderr)
        return NOTHING
    said = merge(config.cache_path, folder)
    known = read_charted(config.cache_path)
    tell(f"{counted(len(known.entries), 'entry is', 'entries are')} known here.")
    tell(*said, *known.faults, file=sys.stderr)
    return PARTLY if said or known.faults else DONE


def _since(config: Config, said: str | None, now: datetime) -> datetime:
    at = now if said is None else datetime.fromisoformat(said)
    return at.replace(tzinfo=config.site.zone) if at.tzinfo is None else at
