"""Every fraction on both sides: by treatment records and what people charted, and by the R&V database. Pure, no I/O.

How
    Plan, fraction number and beam name a delivery; MU and days are held against each other. Of a beam that people
    charted, what they signed is our side, with the deliveries that they knew of: a record that came later may be the
    very entry by hand that is to be checked.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from recovery.course.by_session import is_by_session
from recovery.course.charted_entries import Standing
from recovery.course.deliveries import TREATING, Delivery, distinct_deliveries
from recovery.dicom.beam_kinds import no_beam
from recovery.dicom.plans import Plan
from recovery.dicom.records import TreatmentRecord
from recovery.words.times import day
from recovery.words.units import MU
from recovery.words.values import ABSENT

SAME_WITHIN = 0.1
"""MU: as much as digits are rounded away when a number is typed."""

Key = tuple[int | None, int | None]
"""Fraction number and beam number."""
Part = tuple[float | None, date | None]
"""MU and day of one delivery."""


@dataclass(frozen=True, slots=True)
class Given:
    """What one side tells of a beam in a fraction. `meterset`: MU of all parts; None where one tells none."""

    meterset: float | None
    days: tuple[date, ...]

    @property
    def in_words(self) -> str:
        """`100.0 MU on Tue 24 Nov 2026`"""
        mu = f"{self.meterset:.1f} MU" if self.meterset is not None else "no MU"
        return f"{mu} on {', '.join(map(day, self.days)) or ABSENT}"


@dataclass(frozen=True, slots=True)
class BeamOfBoth:
    """A beam of a fraction on both sides; None where a side has none."""

    beam_number: int | None
    beam_name: str | None
    ours: Given | None
    theirs: Given | None

    @property
    def is_equal(self) -> bool:
        if self.ours is None or self.theirs is None or self.ours.days != self.theirs.days:
            return False
        one, other = self.ours.meterset, self.theirs.meterset
        return one is not None and other is not None and abs(one - other) <= SAME_WITHIN + 1e-9

    @property
    def in_words(self) -> str:
        """Both sides: `Field 1: here 100.0 MU on …; R&V system —`"""
        name = self.beam_name or (f"beam {self.beam_number}" if self.beam_number is not None else "no beam told")
        ours, theirs = (one.in_words if one is not None else ABSENT for one in (self.ours, self.theirs))
        return f"{name}: here {ours}; R&V system {theirs}"


@dataclass(frozen=True, slots=True)
class Compared:
    """A fraction of a plan, or, `what` says of it, something else of the plan that a person has to look at."""

    patient_id: str
    referenced_rt_plan_uid: str
    fraction_number: int | None
    beams: tuple[BeamOfBoth, ...] = ()
    charted_by: str = ""
    what: str = ""
    is_conflict: bool = False
    """People settle it where it was charted: no signature closes it here."""

    @property
    def item(self) -> str:
        """A short name that is the same in every run."""
        what = self.what if self.is_conflict else self.what.partition(":")[0]
        whole = repr((self.referenced_rt_plan_uid, self.fraction_number, what))
        return hashlib.sha256(whole.encode()).hexdigest()[:10]

    @property
    def is_equal(self) -> bool:
        return not self.what and all(beam.is_equal for beam in self.beams)

    @property
    def is_lacking(self) -> bool:
        """Whether a person can enter it: we have what the R&V system has not, or has otherwise."""
        return any(beam.ours is not None and not beam.is_equal for beam in self.beams)

    @property
    def sides(self) -> str:
        """Both sides in words, in full: what a signature is for."""
        return self.what or " · ".join(beam.in_words for beam in self.beams)


def conflict(patient_id: str, uid: str, said: str) -> Compared:
    """What was charted and contradicts itself, or a machine's record."""
    return Compared(patient_id, uid, None, what=f"{said}: settle it on the page Chart fractions", is_conflict=True)


def compare(
    records: Iterable[TreatmentRecord],
    plans: Mapping[str, Plan],
    charted: Mapping[str, Standing],
    deliveries: Iterable[Mapping[str, Any]],
    since: date,
) -> list[Compared]:
    """Every fraction of which either side tells something on or after `since`, or tells no day.

    `records`: those that the RT-PACS holds; `charted`: by plan, what stands; `deliveries`: the R&V database's rows.
    """
    ours: dict[str, list[TreatmentRecord]] = {}
    theirs: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        ours.setdefault(record.referenced_rt_plan_uid or "", []).append(record)
    for row in deliveries:
        if row["delivery_type"] in TREATING and row["delivered_meterset"] != 0:
            theirs.setdefault(row["referenced_rt_plan_uid"] or "", []).append(row)
    found: list[Compared] = []
    for uid in sorted({*ours, *theirs, *charted}):
        told = charted.get(uid, Standing())
        found += _of_plan(uid, ours.get(uid, []), plans.get(uid), told, theirs.get(uid, []), since)
    return found


