"""What people type, drawn by Streamlit in a real browser: the same letters, and no link, icon or picture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from demo.run.pictures import INSTALL_CHROMIUM, chromium
from recovery.words.printable import printable
from tests.app.browser import Requests, new_page, serving

pytestmark = pytest.mark.skipif(chromium() is None, reason=f"needs Chromium: {INSTALL_CHROMIUM}")

HOSTILE = [
    "--", "A -- B", "<-> <- -> >= <= ~=", ":material/home: :smile: :+1: :streamlit: :100:", "www.example.org",
    "see https://example.org/x?a=b", "mail a.b@example.org", "![x](http://example.org/x.png)", "[x](http://example.org)",
    ":red[STOP] :red-background[x] :color[x]{foreground=\"red\"}", "$x^2$ $$y$$", "**b** _i_ ~~s~~ `c`",
    "# H", "> q", "- l",
    "1. n", "    code", "<b>x</b><img src=x>", "&lt;&amp;&#65;", "| a | b |", "---", "***", "[^1] [x]: y",
    "\\*x\\* \\", "~x~",
    "12:34:56 x", "\u202e1174\u202c", "a\u2066b\u2069\u200b", "line\n\n# two", "\t- x", "::: x", ":x:",
    "<!-- x -->", "-- ->",
    "tel:+41 79", "WWW.EXAMPLE.ORG", "javascript:alert(1)", "ftp://a.b", "==x== ++y++", "H~2~O x^2^",
    "@someone #1 GH-1",
]  # fmt: skip

SCRIPT = """
import streamlit as st
from app.wording import words
from tests.app.test_texts_in_browser import HOSTILE
for number, text in enumerate(HOSTILE):
    st.markdown("BEGIN " + words.as_markdown(text) + " END")
    st.markdown(":red[■ **" + words.as_markdown(text) + "** END]")
    st.button("BEGIN " + words.as_markdown(text) + " END", key=f"b{number}", help=words.as_markdown(text))
"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[tuple[Page, Requests]]:
    folder = tmp_path_factory.mktemp("texts")
    (folder / "page.py").write_text(SCRIPT)
    no_clinic = folder / "none"
    with serving(no_clinic, no_clinic, folder / "server.log", str(folder / "page.py")) as server:
        page, requests = new_page(browser)
        page.goto(server.url)
        page.get_by_test_id("stButton").nth(len(HOSTILE) - 1).wait_for()
        yield page, requests


def test_every_text_is_drawn_letter_by_letter_alone_coloured_and_on_a_button(drawn: tuple[Page, Requests]) -> None:
    page, _ = drawn
    lines = page.get_by_test_id("stMarkdown").all_inner_texts()
    buttons = page.get_by_test_id("stButton").all_inner_texts()
    assert len(lines) == 2 * len(HOSTILE)
    for number, text in enumerate(HOSTILE):
        told = " ".join(printable(text).split())
        assert " ".join(lines[2 * number].split()) == f"BEGIN {told} END"
        assert " ".join(lines[2 * number + 1].split()) == f"■ {told} END"
        assert " ".join(buttons[number].split()) == f"BEGIN {told} END"


def test_no_text_becomes_an_element_or_asks_outside(drawn: tuple[Page, Requests]) -> None:
    page, requests = drawn
    main = page.get_by_test_id("stMain")
    for kind in ("a", "img", "code", "em", "del", "h1", "li", "blockquote", "table", ".katex", '[role="img"]', "sup",
                 "sub", '[data-testid="stIconMaterial"]', "b"):  # fmt: skip
        assert main.locator(f'[data-testid="stMarkdownContainer"] {kind}').count() == 0, kind
    assert requests.outside == []
