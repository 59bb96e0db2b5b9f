"""All else that is known of a plan and its patient, one press away: only the open tab is drawn."""

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from app.access import rights
from app.components import marked
from app.desk import Desk
from app.screens.patient import pictures
from app.wording.words import as_markdown
from recovery.lists import patient_tables
from recovery.patient import page_words
from recovery.patient.file import PatientFile
from recovery.patient.plan import PlanFile
from recovery.words.values import ABSENT

_ROWS = 10


def show(desk: Desk, file: PatientFile, plan: PlanFile) -> None:
    """Draw the tabs, alone: opening one draws nothing else anew."""
    rights.fragment(_show)(desk, file, plan)


def _show(desk: Desk, file: PatientFile, plan: PlanFile) -> None:
    parts: dict[str, Callable[[], None]] = {
        "Fields": lambda: _fields(file, plan),
        "Pictures": lambda: pictures.show(desk, plan),
        "Setup and shifts": lambda: _setup(file, plan),
        "Every delivery": lambda: _deliveries(file, plan),
        "Prescription": lambda: _pairs(file, patient_tables.prescription(plan), "prescriptions", "courses"),
        "Schedule": lambda: _table(file, patient_tables.schedule(file), "No appointment is known.", "schedule"),
        "Contacts": lambda: _pairs(file, patient_tables.contacts(file), "patients", "physicians"),
        "Documents": lambda: _documents(file),
        "What is held": lambda: _held(desk, file, plan),
    }
    tabs = st.tabs(list(parts), on_change="rerun", key=f"details_{plan.course_uid}")
    for tab, draw in zip(tabs, parts.values(), strict=True):
        if tab.open:
            with tab:
                draw()


def _fields(file: PatientFile, plan: PlanFile) -> None:
    _table(file, patient_tables.fields(plan), "The fields are not known: the plan is not held.", "plan_fields")
    st.markdown(":small[Metersets per fraction; angles in degrees (IEC 61217); SSD in cm; dose rate in MU per minute.]")


def _setup(file: PatientFile, plan: PlanFile) -> None:
    _table(file, patient_tables.setup(plan), "No setup note is known.", "setup_notes")
    st.markdown("**Couch at delivery** :small[(cm, newest first; moved: by imaging)]")
    shifts = patient_tables.couch(plan, file.now.date())
    _table(file, shifts, "No couch position is known.", "couch_shifts")


def _deliveries(file: PatientFile, plan: PlanFile) -> None:
    if plan.ledger is None:
        _missing(file, "treatment_records", "rt_plans")
        return
    _table(file, patient_tables.deliveries(plan.ledger, file.now.date()), "Nothing has been delivered.", "deliveries")


def _documents(file: PatientFile) -> None:
    _table(file, patient_tables.papers(file), "No document, note or check is known.", "documents", "notes", "checks")
    if file.documents:
        st.markdown(":small[Documents are named with where they lie; their contents are not copied.]")


def _held(desk: Desk, file: PatientFile, plan: PlanFile) -> None:
    frame = patient_tables.holdings(plan, desk.now(), desk.config.site.zone)
    _table(file, frame, "The RT-PACS was never asked about this plan.", "holdings", "structure_sets")


def _pairs(file: PatientFile, pairs: Sequence[tuple[str, str]], *tables: str) -> None:
    """Label and text, in two columns of lines."""
    _missing(file, *tables)
    half = (len(pairs) + 1) // 2
    for column, some in zip(st.columns(2), (pairs[:half], pairs[half:]), strict=True):
        lines = [f":gray[{as_markdown(label)}] {as_markdown(text)}" for label, text in some]
        column.markdown("  \n".join(lines))


def _table(file: PatientFile, frame: pd.DataFrame, nothing: str, *tables: str) -> None:
    """A table, or the sentence for none; above it, which of its sources could not be read."""
    _missing(file, *tables)
    if frame.empty:
        st.markdown(nothing)
        return
    numbers = {
        name: st.column_config.NumberColumn(format="%.1f")
        for name in frame.columns
        if pd.api.types.is_float_dtype(frame[name]) and name != "Beam"
    }
    texts = {"Gantry": st.column_config.TextColumn(alignment="right")}
    st.dataframe(
        marked.printed(frame),
        hide_index=True,
        row_height=marked.ROW_HEIGHT,
        height=marked.height(len(frame), _ROWS),
        placeholder=ABSENT,
        column_config=numbers | {name: kind for name, kind in texts.items() if name in frame.columns},
    )


def _missing(file: PatientFile, *tables: str) -> None:
    for sentence in page_words.missing_tables(file, tables):
        st.markdown(f":orange[{as_markdown(sentence)}]")
