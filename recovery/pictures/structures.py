"""The contours of a structure set, and how they cut the three planes.

Contours lie in axial planes. On an axial slice they are drawn as they are; on the others each contour is a strip as
thick as its slice, and the strips' common outline is drawn: nothing is smoothed that nobody contoured.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from recovery.dicom import elements as el
from recovery.pictures.grids import Plane

FLAT_MM = 0.05
"""How much the z of one contour may vary: files hold decimals."""

_WITHOUT_COLOUR = "#9CA3AF"

Line = tuple[tuple[float, float], ...]
"""A polyline in mm: right, down as `grids.Section` has them. A closed one ends where it began."""
Strip = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Structure:
    """A region of interest (PS3.3 C.8.8.5, C.8.8.6)."""

    roi_name: str | None
    colour: str
    """ROIDisplayColor as `#rrggbb`; grey without one."""
    contours: Mapping[float, tuple[NDArray[np.float64], ...]]
    """By z in mm: closed polygons, each of shape (points, 2), x and y in mm."""
    not_drawn: int = 0
    """Contours that are open, single points, or do not lie in an axial plane."""

    @property
    def step(self) -> float | None:
        """The usual distance of its contours in z, in mm."""
        places = sorted(self.contours)
        return float(np.median(np.diff(places))) if len(places) > 1 else None


def read_structures(ds: Dataset) -> list[Structure]:
    """All structures that have contours, in the order of StructureSetROISequence."""
    names = {el.integer(roi, "ROINumber"): el.text(roi, "ROIName") for roi in el.items(ds, "StructureSetROISequence")}
    found = {}
    for item in el.items(ds, "ROIContourSequence"):
        number = el.integer(item, "ReferencedROINumber")
        if number is None:
            continue
        contours, not_drawn = _contours(item)
        if contours or not_drawn:
            found[number] = Structure(names.get(number), _colour(item), contours, not_drawn)
    order = [number for number in names if number in found]
    return [found[number] for number in [*order, *(n for n in found if n not in names)] if number is not None]


def slice_places(ds: Dataset) -> dict[str, float]:
    """By SOP Instance UID of a slice, the z (mm) at which contours say that it lies.

    It tells which of two hundred slices to fetch first.
    """
    places: dict[str, float] = {}
    for item in el.items(ds, "ROIContourSequence"):
        for contour in el.items(item, "ContourSequence"):
            image = el.first_item(contour, "ContourImageSequence")
            uid = el.text(image, "ReferencedSOPInstanceUID")
            if uid is None or uid in places:
                continue
            points = el.numbers(contour, "ContourData")
            if len(points) >= 3:
                places[uid] = points[2]
    return places


def outlines(structure: Structure, plane: Plane, at: float, thickness: float) -> list[Line]:
    """The lines that a structure draws on a plane at `at` (mm). `thickness` is the image's slice distance in mm."""
    if plane == "axial":
        return _axial(structure, at, thickness)
    return _strips(structure, plane, at, structure.step or thickness)


def _contours(item: Dataset) -> tuple[dict[float, tuple[NDArray[np.float64], ...]], int]:
    by_z: dict[float, list[NDArray[np.float64]]] = {}
    not_drawn = 0
    for contour in el.items(item, "ContourSequence"):
        values = el.numbers(contour, "ContourData")
        points = np.array(values[: len(values) // 3 * 3]).reshape(-1, 3)
        is_closed = (el.text(contour, "ContourGeometricType") or "").startswith("CLOSED")
        if not is_closed or len(points) < 3 or np.ptp(points[:, 2]) > FLAT_MM:
            not_drawn += 1
            continue
        by_z.setdefault(round(float(points[0, 2]), 3), []).append(points[:, :2])
    return {z: tuple(polygons) for z, polygons in by_z.items()}, not_drawn


def _colour(item: Dataset) -> str:
    rgb = [round(value) for value in el.numbers(item, "ROIDisplayColor")]
    if len(rgb) != 3 or not all(0 <= value <= 255 for value in rgb):
        return _WITHOUT_COLOUR
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def _axial(structure: Structure, at: float, thickness: float) -> list[Line]:
    nearest = min(structure.contours, key=lambda z: abs(z - at), default=None)
    if nearest is None or abs(nearest - at) > max(thickness / 2, FLAT_MM):
        return []
    return [_closed(polygon) for polygon in structure.contours[nearest]]


def _closed(polygon: NDArray[np.float64]) -> Line:
    points = [(float(x), float(y)) for x, y in polygon]
    return (*points, points[0])


def _strips(structure: Structure, plane: Plane, at: float, thickness: float) -> list[Line]:
    """The outline of the strips: their sides, and wherever one begins or ends above its neighbour."""
    across = 0 if plane == "sagittal" else 1
    strips = {z: _cut(polygons, across, at) for z, polygons in sorted(structure.contours.items())}
    strips = {z: strip for z, strip in strips.items() if strip}
    lines: list[Line] = []
    half = thickness / 2
    for z, strip in strips.items():
        for low, high in strip:
            lines += [((low, z - half), (low, z + half)), ((high, z - half), (high, z + half))]
    places = list(strips)
    for lower, upper in pairwise([None, *places, None]):
        touches = lower is not None and upper is not None and upper - lower < 1.5 * thickness
        if touches and lower is not None and upper is not None:
            middle = (lower + upper) / 2
            lines += [((a, middle), (b, middle)) for a, b in _differing(strips[lower], strips[upper])]
            continue
        lines += [((a, lower + half), (b, lower + half)) for a, b in strips.get(lower, [])] if lower is not None else []
        lines += [((a, upper - half), (b, upper - half)) for a, b in strips.get(upper, [])] if upper is not None else []
    return lines


def _cut(polygons: Iterable[NDArray[np.float64]], across: int, at: float) -> Strip:
    """Where the line `across` = `at` runs inside the polygons, even-odd, so that an inner contour is a hole."""
    crossings: list[float] = []
    for polygon in polygons:
        following = np.roll(polygon, -1, axis=0)
        a, b = polygon[:, across], following[:, across]
        crosses = (a <= at) != (b <= at)
        share = (at - a[crosses]) / (b[crosses] - a[crosses])
        other = 1 - across
        crossings += (polygon[crosses, other] + share * (following[crosses, other] - polygon[crosses, other])).tolist()
    crossings.sort()
    return list(zip(crossings[::2], crossings[1::2], strict=False))


def _differing(one: Strip, other: Strip) -> Strip:
    """Where just one of two strips is."""
    edges = sorted([edge for strip in (one, other) for pair in strip for edge in pair])
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False) if b > a]
