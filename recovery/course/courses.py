"""Which plans of a patient make one course, and what the course delivered. Pure, no I/O, no clock.

Goal
    Where every fraction has a plan of its own (online adaptation), or a new plan goes on where another stopped,
    whoever reads one row reads the course: `3 of 5, next 4`, never `1 of 1, completed`.

How
    By names: a plan that says from which one it was made (PARENT, PREDECESSOR). By numbers: on one machine, a plan
    treated after another whose fraction numbers go on above that one's. A boost that restarts at 1 is another course.

Why the planned number is looked for
    A daily plan says 1, or repeats the number of its reference plan. The reference plan's number holds, else the
    prescription's; a number that does not fit to what the plans themselves say is none
    (`recovery.course.planned_number`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from recovery.words.times import day
from recovery.words.values import absent

if TYPE_CHECKING:
    from recovery.course.fractions import Course, FractionState
    from recovery.dicom.plans import Plan


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One plan of a course, and what it delivered: nothing, for a reference plan."""

    uid: str | None
    plan: Plan | None
    course: Course

    @property
    def numbers(self) -> frozenset[int]:
        """The fraction numbers that its records bear; 0 and below are no fractions."""
        return frozenset(n for n in self.course.held_fraction_numbers if n > 0)

    @property
    def own_number(self) -> int | None:
        """How many fractions it says it has; None where it says 1, which a plan for one day says of any course."""
        number = self.course.number_of_fractions_planned
        return number if number is not None and number > 1 else None

    @property
    def is_complete(self) -> bool:
        """Whether it delivered all of several fractions by itself."""
        return self.own_number is not None and self.course.fractions_remaining == 0


@dataclass(frozen=True, slots=True)
class Chain:
    """The plans that make one course, newest first; one alone, mostly."""

    members: tuple[Member, ...]
    reference_uids: frozenset[str] = frozenset()
    """Of the plans that these were made from: those that are not treated themselves."""
    number_of_fractions_planned: int | None = None
    remark: str = ""
    """Where that number is from, when it is not said by name."""

    @property
    def is_several(self) -> bool:
        return len(self.members) > 1 or bool(self.reference_uids)

    @property
    def fractions_delivered(self) -> int:
        return sum(member.course.fractions_delivered for member in self.members)

    @property
    def fractions_remaining(self) -> int | None:
        if self.number_of_fractions_planned is None:
            return None
        return max(0, self.number_of_fractions_planned - self.fractions_delivered)

    def is_older(self, member: Member) -> bool:
        """Whether another plan of the course took its place: treated after it, or made from it and treated."""
        last = member.course.last_treatment_at
        others = [m.course.first_treatment_at for m in self.members if m is not member]
        if not member.course.is_treated:
            return member.uid in self.reference_uids and any(m.course.is_treated for m in self.members)
        return last is not None and any(first is not None and first > last for first in others)

    def remaining_with(self, member: Member) -> int | None:
        """What remains: of the course, else of the plan's own several fractions; None where neither is known."""
        if self.number_of_fractions_planned is not None:
            return self.fractions_remaining
        return member.course.fractions_remaining if member.own_number is not None else None

    def next_number(self, member: Member) -> int | None:
        """The interrupted fraction's of the plan, else the one after the highest of the course.

        Where each day's plan calls its own fraction 1, the one after those that were given, also with the plan that
        they were made from.
        """
        if self.remaining_with(member) == 0:
            return None
        if member.course.interrupted is not None:
            return member.course.interrupted.fraction_number
        if len(self.members) == 1 and len(member.course.groups) > 1:
            return member.course.next_fraction_number
        counted = self.members if self.goes_on else (self.newest,)
        highest = max([0, *(f.fraction_number for m in counted for f in m.course.fractions)])
        treated = [m for m in self.members if m.course.is_treated]
        is_daily = len(self.members) > 1 and all(m.own_number is None for m in treated[:-1] or treated)
        return max(highest, self.fractions_delivered if is_daily else 0) + 1

    @property
    def newest(self) -> Member:
        """The newest that was treated."""
        return next((m for m in self.members if m.course.is_treated), self.members[0])

    @property
    def goes_on(self) -> bool:
        """Whether the numbers run through the whole course, rather than beginning anew with a plan."""
        numbered = [m.numbers for m in reversed(self.members) if m.numbers]
        return all(max(a) <= min(b) for a, b in pairwise(numbered))


