"""The planning image: single slices of CT, MR or PET as one volume.

`ImageSlice.from_dataset` is the door; `assemble` sorts slices along their normal (never by InstanceNumber, which a
scanner may start anywhere) and checks that they make one stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID

from recovery.dicom import elements as el
from recovery.pictures.grids import Grid, Placement, check_straight, placed
from recovery.pictures.refusals import PictureError
from recovery.words.values import counted

_WHAT = "The planning image"
_SAME_PLACE_MM = 0.01
_DRIFT_MM = 0.5
"""How far slices of one stack may be shifted against each other."""

_UNDECODABLE = (*el.UNREADABLE, RuntimeError)
"""RuntimeError: what pydicom raises for pixels of which it has no decoder that can be used."""


@dataclass(frozen=True, slots=True)
class ImageSlice:
    """One slice. `values` of shape (rows, columns) in HU for CT, else in the scanner's own numbers."""

    sop_instance_uid: str | None
    modality: str | None
    placement: Placement
    values: NDArray[Any]
    window: tuple[float, float] | None
    """WindowCenter and WindowWidth, where the image says them."""

    @classmethod
    def from_dataset(cls, ds: Dataset) -> ImageSlice:
        """Read a slice with its rescale slope and intercept (PS3.3 C.11.1.1.2).

        Raises `PictureError` if it is multi-frame or in colour, does not say where it lies, or cannot be decompressed.
        """
        placement = Placement.from_dataset(ds, "A slice of the planning image")
        values = rescaled(ds, "A slice of the planning image")
        centre, width = el.number(ds, "WindowCenter"), el.number(ds, "WindowWidth")
        window = (centre, width) if centre is not None and width is not None and width >= 1 else None
        return cls(el.text(ds, "SOPInstanceUID"), el.text(ds, "Modality"), placement, values, window)


@dataclass(frozen=True, slots=True)
class ImageVolume:
    """A stack of slices. `remarks` name what is missing or odd, in sentences."""

    grid: Grid
    modality: str | None
    window: tuple[float, float] | None
    remarks: tuple[str, ...] = ()


def rescaled(ds: Dataset, what: str) -> NDArray[Any]:
    """The pixels of a single-frame grey image, of shape (rows, columns), as integers of 16 bits where they fit.

    Raises `PictureError` if it is multi-frame or in colour, or cannot be decompressed.
    """
    stored = decoded(ds, what)
    if stored.ndim != 2:
        raise PictureError(f"{what} is a multi-frame or colour object, which is not drawn here.")
    slope, intercept = el.number(ds, "RescaleSlope"), el.number(ds, "RescaleIntercept")
    values = stored.astype(np.float32)
    if slope is not None and intercept is not None:
        values = values * np.float32(slope) + np.float32(intercept)
    is_whole = bool(np.all(values == np.rint(values)))
    if is_whole and values.size and values.min() >= -32768 and values.max() <= 32767:
        return values.astype(np.int16)
    return values


def decoded(ds: Dataset, what: str) -> NDArray[Any]:
    """The stored pixels. Raises `PictureError` if there are none, or they cannot be decompressed."""
    if "PixelData" not in ds:
        raise PictureError(f"{what} holds no pixels.")
    try:
        return pixel_array(ds)
    except _UNDECODABLE as error:
        syntax = UID(el.text(ds.file_meta if hasattr(ds, "file_meta") else None, "TransferSyntaxUID") or "")
        if syntax.is_transfer_syntax and syntax.is_compressed:
            raise PictureError(
                f"{what} is compressed as {syntax.name}, which this installation cannot decompress. With "
                '[pacs] retrieve = "get" the RT-PACS is asked for it uncompressed; else look at it in its own viewer.'
            ) from error
        raise PictureError(f"{what} has pixels that cannot be read ({type(error).__name__}).") from error


def assemble(slices: Sequence[ImageSlice]) -> ImageVolume:
    """Make one volume of slices, in any order.

    Raises `PictureError` if they do not make one stack: another orientation, size or spacing, two at one place, one
    shifted sideways.
    """
    if not slices:
        raise PictureError("The planning image has no slices that could be read.")
    ordered = sorted(slices, key=lambda s: s.placement.along_normal())
    first = ordered[0]
    check_straight(first.placement, _WHAT)
    for one in ordered[1:]:
        _check_same_stack(first, one)
    offsets = np.array([s.placement.along_normal() for s in ordered]) - first.placement.along_normal()
    gaps = np.diff(offsets)
    if len(gaps) and gaps.min() < _SAME_PLACE_MM:
        raise PictureError(
            f"{int((gaps < _SAME_PLACE_MM).sum()) + 1} slices of the planning image lie at one place: it is no single "
            "volume (phases, echoes?). Look at it in the RT-PACS's own viewer."
        )
    kind = np.result_type(*{s.values.dtype for s in ordered})
    stack = np.stack([s.values.astype(kind, copy=False) for s in ordered])
    grid = placed(stack, first.placement, offsets.tolist(), _WHAT)
    axis = int(np.argmax(np.abs(first.placement.normal)))
    return ImageVolume(grid, first.modality, first.window, tuple(_missing(grid.axis("xyz"[axis]), "xyz"[axis])))


def _check_same_stack(first: ImageSlice, one: ImageSlice) -> None:
    a, b = first.placement, one.placement
    same = (
        np.allclose(a.orientation, b.orientation, atol=1e-3)
        and np.allclose((a.row_spacing, a.column_spacing), (b.row_spacing, b.column_spacing), rtol=1e-3)
        and first.values.shape == one.values.shape
    )
    if not same:
        raise PictureError("The slices of the planning image differ in orientation, size or spacing: not one volume.")
    between = np.subtract(b.position, a.position)
    sideways = between - np.dot(between, a.normal) * np.array(a.normal)
    if np.abs(sideways).max() > _DRIFT_MM:
        raise PictureError(
            "The slices of the planning image are shifted sideways against each other (a tilted gantry?). They are "
            "not drawn rather than drawn wrongly: look at them in the RT-PACS's own viewer."
        )


def _missing(along: NDArray[np.float64], axis: str) -> list[str]:
    """A sentence for each gap that is wider than the usual distance by half."""
    if len(along) < 3:
        return []
    gaps = np.diff(along)
    step = float(np.median(gaps))
    sentences = []
    for index in np.flatnonzero(gaps > 1.5 * step):
        number = max(1, round(gaps[index] / step) - 1)
        count = counted(number, "slice is", "slices are")
        between = f"{axis} {along[index]:.1f} and {along[index + 1]:.1f} mm"
        sentences.append(f"{count} missing between {between}; the place is left empty.")
    return sentences
