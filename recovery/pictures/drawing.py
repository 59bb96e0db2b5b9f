"""The pictures as SVG, in mm of the patient: a PNG of pixels inside, lines and letters on top.

As a text in the page: a web server would hand an image file to whoever knows its address.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from recovery.pictures.dose import Band
from recovery.pictures.grids import Section, step_of
from recovery.pictures.raster import bands_png, grey_png
from recovery.pictures.reference_image import ReferenceImage
from recovery.pictures.structures import Structure, outlines

GROUND = "#0B0F14"
INK = "#E5E7EB"
CROSS = "#FDE047"

_EDGES = {"axial": tuple("RLAP"), "coronal": tuple("RLHF"), "sagittal": tuple("APHF")}
"""Per plane: what lies to the left, to the right, at the top, at the bottom."""


_NOTHING_THERE = (
    '<defs><pattern id="empty" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="8" height="8" fill="{GROUND}"/><rect width="2" height="8" fill="#374151"/></pattern></defs>'
)
"""The hatching of slices that are missing."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is drawn over a slice. `isocenter_position` x, y, z in mm; `band_numbers` as `dose.band_numbers` gives."""

    structures: Sequence[Structure] = ()
    isocenter_position: Sequence[float] = ()
    bands: Sequence[Band] = ()
    band_numbers: NDArray[np.int8] | None = None
    thickness: float = 1.0
    """The distance of the image's slices in mm."""


def draw_section(section: Section, window: tuple[float, float], overlay: Overlay) -> str:
    """A slice with structures, isocentre and dose. `window`: centre and width."""
    box = _extent(section)
    left, top, width, height = box
    body = [
        _NOTHING_THERE,
        f'<rect x="{left:.2f}" y="{top:.2f}" width="{width:.2f}" height="{height:.2f}" fill="url(#empty)"/>',
        _pixels(grey_png(section.values, *window), box),
    ]
    if overlay.band_numbers is not None:
        body.append(
            _pixels(bands_png(overlay.band_numbers, [b.colour for b in overlay.bands]), box, "0.38", crisp=True)
        )
    is_upside_down = section.plane != "axial"
    for structure in overlay.structures:
        lines = outlines(structure, section.plane, section.at, overlay.thickness)
        body.append(_path(lines, structure.colour, up=is_upside_down))
    if len(overlay.isocenter_position) == 3:
        body.append(_isocentre(section, overlay.isocenter_position))
    body += _letters(section, box)
    return _svg(box, body)


def draw_reference_image(image: ReferenceImage, window: tuple[float, float]) -> str:
    """A DRR with the beam's axis and a scale of 10 mm, where the image says both."""
    rows, columns = image.values.shape
    down, right = image.spacing or (1.0, 1.0)
    box = (0.0, 0.0, columns * right, rows * down)
    body = [_pixels(grey_png(image.values, *window, invert=image.is_inverted), box)]
    if image.axis is not None:
        x, y = (image.axis[1] + 0.5) * right, (image.axis[0] + 0.5) * down
        body.append(_stroke(f"M0 {y:.2f}H{box[2]:.2f}M{x:.2f} 0V{box[3]:.2f}", CROSS, 1))
        if image.spacing is not None:
            body.append(_stroke(_ticks(x, y, box), CROSS, 1))
    return _svg(box, body)


def svg_text(x: float, y: float, said: str, size: float, *, anchor: str = "start") -> str:
    """Letters with a dark rim, legible on white bone too."""
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size:.2f}" text-anchor="{anchor}" fill="{INK}" '
        f'stroke="{GROUND}" stroke-width="{size / 6:.2f}" paint-order="stroke" '
        f'font-family="Source Sans, Segoe UI, Arial, sans-serif">{escape(said)}</text>'
    )


def _extent(section: Section) -> tuple[float, float, float, float]:
    """Left, top, width, height of the picture in mm; up is negative where the head is at the top."""
    right, down = section.right, section.down
    half_right, half_down = (step_of(right) or 1.0) / 2, abs(step_of(down) or 1.0) / 2
    top = down[0] if down[-1] >= down[0] else -down[0]
    return (
        float(right[0] - half_right),
        float(top - half_down),
        float(right[-1] - right[0] + 2 * half_right),
        float(abs(down[-1] - down[0]) + 2 * half_down),
    )


