"""What lies in a folder: which files are DICOM objects, what they tell, and which are what their pack's checksums say.

How
    Every file is read up to its pixels, and again once its size or time is another. The nearest `SHA256SUMS` above a
    file says what it must be; what that does not name is not believed.

Why a DICOMDIR is not asked
    It says what somebody wrote once. The files say what there is.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from pydicom import Dataset, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_dataset, read_preamble

from recovery.dicom import elements as el
from recovery.dimse.encoding import EncodedObject
from recovery.dimse.query.identifiers import UNIQUE
from recovery.folder.sums import SUMS, UNFINISHED, UNSIGNED, is_object, is_signed_by, read_sums

_TOLD = (
    *("PatientID", "StudyInstanceUID", "StudyDate", "SeriesInstanceUID", "SeriesDate", "SeriesNumber"),
    *("SeriesDescription", "Modality", "SOPInstanceUID", "SOPClassUID", "FrameOfReferenceUID"),
    *("InstanceCreationDate", "TreatmentDate"),
)
"""What is kept of each file, in this order; whoever asks for more has the file read again."""
_PLACE = {keyword: number for number, keyword in enumerate(_TOLD)}
COUNT = "NumberOfSeriesRelatedInstances"
_DIRECTORY = "1.2.840.10008.1.3.10"
"""Media Storage Directory Storage: a DICOMDIR (PS3.10 section 8)."""
_DAYS = re.compile(r"(\d{8})-(\d{8})")
_WILD = re.compile(rf"[*?]|^{_DAYS.pattern}$")
_UNDEFINED = 0xFFFFFFFF


class FileError(ValueError):
    """A file is not what was written. The text, after "a file that", says why."""


@dataclass(frozen=True, slots=True)
class File:
    """One file, and what it told when it was last read."""

    path: Path
    told: tuple[str | None, ...]
    sha256: str | None
    """As the checksums above it say; empty where they do not name it, None where there are none."""
    is_signed: bool
    """Whether those are signed by a key that is believed, or none is asked for."""

    def __getitem__(self, keyword: str) -> str | None:
        return self.told[_PLACE[keyword]]

    def believed(self, differs: Callable[[Dataset], bool]) -> EncodedObject:
        """The object as its file is now. `differs`: whether an object is known to be another than was first read.

        Raises `FileError`, in words, if it is not what was written.
        """
        try:
            if not self.is_signed:
                raise FileError(f"lies where {UNSIGNED}")
            data = self.path.read_bytes()
            if self.sha256 is not None and hashlib.sha256(data).hexdigest() != self.sha256:
                raise FileError("is not what was written" if self.sha256 else f"{SUMS} of its pack does not name")
            ds, stream = dcmread(BytesIO(data)), BytesIO(data)
            last = ds.get_item(max(ds.keys()))
            if isinstance(last, RawDataElement) and last.length != _UNDEFINED and len(last.value or b"") < last.length:
                raise FileError("is cut off")
            if differs(ds):
                raise FileError("is not what was proven")
            read_preamble(stream, force=False)
            meta = read_dataset(stream, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
            own = (str(meta.MediaStorageSOPClassUID), str(meta.MediaStorageSOPInstanceUID), str(meta.TransferSyntaxUID))
        except el.UNREADABLE as error:
            raise (error if isinstance(error, FileError) else FileError("cannot be read")) from error
        return EncodedObject(*own, data[stream.tell() :])

    def matches(self, keys: Iterable[tuple[str, frozenset[str]]]) -> bool:
        return all(_matches(self[keyword] or "", values) for keyword, values in keys)


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in a folder now; `broken`: names of files that should be objects and cannot be read."""

    files: Mapping[str, Sequence[File]]
    """By SOP Instance UID: a series that two plans share lies in the folder of each."""
    broken: Sequence[str]


_Sums: TypeAlias = "tuple[Path, dict[str, str], bool] | None"
"""The folder of checksums, what they say of each path in it, and whether they are signed by whom they should."""
_read: dict[str, tuple[tuple[int, int], tuple[str | None, ...] | None]] = {}
"""What each file told, by path, with its size and time; None of one that cannot be read. Empty: it is no object."""


def matched(listed: Listing, query: Dataset) -> Iterator[Dataset]:
    """One match per study, series or object that answers the identifier of a C-FIND (PS3.4 C.4.1)."""
    level = str(query.QueryRetrieveLevel)
    asked = [e.keyword for e in query if e.keyword not in {"QueryRetrieveLevel", "SpecificCharacterSet", COUNT}]
    keys = [(keyword, values) for keyword in asked if (values := _values(query, keyword))]
    known, others = [key for key in keys if key[0] in _PLACE], [key for key in keys if key[0] not in _PLACE]
    further = [keyword for keyword in asked if keyword not in _PLACE]
    groups: dict[tuple[str | None, ...], list[File]] = {}
    uids = dict(keys).get("SOPInstanceUID", frozenset())
    named = uids if uids and not any(map(_WILD.search, uids)) else listed.files
    for file in (file for uid in named for file in listed.files.get(uid, ())):
        if file.matches(known):
            groups.setdefault(tuple(file[keyword] for keyword in UNIQUE[level]), []).append(file)
    for files in groups.values():
        match = _match(files, [keyword for keyword in asked if keyword in _PLACE], further)
        if all(_matches(el.text(match, keyword) or "", values) for keyword, values in others):
            yield match


