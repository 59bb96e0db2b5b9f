"""What the safety gate says of everybody on treatment now, and the packs that lie ready; nothing is fetched for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from app.data import cached
from recovery.tables.schema import HOLDINGS, ON_TREATMENT, RT_PLANS, VERIFIED_OBJECTS

if TYPE_CHECKING:
    from app.desk import Desk
    from recovery.cache.store import Cache
    from recovery.packing.contents import Rules
    from recovery.packing.gate import Refusal

EVERY_MINUTES = 10
"""So old may what the page says be: a proof that gets too old is refused no later than that."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """Now, which is another only when its ten minutes are: what is proven just now lies in no future."""

    slot: datetime
    now: datetime = field(compare=False)


@dataclass(frozen=True, slots=True)
class Judged:
    """A plan, and why the gate refuses it; empty: it may be packed."""

    machine: str | None
    patient_name: str | None
    patient_id: str
    plan: str | None
    refused: tuple[Refusal, ...]


def judged(desk: Desk) -> tuple[Judged, ...]:
    """Everybody who is on treatment or ready to start, by machine and name.

    Raises `TableMissingError` or `CacheError` if the list, the records or the plans cannot be read.
    """
    from recovery.packing.contents import Rules

    now = desk.now()
    slot = now.replace(minute=now.minute - now.minute % EVERY_MINUTES, second=0, microsecond=0)
    stamps = cached.stamps_of(desk.config.cache_path, ON_TREATMENT, RT_PLANS, HOLDINGS, VERIFIED_OBJECTS)
    excluded = tuple(desk.config.dashboard.exclude_patient_ids)
    return _judged(desk.cache, Rules.of(desk.config), excluded, _Moment(slot, now), stamps)


def made_at(folder: Path | None) -> datetime | None:
    """When a pack was made, naive, local to the site; None where there is none, or somebody did not end."""
    from recovery.folder.sums import UNFINISHED
    from recovery.packing.proof import read_manifest

    known = read_manifest(folder) if folder is not None and not (folder / UNFINISHED).exists() else None
    return datetime.fromisoformat(known["made_at"]) if known is not None else None


@lru_cache(maxsize=2)
def _judged(
    cache: Cache,
    rules: Rules,
    excluded: tuple[str, ...],
    at: _Moment,
    stamps: tuple[tuple[int, int], ...],  # noqa: ARG001  the key
) -> tuple[Judged, ...]:
    from recovery.packing.contents import wanted_plans
    from recovery.packing.gate import OF_TABLES, refusals
    from recovery.patient.chosen import NobodyError, everybody

    try:
        patient_ids = everybody(cache, excluded).patient_ids
    except NobodyError:
        return ()
    found = []
    for case in (wanted.case for wanted in wanted_plans(cache, rules, patient_ids, None, at.now)):
        person, refused = case.file.identity, tuple(refusals(case, OF_TABLES))
        found.append(Judged(case.machine, person.patient_name, person.patient_id, case.plan.label, refused))
    return tuple(found)
