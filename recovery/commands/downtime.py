"""`python -m recovery downtime begin|end|status|merge`: a downtime is declared and ended without a browser.

And `reconcile`: a restored R&V system held against this copy, worked off by name, until it is equal. It asks nobody:
the tables that the backup jobs brought last are compared. Exit status: 0 equal, 1 something is open and named, 2
nothing can be said.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from recovery.access.audit import AuditEvent, AuditFile
from recovery.cache.errors import CacheError
from recovery.commands.arguments import DONE, PARTLY, Commands, add_command, day_of
from recovery.entries.charted import merge, read_charted
from recovery.entries.day_plans import merge_day_plans
from recovery.entries.downtimes import DowntimeEntry, lasting, told_at
from recovery.host.clock import read_clock
from recovery.host.entry_lines import EntriesError, append_statement, read_statements
from recovery.words.printable import tell
from recovery.words.refusals import RefusedError
from recovery.words.values import absent, counted

if TYPE_CHECKING:
    from recovery.patient.reconciliation import Reconciliation
    from recovery.settings.config import Config

FORMATS = (".csv", ".json", ".xlsx", ".html")


def add_parser(commands: Commands) -> None:
    """Declare `downtime` and its verbs."""
    downtime = commands.add_parser("downtime", help="declare a downtime, end it, say whether one lasts")
    verbs = downtime.add_subparsers(dest="verb", required=True, metavar="VERB")
    begin = add_command(verbs, "begin", "every page, chart and file says so from now on")
    begin.add_argument("--reason", required=True, help="why, in a few words; no patient's name")
    begin.add_argument(
        "--since", metavar='"YYYY-MM-DD HH:MM"', help="when the R&V system fell, site time; default: now"
    )
    end = add_command(verbs, "end", "the R&V system is believed again")
    end.add_argument("--reason", required=True, help="who compared what, in a few words; no patient's name")
    for verb in (begin, end):
        verb.add_argument("--signed-by", required=True, metavar="NAME", help="the physicist or physician who says so")
    merge = add_command(verbs, "merge", "take over what was charted on other workstations")
    merge.add_argument("folder", type=Path, help="with their journals: a folder `charted` of a share or a stick")
    add_command(verbs, "status", "since when, why and by whom")


def run(config: Config, options: argparse.Namespace) -> int:
    """Do what `options.verb` says; returns the exit status: 1 where there was nothing to begin or to end."""
    now = read_clock()
    try:
        if options.verb == "merge":
            return _merge(config, options.folder)
        lasts = lasting(read_statements(config.cache_path, DowntimeEntry).all) is not None
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
        append_statement(config.cache_path, entry)
    except (ValueError, OSError) as error:
        raise RefusedError(str(error)) from error
    tell(told_at(config.cache_path, config.site.zone) or "The downtime is ended.")
    if entry.kind == "end":
        tell(*_warnings(config, now), file=sys.stderr)
    return DONE


def _merge(config: Config, folder: Path) -> int:
    if not folder.is_dir():
        raise RefusedError(f"{folder} is no folder")
    said = merge(config.cache_path, folder)
    plans = sum(merge_day_plans(config.cache_path, one) for one in (folder, folder.parent))
    known = read_charted(config.cache_path)
    tell(f"{counted(len(known.entries), 'entry is', 'entries are')} known here, {counted(plans, 'day plan')} new.")
    tell(*said, *known.faults, file=sys.stderr)
    return PARTLY if said or known.faults else DONE


def _since(config: Config, said: str | None, now: datetime) -> datetime:
    at = now if said is None else datetime.fromisoformat(said)
    return at.replace(tzinfo=config.site.zone) if at.tzinfo is None else at


def add_reconcile_parser(commands: Commands) -> None:
    """Declare `reconcile`."""
    parser = add_command(commands, "reconcile", "a restored R&V system against this copy, until both are equal")
    parser.add_argument("--since", type=day_of, metavar="YYYY-MM-DD", help="default: 30 days before the downtime")
    signed = parser.add_mutually_exclusive_group()
    signed.add_argument("--entered", nargs="+", metavar="ITEM", default=[], help="these were entered by hand there")
    signed.add_argument("--agrees", nargs="+", metavar="ITEM", default=[], help="these differ, and a person accepts it")
    parser.add_argument("--signed-by", metavar="NAME", default="", help="who says so")
    parser.add_argument("--reason", default="", help="why it agrees, in a few words; no patient's name")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="CSV, JSON, Excel; HTML: sheets")


def run_reconcile(config: Config, options: argparse.Namespace) -> int:
    """Sign what is to be signed, compare, tell; returns the exit status."""
    from recovery.cache.doors import cache_of
    from recovery.patient.reconciliation import reconcile

    now, cache = read_clock(), cache_of(config)
    if options.output is not None and options.output.suffix not in FORMATS:
        raise RefusedError(f"name a file that ends in one of {', '.join(FORMATS)}")
    try:
        found = reconcile(config, cache, now, options.since)
        if options.entered or options.agrees:
            _sign(config, found, options, now)
            found = reconcile(config, cache, now, options.since)
        if options.output is not None:
            options.output.write_bytes(_content(config, found, options.output.suffix))
    except (ValueError, OSError) as error:
        raise RefusedError(str(error)) from error
    for item in found.items:
        one = item.compared
        fraction = f" fraction {one.fraction_number}" if one.beams else ""
        whose = f"{one.item} · {absent(item.patient_name)} · ID {one.patient_id} · {absent(item.plan_label)}{fraction}"
        tell(f"{whose} · {one.sides} · {item.state}")
    tell(*found.in_words(config))
    return DONE if found.is_equal else PARTLY


def _warnings(config: Config, now: datetime) -> list[str]:
    """What whoever ends a downtime is told: that something is open, or that nobody can tell."""
    from recovery.cache.doors import cache_of
    from recovery.patient.reconciliation import NothingToSayError, reconcile

    try:
        found = reconcile(config, cache_of(config), now, None)
    except (NothingToSayError, CacheError, EntriesError) as error:
        return [f"The R&V system was not compared with this copy: {error}"]
    is_open = counted(len(found.open), "item of reconciliation is", "items of reconciliation are")
    return [] if found.is_equal else [f"{is_open} open: python -m recovery reconcile", *found.faults]


def _sign(config: Config, found: Reconciliation, options: argparse.Namespace, now: datetime) -> None:
    kind = "entered" if options.entered else "agrees"
    signed = [
        found.statement(item, kind, options.signed_by, now, options.reason)  # type: ignore[arg-type]
        for item in (*options.entered, *options.agrees)
    ]
    for one in signed:
        note = AuditEvent(now, one.signed_by, "command line", f"reconcile {kind}", "", None, {"item": one.item})
        AuditFile(config.audit_path).append(note)
        append_statement(config.cache_path, one)


def _content(config: Config, found: Reconciliation, suffix: str) -> bytes:
    from recovery.bundling.reconcile_sheet import COLUMNS, rows, sheets
    from recovery.cache.formats import encoded_rows
    from recovery.lists.day_sheet import STYLE

    told = " ".join((*filter(None, [told_at(config.cache_path, config.site.zone)]), *found.in_words(config)))
    if suffix == ".html":
        pages = '<hr style="break-after: page">'.join(sheets(found, config.site.name, told))
        return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>{pages}'.encode()
    return encoded_rows(rows(found), COLUMNS, suffix[1:], told)  # type: ignore[arg-type]
