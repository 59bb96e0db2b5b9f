"""The line at the top of every page: what it shows, and of which clinic; and the margins, which no setting has."""

from __future__ import annotations

import streamlit as st

from app import words

_MARGINS = "<style>.stMainBlockContainer {padding-left: 1.5rem; padding-right: 1.5rem; max-width: none;}</style>"


def show(title: str, site: str) -> None:
    """Draw `On treatment · Demo clinic`."""
    st.html(_MARGINS)
    st.markdown(f"## {title} :gray[· {words.as_markdown(site)}]", anchors=False)
