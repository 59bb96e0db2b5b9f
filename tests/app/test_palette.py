"""Contrast of what is painted on canvases and in pictures, reckoned from the palette: WCAG 2.1, 1.4.3 and 1.4.11.

Not reached, and not ours to set: Streamlit draws the dash of an absent value in a table at 40 % of the ink, 2.5 to 1 in
the light theme and 3.3 in the dark one. Beside the dash nothing stands in the cell: no other mark can be taken for it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.io.formats.style import Styler

from app.components import marked
from app.wording import palette
from app.wording.palette import DARK, LIGHT, Palette
from recovery.pictures import dose, drawing, drawing_beam

TEXT, MARK = 4.5, 3.0
THEMES: dict[str, Any] = tomllib.loads((Path(__file__).resolve().parents[2] / ".streamlit/config.toml").read_text())[
    "theme"
]
BOTH = pytest.mark.parametrize(("theme", "colours"), [("light", LIGHT), ("dark", DARK)])


def channels(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))


def over(top: str, under: str, part: float) -> str:
    """The colour that is seen where `part` of `top` lies on `under`."""
    mixed = (a * part + b * (1 - part) for a, b in zip(channels(top), channels(under), strict=True))
    return "#" + "".join(f"{round(value * 255):02X}" for value in mixed)


def luminance(colour: str) -> float:
    linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_reckoned_as_wcag_says() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)
    assert over("#FFFFFF", "#000000", 0.6) == "#999999"


@BOTH
def test_marked_rows_are_read_on_their_ground_also_where_the_ink_is_thinned(theme: str, colours: Palette) -> None:
    for ground in (colours.stop_ground, colours.look_ground, THEMES[theme]["backgroundColor"]):
        assert contrast(colours.ink, ground) >= TEXT
        assert contrast(over(colours.ink, ground, palette.PINNED_INK), ground) >= TEXT, ground


@BOTH
def test_cells_and_headers_of_tables_are_read(theme: str, colours: Palette) -> None:
    said, ground = THEMES[theme]["textColor"], THEMES[theme]["backgroundColor"]
    assert contrast(said, ground) >= TEXT
    assert contrast(over(said, ground, palette.PINNED_INK), ground) >= TEXT
    header = THEMES[theme]["dataframeHeaderBackgroundColor"]
    assert contrast(over(said, header, palette.PINNED_INK), header) >= TEXT


@BOTH
def test_bars_lines_and_legends_of_charts_are_seen(theme: str, colours: Palette) -> None:
    ground = THEMES[theme]["backgroundColor"]
    assert colours.ground == ground, "a hollow mark is one that has the page's ground"
    for mark in (colours.accent, colours.quiet, colours.stop, colours.look, colours.done):
        assert contrast(mark, ground) >= MARK, mark
    for text in (colours.quiet, colours.stop, colours.look_text):  # labels of axes, ■ above a bar, names of gaps
        assert contrast(text, ground) >= TEXT, text
    assert contrast(colours.look_text, over(colours.look, ground, palette.GAP_TINT)) >= TEXT


@BOTH
def test_words_in_the_colours_of_meaning_are_read_on_every_ground_of_the_page(theme: str, colours: Palette) -> None:
    told = THEMES[theme]
    grounds = (told["backgroundColor"], told["secondaryBackgroundColor"], told["sidebar"]["backgroundColor"])
    for ground in grounds:
        for name in ("textColor", "redTextColor", "orangeTextColor", "greenTextColor", "grayTextColor"):
            assert contrast(told[name], ground) >= TEXT, (name, ground)
        assert contrast(told["primaryColor"], ground) >= MARK
    assert contrast("#FFFFFF", told["primaryColor"]) >= TEXT
    assert (colours.stop, colours.look, colours.done) == (
        told["redTextColor"],
        told["orangeTextColor"],
        told["greenTextColor"],
    )


def test_pictures_are_drawn_in_colours_that_are_seen_on_their_ground() -> None:
    for text in (drawing.INK, drawing.CROSS):
        assert contrast(text, drawing.GROUND) >= TEXT
    for line in dose.COLOURS:
        assert contrast(line, drawing.GROUND) >= MARK, line
    assert contrast(drawing_beam._JAW_EDGE, drawing_beam._JAW) >= MARK
    assert contrast(drawing_beam._LEAF, drawing_beam._OPEN) >= MARK
    assert contrast(drawing_beam._JAW_EDGE, drawing_beam._LEAF) >= MARK


def test_a_number_that_may_be_given_already_is_not_what_the_eye_sees_first() -> None:
    lines = pd.DataFrame({"mark": ["▲", "▲"], "next_fraction": ["13 next", "13 next"], "next_is": ["unknown", "due"]})
    drawn = marked.styled(lines, ("mark", "next_fraction"), ("mark", "next_fraction"))
    assert isinstance(drawn, Styler)
    weights = [dict(style)["font-weight"] for (_, place), style in drawn._compute().ctx.items() if place == 1]
    assert weights == ["400", "600"]
