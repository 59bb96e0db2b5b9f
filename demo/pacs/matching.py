"""Which objects a C-FIND identifier asks for (PS3.4 section C.2.2.2).

Goal
    Single value, list of UIDs, wild card, range, sequence and universal matching, on any key.

How
    Keys with an indexed column become SQL. The others are compared with what the file says, object by object:
    slow, but a query for an RTPlanLabel means what it says.

Why lists for every key
    Only UIDs may come as lists by the standard of old; a `\\` cannot stand in another value, so it is read as
    "one of these" there too.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo.pacs.index import INDEXED, UNREADABLE, element_text, person_name_matches

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.dataelem import DataElement

_NOT_MATCHED = frozenset(
    {
        "SpecificCharacterSet",
        "TimezoneOffsetFromUTC",
        "QueryRetrieveLevel",
        "RetrieveAETitle",
        "NumberOfPatientRelatedStudies",
        "NumberOfPatientRelatedSeries",
        "NumberOfPatientRelatedInstances",
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
        "NumberOfSeriesRelatedInstances",
    }
)
_WILD_VRS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_RANGE_VRS = frozenset({"DA", "TM", "DT"})
_NUMBER_VRS = frozenset({"IS", "DS"})


@dataclass(frozen=True, slots=True)
class Match:
    """A condition in SQL with its parameters, and the elements that only the files can answer."""

    where: str
    parameters: tuple[object, ...]
    in_files: tuple[DataElement, ...]


def match_of(identifier: Dataset) -> Match:
    """Read the keys that have a value; universal ones (empty, or `*`) ask for nothing."""
    conditions, parameters, in_files = ["1"], list[object](), list["DataElement"]()
    for element in identifier:
        keyword = element.keyword
        if keyword in _NOT_MATCHED or is_universal(element):
            continue
        condition = _condition(element)
        if condition is None:
            in_files.append(element)
            continue
        conditions.append(condition[0])
        parameters += condition[1]
    return Match(" AND ".join(conditions), tuple(parameters), tuple(in_files))


def is_universal(element: DataElement) -> bool:
    if element.VR == "SQ":
        return all(is_universal(e) for item in element.value or [] for e in item)
    return not values_of(element) or values_of(element) == ["*"]


def values_of(element: DataElement) -> list[str]:
    """The key's values as text, without padding; none when empty."""
    value = element.value
    if value is None or value == "":
        return []
    many = value if not isinstance(value, str) and hasattr(value, "append") else [value]
    return [text for v in many if (text := str(v).strip(" \x00"))]


def _condition(element: DataElement) -> tuple[str, list[object]] | None:
    """The key as SQL on `instance`; None when no column knows it."""
    if element.keyword == "ReferencedRTPlanSequence":
        return _referenced_plan(element)
    if element.keyword in {"ModalitiesInStudy", "SOPClassesInStudy"}:
        column = "modality" if element.keyword == "ModalitiesInStudy" else "sop_class_uid"
        values, parameters = _any_value(column, element)
        studies = f"SELECT patient_id, study_instance_uid FROM instance WHERE {values}"  # noqa: S608  bound
        return f"(patient_id, study_instance_uid) IN ({studies})", parameters
    column = INDEXED.get(element.keyword, "")
    if not column:
        return None
    if element.VR == "UI":
        return f"{column} IN (SELECT value FROM json_each(?))", [json.dumps(values_of(element))]  # noqa: S608
    return _any_value(column, element)


def _any_value(column: str, element: DataElement) -> tuple[str, list[object]]:
    parts = [_one_value(column, v, element.VR) for v in values_of(element)]
    return "(" + " OR ".join(sql for sql, _ in parts) + ")", [p for _, found in parts for p in found]


def _one_value(column: str, value: str, vr: str) -> tuple[str, list[object]]:
    if vr == "PN":
        return f"pn_matches({column}, ?)", [value]
    if vr in _RANGE_VRS and "-" in value:
        first, _, last = value.partition("-")
        # '~' sorts after every digit: 0930 as the upper end of a range takes all of that minute in
        return f"({column} <> '' AND {column} >= ? AND {column} <= ?)", [first.strip(), (last.strip() or "9") + "~"]
    if vr in _NUMBER_VRS:
        return f"({column} <> '' AND CAST({column} AS REAL) = CAST(? AS REAL))", [value]
    if vr in _WILD_VRS and any(c in value for c in "*?"):
        return f"{column} GLOB ?", [value.replace("[", "[[]")]
    return f"{column} = ?", [value]


def _referenced_plan(element: DataElement) -> tuple[str, list[object]] | None:
    """ReferencedRTPlanSequence > ReferencedSOPInstanceUID, when no other key of the item has a value."""
    keys = [e for item in element.value for e in item if not is_universal(e)]
    if [e.keyword for e in keys] != ["ReferencedSOPInstanceUID"]:
        return None
    plans = "referenced_sop_instance_uid IN (SELECT value FROM json_each(?))"
    records = f"SELECT sop_instance_uid FROM referenced_rt_plan WHERE {plans}"  # noqa: S608  bound
    return f"sop_instance_uid IN ({records})", [json.dumps(values_of(keys[0]))]


def file_matches(ds: Dataset, keys: tuple[DataElement, ...]) -> bool:
    """Whether an object says what the keys without a column ask; a sequence matches when one item does."""
    return all(_element_matches(ds, key) for key in keys)


def _element_matches(ds: Dataset, key: DataElement) -> bool:
    if key.VR != "SQ":
        said = element_text(ds, key.keyword) if key.keyword else _private_text(ds, key)
        return any(_text_matches(s, v, key.VR) for v in values_of(key) for s in said.split("\\"))
    try:
        items = list(ds[key.tag].value or []) if key.tag in ds else []
    except UNREADABLE:
        return False
    wanted = [tuple(e for e in item if not is_universal(e)) for item in key.value]
    return any(file_matches(item, keys) for item in items for keys in wanted)


def _private_text(ds: Dataset, key: DataElement) -> str:
    try:
        return str(ds[key.tag].value) if key.tag in ds else ""
    except UNREADABLE:
        return ""


def _text_matches(said: str, value: str, vr: str) -> bool:
    if not said:
        return False
    if vr == "PN":
        return person_name_matches(said, value)
    if vr in _RANGE_VRS and "-" in value:
        first, _, last = value.partition("-")
        return first.strip() <= said <= (last.strip() or "9") + "~"
    if vr in _NUMBER_VRS:
        try:
            return float(said) == float(value)
        except ValueError:
            return False
    if vr in _WILD_VRS and any(c in value for c in "*?"):
        return re.fullmatch("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in value), said) is not None
    return said == value
