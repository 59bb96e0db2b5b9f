"""Pictures from a real Orthanc: the first slice alone, the rest with progress, and an error that explains itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

from recovery.dicom.model import DicomNode, InstanceRef
from recovery.dimse import Peer
from recovery.pictures.dose import DoseGrid
from recovery.pictures.grids import section
from recovery.pictures.refusals import PictureError
from recovery.pictures.retrieval import Source, find_doses, read_first_slice, read_object, read_volume, volume_on_shelf
from recovery.pictures.shelf import Shelf
from tests.objects import encode, plan, uid
from tests.orthanc import HOW_TO_INSTALL, Orthanc, free_port, orthanc_is_installed
from tests.pictures.objects import contour, dose_of, hu_at, rectangle, straight_slices, structures

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=f"PICTURES NOT TESTED: {HOW_TO_INSTALL}")

LOCAL = DicomNode("RBRDT", "127.0.0.1", free_port())
PLACES = [4.0 * n for n in range(90)]


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    node = DicomNode("RTPACS", "127.0.0.1", free_port())
    with Orthanc(tmp_path_factory.mktemp("pacs"), node, peers=[LOCAL]) as server:
        yield server


@pytest.fixture
def source(pacs: Orthanc, tmp_path: Path) -> Source:
    return Source(Peer(LOCAL, pacs.node, "pacs", 10.0), "get", Shelf(tmp_path / "pictures", 100_000_000))


@pytest.fixture(scope="module")
def clinic(pacs: Orthanc) -> tuple[list[Dataset], Dataset]:
    """A series of 90 slices and the structure set that names them; one slice is not held."""
    slices = straight_slices(positions=[(-40, -20, z) for z in PLACES])
    contours = [contour(rectangle(0, 5, 0, 5, z), s.SOPInstanceUID) for z, s in zip(PLACES, slices, strict=True)]
    named = structures(slices, {"BODY": contours})
    for ds in [*slices[:7], *slices[8:], named]:
        pacs.put(encode(ds))
    return slices, named


def test_the_slice_through_the_isocentre_comes_first_and_alone(source: Source, clinic: tuple) -> None:
    volume = read_first_slice(source, clinic[1], 81.0)
    assert list(volume.grid.z) == [80.0]
    cut = section(volume.grid, "axial", 0)
    assert cut.values[0, 0] == pytest.approx(hu_at(-40, -20, 80), abs=0.3)
    assert len(list(source.shelf.folder.iterdir())) == 1


def test_the_series_comes_with_progress_and_its_missing_slice_is_named(source: Source, clinic: tuple) -> None:
    told: list[tuple[int, int]] = []
    volume = read_volume(source, clinic[1], lambda done, of: told.append((done, of)))
    assert told[0] == (0, 89)
    assert told[-1] == (89, 89)
    assert len(told) > 2
    assert volume.remarks == (
        "1 of the 90 slices that the structure set names is not in the RT-PACS.",
        "1 slice is missing between z 24.0 and 32.0 mm; the place is left empty.",
    )
    assert volume_on_shelf(source, clinic[1]) is None  # a slice may still come: it is asked for again


@pytest.mark.parametrize("retrieve", ["get", "move"])
def test_a_whole_series_is_kept_and_needs_no_rt_pacs_the_next_time(
    pacs: Orthanc, tmp_path: Path, retrieve: str
) -> None:
    slices = straight_slices()
    named = structures(slices, {"BODY": [contour(rectangle(0, 5, 0, 5, 8.0), slices[2].SOPInstanceUID)]})
    for ds in slices:
        pacs.put(encode(ds))
    shelf = Shelf(tmp_path / "pictures", 100_000_000)
    first = Source(Peer(LOCAL, pacs.node, "pacs", 10.0), retrieve, shelf)  # type: ignore[arg-type]
    volume = read_volume(first, named, lambda *_: None)
    assert volume.remarks == ()
    nowhere = Source(Peer(LOCAL, DicomNode("GONE", "127.0.0.1", free_port()), "pacs", 2.0), "get", shelf)
    again = volume_on_shelf(nowhere, named)
    assert again is not None
    np.testing.assert_array_equal(again.grid.values, volume.grid.values)


def test_a_plan_that_is_not_held_says_so_and_what_to_run(source: Source) -> None:
    with pytest.raises(PictureError, match=r"does not hold the plan\. `python -m backup_jobs sync_plans`"):
        read_object(source, InstanceRef(uid("nowhere"), modality="RTPLAN"), "the plan")


def test_an_rt_pacs_that_does_not_answer_is_named_with_what_to_look_at(tmp_path: Path) -> None:
    gone = Peer(LOCAL, DicomNode("GONE", "127.0.0.1", free_port()), "pacs", 2.0)
    with pytest.raises(PictureError, match=r"^The plan cannot be loaded now\. The RT-PACS GONE .* cannot be reached"):
        read_object(Source(gone, "get", Shelf(tmp_path, 10**6)), InstanceRef("1.2.3"), "the plan")


def test_a_structure_set_without_images_says_so(source: Source, clinic: tuple) -> None:
    named = structures(clinic[0], {})
    del named.ReferencedFrameOfReferenceSequence
    with pytest.raises(PictureError, match="names no planning image"):
        read_first_slice(source, named, 0.0)


def test_a_dose_is_found_by_the_plan_that_it_names(source: Source, pacs: Orthanc) -> None:
    treated = plan({1: 100.0}, PatientID="DOSE1")
    other = plan({1: 100.0}, PatientID="DOSE1")
    gray = np.full((2, 3, 3), 20.0)
    own = dose_of(treated.SOPInstanceUID, gray, (0, 0, 0), [0.0, 5.0], PatientID="DOSE1")
    for ds in (treated, other, own, dose_of(other.SOPInstanceUID, gray, (0, 0, 0), [0.0, 5.0], PatientID="DOSE1")):
        pacs.put(encode(ds))
    refs = find_doses(source, InstanceRef.from_dataset(treated), [])
    assert [ref.sop_instance_uid for ref in refs] == [own.SOPInstanceUID]
    assert DoseGrid.from_dataset(read_object(source, refs[0], "the dose")).maximum == pytest.approx(20.0)
