"""The banner above every page: how old the safety copy is, what is proven, what is broken since when.

Goal
    A page left open all night tells its age truthfully in the morning.

How
    A fragment that Streamlit runs again every few seconds, alone: filters and scrolling stay. When the table below
    has changed, or the day has, the whole page is drawn anew, once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import streamlit as st

from app import data, session, standing, words
from app.desk import Desk
from recovery.cache import Cache, CacheError
from recovery.tables import ON_TREATMENT

REFRESH_EVERY = timedelta(seconds=20)
_COLOUR = {standing.Level.GOOD: "", standing.Level.LOOK: "orange", standing.Level.STOP: "red"}
_DRAWN = "drawn_state"


def show(desk: Desk) -> None:
    """Draw the banner, and keep it true."""
    st.session_state[_DRAWN] = _drawn_state(desk)
    refreshing: Callable[[Desk], None] = st.fragment(_show, run_every=REFRESH_EVERY)
    refreshing(desk)


def standing_now(desk: Desk) -> standing.Standing:
    """How the safety copy stands at this moment.

    Raises
    ------
    JournalError
        If the journal of runs cannot be read.
    """
    try:
        taken_at = Cache(desk.config.cache_path).snapshot(ON_TREATMENT).taken_at
    except CacheError:
        taken_at = None
    runs = data.load_runs(desk.config.cache_path)
    return standing.judge(runs, taken_at, desk.now(), desk.config.site.zone)


def coloured(level: standing.Level, markdown: str) -> str:
    """Markdown in the colour of its meaning; what is good has none."""
    colour = _COLOUR[level]
    return f":{colour}[{markdown}]" if colour else markdown


def _show(desk: Desk) -> None:
    if st.session_state.get(_DRAWN) != _drawn_state(desk):
        session.redraw()
    try:
        now = standing_now(desk)
    except data.JournalError as error:
        st.markdown(coloured(standing.Level.STOP, f"■ **{words.as_markdown(str(error))}**"))
        return
    with st.container(key="banner", gap=None):
        st.markdown(coloured(now.level, f"{now.level.mark} **{now.headline}**"))
        for sentence in now.details:
            st.markdown(sentence)
        st.markdown(f":small[{_job_line(desk, now)}]")


def _job_line(desk: Desk, now: standing.Standing) -> str:
    jobs = [coloured(s.level, f"{s.level.mark} {words.as_markdown(s.job)} {s.words}") for s in now.jobs]
    said = [f"Last good run: {' · '.join(jobs)}"] if jobs else []
    if desk.clock_is_simulated:
        said.append("Simulated clinic: its clock is not the wall's.")
    return " · ".join(said)


def _drawn_state(desk: Desk) -> str:
    return f"{data.state_of(desk.config.cache_path)} {desk.today()}"
