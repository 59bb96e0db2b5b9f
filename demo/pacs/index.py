"""The archive's index: one SQLite row per object, so that a query need not open files.

Goal
    C-FIND answers in milliseconds, also by TreatmentDate and by referenced plan, which common PACS do not index.

How
    One flat table. Entities of the higher levels are groups of its rows, so no table can disagree with another.
    Empty and absent elements are '' (a key with a value never matches them, PS3.4 section C.2.2.2).

Why it may be lost
    The row is written after the file. Whatever the index lacks is read from the files at the next start.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import struct
import threading
import zlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom.errors import BytesLengthException, InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydicom import Dataset

log = logging.getLogger(__name__)

LEVELS = ("PATIENT", "STUDY", "SERIES", "IMAGE")

COLUMNS: dict[str, dict[str, str]] = {
    "PATIENT": {
        "PatientID": "patient_id",
        "PatientName": "patient_name",
        "PatientBirthDate": "patient_birth_date",
        "PatientSex": "patient_sex",
    },
    "STUDY": {
        "StudyInstanceUID": "study_instance_uid",
        "StudyDate": "study_date",
        "StudyTime": "study_time",
        "StudyID": "study_id",
        "StudyDescription": "study_description",
        "AccessionNumber": "accession_number",
        "ReferringPhysicianName": "referring_physician_name",
    },
    "SERIES": {
        "SeriesInstanceUID": "series_instance_uid",
        "Modality": "modality",
        "SeriesDate": "series_date",
        "SeriesTime": "series_time",
        "SeriesNumber": "series_number",
        "SeriesDescription": "series_description",
        "FrameOfReferenceUID": "frame_of_reference_uid",
    },
    "IMAGE": {
        "SOPInstanceUID": "sop_instance_uid",
        "SOPClassUID": "sop_class_uid",
        "InstanceNumber": "instance_number",
        "InstanceCreationDate": "instance_creation_date",
        "InstanceCreationTime": "instance_creation_time",
        "ContentDate": "content_date",
        "TreatmentDate": "treatment_date",
        "TreatmentTime": "treatment_time",
    },
}
"""Keyword to column, by the level of the information model (PS3.4 section C.6)."""

INDEXED = {keyword: column for level in COLUMNS.values() for keyword, column in level.items()}
GROUP_BY = {
    "PATIENT": ("patient_id",),
    "STUDY": ("patient_id", "study_instance_uid"),
    "SERIES": ("patient_id", "study_instance_uid", "series_instance_uid"),
    "IMAGE": ("sop_instance_uid",),
}

UNREADABLE = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    OverflowError,
    NotImplementedError,
    EOFError,
    struct.error,
    zlib.error,
    InvalidDicomError,
    BytesLengthException,
)
"""What pydicom raises on elements or whole objects that it cannot make sense of."""

_FILE_COLUMNS = ("transfer_syntax_uid", "path", "size", "mtime_ns", "offset")
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS instance (
    id INTEGER PRIMARY KEY,
    {", ".join(f"{c} TEXT NOT NULL DEFAULT ''" for c in INDEXED.values())},
    transfer_syntax_uid TEXT NOT NULL, path TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, offset INTEGER NOT NULL,
    UNIQUE (sop_instance_uid));
CREATE TABLE IF NOT EXISTS referenced_rt_plan (
    sop_instance_uid TEXT NOT NULL, referenced_sop_class_uid TEXT NOT NULL,
    referenced_sop_instance_uid TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS reference_from ON referenced_rt_plan (sop_instance_uid);
CREATE INDEX IF NOT EXISTS reference_to ON referenced_rt_plan (referenced_sop_instance_uid);
CREATE INDEX IF NOT EXISTS by_patient ON instance (patient_id, study_instance_uid, series_instance_uid);
CREATE INDEX IF NOT EXISTS by_study ON instance (study_instance_uid);
CREATE INDEX IF NOT EXISTS by_series ON instance (series_instance_uid);
CREATE INDEX IF NOT EXISTS by_treatment_date ON instance (treatment_date);
CREATE INDEX IF NOT EXISTS by_creation_date ON instance (instance_creation_date);
CREATE INDEX IF NOT EXISTS by_series_date ON instance (series_date);
CREATE INDEX IF NOT EXISTS by_class ON instance (sop_class_uid);
"""
_WRITTEN = (*INDEXED.values(), *_FILE_COLUMNS)
_UPSERT = (
    f"INSERT INTO instance ({', '.join(_WRITTEN)}) VALUES ({', '.join(f':{c}' for c in _WRITTEN)})"  # noqa: S608
    f" ON CONFLICT (sop_instance_uid) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _WRITTEN)}"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index keeps of one object: its `columns`, and the (class, instance) UIDs of the plans it names."""

    columns: dict[str, str]
    referenced_rt_plans: tuple[tuple[str, str], ...]

    @classmethod
    def from_dataset(cls, ds: Dataset, sop_class_uid: str, sop_instance_uid: str) -> Entry:
        """Read the indexed elements. The two UIDs come from whoever sent it: a torn dataset may lack them."""
        columns = {column: element_text(ds, keyword) for keyword, column in INDEXED.items()}
        columns |= {"sop_class_uid": sop_class_uid, "sop_instance_uid": sop_instance_uid}
        try:
            items = list(ds.get("ReferencedRTPlanSequence") or [])
        except UNREADABLE:
            items = []
        plans = [(element_text(i, "ReferencedSOPClassUID"), element_text(i, "ReferencedSOPInstanceUID")) for i in items]
        return cls(columns, tuple(p for p in plans if p[1]))


def element_text(ds: Dataset, keyword: str) -> str:
    """An element as text, values joined by backslashes; '' when absent, empty or unreadable."""
    try:
        value = ds.get(keyword)
        if value is None:
            return ""
        many = value if not isinstance(value, str) and hasattr(value, "append") else [value]
        return "\\".join(str(v).strip(" \x00") for v in many)
    except UNREADABLE:
        log.warning("element %s of an object cannot be read; it is indexed as empty", keyword)
        return ""


class ArchiveIndex:
    """`index.sqlite`: one connection writes, each thread reads on its own; WAL keeps them apart."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._readers = threading.local()
        self._writer = sqlite3.connect(path, check_same_thread=False, timeout=30)
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = NORMAL")
        self._writer.executescript(_SCHEMA)

    def close(self) -> None:
        reader: sqlite3.Connection | None = self._readers.__dict__.pop("connection", None)
        if reader is not None:
            reader.close()
        with self._lock:
            self._writer.close()

    def put(self, entries: Iterable[tuple[Entry, dict[str, Any]]]) -> None:
        """Insert or replace rows, in one transaction; the second of each pair are the file's columns.

        Raises
        ------
        sqlite3.OperationalError
            If it cannot be written, such as on a full disk.
        """
        with self._lock, self._writer:
            for entry, file_columns in entries:
                uid = entry.columns["sop_instance_uid"]
                self._writer.execute(_UPSERT, entry.columns | file_columns)
                self._writer.execute("DELETE FROM referenced_rt_plan WHERE sop_instance_uid = ?", (uid,))
                self._writer.executemany(
                    "INSERT INTO referenced_rt_plan VALUES (?, ?, ?)",
                    [(uid, *plan) for plan in entry.referenced_rt_plans],
                )

    def forget(self, paths: Iterable[str]) -> None:
        """Drop the rows of files that are gone."""
        with self._lock, self._writer:
            self._writer.executemany("DELETE FROM instance WHERE path = ?", [(p,) for p in paths])

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Ask. Every thread reads on its own connection, so that an association never waits for another."""
        return self._reader().execute(sql, parameters).fetchall()

    def _reader(self) -> sqlite3.Connection:
        reader: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if reader is None:
            reader = sqlite3.connect(self.path, timeout=30)
            reader.row_factory = sqlite3.Row
            reader.create_function("pn_matches", 2, person_name_matches, deterministic=True)
            self._readers.connection = reader  # closed with its thread, which is an association's
        return reader


def person_name_matches(value: str, pattern: str) -> bool:
    """One component group, or the whole name, against a pattern whose `*` and `?` are wild; case is ignored."""
    wild = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern.casefold())
    candidates = [value, *value.split("=")]
    return any(re.fullmatch(wild, _without_trailing(c), re.DOTALL) for c in candidates if c)


def _without_trailing(name: str) -> str:
    return name.casefold().rstrip("^= ")


def held_sop_instance_uids(folder: Path) -> set[str]:
    """What an archive lists, straight from its index: also while it runs, or after it was killed."""
    path = folder / "index.sqlite"
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return {uid for (uid,) in connection.execute("SELECT sop_instance_uid FROM instance")}
