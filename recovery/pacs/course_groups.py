"""What of a collection hangs together: objects of one patient, and of all whom their plans join. Pure, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recovery.course.needed_images import needed_images

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from recovery.dicom.records import TreatmentRecord
    from recovery.pacs.collection import Collection

NOBODY = ""
"""In the place of an absent PatientID."""


@dataclass(slots=True)
class Group:
    """Objects that no row of the list parts. `names`: PatientIDs, UIDs of plans and of structure sets; `uids`: of every
    object that the collection has of it."""

    names: set[str] = field(default_factory=set)
    uids: set[str] = field(default_factory=set)
    records: list[TreatmentRecord] = field(default_factory=list)

    def rests(self, since: date) -> bool:
        """Whether all of it was given before `since`. Of one without a day or a PatientID nobody can tell."""
        days = [_day(record) for record in self.records]
        return bool(days) and NOBODY not in self.names and all(day is not None and day < since for day in days)

    @property
    def last_day(self) -> str:
        return max((str(day) for record in self.records if (day := _day(record)) is not None), default="")

    def needed(self, collection: Collection) -> set[str]:
        """Under which UIDs the answers of the RT-PACS about it stand."""
        found = {*self.uids, *self.names}
        for plan in (collection.plans[uid] for uid in self.uids & collection.plans.keys()):
            needed = needed_images(plan, collection)
            found.update(one.series_instance_uid for one in needed.series)
            found.update((*needed.contour_image_uids, *plan.reference_image_uids))
        return found


def names_in(collection: Collection) -> set[str]:
    """The names of all its groups."""
    return {name for _, names in _named(collection) for name in names}


def groups_of(collection: Collection) -> list[Group]:
    """Every object of a collection that bears a PatientID or names a plan, in the one group that it belongs to."""
    links = _Links()
    of = {uid: links.join(names) for uid, names in _named(collection)}
    groups: dict[str, Group] = {}
    for uid, name in of.items():
        groups.setdefault(links.root(name), Group()).uids.add(uid)
    for name in links.above:
        if (group := groups.get(links.root(name))) is not None:
            group.names.add(name)
    for uid, record in collection.records.items():
        groups[links.root(of[uid])].records.append(record)
    return list(groups.values())


def _named(collection: Collection) -> Iterator[tuple[str, tuple[str, ...]]]:
    """By object, the names that join it with others, its patient's first."""
    for uid, record in collection.records.items():
        plan = record.referenced_rt_plan_uid
        yield uid, (record.ref.patient_id or NOBODY, *((plan,) if plan else ()))
    for uid, one in collection.plans.items():
        yield uid, (one.ref.patient_id or NOBODY, uid, *one.predecessor_uids, *one.structure_set_uids)
    for uid, found in collection.structure_sets.items():
        yield uid, (found.ref.patient_id or NOBODY, uid)
    for uid, series in collection.image_series.items():
        yield uid, (series.patient_id or NOBODY,)


def _day(record: TreatmentRecord) -> date | None:
    at = record.treated_at
    return at.date() if at is not None else record.written_date


class _Links:
    """Names, and which of them are joined (disjoint sets)."""

    def __init__(self) -> None:
        self.above: dict[str, str] = {}

    def root(self, name: str) -> str:
        while (above := self.above.setdefault(name, name)) != name:
            name = above
        return name

    def join(self, names: Iterable[str]) -> str:
        """These are one; returns the first of them."""
        first, *others = names
        for other in others:
            self.above[self.root(other)] = self.root(first)
        return first
