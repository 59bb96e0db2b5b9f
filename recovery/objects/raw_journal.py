"""Journals of charted fractions as Raw Data objects: one for each signed line, one for each state of all their heads.

How
    A study of their own, of the patient that is the site; a series a journal, and one for heads. UIDs are derived from
    the content: a line is stored once, whoever stores it, and nothing is ever stored in its place.

Why no RT Treatment Records
    Those that an archive gives back are counted as what a machine recorded, and would stand in the place of the entry,
    or beside it. A signed line alone says who signed what, what they knew and what it corrects.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath

from pydicom import Dataset

from recovery.dicom.model import RAW_DATA, InstanceRef
from recovery.entries.journal_parts import Signed, signed_text
from recovery.objects.modules import derived_uid
from recovery.objects.raw_data import packed, unpacked
from recovery.objects.raw_part import RawPart, raw_dataset, site_patient_id

_VOUCHED, _STATEMENTS = "charted/vouched.json", "statements/"
_SAID = {
    "StudyDescription": "Fractions charted by hand",
    "StudyID": "RBRDT-CHARTED",
    "PatientComments": "This is no person: it holds what people charted while no R&V system could be used.",
    **dict.fromkeys(("SeriesNumber", "SeriesDate", "SeriesTime"), ""),
}


def charted_study_uid(site_name: str) -> str:
    """The study that holds all that was charted at a site."""
    return derived_uid("charted fractions", site_name)


def line_ref(site_name: str, line: Signed) -> InstanceRef:
    """The object of one line."""
    return _ref(site_name, f"journal {line.journal}", line.text)


def heads_ref(site_name: str, heads: Iterable[Signed], vouched: bytes = b"") -> InstanceRef:
    """The object of all heads as they are at one time."""
    return _ref(site_name, "heads", *(head.text for head in heads), *([vouched] if vouched else []))


def line_object(site_name: str, line: Signed, made_at: datetime) -> Dataset:
    """A line as an object. `made_at`: naive, as objects that are proven by reading them back are."""
    (part,) = packed(f"charted {line.journal} {line.number}", {f"charted/{line.journal}/{line.number}.json": line.text})
    part = replace(part, number=line.number)
    said = {**_SAID, "SeriesDescription": f"Journal {line.journal}"}
    return raw_dataset(part, site_name, line_ref(site_name, line), made_at.replace(tzinfo=UTC), said)


def heads_object(site_name: str, heads: Iterable[Signed], made_at: datetime, vouched: bytes = b"") -> Dataset:
    """All heads as one object: which lines there must be, of which journals. `vouched`: whose they are, signed."""
    heads = list(heads)
    files = {f"charted/{head.journal}/head.json": head.text for head in heads}
    (part,) = packed("charted heads", files | ({_VOUCHED: vouched} if vouched else {}))
    said = {**_SAID, "SeriesDescription": "Newest lines of all journals"}
    return raw_dataset(part, site_name, heads_ref(site_name, heads, vouched), made_at.replace(tzinfo=UTC), said)


def statement_ref(site_name: str, file: str, line: bytes) -> InstanceRef:
    """The object of one statement of people, which is a line of a file."""
    return _ref(site_name, f"statements {file}", line)


def statement_object(site_name: str, file: str, line: bytes, made_at: datetime) -> Dataset:
    """A statement as an object; as `line_object`."""
    (part,) = packed(f"statement {file}", {f"{_STATEMENTS}{file}": line})
    said = {**_SAID, "SeriesDescription": f"Statements {file}"}
    return raw_dataset(part, site_name, statement_ref(site_name, file, line), made_at.replace(tzinfo=UTC), said)


def signed_in(ds: Dataset) -> tuple[list[Signed], list[tuple[str, bytes]], bytes]:
    """What an object holds that its journal's key signed, statements after the names of their files, and the text by
    which the jobs vouch for journals and statements.

    Raises `InvalidObjectError` if it is none of these; `RawSnapshotError` if it was changed.
    """
    files = unpacked([replace(RawPart.from_dataset(ds), number=1)])
    found = [signed_text(PurePosixPath(name).parent.name, text) for name, text in files.items()]
    said = [(name.removeprefix(_STATEMENTS), text) for name, text in files.items() if name.startswith(_STATEMENTS)]
    return [one for one in found if one is not None], said, files.get(_VOUCHED, b"")


def _ref(site_name: str, series: str, *texts: bytes) -> InstanceRef:
    study = charted_study_uid(site_name)
    series_uid = derived_uid("charted series", study, series)
    uid = derived_uid("charted", series_uid, *(hashlib.sha256(text).hexdigest() for text in texts))
    return InstanceRef(uid, RAW_DATA, "OT", series_uid, study, patient_id=site_patient_id(site_name))
