"""`python -m recovery verify`: is everything that this machine keeps what was written? It asks nobody else.

    Every file bears its own hash or stands in a manifest that has it: tables, snapshots, the journal of runs, what
    people entered, the audit file. Each that does not verify is named. `--forget UID`: an object that differed between
    RT-PACS and source was looked at by a person; the next `verify_backup` takes what the RT-PACS has then for right.

Exit status: 0 all is what was written, 1 something is not, 2 a part cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import timedelta

from recovery.access.audit import AuditFile, Head
from recovery.access.audit_proof import verify as audit_verdict
from recovery.cache.damages import damaged_parts, damaged_tables, tables_of_others
from recovery.cache.doors import cache_of, passed_over
from recovery.cache.journal import Journal, lock
from recovery.cache.manifests import ManifestError, current_id
from recovery.cache.snapshots import broken_chain, list_snapshots, verify_snapshot
from recovery.commands.arguments import Commands, add_command
from recovery.entries.audit_heads import AuditHead
from recovery.entries.charted import read_charted
from recovery.entries.denials import Denial
from recovery.entries.downtimes import DowntimeEntry
from recovery.entries.known_gaps import KnownGap
from recovery.entries.machines import MachineEntry
from recovery.entries.next_decisions import NextDecision
from recovery.entries.noted import lost, noted_audit_head
from recovery.entries.priority_entries import PriorityEntry
from recovery.entries.reconciled import Worked
from recovery.entries.shift_checks import ShiftCheck
from recovery.entries.transfers import TransferEntry
from recovery.host.clock import read_clock
from recovery.host.entry_lines import EntriesError, Statement, read_statements
from recovery.pacs.collection import Collection
from recovery.pacs.verified_objects import Proofs, VerifiedObjects
from recovery.settings.config import Config
from recovery.settings.trust import trust_of
from recovery.words.printable import tell

TABLE_CHANGED = "table {} is not what was written"
NOT_SIGNED = "table {}: no key of the config signed it, so that somebody else than the jobs wrote it"


def add_parser(commands: Commands) -> None:
    """Declare `verify`."""
    verify = add_command(commands, "verify", "whether all that this machine keeps is what was written")
    verify.add_argument("--forget", metavar="UID", nargs="+", help="objects that somebody compared and found right")


def run(config: Config, options: argparse.Namespace) -> int:
    """Look at everything, a line for each part; returns the exit status."""
    if options.forget:
        return _forget(config, options.forget)
    parts: dict[str, Callable[[], list[str]]] = {
        "tables": lambda: list(map(TABLE_CHANGED.format, damaged_tables(config.cache_path))),
        "tables, by whom they were written": lambda: list(
            map(NOT_SIGNED.format, tables_of_others(config.cache_path, trust_of(config), in_parts=True))
        ),
        "courses that rest": lambda: list(map(TABLE_CHANGED.format, damaged_parts(config.cache_path))),
        "snapshots of the R&V database": lambda: _snapshots(config),
        "journal of runs": lambda: _counted(Journal(config.cache_path).damaged_lines(), "line"),
        "known gaps": lambda: _entries(config, KnownGap),
        "shift checks": lambda: _entries(config, ShiftCheck),
        "charted fractions": lambda: list(read_charted(config.cache_path).faults),
        "downtimes": lambda: _entries(config, DowntimeEntry),
        "decisions on next fractions": lambda: _entries(config, NextDecision),
        "transfers": lambda: _entries(config, TransferEntry),
        "machines": lambda: _entries(config, MachineEntry),
        "reconciliation": lambda: _entries(config, Worked),
        "priorities": lambda: _entries(config, PriorityEntry),
        "what people signed, as a job saw it": lambda: list(lost(config.cache_path)),
        "records that the R&V system denied": lambda: _entries(config, Denial),
        "the audit file as it was each day": lambda: _entries(config, AuditHead),
        "audit file": lambda: list(_audit(config)),
    }
    statuses = [_look(name, faults) for name, faults in parts.items()]
    return max(statuses)


def _look(name: str, faults: Callable[[], list[str]]) -> int:
    try:
        found = faults()
    except (OSError, EntriesError) as error:
        tell(f"cannot be read  {name}: {error}", file=sys.stderr)
        return 2
    if found:
        tell(*(f"CHANGED  {name}: {said}" for said in found), file=sys.stderr)
        return 1
    tell(f"whole    {name}")
    return 0


def _snapshots(config: Config) -> list[str]:
    """Their files, their signatures, and whether one that pruning leaves is gone."""
    cache_path, trust = config.cache_path, trust_of(config)
    ids = [one.snapshot_id for one in list_snapshots(cache_path)]
    try:
        newest = current_id(cache_path)
        found = [] if newest is None or newest in ids else [f"{newest}, which is named as the newest, is not there"]
    except ManifestError as error:
        found = [str(error)]
    faults = {snapshot_id: verify_snapshot(cache_path, snapshot_id, trust) for snapshot_id in ids}
    found += [fault for said in faults.values() for fault in said]
    found += passed_over(cache_path, trust)
    found += broken_chain(cache_path, config.cache.keep_days)
    whole = [snapshot_id for snapshot_id, said in faults.items() if not said]
    if found and whole:
        found.append(f"the last that is what was written: {whole[0]}")
    return found


def _audit(config: Config) -> tuple[str, ...]:
    """Held against its head as the cache has it, and against those of each day that lie where statements do."""
    number, _, line = noted_audit_head(config.cache_path).partition(":")
    noted = [Head(int(number), line, 0)] if line else []
    since = read_clock() - timedelta(days=config.cache.keep_days)
    daily = read_statements(config.cache_path, AuditHead).all
    noted += [Head(one.number, one.line_sha256, 0) for one in daily if one.is_own and one.entered_at >= since]
    if others := sorted({one.machine for one in daily if not one.is_own}):
        tell(f"not here  the audit files of {', '.join(others)}: run it there, too")
    return audit_verdict(AuditFile(config.audit_path), *noted).breaks


def _entries(config: Config, kind: type[Statement]) -> list[str]:
    return _counted(read_statements(config.cache_path, kind).damaged_lines, "line")


def _counted(number: int, noun: str) -> list[str]:
    return [f"{number} {noun}{'s are' if number > 1 else ' is'} not what was written"] if number else []


def _forget(config: Config, uids: list[str]) -> int:
    cache, now = cache_of(config), read_clock()
    with lock(config.cache_path, "verify_backup"):
        verified = VerifiedObjects.load(cache)
        unknown = [uid for uid in uids if uid not in verified.faults]
        verified.forget(uid for uid in uids if uid in verified.faults)
        verified.save(cache, now)
        proofs = Proofs.load(cache, Collection.load(cache, config.site.zone))
        kept = {uid: why for uid, why in proofs.faults.items() if uid not in uids}
        Proofs(proofs.plans, kept, {uid: of for uid, of in proofs.doses.items() if uid in kept}).save(cache, now)
    tell(*(f"{uid}: nothing is wrong with it, or it is not known" for uid in unknown), file=sys.stderr)
    tell(f"{len(uids) - len(unknown)} forgotten: the next `python -m backup_jobs verify_backup` reads them anew")
    return 1 if unknown else 0
