"""What the RT-PACS says it holds of each plan's chain: plan, structure set, images, reference images.

Goal
    `ready` means that the RT-PACS was asked and holds everything that the treatment needs.

How
    Objects and slices are asked for by SOP Instance UID, in long lists, in every run. Where there are more slices than
    a run can ask for, they take turns; between its turns a series stands for as long as the RT-PACS counts as many
    instances of it as when it was proven, and the time that is shown is the one of the proof.

Why
    An object counts as backed up when the destination says that it holds it, never because a move said "success". A
    count stands for no names, so that none lasts longer than a round. Turns are taken by number: a clock may lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime

from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.course.needed_images import NeededImages, is_of_another_patient, needed_images
from recovery.dicom.model import InstanceRef
from recovery.dicom.plans import Plan, ReferencedSeries
from recovery.dimse import Link, Peer, count_series_instances, find_by_uid, find_held, open_link
from recovery.on_treatment.evidence import PlanBackup
from recovery.pacs.collection import Collection
from recovery.tables.schema import HOLDINGS
from recovery.words.values import counted

_Slices = Mapping[str, Mapping[str, InstanceRef]]
"""The slices of each series, by SOP Instance UID."""

SHARE, LOST = "RECORDS", "RECORD"  # levels of the table holdings that are about treatment records
SLICES_PER_RUN = 2000
"""Slices proven by name in every run, however often they were proven before: half a second for an Orthanc."""


@dataclass(frozen=True, slots=True)
class Holding:
    """The RT-PACS's answer about one object or, `level` SERIES, about the slices of a series that are needed."""

    uid: str
    level: str
    wanted: int
    held: int
    asked_at: datetime
    instances_at_proof: int | None = None
    slices: str | None = None
    """Of a series: the slices that are held, joined by a backslash."""
    turn: int = 0

    @property
    def is_held(self) -> bool:
        return self.held >= self.wanted

    @property
    def names(self) -> set[str]:
        return set(self.slices.split("\\")) if self.slices else set()


