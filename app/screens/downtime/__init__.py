"""Downtime: declared, what can be trusted in it, its runbook step by step, and its end.

`recovery.entries.downtimes` keeps who said what. **Ctrl + P** prints the runbook.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import streamlit as st

from app.access import rights
from app.access.statements import sign
from app.components import banner, header, listed, patient_link
from app.components.output import paper
from app.data import cached
from app.desk import Desk
from app.screens.downtime import day_plan, reconciling
from app.wording import words
from recovery.access.permissions import Permission
from recovery.entries.downtimes import Downtime, DowntimeEntry, lasting_at
from recovery.lists.day_sheet import cells_of, framed, said, table
from recovery.words.times import at_time
from recovery.words.values import counted

_HEADINGS = ("", "Step", "Done by", "At")


def sheet(site: str, steps: Sequence[str], lasts: Downtime | None, zone: ZoneInfo) -> str:
    """The sheet's markup; every text in it is escaped."""
    told = lasts.in_words(zone) if lasts is not None else "No downtime is declared."
    rows = (_row(place, step, lasts, zone) for place, step in enumerate(steps, start=1))
    return framed(f"Runbook of a downtime · {site}", told, [table(_HEADINGS, rows)])


def _row(place: int, step: str, lasts: Downtime | None, zone: ZoneInfo) -> str:
    done = lasts.steps.get(step) if lasts is not None else None
    cells = (
        ("time", str(place)),
        ("", said(step)),
        ("box", said(done.signed_by) if done is not None else ""),
        ("box", said(at_time(done.entered_at.astimezone(zone))) if done is not None else ""),
    )
    return f"<tr>{cells_of(cells)}</tr>"


_MAY = Permission.DOWNTIME


def show(desk: Desk) -> None:
    """Draw the page."""
    header.show("Downtime", desk.config.site.name)
    banner.show(desk)
    loaded = listed.load(desk)
    lasts, signer = lasting_at(desk.config.cache_path), rights.signer(_MAY)
    if lasts is None:
        st.markdown("**No downtime is declared.** What counts is what the R&V system recorded, up to the proof above.")
        if signer is None:
            st.markdown(f":small[You may not {_MAY}. {rights.refusal(_MAY)}]")
        else:
            _show_begin(desk, signer)
    else:
        _show_trust(desk, lasts, loaded)
    _show_runbook(desk, lasts)
    sheets = day_plan.show(desk, loaded) if lasts is not None and loaded is not None else ""
    sheets = (reconciling.show(desk) if lasts is not None else "") or sheets
    if lasts is not None and signer is not None:
        _show_end(desk, signer)
    steps, zone = desk.config.downtime.steps, desk.config.site.zone
    paper.hand_out(sheets or sheet(desk.config.site.name, steps, lasts, zone))


def _show_begin(desk: Desk, signer: str) -> None:
    now = desk.local(desk.now())
    with st.form("begin_downtime"):
        st.markdown(
            "Declare one when the R&V system cannot be used, or cannot be trusted. Every page, chart and file then "
            "says so, fractions are charted here, and what the R&V system sends is not believed to be "
            "complete until a person ends the downtime. The backup jobs go on."
        )
        places = st.columns([1, 1, 4])
        day = places[0].date_input("Since", now.date(), key="begin_day", format="YYYY-MM-DD", max_value=now.date())
        at = places[1].time_input("At", now.time().replace(second=0, microsecond=0), key="begin_at", step=300)
        why = places[2].text_input("Why", key="begin_why", max_chars=200, help="Never a patient's name")
        pressed = st.form_submit_button(f"Declare a downtime, as {words.as_markdown(signer)}", key="begin")
    if not pressed:
        return
    since = _moment(desk, day, at)
    if not why.strip() or since is None or since > desk.now():
        st.markdown(":red[■ Nothing was declared. Say why, and since when: a time that has come.]")
        return
    _enter(desk, DowntimeEntry("begin", why.strip(), signer, desk.now(), since))


def _moment(desk: Desk, day: object, at: object) -> datetime | None:
    is_known = isinstance(day, date) and isinstance(at, time)
    return datetime.combine(day, at, desk.config.site.zone) if is_known else None  # type: ignore[arg-type]


def _show_trust(desk: Desk, lasts: Downtime, loaded: cached.Loaded | None) -> None:
    """What of these pages is true, and what a person has to find out."""
    since = at_time(desk.local(lasts.since), desk.today())
    declared = at_time(desk.local(lasts.declared_at), desk.today())
    st.markdown(
        f"Declared {declared} by {words.as_markdown(lasts.declared_by)}.\n"
        f"- **True:** what was given before {since} as far as it was proven, and every fraction that two people signed "
        "here since.\n"
        "- **Not known:** what was given since the newest proof, also before the downtime, and nobody has charted.\n"
        "- **Copied, not believed:** records that an R&V system sends that came back. They count, each fraction once; "
        "that they are all there nobody can tell."
    )
    unknown = (
        0 if loaded is None else int(loaded.table.loc[loaded.table["unknown_since"].notna(), "patient_id"].nunique())
    )
    if unknown:
        said = f":orange[▲ **{counted(unknown, 'patient')} may have been treated, and nobody has answered for it.**]"
        st.page_link(patient_link.page_at("since_last_proof"), label=said, icon="", help="")


def _show_runbook(desk: Desk, lasts: Downtime | None) -> None:
    st.markdown("### Runbook :small[:gray[Ctrl + P prints it]]", anchors=False)
    signer = rights.signer(Permission.CHARTING)
    for place, step in enumerate(desk.config.downtime.steps, start=1):
        done = lasts.steps.get(step) if lasts is not None else None
        tick, told = st.columns([1, 9], vertical_alignment="center") if lasts is not None else (st, st)
        may_tick = lasts is not None and done is None and signer is not None
        if may_tick and tick.button("Done", key=f"step_{place}", help=f"Step {place} is done, as {signer}"):
            _enter(desk, DowntimeEntry("step", step, signer or "", desk.now()))
        said = f"**{place}.** {words.as_markdown(step)}"
        if done is not None:
            at = at_time(desk.local(done.entered_at), desk.today())
            tick.markdown(":green[✓]")
            said += f" :small[{words.as_markdown(done.signed_by)}, {at}]"
        told.markdown(said)


def _show_end(desk: Desk, signer: str) -> None:
    with st.expander("End the downtime"), st.form("end_downtime"):
        st.markdown(
            "From then on the R&V system is believed again. Before that, *Coming back* above should say **EQUAL**."
        )
        why = st.text_input("Who compared what, and what differs", key="end_why", max_chars=300)
        if not st.form_submit_button(f"End it, as {words.as_markdown(signer)}", key="end"):
            return
    if not why.strip():
        st.markdown(":red[■ Nothing was ended. Say who compared what.]")
        return
    _enter(desk, DowntimeEntry("end", why.strip(), signer, desk.now()))


def _enter(desk: Desk, entry: DowntimeEntry) -> None:
    """Keep a statement, with its line of audit before it."""
    needed = Permission.CHARTING if entry.kind == "step" else _MAY
    sign(desk, needed, lambda: entry, f"downtime {entry.kind}", {"said": entry.said})
