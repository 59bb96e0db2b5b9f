"""A machine's day planned in a downtime: who comes when, proposed, changed by people, signed, printed.

`recovery.lists.day_plan` proposes; `recovery.entries.day_plans` keeps what was signed, which then stands in the place
of appointments on Machine day, Chart fractions, charts and binder.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import pandas as pd
import streamlit as st

from app.access import rights
from app.access.statements import sign
from app.components import marked
from app.components.output import download, list_export
from app.data import cached
from app.desk import Desk
from app.screens.machine_day import sources
from app.wording import words
from recovery.access.permissions import Permission
from recovery.cache.formats import encoded_rows
from recovery.entries.day_plans import DayPlanEntry, planned_at
from recovery.entries.priority_entries import PriorityEntry, latest
from recovery.host.entry_lines import EntriesError, read_statements
from recovery.lists import day_plan, gaps, list_sheet, machine_day, older_ids, priorities
from recovery.lists.columns import DAY_PLAN
from recovery.lists.rows import as_python
from recovery.tables.schema import TEXT, TableSchema, columns
from recovery.words.times import at_time
from recovery.words.times import day as day_in_words

_EXCEL = TableSchema(
    "day_plan",
    columns("mark time patient_name patient_id patient_birth_date:date plan fraction gap clock check initials"),
    key=(),
)


@dataclass(frozen=True, slots=True)
class _Asked:
    machine: str
    day: date
    hours: day_plan.Hours
    also: tuple[str, ...]
    """Machines whose patients come here."""

    @property
    def machines(self) -> tuple[str, ...]:
        return (self.machine, *self.also)


def show(desk: Desk, loaded: cached.Loaded) -> str:
    """Draw it once it is asked for; returns the sheet for the printer, empty without it."""
    st.markdown("### Plan a machine's day", anchors=False)
    if not st.toggle("Who comes when, where the known appointments end", key="day_plan"):
        return ""
    found = sources.load(desk, loaded.table)
    machines = machine_day.machines_of(loaded.table, found.tables.schedule)
    asked = _ask(desk, machines) if machines else None
    if asked is None:
        st.markdown(":orange[▲ Choose a machine, a day, and hours of which the last is after the first.]")
        return ""
    planned = planned_at(desk.config.cache_path)
    if planned.fault:
        st.markdown(f":red[■ {words.as_markdown(planned.fault)}]")
    (table, urgent), schedule = _urgent(desk, loaded), found.tables.schedule
    standing = planned.standing.get((asked.machine, asked.day), ())
    if not standing:
        lines = day_plan.proposed(table, schedule, asked.machines, asked.day, asked.hours, urgent)
        said = "Proposed: the usual times, the most urgent first. Nobody has signed it."
    else:
        lines, signed = day_plan.as_signed(table, schedule, asked.machines, standing[-1]), standing[-1]
        said = f"Signed by {signed.signed_by}, {at_time(desk.local(signed.entered_at), desk.today())}."
    st.markdown(words.as_markdown(said))
    if who := planned.twice(asked.machine, asked.day):
        said = f"Planned twice, by {who}: the newest counts. {said}"
        st.markdown(f":red[■ **Planned twice**, by {words.as_markdown(who)}: the newest counts. Sign the right one.]")
    replaces = tuple(one.entered_at for one in standing)
    seen = f"{asked} {replaces} {hash(tuple(lines['patient_id']))}"
    lines = _edited(lines, asked, seen)
    _show_capacity(lines, asked)
    _show_sign(desk, lines, asked, replaces, seen)
    return _handed_out(desk, lines, asked, said)


def _ask(desk: Desk, machines: list[str]) -> _Asked | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        machine = st.selectbox("Machine", machines, format_func=words.as_markdown, key="plan_machine", width=150)
        tomorrow = desk.today() + timedelta(days=1)
        day = st.date_input("Day", tomorrow, key="plan_day", format="YYYY-MM-DD", min_value=desk.today(), width=150)
        begins = st.time_input("First at", time(8), key="plan_begins", step=300, width=120)
        ends = st.time_input("Until", time(17), key="plan_ends", step=300, width=120)
        minutes = st.number_input("Minutes each", 5, 120, 15, 5, key="plan_minutes", width=130)
        others = [one for one in machines if one != machine]
        also = st.multiselect(
            "And who comes from",
            others,
            format_func=words.as_markdown,
            key="plan_also",
            placeholder="no other machine",
            help="A machine that is down: its patients are planned here",
        )
    if not isinstance(day, date) or not isinstance(begins, time) or not isinstance(ends, time) or begins >= ends:
        return None
    return _Asked(str(machine), day, day_plan.Hours(begins, ends, int(minutes)), tuple(also))


def _urgent(desk: Desk, loaded: cached.Loaded) -> tuple[pd.DataFrame, list[str]]:
    """The list with gaps and clocks, and patient IDs, who can wait least first: by signed rules, else by the gap."""
    table = gaps.by_gap(gaps.with_gaps(loaded.table, desk.today()))
    rules, clocks = desk.config.priorities.rules, pd.DataFrame(columns=["patient_id", "clock"])
    if rules is not None:
        entries: dict[str, PriorityEntry] = {}
        with suppress(EntriesError):  # without them the longest gap comes first, and no clock is shown
            entries = latest(read_statements(desk.config.cache_path, PriorityEntry).all)
        counting = older_ids.by_newest(entries, older_ids.names_of(table))
        clocks = priorities.clocks(table, counting, rules, desk.today(), desk.config.site.zone)
    told = clocks.drop_duplicates("patient_id").set_index("patient_id")["clock"]
    table = table.assign(clock=table["patient_id"].map(told).astype(TEXT))
    return table, list(dict.fromkeys([*clocks["patient_id"], *table["patient_id"].dropna()]))


def _edited(lines: pd.DataFrame, asked: _Asked, seen: str) -> pd.DataFrame:
    """The lines with the times that somebody changed. `seen`: what they are of; Streamlit keeps a change by its place,
    and where others stand there, it would become another patient's.
    """
    shown = marked.printed(lines[list(DAY_PLAN.page)])
    shown.insert(0, "slot", lines["slot"])
    config = {
        "slot": st.column_config.TimeColumn("Time", format="HH:mm", width=70, help="Empty: no slot that day"),
        **marked.config(DAY_PLAN.page, lines, asked.day),
    }
    edited = st.data_editor(
        shown,
        key=f"plan {seen}",
        hide_index=True,
        column_config=config,
        disabled=list(DAY_PLAN.page),
        num_rows="fixed",
        placeholder="—",
    )
    changed = lines.assign(slot=edited["slot"].astype(object).where(edited["slot"].notna(), None))
    return changed.sort_values("slot", key=lambda at: at.map(str), kind="stable").pipe(_without_last)


def _without_last(lines: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([lines[lines["slot"].notna()], lines[lines["slot"].isna()]], ignore_index=True)


def _show_capacity(lines: pd.DataFrame, asked: _Asked) -> None:
    said = day_plan.capacity(lines, asked.hours)
    colour = f":orange[{words.as_markdown(said)}]" if "▲" in said else words.as_markdown(said)
    st.markdown(f"**{words.as_markdown(asked.machine)}** · {day_in_words(asked.day)} · {colour}")


def _show_sign(desk: Desk, lines: pd.DataFrame, asked: _Asked, replaces: tuple[datetime, ...], seen: str) -> None:
    """The button. Of what was `seen`: where another plan was signed meanwhile, it presses nothing."""
    signer = rights.signer(Permission.CHARTING)
    if signer is None or not st.button(f"Sign this plan, as {words.as_markdown(signer)}", key=f"plan_sign {seen}"):
        return

    def made() -> DayPlanEntry:
        return DayPlanEntry(asked.machine, asked.day, day_plan.slots_of(lines), signer, desk.now(), replaces)

    sign(desk, Permission.CHARTING, made, "day plan", {"machine": asked.machine, "day": asked.day.isoformat()})


def _handed_out(desk: Desk, lines: pd.DataFrame, asked: _Asked, said: str) -> str:
    """The Excel file's button; returns the sheet's markup."""
    if not rights.may(Permission.CHARTS):
        return ""
    told = f"{said} {day_plan.capacity(lines, asked.hours)}. Fractions as of {desk.local(desk.now()):%Y-%m-%d %H:%M}."
    listed = lines.assign(time=lines["slot"].map(day_plan.said_of).astype(TEXT), initials="")
    rows = as_python(listed[list(_EXCEL.columns)])
    download.show(
        "Excel",
        lambda: encoded_rows(rows, _EXCEL, "xlsx", f"{asked.machine} {asked.day}. {told}"),
        file_name=f"day_plan_{download.in_file_name(asked.machine)}_{asked.day:%Y-%m-%d}.xlsx",
        key="excel_day_plan",
        help_text="Every patient of the machine, those without a slot last",
        details={"table": "day_plan", "lines": len(lines)},
        permission=Permission.CHARTS,
    )
    title = f"{asked.machine} · {day_in_words(asked.day)} · {desk.config.site.name}"
    with_slot, without = listed[listed["slot"].notna()], listed[listed["slot"].isna()]
    blocks = [list_sheet.Block("Day plan", with_slot, DAY_PLAN.paper)]
    blocks += [list_sheet.Block(f"No slot: {len(without)}", without, DAY_PLAN.paper[1:])] if len(without) else []
    return list_sheet.sheet(title, f"{list_export.status_of(desk)} {told}", blocks)
