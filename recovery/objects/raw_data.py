"""A snapshot of the relational tables as DICOM objects that any archive keeps, and back again bit for bit.

How
    All of a snapshot's files, as one ZIP, in Raw Data objects (PS3.3 A.37): one object, or several of one series
    where the ZIP is larger than `PART_BYTES`. All series of a site lie in one study, of a patient that is the
    site itself. UIDs are derived from the site's name and the content: the same snapshot gives the same objects.

Why a ZIP in Raw Data
    Raw Data is the standard's class for what only its maker reads, and archives take it as it is. When this program
    is gone, `unzip` opens the DICOM file itself, because the ZIP is its end and is looked for from there; the
    parquet files in it open in many tools.
"""

from __future__ import annotations

import hashlib
import io
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ImplicitVRLittleEndian

from recovery.cache.manifests import MANIFEST, Manifest, ManifestError, Snapshot, fault_of, id_of
from recovery.dicom import elements as el
from recovery.dicom.elements import InvalidObjectError
from recovery.dicom.model import RAW_DATA
from recovery.settings.trust import EVERYBODY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recovery.settings.trust import Trust

FORMAT = 1
PART_BYTES = 64 * 1024 * 1024
"""Archives dislike giant objects (an element may have 4 GB, PS3.5 section 7.1.2). Even: a part is never padded."""

PATIENT_ID_PREFIX = "RBRDT-"
"""Of the patient that is no person but the site: keep it off every list of patients."""

MOST_PARTS = 1000

GROUP = 0x0071
CREATOR = "RBRDT TABLE SNAPSHOT"
_FORMAT, _SNAPSHOT_ID, _SHA256, _LENGTH, _PARTS, _ZIP = 0x01, 0x02, 0x03, 0x04, 0x05, 0x10
"""Elements of the private block: (0071,1001) and so on. All but the last are LO; (0071,1010) is the ZIP, OB."""

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_NAMESPACE = uuid.UUID("5f2c7a52-7c1e-5a35-9d9e-3b1a0d3f8e41")


class RawSnapshotError(ValueError):
    """Objects do not make a whole snapshot. The text says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class RawPart:
    """One object's share of a snapshot; `number` counts from 1."""

    snapshot_id: str
    number: int
    parts: int
    zip_sha256: str
    zip_length: int
    data: bytes

    @classmethod
    def from_dataset(cls, ds: Dataset) -> RawPart:
        """Read a Raw Data object that `raw_data_objects` made, whatever transfer syntax it came in.

        Raises `InvalidObjectError` if it is none, or of a later version.
        """
        try:
            block = ds.private_block(GROUP, CREATOR)
            said = {place: _text(block[place].value) for place in (_FORMAT, _SNAPSHOT_ID, _SHA256, _LENGTH, _PARTS)}
            if said[_FORMAT] != str(FORMAT):
                raise InvalidObjectError(f"it is of format {said[_FORMAT]}, and this version reads {FORMAT}")
            number, data = el.integer(ds, "InstanceNumber") or 0, bytes(block[_ZIP].value)
            return cls(said[_SNAPSHOT_ID], number, int(said[_PARTS]), said[_SHA256], int(said[_LENGTH]), data)
        except (KeyError, ValueError, TypeError) as error:
            if isinstance(error, InvalidObjectError):
                raise
            raise InvalidObjectError("it is no table snapshot, or not a whole one") from error


@dataclass(frozen=True, slots=True)
class RestoredSnapshot:
    """A snapshot's bytes as they came back, compared with its manifest; `files` are parquet by table name."""

    snapshot_id: str
    manifest: Manifest
    manifest_bytes: bytes
    files: Mapping[str, bytes]


def site_study_uid(site_name: str) -> str:
    """The study that holds all of a site's snapshots."""
    return _uid("study", site_name)


def site_patient_id(site_name: str) -> str:
    """The PatientID of the site's own patient."""
    return PATIENT_ID_PREFIX + hashlib.sha256(site_name.encode()).hexdigest()[:12].upper()


