"""What the archive holds: files on disk with their index beside them, and the one door for new objects.

Goal
    An object that `put` returned for is durable and is listed; an object that the index lists has its file.

How
    File first, index row second. At the start the two are compared: files without a row, or changed since, are
    indexed; rows without a file are dropped; halves are removed.

Why one door
    C-STORE and the simulated clinic's history come the same way, so they cannot be kept differently.
"""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from pydicom import Dataset, dcmread, dcmwrite
from pydicom.filereader import read_file_meta_info
from pydicom.tag import Tag

from demo.pacs.files import ArchiveFiles, dataset_offset
from demo.pacs.index import INDEXED, UNREADABLE, ArchiveIndex, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

_INDEXED_TAGS: list[Any] = [Tag(k) for k in (*INDEXED, "SpecificCharacterSet", "ReferencedRTPlanSequence")]


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object in the archive, and where its dataset begins in its file."""

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    path: Path
    offset: int

    def encoded_dataset(self) -> bytes:
        """The bytes as they were received, without preamble and file meta group."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read()


class ArchiveStore:
    """An archive's folder. Several processes may open the same one."""

    def __init__(self, folder: Path, ae_title: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.ae_title = ae_title
        self.files = ArchiveFiles(folder)
        self.index = ArchiveIndex(folder / "index.sqlite")
        self._lock = threading.Lock()

    def close(self) -> None:
        self.index.close()

    def put(self, content: bytes, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> None:
        """Keep one object, given as a whole DICOM file. The same UID again replaces the former object.

        Raises
        ------
        OSError, sqlite3.OperationalError
            If it cannot be kept; no half of it is.
        """
        entry = Entry.from_dataset(_read_indexed(content), sop_class_uid, sop_instance_uid)
        part = self.files.write_beside(sop_instance_uid, content)
        with self._lock:
            path = self.files.put_in_place(part, sop_instance_uid)
            self.index.put([(entry, self._file_columns(path, transfer_syntax_uid, content[:144]))])

    def ingest(self, datasets: Iterable[Dataset]) -> int:
        """Keep many datasets that carry a file meta group, with one index transaction; how many.

        For a folder that no one queries yet. Each file is whole, as with `put`, but nothing is fsynced.

        Raises
        ------
        OSError, sqlite3.OperationalError
            If one cannot be kept.
        """
        rows = []
        for ds in datasets:
            uid = str(ds.SOPInstanceUID)
            buffer = BytesIO()
            dcmwrite(buffer, ds, enforce_file_format=True)
            content = buffer.getvalue()
            path = self.files.path_of(uid)
            path.parent.mkdir(exist_ok=True)
            part = path.with_suffix(".part")
            part.write_bytes(content)
            part.replace(path)
            entry = Entry.from_dataset(ds, str(ds.SOPClassUID), uid)
            rows.append((entry, self._file_columns(path, str(ds.file_meta.TransferSyntaxUID), content[:144])))
        self.index.put(rows)
        return len(rows)

    def recover(self) -> None:
        """Make index and files agree again. Call it before the archive is asked anything."""
        self.files.remove_leftovers()
        indexed = {
            row["path"]: (row["size"], row["mtime_ns"])
            for row in self.index.rows("SELECT path, size, mtime_ns FROM instance")
        }
        entries = []
        for path in self.files:
            stat = path.stat()
            if indexed.pop(self._relative(path), None) != (stat.st_size, stat.st_mtime_ns):
                entries.append(self._entry_of_file(path))
        self.index.put(e for e in entries if e is not None)
        self.index.forget(indexed)

    def objects(self, where: str, parameters: Sequence[object]) -> list[StoredObject]:
        """The objects that an SQL condition on the index names, in the order of their arrival."""
        sql = f"SELECT * FROM instance WHERE {where} ORDER BY id"  # noqa: S608  conditions come from archive_match
        return [
            StoredObject(
                r["sop_instance_uid"],
                r["sop_class_uid"],
                r["transfer_syntax_uid"],
                self.folder / r["path"],
                r["offset"],
            )
            for r in self.index.rows(sql, parameters)
        ]

    def held(self, sop_instance_uid: str) -> StoredObject | None:
        """The object if the archive lists it and its file has the size it had; else None."""
        for stored in self.objects("sop_instance_uid = ?", (sop_instance_uid,)):
            if stored.path.is_file():
                return stored
        return None

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _file_columns(self, path: Path, transfer_syntax_uid: str, head: bytes) -> dict[str, Any]:
        stat = os.stat(path)  # noqa: PTH116
        return {
            "transfer_syntax_uid": transfer_syntax_uid,
            "path": self._relative(path),
            "size": stat.st_size,
            "mtime_ns": stat.st_mtime_ns,
            "offset": dataset_offset(head),
        }

    def _entry_of_file(self, path: Path) -> tuple[Entry, dict[str, Any]] | None:
        """The row of a file that has none; a file that is no DICOM file of ours is left alone and told."""
        try:
            content = path.read_bytes()
            meta = read_file_meta_info(path)
            entry = Entry.from_dataset(
                _read_indexed(content), str(meta.MediaStorageSOPClassUID), str(meta.MediaStorageSOPInstanceUID)
            )
            return entry, self._file_columns(path, str(meta.TransferSyntaxUID), content[:144])
        except UNREADABLE:
            log.warning("%s is not an object of this archive", path.name)
            return None


def _read_indexed(content: bytes) -> Dataset:
    """The indexed elements of a DICOM file; as many as can be read, of a torn one none."""
    try:
        return dcmread(BytesIO(content), stop_before_pixels=True, specific_tags=_INDEXED_TAGS)
    except (*UNREADABLE, OSError):  # pydicom: OSError for a sequence without its end
        log.warning("an object cannot be read; it is indexed by its UIDs alone")
        return Dataset()
