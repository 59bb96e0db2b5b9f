"""The line at the top of every page: what it shows, and of which clinic; and the margins, which no setting has."""

from __future__ import annotations

import streamlit as st

from app import words

_STYLE = """<style>
.stMainBlockContainer {padding-left: 1.5rem; padding-right: 1.5rem; max-width: none;}
[role=tab][data-selected], button[data-variant][data-selected] {color: inherit !important; font-weight: 600;}
</style>"""
"""What is chosen is told by a line, a frame and weight: in the accent's colour its text would be hard to read."""


def show(title: str, site: str) -> None:
    """Draw `On treatment · Demo clinic`."""
    st.html(_STYLE)
    st.markdown(f"## {title} :gray[· {words.as_markdown(site)}]", anchors=False)
