"""The way to a patient's page: by an opaque key, never by name or ID.

A keyed hash of the ID: what a URL, a browser's history and a proxy's log hold, nobody without the secret can try IDs
on. It is turned back by comparing it with the keys of all patients that the cache knows. The secret lives as long as
the process, on no disk: a link that was copied out of the department is dead after a restart.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

_LETTERS = 32
"""Of base 16: 128 bits."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of one secret."""

    secret: bytes

    def key_of(self, patient_id: str) -> str:
        """The key that stands for a patient ID."""
        digest = hmac.new(self.secret, patient_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return digest[:_LETTERS]

    def find(self, key: str, patient_ids: Iterable[str]) -> str | None:
        """The patient ID that a key stands for; None where it is no key of these."""
        asked = key.encode("utf-8", "replace")
        return next((p for p in patient_ids if hmac.compare_digest(self.key_of(p).encode(), asked)), None)


@lru_cache(maxsize=1)
def keys_of_process() -> Keys:
    """Keys of a secret that was drawn when the first was asked for."""
    return Keys(secrets.token_bytes(32))


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
