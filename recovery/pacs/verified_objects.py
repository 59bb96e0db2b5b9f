"""Which objects of the RT-PACS were re-read, when, and whether each was what it had been.

A table of the cache: by SOP Instance UID the digest of the first reading, when and in which turn it was last re-read,
whether a source had the same, and why it is not proven. A digest stays until somebody has looked: altered once is
altered until it is healed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.course.needed_images import KnownImages, needed_images
from recovery.dicom.plans import Plan
from recovery.pacs.collection import Collection
from recovery.tables.schema import PROOFS, VERIFIED_OBJECTS, TableSchema
from recovery.words.values import counted

GONE = "the RT-PACS does not hold it"
ALTERED = "the RT-PACS gives it back with another content than when it was first read"
DIFFERS = "the RT-PACS and its source differ"
LOST = f"{DIFFERS} or differed, and what was first read is lost with a damaged table"
_IN_SHORT = {GONE: "lost by the RT-PACS", ALTERED: "altered in the RT-PACS", DIFFERS: "not what its source has"}


def in_short(why: str) -> str:
    """Why an object is not proven, for a line that counts several."""
    return next((short for begin, short in _IN_SHORT.items() if why.startswith(begin)), "unreadable in the RT-PACS")


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
    plan_uids: tuple[str, ...] = ()
    """Of a dose: the plans that it names."""

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
        """Read the table; without one, every object is met for the first time. What was not proven before stays so, by
        the other table, until a source has the same or somebody has looked."""
        rows = _rows(cache, VERIFIED_OBJECTS)
        if rows is None:
            faults = {str(row["uid"]): row for row in _rows(cache, PROOFS) or () if row["why"]}
            return cls({uid: VerifiedObject(uid, None, None, 0, False, LOST, None) for uid in faults})
        listed = [VerifiedObject(**{**row, "why": row["why"] or "", "plan_uids": _plan_uids(row)}) for row in rows]
        found = {one.uid: one for one in listed}
        return cls(found, 1 + max((one.turn for one in found.values()), default=0))

    def save(self, cache: Cache, now: datetime) -> None:
        """Write the table. Raises `CacheError` if it cannot be written."""
        names = VERIFIED_OBJECTS.columns
        rows = (
            {name: getattr(one, name) for name in names}
            | {"why": one.why or None, "plan_uids": "\\".join(one.plan_uids) or None}
            for _, one in sorted(self.objects.items())
        )
        cache.write(VERIFIED_OBJECTS, rows, taken_at=now, source="RT-PACS")

    def in_turn(self, uids: Iterable[str]) -> list[str]:
        """Those never re-read first, then those whose turn was longest ago: counted, for a clock may lie."""
        return sorted(uids, key=lambda uid: (self.objects[uid].turn if uid in self.objects else 0, uid))

    def came(self, uid: str, digest: str, now: datetime, plan_uids: tuple[str, ...] = ()) -> bool:
        """An object was read; whether it is what it was. One that was never read is from now on. `plan_uids`: those
        that a dose names."""
        known = self.objects.get(uid)
        if known is not None and known.digest not in {None, digest}:
            self.failed(uid, ALTERED, now)
            return False
        if known is not None and known.differs:
            self.failed(uid, known.why, now)
            return False
        is_as_at_source = known is not None and known.is_as_at_source
        self.objects[uid] = VerifiedObject(uid, digest, _naive(now), self.turn, is_as_at_source, "", None, plan_uids)
        return True

    def had_their_turn(self, uids: Iterable[str]) -> None:
        """The RT-PACS went away while these were asked for: nothing is known, and others come first next time."""
        for uid in uids:
            known = self.objects.get(uid) or VerifiedObject(uid, None, None, 0, False, "", None)
            self.objects[uid] = replace(known, turn=self.turn)

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

    def was_read(self, uid: str) -> bool:
        """Whether it was read whole, in any run."""
        known = self.objects.get(uid)
        return known is not None and known.digest is not None

    @property
    def digests(self) -> dict[str, str]:
        """Of those that were read whole, by UID, as they were first."""
        return {uid: one.digest for uid, one in self.objects.items() if one.digest is not None}

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
            uid: self.last_proven([*chain_of(plan, collection), *records.get(uid, ())])
            for uid, plan in collection.plans.items()
        }
        doses = {uid: one.plan_uids for uid, one in self.objects.items() if one.why and one.plan_uids}
        return Proofs({uid: at for uid, at in times.items() if at is not None}, self.faults, doses)

    def last_proven(self, uids: Iterable[str]) -> datetime | None:
        """When the first of these was last re-read, all of them being what they were (UTC, naive); else None."""
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
    doses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of doses among the faults: the plans that they name."""

    @classmethod
    def load(cls, cache: Cache, collection: Collection) -> Proofs:
        """Read the table. Where it is damaged or was, it is made of the other one: what was found to be wrong must not
        be right again because a file is gone. Without both, nothing is proven and nothing is known to be wrong."""
        rows = _rows(cache, PROOFS)
        if rows is None:
            return VerifiedObjects.load(cache).proofs(collection)
        plans = {str(row["uid"]): at for row in rows if isinstance(at := row["proven_at"], datetime)}
        faults = {str(row["uid"]): str(row["why"]) for row in rows if row["why"]}
        return cls(plans, faults, {str(row["uid"]): plan_uids for row in rows if (plan_uids := _plan_uids(row))})

    def save(self, cache: Cache, now: datetime) -> None:
        """Write the table. Raises `CacheError` if it cannot be written."""
        rows = (
            {
                "uid": uid,
                "proven_at": self.plans.get(uid),
                "why": self.faults.get(uid),
                "plan_uids": "\\".join(self.doses.get(uid, ())) or None,
            }
            for uid in sorted(self.plans.keys() | self.faults.keys())
        )
        cache.write(PROOFS, rows, taken_at=now, source="RT-PACS")

    def proven_at(self, plan_uid: str, zone: ZoneInfo) -> datetime | None:
        """When a plan's chain and records were last proven, local to the site, naive."""
        at = self.plans.get(plan_uid)
        return at.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) if at is not None else None

    def missing(self, plan: Plan, collection: Collection) -> Iterator[str]:
        """What of a plan's chain is not what it was, in the words of the column `missing`."""
        if not self.faults:
            return
        if why := self.faults.get(plan.ref.sop_instance_uid):
            yield f"plan ({in_short(why)})"
        if why := next((w for uid in plan.structure_set_uids if (w := self.faults.get(uid))), None):
            yield f"structure set ({in_short(why)})"
        bad = Counter(in_short(self.faults[uid]) for uid in images_of(plan, collection) if uid in self.faults)
        yield from (f"{counted(number, 'image')} ({short})" for short, number in bad.items())

    def remarks(self, plan_uid: str) -> Iterator[str]:
        """What of a plan's doses is not what it was. Nobody is treated from a dose: it is said, and lacks nowhere."""
        bad = Counter(in_short(self.faults[uid]) for uid, plans in self.doses.items() if plan_uid in plans)
        yield from (f"{counted(number, 'dose')} of this plan {short}" for short, number in bad.items())


def images_of(plan: Plan, collection: KnownImages) -> list[str]:
    """The images that a plan needs, by SOP Instance UID: slices, those that only contours name, reference images."""
    needed = needed_images(plan, collection)
    slices = (uid for series in needed.series for uid in series.sop_instance_uids)
    return list(dict.fromkeys((*slices, *needed.contour_image_uids, *plan.reference_image_uids)))


def chain_of(plan: Plan, collection: KnownImages) -> list[str]:
    """Everything that a treatment with this plan needs, by SOP Instance UID."""
    return [plan.ref.sop_instance_uid, *plan.structure_set_uids, *images_of(plan, collection)]


def _rows(cache: Cache, schema: TableSchema) -> list[dict[str, Any]] | None:
    """A table's rows; None where there is none that can be read."""
    try:
        return cache.read(schema)
    except CacheError:
        return None


def _plan_uids(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row["plan_uids"] or "").split("\\")) if row["plan_uids"] else ()


def _naive(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(tzinfo=None)
