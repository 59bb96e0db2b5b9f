"""Patient: who it is, which fraction is next, what was given, and what the plan looks like."""

import streamlit as st

from app.access import rights
from app.components import failures, listed, patient_link, patient_search
from app.components.output import chart_export
from app.data import cached
from app.desk import Desk
from app.screens.patient import identity, plan_view, transfer_form
from app.wording import words
from recovery.cache.errors import CacheError
from recovery.patient import page_words
from recovery.patient.file import PatientFile, PatientNotFoundError
from recovery.words.values import counted


def show(desk: Desk) -> None:
    """Draw the page."""
    loaded = listed.page(desk, "Patients", menu_path=patient_link.SEARCH_PATH)
    patient_id = patient_link.asked_for(loaded.table["patient_id"].dropna().unique())
    if patient_id is None:
        patient_search.show(loaded.table, desk.today(), link_is_dead=bool(patient_link.key_of_this_page()))
        return
    try:
        file = cached.load_patient_file(
            desk.cache, desk.config.site, patient_id, desk.now(), desk.config.schedule.grace
        )
    except CacheError as error:
        failures.show_cache(error, desk.config)
        return
    except PatientNotFoundError:
        patient_search.show(loaded.table, desk.today(), link_is_dead=True)
        return
    if not file.plans:
        patient_search.show(loaded.table, desk.today(), link_is_dead=True)
        return
    _show_file(desk, file)
    transfer_form.show(desk, loaded.table, file.identity.patient_id)


def _show_file(desk: Desk, file: PatientFile) -> None:
    here = rights.sitting()
    if here is None:
        raise PermissionError("nobody is signed in")
    here.note_view("patient", file.identity.patient_id)
    identity.show(file)
    with st.container(horizontal=True):
        chart_export.show_patient(desk, file.identity.patient_id)
    plan = file.plans[0]
    if len(file.plans) > 1:
        titles = [words.as_markdown(page_words.plan_title(file, p)) for p in file.plans]
        uids = [str(p.course_uid) for p in file.plans]
        chosen = st.segmented_control(
            f"{counted(len(file.plans), 'plan')}: those that may still be treated first",
            uids,
            default=uids[0],
            required=True,
            format_func=lambda uid: titles[uids.index(uid)],
            key=f"plan_of_{patient_link.key_of_this_page()}",
            label_visibility="collapsed",
        )
        plan = file.plans[uids.index(chosen or uids[0])]
    plan_view.show(desk, file, plan)
