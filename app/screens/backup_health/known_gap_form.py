"""The form in which a physicist acknowledges gaps: which objects, why, until when. It is signed, kept and audited.

A treatment record that the R&V system does not have counts as given once it is acknowledged: it is never chosen
beforehand.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from app.access import rights
from app.access.sitting import Details
from app.access.statements import sign
from app.data import health
from app.desk import Desk
from app.screens.backup_health import unproven_table
from app.wording import words
from recovery.access.permissions import Permission
from recovery.cache.errors import CacheError
from recovery.entries.known_gaps import LONGEST_DAYS, KnownGap
from recovery.host.entry_lines import EntriesError, read_statements
from recovery.pacs.doubted_records import WAITING
from recovery.tables.schema import DENIED, DOUBTED_RECORDS
from recovery.words.printable import printable
from recovery.words.values import absent, counted

_USUAL_DAYS = 14
_COUNTS = (
    "A treatment record that the R&V system does not have counts as given once it is acknowledged. Choose it only if "
    "it was given; if not, have it deleted from the RT-PACS."
)

_MORE = "And {} more that the R&V system does not have and that count: what it purged, or an older system gave"


def show(desk: Desk, unproven: Sequence[health.Unproven], table: pd.DataFrame | None, known: Collection[str]) -> None:
    """Draw the form over what nobody acknowledged; nothing where there is nothing of the kind."""
    _tell_damage(desk)
    labels = _labels([one for one in unproven if one.sop_instance_uid not in known], table)
    if not labels:
        return
    user = rights.signed_in()
    if user is None or not rights.may(Permission.SIGN_OFF):
        st.markdown(f":small[A known gap can be acknowledged, with a reason. {rights.refusal(Permission.SIGN_OFF)}]")
        return
    today = desk.today()
    doubted = _doubted(desk)
    aside = {uid: whose for uid, (whose, state) in doubted.items() if state in WAITING}
    more = sorted({uid for uid, (_, state) in doubted.items() if state == DENIED} - {*labels, *known})
    labels |= {uid: f"{aside[uid]}, COUNTS AS GIVEN once acknowledged: {labels[uid]}" for uid in labels if uid in aside}
    if aside.keys() & labels.keys():
        st.markdown(f":red[■ {_COUNTS}]")
    with st.form("known_gap"):
        uids = st.multiselect(
            "Acknowledge these gaps",
            list(labels),
            default=[uid for uid in labels if uid not in aside],
            format_func=lambda uid: printable(labels[uid]),
            key="known_gap_uids",
        )
        if more and st.checkbox(_MORE.format(counted(len(more), "treatment record")), key="known_gap_more"):
            uids = [*uids, *more]
        left, right = st.columns([4, 1])
        reason = left.text_input(
            "Reason: where was it looked for, and what is done without it?", key="known_gap_reason"
        )
        until = right.date_input(
            "Until, at the latest",
            today + timedelta(days=_USUAL_DAYS),
            min_value=today,
            max_value=today + timedelta(days=LONGEST_DAYS),
            format="YYYY-MM-DD",
            key="known_gap_until",
        )
        pressed = st.form_submit_button(f"Acknowledge as {words.as_markdown(user.full_name)}", key="known_gap_sign")
    if pressed:
        _sign(desk, uids, (reason or "").strip(), until if isinstance(until, date) else today, user.full_name)


def _doubted(desk: Desk) -> dict[str, tuple[str, str]]:
    """By SOP Instance UID, whose the records are that the R&V system did not name, and their state."""
    try:
        rows = desk.cache.read(DOUBTED_RECORDS)
    except CacheError:
        return {}  # as to the jobs: then none is set aside
    return {str(row["sop_instance_uid"]): (absent(row["patient_id"]), str(row["state"])) for row in rows}


def _sign(desk: Desk, uids: Sequence[str], reason: str, until: date, signed_by: str) -> None:
    if not uids or not reason or not rights.may(Permission.SIGN_OFF):
        st.markdown(":red[■ Nothing was acknowledged. It needs at least one object, and a reason.]")
        return
    details: Details = {"objects": len(uids), "until": until.isoformat(), "first": uids[0]}
    gap = KnownGap(tuple(uids), reason, until, signed_by, desk.now())
    sign(desk, Permission.SIGN_OFF, lambda: gap, "acknowledge", details, thanks="Acknowledged and signed.")


def _labels(unproven: Sequence[health.Unproven], table: pd.DataFrame | None) -> dict[str, str]:
    """By SOP Instance UID, whose it is and what it is."""
    owners = unproven_table.owners_of(table) if table is not None else {}
    told = {one.sop_instance_uid: unproven_table.in_words(one, owners) for one in unproven}
    return {uid: f"{whose or uid}: {why}" for uid, (whose, why) in told.items()}


def _tell_damage(desk: Desk) -> None:
    try:
        damaged = read_statements(desk.config.cache_path, KnownGap).damaged_lines
    except EntriesError as error:
        st.markdown(f":red[■ {words.as_markdown(str(error))} Every gap is on the banner meanwhile.]")
        return
    if damaged:
        st.markdown(f":orange[▲ {counted(damaged, 'line')} of known_gaps\\.jsonl cannot be read: look at it.]")
