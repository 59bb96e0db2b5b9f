"""Texts as the pages show them: absent values, texts from outside, and the words that are common to pages and paper."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from recovery.words.printable import printable

_READ_LATER = re.compile(
    r":(?=[\w+/-]*[A-Za-z][\w+/-]*:|\+1:|-1:|100:|1234:)"  # :material/home:, :smile:
    r"|(?<=(?<!\S)<)-(?=>?(?!\S))|(?<!\S)-(?=[->](?!\S))|(?<=(?<!\S)[<>~])=(?!\S)"  # <-> <- -> -- <= >= ~=
    r"|(?<=[wW]{3})\.(?=\w)|(?<=[a-zA-Z]):(?=//)|(?<=\w)@(?=[-\w]+\.\w)"  # www.a.b, https://a.b, a@b.c
)
_LONG_WORD = re.compile(r"(\S{20})(?=\S)")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])")


def known(value: Any) -> Any:
    """A value of a table's cell, None where it is one of the ways to say nothing: None, NaN, NA, NaT."""
    is_absent = value is None or type(value).__name__ == "NAType" or value != value
    return None if is_absent else value


def as_html(text: str) -> str:
    """A text from outside on one line, in which no letter is a tag's or turns another's direction."""
    return escape(printable(text))


def in_cell(text: str) -> str:
    """As `as_html`, for a table on paper: a word that would push the other columns off the sheet may end earlier."""
    return escape(_LONG_WORD.sub("\\1\n", printable(text))).replace("\n", "<wbr>")


def as_markdown(text: str) -> str:
    """A text from outside, shown letter by letter by Streamlit's markdown.

    Backslashes keep markdown off. What Streamlit looks for after that (icons, emoji, arrows, addresses) it looks for
    in one run of text: an empty color directive, which changes nothing, makes two runs of it.
    """
    shown, done = re.sub(" {2,}", " ", printable(text)).strip(), 0
    escaped = []
    for found in _READ_LATER.finditer(shown):
        escaped += [_escaped(shown[done : found.start()]), f":color[{_escaped(found[0])}]"]
        done = found.end()
    return "".join((*escaped, _escaped(shown[done:])))


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)
