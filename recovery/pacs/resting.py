"""Courses that nobody treats any more rest: a run loads those that are named again, and of the others a few in turn.

How
    Everybody of a group (`course_groups`) was last treated long ago: the group's objects, and what the RT-PACS said of
    them, lie in a part of the cache of some fifty groups. The table `resting` says who lies where. Whoever is named by
    a new object, an appointment or a delivery is woken: the part is loaded, and counted as if it had never rested. A
    run takes one part in turn, or as many as a week needs for all: they are asked for, and their rows are made again.

Why being in two places harms nobody
    Whoever goes to rest is written to the part first, then to `resting`, and leaves the active tables last; whoever
    comes back the other way round. A reader takes the active row where it finds two, and the next run ends what was
    cut off.
"""

import logging
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.pacs.collection import SOURCE, Collection
from recovery.pacs.course_groups import Group, groups_of, names_in
from recovery.pacs.holdings import LOST, Holding, Holdings
from recovery.tables.schema import HOLDINGS, ON_TREATMENT, RESTING, TableSchema

log = logging.getLogger(__name__)

GROUPS_PER_PART = 50
"""With twenty records each, a thousand are loaded and asked for when a part has its turn."""
RUNS_A_WEEK = 1000
"""Of one every ten minutes, some of them missed. Parts of 50,000 courses take one in each."""

Places = dict[str, tuple[int, int]]
"""By name, the part that it lies in, and how many records of it bear the name."""


@dataclass(slots=True)
class Plan:
    """Who lies where once this run has written."""

    parts: dict[int, list[Group]]
    """The parts that were loaded, and new ones. Everybody else is active."""
    is_any_woken: bool
    new: frozenset[int] = frozenset()
    damaged: frozenset[int] = frozenset()
    is_last: bool = True
    """Whether the run's list is written with it."""

    @property
    def resting(self) -> set[str]:
        parts = (groups for number, groups in self.parts.items() if number not in self.damaged)
        return {name for groups in parts for group in groups for name in group.names}

    @property
    def unclear(self) -> set[str]:
        """Who lies in parts that are damaged, and not read again yet: what was known of them stays."""
        return {name for number in self.damaged for group in self.parts[number] for name in group.names}


