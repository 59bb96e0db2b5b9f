"""Audit: who did what, to whom, when and from where; for admins.

The verdict on the whole chain first, then the newest lines with filters. What was typed stands in no address: it may be
a patient's ID.
"""

from typing import Any

import streamlit as st

from app.components import header, marked
from app.desk import Desk
from app.wording import words
from recovery.access.audit_proof import Verdict
from recovery.lists import audit_rows
from recovery.words.printable import printable
from recovery.words.values import counted


def show(desk: Desk) -> None:
    """Draw the page."""
    header.show("Audit", desk.config.site.name)
    try:
        verdict = audit_rows.verdict(desk.config.audit_path)
        table = audit_rows.load(desk.config.audit_path, desk.config.site.zone)
    except OSError as error:
        why = words.as_markdown(error.strerror or type(error).__name__)
        st.markdown(f":red[■ **The audit file cannot be read:** {why}.] Look at its rights and its disk.")
        return
    _show_verdict(verdict)
    with st.container(horizontal=True):
        who = st.multiselect(
            "Who", audit_rows.choices(table, "who"), format_func=printable, key="audit_who", placeholder="all"
        )
        actions = st.multiselect(
            "What",
            audit_rows.choices(table, "action"),
            format_func=printable,
            key="audit_action",
            placeholder="all",
        )
        patient = st.text_input("Patient ID", key="audit_patient", placeholder="all")
        days = st.selectbox("When", list(audit_rows.WITHIN), key="audit_days", filter_mode=None)
    asked = audit_rows.Asked(tuple(who), tuple(actions), (patient or "").strip(), days or "any day")
    shown = audit_rows.select(table, asked, desk.local(desk.wall_clock()))
    st.markdown(f"{counted(len(shown), 'line')} shown, the newest first, in the site's time.")
    if len(table) >= audit_rows.MOST:
        st.markdown(f":small[Only the newest {audit_rows.MOST} are here; `python -m recovery audit show` has all.]")
    marked.table(shown, "audit_lines", _columns(), most=20, alt="Lines of the audit file, the newest first")


def _show_verdict(verdict: Verdict) -> None:
    mark = "●" if verdict.is_whole else "■"
    said = f"{mark} **{verdict.in_words}**"
    st.markdown(said if verdict.is_whole else f":red[{said}]")
    for sentence in (*verdict.breaks[1:6], *verdict.notes[:6]):
        st.markdown(f":small[{sentence}]")
    if verdict.is_whole and verdict.head.number:
        head = f"{verdict.head.number}:{verdict.head.sha256[:12]}…"
        st.markdown(
            f":small[Head {head}. A chain cannot show that all of it was made anew: note what "
            "`python -m recovery audit verify` prints elsewhere, and give it back with `--head` later.]"
        )


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "mark": column.TextColumn("", width=28, help="■ break-glass, ▲ refused"),
        "at": column.DatetimeColumn("When", width=160, format="ddd D MMM YYYY HH:mm:ss"),
        "who": column.TextColumn("Who", width=120),
        "role": column.TextColumn("Role", width=90),
        "action": column.TextColumn("What", width=130),
        "patient_id": column.TextColumn("Patient ID", width=100),
        "details": column.TextColumn("Details", width=420),
        "from": column.TextColumn("From", width=120),
    }
