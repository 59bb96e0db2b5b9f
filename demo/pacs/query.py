"""Answer a C-FIND: one answer per patient, study, series or object, whatever the level.

Goal
    De-duplicated answers with what was asked for, and nothing else (PS3.4 section C.4.1.1.3).

How
    Rows that match are grouped by the level's keys; the first row of a group speaks for it. Elements without a
    column are read from that row's file. Elements below the level come back empty.

Why relational
    A query at IMAGE level by TreatmentDate alone is how treatment records are found. Upper keys are never required
    (PS3.4 section C.4.1.2.2.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom import Dataset, dcmread

from demo.pacs.index import COLUMNS, GROUP_BY, INDEXED, LEVELS, UNREADABLE
from demo.pacs.matching import Match, file_matches, is_universal, match_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from pydicom.dataelem import DataElement

    from demo.pacs.store import ArchiveStore

_COUNTS = {
    "NumberOfPatientRelatedStudies": ("PATIENT", "STUDY"),
    "NumberOfPatientRelatedSeries": ("PATIENT", "SERIES"),
    "NumberOfPatientRelatedInstances": ("PATIENT", "IMAGE"),
    "NumberOfStudyRelatedSeries": ("STUDY", "SERIES"),
    "NumberOfStudyRelatedInstances": ("STUDY", "IMAGE"),
    "NumberOfSeriesRelatedInstances": ("SERIES", "IMAGE"),
}
_STUDY_ELEMENTS = frozenset({"PhysiciansOfRecord", "StudyDescription", "NameOfPhysiciansReadingStudy"})
_SERIES_ELEMENTS = frozenset(
    {"Manufacturer", "ManufacturerModelName", "BodyPartExamined", "ProtocolName", "OperatorsName", "StationName",
     "PatientPosition", "InstitutionName", "PositionReferenceIndicator", "Laterality"}
)  # fmt: skip
_IN_STUDY = {"ModalitiesInStudy": "modality", "SOPClassesInStudy": "sop_class_uid"}
_SAID_ANYWAY = frozenset({"SpecificCharacterSet", "QueryRetrieveLevel", "RetrieveAETitle"})


class IdentifierError(ValueError):
    """The identifier cannot be answered in this information model: status 0xA900."""


def level_of(identifier: Dataset, *, study_root: bool) -> str:
    """The Query/Retrieve level.

    Raises
    ------
    IdentifierError
        If it is none of the information model.
    """
    level = str(identifier.get("QueryRetrieveLevel") or "").strip()
    if level not in LEVELS or (study_root and level == "PATIENT"):
        raise IdentifierError(f"no Query/Retrieve level of this model: {level!r}")
    return level


@dataclass(frozen=True, slots=True)
class _Asked:
    """The keys of an identifier, sorted by where their values come from."""

    level: str
    indexed: dict[str, str]
    in_study: tuple[str, ...]
    counts: tuple[str, ...]
    from_file: tuple[DataElement, ...]
    empty: tuple[DataElement, ...]

    @classmethod
    def from_identifier(cls, identifier: Dataset, level: str) -> _Asked:
        reachable = LEVELS[: LEVELS.index(level) + 1]
        columns = {keyword: column for name in reachable for keyword, column in COLUMNS[name].items()}
        indexed = {k: column for k, column in INDEXED.items() if column in GROUP_BY[level]}
        in_study, counts, from_file, empty = list[str](), list[str](), list["DataElement"](), list["DataElement"]()
        for element in identifier:
            keyword = element.keyword
            if keyword in _SAID_ANYWAY:
                continue
            if keyword in columns or (keyword in INDEXED and not is_universal(element)):
                indexed[keyword] = INDEXED[keyword]
            elif keyword in _IN_STUDY:
                in_study.append(keyword)
            elif keyword in _COUNTS:
                counts.append(keyword)
            elif keyword not in INDEXED and _level_of_element(element) in reachable:
                from_file.append(element)
            else:
                empty.append(element)
        return cls(level, indexed, tuple(in_study), tuple(counts), tuple(from_file), tuple(empty))


def find(store: ArchiveStore, identifier: Dataset, level: str) -> Iterator[Dataset]:
    """Each answer as it is made; an element that nobody can tell comes back empty."""
    asked = _Asked.from_identifier(identifier, level)
    match = match_of(identifier)
    from_where = f"FROM instance WHERE {match.where}"
    if match.in_files:
        rows = _rows_by_files(store, level, from_where, match)
    else:
        keys = ", ".join(GROUP_BY[level])
        # the bare columns beside a lone MIN() are of the row that has it (SQLite, "Bare columns in an aggregate")
        sql = f"SELECT *, MIN(id) {from_where} GROUP BY {keys} ORDER BY MIN(id)"
        rows = iter(store.index.rows(sql, match.parameters))
    for row in rows:
        yield _answer(store, asked, row)


def _rows_by_files(store: ArchiveStore, level: str, from_where: str, match: Match) -> Iterator[sqlite3.Row]:
    answered: set[tuple[str, ...]] = set()
    for row in store.index.rows(f"SELECT * {from_where} ORDER BY id", match.parameters):
        entity = tuple(row[column] for column in GROUP_BY[level])
        if entity not in answered and file_matches(_read(store, row, match.in_files), match.in_files):
            answered.add(entity)
            yield row


def _answer(store: ArchiveStore, asked: _Asked, row: sqlite3.Row) -> Dataset:
    answer = Dataset()
    answer.QueryRetrieveLevel = asked.level
    answer.RetrieveAETitle = store.ae_title
    for keyword, column in asked.indexed.items():
        setattr(answer, keyword, _stored(row[column]))
    for keyword in asked.in_study:
        setattr(answer, keyword, _in_study(store, row, _IN_STUDY[keyword]))
    for keyword in asked.counts:
        setattr(answer, keyword, _count(store, row, *_COUNTS[keyword]))
    for element in (*asked.empty, *asked.from_file):
        answer.add_new(element.tag, element.VR, None)
    if asked.from_file:
        _fill_from_file(answer, _read(store, row, asked.from_file), asked.from_file)
    if not _is_ascii(answer):
        answer.SpecificCharacterSet = "ISO_IR 192"
    return answer


def _stored(text: str) -> str | list[str] | None:
    if "\\" in text:
        return text.split("\\")
    return text or None


def _level_of_element(element: DataElement) -> str:
    """Where an element without a column belongs: what is not known to be above is the object's own."""
    if element.tag.group == 0x0010:
        return "PATIENT"
    if element.keyword in _STUDY_ELEMENTS:
        return "STUDY"
    return "SERIES" if element.keyword in _SERIES_ELEMENTS else "IMAGE"


