"""Network: the sites of a network by their copies off site, for whoever has the role `network`.

Each site's standing first; then all lists, one machine's day, priorities, capacity or backup health. A site that is
unreachable, stale or unsigned says so, and the others are here all the same. Treatment times are local to each clinic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from app.access import rights
from app.components import header, marked
from app.data import network
from app.desk import Desk
from app.screens.network import handing_out, parts, transfer_out
from recovery.lists import filters
from recovery.sites.network import SiteSeen
from recovery.words.notices import LOOK_MARK, STOP_MARK
from recovery.words.printable import printable
from recovery.words.statuses import NOW_TREATED
from recovery.words.times import moment

_PARTS = _LIST, _DAY, _PRIORITIES, _CAPACITY, _HEALTH = (
    "On treatment",
    "Machine day",
    "Priorities",
    "Capacity",
    "Backup health",
)
_STRONG = ("mark", "clinic", "patient_name", "check", "clock", "next_fraction", "could_take", "job")
_AGEING = timedelta(minutes=1)
_EXAMPLE = """[[site_copies]]
name = "north"
where = "s3://network-copies/rbrdt"
site = "north"           # the [site] id of that clinic
public_keys = ["…"]      # its [signing] public_keys"""


def show(desk: Desk) -> None:
    """Draw the page."""
    header.show("Network", desk.config.site.name)
    if not desk.config.site_copies:
        st.markdown(
            "**The config names no copies.** This page shows all clinics of a network by their copies off site: who is "
            "on treatment where, how old each copy is, and who could take whose patients. Name each of them:"
        )
        st.code(_EXAMPLE, language=None)
        st.markdown(":small[`docs/scale.md` tells the rest. A clinic's own copy needs no `site` and no `public_keys`.]")
        return
    ageing: Callable[[Desk], None] = rights.fragment(_show_sites, run_every=_AGEING)
    ageing(desk)
    found, table = _found(desk)
    if table.empty:
        st.markdown("**No clinic's list is here yet.** What to do about each stands in its line, under Look at.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        clinics = st.multiselect("Clinic", filters.choices(table, "clinic"), format_func=printable, placeholder="all")
        chosen = st.segmented_control("Show", [*_PARTS], default=_LIST, key="network_part", required=True)
        buttons = st.container(horizontal=True, width="content")
    everybody = [seen for seen in found if seen.cache_path is not None]
    here = [seen for seen in everybody if not clinics or seen.clinic in clinics]
    part = _part(desk, str(chosen), everybody, here, table[filters.matching_choice(table, "clinic", tuple(clinics))])
    if part is None:
        return
    st.markdown(f"**{part.title}**")
    if part.rows.empty:
        return
    with buttons:
        handing_out.show(desk, [seen for seen in found if not clinics or seen.clinic in clinics], part)
    _draw(part, desk.today())
    if chosen == _LIST:
        transfer_out.show(desk, here, part.rows)


def _part(
    desk: Desk, name: str, everybody: Sequence[SiteSeen], here: Sequence[SiteSeen], table: pd.DataFrame
) -> parts.Part | None:
    if name == _DAY:
        return parts.show_day(desk, here, table)
    if name == _PRIORITIES:
        return parts.show_priorities(desk, here, table)
    if name == _CAPACITY:
        return parts.show_capacity(desk, everybody, here, _found(desk)[1])
    if name == _HEALTH:
        return parts.show_health(desk, here)
    return parts.show_list(table, desk.today())


def _found(desk: Desk) -> tuple[tuple[SiteSeen, ...], pd.DataFrame]:
    return network.listed(network.sites(desk.config, desk.now()), desk.config, desk.now())


def _show_sites(desk: Desk) -> None:
    """The sites, drawn anew every minute: ages stand in it."""
    (found, table), now, here = _found(desk), desk.now(), ZoneInfo(desk.config.site.time_zone)
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
    st.markdown(in_counts(found, desk.config.site.time_zone))
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


def in_counts(found: Sequence[SiteSeen], here: str) -> str:
    """`**7** clinics · ■ **4** not to be relied on · ▲ **1** to look at · **2** as they should be`, and whose time it
    is, where clinics have another. The table shows six at a time, the worst first."""
    marks = Counter(seen.mark for seen in found)
    said = [f"**{len(found)}** {'clinic' if len(found) == 1 else 'clinics'}"]
    said += [f":red[{STOP_MARK} **{marks[STOP_MARK]}** not to be relied on]"] if marks[STOP_MARK] else []
    said += [f":orange[{LOOK_MARK} **{marks[LOOK_MARK]}** to look at]"] if marks[LOOK_MARK] else []
    said.append(f"**{marks['']}** as they should be")
    zones = {seen.time_zone for seen in found if seen.cache_path is not None} - {here}
    aside = f" :small[Proofs and copies in the time of {here}; treatments in that of each clinic.]" if zones else ""
    return " · ".join(said) + aside


def _draw(part: parts.Part, today: date) -> None:
    names = list(dict.fromkeys(("mark", "clinic", *part.shown.page)))
    alt = f"{part.name.replace('_', ' ')} of the network, one row each"
    config = marked.config(names, part.rows, today)
    marked.table(part.rows, f"network_{part.name}", config, most=30, alt=alt, strong=_STRONG)
