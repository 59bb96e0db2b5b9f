"""A dose distribution in Gy, and its bands on a slice.

`DoseGrid.from_dataset` is the door: DoseGridScaling, frames by GridFrameOffsetVector (PS3.3 C.8.8.3.2). Between its
voxels it is interpolated linearly, as planning systems do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from recovery.dicom import elements as el
from recovery.pictures.grids import Grid, Placement, Section, placed, refined, sampled
from recovery.pictures.image_series import decoded
from recovery.pictures.refusals import PictureError

SHARES = (1.07, 1.0, 0.95, 0.8, 0.5, 0.2)
"""The bands' lower edges as shares of the prescribed dose, as prescribing reports name them."""
COLOURS = ("#DC2626", "#F97316", "#FACC15", "#22C55E", "#06B6D4", "#2563EB")

_WHAT = "The dose"
_PIXELS = 200


@dataclass(frozen=True, slots=True)
class DoseGrid:
    """`grid` in Gy. `summation_type`: PLAN, FRACTION, BEAM … as DoseSummationType (3004,000A) says."""

    sop_instance_uid: str | None
    grid: Grid
    summation_type: str | None
    dose_type: str | None
    references: tuple[tuple[int | None, tuple[int, ...]], ...] = ()
    """The fraction groups that it is of, each with its beams or application setups; none where it names only a plan."""
    is_of: str = ""
    """What of the plan it is, in words; empty until `dose_parts` looked at all doses of the plan."""
    is_whole: bool = False
    """Whether it is the dose of the whole plan."""

    @property
    def maximum(self) -> float:
        """Gy."""
        return float(self.grid.values.max())

    @classmethod
    def from_dataset(cls, ds: Dataset) -> DoseGrid:
        """Read an RT Dose.

        Raises `PictureError` if it is relative, lacks its scaling or its frames' places, is tilted, or cannot be
        decompressed.
        """
        units = el.text(ds, "DoseUnits")
        if units != "GY":
            raise PictureError(f"{_WHAT} is not in Gy (DoseUnits {units or 'absent'}); it is not drawn.")
        scaling = el.number(ds, "DoseGridScaling")
        if scaling is None or scaling <= 0:
            raise PictureError(f"{_WHAT} has no DoseGridScaling: its numbers cannot be turned into Gy.")
        stored = decoded(ds, _WHAT)
        frames = stored[None] if stored.ndim == 2 else stored
        placement = Placement.from_dataset(ds, _WHAT)
        grid = placed(
            (frames * np.float32(scaling)).astype(np.float32), placement, _offsets(ds, placement, len(frames)), _WHAT
        )
        kind = el.text(ds, "DoseSummationType"), el.text(ds, "DoseType")
        return cls(el.text(ds, "SOPInstanceUID"), grid, *kind, tuple(_references(ds)))


@dataclass(frozen=True, slots=True)
class Band:
    """A step of the wash: from `lower` Gy up to the next."""

    lower: float
    share: float | None
    """Of the prescribed dose; None where bands are parts of the maximum."""
    colour: str


def bands(prescribed: float | None, maximum: float) -> list[Band]:
    """The steps of the wash, highest first: shares of the prescribed dose (Gy), of the maximum where it is unknown."""
    if prescribed:
        return [Band(s * prescribed, s, c) for s, c in zip(SHARES, COLOURS, strict=True) if s * prescribed <= maximum]
    return [Band(s * maximum, None, c) for s, c in zip((0.95, 0.8, 0.5, 0.2), COLOURS[1:], strict=False)]


def band_numbers(dose: DoseGrid, like: Section, steps: list[Band]) -> NDArray[np.int8]:
    """The number of the band in `steps` at each place of a section, -1 below all of them and outside of the grid.

    Of a coarse image each pixel is divided: the dose is smoother than its pixels.
    """
    gray = sampled(dose.grid, refined(like, _PIXELS))
    numbers = np.full(gray.shape, -1, dtype=np.int8)
    for index in range(len(steps) - 1, -1, -1):
        numbers[gray >= steps[index].lower] = index  # NaN is no number: outside stays -1
    return numbers


def _references(ds: Dataset) -> Iterator[tuple[int | None, tuple[int, ...]]]:
    for plan in el.items(ds, "ReferencedRTPlanSequence"):
        for group in el.items(plan, "ReferencedFractionGroupSequence"):
            numbers = [el.integer(b, "ReferencedBeamNumber") for b in el.items(group, "ReferencedBeamSequence")]
            setups = el.items(group, "ReferencedBrachyApplicationSetupSequence")
            numbers += [el.integer(setup, "ReferencedBrachyApplicationSetupNumber") for setup in setups]
            yield el.integer(group, "ReferencedFractionGroupNumber"), tuple(n for n in numbers if n is not None)


def _offsets(ds: Dataset, placement: Placement, frames: int) -> list[float]:
    """Frame offsets in mm along the normal. A vector that starts with the position's own z is absolute."""
    offsets = el.numbers(ds, "GridFrameOffsetVector")
    if frames == 1:
        return [0.0]
    if len(offsets) != frames:
        raise PictureError(f"{_WHAT} does not say where its {frames} frames lie (GridFrameOffsetVector).")
    if offsets[0] == 0:
        return list(offsets)
    if abs(offsets[0] - placement.position[2]) < 0.01 and abs(placement.normal[2]) > 0.99:
        return [(offset - offsets[0]) * placement.normal[2] for offset in offsets]
    raise PictureError(f"{_WHAT} has frame offsets that are neither relative nor absolute (PS3.3 C.8.8.3.2).")
