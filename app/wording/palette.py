"""The colours that this program paints itself: grounds of marked rows, bars and lines of charts, for each theme.

Text is seen at 4.5 to 1, marks at 3 to 1 (WCAG 2.1 AA, 1.4.3 and 1.4.11). Tools that judge pages see no canvas, so a
test computes it from here. The colours of Streamlit's own widgets stand in `.streamlit/config.toml`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """`stop`, `look`, `done` are meanings, `accent` what is chosen, `quiet` the rest; `ink` stands on the grounds.

    A mark that is filled with `ground`, the page's own, is hollow.
    """

    ink: str
    ground: str
    stop_ground: str
    look_ground: str
    accent: str
    quiet: str
    stop: str
    look: str
    look_text: str
    done: str


LIGHT = Palette(
    ink="#000000", ground="#FFFFFF", stop_ground="#FECACA", look_ground="#FEF3C7", accent="#1D4ED8", quiet="#6B7280",
    stop="#B91C1C", look="#B45309", look_text="#92400E", done="#15803D",
)  # fmt: skip
DARK = Palette(
    ink="#FFFFFF", ground="#111827", stop_ground="#7F1D1D", look_ground="#653610", accent="#60A5FA", quiet="#9CA3AF",
    stop="#F87171", look="#FBBF24", look_text="#FBBF24", done="#4ADE80",
)  # fmt: skip
PINNED_INK = 0.6
"""Streamlit draws pinned columns at this part of their ink."""
GAP_TINT = 0.16
"""How much of `look` lies on the ground under the name of a gap."""


def of(*, is_dark: bool) -> Palette:
    """The palette of a theme."""
    return DARK if is_dark else LIGHT
