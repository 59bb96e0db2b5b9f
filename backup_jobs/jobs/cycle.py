"""What cron runs every ten minutes: all four jobs, each with what those before it learnt.

A job that fails does not stop those after it: the dashboard is built from the RT-PACS also while the R&V system is
down. The list is made once, as soon as the tables are read, and what `snapshot_tables` stores of it comes after.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from backup_jobs.jobs.build_on_treatment import build_on_treatment
from backup_jobs.jobs.job import EXIT_STATUS, LOCKED, Job, Run, run_job, unlocked
from backup_jobs.jobs.sync_plans import delivered_plans, names_new_plans, sync_plans
from backup_jobs.jobs.sync_records import sync_records
from recovery.cache.journal import JobResult, lock
from recovery.host.durable import LockedError, NoLockError
from recovery.on_treatment.evidence import Listed
from recovery.pacs.workspace import Workspace


def _snapshot_tables(
    space: Workspace, follow: Callable[[], None] = lambda: None, build: Callable[[], Listed | None] | None = None
) -> JobResult:
    """The job, without the time that its drivers take to import where there is no database.

    `follow` is called as soon as the tables are read, `build` once nothing that the list counts is missing.
    """
    if not _has_database(space):
        return JobResult("snapshot_tables", "SKIPPED", {}, message="the config has no [rv.database]")
    from backup_jobs.archive.tables import archive_tables, list_without_its_job
    from backup_jobs.jobs.snapshot_tables import snapshot_tables

    result = snapshot_tables(space.config, space.now)
    space.tables.forget()
    follow()
    return archive_tables(space, result, build or partial(list_without_its_job, space))


def _has_database(space: Workspace) -> bool:
    return space.config.rv is not None and space.config.rv.database is not None


JOBS: Mapping[str, Job] = {
    "sync_records": sync_records,
    "sync_plans": sync_plans,
    "snapshot_tables": _snapshot_tables,
    "build_on_treatment": build_on_treatment,
}
"""In the order in which a cycle tells of them."""


def run_cycle(space: Workspace) -> Iterator[Run]:
    """Run all jobs, yielding each one's result in the order of JOBS.

    Plans that the tables were the first to name, such as those of new starts, are followed as soon as the tables are
    read: what is needed on the first day must not wait for another cycle. `sync_plans` is told of when that is done.
    `build_on_treatment` runs in the midst of `snapshot_tables`; without its tables it runs all the same.
    """
    try:
        with lock(space.config.cache_path, "cycle"):
            yield run_job("sync_records", sync_records, space)
            plans = run_job("sync_plans", sync_plans, space)
            further: list[Run] = []
            built: list[Run] = []
            lists: list[Listed] = []

            def follow() -> None:
                delivered = delivered_plans(space)
                if plans.exit_status in {0, 1} and names_new_plans(space, delivered):
                    further.append(run_job("sync_plans", partial(sync_plans, delivered=delivered), space))

            def build() -> Listed | None:
                built.append(run_job("build_on_treatment", partial(build_on_treatment, take=lists.append), space))
                return lists[0] if lists else None

            tables = run_job("snapshot_tables", partial(_snapshot_tables, follow=follow, build=build), space)
            yield _joined(plans, further[0]) if further else plans
            yield tables
            if not built:
                build()
            yield built[0]
    except LockedError as error:
        yield Run(JobResult("cycle", "SKIPPED", {}, message=f"{error}; this one does nothing"), LOCKED)
    except NoLockError as error:
        yield unlocked("cycle", error)


def _joined(first: Run, second: Run) -> Run:
    """Two runs of one job as one: the second looked at everything again, and found what the first had moved."""
    before, after = first.result.counts, second.result.counts or first.result.counts
    moved = before.get("moved", 0) if second.result.counts else 0
    counts = {
        **after,
        "already_held": max(0, after.get("already_held", 0) - moved),
        "moved": after.get("moved", 0) + moved,
    }
    seconds = round(first.result.seconds + second.result.seconds, 3)
    return Run(replace(second.result, counts=counts, seconds=seconds), second.exit_status)


def worst(statuses: list[int]) -> int:
    """One exit status for several jobs: 2 before 1 before 75 before 0."""
    order = [EXIT_STATUS["FAILED"], EXIT_STATUS["PARTIAL"], LOCKED, 0]
    return next(status for status in order if status in statuses or status == 0)
