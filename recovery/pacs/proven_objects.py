"""Which of the objects that this software made were read back from the RT-PACS and found to be what was sent.

How
    A table of the cache, `proven_objects`. It never says that the RT-PACS holds an object: that is asked in every
    run. It says only that an object under this UID need not be read again, or that it came back altered.

Why objects that came back altered stand here too
    A later run finds them held, and must not take that for proof.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.host.clock import believed_ages
from recovery.tables.schema import PROVEN_OBJECTS

log = logging.getLogger(__name__)

KEEP = timedelta(days=30)
"""An object that no run asked about for so long is read again when one does."""


@dataclass(slots=True)
class ProvenObjects:
    """By SOP Instance UID: when it was last asked about (UTC, naive), and why it is not proven (empty: it is)."""

    asked_at: dict[str, datetime] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    has_changed: bool = False

    @classmethod
    def load(cls, cache: Cache) -> ProvenObjects:
        """Read the table; without one, everything is read back again."""
        try:
            rows = cache.read(PROVEN_OBJECTS)
        except CacheError:
            return cls()
        return cls(
            {str(row["uid"]): cast("datetime", row["asked_at"]) for row in rows},
            {str(row["uid"]): str(row["why"] or "") for row in rows},
        )

    def is_proven(self, uid: str) -> bool:
        return self.why.get(uid) == ""

    def came_back_altered(self, uid: str) -> bool:
        return bool(self.why.get(uid))

    def note(self, uid: str, why: str, now: datetime) -> None:
        """An object was read back; `why` is empty when it is what was sent."""
        self.has_changed |= self.why.get(uid) != why
        self.why[uid] = why
        self.asked_at[uid] = _naive(now)

    def note_asked(self, uid: str, now: datetime) -> None:
        """The RT-PACS says that it holds an object that was proven before."""
        self.asked_at[uid] = _naive(now)

    def save(self, cache: Cache, now: datetime) -> None:
        """Write the table where it changed. A cache that cannot be written costs time, and is told elsewhere."""
        if not self.has_changed:
            return
        others = ProvenObjects.load(cache)  # what a job found in whose midst, or beside which, this one ran
        self.why = others.why | self.why
        self.asked_at = others.asked_at | self.asked_at
        uids = sorted(self.why, key=lambda uid: self.asked_at[uid])
        ages = believed_ages([self.asked_at[uid] for uid in uids], _naive(now), KEEP)
        kept = [uid for uid, age in zip(uids, ages, strict=True) if age <= KEEP]
        rows = [{"uid": uid, "asked_at": self.asked_at[uid], "why": self.why[uid] or None} for uid in kept]
        try:
            cache.write(PROVEN_OBJECTS, rows, taken_at=now, source="RT-PACS")
            self.has_changed = False
        except CacheError as error:
            log.warning("what was proven in this run will be read again: %s", error)


def _naive(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(tzinfo=None)
