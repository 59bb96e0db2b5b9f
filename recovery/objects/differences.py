"""Hold an object that the RT-PACS gave back against the one that it was given, element by element, to say what differs.

Every element of both, group 0002 aside, sequences item by item. Values are compared as they are written, so that `1.0`
and `1.00` are two. The transfer syntax may be another one.
"""

from dataclasses import dataclass
from io import BytesIO

from pydicom import Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.filereader import read_dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from recovery.dicom import elements as el


@dataclass(frozen=True, slots=True)
class Differences:
    """Elements by keyword, with the keywords of the sequences above them: `FractionGroupSummarySequence.…`."""

    altered: tuple[str, ...] = ()
    """Another value, or none."""
    added: tuple[str, ...] = ()
    """Not in what was sent."""


def differences(sent: bytes, came: Dataset) -> Differences:
    """Compare a dataset sent in Implicit VR Little Endian with the object that came back."""
    altered: list[str] = []
    added: list[str] = []
    _compare(read_dataset(BytesIO(sent), is_implicit_VR=True, is_little_endian=True), came, "", altered, added)
    return Differences(tuple(altered), tuple(added))


def _compare(sent: Dataset, came: Dataset, above: str, altered: list[str], added: list[str]) -> None:
    for tag in sorted({*sent.keys(), *came.keys()}):
        name = f"{above}{keyword_for_tag(tag) or BaseTag(tag)}"
        if tag not in sent:
            added.append(name)
        elif tag not in came:
            altered.append(name)
        else:
            try:
                _compare_values(sent[tag].value, came[tag].value, name, altered, added)
            except el.UNREADABLE:
                altered.append(name)


def _compare_values(sent: object, came: object, name: str, altered: list[str], added: list[str]) -> None:
    if not isinstance(sent, Sequence) or not isinstance(came, Sequence):
        if isinstance(sent, Sequence) or isinstance(came, Sequence) or not _same(sent, came):
            altered.append(name)
    elif len(sent) != len(came):
        altered.append(name)
    else:
        for one, other in zip(sent, came, strict=True):
            _compare(one, other, f"{name}.", altered, added)


def _same(sent: object, came: object) -> bool:
    one, other = _written(sent), _written(came)
    if isinstance(sent, bytes) and isinstance(came, bytes):
        return one == other
    return one.rstrip(b" \0") == other.rstrip(b" \0")


def _written(value: object) -> bytes:
    """A value as bytes: private elements come as text or as bytes, by the transfer syntax."""
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, MultiValue):
        return b"\\".join(_written(v) for v in value)
    return str(value).encode("utf-8", "surrogateescape")
