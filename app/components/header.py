"""The line at the top of every page: what it shows, of which clinic; and looks that Streamlit has no setting for."""

import streamlit as st

from app.wording import palette, words

_STYLE = """
.stMainBlockContainer {padding-left: 1.5rem; padding-right: 1.5rem; max-width: none;}
@media (max-width: 767px) {.stMainBlockContainer {padding-top: 3rem !important;}}
main:focus-visible, [data-testid=stDataFrame]:focus-within, [data-testid=stElementToolbar] button:focus-visible,
:is([data-testid=stSidebar], [class*=st-key-attention], .st-key-banner) :is(a, button):focus-visible {
  outline: 2px solid currentColor !important; outline-offset: -2px;}
[role=tab][data-selected], button[data-variant][data-selected] {color: inherit !important; font-weight: 600;}
:is([class*=st-key-attention], .st-key-banner) :is(a, button) {
  padding: 0 2px; margin: 0; height: auto; min-height: 0; text-align: left;}
:is([class*=st-key-attention], .st-key-banner) :is(a, button) :is(span, p, div) {
  white-space: normal !important; overflow: visible !important; font-size: 1rem !important;
  line-height: 1.5 !important;}
:is([class*=st-key-attention], .st-key-banner) :is(a strong:first-of-type, button p) {text-decoration: underline;}
[class*=st-key-attention] div {margin: 0 !important;}
[data-testid=stForm] [data-testid=InputInstructions] {display: none;}
div:has(> :is(.st-key-paper, .st-key-shortcut_of_search, .st-key-browser_mark)) {position: absolute; width: 1px;}
"""
"""What is chosen is told by a line, a frame and weight: in the accent's colour its text would be hard to read."""


def style() -> None:
    """Draw what no setting of Streamlit has: margins, the look of what is chosen, and where the keyboard is."""
    accent = palette.of(is_dark=st.context.theme.type == "dark").accent
    line = f":is([class*=st-key-attention], .st-key-banner) a strong:first-of-type {{color: {accent} !important}} "
    line += f"[role=tab] .react-aria-SelectionIndicator {{background-color: {accent} !important;}}"
    st.html(f"<style>{_STYLE} {line}</style>")


def show(title: str, site: str, *, menu_path: str = "") -> None:
    """Draw `On treatment · Demo clinic`. `menu_path`: the menu's entry of a page that is not in the menu."""
    style()
    if menu_path:
        entry = f'[data-testid=stSidebarNavLink][href$="/{menu_path}"]'
        rules = f"{entry} {{background-color: rgba(145, 166, 212, 0.25);}} {entry} p {{font-weight: 600;}}"
        st.html(f"<style>{rules}</style>")
    st.markdown(f"## {title} :gray[· {words.as_markdown(site)}]", anchors=False)
