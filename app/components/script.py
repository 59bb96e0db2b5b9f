"""Scripts of this program's own in a page: Streamlit runs them beside the page, and they take no room."""

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


_SCRIPT = """
export default function () {
  const onKey = (event) => {
    const at = event.target;
    const isTyping = at instanceof HTMLInputElement || at instanceof HTMLTextAreaElement || at.isContentEditable;
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
    const field = document.querySelector(".st-key-search input, .st-key-find_patient input");
    if (field === null) return;
    event.preventDefault();
    field.focus();
    field.select();
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
"""


def search() -> None:
    """Let `/` find the field of the page in which somebody searches for a patient."""
    run("slash_searches", _SCRIPT, "shortcut_of_search")
