"""What the RT-PACS said it holds, from the cached tables; of which kind an object is, the plans' references tell."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.data.cached import stamps_of
from recovery.cache.errors import TableMissingError
from recovery.cache.store import Cache
from recovery.tables.schema import HOLDINGS, ON_TREATMENT, RT_PLANS, STRUCTURE_SETS

RECORDS, PLANS, STRUCTURES, IMAGES, REFERENCES, OTHERS = (
    "Treatment records",
    "Plans",
    "Structure sets",
    "Planning image slices",
    "Reference images",
    "Doses and others",
)

_OF_LEVEL = {"SERIES": IMAGES, "RECORDS": RECORDS}
"""The kinds that the level of an answer tells."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`held` of `wanted` objects of one kind. `asked_last`: the newest answer, aware, UTC."""

    name: str
    held: int
    wanted: int
    asked_last: datetime


def kinds_held(cache_path: Path) -> list[Kind]:
    """What is held by kind, in the order of a plan's chain; nothing where nothing was asked yet.

    Raises `CacheError` if a table is there and cannot be read.
    """
    return list(_kinds(cache_path, stamps_of(cache_path, HOLDINGS, RT_PLANS, STRUCTURE_SETS, ON_TREATMENT)))


@lru_cache(maxsize=2)
def _kinds(cache_path: Path, stamps: tuple[tuple[int, int], ...]) -> tuple[Kind, ...]:  # noqa: ARG001 it is the key
    cache = Cache(cache_path)
    rows = _rows(cache, HOLDINGS)
    kind_of = _kind_of(cache)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        kind = _OF_LEVEL.get(row["level"]) or kind_of.get(row["uid"], OTHERS)
        if row["level"] != "RECORD":  # one that is lost, and lacks in its share already
            found.setdefault(kind, []).append(row)
    return tuple(
        Kind(
            name,
            sum(row["held"] for row in found[name]),
            sum(row["wanted"] for row in found[name]),
            max(row["asked_at"] for row in found[name]).replace(tzinfo=UTC),
        )
        for name in (RECORDS, PLANS, STRUCTURES, IMAGES, REFERENCES, OTHERS)
        if name in found
    )


def _kind_of(cache: Cache) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for plan in _rows(cache, RT_PLANS):
        references = json.loads(plan["references"])
        kinds |= dict.fromkeys(references["reference_image_uids"], REFERENCES)
        kinds |= dict.fromkeys(references["structure_set_uids"], STRUCTURES)
        kinds[plan["sop_instance_uid"]] = PLANS
    for structure_set in _rows(cache, STRUCTURE_SETS):
        kinds |= dict.fromkeys(json.loads(structure_set["references"])["contour_image_uids"], IMAGES)
        kinds[structure_set["sop_instance_uid"]] = STRUCTURES
    named = (row["referenced_rt_plan_uid"] for row in _rows(cache, ON_TREATMENT))
    return kinds | {uid: PLANS for uid in named if uid}


def _rows(cache: Cache, schema: Any) -> list[dict[str, Any]]:
    try:
        return cache.read(schema)
    except TableMissingError:
        return []
