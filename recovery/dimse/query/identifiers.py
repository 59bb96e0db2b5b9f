"""What is asked: the identifier of a C-FIND, and its keys in words."""

from collections.abc import Mapping, Sequence

from pydicom import Dataset

UNIQUE = {
    "STUDY": ("PatientID", "StudyInstanceUID"),
    "SERIES": ("PatientID", "StudyInstanceUID", "SeriesInstanceUID"),
    "IMAGE": ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"),
}
"""Unique keys of each level and those above it; the last is its own (PS3.4 C.6.2.1)."""


REFUSED = range(0xA000, 0xD000)
"""Failure statuses of C-FIND: 0xA700, 0xA900, 0xCxxx (PS3.4 table C.4-1)."""

UIDS_PER_QUERY = 200

CANCELLED = range(0xFE00, 0xFE01)
CUT_SHORT = (range(0xA700, 0xA800), range(0xB000, 0xC000), CANCELLED)
"""Out of resources, any warning, cancelled: there may be more matches."""


def query(level: str, keys: Mapping[str, str], returning: Sequence[str]) -> Dataset:
    """A C-FIND identifier; asked-for keys are empty (universal matching, PS3.4 C.2.2.2.3)."""
    identifier = Dataset()
    if not all(value.isascii() for value in keys.values()):
        identifier.SpecificCharacterSet = "ISO_IR 192"
    identifier.QueryRetrieveLevel = level
    for keyword in (*UNIQUE[level], *returning):
        setattr(identifier, keyword, [] if keyword.endswith("Sequence") else None)
    for keyword, value in keys.items():
        setattr(identifier, keyword, value.split("\\") if keyword.endswith("UID") else value)
    return identifier


def in_words(level: str, keys: Mapping[str, str]) -> str:
    """A question for a message; no patient is named."""
    shown = {k: v for k, v in keys.items() if k not in {"PatientID", "SOPInstanceUID"}}
    of_patient = " of one patient" if keys.get("PatientID") else ""
    return f"{level} by {', '.join(f'{k} {v}' for k, v in shown.items()) or 'nothing'}{of_patient}"
