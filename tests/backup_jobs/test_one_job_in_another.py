"""A job that runs in the midst of another, as the list is made in the midst of `snapshot_tables`."""

from __future__ import annotations

from pathlib import Path

from backup_jobs.jobs.job import run_job
from recovery.cache.journal import JobResult
from recovery.pacs.workspace import Workspace
from tests.archive_clinic import NOBODY, OneSite


def test_each_of_two_jobs_one_in_the_other_tells_what_it_met_itself_and_nothing_else(tmp_path: Path) -> None:
    space = OneSite(tmp_path, NOBODY).space()
    traits = space.memory.traits(NOBODY)
    told: list[str] = []

    def inner(space: Workspace) -> JobResult:
        space.note_refused("a stranger")
        traits.unfinished = ["records of Tuesday"]
        return JobResult("inner", "OK", {})

    def outer(space: Workspace) -> JobResult:
        space.note_refused("another one")
        traits.unfinished = ["records of Monday"]
        told.append(run_job("inner", inner, space).result.message)
        return JobResult("outer", "OK", {})

    run = run_job("outer", outer, space)
    (said,) = told
    assert "a stranger" in said and "Tuesday" in said
    assert "another one" not in said and "Monday" not in said
    assert "another one" in run.result.message and "Monday" in run.result.message
    assert "a stranger" not in run.result.message and "Tuesday" not in run.result.message
    assert run.exit_status == 1
