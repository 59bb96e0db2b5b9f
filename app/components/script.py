"""A script of this program's own in a page: Streamlit runs it beside the page, and it takes no room."""

from functools import cache
from typing import Any

import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer


def run(name: str, script: str, key: str, data: dict[str, Any] | None = None) -> None:
    """Let a page run `script`, an ES module; `key` is the class of its place, which `header` gives no room."""
    with st.container(height=1, border=False, key=key):
        _renderer(name, script)(key=f"{key}_script", data=data, height=1)


@cache
def _renderer(name: str, script: str) -> ComponentRenderer:
    return component(name, js=script, isolate_styles=True)
