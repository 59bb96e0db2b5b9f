"""What was damaged in the cache this week, and was made again or not: a disk that flips bits is about to fail."""

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from app.data import health
from app.desk import Desk
from app.wording import words
from recovery.cache.journal import Journal
from recovery.dicom.model import JobRun
from recovery.words.times import moment
from recovery.words.values import counted

_MOST = 5


def show(desk: Desk, runs: Sequence[JobRun]) -> None:
    """Draw a line for each run that met a damage, newest first, and one for the journal itself; else nothing."""
    lost = Journal(desk.config.cache_path).damaged_lines()
    if lost:
        st.markdown(
            f":orange[▲ **{counted(lost, 'line')} of the journal of runs cannot be read.**] Each was the start "
            "or the end of a run. All other lines stand."
        )
    met = health.damages_in(runs, desk.now() - timedelta(days=7))
    for run in met[:_MOST]:
        when = moment(run.started_at, desk.now(), desk.config.site.zone)
        st.markdown(f":orange[▲ **{when}**, {run.job}: {words.as_markdown(run.message)}]")
    if met:
        st.markdown(":small[A file of the cache was not what was written. Look at the disk of this machine.]")
