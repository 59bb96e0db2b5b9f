"""The cookie by which a reload brings the sitting back; `app/access/kept.py` says what it is worth."""

from __future__ import annotations

from functools import cache

import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from app.access.kept import LASTS, kept_by_process

_SCRIPT = """
export default function (component) {
  const {name, mark, seconds} = component.data;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${mark}; Max-Age=${seconds}; Path=/; SameSite=Strict${secure}`;
}
"""


def hand_out(mark: str) -> None:
    """Let the browser keep the mark."""
    data = {"name": kept_by_process().cookie, "mark": mark, "seconds": int(LASTS.total_seconds())}
    with st.container(height=1, border=False, key="browser_mark"):
        _keeper()(key="browser_mark_keeper", data=data, height=1)


@cache
def _keeper() -> ComponentRenderer:
    return component("browser_mark", js=_SCRIPT, isolate_styles=True)
