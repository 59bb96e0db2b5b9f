"""What the page Network shows of the sites, each part as rows of all that are here, with columns for page and paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from app.data import cached, health, network
from app.desk import Desk
from app.screens.network import capacity
from app.wording import words
from recovery.entries.machines import machines_at
from recovery.entries.priority_entries import PriorityEntry, latest
from recovery.host.entry_lines import EntriesError, read_statements
from recovery.lists import appointments, filters, machine_day, older_ids, priorities
from recovery.lists.columns import CAPACITY, CLOCKS, MACHINE_DAY, NETWORK, NETWORK_HEALTH, Shown
from recovery.sites.network import SiteSeen
from recovery.words.notices import STOP_MARK
from recovery.words.printable import printable
from recovery.words.times import moment
from recovery.words.values import counted


@dataclass(frozen=True, slots=True)
class Part:
    """`name`: of its files; `title`: what is shown, in counts; `filters`: in words; `rows` with `clinic` and `copy`."""

    name: str
    title: str
    rows: pd.DataFrame
    shown: Shown
    filters: str = "none: every row is here"


def show_list(table: pd.DataFrame, today: date) -> Part:
    """Everybody on treatment or ready to start, filtered."""
    with st.container(horizontal=True):
        search = st.text_input("Search name or ID", key="network_search")
        machines = st.multiselect(
            "Machine", filters.choices(table, "treatment_machine_name"), format_func=printable, placeholder="all"
        )
    view = filters.View(search=search or "", machines=tuple(machines))
    shown, _ = filters.select(table, view, today)
    title = f"{counted(len(shown), 'plan')} of {counted(shown['clinic'].nunique(), 'clinic')}"
    return Part("on_treatment", title, shown, NETWORK, view.in_words)


def show_day(desk: Desk, here: Sequence[SiteSeen], table: pd.DataFrame) -> Part | None:
    """One machine's day in one clinic, who is not booked last."""
    with st.container(horizontal=True):
        names = {seen.copy: seen for seen in here}
        copy = st.selectbox("Of clinic", list(names), format_func=lambda one: printable(names[one].clinic))
        if copy is None:
            return None
        seen, listed = names[copy], table[table["copy"] == copy]
        today = desk.now().astimezone(ZoneInfo(seen.time_zone)).date()
        tables, told = network.tables_of(seen, listed)
        machine = st.selectbox("Machine", machine_day.machines_of(listed, tables.schedule), format_func=printable)
        day = st.date_input("Day", today, format="YYYY-MM-DD")
    if machine is None or not isinstance(day, date):
        return None
    known = appointments.DayFacts(day, today, doubt=network.doubt_about(seen, desk.config, desk.now()))
    that_day = machine_day.day_of(listed, tables, machine, day, known)
    for sentence in told:
        st.markdown(f":orange[**{words.as_markdown(sentence)}**]")
    below = machine_day.heading_of_unbooked(
        machine, len(that_day.unbooked), is_schedule_known=that_day.is_schedule_known
    )
    title = f"{counted(len(that_day.booked), 'appointment')}. {below}" if that_day.is_schedule_known else below
    lines = [machine_day.with_marked_alerts(frame) for frame in (that_day.booked, that_day.unbooked) if len(frame)]
    rows = pd.concat(lines, ignore_index=True) if lines else pd.DataFrame()
    return Part(
        "machine_day", title, rows.assign(clinic=seen.clinic, copy=seen.copy), MACHINE_DAY, f"machine {machine}, {day}"
    )


