"""The banner above every page: three signals, each in its own place. How old the copy is; whether the R&V system
answers; what the copy lacks.

A fragment that Streamlit runs again every few seconds, alone: filters and scrolling stay. When the table below has
changed, or the day has, the whole page is drawn anew, once.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import streamlit as st

from app.access import rights
from app.components import patient_link
from app.data import cached, shifts, standing
from app.desk import Desk
from app.wording import words
from recovery.cache.doors import doubts_of
from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.store import Cache
from recovery.entries.charted import stamp_of
from recovery.entries.downtimes import DowntimeEntry, believed_up_to, grace_at, told_at
from recovery.entries.known_gaps import KnownGap, on_day
from recovery.host.entry_lines import EntriesError, file_of, read_statements
from recovery.on_treatment.unknown_since import doubt_of
from recovery.tables.schema import ON_TREATMENT
from recovery.words.printable import as_html
from recovery.words.times import at_time

REFRESH_EVERY = timedelta(seconds=20)
_COLOUR = {standing.Level.GOOD: "", standing.Level.LOOK: "orange", standing.Level.STOP: "red"}
_DRAWN = "drawn_state"
_GROWS_EVERY = 5
"""Minutes: so long may somebody whose appointment has just begun still be called to come, while nothing is proven."""
_STRIP = (
    "background:#1F2937;color:#FFFFFF;border-left:8px solid #F87171;padding:6px 12px;margin:0 0 6px 0;font-weight:600;"
    "-webkit-print-color-adjust:exact;print-color-adjust:exact"
)


_FOLDER = "Files in {} stand in for the RT-PACS: nothing is stored, and where a page says RT-PACS, it means them."
_DOWNTIME = ";background:#3B2A00;border-left-color:#FBBF24"


def show(desk: Desk) -> None:
    """Draw the banner, and keep it true."""
    st.session_state[_DRAWN] = _drawn_state(desk)
    refreshing: Callable[[Desk], None] = rights.fragment(_show, run_every=REFRESH_EVERY)
    refreshing(desk)


def standing_now(desk: Desk) -> standing.Standing:
    """How the safety copy stands at this moment. Raises `JournalError` if the journal of runs cannot be read."""
    taken_at, is_made = None, True
    try:
        taken_at = Cache(desk.config.cache_path).snapshot(ON_TREATMENT).taken_at
    except CacheError as error:
        is_made = not isinstance(error, TableMissingError)
    runs = cached.load_runs(desk.config.cache_path)
    site, gaps = desk.config.site, known_gaps(desk)
    pace, doubts = desk.config.schedule, doubts_of(desk.cache)
    now = standing.judge(runs, taken_at, desk.now(), site.zone, gaps, pace, doubts, is_made=is_made)
    return replace(now, downtime=told_at(desk.config.cache_path, site.zone))


def known_gaps(desk: Desk) -> dict[str, KnownGap]:
    """By SOP Instance UID, what physicists acknowledged for today; nothing where that cannot be read, so that every
    gap is told."""
    try:
        return on_day(read_statements(desk.config.cache_path, KnownGap).all, desk.today())
    except EntriesError:
        return {}


def coloured(level: standing.Level, markdown: str) -> str:
    """Markdown in the colour of its meaning; what is good has none."""
    colour = _COLOUR[level]
    return f":{colour}[{markdown}]" if colour else markdown


def _show(desk: Desk) -> None:
    if st.session_state.get(_DRAWN) != _drawn_state(desk):
        rights.redraw()
    try:
        now = standing_now(desk)
    except cached.JournalError as error:
        st.markdown(coloured(standing.Level.STOP, f"■ **{words.as_markdown(str(error))}**"))
        return
    with st.container(key="banner", gap=None):
        if now.downtime:
            st.html(strip_of(now.downtime))
        if now.answers.level > standing.Level.GOOD:
            st.html(_strip(now.answers))
        first, *more = now.age.said
        st.markdown(coloured(now.age.level, f"{now.age.level.mark} **{first}**") + _in_small(desk, now))
        for sentence in more:
            st.markdown(coloured(now.age.level, sentence))
        if desk.config.pacs_folder is not None:
            said = words.as_markdown(_FOLDER.format(desk.config.pacs_folder))
            st.markdown(coloured(standing.Level.LOOK, f"▲ {said}"))
        for sentence in now.completeness.said:
            said = coloured(now.completeness.level, f"{now.completeness.level.mark} {sentence}")
            st.page_link(patient_link.page_at("backup_health"), label=said, icon="", help="")
        if (late := shifts.open_check(desk)) is not None:
            since = at_time(desk.local(late.since), desk.today())
            said = coloured(standing.Level.LOOK, f"▲ Shift check open since {since}: {late.said}")
            st.page_link(patient_link.page_at("shift_check"), label=said, icon="", help="")


def _strip(answers: standing.Signal) -> str:
    """The R&V system is down: from edge to edge, in its own colour, for no age of a copy looks like it."""
    said = "<br>".join(as_html(sentence).replace("`", "") for sentence in answers.said)
    return f'<div role="status" style="{_STRIP}">{answers.level.mark} {said}</div>'


def strip_of(said: str) -> str:
    """A downtime lasts: from edge to edge, in a colour of its own."""
    return f'<div role="status" style="{_STRIP}{_DOWNTIME}">{as_html(said)}</div>'


def _in_small(desk: Desk, now: standing.Standing) -> str:
    """What is well, in small: when the R&V system answered. Who is not ready stands in the lists themselves."""
    said = list(now.answers.said) if now.answers.level is standing.Level.GOOD else []
    if desk.clock_is_simulated:
        said.append("Simulated clinic: its clock is not the wall's.")
    return f" :small[{' '.join(said)}]" if said else ""


def _unknown_grows(desk: Desk) -> str:
    """Changes whenever more patients may have been treated without a proof: the page below is then drawn anew."""
    try:
        runs = cached.load_runs(desk.config.cache_path)
    except cached.JournalError:
        runs = ()
    proven_at = next((run.started_at for run in reversed(runs) if run.tells_of_records), None)
    proven_at = believed_up_to(desk.config.cache_path, proven_at)
    grace = grace_at(desk.config.cache_path, desk.config.schedule.grace)
    doubt = doubt_of(proven_at, None, desk.now(), desk.config.site.zone, grace)
    return "" if doubt is None else f"{doubt.now:%H}:{doubt.now.minute // _GROWS_EVERY}"


def _drawn_state(desk: Desk) -> str:
    path = desk.config.cache_path
    entered = cached.stamp_of(file_of(path, DowntimeEntry)), stamp_of(path)
    return f"{cached.state_of(desk.config.cache_path)} {desk.today()} {_unknown_grows(desk)} {entered}"
