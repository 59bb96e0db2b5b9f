"""An object as it travels: its bytes, and what the command said of them."""

import zlib
from dataclasses import dataclass, replace
from struct import pack

from pydicom import __version_info__
from pydicom.uid import (
    PYDICOM_IMPLEMENTATION_UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

READ_IN = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
"""The transfer syntaxes that are proposed for what is read here: not Deflated."""
MOST_INFLATED = 256 * 1024**2
"""Bytes of a dataset that came Deflated. No RT object of a clinic that is worth deflating is larger."""


@dataclass(frozen=True, slots=True)
class EncodedObject:
    """An object as it came over the network: group 0002 apart, nothing decoded."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax: str
    data: bytes


def inflated(obj: EncodedObject) -> EncodedObject:
    """The object in Explicit VR Little Endian, if it came Deflated (PS3.5 A.5); else as it is.

    Raises `ValueError`, in words, for what is no deflated stream or is larger than `MOST_INFLATED`: a few kilobytes of
    a hostile node would become gigabytes.
    """
    if obj.transfer_syntax != DeflatedExplicitVRLittleEndian:
        return obj
    unpacking = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        data = unpacking.decompress(obj.data, MOST_INFLATED)
    except zlib.error:
        raise ValueError("cannot be inflated") from None
    if not unpacking.eof:
        raise ValueError("is larger than it may be when it is inflated" if unpacking.unconsumed_tail else "is cut off")
    return replace(obj, transfer_syntax=str(ExplicitVRLittleEndian), data=data)


def with_file_meta(obj: EncodedObject) -> bytes:
    """The object as a DICOM file: preamble and group 0002 before the bytes as they came (PS3.10 section 7.1).

    Written here: pydicom takes nearly a millisecond for it, twice for each object that is read.
    """
    uids = {2: obj.sop_class_uid, 3: obj.sop_instance_uid, 0x10: obj.transfer_syntax, 0x12: PYDICOM_IMPLEMENTATION_UID}
    named = b"".join(_short(element, b"UI", uid.encode("ascii", "replace"), b"\0") for element, uid in uids.items())
    meta = _VERSION + named + _short(0x13, b"SH", _SOFTWARE, b" ")
    return bytes(128) + b"DICM" + _short(0, b"UL", pack("<L", len(meta)), b"") + meta + obj.data


_VERSION = pack("<HH2sHL2s", 2, 1, b"OB", 0, 2, b"\0\1")
_SOFTWARE = f"PYDICOM {'.'.join(__version_info__)}".encode()


def _short(element: int, vr: bytes, value: bytes, pad: bytes) -> bytes:
    """An element of group 0002, Explicit VR Little Endian, padded to an even length."""
    value += pad * (len(value) % 2)
    return pack("<HH2sH", 2, element, vr, len(value)) + value
