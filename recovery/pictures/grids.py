"""Values on a grid that stands straight in the patient, and the three planes that one looks at.

Every grid is turned to one order: `values[z, y, x]` with x to the patient's left, y to the back, z to the head (PS3.3
C.7.6.2.1.1), coordinates in mm and ascending. A plane is then a slice of an array. Oblique grids are refused: they need
interpolation, and a picture that is a little wrong is not noticed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from recovery.dicom import elements as el
from recovery.pictures.refusals import PictureError

Plane = Literal["axial", "sagittal", "coronal"]
PLANES: tuple[Plane, ...] = ("axial", "sagittal", "coronal")

TILT = 0.002
"""The largest direction cosine across an axis that still counts as none: 0.6 mm over 300 mm."""

_LOOK_ELSEWHERE = "It is not drawn rather than drawn wrongly: look at it in the RT-PACS's own viewer."

_ACROSS: dict[Plane, str] = {"axial": "z", "sagittal": "x", "coronal": "y"}
_DIMENSION = {"z": 0, "y": 1, "x": 2}
_SEEN: dict[Plane, tuple[str, str]] = {"axial": ("x", "y"), "sagittal": ("y", "z"), "coronal": ("x", "z")}
"""Per plane: the axis that runs to the right, and the one that runs down (y) or up (z)."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where pixels lie: the Image Plane Module (PS3.3 C.7.6.2). Lengths in mm."""

    position: tuple[float, ...]
    """Of the centre of the first pixel: x, y, z."""
    orientation: tuple[float, ...]
    """Direction cosines of a row, then of a column."""
    row_spacing: float
    column_spacing: float

    @classmethod
    def from_dataset(cls, ds: Dataset, what: str) -> Placement:
        """Read it; `what` begins the sentence of a refusal, such as `The planning image`.

        Raises `PictureError` if an element is absent or is none.
        """
        position = el.numbers(ds, "ImagePositionPatient")
        orientation = el.numbers(ds, "ImageOrientationPatient")
        spacing = el.numbers(ds, "PixelSpacing")
        if len(position) != 3 or len(orientation) != 6 or len(spacing) != 2 or min(spacing, default=0.0) <= 0:
            raise PictureError(f"{what} does not say where its pixels lie in the patient. {_LOOK_ELSEWHERE}")
        return cls(position, orientation, spacing[0], spacing[1])

    @property
    def normal(self) -> tuple[float, float, float]:
        """The direction in which frames follow each other: row x column."""
        a, b = self.orientation[:3], self.orientation[3:]
        return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])

    def along_normal(self) -> float:
        """How far along the normal the first pixel lies, in mm."""
        return sum(p * n for p, n in zip(self.position, self.normal, strict=True))


@dataclass(frozen=True, slots=True)
class Grid:
    """`values` of shape (z, y, x); `x`, `y`, `z` the coordinates of their centres in mm, each ascending."""

    values: NDArray[Any]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    z: NDArray[np.float64]

    def axis(self, name: str) -> NDArray[np.float64]:
        return {"x": self.x, "y": self.y, "z": self.z}[name]

    def positions(self, plane: Plane) -> NDArray[np.float64]:
        """Where there are slices of a plane, in mm, ascending."""
        return self.axis(_ACROSS[plane])

    def nearest(self, plane: Plane, at: float) -> int:
        """The number of the slice of a plane that lies nearest to `at` (mm)."""
        return int(np.argmin(np.abs(self.positions(plane) - at)))


@dataclass(frozen=True, slots=True)
class Section:
    """A plane through a grid as it is looked at: rows from top to bottom, columns from left to right.

    `right` (mm, ascending) and `down` (mm) are the coordinates of pixel centres; NaN in `values` is "nothing known".
    Axial and coronal are seen with the patient's right on the left, sagittal with the front on the left; the head is
    at the top.
    """

    plane: Plane
    at: float
    values: NDArray[np.float32]
    right: NDArray[np.float64]
    down: NDArray[np.float64]


def check_straight(placement: Placement, what: str) -> None:
    """Raise `PictureError`, with the angle, if rows or columns are tilted against the patient's axes."""
    _axis_of(placement.orientation[:3], what)
    _axis_of(placement.orientation[3:], what)


def placed(values: NDArray[Any], placement: Placement, offsets: Sequence[float], what: str) -> Grid:
    """Turn a stack of frames into a grid.

    `values` of shape (frames, rows, columns); `offsets` in mm from the first frame along the normal.

    Raises `PictureError` if the frames are tilted against the patient's axes.
    """
    along_row, along_column = placement.orientation[:3], placement.orientation[3:]
    _, rows, columns = values.shape
    steps = (
        (_axis_of(placement.normal, what), np.asarray(offsets, dtype=float)),
        (_axis_of(along_column, what), np.arange(rows) * placement.row_spacing),
        (_axis_of(along_row, what), np.arange(columns) * placement.column_spacing),
    )
    if sorted(axis for (axis, _), _ in steps) != [0, 1, 2]:
        raise PictureError(f"{what} has rows and columns in one direction. {_LOOK_ELSEWHERE}")
    coordinates: dict[int, NDArray[np.float64]] = {}
    turned = values
    for dimension, ((axis, sign), distances) in enumerate(steps):
        along = placement.position[axis] + sign * distances
        order = np.argsort(along, kind="stable")
        if not np.array_equal(order, np.arange(len(along))):
            is_reversed = np.array_equal(order[::-1], np.arange(len(along)))
            turned = np.flip(turned, dimension) if is_reversed else np.take(turned, order, axis=dimension)
        coordinates[axis] = along[order]
    dimension_of = {axis: dimension for dimension, ((axis, _), _) in enumerate(steps)}
    turned = np.transpose(turned, (dimension_of[2], dimension_of[1], dimension_of[0]))
    return Grid(turned, coordinates[0], coordinates[1], coordinates[2])


