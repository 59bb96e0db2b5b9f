"""The way to a patient's page: by an opaque key, never by name or ID."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from app.access.patient_keys import keys_of_process

URL_PATH, SEARCH_PATH = "patient", "patients"
KEY = "patient"
"""The name of the query parameter."""


def open_patient(patient_id: str) -> None:
    """Leave the present page for a patient's."""
    # Streamlit knows a page by its address; the function is never called.
    page = st.Page(_nothing, url_path=URL_PATH, title="Patients")
    st.switch_page(page, query_params={KEY: keys_of_process().key_of(patient_id)})


def asked_for(patient_ids: Iterable[str]) -> str | None:
    """The patient whose key stands in the address; None where it holds no key, or none of these patients."""
    key = st.query_params.get(KEY)
    return keys_of_process().find(key, patient_ids) if key else None


def key_of_this_page() -> str:
    """The key in the address, for widgets that must not carry one patient's choice over to the next."""
    return str(st.query_params.get(KEY, ""))


def leave_patient() -> None:
    """Back to the search, which has no patient in its address."""
    st.switch_page(st.Page(_nothing, url_path=SEARCH_PATH, title="Patients"), query_params={})


def _nothing() -> None:
    return None
