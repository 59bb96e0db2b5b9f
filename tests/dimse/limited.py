"""A node that ends every answer to a C-FIND after so many matches, with the status that it likes."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from pydicom import Dataset
from pynetdicom import evt

from tests.dimse.scripted import PENDING, SUCCESS, Scripted

OWN = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}
NO_LIMIT = 10**9


def limited(
    objects: Collection[Dataset],
    limits: Mapping[str, int] | int = NO_LIMIT,
    status: int = SUCCESS,
    *,
    matches_by: Callable[[str], bool] = lambda keyword: True,
    refuses: bool = False,
    unindexed: Collection[str] = (),
    like_sql: bool = False,
) -> Callable[[Scripted, evt.Event], Iterator[Any]]:
    """Answer as the standard says, up to the level's limit; `refuses`: no match at all where there would be more.

    `unindexed`: keys that the node matches by only after it looked at `limit` objects; `like_sql`: it looks at all that
    its database finds, to which `%` and `_` are wildcards. An Orthanc does both.
    """

    def find(here: Scripted, event: evt.Event) -> Iterator[Any]:
        query = event.identifier
        level = str(query.QueryRetrieveLevel)
        limit = limits if isinstance(limits, int) else limits.get(level, NO_LIMIT)
        keys = (e for e in query if e.value and e.keyword not in {"QueryRetrieveLevel", "SpecificCharacterSet"})
        asked = {e.keyword: e.value for e in keys}
        looked_by = {name: value for name, value in asked.items() if name not in unindexed and matches_by(name)}
        if like_sql:
            looked_by = {name: _as_sql(value) for name, value in looked_by.items()}
        found: dict[str, Dataset] = {}
        for ds in objects:
            if all(_matches(ds.get(name), value) for name, value in looked_by.items()):
                found.setdefault(str(ds[OWN[level]].value), ds)
        is_more = len(found) > limit
        names = [element.keyword for element in query]
        sizes = Counter(str(ds.get("SeriesInstanceUID")) for ds in objects)
        if unindexed or like_sql:
            looked_at = list(found.items())[:limit]
            found = {uid: ds for uid, ds in looked_at if all(_matches(ds.get(name), asked[name]) for name in asked)}
        for ds in list(found.values())[:limit] if not (is_more and refuses) else []:
            answer = Dataset()
            for name in names:
                if name == "NumberOfSeriesRelatedInstances":
                    answer.NumberOfSeriesRelatedInstances = str(sizes[str(ds.SeriesInstanceUID)])
                elif name in ds:
                    setattr(answer, name, ds[name].value)
            answer.QueryRetrieveLevel = level
            yield PENDING, answer
        if is_more and status != SUCCESS:
            yield status, None

    return find


def _as_sql(asked: Any) -> Any:
    return asked.replace("%", "*").replace("_", "?") if isinstance(asked, str) else asked


def _matches(value: Any, asked: Any) -> bool:
    if value is None or value == "":
        return False
    wanted = [str(one) for one in asked] if not isinstance(asked, str) else asked.split("\\")
    return any(_fits(str(value), one) for one in wanted)


def _fits(value: str, asked: str) -> bool:
    if "-" in asked and asked.replace("-", "").replace(".", "").isdigit():
        first, last = asked.split("-")
        return first <= value <= last
    return fnmatch.fnmatchcase(value, asked)