def told_with_two_plans(chain: Chain, member: Member) -> Iterator[str]:
    """Whole fractions of one day that were charted with `member` and told with another plan of the course, or the other
    way round, in words: of one number, or of any where each plan begins its numbers anew. The course then counts one
    too many: the wrong plan was chosen, or the day's was not held yet.

    None of plans that machines recorded on one day, too: they are treated one after the other.
    """
    for other in chain.members:
        if other is member:
            continue
        pairs = [
            (mine, theirs)
            for mine in _whole(member)
            for theirs in _whole(other)
            if _day(mine) == _day(theirs) and (mine.fraction_number == theirs.fraction_number or not chain.goes_on)
        ]
        if any(not _is_charted(mine) and not _is_charted(theirs) for mine, theirs in pairs):
            continue
        for mine, theirs in pairs:
            at = mine.last_treatment_at
            if at is not None:
                yield (
                    f"fraction {mine.fraction_number} on {day(at.date())} with plan {_label(member)}, and fraction "
                    f"{theirs.fraction_number} that day with plan {_label(other)} of its course, one of them charted"
                )


def _whole(member: Member) -> list[FractionState]:
    return [f for f in member.course.fractions if f.is_complete and f.last_treatment_at is not None]


def _day(fraction: FractionState) -> object:
    return fraction.last_treatment_at.date() if fraction.last_treatment_at is not None else None


def _is_charted(fraction: FractionState) -> bool:
    return any(delivery.beam.charted_by for delivery in fraction.deliveries)


def _label(member: Member) -> str:
    return absent(member.plan.rt_plan_label if member.plan is not None else member.uid)


@dataclass(slots=True)
class _Links:
    """Plans by UID, and which of them are one course (disjoint sets)."""

    parent: dict[str, str] = field(default_factory=dict)

    def root(self, uid: str) -> str:
        while (above := self.parent.setdefault(uid, uid)) != uid:
            uid = above
        return uid

    def join(self, one: str, other: str) -> None:
        self.parent[self.root(one)] = self.root(other)


def chains(members: Sequence[Member], plans: Mapping[str, Plan], everybody: Collection[str] = ()) -> list[Chain]:
    """The courses of one patient's treated and booked plans; what they are planned for is yet to be found.

    `plans`: all plans of the patient that are known, by UID; `everybody`: the UIDs of all patients' plans, for who
    names one that is another patient's names no course of his own.
    """
    own = {m.uid: m for m in members if m.uid is not None}
    links = _Links()
    references: set[str] = set()
    for member in own.values():
        for uid, made_from in _lineage(member, plans, everybody):
            if not (made_from in own and _begins_anew(own[made_from], own.get(uid, member))):
                links.join(uid, made_from)
                references.add(made_from)
    for earlier, later in _by_numbers(list(own.values())):
        if earlier.uid is not None and later.uid is not None:
            links.join(earlier.uid, later.uid)
    untreated = {uid for uid in references if uid not in own or not own[uid].course.is_treated}
    groups: dict[str | None, list[Member]] = {}
    for uid, member in own.items():
        groups.setdefault(links.root(uid), []).append(member)
    origins = {root: frozenset(uid for uid in untreated if links.root(uid) == root) for root in groups}
    known = [
        Chain(_newest_first(own, origins[root]), origins[root])
        for root, group in groups.items()
        for own in _not_in_turn(group)
    ]
    return known + [Chain((member,)) for member in members if member.uid is None]


def _lineage(member: Member, plans: Mapping[str, Plan], everybody: Collection[str]) -> Iterable[tuple[str, str]]:
    """Each plan from the member back to where its course began, with the one that it was made from."""
    to_do, seen = [str(member.uid)], set()
    while to_do:
        uid = to_do.pop()
        if uid in seen:
            continue
        seen.add(uid)
        plan = member.plan if uid == member.uid else plans.get(uid)
        for named in plan.predecessor_uids if plan is not None else ():
            if named in plans or named not in everybody:
                yield uid, named
                to_do.append(named)


