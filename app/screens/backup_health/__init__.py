"""Backup health: is the copy fresh, has it been all week, who could not be treated from it, and why."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta

import streamlit as st

from app.access import rights
from app.components import banner, failures, header
from app.data import cached, health
from app.desk import Desk
from app.screens.backup_health import (
    coverage,
    damage,
    drills,
    job_table,
    known_gap_form,
    left_out,
    nodes,
    relational,
    snapshots,
    unproven_table,
)
from recovery.cache.errors import CacheError
from recovery.dicom.model import JobRun


def show(desk: Desk) -> None:
    """Draw the page."""
    header.show("Backup health", desk.config.site.name)
    banner.show(desk)
    try:
        runs = cached.load_runs(desk.config.cache_path)
    except cached.JournalError:
        runs = ()  # the banner says so
    loaded = _show_coverage(desk)
    _show_jobs(desk, runs, loaded)
    _heading("Recovery tried without the R&V system")
    drills.show(desk, runs)
    left, right = st.columns(2, gap="large")
    with left:
        _heading("The RT-PACS and the R&V system")
        nodes.show(desk, runs)
        nodes.show_held(desk, runs)
    with right:
        _heading("What is not on the list, and by which rule")
        left_out.show(desk, loaded.table if loaded is not None else None)
    _heading("Tables of the R&V system's database")
    relational.show(desk, runs)
    _heading("Snapshots of these tables")
    snapshots.show(desk)


def _show_coverage(desk: Desk) -> cached.Loaded | None:
    _heading("Who could be treated from the backup")
    try:
        loaded = cached.load_on_treatment(desk.config.cache_path)
    except CacheError as error:
        failures.show_cache(error, desk.config)
        return None
    if loaded.table.empty:
        failures.show_no_rows()
    else:
        coverage.show(loaded.table, desk.today())
    return loaded


def _show_jobs(desk: Desk, runs: Sequence[JobRun], loaded: cached.Loaded | None) -> None:
    _heading("Jobs")
    if not runs:
        st.markdown("No run of any job is known. `python -m backup_jobs cycle` makes the first.")
        return
    ageing: Callable[..., None] = rights.fragment(_show_table, run_every=banner.REFRESH_EVERY)
    ageing(desk)
    jobs = _jobs(desk, runs)
    job_table.show_week(desk, health.hours_of(runs, desk.now()), [job.job for job in jobs])
    damage.show(desk, runs)
    _heading("Wanted, and not proven in the RT-PACS")
    table, unproven = loaded.table if loaded is not None else None, health.unproven_of(runs)
    known = banner.known_gaps(desk)
    unproven_table.show(desk, unproven, runs, table, known)
    known_gap_form.show(desk, unproven, table, known)


def _show_table(desk: Desk) -> None:
    """The jobs, drawn anew every few seconds: ages stand in it."""
    with suppress(cached.JournalError):
        job_table.show(desk, _jobs(desk, cached.load_runs(desk.config.cache_path)))


def _jobs(desk: Desk, runs: Sequence[JobRun]) -> list[health.JobHealth]:
    return health.jobs_of(runs, desk.now(), timedelta(minutes=desk.config.schedule.cycle_minutes))


def _heading(text: str) -> None:
    st.markdown(f"### {text}", anchors=False)
