"""Makes `recovery/charting/marks.ttf`, the font of the charts' marks: `python -m tests.charting.marks`.

Why
    Open Sans has no ■ □ ▲ ●. Noto Sans CJK has them, and to open it and cut it down takes 0.3 s of each chart.
"""

from __future__ import annotations

from io import BytesIO
from math import cos, sin, tau
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

import recovery.charting

MARKS_FONT = Path(recovery.charting.__file__).parent / "marks.ttf"
MADE_AT = 3_850_000_000
"""Seconds since 1904, of the day on which it was first made."""
EM = 1000
"""Units; the shapes lie in it as other fonts' squares and triangles do, a letter high and as wide."""
_CORNERS = {"square": (100, -20, 900, 780), "hole": (160, 40, 840, 720)}


def _box(pen: TTGlyphPen, name: str, *, is_hole: bool = False) -> None:
    left, low, right, high = _CORNERS[name]
    corners = [(left, low), (left, high), (right, high), (right, low)]
    _polygon(pen, corners[::-1] if is_hole else corners)


def _polygon(pen: TTGlyphPen, points: list[tuple[int, int]]) -> None:
    pen.moveTo(points[0])
    for point in points[1:]:
        pen.lineTo(point)
    pen.closePath()


def _disc(pen: TTGlyphPen) -> None:
    """Eight quadratic arcs: at the size of a letter nobody sees that it is no circle."""
    radii = [430 / cos(tau / 16) if n % 2 else 430.0 for n in range(17)]
    points = [(round(500 + r * sin(tau * n / 16)), round(380 + r * cos(tau * n / 16))) for n, r in enumerate(radii)]
    pen.moveTo(points[0])
    for n in range(1, 17, 2):
        pen.qCurveTo(points[n], points[n + 1])
    pen.closePath()


def made() -> bytes:
    """The font, the same bytes each time."""
    glyphs = {}
    for name in (".notdef", "space", "filled", "empty", "triangle", "disc"):
        pen = TTGlyphPen(None)
        if name in {"filled", "empty", ".notdef"}:
            _box(pen, "square")
        if name in {"empty", ".notdef"}:
            _box(pen, "hole", is_hole=True)
        if name == "triangle":
            _polygon(pen, [(30, 12), (500, 826), (970, 12)])
        if name == "disc":
            _disc(pen)
        glyphs[name] = pen.glyph()
    font = FontBuilder(EM, isTTF=True)
    font.setupGlyphOrder(list(glyphs))
    font.setupCharacterMap({32: "space", 0x25A0: "filled", 0x25A1: "empty", 0x25B2: "triangle", 0x25CF: "disc"})
    font.setupGlyf(glyphs)
    lefts = {name: glyph.xMin if glyph.numberOfContours else 0 for name, glyph in glyphs.items()}
    font.setupHorizontalMetrics({name: (EM, left) for name, left in lefts.items()})
    font.setupHorizontalHeader(ascent=880, descent=-120)
    font.setupNameTable({"familyName": "RBRDT Marks", "styleName": "Regular"})
    font.setupOS2(sTypoAscender=880, sTypoDescender=-120, usWinAscent=880, usWinDescent=120, sCapHeight=780)
    font.setupPost()
    font.updateHead(created=MADE_AT, modified=MADE_AT)
    whole: TTFont = font.font
    whole.recalcTimestamp = False
    out = BytesIO()
    whole.save(out)
    return out.getvalue()


if __name__ == "__main__":
    MARKS_FONT.write_bytes(made())
