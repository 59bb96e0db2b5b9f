"""Texts from outside as HTML: no letter of them is a tag's, and none turns another's direction. Pure."""

import re
from html import escape

from recovery.words.printable import printable

_LONG_WORD = re.compile(r"(\S{20})(?=\S)")


def as_html(text: str) -> str:
    """A text from outside on one line, in which no letter is a tag's or turns another's direction."""
    return escape(printable(text))


def in_cell(text: str) -> str:
    """As `as_html`, for a table on paper: a word that would push the other columns off the sheet may end earlier."""
    return escape(_LONG_WORD.sub("\\1\n", printable(text))).replace("\n", "<wbr>")
