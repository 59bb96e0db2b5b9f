"""A digest of what an object says: the same after any honest archive, another after any change.

How
    SHA-256 over tags and values in order, sequences item by item, values as the bytes that they are in Little Endian,
    texts without their padding (PS3.5 section 6.2). Left out is what an archive may change without changing what the
    object says.

Why names and numbers of the patient are left out
    Patients are merged and names corrected in an archive; whose a plan is, is asked at other places in every run.
    Each element that is left out is named in `MAY_BE_COERCED`.
"""

import hashlib
from collections.abc import Iterator

from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.sequence import Sequence

MAY_BE_COERCED = (
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "OtherPatientIDs"),
    *("OtherPatientIDsSequence", "OtherPatientNames", "PatientComments", "EthnicGroup", "PatientAge"),
    *("AccessionNumber", "StudyID", "StudyDescription", "StudyDate", "StudyTime", "ReferringPhysicianName"),
    *("InstitutionName", "StationName", "RetrieveAETitle", "InstanceAvailability", "TimezoneOffsetFromUTC"),
    *("SpecificCharacterSet", "OriginalAttributesSequence", "DigitalSignaturesSequence", "DataSetTrailingPadding"),
    *("StorageMediaFileSetID", "StorageMediaFileSetUID", "InstanceCoercionDateTime"),
)
"""Elements of the object itself, by keyword, that do not count (PS3.4 section B.4.1.3: what a storage SCP may coerce;
character sets may change with them). Within sequences every element counts."""

_LEFT_OUT = frozenset(tag for keyword in MAY_BE_COERCED if (tag := tag_for_keyword(keyword)) is not None)


def digest_of(ds: Dataset) -> str:
    """SHA-256 of the dataset, in hexadecimal; group 0002 and group lengths (PS3.5 section 7.2) do not count.

    Raises one of `recovery.dicom.elements.UNREADABLE` where pydicom cannot decode a value.
    """
    return digest_and_size(ds)[0]


def digest_and_size(ds: Dataset) -> tuple[str, int]:
    """As `digest_of`, and how many bytes counted."""
    sha, size = hashlib.sha256(), 0
    for part in _parts(ds, _LEFT_OUT):
        sha.update(len(part).to_bytes(8, "little"))
        sha.update(part)
        size += len(part)
    return sha.hexdigest(), size


def _parts(ds: Dataset, left_out: frozenset[int]) -> Iterator[bytes]:
    for tag in sorted(ds.keys()):
        if tag in left_out or tag.element == 0 or tag.group == 2:
            continue
        yield int(tag).to_bytes(4, "little")
        vr = dictionary_VR(tag) if dictionary_has_tag(tag) else ""
        raw = ds.get_item(tag)
        if isinstance(raw, RawDataElement) and raw.is_little_endian and "SQ" not in {vr, raw.VR}:
            yield _unpadded(raw.value or b"", vr)
            continue
        element = ds[tag]
        if isinstance(element.value, Sequence):
            for item in element.value:
                yield b"item"
                yield from _parts(item, frozenset())
            yield b"end"
        else:
            yield _unpadded(_value_bytes(element), vr)


def _value_bytes(element: DataElement) -> bytes:
    """A decoded value as it is written in Implicit VR Little Endian."""
    file = DicomBytesIO()
    file.is_implicit_VR = file.is_little_endian = True
    write_data_element(file, element)
    return file.getvalue()[8:]  # behind tag and length (PS3.5 section 7.1.3)


def _unpadded(value: bytes, vr: str) -> bytes:
    """Texts may be padded to even length; numbers end as they end."""
    return value.rstrip(b" \0") if vr in _TEXTS else value


_TEXTS = frozenset(
    ["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"]
)
