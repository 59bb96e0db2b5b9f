"""One Raw Data object (PS3.3 A.37) of a snapshot's bytes: its UIDs, its elements, and back again.

How
    All series of a site lie in one study, of a patient that is the site itself. A snapshot has a series of its own,
    whose number tells its time; the files of its tables lie in one further series, each once. UIDs are derived from
    the site's name and the content: the same bytes give the same objects.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ImplicitVRLittleEndian

from recovery.dicom import elements as el
from recovery.dicom.elements import InvalidObjectError
from recovery.dicom.model import RAW_DATA, InstanceRef

FORMATS = ("1", "2")
"""1: a snapshot with all its tables; 2: its manifest, or one table's file."""
PATIENT_ID_PREFIX = "RBRDT-"
"""Of the patient that is no person but the site: keep it off every list of patients."""

MOST_PARTS = 1000

GROUP = 0x0071
CREATOR = "RBRDT TABLE SNAPSHOT"
_FORMAT, _SNAPSHOT_ID, _SHA256, _LENGTH, _PARTS, _ZIP = 0x01, 0x02, 0x03, 0x04, 0x05, 0x10
"""Elements of the private block: (0071,1001) and so on. All but the last are LO; (0071,1010) is the ZIP, OB."""

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_NAMESPACE = uuid.UUID("5f2c7a52-7c1e-5a35-9d9e-3b1a0d3f8e41")


@dataclass(frozen=True, slots=True)
class RawPart:
    """One object's share of a snapshot, or of one table's file; `number` counts from 1.

    `snapshot_id`: of a table's file, its SHA-256.
    """

    snapshot_id: str
    number: int
    parts: int
    zip_sha256: str
    zip_length: int
    data: bytes

    @classmethod
    def from_dataset(cls, ds: Dataset) -> RawPart:
        """Read a Raw Data object that `to_dataset` made, whatever transfer syntax it came in.

        Raises `InvalidObjectError` if it is none, or of a later version.
        """
        try:
            block = ds.private_block(GROUP, CREATOR)
            said = {place: _text(block[place].value) for place in (_FORMAT, _SNAPSHOT_ID, _SHA256, _LENGTH, _PARTS)}
            if said[_FORMAT] not in FORMATS:
                raise InvalidObjectError(f"it is of format {said[_FORMAT]}, and this version reads {FORMATS[-1]}")
            number, data = el.integer(ds, "InstanceNumber") or 0, bytes(block[_ZIP].value)
            return cls(said[_SNAPSHOT_ID], number, int(said[_PARTS]), said[_SHA256], int(said[_LENGTH]), data)
        except (KeyError, ValueError, TypeError) as error:
            if isinstance(error, InvalidObjectError):
                raise
            raise InvalidObjectError("it is no table snapshot, or not a whole one") from error


def site_study_uid(site_name: str) -> str:
    """The study that holds all of a site's snapshots."""
    return _uid("study", site_name)


def tables_series_uid(site_name: str) -> str:
    """The series of all tables' files of a site, each once by its content."""
    return _uid("tables", site_study_uid(site_name))


def table_part_uid(site_name: str, file_sha256: str, taken_at: datetime, number: int) -> str:
    """The object that holds one part of a table's file for the snapshots of one week.

    Once a week, and not once for ever: an object that the RT-PACS loses costs a week's snapshots, and no more.
    """
    week = f"{taken_at.astimezone(UTC):%G-W%V}"
    return _uid("instance", tables_series_uid(site_name), week, file_sha256, number)


def site_patient_id(site_name: str) -> str:
    """The PatientID of the site's own patient."""
    return PATIENT_ID_PREFIX + hashlib.sha256(site_name.encode()).hexdigest()[:12].upper()


def series_number_at(taken_at: datetime) -> int:
    """Seconds since 2020: a SeriesNumber by which series sort by time, as any archive tells it (PS3.4 table C.6-3)."""
    return int((taken_at - _EPOCH).total_seconds())


