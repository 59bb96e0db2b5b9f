"""Pictures of real objects: a breast plan with its CT slice, structure set and dose; arcs, ions and portal images."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from recovery.pictures.beams_eye import beams_eye_views
from recovery.pictures.dose import DoseGrid
from recovery.pictures.grids import sampled, section
from recovery.pictures.image_series import ImageSlice, assemble
from recovery.pictures.reference_image import ReferenceImage
from recovery.pictures.structures import outlines, read_structures, slice_places
from tests.testdata import TESTDATA, WHERE, is_there

pytestmark = pytest.mark.skipif(not is_there(), reason=f"PICTURES NOT TESTED ON REAL OBJECTS: {WHERE}")


def real(name: str) -> Dataset:
    return dcmread(TESTDATA / name, force=True)


def test_a_real_ct_slice_lies_where_its_structure_set_says() -> None:
    slice_ = ImageSlice.from_dataset(real("set_dicompyler/ct.0.dcm"))
    named = real("set_dicompyler/rtss.dcm")
    grid = assemble([slice_]).grid
    assert slice_places(named)[slice_.sop_instance_uid or ""] == pytest.approx(grid.z[0], abs=0.01)
    body = next(s for s in read_structures(named) if s.roi_name == "BODY")
    cut = section(grid, "axial", 0)
    (line, *_) = sorted(outlines(body, "axial", cut.at, 3.0), key=len, reverse=True)
    inside = [
        cut.values[np.argmin(np.abs(cut.down - y)), np.argmin(np.abs(cut.right - np.mean([p[0] for p in line])))]
        for y in [np.mean([p[1] for p in line])]
    ]
    assert -200 < inside[0] < 300  # tissue within the body's outline, air (-1000) far from it
    assert cut.values[0, 0] < -900


def test_a_real_dose_has_its_maximum_where_the_grid_says() -> None:
    dose = DoseGrid.from_dataset(real("set_dicompyler/rtdose.dcm"))
    assert dose.maximum == pytest.approx(14.6808, abs=0.001)
    k, j, i = np.unravel_index(int(np.argmax(dose.grid.values)), dose.grid.values.shape)
    cut = section(dose.grid, "coronal", int(j))
    gray = sampled(dose.grid, cut)
    np.testing.assert_allclose(gray, cut.values, atol=1e-4)
    assert cut.values[len(cut.down) - 1 - int(k), int(i)] == pytest.approx(dose.maximum)


@pytest.mark.parametrize(
    ("name", "beams", "leaves", "travel"),
    [
        ("set_dicompyler/rtplan.dcm", 4, 60, 0),
        ("pymedphys/vmat_example.dcm", 2, 80, 60),
        ("pydicom/rtplan.dcm", 1, 0, 0),
    ],
)
def test_real_plans_show_their_leaves_and_arcs(name: str, beams: int, leaves: int, travel: float) -> None:
    views = beams_eye_views(real(name))
    assert len(views) == beams
    assert sum(len(bank.pairs) for bank in views[0].leaf_banks) == leaves
    assert views[0].gantry_travel == pytest.approx(travel)
    assert all(first <= second for bank in views[0].leaf_banks for first, second in bank.pairs)


def test_a_real_ion_plan_shows_spots_and_no_leaves() -> None:
    (view, *_) = beams_eye_views(real("topas_rti/rtip_demo.dcm"))
    assert not view.leaf_banks
    assert len(view.spots) == 3
    assert "no jaws and no MLC" in view.remarks[0]


@pytest.mark.parametrize("name", ["pynetdicom/RTImageStorage.dcm", "fo-dicom/RI6XDosiGap.dcm"])
def test_real_portal_images_have_pixels_and_a_scale(name: str) -> None:
    image = ReferenceImage.from_dataset(real(name))
    assert min(image.values.shape) >= 768
    assert image.spacing is not None
    assert 0.2 < image.spacing[0] < 0.3
    assert image.window[1] > 0
