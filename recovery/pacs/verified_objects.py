"""Which objects of the RT-PACS were re-read, when, and whether each was what it had been.

Goal
    "Held" means more than "existed when asked": what was read again last night is what was read first.

How
    A table of the cache: by SOP Instance UID the digest of the first reading, when and in which turn it was last
    re-read, whether a source had the same, and why it is not proven. A digest stays until somebody has looked:
    altered once is altered until it is healed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from recovery.cache.store import CacheError
from recovery.course.needed_images import needed_images
from recovery.tables.verified import PROOFS, VERIFIED_OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from zoneinfo import ZoneInfo

    from recovery.cache.store import Cache
    from recovery.dicom.plans import Plan
    from recovery.pacs.collection import Collection

DIFFERS = "the RT-PACS and its source differ"
IN_WORDS = "altered or unreadable in the RT-PACS"
ALTERED = "the RT-PACS gives it back with another content than when it was first read"


@dataclass(frozen=True, slots=True)
class VerifiedObject:
    """One object. Times are UTC, naive. `digest` None: never read whole. `why` empty: what it was."""

    uid: str
    digest: str | None
    verified_at: datetime | None
    turn: int
    is_as_at_source: bool
    why: str
    since: datetime | None

    @property
    def differs(self) -> bool:
        """Whether a source had another content, and nobody has mended either since."""
        return self.why.startswith(DIFFERS)


@dataclass(slots=True)
class VerifiedObjects:
    """By SOP Instance UID. `turn` is the number of the run."""

    objects: dict[str, VerifiedObject] = field(default_factory=dict)
    turn: int = 1

    @classmethod
    def load(cls, cache: Cache) -> VerifiedObjects:
        """Read the table; without one, every object is met for the first time."""
        try:
            rows = cache.read(VERIFIED_OBJECTS)
        except CacheError:
            return cls()
        listed = [VerifiedObject(**{**row, "why": row["why"] or ""}) for row in rows]  # type: ignore[arg-type]
        found = {one.uid: one for one in listed}
        return cls(found, 1 + max((one.turn for one in found.values()), default=0))

    def save(self, cache: Cache, now: datetime) -> None:
        """Write the table.

        Raises
        ------
        CacheError
            If it cannot be written.
        """
        names = VERIFIED_OBJECTS.columns
        rows = ({name: getattr(one, name) for name in names} for one in self.objects.values())
        cache.write(
            VERIFIED_OBJECTS, ({**row, "why": row["why"] or None} for row in rows), taken_at=now, source="RT-PACS"
        )

    def in_turn(self, uids: Iterable[str]) -> list[str]:
        """Those never re-read first, then those whose turn was longest ago: counted, for a clock may lie."""
        return sorted(uids, key=lambda uid: (self.objects[uid].turn if uid in self.objects else 0, uid))

    def came(self, uid: str, digest: str, now: datetime) -> bool:
        """An object was read; whether it is what it was. One that was never read is from now on."""
        known = self.objects.get(uid)
        if known is not None and known.digest not in {None, digest}:
            self.failed(uid, ALTERED, now)
            return False
        if known is not None and known.differs:
            self.failed(uid, known.why, now)
            return False
        is_as_at_source = known is not None and known.is_as_at_source
        self.objects[uid] = VerifiedObject(uid, digest, _naive(now), self.turn, is_as_at_source, "", None)
        return True

    def failed(self, uid: str, why: str, now: datetime) -> None:
        """An object could not be read, is not there, or is another: not proven since the first time that it was so."""
        known = self.objects.get(uid)
        since = known.since if known is not None and known.since is not None else _naive(now)
        blank = VerifiedObject(uid, None, None, self.turn, False, why, since)
        self.objects[uid] = replace(known, turn=self.turn, why=why, since=since) if known is not None else blank

    def is_as_at_source(self, uid: str, now: datetime) -> None:
        """A source was asked for the same object, just read here, and had the same."""
        one = self.objects[uid]
        self.objects[uid] = replace(one, is_as_at_source=True, why="", since=None, verified_at=_naive(now))

    @property
    def faults(self) -> dict[str, str]:
        """Why, by UID, of those that are not proven."""
        return {uid: one.why for uid, one in self.objects.items() if one.why}

    def forget(self, uids: Iterable[str]) -> None:
        """Objects that nobody needs any more."""
        for uid in list(uids):
            self.objects.pop(uid, None)

    def proofs(self, collection: Collection) -> Proofs:
        """What of this is told on the list. A record that came after the last night does not make a plan unproven: it
        was read, and is held."""
        records: dict[str | None, list[str]] = {}
        for uid, record in collection.records.items():
            if uid in self.objects:
                records.setdefault(record.referenced_rt_plan_uid, []).append(uid)
        times = {
            uid: self._last_proven([*chain_of(plan, collection), *records.get(uid, ())])
            for uid, plan in collection.plans.items()
        }
        return Proofs({uid: at for uid, at in times.items() if at is not None}, self.faults)

    def _last_proven(self, uids: Iterable[str]) -> datetime | None:
        """When the last of these was re-read, all of them being what they were."""
        times = []
        for uid in uids:
            one = self.objects.get(uid)
            if one is None or one.why or one.verified_at is None:
                return None
            times.append(one.verified_at)
        return min(times, default=None)


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a cycle needs of all this: when each plan was last proven whole (UTC, naive), and which objects are not."""

    plans: Mapping[str, datetime] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, cache: Cache) -> Proofs:
        """Read the table; without one, nothing is proven and nothing is known to be wrong."""
        try:
            rows = cache.read(PROOFS)
        except CacheError:
            return cls()
        plans = {str(row["uid"]): at for row in rows if isinstance(at := row["proven_at"], datetime)}
        return cls(plans, {str(row["uid"]): str(row["why"]) for row in rows if row["why"]})

    def save(self, cache: Cache, now: datetime) -> None:
        """Write the table.

        Raises
        ------
        CacheError
            If it cannot be written.
        """
        uids = sorted(self.plans.keys() | self.faults.keys())
        rows = ({"uid": uid, "proven_at": self.plans.get(uid), "why": self.faults.get(uid)} for uid in uids)
        cache.write(PROOFS, rows, taken_at=now, source="RT-PACS")

    def proven_at(self, plan_uid: str, zone: ZoneInfo) -> datetime | None:
        """When a plan's chain and records were last proven, local to the site, naive."""
        at = self.plans.get(plan_uid)
        return at.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) if at is not None else None

    def missing(self, plan: Plan, collection: Collection) -> Iterator[str]:
        """What of a plan's chain is not what it was, in the words of the column `missing`."""
        if not self.faults:
            return
        if plan.ref.sop_instance_uid in self.faults:
            yield f"plan ({IN_WORDS})"
        if any(uid in self.faults for uid in plan.structure_set_uids):
            yield f"structure set ({IN_WORDS})"
        if bad := sum(uid in self.faults for uid in images_of(plan, collection)):
            yield f"{bad} {'image' if bad == 1 else 'images'} ({IN_WORDS})"


def images_of(plan: Plan, collection: Collection) -> list[str]:
    """The images that a plan needs, by SOP Instance UID: slices, those that only contours name, reference images."""
    needed = needed_images(plan, collection)
    slices = (uid for series in needed.series for uid in series.sop_instance_uids)
    return list(dict.fromkeys((*slices, *needed.contour_image_uids, *plan.reference_image_uids)))


def chain_of(plan: Plan, collection: Collection) -> list[str]:
    """Everything that a treatment with this plan needs, by SOP Instance UID."""
    return [plan.ref.sop_instance_uid, *plan.structure_set_uids, *images_of(plan, collection)]


def _naive(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(tzinfo=None)
