"""An object as it travels: its bytes, and what the command said of them."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import (
    UID,
    AllTransferSyntaxes,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

READ_IN = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
"""The transfer syntaxes that are proposed for what is read here."""
PASSED_ON_IN = tuple(syntax for syntax in AllTransferSyntaxes if syntax != DeflatedExplicitVRLittleEndian)
"""Those in which objects are taken to be passed on.

Deflated (PS3.5 A.5) is in neither: a few kilobytes of a hostile node would become gigabytes when they are read.
"""


@dataclass(frozen=True, slots=True)
class EncodedObject:
    """An object as it came over the network: group 0002 apart, nothing decoded."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax: str
    data: bytes


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