def series_number_at(taken_at: datetime) -> int:
    """Seconds since 2020: a SeriesNumber by which series sort by time, as any archive tells it (PS3.4 table C.6-3)."""
    return int((taken_at - _EPOCH).total_seconds())


def taken_at_of_series(series_number: int) -> datetime:
    """The time that `series_number_at` made a number of, aware, UTC, to the second."""
    return datetime.fromtimestamp(_EPOCH.timestamp() + series_number, UTC)


def raw_data_objects(snapshot: Snapshot, site_name: str, *, part_bytes: int = PART_BYTES) -> list[Dataset]:
    """A snapshot as Raw Data objects of one series: one, or as many as it has parts of `part_bytes` (even).

    Raises `RawSnapshotError` if a file cannot be read or is not the manifest's: what is damaged here is not archived.
    """
    try:
        manifest = snapshot.manifest_file.read_bytes()
        files = {name: snapshot.file(name).read_bytes() for name in sorted(snapshot.manifest.tables)}
    except OSError as error:
        raise RawSnapshotError(f"snapshot {snapshot.snapshot_id} cannot be read: {error}") from error
    _compare(snapshot.manifest, files)
    zipped = _zip({MANIFEST: manifest} | {f"tables/{name}.parquet": data for name, data in files.items()})
    whole = RawPart(snapshot.snapshot_id, 1, 1, hashlib.sha256(zipped).hexdigest(), len(zipped), b"")
    parts = [zipped[start : start + part_bytes] for start in range(0, len(zipped), part_bytes)]
    return [
        to_dataset(
            RawPart(whole.snapshot_id, number, len(parts), whole.zip_sha256, whole.zip_length, data),
            site_name,
            snapshot.manifest.taken_at,
        )
        for number, data in enumerate(parts, start=1)
    ]


def to_dataset(part: RawPart, site_name: str, taken_at: datetime) -> Dataset:
    """One part as a Raw Data object, with file meta information for Implicit VR Little Endian.

    `taken_at` is aware. All times in the object are UTC, as TimezoneOffsetFromUTC says. What would be clinical and
    is type 2 is empty; the study has no date of its own, because it never ends.
    """
    study = site_study_uid(site_name)
    series = _uid("series", study, part.zip_sha256, part.parts)
    instance = _uid("instance", series, part.number)
    at = taken_at.astimezone(UTC)
    ds = Dataset()
    for keyword, value in {
        **_patient_and_study(site_name),
        "StudyInstanceUID": study,
        "SeriesInstanceUID": series,
        "SOPClassUID": RAW_DATA,
        "SOPInstanceUID": instance,
        "Modality": "OT",
        "SeriesNumber": series_number_at(at),
        "InstanceNumber": part.number,
        **{f"{what}Date": f"{at:%Y%m%d}" for what in ("Series", "Content", "InstanceCreation")},
        **{f"{what}Time": f"{at:%H%M%S.%f}" for what in ("Series", "Content", "InstanceCreation")},
        "Laterality": "",  # type 2C: no body part is examined, and validators want to hear it
        "SeriesDescription": f"Tables of the R&V database, {at:%Y-%m-%d %H:%M:%S} UTC",
        "AcquisitionContextSequence": [],
        "CreatorVersionUID": _uid("format", FORMAT),
    }.items():
        setattr(ds, keyword, value)
    block = ds.private_block(GROUP, CREATOR, create=True)
    for place, text in {
        _FORMAT: str(FORMAT),
        _SNAPSHOT_ID: part.snapshot_id,
        _SHA256: part.zip_sha256,
        _LENGTH: str(part.zip_length),
        _PARTS: str(part.parts),
    }.items():
        block.add_new(place, "LO", text)
    block.add_new(_ZIP, "OB", part.data + b"\0" * (len(part.data) % 2))
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = UID(RAW_DATA)
    ds.file_meta.MediaStorageSOPInstanceUID = UID(instance)
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return ds


