"""Dose: a gradient whose value is known at every place."""

from __future__ import annotations

import numpy as np
import pytest

from recovery.pictures.dose import DoseGrid, band_numbers, bands
from recovery.pictures.grids import refined, sampled, section
from recovery.pictures.image_series import ImageSlice, assemble
from recovery.pictures.refusals import PictureError
from tests.pictures.objects import dose_of, straight_slices
from tests.pictures.test_planning_image import places

POSITION = (-20.0, -8.0, 2.0)
OFFSETS = [0.0, 5.0, 10.0, 15.0]


def gray_at(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.asarray(30 + 0.1 * x + 0.2 * y + 0.5 * z)


def gradient(order: int = 1) -> np.ndarray:
    """Frames of 6 rows and 8 columns of 4 mm."""
    z, y, x = np.meshgrid(
        POSITION[2] + np.array(OFFSETS[::order]), POSITION[1] + 4 * np.arange(6), POSITION[0] + 4 * np.arange(8),
        indexing="ij",
    )  # fmt: skip
    return gray_at(x, y, z)


@pytest.mark.parametrize("plane", ["axial", "sagittal", "coronal"])
def test_a_gradient_is_sampled_linearly_and_not_at_all_outside_its_grid(plane: str) -> None:
    image = assemble([ImageSlice.from_dataset(ds) for ds in straight_slices()]).grid
    dose = DoseGrid.from_dataset(dose_of("1.2.3", gradient(), POSITION, OFFSETS))
    index = image.nearest(plane, 4.0)  # type: ignore[arg-type]
    cut = section(image, plane, index)  # type: ignore[arg-type]
    gray = sampled(dose.grid, cut)
    x, y, z = places(cut)
    inside = (x >= -20) & (x <= 8) & (y >= -8) & (y <= 12) & (z >= 2) & (z <= 17)
    assert inside.any()
    assert not inside.all()
    np.testing.assert_allclose(gray[inside], gray_at(x, y, z)[inside], atol=0.002)
    assert np.isnan(gray[~inside]).all()


@pytest.mark.parametrize(
    ("position", "offsets"),
    [(POSITION, [2.0, 7.0, 12.0, 17.0]), (POSITION, [0.0, 5.0, 10.0, 15.0]), ((-20.0, -8.0, 17.0), [0, -5, -10, -15])],
    ids=["absolute", "relative", "downwards"],
)
def test_frame_offsets_may_be_relative_absolute_or_downwards(position: tuple, offsets: list) -> None:
    gray = gradient(-1 if offsets[-1] < 0 else 1)
    dose = DoseGrid.from_dataset(dose_of("1.2.3", gray, position, offsets))
    np.testing.assert_allclose(dose.grid.z, [2, 7, 12, 17])
    np.testing.assert_allclose(dose.grid.values[3, 0, 0], gray_at(-20, -8, 17), atol=0.001)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"DoseUnits": "RELATIVE"}, "not in Gy"),
        ({"DoseGridScaling": None}, "DoseGridScaling"),
        ({"GridFrameOffsetVector": [0.0, 5.0]}, "does not say where its 4 frames lie"),
        ({"GridFrameOffsetVector": [1.0, 6.0, 11.0, 16.0]}, "neither relative nor absolute"),
        ({"ImageOrientationPatient": [0.8, 0.6, 0, -0.6, 0.8, 0]}, "tilted by 36.9°"),
    ],
)
def test_a_dose_that_cannot_be_placed_or_scaled_is_refused(change: dict, said: str) -> None:
    with pytest.raises(PictureError, match=said):
        DoseGrid.from_dataset(dose_of("1.2.3", gradient(), POSITION, OFFSETS, **change))


def test_bands_are_of_the_prescribed_dose_in_gray() -> None:
    steps = bands(40.0, 41.0)
    assert [(round(step.lower, 2), step.share) for step in steps] == [
        (40.0, 1.0), (38.0, 0.95), (32.0, 0.8), (20.0, 0.5), (8.0, 0.2)
    ]  # fmt: skip
    image = assemble([ImageSlice.from_dataset(ds) for ds in straight_slices()]).grid
    dose = DoseGrid.from_dataset(dose_of("1.2.3", gradient(), POSITION, OFFSETS))
    cut = section(image, "axial", 2)
    numbers = band_numbers(dose, cut, steps)
    assert numbers.shape == (7 * 20, 7 * 30)  # of a coarse image each pixel is divided
    fine = refined(cut, 200)
    assert (fine.right[0] + fine.right[6]) / 2 == pytest.approx(cut.right[0])
    gray = sampled(dose.grid, fine)
    assert (numbers[np.isnan(gray)] == -1).all()
    assert {steps[n].lower for n in numbers[gray >= 32]} == {32.0}
    for number, step in enumerate(steps):
        assert (gray[numbers == number] >= step.lower).all()
        assert not (numbers[gray < step.lower] == number).any()
