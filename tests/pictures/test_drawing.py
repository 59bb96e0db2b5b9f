"""The drawn picture: pixels, lines and letters at their places."""

from __future__ import annotations

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from recovery.pictures.dose import Band
from recovery.pictures.drawing import Overlay, draw_reference_image, draw_section
from recovery.pictures.grids import section
from recovery.pictures.image_series import ImageSlice, assemble
from recovery.pictures.reference_image import ReferenceImage
from recovery.pictures.structures import read_structures
from tests.objects import images, obj
from tests.pictures.objects import contour, rectangle, straight_slices, structures

SVG = "{http://www.w3.org/2000/svg}"


def pixels_of(picture: str, number: int = 0) -> np.ndarray:
    """The PNG inside, as it is shown."""
    element = ElementTree.fromstring(picture).findall(f".//{SVG}image")[number]
    data = base64.b64decode(element.attrib["href"].removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def test_grey_runs_from_black_to_white_across_the_window() -> None:
    grid = assemble([ImageSlice.from_dataset(ds) for ds in straight_slices()]).grid
    cut = section(grid, "axial", 0)
    shown = pixels_of(draw_section(cut, (0.0, 200.0), Overlay()))[..., 0]
    assert (shown[cut.values <= -100] == 0).all()
    assert (shown[cut.values >= 100] == 255).all()
    middle = np.abs(cut.values) < 2
    assert middle.any()
    assert np.abs(shown[middle].astype(float) - 127.5).max() < 4


def test_missing_slices_are_transparent_over_a_hatching() -> None:
    grid = assemble(
        [ImageSlice.from_dataset(d) for d in straight_slices(positions=[(0, 0, z) for z in (0, 4, 12, 16)])]
    )
    picture = draw_section(section(grid.grid, "sagittal", 2), (0.0, 400.0), Overlay())
    shown = pixels_of(picture)
    assert list(shown[:, 0, 3]) == [255, 255, 0, 255, 255]
    assert 'fill="url(#empty)"' in picture


@pytest.mark.parametrize(
    ("plane", "index", "expected"),
    [("axial", 2, (-10.0, 30.0, -5.0, 15.0)), ("coronal", 10, (-10.0, 30.0, -14.0, -2.0))],
)
def test_a_contour_lies_on_the_picture_in_mm_with_the_head_at_the_top(plane: str, index: int, expected: tuple) -> None:
    """On other planes than the axial one z is drawn upwards: 4 to 12 mm, and half a slice more on each side."""
    slices = straight_slices()
    box = [contour(rectangle(-10, 30, -5, 15, z)) for z in (4.0, 8.0, 12.0)]
    grid = assemble([ImageSlice.from_dataset(ds) for ds in slices]).grid
    overlay = Overlay(read_structures(structures(slices, {"PTV": box})), (0.0, 0.0, 8.0), thickness=4.0)
    picture = draw_section(section(grid, plane, index), (0.0, 400.0), overlay)  # type: ignore[arg-type]
    (path,) = re.findall(r'<path d="([^"]+)" fill="none" stroke="#ff0000"', picture)
    numbers = np.array(re.findall(r"-?\d+\.\d+", path), dtype=float).reshape(-1, 2)
    assert (numbers[:, 0].min(), numbers[:, 0].max()) == expected[:2]
    assert (numbers[:, 1].min(), numbers[:, 1].max()) == expected[2:]
    box_of_view = [float(v) for v in ElementTree.fromstring(picture).attrib["viewBox"].split()]
    assert box_of_view[0] <= -40 <= box_of_view[0] + box_of_view[2]


def test_the_isocentre_is_dashed_where_it_lies_in_another_slice() -> None:
    grid = assemble([ImageSlice.from_dataset(ds) for ds in straight_slices()]).grid
    here, elsewhere = (
        draw_section(section(grid, "axial", index), (0.0, 400.0), Overlay((), (10.0, -3.0, 8.0))) for index in (2, 4)
    )
    assert "M1.00 -3.00h18M10.00 -12.00v18" in here
    assert "stroke-dasharray" not in here
    assert "stroke-dasharray" in elsewhere


def test_dose_bands_have_their_own_colours_and_none_outside() -> None:
    grid = assemble([ImageSlice.from_dataset(ds) for ds in straight_slices()]).grid
    cut = section(grid, "axial", 0)
    numbers = np.full(cut.values.shape, -1, dtype=np.int8)
    numbers[0, :2] = [0, 1]
    steps = [Band(38.0, 0.95, "#FACC15"), Band(20.0, 0.5, "#06B6D4")]
    shown = pixels_of(draw_section(cut, (0.0, 400.0), Overlay((), (), steps, numbers)), 1)
    assert [tuple(int(v) for v in pixel) for pixel in shown[0, :2]] == [(250, 204, 21, 255), (6, 182, 212, 255)]
    assert (shown[1:, :, 3] == 0).all()


def test_what_a_structure_is_called_never_becomes_part_of_the_picture() -> None:
    slices = images(2)
    found = read_structures(structures(slices, {"<script>": [contour(rectangle(0, 5, 0, 5, 0.0))]}))
    grid = assemble([ImageSlice.from_dataset(ds) for ds in straight_slices()]).grid
    picture = draw_section(section(grid, "axial", 0), (0.0, 400.0), Overlay(found, ()))
    assert "<script>" not in picture


def test_the_beams_axis_meets_a_reference_image_where_its_position_says() -> None:
    """A DRR at 1500 mm of a source that is 1000 mm from the isocentre: its pixels are two thirds as large there."""
    elements = {
        "RTImagePlane": "NORMAL", "RTImageOrientation": [1, 0, 0, 0, -1, 0], "RTImagePosition": [-30.0, 12.0],
        "ImagePlanePixelSpacing": [3.0, 1.5], "RadiationMachineSAD": 1000, "RTImageSID": 1500, "Rows": 10,
        "Columns": 40, "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0,
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "GantryAngle": 90,
        "PixelData": np.arange(400, dtype="<u2").tobytes(),
    }  # fmt: skip
    image = ReferenceImage.from_dataset(obj("1.2.840.10008.5.1.4.1.1.481.1", "RTIMAGE", **elements))
    assert image.axis == (4.0, 20.0)
    assert image.spacing == pytest.approx((2.0, 1.0))
    picture = draw_reference_image(image, image.window)
    assert "M0 9.00H40.00M20.50 0V20.00" in picture
    turned = ReferenceImage.from_dataset(
        obj("1.2.840.10008.5.1.4.1.1.481.1", "RTIMAGE", **elements | {"RTImageOrientation": [0, 1, 0, 1, 0, 0]})
    )
    assert turned.axis is None
