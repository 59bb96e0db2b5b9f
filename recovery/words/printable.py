"""Texts from outside, made safe to show: page, Excel, CSV, PDF, DICOM, log and terminal take them through here.

By Unicode's categories, so that a name keeps its letters, whatever its script. A control character or a line's end
becomes a space. What has no shape of its own (marks of direction, zero width, tags) becomes �, and is not dropped: two
numbers that differ in a character that nobody sees are two patients. The two joiners stay between letters of scripts
that are written with them.
"""

import json
import re
import unicodedata
from html import escape
from typing import Any, TextIO

HIDDEN = "�"
"""U+FFFD, what stands for a character that has no shape."""

_LINE_ENDS = {"Cc", "Zl", "Zp"}
_SHAPELESS = {"Cf", "Cn", "Co"}
_JOINERS = "\u200c\u200d"
_INVISIBLE_LETTERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
_JOINED_SCRIPTS = (
    "ARABIC", "SYRIAC", "MONGOLIAN", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU",
    "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR",
)  # fmt: skip
_SUSPECT = re.compile("[^ -~¡-¬®-ɏ\u0370-\u0377\u0391-\u03c9\u0400-\u0481\u3041-\u30ff\u4e00-\u9fcc]")
"""All that is worth a look; Latin, Greek, Cyrillic, kana and the common ideographs are passed over at once."""
_NOT_IN_CELLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@＝＋－＠]")


def printable(text: str) -> str:
    """A text on one line, in which every character has its own shape."""
    return _SUSPECT.sub(_shown, text) if _SUSPECT.search(text) else text


def printable_lines(text: str) -> str:
    """As `printable`, keeping the lines."""
    if not _SUSPECT.search(text):
        return text
    return "\n".join(printable(line) for line in re.split(r"\r\n|\r|\n", text))


def as_csv(text: str) -> str:
    """A text for a CSV file: a spreadsheet that opens it must not take it for a formula (CWE-1236)."""
    shown = printable_lines(text)
    return f"'{shown}" if is_like_formula(text) else shown


def is_like_formula(text: str) -> bool:
    """Whether a spreadsheet might take a text for a formula: it looks past leading spaces."""
    return _FORMULA.match(text) is not None


def as_cell(text: str) -> str:
    """A text for a spreadsheet's cell, where control characters cannot stand and must not look like spaces."""
    return printable_lines(_NOT_IN_CELLS.sub(HIDDEN, text))


def as_json(text: str) -> str:
    """A text of JSON that says the same and can be shown: what has no shape is written as its number."""
    return _SUSPECT.sub(_said_by_number, text)


def from_json(text: str | bytes) -> Any:
    """What JSON says, with ? for a half of a character: JSON can write one, and no table, file or browser takes it.

    Raises `ValueError` if it is no JSON.
    """
    said = json.loads(text)
    escaped = text.lower()
    may_have_halves = b"\\ud" in escaped if isinstance(escaped, bytes) else "\\ud" in escaped
    return without_halves(said) if may_have_halves else said


def without_halves(said: Any) -> Any:
    """What JSON can say, with ? for each half of a character."""
    return json.loads(json.dumps(said, ensure_ascii=False).encode("utf-8", "replace"))


def tell(*lines: object, file: TextIO | None = None) -> None:
    """Print lines for a person, whatever is in them; on standard output, or in `file`."""
    for line in lines:
        print(printable_lines(str(line)), file=file)


def _said_by_number(found: re.Match[str]) -> str:
    is_shown = found[0] == "\n" or _shown(found) == found[0]
    return found[0] if is_shown else json.dumps(found[0])[1:-1]


def _shown(found: re.Match[str]) -> str:
    letter = found[0]
    kind = unicodedata.category(letter)
    if kind in _LINE_ENDS:
        return " "
    if kind == "Cs":
        return "?"
    if letter in _JOINERS and _joins(found):
        return letter
    return HIDDEN if kind in _SHAPELESS or letter in _INVISIBLE_LETTERS else letter


def _joins(found: re.Match[str]) -> bool:
    """Whether a joiner stands between two letters, or their marks, of a script that needs it."""
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    return all(
        side and unicodedata.category(side)[0] in "LM" and unicodedata.name(side, "").startswith(_JOINED_SCRIPTS)
        for side in (before, after)
    )


_LONG_WORD = re.compile(r"(\S{20})(?=\S)")


def as_html(text: str) -> str:
    """A text from outside on one line, in which no letter is a tag's or turns another's direction."""
    return escape(printable(text))


def in_cell(text: str) -> str:
    """As `as_html`, for a table on paper: a word that would push the other columns off the sheet may end earlier."""
    return escape(_LONG_WORD.sub("\\1\n", printable(text))).replace("\n", "<wbr>")
