"""The list of patients that a page begins with, or in its place the reason why there is none and what to do."""

import streamlit as st

from app.components import banner, failures, header
from app.data import cached, charted, unknown
from app.desk import Desk
from recovery.cache.errors import CacheError


def load(desk: Desk) -> cached.Loaded | None:
    """The list as of now; None after the reason was drawn: no snapshot, a broken one, or nobody on it."""
    try:
        loaded = charted.with_charted(cached.load_on_treatment(desk.config.cache_path), desk.config.cache_path)
    except CacheError as error:
        failures.show_cache(error, desk.config)
        return None
    if loaded.table.empty:
        failures.show_no_rows()
        return None
    return unknown.as_of_now(loaded, desk)


def page(desk: Desk, title: str, *, menu_path: str = "") -> cached.Loaded:
    """Draw what a page begins with: title, banner, and the list, which it has; without one the page ends here."""
    header.show(title, desk.config.site.name, menu_path=menu_path)
    banner.show(desk)
    loaded = load(desk)
    if loaded is None:
        st.stop()
    return loaded
