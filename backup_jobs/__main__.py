"""`python -m backup_jobs JOB`: run one scheduled job, once, and exit.

Exit status: 0 all that was asked is done and proven, 1 partly (what is not proven is named), 2 nothing can be said,
75 another run of the same job holds the lock.
"""

import sys

if __name__ == "__main__":  # Ctrl-C ends it without a word until `stopping` is there, whose imports take some 20 ms
    import _signal  # type: ignore[import-not-found]  # Python's own, that needs no import

    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

from recovery.host import stopping

STOPPED = "stopped; what was done so far stands, and the next run does the rest"

if __name__ == "__main__":
    stopping.end_quietly(STOPPED)  # before the rest is imported, which takes the better part of a second

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backup_jobs.jobs.job import Job, Run
    from recovery.settings.config import Config


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, run the job, print what it did; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m backup_jobs", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("job", choices=[*_WHAT], metavar="JOB", help="; ".join(f"{j}: {w}" for j, w in _WHAT.items()))
    parser.add_argument("--config", type=Path, default=Path("config.toml"), help="default: config.toml")
    parser.add_argument("--json", action="store_true", help="one line of JSON per job on standard output")
    options = parser.parse_args(arguments)
    from recovery.host.clock import ClockError
    from recovery.settings.config import ConfigError, load_config
    from recovery.settings.file_modes import GroupError, keep_private, let_group_read

    keep_private()
    try:
        config = load_config(options.config)
        if config.pacs.folder and options.job in _STORING:
            print(f"{options.job} {_TAKES_NOTHING}", file=sys.stderr)
            return 2
        let_group_read(config)
        return _run(options.job, config, as_json=options.json)
    except (ConfigError, GroupError, ClockError) as error:
        print(error, file=sys.stderr)
        return 2


_WHAT = {
    "cycle": "the four jobs below, in order; what cron runs every 10 minutes",
    "sync_records": "treatment records of the window, R&V system to RT-PACS",
    "sync_plans": "plans, structure sets, images, doses and reference images",
    "snapshot_tables": "the relational tables into the cache and, as DICOM objects, into the RT-PACS",
    "build_on_treatment": "the dashboard's tables, from the RT-PACS only",
    "verify_backup": "nightly: re-read what the RT-PACS holds; heal or name what is not what it was",
    "keep_packs": "nightly, after verify_backup: the packs of plans in [package] path, made anew where they changed",
    "keep_bundle": "nightly: the rescue bundle, in each place of [bundle] paths",
    "copy_sites": "what the last cycle left, to each place of [[site_copies]]; a cycle starts it by itself",
    "drill": "monthly: recovery tried in an empty place, without the R&V system; a report for the file",
    "check": "what works and what does not, before going live",
    "schedule": "stay up; the cycle every [schedule] cycle_minutes; at [verify] at the nightly ones",
}


_STORING = ("cycle", "sync_records", "sync_plans", "snapshot_tables", "build_on_treatment", "check", "schedule")
_TAKES_NOTHING = (
    "needs an RT-PACS, and [pacs] folder names files in its place, in which nothing is stored. Take that key out once "
    "there is an RT-PACS again."
)


def _run(name: str, config: "Config", *, as_json: bool) -> int:
    from backup_jobs.jobs.cycle import run_cycle, worst
    from backup_jobs.jobs.hearing import Hearing
    from backup_jobs.jobs.job import Run, note, opened, run_job
    from recovery.cache.journal import Journal
    from recovery.cache.memory import Memory
    from recovery.host.clock import read_clock
    from recovery.host.logs import set_up_logging
    from recovery.pacs.workspace import bare_workspace

    set_up_logging(config.cache_path, on_terminal=name != "check")
    if name == "schedule":
        from backup_jobs.jobs.schedule import keep_running

        return keep_running(config, lambda: _run("cycle", config, as_json=as_json))
    if name == "copy_sites":  # it runs beside the cycles: what these remember is theirs
        run = run_job(name, _job(name), bare_workspace(config, Memory(config.cache_path), read_clock()))
        _print(run, as_json=as_json)
        return run.exit_status
    hearing = Hearing(name, config) if name != "check" else None
    space = opened(name, config, read_clock())
    if isinstance(space, Run):
        _print(space, as_json=as_json)
        if hearing is not None:
            hearing.end(space.exit_status, [space], read_clock())
        return space.exit_status
    runs: list[Run] = []
    try:
        for run in run_cycle(space) if name == "cycle" else [run_job(name, _job(name), space)]:
            _print(run, as_json=as_json)
            runs.append(run)
    except KeyboardInterrupt:
        space.keep()
        raise
    space.memory.save()
    note(lambda: Journal(config.cache_path).prune(config.cache.keep_days, space.now))
    status = worst([run.exit_status for run in runs])
    if len(runs) > 1 and config.own_copies:  # the one before is not under way
        from backup_jobs.jobs.copy_sites import start_copying

        start_copying(config, space.now)
    if hearing is not None:
        hearing.end(status, runs, read_clock())
    return status


def _job(name: str) -> "Job":
    if name == "check":
        from backup_jobs.jobs.check import check

        return check
    if name == "verify_backup":
        from backup_jobs.jobs.verify_backup import verify_backup

        return verify_backup
    if name == "keep_packs":
        from backup_jobs.jobs.after_the_proof import keep_packs

        return keep_packs
    if name == "copy_sites":
        from backup_jobs.jobs.copy_sites import copy_sites

        return copy_sites
    if name == "drill":
        from backup_jobs.jobs.after_the_proof import drill

        return drill
    if name == "keep_bundle":
        from backup_jobs.jobs.after_the_proof import keep_bundle

        return keep_bundle
    from backup_jobs.jobs.cycle import JOBS

    return JOBS[name]


def _print(run: "Run", *, as_json: bool) -> None:
    from recovery.words.printable import printable

    result = run.result
    if as_json:
        line = {
            "job": result.job,
            "outcome": result.outcome,
            "counts": dict(result.counts),
            "unproven": list(result.unproven),
            "message": result.message,
            "seconds": result.seconds,
        }
        print(json.dumps(line), flush=True)
        return
    counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in result.counts.items())
    has_told = result.job == "check" and result.counts.get("found", 0) > 0  # line by line
    if has_told:
        counts = f"{result.counts['found'] - result.counts['unproven']} of {result.counts['found']} work"
    print(f"{result.job:<19}{result.outcome:<8} {result.seconds:6.1f} s  {counts}", flush=True)
    if result.message and not has_told:
        print(f"{'':<19}{printable(result.message)}", flush=True)


if __name__ == "__main__":
    stopping.leave(stopping.run(main, STOPPED))
