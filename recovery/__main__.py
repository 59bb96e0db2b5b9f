"""`python -m recovery COMMAND`: what people run by hand. It never speaks to the R&V system."""

import sys

if __name__ == "__main__":  # Ctrl-C ends it without a word until `stopping` is there, whose imports take some 20 ms
    import _signal  # type: ignore[import-not-found]  # Python's own, that needs no import

    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

from recovery.host import stopping

STOPPED = "stopped; what was written before still stands"

if __name__ == "__main__":
    stopping.end_quietly(STOPPED)  # before the rest is imported, which takes the better part of a second

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recovery.cache.doors import cache_to_show, doubts_of
from recovery.commands import audit, binder, bundle, downtime, keys, user, verify
from recovery.commands.arguments import Commands, add_command, add_parsers
from recovery.commands.chart import add_chart_arguments, chart_command
from recovery.host.clock import ClockError, read_wall_clock
from recovery.host.durable import LockedError, refused_by_disk
from recovery.settings.config import Config, ConfigError, load_config
from recovery.settings.file_modes import GroupError, keep_private, let_group_read
from recovery.settings.nodes import sources_of
from recovery.tables.relational import ALL_TABLES
from recovery.tables.schema import ON_TREATMENT
from recovery.words.printable import tell
from recovery.words.refusals import RefusedError

