"""Contours: a box of known size at a known place, on all three planes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest

from recovery.pictures.structures import Line, outlines, read_structures, slice_places
from tests.objects import images
from tests.pictures.objects import contour, rectangle, structures

BOX = {"left": -10.0, "right": 30.0, "front": -5.0, "back": 15.0}
PLACES = (0.0, 3.0, 6.0, 9.0)


def box_on(zs: Iterable[float] = PLACES) -> list:
    return [contour(rectangle(z=z, **BOX)) for z in zs]


def extent(lines: list[Line]) -> tuple[float, float, float, float]:
    points = [point for line in lines for point in line]
    rights, downs = [p[0] for p in points], [p[1] for p in points]
    return min(rights), max(rights), min(downs), max(downs)


def length(lines: list[Line]) -> float:
    return sum(abs(a[0] - b[0]) + abs(a[1] - b[1]) for line in lines for a, b in pairwise(line))


def test_a_box_is_where_it_was_contoured_on_every_plane() -> None:
    (box,) = read_structures(structures(images(4), {"PTV": box_on()}))
    assert (box.roi_name, box.colour) == ("PTV", "#ff0000")
    assert extent(outlines(box, "axial", 3.0, 3.0)) == (-10, 30, -5, 15)
    # A contour stands for its slice, so the box reaches half a slice beyond the first and the last.
    assert extent(outlines(box, "sagittal", 0.0, 3.0)) == (-5, 15, -1.5, 10.5)
    assert extent(outlines(box, "coronal", 0.0, 3.0)) == (-10, 30, -1.5, 10.5)


@pytest.mark.parametrize(("plane", "around"), [("sagittal", 2 * (20 + 12)), ("coronal", 2 * (40 + 12))])
def test_only_the_outline_of_the_strips_is_drawn(plane: str, around: float) -> None:
    (box,) = read_structures(structures(images(4), {"PTV": box_on()}))
    assert length(outlines(box, plane, 0.0, 3.0)) == pytest.approx(around)  # type: ignore[arg-type]


def test_a_plane_beside_the_box_shows_nothing_of_it() -> None:
    (box,) = read_structures(structures(images(4), {"PTV": box_on()}))
    assert outlines(box, "axial", 12.0, 3.0) == []
    assert outlines(box, "sagittal", 31.0, 3.0) == []
    assert outlines(box, "coronal", -6.0, 3.0) == []


def test_an_inner_contour_is_a_hole() -> None:
    rings = [c for z in PLACES for c in (contour(rectangle(z=z, **BOX)), contour(rectangle(0, 10, 0, 10, z)))]
    (ring,) = read_structures(structures(images(4), {"Ring": rings}))
    sides = {line[0][0] for line in outlines(ring, "sagittal", 5.0, 3.0) if line[0][0] == line[1][0]}
    assert sides == {-5, 0, 10, 15}


def test_a_gap_between_contours_is_not_bridged() -> None:
    (box,) = read_structures(structures(images(4), {"PTV": box_on((0.0, 3.0, 6.0, 21.0, 24.0, 27.0))}))
    ends = {line[0][1] for line in outlines(box, "coronal", 0.0, 3.0) if line[0][1] == line[1][1]}
    assert ends == {-1.5, 7.5, 19.5, 28.5}


def test_points_open_and_tilted_contours_are_counted_as_not_drawn() -> None:
    odd = [
        contour([(0, 0, 0)], kind="POINT"),
        contour(rectangle(0, 5, 0, 5, 0.0), kind="OPEN_PLANAR"),
        contour([(0, 0, 0), (5, 0, 2), (5, 5, 4)]),
    ]
    (found,) = read_structures(structures(images(4), {"Marker": odd}, colour=None))
    assert (found.not_drawn, dict(found.contours), found.colour) == (3, {}, "#9CA3AF")


def test_contours_say_where_the_slices_lie() -> None:
    slices = images(4)
    contours = [contour(rectangle(z=z, **BOX), ds.SOPInstanceUID) for z, ds in zip(PLACES, slices, strict=True)]
    assert slice_places(structures(slices, {"PTV": contours})) == {
        ds.SOPInstanceUID: z for ds, z in zip(slices, PLACES, strict=True)
    }
