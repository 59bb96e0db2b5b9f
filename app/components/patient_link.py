"""The way to a patient's page: by an opaque key, never by name or ID."""

from collections.abc import Iterable

import streamlit as st

from app.access.patient_keys import keys_of_process

URL_PATH, SEARCH_PATH = "patient", "patients"
KEY = "patient"
"""The name of the query parameter."""


def open_patient(patient_id: str) -> None:
    """Leave the present page for a patient's."""
    st.switch_page(page_at(URL_PATH), query_params={KEY: keys_of_process().key_of(patient_id)})


def show(label: str, patient_id: str | None) -> None:
    """Draw a line of markdown that leads to a patient's page; who has no ID has none."""
    if patient_id is None:
        st.markdown(label)
        return
    key = keys_of_process().key_of(patient_id)
    st.page_link(page_at(URL_PATH), label=label, icon="", help="", query_params={KEY: key})


def asked_for(patient_ids: Iterable[str]) -> str | None:
    """The patient whose key stands in the address; None where it holds no key, or none of these patients."""
    key = st.query_params.get(KEY)
    return keys_of_process().find(key, patient_ids) if key else None


def key_of_this_page() -> str:
    """The key in the address, for widgets that must not carry one patient's choice over to the next."""
    return str(st.query_params.get(KEY, ""))


def leave_patient() -> None:
    """Back to the search, which has no patient in its address."""
    st.switch_page(page_at(SEARCH_PATH), query_params={})


def page_at(url_path: str) -> st.Page:
    """A page as Streamlit knows it, by its address; the function is never called."""
    return st.Page(_nothing, url_path=url_path, title=url_path)


def _nothing() -> None:
    return None
