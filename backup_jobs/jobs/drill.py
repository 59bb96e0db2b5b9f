"""The recovery drill as a job: what `python -m recovery drill` does, when it is due, told as every run of a job is."""

from __future__ import annotations

from backup_jobs.jobs.schedule import drill_is_due
from recovery.cache.journal import JobResult
from recovery.commands.drill import hold_drill, kept
from recovery.pacs.workspace import Workspace


def drill(space: Workspace) -> JobResult:
    """Hold one where it is due. Raises as `hold_drill` does; a report that cannot be written fails it."""
    config = space.config
    if not drill_is_due(config, space.now):
        return JobResult(
            "drill", "SKIPPED", {}, message="none is due; `python -m recovery drill` holds one all the same"
        )
    has_database = config.rv is not None and config.rv.database is not None
    held = hold_drill(config.without_rv(), space.now, has_database=has_database)
    try:
        return kept(config, held)
    except OSError as error:
        why = f"the report cannot be written to {config.drill_path}: {error.strerror or error}"
        return JobResult("drill", "FAILED", {}, message=f"{held.in_words()}; {why}")