def assemble(parts: Iterable[RawPart], trust: Trust = EVERYBODY) -> RestoredSnapshot:
    """Put the parts of one snapshot together, and compare every byte with the hashes that came with it.

    Raises `RawSnapshotError` if a part is missing, anything is not what was archived, or `trust` does not believe it.
    """
    by_number = {part.number: part for part in parts}
    first = next(iter(by_number.values()), None)
    if first is None:
        raise RawSnapshotError("it has no parts")
    if any((p.zip_sha256, p.parts) != (first.zip_sha256, first.parts) for p in by_number.values()):
        raise RawSnapshotError("its parts are not of one snapshot")
    if not 1 <= first.parts <= MOST_PARTS:
        raise RawSnapshotError(f"it says that it has {first.parts} parts")
    if absent := [number for number in range(1, first.parts + 1) if number not in by_number]:
        named = ", ".join(str(number) for number in absent)
        raise RawSnapshotError(f"of its {first.parts} parts, these are missing: {named}")
    zipped = b"".join(by_number[number].data for number in range(1, first.parts + 1))[: first.zip_length]
    if hashlib.sha256(zipped).hexdigest() != first.zip_sha256:
        raise RawSnapshotError("its content was changed: its SHA-256 is not the one that was archived with it")
    return _unzip(zipped, first.snapshot_id, trust)


def _patient_and_study(site_name: str) -> dict[str, object]:
    """What is the same for all snapshots of a site: modules Patient, General Study and General Equipment."""
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "TimezoneOffsetFromUTC": "+0000",
        "PatientName": "RBRDT^Tables of the site",
        "PatientID": site_patient_id(site_name),
        "PatientBirthDate": "",
        "PatientSex": "",
        "PatientComments": "This is no person: it holds the backup of the tables of an R&V database.",
        "StudyDate": "",
        "StudyTime": "",
        "StudyID": "RBRDT",
        "StudyDescription": "Backup of the tables of the R&V database",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "Manufacturer": "RBRDT",
        "InstitutionName": site_name.replace("\\", "/")[:64],
    }


def _zip(files: Mapping[str, bytes]) -> bytes:
    """Stored, not packed: parquet is. The same files give the same bytes."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as packed:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, data)
    return whole.getvalue()


def _unzip(zipped: bytes, snapshot_id: str, trust: Trust) -> RestoredSnapshot:
    try:
        with zipfile.ZipFile(io.BytesIO(zipped)) as packed:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in packed.infolist()):
                raise RawSnapshotError("its content is packed, and this program packs none")  # it may grow without end
            manifest_bytes = packed.read(MANIFEST)
            manifest = Manifest.from_json(manifest_bytes)
            if id_of(manifest_bytes, manifest.taken_at) != snapshot_id:
                raise RawSnapshotError("its manifest is not the one that it names")
            if fault := trust.fault_of(manifest_bytes, snapshot_id, manifest.taken_at):
                raise RawSnapshotError(f"{snapshot_id}: {fault}")
            files = {name: packed.read(f"tables/{name}.parquet") for name in manifest.tables}
    except (zipfile.BadZipFile, KeyError, EOFError, ManifestError) as error:
        raise RawSnapshotError(f"its content cannot be read: {error}") from error
    _compare(manifest, files)
    return RestoredSnapshot(snapshot_id, manifest, manifest_bytes, files)


def _compare(manifest: Manifest, files: Mapping[str, bytes]) -> None:
    for name, state in manifest.tables.items():
        if fault := fault_of(state, files[name]):
            raise RawSnapshotError(fault)


def _text(value: object) -> str:
    """A private text: read from Implicit VR it comes as bytes, for no dictionary knows it."""
    text = value.decode("ascii") if isinstance(value, bytes) else str(value)
    return text.strip(" \0")


def _uid(*names: object) -> str:
    """A UID that is the same for the same names, as a UUID under 2.25 (PS3.5 section B.2)."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, repr(names)).int}"
