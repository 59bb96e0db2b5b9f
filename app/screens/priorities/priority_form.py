"""The form in which a physician's decision about one patient is entered, read once more, and signed."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pandas as pd
import streamlit as st

from app.access import rights
from app.access.sitting import Details
from app.access.statements import sign
from app.data import cached
from app.desk import Desk
from app.wording import words
from recovery.access.permissions import Permission
from recovery.cache.errors import CacheError
from recovery.entries.priority_entries import PriorityEntry
from recovery.identity.namesakes import fold
from recovery.lists import filters
from recovery.on_treatment.priorities import CATEGORIES, INTENTS
from recovery.tables.relational import PHYSICIANS
from recovery.words.printable import printable
from recovery.words.values import absent

WITHDRAW = "none: withdraw the entry"


def show(desk: Desk, table: pd.DataFrame, signed_in: str | None) -> None:
    """Draw the form for the person who is signed in, or say why there is none."""
    if signed_in is None:
        st.markdown(
            ":orange[▲ **You may not sign, so you can enter nothing here.**] "
            f"An entry bears the name of the person who signs it. {rights.refusal(Permission.PRIORITIES)}"
        )
        return
    with st.form("entry", clear_on_submit=False):
        said = _asked(desk, table)
        comment = st.text_input("Comment", key="entry_comment", max_chars=300)
        pressed = st.form_submit_button(f"Sign as {words.as_markdown(signed_in)}", key="sign")
    if not pressed:
        return
    lacking = _lacking(said)
    if lacking:
        st.markdown(f":red[■ Nothing was entered. Still to choose: {', '.join(lacking)}.]")
        return
    number = said["category"] if isinstance(said["category"], int) else None
    has_chemotherapy = {"yes": True, "no": False}.get(said["chemotherapy"] or "")
    patient_id, physician = str(said["patient"]), str(said["physician"]).strip()
    text = (comment or "").strip()
    _sign(
        desk,
        PriorityEntry(patient_id, number, has_chemotherapy, said["intent"], text, physician, signed_in, desk.now()),
    )


def _asked(desk: Desk, table: pd.DataFrame) -> dict[str, Any]:
    """What was chosen of patient, category, chemotherapy, intent and physician; None where nothing was."""
    people = _people(table)
    options: dict[str, list[Any]] = {
        "Patient": list(people),
        "Category": [*CATEGORIES, WITHDRAW],
        "Chemotherapy": ["yes", "no"],
        "Intent": list(INTENTS),
        "Physician": _physicians(desk, table),
    }
    said: dict[str, Any] = {}
    for place, (label, listed) in zip(st.columns([2.2, 1, 1, 1.1, 1.8]), options.items(), strict=True):
        said[label.lower()] = place.selectbox(
            label,
            listed,
            index=None,
            placeholder="choose or type" if label == "Physician" else "choose",
            format_func=lambda value: printable(people.get(value, str(value))),
            accept_new_options=label == "Physician",
            key=f"entry_{label.lower()}",
        )
    return said


def _lacking(said: Mapping[str, object]) -> list[str]:
    """What is still to be chosen; who withdraws need not say the rest again."""
    spared = ("chemotherapy", "intent") if said["category"] == WITHDRAW else ()
    return [name for name, value in said.items() if not value and name not in spared]


def _sign(desk: Desk, entry: PriorityEntry) -> None:
    details: Details = {"category": entry.category or 0, "decided_by": entry.decided_by}
    may, thanks = Permission.PRIORITIES, "Entered and signed."
    sign(desk, may, lambda: entry, "priority", details, patient_id=entry.patient_id, thanks=thanks)


def _people(table: pd.DataFrame) -> dict[str, str]:
    """By patient in treatment with an ID, `BERG, Bo · 100377`."""
    shown = table[filters.is_unfinished(table) & table["patient_id"].notna()]
    return {
        str(patient_id): f"{absent(name)} · {patient_id}"
        for name, patient_id in zip(shown["patient_name"].fillna(""), shown["patient_id"], strict=True)
    }


def _physicians(desk: Desk, table: pd.DataFrame) -> list[str]:
    """Names to choose from; another one can be typed."""
    known = set(table["physicians_of_record"].dropna())
    with suppress(CacheError):  # the names of the list remain, and any name can be typed
        known |= set(cached.load_table(desk.cache, PHYSICIANS)["physician_name"].dropna())
    return sorted((str(name) for name in known), key=fold)