def section(grid: Grid, plane: Plane, index: int) -> Section:
    """The slice number `index` of a plane. Where slices are missing, the pixels that they would fill are NaN."""
    rightwards, downwards = _SEEN[plane]
    values = np.take(grid.values, index, axis=_DIMENSION[_ACROSS[plane]]).astype(np.float32)
    values, right = _even(values, 1, grid.axis(rightwards))
    values, down = _even(values, 0, grid.axis(downwards))
    if downwards == "z":
        values, down = values[::-1], down[::-1]
    return Section(plane, float(grid.positions(plane)[index]), values, right, down)


def sampled(grid: Grid, like: Section) -> NDArray[np.float32]:
    """The grid's values at the pixels of a section of another grid, linear between its own; NaN outside of it."""
    rightwards, downwards = _SEEN[like.plane]
    across = _ACROSS[like.plane]
    # Cut to the one plane first: the rest is then small.
    values = _between(grid.values, _DIMENSION[across], grid.axis(across), np.array([like.at]))
    values = _between(values, _DIMENSION[downwards], grid.axis(downwards), like.down)
    values = _between(values, _DIMENSION[rightwards], grid.axis(rightwards), like.right)
    return np.squeeze(values, axis=_DIMENSION[across]).astype(np.float32)


def refined(cut: Section, pixels: int) -> Section:
    """The same plane with each pixel divided until it has at least so many across; `values` stay as they were."""
    times = max(1, -(-pixels // max(len(cut.right), 1)))
    return replace(cut, right=_divided(cut.right, times), down=_divided(cut.down, times))


def step_of(coordinates: NDArray[np.float64]) -> float | None:
    """The usual distance between neighbours, in mm; None of one alone."""
    return float(np.median(np.diff(coordinates))) if len(coordinates) > 1 else None


def _axis_of(direction: Sequence[float], what: str) -> tuple[int, int]:
    """The axis that a direction runs along (0 x, 1 y, 2 z), and its sign."""
    axis = max(range(3), key=lambda i: abs(direction[i]))
    across = [abs(direction[i]) for i in range(3) if i != axis]
    if max(across) > TILT or abs(abs(direction[axis]) - 1) > TILT:
        degrees = math.degrees(math.atan2(math.hypot(*across), abs(direction[axis])))
        raise PictureError(f"{what} is tilted by {degrees:.1f}° against the patient's axes. {_LOOK_ELSEWHERE}")
    return axis, 1 if direction[axis] > 0 else -1


def _even(
    values: NDArray[np.float32], dimension: int, along: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The values at even distances: each from its nearest slice, NaN where that is more than 0.6 steps away."""
    step = step_of(along)
    if step is None or np.allclose(np.diff(along), step, atol=0.02 * step):
        return values, along
    even = np.arange(round((along[-1] - along[0]) / step) + 1) * step + along[0]
    after = np.clip(np.searchsorted(along, even), 1, len(along) - 1)
    nearest = np.where(even - along[after - 1] <= along[after] - even, after - 1, after)
    taken = np.take(values, nearest, axis=dimension)
    is_far = np.abs(along[nearest] - even) > 0.6 * step
    taken[(is_far, slice(None)) if dimension == 0 else (slice(None), is_far)] = np.nan
    return taken, even


def _between(
    values: NDArray[Any], dimension: int, along: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[Any]:
    """Linear interpolation along one dimension; NaN outside."""
    if len(along) == 1:
        near = np.abs(wanted - along[0]) < 1e-3
        taken = np.take(values, np.zeros(len(wanted), dtype=int), axis=dimension).astype(np.float32)
        return np.where(_spread(near, dimension), taken, np.nan)
    after = np.clip(np.searchsorted(along, wanted), 1, len(along) - 1)
    share = (wanted - along[after - 1]) / (along[after] - along[after - 1])
    inside = (share >= -1e-6) & (share <= 1 + 1e-6)
    weight = _spread(np.clip(share, 0, 1).astype(np.float32), dimension)
    low, high = (np.take(values, i, axis=dimension).astype(np.float32) for i in (after - 1, after))
    return np.where(_spread(inside, dimension), low + (high - low) * weight, np.nan)


def _divided(along: NDArray[np.float64], times: int) -> NDArray[np.float64]:
    if len(along) < 2 or times == 1:
        return along
    step = (along[-1] - along[0]) / (len(along) - 1)
    first = along[0] - step / 2 + step / times / 2
    return np.asarray(first + np.arange(len(along) * times) * step / times)


def _spread(vector: NDArray[Any], dimension: int) -> NDArray[Any]:
    shape = [1, 1, 1]
    shape[dimension] = len(vector)
    return vector.reshape(shape)