@dataclass(slots=True)
class Holdings:
    """Answers of the RT-PACS by UID. One that was given in this run is not asked for again."""

    answers: dict[str, Holding] = field(default_factory=dict)
    missing_slices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By series: the slices that were not held when asked for in this run."""
    twins: set[InstanceRef] = field(default_factory=set)
    """Objects of which the RT-PACS said in this run that it has several of one UID."""
    turn: int = 1
    """The number of this run."""
    asked: set[str] = field(default_factory=set)
    """What was asked in this run."""
    is_saved: bool = False

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
        return cls(answers, turn=1 + max((answer.turn for answer in answers.values()), default=0))

    def save(self, cache: Cache, now: datetime, *, without: Set[str] = frozenset(), anew: bool = False) -> None:
        """Write the table, unless nothing was answered since it was; CacheError if that cannot be."""
        if self.is_saved and not anew:
            return
        names = HOLDINGS.columns
        kept = (answer for uid, answer in sorted(self.answers.items()) if uid not in without)
        rows = ({name: getattr(answer, name) for name in names} for answer in kept)
        naive = ({**row, "asked_at": row["asked_at"].astimezone(UTC).replace(tzinfo=None)} for row in rows)
        cache.write(HOLDINGS, naive, taken_at=now, source="RT-PACS")
        self.is_saved = True

    def note(self, answer: Holding) -> None:
        """Keep an answer that was given in this run."""
        self.answers[answer.uid] = answer
        self.asked.add(answer.uid)
        self.is_saved = False

    def forget(self, uids: Iterable[str]) -> None:
        """Drop answers that are not true any more."""
        for uid in list(uids):
            self.is_saved &= self.answers.pop(uid, None) is None
            self.asked.discard(uid)

    def ask(self, pacs: Peer, uids: Iterable[str], now: datetime, *, anew: bool = False) -> set[str]:
        """Which of these objects the RT-PACS holds. Raises `DimseError` if it cannot be asked."""
        wanted = dict.fromkeys(uids)
        stale = [uid for uid in wanted if anew or uid not in self.asked]
        if stale:
            with open_link(pacs) as link:
                found = find_by_uid(link, stale)
            held = {ref.sop_instance_uid for ref in found}
            self.twins |= {ref for ref in found if ref.twins}
            for uid in stale:
                self.note(Holding(uid, "IMAGE", 1, int(uid in held), now, turn=self.turn))
        return {uid for uid in wanted if self.answers[uid].is_held}

    def ask_series(
        self, pacs: Peer, series: Iterable[ReferencedSeries], now: datetime, *, anew: bool = False
    ) -> set[str]:
        """Of which of these series the RT-PACS holds every slice that is needed; none of one without known slices.

        Raises `DimseError` if it cannot be asked.
        """
        wanted = _joined(series)
        stale = {uid: slices for uid, slices in wanted.items() if anew or not self._is_answered(uid, slices.keys())}
        if stale:
            with open_link(pacs) as link:
                counts = {} if anew else self._counts(link, stale)
                standing = self._standing(stale, counts)
                self.asked |= standing
                stale = {uid: slices for uid, slices in stale.items() if uid not in standing}
                held = _held_slices(link, stale)
            for uid, slices in stale.items():
                names = sorted(held[uid])
                self.missing_slices[uid] = tuple(sorted(slices.keys() - held[uid]))
                count, needed = counts.get(uid), max(1, len(slices))
                self.note(Holding(uid, "SERIES", needed, len(names), now, count, "\\".join(names), self.turn))
        return {uid for uid, slices in wanted.items() if slices and slices.keys() <= self.answers[uid].names}

    def take_over(self, other: Holdings) -> None:
        """Take over what another process was answered in this run."""
        self.answers |= other.only(other.asked).answers
        self.is_saved = False
        self.asked |= other.asked
        self.missing_slices |= other.missing_slices
        self.twins |= other.twins

    def answered(self) -> Holdings:
        """What was answered in this run, alone: less to hand over."""
        return Holdings(self.only(self.asked).answers, self.missing_slices, self.twins, self.turn, self.asked)

    def only(self, uids: Iterable[str]) -> Holdings:
        """The answers about these."""
        return Holdings({uid: self.answers[uid] for uid in uids if uid in self.answers}, turn=self.turn)

    def _is_answered(self, uid: str, slices: Iterable[str]) -> bool:
        """Whether this run has asked for all of these slices."""
        if uid not in self.asked:
            return False
        return set(slices) <= self.answers[uid].names | set(self.missing_slices.get(uid, ()))

    def _counts(self, link: Link, stale: _Slices) -> dict[str, int]:
        """How many instances the RT-PACS counts of each series, where there are too many slices to ask for them all."""
        if link.peer.traits.relational is False or sum(map(len, stale.values())) <= SLICES_PER_RUN:
            return {}
        return count_series_instances(link, list(stale))

    def _standing(self, stale: _Slices, counts: Mapping[str, int]) -> set[str]:
        """The series that stand by their count, until it is their turn to be asked for by name again."""
        standing = {uid for uid, count in counts.items() if self._is_as_proven(uid, stale[uid], count)}
        left = SLICES_PER_RUN
        for uid in sorted(standing, key=lambda uid: self.answers[uid].turn):
            left -= len(stale[uid])
            standing.discard(uid)
            if left <= 0:
                break
        return standing

    def _is_as_proven(self, uid: str, slices: Iterable[str], count: int) -> bool:
        """Whether all slices were proven by name, and the RT-PACS counts as many instances of the series as then."""
        before = self.answers.get(uid)
        return before is not None and before.instances_at_proof == count and set(slices) <= before.names

    def backup_of(self, plan_uid: str, collection: Collection) -> PlanBackup:
        """The state of a plan's chain, from answers already given."""
        plan = collection.plans.get(plan_uid)
        if plan is None:
            is_held = self._is_held(plan_uid)
            missing = "structure set and images of the plan" if is_held else "structure set and images"
            return PlanBackup(plan_held=is_held, missing=(missing,))
        needed = needed_images(plan, collection)
        missing_set = self._missing_structure_set(plan, collection)
        missing_images = [*self._missing_images(needed), *self._missing_reference_images(plan)]
        return PlanBackup(
            plan_held=self._is_held(plan_uid),
            structure_set_held=not missing_set,
            images_held=not missing_images,
            missing=(*(() if self._is_held(plan_uid) else ("plan",)), *missing_set, *missing_images),
            remarks=_said_of(needed),
        )

    def _missing_structure_set(self, plan: Plan, collection: Collection) -> list[str]:
        if not plan.structure_set_uids:
            return ["structure set (the plan names none)"]
        if not all(map(self._is_held, plan.structure_set_uids)):
            return ["structure set"]
        known = [collection.structure_sets.get(uid) for uid in plan.structure_set_uids]
        if any(one is not None and is_of_another_patient(plan, one) for one in known):
            return ["structure set (the one that the plan names is another patient's)"]
        return []

    def _missing_images(self, needed: NeededImages) -> Iterable[str]:
        """What is missing of a plan's images, in words."""
        if needed.unnamed and not needed.stand_ins:
            where = "none was found on its frame of reference" if needed.frames else "no frame of reference is known"
            yield f"images ({needed.unnamed}, and {where})"
        for series_uid, slices in _joined(needed.series).items():
            answer = self.answers.get(series_uid)
            named = set(slices)
            lacking = len(named - answer.names) if answer is not None else len(named)
            if answer is None or answer.held == 0:
                yield f"all {len(named)} images" if named else "images"
            elif not named:
                yield "images (nobody tells how many)"
            elif lacking and answer.is_held:  # it was asked for the slices that another structure set names
                yield f"{lacking} of {len(named)} images that the RT-PACS was not asked for"
            elif lacking:
                yield f"{lacking} of {len(named)} images"
        absent = sum(not self._is_held(uid) for uid in needed.contour_image_uids)
        if absent:
            yield f"{absent} of {len(needed.contour_image_uids)} images of which no series is named"

    def _missing_reference_images(self, plan: Plan) -> Iterable[str]:
        absent = sum(not self._is_held(uid) for uid in plan.reference_image_uids)
        if absent:
            yield counted(absent, "reference image")

    def _is_held(self, uid: str) -> bool:
        answer = self.answers.get(uid)
        return answer is not None and answer.is_held


