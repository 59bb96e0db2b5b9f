"""A node that ends every answer to a C-FIND after so many matches, with the status that it likes."""

from __future__ import annotations

import fnmatch
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
        keys = [e for e in query if e.value and e.keyword not in {"QueryRetrieveLevel", "SpecificCharacterSet"}]
        found: dict[str, Dataset] = {}
        for ds in objects:
            looked_by = [e for e in keys if e.keyword not in unindexed and matches_by(e.keyword)]
            if all(_matches(ds.get(e.keyword), _as_sql(e.value) if like_sql else e.value) for e in looked_by):
                found.setdefault(str(ds[OWN[level]].value), ds)
        is_more = len(found) > limit
        if unindexed or like_sql:
            looked_at = list(found.items())[:limit]
            found = {uid: ds for uid, ds in looked_at if all(_matches(ds.get(e.keyword), e.value) for e in keys)}
        for ds in list(found.values())[:limit] if not (is_more and refuses) else []:
            answer = Dataset()
            for element in query:
                if element.keyword == "NumberOfSeriesRelatedInstances":
                    answer.NumberOfSeriesRelatedInstances = str(
                        sum(o.SeriesInstanceUID == ds.SeriesInstanceUID for o in objects)
                    )
                elif element.keyword in ds:
                    setattr(answer, element.keyword, ds[element.keyword].value)
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
