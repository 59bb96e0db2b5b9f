"""Who it is: name and two identifiers large, alerts, and everybody who could be taken for this patient."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import patient_words, words
from app.components import patient_link
from app.words import absent, as_markdown, printable
from recovery.patient_file import Identity, PatientFile

_LINE = "display:flex;flex-wrap:wrap;align-items:baseline;column-gap:1.6rem;font-variant-numeric:tabular-nums"
_NAME = "font-size:2.2rem;font-weight:700;line-height:1.2;margin:0;padding:0"
_IDENTIFIER = "font-size:1.5rem;font-weight:600;white-space:nowrap"
_SEXES = {"F": "female", "M": "male", "O": "other"}


def show(file: PatientFile) -> None:
    """Draw it."""
    who = file.identity
    name, buttons = st.columns([6, 1], vertical_alignment="center")
    with name:
        st.html(_identity(who))
    with buttons:
        if st.button("Other patient", key="other_patient", icon=":material/search:"):
            patient_link.leave_patient()
    lines = []
    if file.alerts:
        lines.append(f":red[■ **Alerts: {_said(file.alerts)}**]")
    elif "patients" in file.tables_missing:
        lines.append(
            ":orange[▲ **Alerts are unknown:** the R&V database's table of patients is not here: see Contacts.]"
        )
    lines += [f":red[■ **{_said(sentence)}**]" for sentence in file.disagreements]
    lines += [f":orange[**{_said(line)}**]" for line in patient_words.namesakes(file)]
    if lines:
        st.markdown("  \n".join(lines))


def _identity(who: Identity) -> str:
    """Name and both identifiers on one line, legible at arm's length."""
    sex = absent(_SEXES.get(who.patient_sex or "", who.patient_sex))
    others = f"also {who.other_patient_ids}" if who.other_patient_ids else ""
    parts = [f"ID {who.patient_id}", f"born {absent(who.patient_birth_date)}", sex, others]
    told = "".join(f'<span style="{_IDENTIFIER}">{escape(printable(part))}</span>' for part in parts if part)
    name = escape(printable(absent(who.patient_name)))
    return f'<div style="{_LINE}"><h1 style="{_NAME}">{name}</h1>{told}</div>'


def _said(value: object) -> str:
    return as_markdown(words.absent(value))