def _in_study(store: ArchiveStore, row: sqlite3.Row, column: str) -> list[str]:
    sql = f"SELECT DISTINCT {column} AS said FROM instance WHERE patient_id = ? AND study_instance_uid = ? ORDER BY 1"  # noqa: S608
    found = store.index.rows(sql, (row["patient_id"], row["study_instance_uid"]))
    return [r["said"] for r in found if r["said"]]


def _count(store: ArchiveStore, row: sqlite3.Row, within: str, what: str) -> int:
    """How many entities of the level `what` the row's entity of the level `within` has."""
    condition = " AND ".join(f"{column} = ?" for column in GROUP_BY[within])
    keys = ", ".join(GROUP_BY[what])
    sql = f"SELECT COUNT(*) AS n FROM (SELECT DISTINCT {keys} FROM instance WHERE {condition})"  # noqa: S608
    return int(store.index.rows(sql, tuple(row[c] for c in GROUP_BY[within]))[0]["n"])


def _read(store: ArchiveStore, row: sqlite3.Row, keys: tuple[DataElement, ...]) -> Dataset:
    """The wanted elements of the row's file; nothing when it cannot be read."""
    try:
        return dcmread(store.folder / row["path"], stop_before_pixels=True, specific_tags=[key.tag for key in keys])
    except (*UNREADABLE, OSError):
        return Dataset()


def _fill_from_file(answer: Dataset, ds: Dataset, elements: tuple[DataElement, ...]) -> None:
    for asked in elements:
        try:
            if asked.tag not in ds:
                continue
            said = ds[asked.tag]
            if said.VR == "SQ" and asked.VR == "SQ" and asked.value and len(asked.value[0]):
                answer.add_new(asked.tag, "SQ", [_only(item, asked.value[0]) for item in said.value])
            else:
                answer.add_new(asked.tag, said.VR, said.value)
        except UNREADABLE:
            continue


def _only(item: Dataset, asked: Dataset) -> Dataset:
    """The keys of a sequence item that were asked for (PS3.4 section C.2.2.2.6)."""
    kept = Dataset()
    for element in asked:
        kept.add_new(element.tag, element.VR, None)
    _fill_from_file(kept, item, tuple(asked))
    return kept


def _is_ascii(answer: Dataset) -> bool:
    for element in answer:
        if element.VR == "SQ":
            if not all(_is_ascii(item) for item in element.value or []):
                return False
        elif element.VR in {"LO", "LT", "PN", "SH", "ST", "UC", "UT"} and not str(element.value or "").isascii():
            return False
    return True