if TYPE_CHECKING:
    from recovery.commands.rebuild import TablesReport
    from recovery.dimse import Peer
    from recovery.pacs.workspace import Workspace


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m recovery", description=(__doc__ or "").split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    table = add_command(commands, "table", "any cached table, on standard output or in a file")
    table.add_argument("name", choices=sorted(ALL_TABLES), metavar="NAME", help=", ".join(sorted(ALL_TABLES)))
    table.add_argument("--format", choices=["json", "csv", "xlsx", "parquet"], default="csv")
    table.add_argument("-o", "--output", type=Path, help="default: standard output")
    _add_rebuild(commands)
    chart = add_command(commands, "chart", "paper charts of a machine's day or of patients, as PDF or Excel")
    add_chart_arguments(chart)
    add_command(commands, "watch", "alarm when the newest proven backup is too old; for another machine")
    user.add_parser(commands)
    keys.add_parser(commands)
    audit.add_parser(commands)
    verify.add_parser(commands)
    add_parsers(commands)
    downtime.add_parser(commands)
    downtime.add_reconcile_parser(commands)
    binder.add_parser(commands)
    bundle.add_parser(commands)
    options = parser.parse_args(arguments)
    keep_private()
    try:
        whole = load_config(options.config)
        let_group_read(whole)
        has_database = whole.rv is not None and whole.rv.database is not None
        if options.command == "restore":
            from recovery.commands import restore

            return restore.run(whole.without_rv(), options, sources_of(whole.pacs, whole.rv))
        return _run(whole.without_rv(), options, has_database=has_database)
    except LockedError as error:
        tell(f"{error}; try again when it has ended", file=sys.stderr)
        return error.exit_status
    except RefusedError as error:
        tell(error, file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        return 1
    except (ConfigError, GroupError, ClockError) as error:
        tell(error, file=sys.stderr)
    except OSError as error:
        tell(_disk_said(error), file=sys.stderr)
    return 2


def _disk_said(error: OSError) -> str:
    """Raises the error itself where it was no disk that refused."""
    if not (said := refused_by_disk(error)):
        raise error
    return said


def _add_rebuild(commands: Commands) -> None:
    rebuild = add_command(commands, "rebuild", "the cache again, from nothing but the RT-PACS")
    rebuild.add_argument("--accept", metavar="SNAPSHOT", default="", help="a snapshot that somebody knows to be right")
    rebuild.add_argument("--signed-by", metavar="NAME", default="", help="who vouches for it; the audit file notes it")
    rebuild.add_argument("--from-copy", metavar="NAME", default="", help="from that of [[site_copies]] alone instead")
    rebuild.add_argument(
        "--from-bundle",
        dest="place",
        type=Path,
        metavar="FOLDER",
        help="from an opened rescue bundle, where there is no RT-PACS",
    )


def _run(config: Config, options: argparse.Namespace, *, has_database: bool) -> int:
    if options.command in _QUICK:
        return _QUICK[options.command](config, options)
    if options.command == "rebuild":
        return _rebuild(config, options, has_database=has_database)
    if options.command == "drill":
        from recovery.commands import drill

        return drill.run(config, options, has_database=has_database)
    if options.command == "history":
        from recovery.host.clock import read_clock
        from recovery.sites import history

        return history.run(config, options, read_clock())
    if options.command == "package":
        from recovery.commands import package

        return package.run(config, options)
    from recovery.commands import transfer_out

    return transfer_out.run(config, options)


def _watch(config: Config, _: argparse.Namespace) -> int:
    from recovery.commands.watch import watch
    from recovery.host.clock import read_clock

    return watch(config, read_clock())


def _table(config: Config, options: argparse.Namespace) -> int:
    from recovery.cache.copy_age import age_in_words, true_up_to
    from recovery.cache.formats import write_table
    from recovery.entries import next_decisions, transfers
    from recovery.entries.charted import told_since
    from recovery.entries.downtimes import told_at
    from recovery.host.clock import read_clock

    schema, now = ALL_TABLES[options.name], read_clock()
    cache = cache_to_show(config, now)
    tell(*doubts_of(cache), file=sys.stderr)
    old = age_in_words(true_up_to(cache, schema), now, config, "this table")
    says = (told_since, next_decisions.told_since, transfers.told_since) if schema is ON_TREATMENT else ()
    since = [say(config.cache_path, cache.snapshot(schema).taken_at) for say in says]
    told = " ".join(filter(None, (told_at(config.cache_path, config.site.zone), old, *since)))
    try:
        write_table(cache, schema, options.format, options.output, told)
    except IsADirectoryError as error:
        raise RefusedError(f"{options.output} is a folder; name a file") from error
    if told:
        tell(told, file=sys.stderr)
    return 0


_NO_RECORDS = (
    "[pacs] folder holds no treatment record: a list made of it would tell no fraction, and none was made. "
    "`rebuild --from-bundle FOLDER` takes the tables of an opened rescue bundle."
)


def _rebuild(config: Config, options: argparse.Namespace, *, has_database: bool) -> int:
    """Build everything anew beside what is remembered; the tables before stand until each new one is whole.

    No cycle runs meanwhile: one that began before would write what it knew over what was rebuilt.
    """
    from recovery.cache.journal import between_cycles
    from recovery.host.table_signatures import forget_signed

    with between_cycles(config.cache_path):
        forget_signed(config.cache_path)
        return _rebuild_from_any(config, options, has_database=has_database)


def _rebuild_from_any(config: Config, options: argparse.Namespace, *, has_database: bool) -> int:
    if options.from_copy:
        from recovery.host.clock import read_clock
        from recovery.sites import restoring

        return restoring.run(config, options.from_copy, read_clock())
    if options.place is not None:
        return _rebuild_from(config, options.place)
    return _rebuild_of_archive(config, options, has_database=has_database)


def _rebuild_of_archive(config: Config, options: argparse.Namespace, *, has_database: bool) -> int:
    """From the RT-PACS, or the folder that stands in for it."""
    from recovery.cache.copy_age import age_in_words, true_up_to
    from recovery.cache.memory import Memory
    from recovery.dimse import DimseError
    from recovery.host.clock import read_clock
    from recovery.host.logs import set_up_logging
    from recovery.overview.build import build_overview
    from recovery.pacs.doubted_records import DoubtedRecords
    from recovery.pacs.peers import pacs_peer
    from recovery.pacs.record_holdings import refuse_less
    from recovery.pacs.record_search import find_all_records
    from recovery.pacs.workspace import bare_workspace

    set_up_logging(config.cache_path)
    memory = Memory.load(config.cache_path)
    space = bare_workspace(config, memory, read_clock())
    space.collection.load_listings(space.cache)  # what sources listed and the RT-PACS lacks is missing all the same
    pacs = pacs_peer(config, memory)
    try:
        held = find_all_records(pacs)
        if config.pacs.folder and not held:
            raise RefusedError(_NO_RECORDS)
        refuse_less(space, held)
        space.note_held(held)
        space.collection.was_asked_for_all = True
        restored = _restore(space, pacs, options, has_database=has_database)
        space.doubted = DoubtedRecords.load(space.cache)  # with what the jobs stated elsewhere
        report = build_overview(space, pacs)
    except DimseError as error:
        raise RefusedError(f"Not everything was rebuilt; tables that were not still stand. {error}") from error
    memory.save()
    tell(f"{report.records} treatment records read, {report.rows} rows in on_treatment")
    if told := age_in_words(true_up_to(space.cache, ON_TREATMENT), space.now, config, "the tables"):
        tell(told, file=sys.stderr)
    for uid, why in report.unreadable.items():
        tell(f"{uid}: {why}", file=sys.stderr)
    return 1 if restored.problems or report.unreadable else 0


def _rebuild_from(config: Config, folder: Path) -> int:
    """The cache from an opened bundle, as it was carried; nobody is asked."""
    from recovery.bundling.carried import take_in
    from recovery.cache.copy_age import age_in_words, true_up_to
    from recovery.cache.doors import cache_of
    from recovery.host.clock import read_clock

    now, cache = read_clock(), cache_of(config)
    taken = take_in(folder, cache, now)
    tell(*taken.said)
    old = age_in_words(true_up_to(cache, ON_TREATMENT), now, config, "the tables")
    tell(*taken.problems, *filter(None, [old]), file=sys.stderr)
    return 1 if taken.problems else 0


def _restore(space: "Workspace", pacs: "Peer", options: argparse.Namespace, *, has_database: bool) -> "TablesReport":
    """The relational tables from the RT-PACS, and what is to be said of them."""
    from recovery.commands.rebuild import HOW_TO_ACCEPT, note_accepted, restore_tables
    from recovery.pacs.charted_journals import bring_charted

    config, now = space.config, space.now
    if options.accept:
        note_accepted(config, now, options.accept, options.signed_by)
    restored = restore_tables(config, pacs, now, are_expected=has_database, accepted=options.accept)
    tell(*restored.said)
    tell(*restored.problems, file=sys.stderr)
    if config.signing.public_keys and restored.problems:
        tell(HOW_TO_ACCEPT, file=sys.stderr)
    said, problems = bring_charted(config, pacs, options.accept)
    tell(*said)
    tell(*problems, file=sys.stderr)
    restored.problems += problems
    return restored


_QUICK: Mapping[str, Callable[[Config, argparse.Namespace], int]] = {
    "accept-snapshot": keys.run_accept,
    "audit": audit.run,
    "binder": binder.run,
    "bundle": bundle.run,
    "chart": chart_command,
    "downtime": downtime.run,
    "keys": lambda config, _: keys.run(config),
    "reconcile": downtime.run_reconcile,
    "table": _table,
    "user": lambda config, options: user.run(config, options, read_wall_clock()),
    "verify": verify.run,
    "watch": _watch,
}
"""Commands whose modules load no library that speaks to nodes before they need it."""


if __name__ == "__main__":
    stopping.leave(stopping.run(main, STOPPED))
