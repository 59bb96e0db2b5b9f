"""Letters on paper: which font prints what; a letter that none has is printed as □ and named, never dropped.

Open Sans prints what it has, `marks.ttf` (which `tests/charting/marks.py` draws) the marks; Noto Sans CJK the rest,
loaded only where it is needed, for it is large; then the clinic's own font, for scripts that all these lack. Fonts are
embedded: the machine that is left in a downtime may have none.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import ttf_opensans
from fontTools.ttLib import TTFont, TTLibError

from recovery.words.printable import printable_lines
from recovery.words.refusals import RefusedError

BOX = "□"
MARKS = Path(__file__).with_name("marks.ttf")
BREAK_HERE = "\u200b"
"""A space without width, at which a line may end."""
_MOST_NAMED = 6


class FontError(RefusedError, ValueError):
    """The clinic's own font cannot be used. The text says which file and why."""


@dataclass(frozen=True, slots=True)
class Letters:
    """The fonts of one document. `fallbacks`: family and file of each font after Open Sans that it needs."""

    regular: Path
    bold: Path
    fallbacks: tuple[tuple[str, Path], ...]
    unprintable: frozenset[str]

    def printable(self, text: str) -> str:
        """A text as it can be printed: composed, without control characters, □ for what no font has."""
        return "".join(BOX if letter in self.unprintable else letter for letter in _cleaned(text))


def letters_for(texts: Iterable[str], own_font: Path | None = None) -> Letters:
    """Choose the fonts that these texts need. Raises `FontError` if `own_font` is no font."""
    wanted = {letter for text in texts for letter in _cleaned(text)} - {"\n"}
    regular, bold = (Path(str(ttf_opensans.opensans(font_weight=weight).path)) for weight in (400, 700))
    missing = wanted - _has(regular).keys()
    fallbacks = [("marks", MARKS)]  # it has the box
    missing -= _has(MARKS).keys()
    cjk = Path(str(files("noto_cjk_sans_jp_regular") / "NotoSansCJKjp-Regular.otf"))
    for family, path in (("cjk", cjk), ("own", own_font)):
        if missing and path is not None and missing & _has(path).keys():
            fallbacks.append((family, path))
            missing -= _has(path).keys()
    return Letters(regular, bold, tuple(fallbacks), frozenset(missing))


def unprintable_in_words(letters: Letters, texts: Iterable[str]) -> str | None:
    """A sentence for a page with these texts, None when every letter is printed."""
    odd = sorted(letters.unprintable & {letter for text in texts for letter in _cleaned(text)})
    if not odd:
        return None
    named = ", ".join(f"U+{ord(o):04X} {unicodedata.name(o, '')}".strip() for o in odd[:_MOST_NAMED])
    more = f" and {len(odd) - _MOST_NAMED} more" if len(odd) > _MOST_NAMED else ""
    return f"NO FONT HERE PRINTS: {named}{more}. Each stands as {BOX}."


@lru_cache(maxsize=8)
def _has(path: Path) -> Mapping[int | str, object]:
    """The letters that a font has."""
    try:
        with TTFont(path, fontNumber=0, lazy=True) as font:
            return {chr(code): True for code in font.getBestCmap()}
    except (OSError, TTLibError) as error:
        raise FontError(f"[charts] font: {path} is no TrueType or OpenType font: {error}") from error


def _cleaned(text: str) -> str:
    """Composed letters, each with its own shape; lines stay."""
    return printable_lines(unicodedata.normalize("NFC", text))
