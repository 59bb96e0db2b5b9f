"""Not started yet: who was referred, simulated, is being planned, waits for a signature or a first appointment."""

from collections import Counter

import pandas as pd
import streamlit as st

from app.components import listed, marked
from app.components.output import list_export
from app.data import cached
from app.desk import Desk
from app.wording import words
from recovery.cache.errors import CacheError
from recovery.cache.freshness import known_since
from recovery.lists import rows
from recovery.lists.columns import NOT_STARTED
from recovery.tables.relational import PLANS
from recovery.tables.schema import PIPELINE
from recovery.words.statuses import STAGES
from recovery.words.times import moment


def show(desk: Desk) -> None:
    """Draw the page."""
    loaded = listed.page(desk, "Not started yet")
    try:
        table = cached.load_table(desk.cache, PIPELINE)
    except CacheError:
        st.markdown(
            ":orange[▲ **Who is not on treatment yet is not known.**] The cache has no table of it: it is made by the "
            "jobs from the R&V system's database, `[rv.database]` of the config."
        )
        return
    _show_list(desk, loaded, rows.of_not_started(table))


def _show_list(desk: Desk, loaded: cached.Loaded, lines: pd.DataFrame) -> None:
    counted = Counter(lines["stage"])
    stages = " · ".join(f"**{counted[one.said]}** {one.said}" for one in STAGES.values() if counted[one.said])
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(stages or "**Nobody**: whoever is known is on treatment, or was.")
        if len(lines):
            list_export.show_lists(
                desk,
                loaded,
                "not_started",
                [(NOT_STARTED, lines)],
                what="not on treatment yet",
                filters="not on treatment yet, by the R&V system's database",
                hidden="who is on treatment, or was",
                order="the furthest first, then the longest waiting",
                help_text="This list, with phones and a column to tick",
            )
    st.markdown(f":small[{words.as_markdown(_as_of(desk))}]")
    if len(lines):
        config = marked.config(NOT_STARTED.page, lines, desk.today())
        alt = "Who is not on treatment yet, the furthest first"
        marked.table(lines, "not_started", config, most=22, alt=alt, strong=("stage", "patient_name"))


def _as_of(desk: Desk) -> str:
    try:
        since = known_since(desk.cache, PLANS)
    except CacheError:
        return "Nobody knows how old this is."
    at = moment(since, desk.now(), desk.config.site.zone)
    return f"By the R&V system's database as of {at}. What happened after that is on paper, and with its people."