def _of_plan(
    uid: str,
    records: Sequence[TreatmentRecord],
    plan: Plan | None,
    charted: Standing,
    rows: Sequence[Mapping[str, Any]],
    since: date,
) -> Iterator[Compared]:
    people = [*(r.ref.patient_id for r in records), *(e.patient_id for e in charted.delivered)]
    patient_id = next((str(one) for one in (*people, *(row["patient_id"] for row in rows)) if one), "")
    found = distinct_deliveries(records, plan)[0]
    here, there = [_day(one.treated_at) for one in found], [_day(row["treated_at"]) for row in rows]
    if not any(_is_since(at, since) for at in (*here, *there, *(_day(e.treated_at) for e in charted.delivered))):
        return
    yield from (conflict(patient_id, uid, said) for said in charted.conflicts)
    if not uid or is_by_session(records) or any(map(no_beam, rows)) or any(d.unit not in {None, MU} for d in found):
        why = "no plan is named" if not uid else "brachytherapy, ions, or fields without beams"
        counts = f"here {_days(here, since)}; R&V system {_days(there, since)}"
        yield Compared(patient_id, uid, None, what=f"{why}, not compared by MU: {counts}")
        return
    names: dict[Key, str | None] = {}
    ours, theirs = _told_here(found, names), _told_there(rows, names)
    ours |= _charted(charted, names)
    signers = {entry.fraction_number: entry.signers for entry in charted.delivered}
    by_fraction: dict[int | None, list[Key]] = {}
    for key in sorted({*ours, *theirs}, key=_in_order):
        by_fraction.setdefault(key[0], []).append(key)
    for number, keys in by_fraction.items():
        if any(_is_since(at, since) for key in keys for _, at in (*ours.get(key, ()), *theirs.get(key, ()))):
            both = [BeamOfBoth(key[1], names[key], _given(ours.get(key)), _given(theirs.get(key))) for key in keys]
            yield Compared(patient_id, uid, number, tuple(both), signers.get(number, ""))


def _told_here(deliveries: Iterable[Delivery], names: dict[Key, str | None]) -> dict[Key, list[Part]]:
    parts: dict[Key, list[Part]] = {}
    for one in deliveries:
        if one.beam.delivered_meterset != 0:
            key = (one.fraction_number, one.beam.beam_number)
            parts.setdefault(key, []).append((one.beam.delivered_meterset, _day(one.treated_at)))
            names[key] = one.beam.beam_name
    return parts


def _told_there(rows: Iterable[Mapping[str, Any]], names: dict[Key, str | None]) -> dict[Key, list[Part]]:
    parts: dict[Key, list[Part]] = {}
    for row in rows:
        key = (row["fraction_number"], row["beam_number"])
        parts.setdefault(key, []).append((row["delivered_meterset"], _day(row["treated_at"])))
        names.setdefault(key, row["beam_name"])
    return parts


def _charted(charted: Standing, names: dict[Key, str | None]) -> dict[Key, list[Part]]:
    """By fraction and beam, what people signed, and what they knew of when they did."""
    parts: dict[Key, list[Part]] = {}
    for entry in charted.delivered:
        for beam in entry.beams:
            key: Key = (entry.fraction_number, beam.beam_number)
            parts.setdefault(key, []).append((beam.delivered_meterset, entry.treated_at.date()))
            names.setdefault(key, beam.beam_name)
    for known in {known for entry in charted.delivered for known in entry.known}:
        if (told := (known.fraction_number, known.beam_number)) in parts:
            parts[told].append((known.delivered_meterset, _day(known.began_at)))
    return parts


def _given(parts: Sequence[Part] | None) -> Given | None:
    if not parts:
        return None
    metersets = [meterset for meterset, _ in parts if meterset is not None]
    whole = sum(metersets) if len(metersets) == len(parts) else None
    return Given(whole, tuple(sorted({at for _, at in parts if at is not None})))


def _days(days: Iterable[date | None], since: date) -> str:
    return ", ".join(sorted({f"{at:%Y-%m-%d}" for at in days if at is not None and at >= since})) or ABSENT


def _day(at: datetime | None) -> date | None:
    return at.date() if at is not None else None


def _is_since(at: date | None, since: date) -> bool:
    return at is None or at >= since


def _in_order(key: Key) -> tuple[int, ...]:
    return tuple(-1 if number is None else number for number in key)