def series_of(plan: Plan, collection: Collection) -> list[ReferencedSeries]:
    """The image series that a plan needs: named by its structure sets, or standing in for what nothing names."""
    return list(needed_images(plan, collection).series)


def _said_of(needed: NeededImages) -> tuple[str, ...]:
    if not needed.stand_ins:
        return ()
    series = "image series" if needed.stand_ins == 1 else f"{needed.stand_ins} image series"
    return (f"{series} found on the plan's frame of reference, not named by a structure set ({needed.unnamed})",)


def _joined(series: Iterable[ReferencedSeries]) -> _Slices:
    """Slices by series: two structure sets may name different slices of one."""
    slices: dict[str, dict[str, InstanceRef]] = {}
    for one in series:
        of_series = slices.setdefault(one.series_instance_uid, {})
        for uid in one.sop_instance_uids:
            of_series[uid] = InstanceRef(
                uid, series_instance_uid=one.series_instance_uid, study_instance_uid=one.study_instance_uid
            )
    return slices


def _held_slices(link: Link, wanted: _Slices) -> dict[str, set[str]]:
    """Which are held, by series. A structure set may name a slice in a series that it is not in: it is held wherever it
    lies, if it is the same patient's as the others of its series."""
    if link.peer.traits.relational is False:
        return {uid: _held_at_walked(link, list(slices.values())) for uid, slices in wanted.items()}
    found = find_by_uid(link, sorted({uid for slices in wanted.values() for uid in slices}))
    places = {ref.sop_instance_uid: {ref.place, *ref.twins} for ref in found}
    held: dict[str, set[str]] = {}
    for series_uid, slices in wanted.items():
        own = {uid: places[uid] for uid in slices.keys() & places.keys()}
        owners = {patient for of in own.values() for patient, _, series in of if series == series_uid}
        held[series_uid] = {uid for uid, of in own.items() if not owners or owners & {patient for patient, *_ in of}}
    return held


def _held_at_walked(link: Link, refs: list[InstanceRef]) -> set[str]:
    held = {ref.sop_instance_uid for ref in find_held(link, refs)}
    rest = [ref.sop_instance_uid for ref in refs if ref.sop_instance_uid not in held]
    return held | {ref.sop_instance_uid for ref in find_by_uid(link, rest)}