def _pixels(data_uri: str, box: tuple[float, float, float, float], opacity: str = "1", *, crisp: bool = False) -> str:
    left, top, width, height = box
    style = ' style="image-rendering:pixelated"' if crisp else ""
    return (
        f'<image href="{data_uri}" x="{left:.3f}" y="{top:.3f}" width="{width:.3f}" height="{height:.3f}" '
        f'preserveAspectRatio="none" opacity="{opacity}"{style}/>'
    )


def _path(lines: Iterable[Sequence[tuple[float, float]]], colour: str, *, up: bool) -> str:
    """Polylines; `up` where the second coordinate grows towards the top."""
    sign = -1 if up else 1
    parts = ["M" + "L".join(f"{x:.2f} {sign * y:.2f}" for x, y in line) for line in lines]
    return _stroke("".join(parts), colour, 1.6) if parts else ""


def _stroke(data: str, colour: str, width: float) -> str:
    return (
        f'<path d="{data}" fill="none" stroke="{colour}" stroke-width="{width}" '
        'vector-effect="non-scaling-stroke" stroke-linejoin="round"/>'
    )


def _isocentre(section: Section, isocentre: Sequence[float]) -> str:
    """A cross at the isocentre; dashed where it lies in another slice."""
    x, y, z = isocentre
    (u, v, across) = {"axial": (x, y, z), "coronal": (x, -z, y), "sagittal": (y, -z, x)}[section.plane]
    mark = _stroke(f"M{u - 9:.2f} {v:.2f}h18M{u:.2f} {v - 9:.2f}v18", CROSS, 1.6)
    is_elsewhere = abs(across - section.at) > 2
    return mark.replace("<path ", '<path stroke-dasharray="3 3" ') if is_elsewhere else mark


def _letters(section: Section, box: tuple[float, float, float, float]) -> list[str]:
    left, top, width, height = box
    size = max(min(width, height), 0.6 * max(width, height)) * 0.045
    first, last, above, below = _EDGES[section.plane]
    across = {"axial": "z", "coronal": "y", "sagittal": "x"}[section.plane]
    middle_x, middle_y = left + width / 2, top + height / 2
    return [
        svg_text(left + size * 0.4, middle_y, first, size),
        svg_text(left + width - size * 0.4, middle_y, last, size, anchor="end"),
        svg_text(middle_x, top + size, above, size, anchor="middle"),
        svg_text(middle_x, top + height - size * 0.4, below, size, anchor="middle"),
        svg_text(left + size * 0.4, top + size, f"{section.plane}  {across} {section.at:.1f} mm", size),
    ]


def _ticks(x: float, y: float, box: tuple[float, float, float, float]) -> str:
    """Marks every 10 mm along the axis' cross."""
    parts = []
    for n in range(-math.floor(x / 10), math.floor((box[2] - x) / 10) + 1):
        parts.append(f"M{x + 10 * n:.2f} {y - (4 if n % 5 == 0 else 2):.2f}v{8 if n % 5 == 0 else 4}")
    for n in range(-math.floor(y / 10), math.floor((box[3] - y) / 10) + 1):
        parts.append(f"M{x - (4 if n % 5 == 0 else 2):.2f} {y + 10 * n:.2f}h{8 if n % 5 == 0 else 4}")
    return "".join(parts)


def _svg(box: tuple[float, float, float, float], body: Iterable[str]) -> str:
    left, top, width, height = box
    pixels = 640 / max(width, height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * pixels:.0f}" height="{height * pixels:.0f}" '
        f'viewBox="{left:.3f} {top:.3f} {width:.3f} {height:.3f}">'
        f'<rect x="{left:.3f}" y="{top:.3f}" width="{width:.3f}" height="{height:.3f}" fill="{GROUND}"/>'
        f"{''.join(body)}</svg>"
    )
