"""Network: the sites of a network by their copies off site, for whoever has the role `network`.

Each site's standing first; then all lists, one machine's day, or priorities. A site that is unreachable, stale or
unsigned says so, and the others are here all the same. Treatment times are local to each clinic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from app.components import header, marked
from app.data import network
from app.desk import Desk
from app.wording import words
from recovery.entries.priority_entries import PriorityEntry, latest
from recovery.host.entry_lines import EntriesError, read_statements
from recovery.lists import appointments, filters, machine_day, older_ids, priorities
from recovery.lists.columns import CLOCKS, MACHINE_DAY, NETWORK
from recovery.sites.network import SiteSeen
from recovery.words.notices import LOOK_MARK, STOP_MARK
from recovery.words.printable import printable
from recovery.words.statuses import NOW_TREATED
from recovery.words.times import moment
from recovery.words.values import counted

_LIST, _DAY, _PRIORITIES = "On treatment", "Machine day", "Priorities"
_STRONG = ("mark", "clinic", "patient_name", "check", "clock", "next_fraction")


def show(desk: Desk) -> None:
    """Draw the page."""
    header.show("Network", desk.config.site.name)
    if not desk.config.site_copies:
        st.markdown("**The config names no copies.** `[[site_copies]]` in it: where the sites' copies off site lie.")
        return
    found, table = network.listed(network.sites(desk.config, desk.now()), desk.config, desk.now())
    _show_sites(found, table, desk.now(), ZoneInfo(desk.config.site.time_zone))
    if table.empty:
        return
    clinics = st.multiselect("Clinic", filters.choices(table, "clinic"), format_func=printable, placeholder="all")
    part = st.segmented_control("Show", [_LIST, _DAY, _PRIORITIES], default=_LIST, key="network_part")
    chosen = table[filters.matching_choice(table, "clinic", tuple(clinics))]
    here = [seen for seen in found if seen.cache_path is not None and (not clinics or seen.clinic in clinics)]
    if part == _DAY:
        _show_day(desk, here, table)
    elif part == _PRIORITIES:
        _show_priorities(desk, here, table)
    else:
        _show_list(chosen, desk.today())


def _show_sites(found: Sequence[SiteSeen], table: pd.DataFrame, now: datetime, here: ZoneInfo) -> None:
    treated = Counter(table["copy"][table["status"].isin(NOW_TREATED)]) if len(table) else Counter[str]()
    lines = [
        {
            "mark": seen.mark,
            "clinic": seen.clinic,
            "proven": moment(seen.proven_at, now, here) if seen.proven_at else None,
            "copied": moment(seen.taken_at, now, here) if seen.taken_at else None,
            "rows": treated[seen.copy] if seen.cache_path else None,
            "said": seen.said,
        }
        for seen in sorted(found, key=lambda one: (STOP_MARK, LOOK_MARK, "").index(one.mark))
    ]
    column = st.column_config
    config: dict[str, Any] = {
        "mark": column.TextColumn("", width=28, help="■ not to be relied on, ▲ look"),
        "clinic": column.TextColumn("Clinic", width=170),
        "proven": column.TextColumn("Backup proven", width=130, alignment="right"),
        "copied": column.TextColumn("Copy of", width=130, alignment="right"),
        "rows": column.NumberColumn("Plans on treatment", width=130),
        "said": column.TextColumn("Look at", width=520),
    }
    frame = pd.DataFrame(lines).astype({"rows": "Int64"})
    marked.table(frame, "network_sites", config, most=6, alt="Sites of the network, one row each", strong=_STRONG[:2])


def _show_list(table: pd.DataFrame, today: date) -> None:
    with st.container(horizontal=True):
        search = st.text_input("Search name or ID", key="network_search")
        machines = st.multiselect(
            "Machine", filters.choices(table, "treatment_machine_name"), format_func=printable, placeholder="all"
        )
    view = filters.View(search=search or "", machines=tuple(machines))
    shown, _ = filters.select(table, view, today)
    st.markdown(f"**{counted(len(shown), 'plan')}** of {counted(shown['clinic'].nunique(), 'clinic')}")
    _draw(shown, "network_list", NETWORK.page, today)


def _show_day(desk: Desk, here: Sequence[SiteSeen], table: pd.DataFrame) -> None:
    with st.container(horizontal=True):
        names = {seen.copy: seen for seen in here}
        copy = st.selectbox("Of clinic", list(names), format_func=lambda one: printable(names[one].clinic))
        if copy is None:
            return
        seen, listed = names[copy], table[table["copy"] == copy]
        tables, told = network.tables_of(seen, listed)
        machine = st.selectbox("Machine", machine_day.machines_of(listed, tables.schedule), format_func=printable)
        day = st.date_input("Day", desk.now().astimezone(ZoneInfo(seen.time_zone)).date())
    if machine is None or not isinstance(day, date):
        return
    today = desk.now().astimezone(ZoneInfo(seen.time_zone)).date()
    known = appointments.DayFacts(day, today, doubt=network.doubt_about(seen, desk.config, desk.now()))
    that_day = machine_day.day_of(listed, tables, machine, day, known)
    for sentence in told:
        st.markdown(f":orange[{words.as_markdown(sentence)}]")
    st.markdown(f"**{counted(len(that_day.booked), 'appointment')}**; not booked: {len(that_day.unbooked)}")
    for name, lines in (("booked", that_day.booked), ("unbooked", that_day.unbooked)):
        if len(lines):
            _draw(lines.assign(clinic=seen.clinic), f"network_{name}", MACHINE_DAY.page, today)


def _show_priorities(desk: Desk, here: Sequence[SiteSeen], table: pd.DataFrame) -> None:
    rules = desk.config.priorities.rules
    if rules is None:
        st.markdown(":orange[▲ **Nothing is computed: nobody has signed the rules of `[priorities]` here.**]")
        return
    clocks = []
    for seen in here:
        listed = table[table["copy"] == seen.copy]
        try:
            entries = read_statements(seen.cache_path or desk.config.cache_path, PriorityEntry).all
        except EntriesError as error:
            st.markdown(f":red[■ **{words.as_markdown(f'{seen.clinic}: {error}')}**]")
            continue
        zone = ZoneInfo(seen.time_zone)
        counting = older_ids.by_newest(latest(entries), older_ids.names_of(listed))
        stands = priorities.clocks(listed, counting, rules, desk.now().astimezone(zone).date(), zone)
        clocks.append(stands.assign(clinic=seen.clinic, left=stands["allowed_days"] - stands["missed_days"]))
    together = pd.concat(clocks, ignore_index=True).sort_values("left", kind="stable") if clocks else pd.DataFrame()
    st.markdown(
        f"**{counted(len(together), 'plan')}** with a clock, the least days left first, by the rules signed here."
    )
    if len(together):
        _draw(together, "network_clocks", CLOCKS.page, desk.today())


def _draw(rows: pd.DataFrame, key: str, names: Sequence[str], today: date) -> None:
    first = [*NETWORK.page[:2], *(name for name in names if name not in NETWORK.page[:2])]
    alt = "Patients of the network, one row per plan"
    marked.table(rows, key, marked.config(first, rows, today), most=30, alt=alt, strong=_STRONG)
