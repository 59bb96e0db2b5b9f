"""The beam's-eye view as SVG: seen from the source, the gantry's head at the top, 1 cm per tick.

Why turned
    Jaws and leaves are given in the collimator's own axes. They are turned by the collimator's angle, counter-
    clockwise as seen from the source (IEC 61217), so that the picture lies as the light field does.
"""

from itertools import pairwise

from recovery.pictures.beams_eye import BeamsEyeView, LeafBank
from recovery.pictures.drawing import CROSS, GROUND, INK, svg_text

_LEAF, _LEAF_EDGE, _JAW, _JAW_EDGE, _OPEN = "#4B5563", "#9CA3AF", "#111827", "#38BDF8", "#F3F4F6"
_MARGIN = 25.0
_SMALLEST = 40.0


def draw_beams_eye_view(view: BeamsEyeView) -> str:
    """Jaws, leaves, spots, the isocentre, and the angles in words."""
    reach = _reach(view)
    turn = -(view.beam_limiting_device_angle or 0.0)
    body = [f'<rect x="{-reach}" y="{-reach}" width="{2 * reach}" height="{2 * reach}" fill="{GROUND}"/>']
    if view.x_jaws or view.y_jaws or view.leaf_banks:
        # The y axis points up in the beam's frame, down in the picture's.
        body.append(f'<g transform="rotate({turn:.2f}) scale(1,-1)">{_devices(view, reach * 1.5)}</g>')
    radius = reach / 60
    body += [f'<circle cx="{x:.2f}" cy="{-y:.2f}" r="{radius:.2f}" fill="{INK}"/>' for x, y in view.spots]
    body.append(_cross(reach))
    size = reach * 0.085
    for index, said in enumerate(angles_in_words(view)):
        body.append(svg_text(-reach + size * 0.5, -reach + size * (1.2 + 1.2 * index), said, size))
    body.append(svg_text(reach - size * 0.5, reach - size * 0.5, f"± {reach:.0f} mm", size, anchor="end"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="480" height="480" '
        f'viewBox="{-reach} {-reach} {2 * reach} {2 * reach}">{"".join(body)}</svg>'
    )


def angles_in_words(view: BeamsEyeView) -> list[str]:
    """`gantry 181.0° to 179.0° CW (358°)`, collimator, couch; `—` for what the plan does not say."""
    start, stop = _degrees(view.gantry_angle), _degrees(view.gantry_stop_angle)
    gantry = f"gantry {start}"
    if view.is_arc:
        direction = {"CW": "CW", "CC": "CCW"}.get(view.gantry_direction or "", "")
        gantry = f"gantry {start} to {stop} {direction} ({view.gantry_travel:.0f}°)"
    return [
        gantry,
        f"collimator {_degrees(view.beam_limiting_device_angle)}",
        f"couch {_degrees(view.patient_support_angle)}",
    ]


def _degrees(angle: float | None) -> str:
    return "—" if angle is None else f"{angle:.1f}°"


def _reach(view: BeamsEyeView) -> float:
    """Half the picture's side, in mm: what is open, and a margin."""
    edges = [abs(v) for jaws in (view.x_jaws, view.y_jaws) if jaws for v in jaws]
    edges += [abs(v) for spot in view.spots for v in spot]
    if not edges:
        edges = [abs(v) for bank in view.leaf_banks for pair in bank.pairs if pair[1] > pair[0] for v in pair]
    return max([_SMALLEST, *edges]) + _MARGIN


def _devices(view: BeamsEyeView, far: float) -> str:
    """The open field, the leaves over it, the jaws over both."""
    parts = [_rectangle(-far, -far, far, far, _OPEN, 1)]
    opacity = 0.95 if len(view.leaf_banks) < 2 else 0.6
    for bank in view.leaf_banks:
        parts += _leaves(bank, far, opacity)
    for jaws, is_x in ((view.x_jaws, True), (view.y_jaws, False)):
        if jaws is None:
            continue
        for low, high in ((-far, jaws[0]), (jaws[1], far)):
            parts.append(_across(low, high, -far, far, is_x, _JAW, 0.62))
    return "".join(parts) + _jaw_edges(view, far)


def _jaw_edges(view: BeamsEyeView, far: float) -> str:
    """The rectangle that the jaws leave open; a pair that the plan does not say is left out."""
    lines = [f"M{x} {-far}V{far}" for x in view.x_jaws or ()] + [f"M{-far} {y}H{far}" for y in view.y_jaws or ()]
    if view.x_jaws and view.y_jaws:
        (left, right), (low, high) = view.x_jaws, view.y_jaws
        lines = [f"M{left} {low}H{right}V{high}H{left}Z"]
    path = "".join(lines)
    style = 'fill="none" stroke-width="1.4" vector-effect="non-scaling-stroke"'
    return f'<path d="{path}" stroke="{_JAW_EDGE}" {style}/>' if path else ""


def _leaves(bank: LeafBank, far: float, opacity: float) -> list[str]:
    parts = []
    for (lower, upper), (first, second) in zip(pairwise(bank.boundaries), bank.pairs, strict=True):
        for low, high in ((-far, first), (second, far)):
            leaf = _across(low, high, lower, upper, bank.moves_in_x, _LEAF, opacity)
            parts.append(leaf.replace("/>", f' stroke="{_LEAF_EDGE}" stroke-width="0.4"/>'))
    return parts


def _across(low: float, high: float, lower: float, upper: float, is_x: bool, colour: str, opacity: float) -> str:
    if is_x:
        return _rectangle(low, lower, high, upper, colour, opacity)
    return _rectangle(lower, low, upper, high, colour, opacity)


def _rectangle(left: float, bottom: float, right: float, top: float, colour: str, opacity: float) -> str:
    width, height = max(right - left, 0.0), max(top - bottom, 0.0)
    return (
        f'<rect x="{left:.2f}" y="{bottom:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{colour}" '
        f'fill-opacity="{opacity}"/>'
    )


def _cross(reach: float) -> str:
    """The beam's axis, which meets the isocentre, with a mark each centimetre."""
    ticks = "".join(f"M{n} {-2}v4M{-2} {n}h4" for n in range(-int(reach) // 10 * 10, int(reach) + 1, 10))
    return (
        f'<path d="M{-reach} 0H{reach}M0 {-reach}V{reach}{ticks}" stroke="{CROSS}" stroke-width="1" fill="none" '
        'vector-effect="non-scaling-stroke"/>'
    )