def taken_at_of_series(series_number: int) -> datetime:
    """The time that `series_number_at` made a number of, aware, UTC, to the second."""
    return datetime.fromtimestamp(_EPOCH.timestamp() + series_number, UTC)


def to_dataset(part: RawPart, site_name: str, taken_at: datetime, table_taken_at: datetime | None = None) -> Dataset:
    """One part as a Raw Data object, with file meta information for Implicit VR Little Endian.

    `taken_at`, of the snapshot, is aware; so is `table_taken_at`, of a part of a table's file. All times in the object
    are UTC, as TimezoneOffsetFromUTC says. What would be clinical and is type 2 is empty; the study has no date of its
    own, because it never ends, nor has the series of tables.
    """
    study, is_table = site_study_uid(site_name), table_taken_at is not None
    if is_table:
        series = tables_series_uid(site_name)
        instance = table_part_uid(site_name, part.snapshot_id, taken_at, part.number)
    else:
        series = _uid("series", study, part.zip_sha256, part.parts)
        instance = _uid("instance", series, part.number)
    at = (table_taken_at or taken_at).astimezone(UTC)
    said = {
        "SeriesNumber": "" if is_table else series_number_at(at),
        "SeriesDate": "" if is_table else f"{at:%Y%m%d}",
        "SeriesTime": "" if is_table else f"{at:%H%M%S.%f}",
        "SeriesDescription": "Tables of the R&V database, each once"
        if is_table
        else f"Tables of the R&V database, {at:%Y-%m-%d %H:%M:%S} UTC",
    }
    return raw_dataset(part, site_name, InstanceRef(instance, RAW_DATA, "OT", series, study), at, said)


def raw_dataset(part: RawPart, site_name: str, ref: InstanceRef, at: datetime, said: Mapping[str, object]) -> Dataset:
    """A part as the Raw Data object `ref`, made `at` (aware); `said`: what its study and series say otherwise."""
    at = at.astimezone(UTC)
    ds = Dataset()
    for keyword, value in {
        **_patient_and_study(site_name),
        "StudyInstanceUID": ref.study_instance_uid,
        "SeriesInstanceUID": ref.series_instance_uid,
        "SOPClassUID": RAW_DATA,
        "SOPInstanceUID": ref.sop_instance_uid,
        "Modality": "OT",
        "InstanceNumber": part.number,
        **{f"{what}Date": f"{at:%Y%m%d}" for what in ("Content", "InstanceCreation")},
        **{f"{what}Time": f"{at:%H%M%S.%f}" for what in ("Content", "InstanceCreation")},
        "Laterality": "",  # type 2C: no body part is examined, and validators want to hear it
        "AcquisitionContextSequence": [],
        "CreatorVersionUID": _uid("format", 2),
        **said,
    }.items():
        setattr(ds, keyword, value)
    _write_block(ds, part)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = UID(RAW_DATA)
    ds.file_meta.MediaStorageSOPInstanceUID = UID(ref.sop_instance_uid)
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return ds


def _write_block(ds: Dataset, part: RawPart) -> None:
    """The private block: what the part is of, and its bytes."""
    block = ds.private_block(GROUP, CREATOR, create=True)
    for place, text in {
        _FORMAT: FORMATS[-1],
        _SNAPSHOT_ID: part.snapshot_id,
        _SHA256: part.zip_sha256,
        _LENGTH: str(part.zip_length),
        _PARTS: str(part.parts),
    }.items():
        block.add_new(place, "LO", text)
    block.add_new(_ZIP, "OB", part.data + b"\0" * (len(part.data) % 2))


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


def _text(value: object) -> str:
    """A private text: read from Implicit VR it comes as bytes, for no dictionary knows it."""
    text = value.decode("ascii") if isinstance(value, bytes) else str(value)
    return text.strip(" \0")


def _uid(*names: object) -> str:
    """A UID that is the same for the same names, as a UUID under 2.25 (PS3.5 section B.2)."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, repr(names)).int}"
