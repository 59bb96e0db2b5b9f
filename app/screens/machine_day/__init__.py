"""Machine day: one linear accelerator's list of one day, for the screen at the console and for paper.

`recovery.lists.machine_day` makes the list. It opens on the machine with most appointments today. The address says
which machine and day (`?machine=TB1&day=2026-11-24`).
"""

from collections.abc import Callable, Sequence
from datetime import date

import pandas as pd
import streamlit as st

from app.access import rights
from app.components import attention, banner, failures, listed, marked
from app.components.output import chart_export, day_export, day_print, list_export, paper
from app.data import cached, charted, unknown
from app.desk import Desk
from app.screens.machine_day import day_chart, machine_form, sources
from app.wording import words
from recovery.access.permissions import Permission
from recovery.lists import appointments, day_sheet, machine_day
from recovery.lists.columns import MACHINE_DAY
from recovery.words.times import day as day_in_words
from recovery.words.values import counted

MACHINE, DAY, PRINT = "machine", "day", "print"
_CHOSEN = "machine_of_the_day"
"""In the session. Not the name in the address: the filter of On treatment is kept under that one."""


def show(desk: Desk) -> None:
    """Draw the page."""
    loaded = listed.page(desk, "Machine day")
    found = sources.load(desk, loaded.table)
    machines = machine_day.machines_of(loaded.table, found.tables.schedule)
    if not machines:
        failures.show_no_rows()
        return
    _show_day(desk, loaded, found, machines)


def _show_day(desk: Desk, loaded: cached.Loaded, found: sources.Found, machines: list[str]) -> None:
    places = st.container(horizontal=True, vertical_alignment="bottom")
    busiest = appointments.busiest(found.tables.schedule, desk.today(), machines)
    machine, day, is_print = _asked(places, machines, busiest, desk.today())
    known = appointments.DayFacts(
        day,
        desk.today(),
        charted.given_on(desk.config.cache_path, loaded.table, day),
        unknown.doubt_now(loaded, desk),
        charted.answered(desk.config.cache_path),
    )
    that_day = machine_day.day_of(loaded.table, found.tables, machine, day, known)
    with places:
        day_export.show(desk, loaded, that_day, machine, day, found.remark)
        ids = pd.concat([that_day.booked["patient_id"], that_day.unbooked["patient_id"]]).dropna().unique()
        if len(ids):
            chart_export.show_day(desk, [str(patient_id) for patient_id in ids], machine, day)
    title = f"{machine} · {day_in_words(day, desk.today())}"
    below = machine_day.heading_of_unbooked(
        machine, len(that_day.unbooked), is_schedule_known=that_day.is_schedule_known
    )
    sheet_title = f"{title} {day.year} · {desk.config.site.name}"
    if is_print:
        if (here := rights.sitting()) is not None:
            here.note_view(f"machine_day to print, {machine} {day.isoformat()}")
        st.markdown("Press **Ctrl + P** to print. Only the sheet below is printed, on landscape pages.")
        printing: Callable[..., None] = rights.fragment(_print, run_every=banner.REFRESH_EVERY)
        printing(desk, sheet_title, found.remark, that_day, below)
        return
    if rights.may(Permission.CHARTS):
        paper.hand_out(
            day_sheet.sheet(sheet_title, _told(desk, found.remark), that_day.booked, that_day.unbooked, below)
        )
    bars = _bars(loaded, found, known)
    st.markdown(f"**{words.as_markdown(title)}** · {_counts(that_day, bars, machine)}")
    for sentence in found.sentences:
        st.markdown(sentence)
    if bars is not None:
        _show_chart(desk, bars, machine, day)
    _show_lists(that_day, below, desk.today())
    machine_form.show(desk, machine)


def _print(desk: Desk, title: str, remark: str, that_day: machine_day.Day, below: str) -> None:
    """The sheet, drawn anew every few seconds: it says how old the copy is."""
    day_print.show(title, _told(desk, remark), that_day.booked, that_day.unbooked, below)


def _told(desk: Desk, remark: str) -> str:
    return f"At {desk.local(desk.now()):%H:%M}: {list_export.status_of(desk)} {remark}"