def listing(folder: Path, public_keys: Collection[str] = ()) -> Listing:
    """What there is below a folder. `public_keys`: of who signs checksums; none: anybody.

    Raises `OSError` if a folder cannot be read.
    """
    files: dict[str, list[File]] = {}
    broken: list[str] = []
    for entry, sums in _below(folder, None, public_keys, broken):
        stat = entry.stat(follow_symlinks=False)
        state, known = (stat.st_size, stat.st_mtime_ns), _read.get(entry.path)
        if known is None or known[0] != state:
            known = _read[entry.path] = (state, _told_by(entry.path))
        if known[1] is None:
            broken.append(entry.name)
        elif known[1]:
            path = Path(entry.path)
            sha256 = sums[1].get(path.relative_to(sums[0]).as_posix(), "") if sums is not None else None
            file = File(path, known[1], sha256, not public_keys or (sums is not None and sums[2]))
            files.setdefault(file["SOPInstanceUID"] or "", []).append(file)
    return Listing(files, broken)


def _below(
    folder: Path, sums: _Sums, public_keys: Collection[str], broken: list[str]
) -> Iterator[tuple[os.DirEntry[str], _Sums]]:
    """Every file below, with the nearest checksums above it; objects that these name and that are not there are
    `broken`: a copy that stopped half-way lacks files. A link may lead to what somebody changes later."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    if any(entry.name == SUMS for entry in entries):
        sums = (folder, *_sums_in(folder, public_keys))
        broken += [path.rpartition("/")[2] for path in sums[1] if is_object(path) and not (folder / path).exists()]
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path), sums, public_keys, broken) if entry.name != UNFINISHED else ()
        elif entry.is_file(follow_symlinks=False):
            yield entry, sums


def _sums_in(folder: Path, public_keys: Collection[str]) -> tuple[dict[str, str], bool]:
    """Those that cannot be read name nothing, so that nothing below is believed."""
    try:
        text = (folder / SUMS).read_text(encoding="utf-8")
        return read_sums(text), is_signed_by(text, public_keys)
    except ValueError:
        return {}, False


def _told_by(path: str) -> tuple[str | None, ...] | None:
    """What a file tells; nothing of one that is no object, None of an object that cannot be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - one of tens of thousands
            if file.read(132)[128:] != b"DICM":
                return None if path.lower().endswith(".dcm") else ()
            file.seek(0)
            ds = dcmread(file, specific_tags=[*_TOLD], stop_before_pixels=True)
    except el.UNREADABLE:
        return None
    if ds.file_meta.get("MediaStorageSOPClassUID") == _DIRECTORY:
        return ()
    told = tuple(sys.intern(text) if (text := el.text(ds, keyword)) is not None else None for keyword in _TOLD)
    return told if told[_PLACE["SOPInstanceUID"]] else None


def _match(files: Sequence[File], known: Iterable[str], further: Sequence[str]) -> Dataset:
    match = Dataset()
    for keyword in known:
        setattr(match, keyword, files[0][keyword])
    setattr(match, COUNT, len({file["SOPInstanceUID"] for file in files}))
    if further:
        try:
            whole = dcmread(files[0].path, stop_before_pixels=True)
        except el.UNREADABLE:
            return match  # what it tells beyond is not known; it is asked for, and then named
        for keyword in (keyword for keyword in further if keyword in whole):
            match[keyword] = whole[keyword]
    return match


def _values(query: Dataset, keyword: str) -> frozenset[str]:
    """What is asked for; nothing where anything matches (PS3.4 C.2.2.2)."""
    said = query.get(keyword)
    if said is None or isinstance(said, str) or not hasattr(said, "__iter__"):
        said = [] if said is None or not str(said) else [str(said)]
    return frozenset(part for one in said if not isinstance(one, Dataset) for part in str(one).split("\\"))


def _matches(told: str, values: frozenset[str]) -> bool:
    """One of them: a UID or text, with wildcards, or a range of days (PS3.4 C.2.2.2.4 and C.2.2.2.5)."""
    return told in values or any(_is_like(told, value) for value in values if _WILD.search(value))


def _is_like(told: str, value: str) -> bool:
    if (days := _DAYS.fullmatch(value)) is not None:
        return bool(told) and days[1] <= told <= days[2]
    return fnmatchcase(told, value.replace("[", "[[]"))
