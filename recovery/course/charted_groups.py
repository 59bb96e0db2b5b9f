"""Which deliveries by machines are, or may be, those that people charted. Pure, no I/O, no clock.

What was charted of one fraction and beam on one day is a group, and takes the deliveries of its number and day, else of
either. In whose knowledge an entry was signed, that is none of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from recovery.course.charted_entries import ChartedBeam, ChartedFraction, KnownDelivery
from recovery.course.deliveries import is_rounding


@dataclass(slots=True)
class Group:
    """What was charted of one fraction and beam on one day, in order of time, and the machine's own deliveries that
    are, or may be, the same."""

    fraction_number: int | None
    beam_number: int
    day: date
    parts: list[tuple[ChartedFraction, ChartedBeam]]
    told: list[KnownDelivery] = field(default_factory=list)

    def may_be(self, one: KnownDelivery) -> bool:
        """Whether it is of that beam, and not every part was signed in its knowledge."""
        return one.beam_number == self.beam_number and not all(_knows(entry, one) for entry, _ in self.parts)

    def is_of_day(self, one: KnownDelivery) -> bool:
        return one.began_at is None or one.began_at.date() == self.day

    def order(self, one: KnownDelivery) -> tuple[bool, timedelta, str]:
        """The same number first, then by time."""
        entry = self.parts[0][0]
        apart = abs(one.began_at - entry.treated_at) if one.began_at is not None else timedelta(0)
        return one.fraction_number != self.fraction_number, apart, entry.entry_id

    @property
    def replaced(self) -> list[tuple[ChartedFraction, ChartedBeam]]:
        """The parts in whose place the machine's deliveries stand: from the first on, until no more was charted than
        they and the parts that are left come to."""
        open_to_it = [part for part in self.parts if not all(_knows(part[0], one) for one in self.told)]
        given = self.given
        if given is None:
            return open_to_it
        room, gone = sum(beam.delivered_meterset for _, beam in open_to_it) - given + 1e-6, []
        for part in reversed(open_to_it):
            if part[1].delivered_meterset <= room:
                room -= part[1].delivered_meterset
            else:
                gone.append(part)
        return gone[::-1]

    def may_still_be(self, one: KnownDelivery) -> bool:
        """Whether it may be a part in whose place nothing stands yet."""
        gone = self.replaced if self.told else []
        left = (entry for entry, beam in self.parts if (entry, beam) not in gone)
        return one.beam_number == self.beam_number and not all(_knows(entry, one) for entry in left)

    @property
    def given(self) -> float | None:
        """MU by the machine; None where one of its records tells none."""
        known = [one.delivered_meterset for one in self.told if one.delivered_meterset is not None]
        return sum(known) if len(known) == len(self.told) else None


def grouped(entries: Iterable[ChartedFraction]) -> list[Group]:
    """`entries` in order of time."""
    groups: dict[object, Group] = {}
    for entry in entries:
        for beam in entry.beams:
            key = entry.fraction_number, beam.beam_number, entry.treated_at.date()
            groups.setdefault(key, Group(*key, [])).parts.append((entry, beam))
    return list(groups.values())


def match(groups: Sequence[Group], deliveries: Sequence[KnownDelivery]) -> None:
    """Give each group the deliveries that may be the same: of its number and day first, then of either."""
    rest = []
    for one in sorted(deliveries, key=lambda d: (d.began_at or datetime.max, repr(d))):  # noqa: DTZ901  for order only
        own = [group for group in groups if group.may_be(one) and one.fraction_number == group.fraction_number]
        of_day = [group for group in own if group.is_of_day(one)]
        for group in of_day:
            group.told.append(one)
        if not of_day:
            rest.append(one)
    for one in rest:
        free = [group for group in groups if group.may_still_be(one)]
        alike = [g for g in free if one.fraction_number == g.fraction_number or g.is_of_day(one)]
        if alike:
            nearest = min(alike, key=lambda group: group.order(one))
            nearest.told.append(one)


def _knows(entry: ChartedFraction, one: KnownDelivery) -> bool:
    """Whether an entry was signed in the knowledge of a delivery."""
    return any(_is_one(one, known) for known in entry.known)


def _is_one(one: KnownDelivery, other: KnownDelivery) -> bool:
    """The same delivery, also where it is told again with other digits or under another UID."""
    if (one.fraction_number, one.beam_number) != (other.fraction_number, other.beam_number):
        return False
    if one.began_at is None or other.began_at is None:
        is_one_time = one.began_at is other.began_at
    else:
        is_one_time = abs(one.began_at - other.began_at) < timedelta(seconds=1)
    return is_one_time and is_rounding(one.delivered_meterset, other.delivered_meterset)