def _asked(
    place: st.delta_generator.DeltaGenerator, machines: list[str], busiest: str, today: date
) -> tuple[str, date, bool]:
    """Machine, day and whether to print. A session opens on the busiest machine, and stays where somebody went.

    The machine stands in the address even when nobody chose it: who gets the link sees the same one.
    """
    told = st.query_params.get(MACHINE)
    if st.session_state.get(_CHOSEN) not in machines:
        st.session_state[_CHOSEN] = told if told in machines else busiest
    with place:
        machine = st.segmented_control(
            "Machine", machines, format_func=words.as_markdown, required=True, key=_CHOSEN, persist_state="session"
        )
        machine = machine or busiest
        if machine != told:
            st.query_params[MACHINE] = machine
        day = st.date_input("Day", today, key=DAY, bind="query-params", format="YYYY-MM-DD", width=150)
        may_print = rights.may(Permission.CHARTS)
        help_text = "A plain page for paper" if may_print else rights.refusal(Permission.CHARTS)
        is_print = st.toggle("Print view", key=PRINT, bind="query-params", disabled=not may_print, help=help_text)
    return machine, day if isinstance(day, date) else today, is_print and may_print


def _bars(loaded: cached.Loaded, found: sources.Found, known: appointments.DayFacts) -> pd.DataFrame | None:
    """The day's appointments on every machine, as the timeline draws and the headline counts them."""
    on_day = appointments.on_day(found.tables.schedule, known.day)
    if on_day is None:
        return None
    return day_chart.bars(on_day[~appointments.is_cancelled(on_day)], loaded.table, known.day, known)


def _counts(that_day: machine_day.Day, bars: pd.DataFrame | None, machine: str) -> str:
    said = [":orange[▲ **appointments unknown**]"]
    if bars is not None and that_day.is_schedule_known:
        said = [day_chart.counted(bars, machine)]
    lists = (that_day.booked["mark"] == "■", that_day.unbooked["mark"] == "■")
    stop = sum(int(is_marked.sum()) for is_marked in lists)
    said.append(f":red[■ **{stop}** to look at first]" if stop else "**0** to look at first")
    if that_day.is_schedule_known and len(that_day.unbooked):
        said.append(f":orange[▲ **{len(that_day.unbooked)}** with no appointment known that day, below]")
    if that_day.cancelled:
        said.append(f"{counted(that_day.cancelled, 'appointment')} cancelled")
    return " · ".join(said)


def _show_chart(desk: Desk, bars: pd.DataFrame, machine: str, day: date) -> None:
    if bars.empty:
        st.markdown(f"No machine has an appointment on {day_in_words(day, desk.today())}.")
        return
    drawing: Callable[..., None] = rights.fragment(_draw_chart, run_every=banner.REFRESH_EVERY)
    drawing(desk, bars, machine, day)


def _draw_chart(desk: Desk, bars: pd.DataFrame, machine: str, day: date) -> None:
    """Drawn anew every few seconds: its line is now."""
    day_chart.show(bars, machine, desk.local(desk.now()).replace(tzinfo=None) if day == desk.today() else None)


def _show_lists(that_day: machine_day.Day, below: str, today: date) -> None:
    attention.show(that_day.booked)
    if len(that_day.booked):
        _show_table(that_day.booked, "booked", MACHINE_DAY.page, today)
    if len(that_day.unbooked):
        st.markdown(f"**{words.as_markdown(below)}**")
        attention.show(that_day.unbooked, key="unbooked")
        untimed = [name for name in MACHINE_DAY.page if name != "appointment_at"]
        _show_table(that_day.unbooked, "unbooked", untimed, today)


def _show_table(lines: pd.DataFrame, key: str, names: Sequence[str], today: date) -> None:
    if lines["charted_by"].isna().all():
        names = [name for name in names if name != "charted_by"]
    strong = ("appointment_at", "mark", "patient_name", "next_fraction", "check")
    alt = "The machine's patients of the day, one row per appointment and plan"
    lines = machine_day.with_marked_alerts(lines)
    marked.table(lines, key, marked.config(names, lines, today), most=30, alt=alt, strong=strong)