def show_priorities(desk: Desk, here: Sequence[SiteSeen], table: pd.DataFrame) -> Part | None:
    """Whose course can wait least, by the rules that are signed here and what physicians entered there."""
    rules = desk.config.priorities.rules
    if rules is None:
        st.markdown(
            ":orange[▲ **Nothing is computed: nobody has signed the rules of `[priorities]` here.**] The page "
            "Priorities says what to fill in."
        )
        return None
    clocks = []
    for seen in here:
        listed = table[table["copy"] == seen.copy]
        try:
            entries = read_statements(network.path_of(seen), PriorityEntry).all
        except EntriesError as error:
            _tell(seen, error)
            continue
        zone = ZoneInfo(seen.time_zone)
        counting = older_ids.by_newest(latest(entries), older_ids.names_of(listed))
        stands = priorities.clocks(listed, counting, rules, desk.now().astimezone(zone).date(), zone)
        clocks.append(
            stands.assign(clinic=seen.clinic, copy=seen.copy, left=stands["allowed_days"] - stands["missed_days"])
        )
    together = pd.concat(clocks, ignore_index=True).sort_values("left", kind="stable") if clocks else pd.DataFrame()
    title = f"{counted(len(together), 'plan')} with a clock, the least days left first, by the rules signed here"
    return Part("priorities", title, together, CLOCKS)


def show_capacity(desk: Desk, everybody: Sequence[SiteSeen], here: Sequence[SiteSeen], table: pd.DataFrame) -> Part:
    """Each machine's patients, and who could take them; `everybody` may, whatever is chosen."""
    fleets = []
    for seen in everybody:
        try:
            signed = machines_at(network.path_of(seen))
        except EntriesError as error:
            _tell(seen, error)
            continue
        fleets.append(capacity.Fleet(seen.copy, seen.clinic, table[table["copy"] == seen.copy], signed, seen.mark))
    rows = capacity.rows_of(fleets, desk.today())
    rows = rows[rows["copy"].isin([seen.copy for seen in here])] if len(rows) else rows
    st.markdown(
        ":small[By what physicists signed of their machines, the page **Machine day** of each clinic asks for it. A "
        "match is one of names: a physicist of the receiving clinic looks at each plan before anybody is treated.]"
    )
    lost = {fleet.copy for fleet in fleets if fleet.mark == STOP_MARK}
    patients = free = stale = 0
    if len(rows):
        is_lost = rows["copy"].isin(lost)
        patients, free = int(rows["patients"].sum()), int(rows["free_slots"][~is_lost].sum())
        stale = int(rows["free_slots"][is_lost].sum())
    title = f"{counted(patients, 'patient')} on {counted(len(rows), 'machine')}; free there: {free} a day"
    title += f", and ■ {stale} of which nobody knows whether they still are" if stale else ""
    return Part("capacity", title, rows, CAPACITY)


def show_health(desk: Desk, here: Sequence[SiteSeen]) -> Part:
    """The jobs of each site, as its copy knows of them."""
    now, cycle, rows = desk.now(), timedelta(minutes=desk.config.schedule.cycle_minutes), []
    for seen in here:
        try:
            runs = cached.load_runs(network.path_of(seen))
        except cached.JournalError as error:
            _tell(seen, error)
            continue
        for job in health.jobs_of(runs, now, cycle):
            rows.append(_job(job, seen, now, desk.config.site.zone))
    title = f"{counted(len(rows), 'job')} of {counted(len(here), 'clinic')}"
    frame = pd.DataFrame(rows).astype({"unproven": "Int64"}) if rows else pd.DataFrame()
    return Part("backup_health", title, frame, NETWORK_HEALTH)


def _job(job: health.JobHealth, seen: SiteSeen, now: datetime, zone: ZoneInfo) -> dict[str, object]:
    """In the time of whoever looks, as how old the copies are."""
    good, newest = job.last_good, job.newest
    return {
        "mark": job.level.mark,
        "clinic": seen.clinic,
        "copy": seen.copy,
        "job": job.job,
        "last_good": moment(good.started_at, now, zone) if good else None,
        "remark": job.remark or "done",
        "unproven": newest.counts.get("unproven"),
        "counts": health.counts_in_words(newest) or "",
    }


def _tell(seen: SiteSeen, error: Exception) -> None:
    st.markdown(f":red[■ **{words.as_markdown(f'{seen.clinic}: {error}')}**]")
