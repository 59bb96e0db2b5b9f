"""The picture cache: what was seen once is there again, bounded, and never a half."""

from __future__ import annotations

import os
import random
import stat
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from recovery.pictures.image_series import ImageSlice, ImageVolume, assemble
from recovery.pictures.shelf import Shelf
from tests.objects import plan
from tests.pictures.objects import straight_slices


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "pictures", 10_000_000)


def test_an_object_comes_back_as_it_was_and_no_other_user_may_read_the_folder(shelf: Shelf) -> None:
    ds = plan({1: 100.0})
    assert shelf.read(ds.SOPInstanceUID) is None
    shelf.write(ds)
    again = shelf.read(ds.SOPInstanceUID)
    assert again is not None
    assert again.RTPlanLabel == "Prost"
    assert stat.S_IMODE(shelf.folder.stat().st_mode) == 0o700
    assert not list(shelf.folder.glob(".*"))


def test_a_uid_that_is_a_path_stays_inside_the_folder(shelf: Shelf, tmp_path: Path) -> None:
    ds = plan({1: 100.0}, SOPInstanceUID="../../escape")
    shelf.write(ds)
    assert [path.parent for path in tmp_path.rglob("*.dcm")] == [shelf.folder]


@pytest.mark.parametrize("content", [b"", b"half", bytes(128) + b"DICM"])
def test_a_damaged_file_counts_as_absent_and_goes(shelf: Shelf, content: bytes) -> None:
    ds = plan({1: 100.0})
    shelf.write(ds)
    (path,) = shelf.folder.iterdir()
    path.write_bytes(content)
    assert shelf.read(ds.SOPInstanceUID) is None
    assert not path.exists()


def test_a_volume_comes_back_with_its_places_and_remarks(shelf: Shelf) -> None:
    whole = assemble([ImageSlice.from_dataset(ds) for ds in straight_slices()])
    shelf.write_volume("v", ImageVolume(whole.grid, "CT", (40.0, 400.0), ("a remark",)))
    again = shelf.read_volume("v")
    assert again is not None
    np.testing.assert_array_equal(again.grid.values, whole.grid.values)
    np.testing.assert_array_equal(again.grid.z, whole.grid.z)
    assert (again.modality, again.window, again.remarks) == ("CT", (40.0, 400.0), ("a remark",))


def test_a_volume_whose_values_are_damaged_counts_as_absent(shelf: Shelf) -> None:
    shelf.write_volume("v", assemble([ImageSlice.from_dataset(ds) for ds in straight_slices()]))
    (values,) = shelf.folder.glob("*.npy")
    whole = values.read_bytes()
    values.write_bytes(whole[:200])
    assert shelf.read_volume("v") is None
    shelf.write_volume("v", assemble([ImageSlice.from_dataset(ds) for ds in straight_slices()]))
    np.save(values, np.zeros((2, 2, 2), dtype=np.int16))
    assert shelf.read_volume("v") is None  # whole, and of another volume


def test_what_was_not_looked_at_for_longest_goes_first(tmp_path: Path) -> None:
    plans = [plan({1: 100.0}) for _ in range(4)]
    shelf = Shelf(tmp_path / "pictures", 1_000_000)
    for age, ds in enumerate(plans[:3]):
        shelf.write(ds)
        for path in shelf.folder.iterdir():
            os.utime(path, (1000 - age, 1000 - age)) if path.stat().st_mtime > 2000 else None
    assert shelf.read(plans[1].SOPInstanceUID) is not None  # looked at just now
    size = sum(path.stat().st_size for path in shelf.folder.iterdir())
    shelf.limit_bytes = size
    shelf.write(plans[3])
    assert shelf.read(plans[2].SOPInstanceUID) is None
    assert all(shelf.read(plans[n].SOPInstanceUID) is not None for n in (0, 1, 3))
    assert sum(path.stat().st_size for path in shelf.folder.iterdir()) <= size


def test_a_disk_that_takes_nothing_costs_no_picture(tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("a file where the folder should be")
    shelf = Shelf(tmp_path / "pictures", 1_000_000)
    shelf.write(plan({1: 100.0}))
    shelf.write_volume("v", assemble([ImageSlice.from_dataset(ds) for ds in straight_slices()]))
    assert shelf.read_volume("v") is None


def test_a_flipped_bit_of_any_picture_is_named_and_never_drawn(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    ds, by_seed = plan({1: 100.0}), random.Random(8)
    whole = assemble([ImageSlice.from_dataset(one) for one in straight_slices()])
    for number in range(150):
        shelf.write(ds)
        shelf.write_volume("v", whole)
        assert shelf.read(ds.SOPInstanceUID) and shelf.read_volume("v"), "looked at before it was damaged, too"
        path = sorted(shelf.folder.iterdir())[number % 3]
        data = bytearray(path.read_bytes())
        place, bit = by_seed.randrange(len(data)), by_seed.randrange(8)
        data[place] ^= 1 << bit
        path.write_bytes(data)
        caplog.clear()
        came = shelf.read(ds.SOPInstanceUID) if path.suffix == ".dcm" else shelf.read_volume("v")
        assert came is None, f"bit {bit} of byte {place} of {path.name}"
        assert path.stem in caplog.text
    shelf.write(ds)
    (path,) = shelf.folder.glob("*.dcm")
    assert dcmread(path).RTPlanLabel == "Prost", "still a file that any other program opens"
