"""The planning image: every pixel at its own place, whatever order slices, rows and columns come in."""

from __future__ import annotations

import random

import numpy as np
import pytest
from pydicom.uid import JPEGLosslessSV1

from recovery.pictures.grids import PLANES, Section, section
from recovery.pictures.image_series import ImageSlice, ImageVolume, assemble
from recovery.pictures.refusals import PictureError
from tests.pictures.objects import AXIAL, CORONAL, PRONE, SAGITTAL, hu_at, straight_slices


def volume_of(slices: list) -> ImageVolume:
    return assemble([ImageSlice.from_dataset(ds) for ds in slices])


def places(cut: Section) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y and z of each pixel of a section."""
    right, down = np.meshgrid(cut.right, cut.down)
    at = np.full(right.shape, cut.at)
    return {"axial": (right, down, at), "coronal": (right, at, down), "sagittal": (at, right, down)}[cut.plane]


@pytest.mark.parametrize(
    ("orientation", "positions"),
    [
        (AXIAL, [(-40, -20, 4 * n) for n in range(5)]),
        (PRONE, [(40, 20, 4 * n) for n in range(5)]),
        (SAGITTAL, [(4 * n, -20, 30) for n in range(5)]),
        (CORONAL, [(-40, 4 * n, 30) for n in range(5)]),
    ],
    ids=["axial", "prone", "sagittal", "coronal"],
)
def test_each_pixel_of_each_plane_lies_at_its_own_place(orientation: tuple, positions: list) -> None:
    slices = straight_slices(orientation, positions)
    random.Random(1).shuffle(slices)
    grid = volume_of(slices).grid
    for plane in PLANES:
        for index in (0, len(grid.positions(plane)) - 1):
            cut = section(grid, plane, index)
            np.testing.assert_allclose(cut.values, hu_at(*places(cut)), atol=0.26)


def test_the_head_is_at_the_top_and_the_patients_right_on_the_left() -> None:
    grid = volume_of(straight_slices()).grid
    for plane in ("coronal", "sagittal"):
        assert section(grid, plane, 0).down[0] > section(grid, plane, 0).down[-1]
    axial = section(grid, "axial", 0)
    assert axial.right[0] < axial.right[-1]
    assert axial.down[0] < axial.down[-1]


def test_a_missing_slice_is_named_and_its_place_left_empty() -> None:
    positions = [(-40, -20, z) for z in (0, 4, 12, 16, 20)]
    volume = volume_of(straight_slices(positions=positions))
    assert volume.remarks == ("1 slice is missing between z 4.0 and 12.0 mm; the place is left empty.",)
    cut = section(volume.grid, "coronal", 3)
    assert list(cut.down) == [20, 16, 12, 8, 4, 0]
    assert np.isnan(cut.values[3]).all()
    assert not np.isnan(np.delete(cut.values, 3, axis=0)).any()


def test_a_tilted_image_is_refused_with_its_angle() -> None:
    tilt = np.radians(12)
    orientation = (1, 0, 0, 0, float(np.cos(tilt)), float(np.sin(tilt)))
    with pytest.raises(PictureError, match=r"tilted by 12\.0°.*own viewer"):
        volume_of(straight_slices(orientation))


def test_a_sheared_stack_is_refused() -> None:
    with pytest.raises(PictureError, match="shifted sideways against each other"):
        volume_of(straight_slices(positions=[(-40, -20 + n, 4 * n) for n in range(3)]))


def test_two_images_at_one_place_are_refused() -> None:
    with pytest.raises(PictureError, match="2 slices of the planning image lie at one place"):
        volume_of(straight_slices(positions=[(-40, -20, z) for z in (0, 4, 4, 8)]))


def test_an_image_that_does_not_say_where_it_lies_is_refused() -> None:
    slices = straight_slices()
    del slices[2].ImagePositionPatient
    with pytest.raises(PictureError, match="does not say where its pixels lie"):
        volume_of(slices)


def test_a_compression_that_cannot_be_undone_is_named_with_what_to_do() -> None:
    ds = straight_slices()[0]
    ds.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    ds.PixelData = (
        b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0\x04\x00\x00\x00abcd\xfe\xff\xdd\xe0\x00\x00\x00\x00"
    )
    ds["PixelData"].is_undefined_length = True
    with pytest.raises(PictureError, match=r"compressed as JPEG Lossless.*retrieve"):
        ImageSlice.from_dataset(ds)


@pytest.mark.parametrize("syntax", ["1.2.3", "1.2.840.10008.5.1.4.1.1.2", ["1.2.840.10008.1.2", "1.2"]])
def test_pixels_in_a_transfer_syntax_that_is_none_are_told(syntax: object) -> None:
    ds = straight_slices()[0]
    ds.file_meta.TransferSyntaxUID = syntax
    with pytest.raises(PictureError, match="pixels that cannot be read"):
        ImageSlice.from_dataset(ds)


def test_pixels_of_a_wrong_length_are_told() -> None:
    ds = straight_slices()[0]
    ds.PixelData = ds.PixelData[:100]
    with pytest.raises(PictureError, match="pixels that cannot be read"):
        ImageSlice.from_dataset(ds)