@dataclass(slots=True)
class Resting:
    """What rests, of one run. Blank until `load`: a rebuild takes nothing from what rested before."""

    cache: Cache
    collection: Collection
    holdings: Holdings
    groups_per_part: int = GROUPS_PER_PART
    places: Places = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    """By part, how many records it holds."""
    loaded: dict[int, Collection] = field(default_factory=dict)
    """By part, what it holds."""
    damaged: dict[int, set[str]] = field(default_factory=dict)
    """By part of which a table is not what was written: the patients whose records the RT-PACS has to be asked for."""
    mended: set[int] = field(default_factory=set)
    kept: set[str] | None = None
    """Names of those who are booked, treated or missed something: they do not rest. None: nobody has looked."""

    is_blank: bool = True
    is_list_lost: bool = False
    """The rows of all who rest are made again."""
    is_doubled: bool = False
    """A run before was cut off: somebody who rests stands in the active tables, too."""
    answers: dict[int, dict[str, Holding]] = field(default_factory=dict)
    """By part, what it holds of the RT-PACS's answers."""
    _rewrite: set[int] = field(default_factory=set)
    """Parts that were damaged: each of their tables is written again."""

    def load(self) -> None:
        """Read who lies where. Without that nobody knows what rests: the RT-PACS is asked for every record."""
        try:
            told = self.cache.columns(RESTING)
        except CacheError:
            self.collection.has_all_records &= not self._folders()
            return
        self.is_blank = False
        same: dict[tuple[int, int], tuple[int, int]] = {}  # a place that many names share is kept once
        places = (same.setdefault(place, place) for place in zip(told["part"], told["records"], strict=True))  # type: ignore[arg-type]
        self.places = dict(zip(told["name"], places, strict=True))  # type: ignore[arg-type]
        self._count()
        if self.places:
            self.wake(names_in(self.collection))
            self.is_doubled = bool(self.loaded)
        self.is_list_lost = bool(self.places) and not _is_whole(self.cache.part(), ON_TREATMENT)
        if self.is_list_lost:
            self.wake_everybody()

    @property
    def is_made_anew(self) -> bool:
        """Whether this run takes the place of all that rested before."""
        return self.is_blank and bool(self._folders())

    @property
    def sleeping_records(self) -> int:
        """How many records lie in parts that this run has not loaded."""
        return sum(count for number, count in self.counts.items() if number not in self.loaded)

    def take_turn(self, run: int) -> None:
        """Load the parts whose turn it is: by the number of the run, for a clock may lie; all of them within a week."""
        numbers = sorted(self.counts)
        at_once = -(-len(numbers) // RUNS_A_WEEK)
        for place in range(run * at_once, (run + 1) * at_once):
            self._load(numbers[place % len(numbers)])

    def wake(self, names: Iterable[str | None]) -> None:
        """Load the parts that these PatientIDs, plans and structure sets lie in."""
        found = {self.places[name][0] for name in names if name in self.places}
        for number in sorted(found - self.loaded.keys()):
            self._load(number)

    def wake_everybody(self) -> None:
        self.wake(list(self.places))

    def keep_awake(self, names: Iterable[str]) -> None:
        """These are booked or treated, whatever their records say: they do not rest."""
        self.kept = {*(self.kept or ()), *names}
        self.wake(self.kept)

    def is_asleep(self, name: str) -> bool:
        return name in self.places and self.places[name][0] not in self.loaded

    def records_of(self, number: int) -> set[str]:
        """What is known of the records of a part, by SOP Instance UID."""
        return self.loaded[number].records.keys() & self.collection.records.keys()

    def ask_again(self) -> set[str]:
        """Patients whose records are asked for because their part is damaged."""
        return set().union(*self.damaged.values())

    def note_mended(self) -> None:
        """What the RT-PACS holds of them was read."""
        self.mended |= self.damaged.keys()
        self._rewrite |= self.damaged.keys()
        self.damaged.clear()

    def _load(self, number: int) -> None:
        if number in self.loaded:
            return
        part = self.cache.part(number)
        found = self.loaded[number] = Collection.load(part, self.collection.zone)
        if found.unread or not _is_whole(part, HOLDINGS):
            log.warning("part %d of the courses that rest is damaged, and made again from the RT-PACS", number)
            self.damaged[number] = {name for name, (at, count) in self.places.items() if at == number and count}
        self.collection.join(found)
        self.answers[number] = Holdings.load(part).answers
        for uid, answer in self.answers[number].items():
            self.holdings.answers.setdefault(uid, answer)

    def plan(self, since: date | None) -> Plan:
        """Who goes on resting, who is woken and, from `since` on untreated, who goes to rest; None: nobody does."""
        self.wake(self.collection.take_met())
        if since is None and not self.loaded:
            return Plan({}, is_any_woken=False, is_last=False)
        tired: list[Group] = []
        parts: dict[int, list[Group]] = {number: [] for number in self.loaded}
        is_any_woken = False
        for group in groups_of(self.collection):
            at = {self.places[name][0] for name in group.names if name in self.places}
            rests = self._rests(group, since)
            if rests and not at and since is not None and self.kept is not None:
                tired.append(group)
            elif len(at) == 1 and rests:
                parts[at.pop()].append(group)
            else:
                is_any_woken |= bool(at)
        size = self.groups_per_part
        if is_any_woken or len(tired) < size:
            return Plan(parts, is_any_woken, damaged=frozenset(self.damaged), is_last=since is not None)
        tired.sort(key=lambda group: group.last_day)
        first = 1 + max([*self._folders(), *self.counts], default=0)
        new = {first + n: tired[n * size :][:size] for n in range(len(tired) // size)}
        return Plan(parts | new, is_any_woken, frozenset(new), frozenset(self.damaged))

    def write(self, plan: Plan, now: datetime) -> None:
        """Write what changed, in an order in which everybody is somewhere at every moment.

        Raises `CacheError` if something cannot be written.
        """
        own = {number: {uid for group in groups for uid in group.uids} for number, groups in plan.parts.items()}
        needed = {
            number: {share_of(number)}.union(*(group.needed(self.collection) for group in groups))
            for number, groups in plan.parts.items()
        }
        for number in plan.new:
            self._write_part(number, own[number], needed[number], now)
        if plan.new:
            self._write_places(plan, now)
        is_anew = bool(plan.new) or plan.is_any_woken or self.is_doubled
        self.collection.save(self.cache, now, without=set().union(*own.values()), anew=is_anew)
        self.holdings.save(self.cache, now, without=set().union(*needed.values()), anew=is_anew)
        self.is_doubled = False
        for number in own.keys() - plan.new - self.damaged.keys():
            self._write_part(number, own[number], needed[number], now)
        self._write_places(plan, now)

    def _rests(self, group: Group, since: date | None) -> bool:
        """Whether nothing of it is missed, nobody of it is booked, and all of it is old. Without `since`: as it was."""
        if since is None or self.kept is None:
            return True
        answers = self.holdings.answers
        is_missed = any(uid in answers and answers[uid].level == LOST for uid in group.uids)
        return not is_missed and not group.names & self.kept and group.rests(since)

    def _write_part(self, number: int, own: set[str], needed: set[str], now: datetime) -> None:
        held = self.collection.only(own, None if number in self._rewrite else self.loaded.get(number))
        answers = self.holdings.only(needed)
        if not held.is_saved or answers.answers != self.answers.get(number):
            held.save(self.cache.part(number), now)
            answers.save(self.cache.part(number), now)
            self._rewrite.discard(number)
        self.loaded[number], self.answers[number] = held, answers.answers

    def _write_places(self, plan: Plan, now: datetime) -> None:
        """Say who lies where, where that changed, and delete parts that nobody names."""
        if self.is_blank and not plan.is_last:
            return
        told: Places = {}
        of_these = plan.parts.keys() - self.damaged
        for number in of_these:
            for group in plan.parts[number]:
                bearing = Counter(record.ref.patient_id for record in group.records)
                told |= {name: (number, bearing[name]) for name in group.names}
        before = {name: place for name, place in self.places.items() if place[0] in of_these}
        if told == before and not self.is_made_anew:
            return
        known = {name: place for name, place in self.places.items() if name not in before} | told
        self.places, self.is_blank = known, False
        self._count()
        rows = ({"name": name, "part": part, "records": count} for name, (part, count) in known.items())
        self.cache.write(RESTING, rows, taken_at=now, source=SOURCE)
        for number in self._folders() - self.counts.keys():
            shutil.rmtree(self.cache.part(number).path, ignore_errors=True)

    def _count(self) -> None:
        self.counts = {}
        for number, count in self.places.values():
            self.counts[number] = self.counts.get(number, 0) + count

    def _folders(self) -> set[int]:
        """Parts that lie on the disk."""
        return {int(path.name) for path in self.cache.part().path.glob("*") if path.name.isdecimal()}


def share_of(number: int) -> str:
    """Under which name it stands when the records of a part were asked for."""
    return f"records that rest, part {number}"


def _is_whole(part: Cache, schema: TableSchema) -> bool:
    try:
        part.snapshot(schema)
    except CacheError:
        return False
    return True
