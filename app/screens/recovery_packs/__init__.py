"""Packs: which plans a linac's file mode may be given, which the safety gate refuses and why, and the button to pack.

Packing takes minutes: a process of its own leaves the other pages quick, and holds the same lock as the nightly job.
"""

from collections import Counter

import pandas as pd
import streamlit as st

from app.components import failures, listed, marked
from app.data import cached, packs, unknown
from app.desk import Desk
from app.screens.recovery_packs import making
from app.wording import words
from recovery.cache.errors import CacheError
from recovery.lists import appointments, machine_day
from recovery.packing.gate import IN_SHORT
from recovery.words.times import at_time
from recovery.words.values import absent, counted


def show(desk: Desk) -> None:
    """Draw the page."""
    loaded = listed.page(desk, "Packs for file mode")
    try:
        with st.spinner("Asking the safety gate"):
            judged = packs.judged(desk)
    except CacheError as error:
        failures.show_cache(error, desk.config)
        return
    refused = [one for one in judged if one.refused]
    st.markdown(_counts(len(judged) - len(refused), refused))
    st.markdown(_kept(desk))
    _show_making(desk, loaded)
    if refused:
        st.markdown(
            "**Not in any pack.** Settle what the gate says, or, for one patient, a physicist overrides it by name: "
            "`python -m recovery package --patient ID --override REASON --by NAME`"
        )
        _show_refused(refused)


def _counts(allowed: int, refused: list[packs.Judged]) -> str:
    """`46 plans may be packed · ■ 4 refused by the safety gate: 2 in disagreement, 2 incomplete`

    Of each plan the first reason, so that the numbers add up.
    """
    said = f"**{counted(allowed, 'plan')}** may be packed"
    if not refused:
        return f"{said} · **0** refused"
    by_rule = Counter(IN_SHORT[one.refused[0].rule] for one in refused)
    why = ", ".join(f"{number} {rule}" for rule, number in by_rule.most_common())
    return f"{said} · :red[■ **{len(refused)}** refused by the safety gate]: {why}"


def _kept(desk: Desk) -> str:
    folder = desk.config.package_path
    if folder is None:
        return "No pack is kept ready: the config names no folder, `[package] path`."
    made_at = packs.made_at(folder)
    where = words.as_markdown(str(folder))
    if made_at is None:
        return f":orange[▲ **No pack is kept ready in {where}.**] `python -m backup_jobs keep_packs` makes it."
    return f"The pack kept ready, of everybody, was made {at_time(made_at, desk.today())}: {where}"


def _show_making(desk: Desk, loaded: cached.Loaded) -> None:
    """Machine, day, and the buttons."""
    schedule = unknown.schedule_of(desk.cache)
    machines = [one for one in machine_day.machines_of(loaded.table, schedule) if one != appointments.UNKNOWN_MACHINE]
    if not machines:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        busiest = appointments.busiest(schedule, desk.today(), machines)
        machine = st.segmented_control(
            "Machine", machines, default=busiest, format_func=words.as_markdown, required=True, key="pack_machine"
        )
        day = st.date_input("Day", desk.today(), format="YYYY-MM-DD", width=150, key="pack_day")
        is_asked = making.ask(desk, str(machine or busiest), day)
    making.show(desk, str(machine or busiest), day, is_asked)


def _show_refused(refused: list[packs.Judged]) -> None:
    frame = pd.DataFrame(
        {
            "mark": "■",
            "machine": absent(one.machine),
            "patient_name": absent(one.patient_name),
            "patient_id": one.patient_id,
            "plan": absent(one.plan),
            "why": " ".join(why.why for why in one.refused),
        }
        for one in refused
    )
    column = st.column_config
    config = {
        "mark": column.TextColumn("", width=28),
        "machine": column.TextColumn("Machine", width=70),
        "patient_name": column.TextColumn("Name", width=150),
        "patient_id": column.TextColumn("ID", width=80),
        "plan": column.TextColumn("Plan", width=100),
        "why": column.TextColumn("Why not", width=760),
    }
    strong = ("mark", "patient_name")
    marked.table(frame, "refused", config, most=20, alt="Plans that the safety gate refuses, and why", strong=strong)
