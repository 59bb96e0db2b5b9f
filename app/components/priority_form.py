"""The form in which a physician's decision about one patient is entered and signed.

Why a form and not a grid
    An entry is a statement with a name under it. One is made at a time, and read once more before it is signed.
"""

from __future__ import annotations

from contextlib import suppress

import pandas as pd
import streamlit as st

from app import data, filters, session, words
from app.desk import Desk
from recovery.cache import CacheError
from recovery.permissions import Permission
from recovery.priorities import CATEGORIES, INTENTS
from recovery.priority_entries import EntriesError, PriorityEntry, append_entry, entries_file
from recovery.relational_tables import PHYSICIANS, PRESCRIPTIONS

WITHDRAW = "none: withdraw the entry"
_ASKED = ("entry_category", "entry_chemotherapy", "entry_intent", "entry_physician", "entry_comment")


def show(desk: Desk, table: pd.DataFrame, signed_in: str | None) -> None:
    """Draw the form for the person who is signed in, or say why there is none."""
    if signed_in is None:
        st.markdown(
            ":orange[▲ **You may not sign, so you can enter nothing here.**] "
            f"An entry bears the name of the person who signs it. {session.refusal(Permission.SIGN_OFF)}"
        )
        return
    people = _people(table)
    with st.form("entry", clear_on_submit=False):
        places = st.columns([2.2, 1, 1, 1.1, 1.8])
        patient_id = places[0].selectbox(
            "Patient", list(people), index=None, format_func=lambda known: people[known], key="entry_patient"
        )
        category = places[1].selectbox("Category", [*CATEGORIES, WITHDRAW], index=None, key=_ASKED[0])
        chemotherapy = places[2].selectbox("Chemotherapy", ["yes", "no"], index=None, key=_ASKED[1])
        intent = places[3].selectbox("Intent", INTENTS, index=None, key=_ASKED[2])
        physician = places[4].selectbox(
            "Decided by (physician)", _physicians(desk, table), index=None, accept_new_options=True, key=_ASKED[3]
        )
        comment = st.text_input("Comment", key=_ASKED[4], max_chars=300)
        pressed = st.form_submit_button(f"Sign as {signed_in}", key="sign")
    if not pressed:
        return
    lacking = _lacking(patient_id, category, chemotherapy, intent, physician)
    if lacking or patient_id is None or physician is None:
        st.markdown(f":red[■ Nothing was entered. Still to choose: {', '.join(lacking)}.]")
        return
    number = category if isinstance(category, int) else None
    has_chemotherapy = None if chemotherapy is None else chemotherapy == "yes"
    said = (comment or "").strip()
    _sign(
        desk,
        PriorityEntry(patient_id, number, has_chemotherapy, intent, said, physician.strip(), signed_in, desk.now()),
    )


def _lacking(*said: object) -> list[str]:
    """What is still to be chosen; who withdraws need not say the rest again."""
    names = ("patient", "category", "chemotherapy", "intent", "physician")
    spared = ("chemotherapy", "intent") if said[1] == WITHDRAW else ()
    return [name for name, value in zip(names, said, strict=True) if not value and name not in spared]


def _sign(desk: Desk, entry: PriorityEntry) -> None:
    try:
        append_entry(entries_file(desk.config.cache_path), entry)
    except EntriesError as error:
        st.markdown(f":red[■ {words.as_markdown(str(error))}]")
        return
    if (here := session.sitting()) is not None:
        here.note("priority", entry.patient_id, {"category": entry.category or 0, "decided_by": entry.decided_by})
    st.toast("Entered and signed.")
    st.rerun()


def _people(table: pd.DataFrame) -> dict[str, str]:
    """By patient in treatment with an ID, `BERG, Bo · 100377`."""
    shown = table[table["status"].isin(filters.UNFINISHED) & table["patient_id"].notna()]
    return {
        str(patient_id): f"{words.absent(name)} · {patient_id}"
        for name, patient_id in zip(shown["patient_name"].fillna(""), shown["patient_id"], strict=True)
    }


def _physicians(desk: Desk, table: pd.DataFrame) -> list[str]:
    """Names to choose from; another one can be typed."""
    known = set(table["physicians_of_record"].dropna())
    with suppress(CacheError):  # the names of the list remain, and any name can be typed
        known |= set(data.load_table(desk.config.cache_path, PHYSICIANS)["physician_name"].dropna())
    return sorted((str(name) for name in known), key=filters.fold)


def prescribed_intents(desk: Desk) -> dict[str, str]:
    """By patient, the intent that the prescriptions name, as a hint: it is not the physician's entry."""
    try:
        prescriptions = data.load_table(desk.config.cache_path, PRESCRIPTIONS)
    except CacheError:
        return {}
    said: dict[str, dict[str, None]] = {}
    for patient_id, intent in zip(prescriptions["patient_id"], prescriptions["intent"].fillna(""), strict=True):
        if intent:
            said.setdefault(str(patient_id), {}).setdefault(str(intent))
    return {patient_id: " / ".join(intents) for patient_id, intents in said.items()}
