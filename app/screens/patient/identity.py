"""Who it is: photo, name and two identifiers large, alerts, and everybody who could be taken for this patient.

Why the photo stands in the page's own text
    Streamlit gives a picture an address that whoever has it may open without signing in. A `data:` address holds the
    picture itself, and goes only where the name beside it goes.
"""

import streamlit as st

from app.components import patient_link
from app.wording.words import as_markdown
from recovery.patient import notices
from recovery.patient.file import Identity, PatientFile
from recovery.words.printable import as_html
from recovery.words.times import day
from recovery.words.values import ABSENT, absent

_LINE = "display:flex;flex-wrap:wrap;align-items:baseline;column-gap:1.6rem;font-variant-numeric:tabular-nums"
_NAME = "font-size:2.2rem;font-weight:700;line-height:1.2;margin:0;padding:0;overflow-wrap:anywhere"
_IDENTIFIER = "font-size:1.5rem;font-weight:600;overflow-wrap:anywhere"
_PHOTO_WIDTH = 84
_PHOTO = f"width:{_PHOTO_WIDTH}px;height:112px;border-radius:4px;display:block"
_NO_PHOTO = (
    f"{_PHOTO};box-sizing:border-box;border:1px solid #9CA3AF;opacity:0.7;font-size:0.85rem;line-height:1.25;"
    "display:flex;align-items:center;justify-content:center;text-align:center;padding:0.3rem"
)
_SEXES = {"F": "female", "M": "male", "O": "other"}


def show(file: PatientFile, *, may_leave: bool = True) -> None:
    """Draw it. `may_leave`: with the way to another patient's page."""
    who = file.identity
    with st.container(horizontal=True, vertical_alignment="top"):
        st.html(_photo(file), width=_PHOTO_WIDTH)
        with st.container():
            st.html(_identity(who))
            _warnings(file)
        if may_leave and st.button("Other patient", key="other_patient", icon=":material/search:"):
            patient_link.leave_patient()


def _warnings(file: PatientFile) -> None:
    """Alerts, what two sources tell differently, and namesakes."""
    colours = {True: "red", False: "orange"}
    lines = [f":{colours[n.is_stop]}[**{_said(n)}**]" for n in notices.of_patient(file)]
    if not file.alerts and "patients" in file.tables_missing:
        lines.append(
            ":orange[▲ **Alerts are unknown:** the R&V database's table of patients is not here: see Contacts.]"
        )
    if lines:
        st.markdown("  \n".join(lines))


def _photo(file: PatientFile) -> str:
    """The photo, or a frame that says that there is none, or that nobody knows."""
    if file.photo is not None:
        changed = day(file.photo.taken_at.date(), file.now.date()) if file.photo.taken_at is not None else ABSENT
        hover = as_html(f"As the R&V system had it; last changed there {changed}")
        fit = f"{_PHOTO};object-fit:contain;object-position:left top"
        return f'<img style="{fit}" src="{as_html(file.photo.data_uri)}" alt="Photo of the patient" title="{hover}">'
    is_unknown = "photos" in file.tables_missing
    said = "photos were not read" if is_unknown else "no photo in the backup"
    return f'<div style="{_NO_PHOTO}">{said}</div>'


def _identity(who: Identity) -> str:
    """Name and both identifiers on one line, legible at arm's length."""
    sex = absent(_SEXES.get(who.patient_sex or "", who.patient_sex))
    others = f"also {who.other_patient_ids}" if who.other_patient_ids else ""
    parts = [f"ID {who.patient_id}", f"born {absent(who.patient_birth_date)}", sex, others]
    told = "".join(f'<span style="{_IDENTIFIER}">{as_html(part)}</span>' for part in parts if part)
    name = as_html(absent(who.patient_name))
    return f'<div style="{_LINE}"><h1 style="{_NAME}">{name}</h1>{told}</div>'


def _said(value: object) -> str:
    return as_markdown(absent(value))