def _begins_anew(earlier: Member, later: Member) -> bool:
    """Whether a plan that names another as its origin begins after that one was complete: a boost, with own numbers."""
    if not earlier.is_complete:
        return False
    return not later.numbers or min(later.numbers) <= max(earlier.numbers, default=0)


def _not_in_turn(group: Iterable[Member]) -> Iterable[list[Member]]:
    """The plans of one lineage; those that are treated in turn, as a boost is beside the base that it was made from,
    each in a course of its own."""
    courses: list[list[Member]] = []
    for member in sorted(group, key=lambda m: (_first(m), str(m.uid))):
        own = next((course for course in courses if not any(_in_turn(member, other) for other in course)), None)
        if own is None:
            courses.append(own := [])
        own.append(member)
    return courses


def _in_turn(one: Member, other: Member) -> bool:
    """Whether each was treated after the other had begun, and both gave fractions of the same numbers: one such number
    may be a slip."""
    lasts = one.course.last_treatment_at, other.course.last_treatment_at
    if lasts[0] is None or lasts[1] is None or _first(one) > lasts[1] or _first(other) > lasts[0]:
        return False
    mine, theirs = ({f.fraction_number for f in m.course.fractions if f.is_complete} for m in (one, other))
    return len(mine & theirs) > 1


def _by_numbers(members: Iterable[Member]) -> Iterable[tuple[Member, Member]]:
    """Pairs of which the second goes on where the first stopped. Each plan is gone on with by one other."""
    timed = [m for m in members if m.numbers and m.course.first_treatment_at is not None]
    timed.sort(key=lambda m: (_first(m), str(m.uid)))
    gone_on_with: list[Member] = []
    for later in timed:
        before = [e for e in timed if not any(e is done for done in gone_on_with) and _goes_on(e, later)]
        highest = max((max(e.numbers) for e in before), default=0)
        nearest = [e for e in before if max(e.numbers) == highest]
        if len(nearest) > 1:
            nearest = [e for e in nearest if shares_anatomy(e.plan, later.plan)]
        if len(nearest) == 1:
            gone_on_with += nearest
            yield nearest[0], later


def _goes_on(earlier: Member, later: Member) -> bool:
    """Whether `later` was treated after `earlier`, on its machine, with numbers above its own.

    One number may stand in both: of a fraction that was interrupted, and taken up again with the new plan.
    """
    last, machine = earlier.course.last_treatment_at, earlier.course.treatment_machine_name
    if earlier is later or last is None or machine is None or last >= _first(later):
        return False
    highest, lowest = max(earlier.numbers), min(later.numbers)
    is_open = any(f.fraction_number == highest and not f.is_complete for f in earlier.course.fractions)
    is_above = lowest > highest or (lowest == highest > 1 and is_open)
    return is_above and later.course.treatment_machine_name == machine


def shares_anatomy(one: Plan | None, other: Plan | None) -> bool:
    """Whether two plans stand on one frame of reference, structure set or study."""
    if one is None or other is None:
        return False
    frames = {one.frame_of_reference_uid} & {other.frame_of_reference_uid} - {None}
    studies = {one.ref.study_instance_uid} & {other.ref.study_instance_uid} - {None}
    return bool(frames or studies or set(one.structure_set_uids) & set(other.structure_set_uids))


def _newest_first(group: Iterable[Member], references: frozenset[str]) -> tuple[Member, ...]:
    """By first treatment; a plan that waits is the newest, one that the others were made from the oldest."""

    def order(member: Member) -> tuple[int, datetime, str]:
        place = 1 if member.course.is_treated else 0 if member.uid in references else 2
        return place, _first(member), str(member.uid)

    return tuple(sorted(group, key=order, reverse=True))


def _first(member: Member) -> datetime:
    return member.course.first_treatment_at or datetime.min  # noqa: DTZ901  site-local, for order only
