"""What the RT-PACS says it holds of each plan's chain: plan, structure set, images, reference images.

Goal
    `ready` means that the RT-PACS was asked and holds everything that the treatment needs.

How
    Objects are asked for by SOP Instance UID. An image series is proven slice by slice once, and from then on by its
    count of instances, for as long as that does not fall.

Why
    An object counts as backed up when the destination says that it holds it, never because a move said "success".
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from recovery.cache import CacheError
from recovery.dimse import Link, Peer, count_series_instances, find_by_uid, find_refs, open_link
from recovery.on_treatment import PlanBackup
from recovery.tables import HOLDINGS

if TYPE_CHECKING:
    from recovery.cache import Cache
    from recovery.collection import Collection
    from recovery.plans import Plan, ReferencedSeries

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Holding:
    """The RT-PACS's answer about one object or, `level` SERIES, about the slices of a series that are needed."""

    uid: str
    level: str
    wanted: int
    held: int
    asked_at: datetime
    instances_at_proof: int | None = None

    @property
    def is_held(self) -> bool:
        return self.held >= self.wanted


@dataclass(slots=True)
class Holdings:
    """Answers of the RT-PACS by UID. One that was given in this run is not asked for again."""

    answers: dict[str, Holding] = field(default_factory=dict)
    missing_slices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By series: the slices that were not held when last asked one by one."""

    @classmethod
    def load(cls, cache: Cache) -> Holdings:
        """Read the table; without one, everything is asked."""
        try:
            rows = cache.read(HOLDINGS)
        except CacheError:
            rows = []
        answers = {}
        for row in rows:
            asked_at = row["asked_at"]
            if isinstance(asked_at, datetime):
                answers[str(row["uid"])] = Holding(**{**row, "asked_at": asked_at.replace(tzinfo=UTC)})  # type: ignore[arg-type]
        return cls(answers)

    def save(self, cache: Cache, now: datetime) -> None:
        """Write the table.

        Raises
        ------
        CacheError
            If it cannot be written.
        """
        names = HOLDINGS.columns
        rows = ({name: getattr(answer, name) for name in names} for answer in self.answers.values())
        naive = ({**row, "asked_at": row["asked_at"].astimezone(UTC).replace(tzinfo=None)} for row in rows)
        cache.write(HOLDINGS, naive, taken_at=now, source="RT-PACS")

    def ask(self, pacs: Peer, uids: Iterable[str], now: datetime, *, anew: bool = False) -> set[str]:
        """Which of these objects the RT-PACS holds.

        Raises
        ------
        DimseError
            If it cannot be asked.
        """
        wanted = dict.fromkeys(uids)
        stale = [uid for uid in wanted if anew or not self._was_asked(uid, now)]
        if stale:
            with open_link(pacs) as link:
                held = {ref.sop_instance_uid for ref in find_by_uid(link, stale)}
            for uid in stale:
                self.answers[uid] = Holding(uid, "IMAGE", 1, int(uid in held), now)
        return {uid for uid in wanted if self.answers[uid].is_held}

    def ask_series(
        self, pacs: Peer, series: Iterable[ReferencedSeries], now: datetime, *, anew: bool = False
    ) -> set[str]:
        """Of which of these series the RT-PACS holds every slice that is needed; without named slices, any.

        Raises
        ------
        DimseError
            If it cannot be asked.
        """
        wanted = _joined(series)
        stale = [
            uid
            for uid, named in wanted.items()
            if anew or not self._was_asked(uid, now) or self.answers[uid].wanted != max(1, len(named))
        ]
        if stale:
            with open_link(pacs) as link:
                walked = pacs.traits.relational is False
                counts = {} if walked else count_series_instances(link, stale)
                for uid in stale:
                    self.answers[uid] = self._ask_one_series(link, uid, wanted[uid], counts.get(uid), now)
        return {uid for uid in wanted if self.answers[uid].is_held}

    def take_over(self, other: Holdings, now: datetime) -> None:
        """Take over what another process was answered in this run."""
        self.answers |= {uid: answer for uid, answer in other.answers.items() if answer.asked_at == now}
        self.missing_slices |= other.missing_slices

    def _ask_one_series(self, link: Link, uid: str, named: set[str], count: int | None, now: datetime) -> Holding:
        before = self.answers.get(uid)
        needed = max(1, len(named))
        proof = before.instances_at_proof if before is not None and before.is_held and before.wanted == needed else None
        if proof is not None and count is not None and count >= proof:
            return Holding(uid, "SERIES", needed, needed, now, proof)
        there = {ref.sop_instance_uid for ref in find_refs(link, {"SeriesInstanceUID": uid})}
        self.missing_slices[uid] = tuple(sorted(named - there))
        held = len(named & there) if named else min(1, len(there))
        return Holding(uid, "SERIES", needed, held, now, len(there))

    def _was_asked(self, uid: str, now: datetime) -> bool:
        answer = self.answers.get(uid)
        return answer is not None and answer.asked_at == now

    def backup_of(self, plan_uid: str, collection: Collection) -> PlanBackup:
        """The state of a plan's chain, from answers already given."""
        plan = collection.plans.get(plan_uid)
        if plan is None:
            is_held = self._is_held(plan_uid)
            return PlanBackup(plan_held=is_held, missing=("structure set and images of the plan",) if is_held else ())
        missing = [] if self._is_held(plan_uid) else ["plan"]
        absent = [uid for uid in plan.structure_set_uids if not self._is_held(uid)]
        missing += ["structure set"] if absent else []
        images = list(self._missing_images(plan, collection))
        return PlanBackup(
            plan_held=self._is_held(plan_uid),
            structure_set_held=not absent,
            images_held=not images,
            missing=(*missing, *images),
        )

    def _missing_images(self, plan: Plan, collection: Collection) -> Iterable[str]:
        """What is missing of a plan's images, in words."""
        for uid in plan.structure_set_uids:
            structure_set = collection.structure_sets.get(uid)
            if structure_set is None:
                yield "images (the structure set that names them is not held)"
                continue
            for series_uid, named in _joined(structure_set.image_series).items():
                answer = self.answers.get(series_uid)
                if answer is None or answer.held == 0:
                    yield f"all {len(named)} images" if named else "images"
                elif answer.wanted < len(named):  # it was asked for the slices that another structure set names
                    yield f"{len(named) - answer.wanted} of {len(named)} images that the RT-PACS was not asked for"
                elif not answer.is_held:
                    yield f"{answer.wanted - answer.held} of {answer.wanted} images"
        absent = sum(not self._is_held(uid) for uid in plan.reference_image_uids)
        if absent:
            yield f"{absent} reference {'image' if absent == 1 else 'images'}"

    def _is_held(self, uid: str) -> bool:
        answer = self.answers.get(uid)
        return answer is not None and answer.is_held


def series_of(plan: Plan, collection: Collection) -> list[ReferencedSeries]:
    """The image series that a plan's structure sets reference."""
    sets = (collection.structure_sets[uid] for uid in plan.structure_set_uids if uid in collection.structure_sets)
    return [series for structure_set in sets for series in structure_set.image_series]


def _joined(series: Iterable[ReferencedSeries]) -> Mapping[str, set[str]]:
    """Slices by series: two structure sets may name different slices of one."""
    slices: dict[str, set[str]] = {}
    for one in series:
        slices.setdefault(one.series_instance_uid, set()).update(one.sop_instance_uids)
    return slices
