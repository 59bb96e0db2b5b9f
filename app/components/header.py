"""The line at the top of every page: what it shows, and of which clinic; and the margins, which no setting has."""

from __future__ import annotations

import streamlit as st

from app import words

_STYLE = """<style>
.stMainBlockContainer {padding-left: 1.5rem; padding-right: 1.5rem; max-width: none;}
main:focus-visible, [data-testid=stDataFrame]:has(:focus-visible), [data-testid=stElementToolbar] button:focus-visible,
[data-testid=stSidebar] :is(a, button):focus-visible {
  outline: 2px solid currentColor !important; outline-offset: -2px;}
[role=tab][data-selected], button[data-variant][data-selected] {color: inherit !important; font-weight: 600;}
</style>"""
"""What is chosen is told by a line, a frame and weight: in the accent's colour its text would be hard to read."""


def style() -> None:
    """Draw what no setting of Streamlit has: margins, the look of what is chosen, and where the keyboard is."""
    st.html(_STYLE)


def show(title: str, site: str) -> None:
    """Draw `On treatment · Demo clinic`."""
    style()
    st.markdown(f"## {title} :gray[· {words.as_markdown(site)}]", anchors=False)
