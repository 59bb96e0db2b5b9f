"""What cron runs every ten minutes: all four jobs, each with what the one before it learnt.

A job that fails does not stop those after it: the dashboard is built from the RT-PACS also while the R&V system is
down.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backup_jobs.build_on_treatment import build_on_treatment
from backup_jobs.job import EXIT_STATUS, LOCKED, Job, Run, run_job
from backup_jobs.sync_plans import sync_plans
from backup_jobs.sync_records import sync_records
from recovery.building import Workspace
from recovery.runs import JobResult, LockedError, lock


def _snapshot_tables(space: Workspace) -> JobResult:
    """The job, without the time that its drivers take to import where there is no database."""
    if space.config.rv is None or space.config.rv.database is None:
        return JobResult("snapshot_tables", "SKIPPED", {}, message="the config has no [rv.database]")
    from backup_jobs.archive_tables import archive_tables
    from backup_jobs.snapshot_tables import snapshot_tables

    result = snapshot_tables(space.config, space.now)
    space.relational.clear()
    return archive_tables(space, result)


JOBS: Mapping[str, Job] = {
    "sync_records": sync_records,
    "sync_plans": sync_plans,
    "snapshot_tables": _snapshot_tables,
    "build_on_treatment": build_on_treatment,
}
"""In the order in which a cycle runs them."""


def run_cycle(space: Workspace) -> Iterator[Run]:
    """Run all jobs, yielding each one's result as it ends."""
    try:
        with lock(space.config.cache_path, "cycle"):
            for name, job in JOBS.items():
                yield run_job(name, job, space)
    except LockedError as error:
        yield Run(JobResult("cycle", "SKIPPED", {}, message=f"{error}; this one does nothing"), LOCKED)


def worst(statuses: list[int]) -> int:
    """One exit status for several jobs: 2 before 1 before 75 before 0."""
    order = [EXIT_STATUS["FAILED"], EXIT_STATUS["PARTIAL"], LOCKED, 0]
    return next(status for status in order if status in statuses or status == 0)
