"""The line at the top of every page: what it shows, and of which clinic; and the looks that no setting has.

How
    A few rules of style beside Streamlit's theme: margins; what is chosen among tabs and machines, which in the dark
    theme the accent alone says too faintly (its blue is as dark as white letters on buttons need it); and which entry
    of the menu a page belongs to that is not in the menu itself.
"""

from __future__ import annotations

import streamlit as st

from app import words

_MARGINS = ".stMainBlockContainer {padding-left: 1.5rem; padding-right: 1.5rem; max-width: none;}"
_CHOSEN = (
    "[role=tab][aria-selected=true], [data-testid=stButtonGroup] button:is([aria-checked=true], [aria-pressed=true])"
)
_LIGHT_BLUE = "#7AA5F7"
"""In the dark theme: 7.2 to 1 on the ground."""


def show(title: str, site: str, *, menu_path: str = "") -> None:
    """Draw `On treatment · Demo clinic`. `menu_path`: the menu's entry of a page that is not in the menu."""
    rules = [_MARGINS, f":is({_CHOSEN}) p {{font-weight: 600;}}"]
    if st.context.theme.type == "dark":
        rules.append(f":is({_CHOSEN}), :is({_CHOSEN}) p {{color: {_LIGHT_BLUE};}}")
        rules.append(f"[role=tab] .react-aria-SelectionIndicator {{background-color: {_LIGHT_BLUE} !important;}}")
    if menu_path:
        entry = f'[data-testid=stSidebarNavLink][href$="/{menu_path}"]'
        rules.append(f"{entry} {{background-color: rgba(145, 166, 212, 0.25);}} {entry} p {{font-weight: 600;}}")
    st.html(f"<style>{' '.join(rules)}</style>")
    st.markdown(f"## {title} :gray[· {words.as_markdown(site)}]", anchors=False)
