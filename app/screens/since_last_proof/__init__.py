"""Since the last proof: everybody who may have been treated since, per machine in order of time, for screen and
paper."""

from contextlib import suppress
from datetime import date

import pandas as pd
import streamlit as st

from app.access import rights
from app.components import listed, patient_link
from app.components.output import day_print, list_export
from app.data import cached, unknown
from app.desk import Desk
from recovery.access.permissions import Permission
from recovery.cache.errors import CacheError
from recovery.entries.downtimes import told_at
from recovery.lists import day_tables, since_proof
from recovery.lists.appointments import DayFacts, Record, records
from recovery.lists.columns import COLUMNS, SINCE_PROOF
from recovery.lists.day_sheet import cells_of, framed, said, table, who
from recovery.on_treatment.unknown_since import Doubt
from recovery.tables.relational import PATIENTS
from recovery.words.printable import as_html
from recovery.words.times import day
from recovery.words.values import counted

_TO_FILL_IN = ("by_the_log", "initials")
_HEADINGS = (
    *("Booked", "Patient", "Plan", "Fraction", "Why here"),
    *(COLUMNS[name].heading for name in _TO_FILL_IN),
)


def sheet(title: str, lines: pd.DataFrame, told: str = "") -> str:
    """The sheet's markup; every text in it is escaped. `told`: of which moment it is."""
    parts = []
    for machine, own in lines.groupby("treatment_machine_name", sort=False):
        parts.append(f"<h4>{as_html(str(machine))}: {len(own)}</h4>")
        parts.append(table(_HEADINGS, (_row(row) for row in records(own))))
    return framed(title, told, parts)


def _row(row: Record) -> str:
    cells = (
        ("time", said(row["booked"])),
        ("", who(row)),
        ("whole", said(row["plan"])),
        ("", said(row["fraction"])),
        ("", said(row["why"])),
        *(("box", "") for _ in _TO_FILL_IN),
    )
    return f"<tr>{cells_of(cells)}</tr>"


def show(desk: Desk) -> None:
    """Draw the page."""
    loaded = listed.page(desk, "Since the last proof")
    doubt = unknown.doubt_now(loaded, desk)
    if doubt is None:
        st.markdown(
            "**Nobody is on this list.** The newest proof is fresh: all lists are true up to it. "
            "Once it is too old, whoever is booked after it stands here."
        )
        return
    _show_list(desk, loaded, doubt)


def _show_list(desk: Desk, loaded: cached.Loaded, doubt: Doubt) -> None:
    schedule = unknown.schedule_of(desk.cache)
    told_of = unknown.answers(loaded, desk, doubt)

    def facts(one: date) -> DayFacts:
        return DayFacts(one, doubt.now.date(), day_tables.charted_on(desk.cache, one), doubt, told_of)

    lines = since_proof.lines_of(loaded.table, schedule, doubt, _patients(desk), facts)
    since = f"{day(doubt.since.date(), desk.today())} {doubt.since:%H:%M}"
    people = counted(int(lines["patient_id"].nunique(dropna=False)), "patient")
    st.markdown(
        f":orange[▲ **{people} may have been treated since {since}.**] Take this list to each machine and its own log: "
        "was it given, which fraction, when? Treat nobody on it before that is answered."
    )
    answer = "**Answer for each of them**: treated, in part, or not treated; two people sign."
    st.page_link(patient_link.page_at("charting"), label=answer, icon="", help="")
    if schedule is None:
        st.markdown(":orange[▲ No schedule can be read: everybody on treatment is on the list.]")
    if lines.empty:
        return
    list_export.show_lists(
        desk,
        loaded,
        "since_last_proof",
        [(SINCE_PROOF, lines)],
        what="who may have been treated since",
        filters="everybody who may have been treated since the newest proof",
        hidden="who is not booked since, and plans that are over",
        order="by machine, then time",
        help_text="This list, with columns to fill in",
        permission=Permission.CHARTS,
    )
    if rights.may(Permission.CHARTS):
        st.markdown(":small[**Ctrl + P** prints the sheet below, on landscape pages.]")
    title = f"May have been treated since {since} · {desk.config.site.name}"
    downtime = told_at(desk.config.cache_path, desk.config.site.zone)
    told = (
        f"{downtime} Made {day(doubt.now.date(), desk.today())} {doubt.now:%H:%M}: who was booked until then is on it."
    )
    st.html(day_print.STYLE + sheet(title, lines, told))


def _patients(desk: Desk) -> pd.DataFrame | None:
    with suppress(CacheError):  # names of those who have no plan; the numbers stand
        return cached.load_table(desk.cache, PATIENTS)
    return None
