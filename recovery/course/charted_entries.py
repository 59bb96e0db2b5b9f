"""What two people sign of a fraction that no R&V system records, and which of it stands. Pure, no I/O, no clock.

An entry that is corrected counts no more. Of entries that may tell of one delivery, made by people who did not know of
each other's, one counts, and all of them are said: people settle it, by a correction, which knows both. Of two whose
numbers run against their days both count, and it is said: a wrong number or a wrong day, or one delivery told twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations

from recovery.words.times import at_time_this_year


@dataclass(frozen=True, slots=True)
class KnownDelivery:
    """A delivery that a record told of when an entry was signed. `began_at`: local to the site."""

    fraction_number: int | None
    beam_number: int | None
    began_at: datetime | None
    delivered_meterset: float | None


@dataclass(frozen=True, slots=True)
class ChartedBeam:
    """A beam as it was given, MU. `planned_meterset`: what it was to give, of a continuation the rest."""

    beam_number: int
    beam_name: str | None
    planned_meterset: float | None
    delivered_meterset: float
    is_continuation: bool = False


@dataclass(frozen=True, slots=True)
class ChartedFraction:
    """What two people signed of one fraction, or, without beams, that the patient was not treated then.

    `corrects`: the entry in whose place it stands; `is_withdrawn`: nothing stands there. `treated_at` and the times of
    `known` are naive, local to the site; `entered_at` is aware.
    """

    entry_id: str
    patient_id: str
    patient_name: str | None
    patient_birth_date: date | None
    referenced_rt_plan_uid: str
    fraction_number: int | None
    treated_at: datetime
    treatment_machine_name: str
    beams: tuple[ChartedBeam, ...]
    signed_by: str
    second_by: str
    entered_at: datetime
    known: tuple[KnownDelivery, ...] = ()
    known_entries: tuple[str, ...] = ()
    corrects: str | None = None
    is_withdrawn: bool = False
    comment: str = ""
    accepted: tuple[str, ...] = ()
    """What was warned of, and accepted by both."""

    def __post_init__(self) -> None:
        """Refuse what nobody could have meant. Raises `ValueError` if it is no entry that two people may sign."""
        if not (self.entry_id and self.patient_id and self.referenced_rt_plan_uid and self.treatment_machine_name):
            raise ValueError("an entry names itself, its patient, plan and machine")
        if not self.signed_by.strip() or not self.second_by.strip() or self.signed_by == self.second_by:
            raise ValueError("two different people sign an entry")
        if self.entered_at.tzinfo is None or self.treated_at.tzinfo is not None:
            raise ValueError("an entry is made at an aware time, of a time local to the site")
        if bool(self.beams) is (self.fraction_number is None) or (self.beams and self.is_withdrawn):
            raise ValueError("an entry with beams has a fraction number, and one without has none")
        if self.is_withdrawn and self.corrects is None:
            raise ValueError("what is withdrawn is an entry")
        if any(not 0 <= beam.delivered_meterset < 1e5 for beam in self.beams):
            raise ValueError("a meterset is a number of MU")
        if len({beam.beam_number for beam in self.beams}) < len(self.beams):
            raise ValueError("an entry tells a beam once")

    @property
    def meterset(self) -> float:
        return sum(beam.delivered_meterset for beam in self.beams)

    def of_plan(self, uid: str | None) -> bool:
        return self.referenced_rt_plan_uid == uid

    @property
    def signers(self) -> str:
        return f"{self.signed_by} and {self.second_by}"

    @property
    def in_words(self) -> str:
        """`fraction 13 on Tue 24 Nov 09:30, 150.0 MU, by … and …`"""
        if self.is_withdrawn:
            return f"withdrawn by {self.signers}"
        what = f"fraction {self.fraction_number}" if self.beams else "not treated"
        mu = f", {self.meterset:.1f} MU" if self.beams else ""
        return f"{what} on {at_time_this_year(self.treated_at)}{mu}, by {self.signers}"


@dataclass(frozen=True, slots=True)
class Standing:
    """The entries of one plan that stand. `answered`: the times for which somebody said whether it was treated."""

    delivered: tuple[ChartedFraction, ...] = ()
    answered: tuple[datetime, ...] = ()
    conflicts: tuple[str, ...] = ()
    patient_ids: frozenset[str] = frozenset()


def standing(entries: Iterable[ChartedFraction]) -> dict[str, Standing]:
    """By plan, the entries that stand, whatever the order in which they came and however often."""
    known = {entry.entry_id: entry for entry in entries}
    corrected = {entry.corrects for entry in known.values()}
    by_plan: dict[str, list[ChartedFraction]] = {}
    for entry_id in sorted(known):
        if entry_id not in corrected:
            by_plan.setdefault(known[entry_id].referenced_rt_plan_uid, []).append(known[entry_id])
    return {uid: _standing(own, known) for uid, own in by_plan.items()}


def freed_by(entry: ChartedFraction, entries: Sequence[ChartedFraction]) -> tuple[ChartedFraction, ...]:
    """What counts beside `entry` once it is signed, and does not yet: of two in conflict the one that did not."""
    uid = entry.referenced_rt_plan_uid
    now, then = (standing(some).get(uid, Standing()).delivered for some in (entries, [*entries, entry]))
    return tuple(one for one in then if one not in now and one.entry_id != entry.entry_id)


def beside(entry: ChartedFraction, entries: Sequence[ChartedFraction]) -> tuple[ChartedFraction, ...]:
    """What was in conflict with the entry that `entry` corrects, and counts beside it once it is signed."""
    known = {one.entry_id: one for one in entries}
    corrected = known.get(entry.corrects or "")
    then = standing([*entries, entry]).get(entry.referenced_rt_plan_uid, Standing()).delivered
    others = (one for one in then if one.entry_id != entry.entry_id)
    return tuple(one for one in others if corrected is not None and _exclude(corrected, one, known))


def _standing(entries: Sequence[ChartedFraction], known: Mapping[str, ChartedFraction]) -> Standing:
    groups: list[list[ChartedFraction]] = []
    for entry in entries:
        near = [group for group in groups if any(_exclude(entry, other, known) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([*(one for group in near for one in group), entry])
    stand = [max(group, key=lambda entry: (entry.meterset, entry.entry_id)) for group in groups]
    told = (" and ".join(sorted(one.in_words for one in group)) for group in groups if len(group) > 1)
    delivered = sorted((e for e in stand if e.beams), key=lambda e: (e.treated_at, e.entry_id))
    crossed = (pair for pair in combinations(delivered, 2) if _are_crossed(*pair, known))
    return Standing(
        delivered=tuple(delivered),
        answered=tuple(sorted(e.treated_at for e in entries if not e.is_withdrawn)),
        conflicts=(
            *(f"charted twice: {said}" for said in told),
            *(f"numbers against days: {one.in_words} before {other.in_words}" for one, other in crossed),
        ),
        patient_ids=frozenset(entry.patient_id for entry in entries),
    )


def _are_crossed(earlier: ChartedFraction, later: ChartedFraction, known: Mapping[str, ChartedFraction]) -> bool:
    """Whether the numbers of two entries, in order of time, run against their days, and neither knew of the other."""
    if earlier.treated_at.date() == later.treated_at.date():
        return False
    is_against = (later.fraction_number or 0) < (earlier.fraction_number or 0)
    return is_against and not _are_aware(earlier, later, _lineage(earlier, known), _lineage(later, known))


def _exclude(one: ChartedFraction, other: ChartedFraction, known: Mapping[str, ChartedFraction]) -> bool:
    """Whether two entries may tell of one thing, and whoever made the later one did not know the other.

    Two that go back to one entry tell of one delivery, whoever knew of what: both never count.
    """
    if not (one.beams or other.beams):
        return False
    mine, theirs = _lineage(one, known), _lineage(other, known)
    are_aware = _are_aware(one, other, mine, theirs)
    if mine & theirs:
        return bool(one.beams and other.beams) or one.corrects == other.corrects or not are_aware
    if one.is_withdrawn or other.is_withdrawn:
        return False
    is_alike = one.fraction_number == other.fraction_number or one.treated_at.date() == other.treated_at.date()
    return is_alike and not are_aware


def _are_aware(one: ChartedFraction, other: ChartedFraction, mine: set[str], theirs: set[str]) -> bool:
    """Whether either was signed in the knowledge of the other. `mine`, `theirs`: what each goes back to."""
    return not (theirs - mine).isdisjoint(one.known_entries) or not (mine - theirs).isdisjoint(other.known_entries)


def _lineage(entry: ChartedFraction, known: Mapping[str, ChartedFraction]) -> set[str]:
    """An entry, what it corrects, what that corrects, and so on."""
    found = {entry.entry_id}
    while entry.corrects is not None and entry.corrects not in found:
        found.add(entry.corrects)
        if entry.corrects not in known:
            break
        entry = known[entry.corrects]
    return found
