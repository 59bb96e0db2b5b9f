"""An object as it travels: its bytes, and what the command said of them."""

import os
import zlib
from dataclasses import dataclass, replace

from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import (
    UID,
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
    """The object as a DICOM file: preamble and group 0002 before the bytes as they came (PS3.10 section 7.1)."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(obj.sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(obj.sop_instance_uid)
    meta.TransferSyntaxUID = UID(obj.transfer_syntax)
    file = DicomBytesIO(bytes(128) + b"DICM")
    file.seek(0, os.SEEK_END)
    write_file_meta_info(file, meta, enforce_standard=True)
    return file.getvalue() + obj.data
