"""Whether objects under several PatientIDs are of one patient. Pure, no I/O, no clock.

Goal
    An ID that is corrected or merged in mid-course neither splits the course nor warns against the same person; an ID
    that two people share joins nobody.

How
    IDs are joined where objects of one plan bear the same name and the same birth date under both, and along chains of
    such plans. Names are compared without case, accents, punctuation and what follows the given name. The row goes
    under the ID of the newest record.

Why an absent birth date joins nobody
    Two people of one name exist, and one of them without a birth date could be either. Counting their fractions
    together leaves one of them short of dose in silence; two rows that name each other are a question that somebody
    answers at the bedside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from recovery.identity.namesakes import fold

if TYPE_CHECKING:
    from recovery.dicom.model import Patient
    from recovery.dicom.plans import Plan
    from recovery.dicom.records import TreatmentRecord

PatientId = str | None
PlanUid = str | None

SEPARATOR = "\\"
"""Between several IDs in one text: the one character that no PatientID may hold (PS3.5 section 6.2)."""

_OF_ID = "of patient ID "
_ANOTHERS_ID = re.compile(f"objects {_OF_ID}.*? name")


@dataclass(frozen=True, slots=True)
class Person:
    """Who it is, as far as two objects agree by it."""

    name: str
    birth_date: date


_Bearer = tuple[PatientId, Person]
_Bearers = Mapping[PlanUid, Mapping[PatientId, frozenset["Patient"]]]


@dataclass(frozen=True, slots=True)
class Identities:
    """Which IDs are one patient's. An ID that nothing joins is its own."""

    bearers: _Bearers = field(default_factory=dict)
    """By plan and ID, who the objects say it is."""
    joined: Mapping[PatientId, Mapping[Person, PatientId]] = field(default_factory=dict)
    """By ID, those whom other IDs name too, and the newest of their IDs."""

    def of(self, plan_uid: PlanUid, patient_id: PatientId) -> PatientId:
        """The newest ID of whom objects of this plan bear `patient_id`."""
        by_id = self.joined.get(patient_id)
        if by_id is None:
            return patient_id
        own = _persons(self.bearers.get(plan_uid, {}).get(patient_id, frozenset()))
        born = {person.birth_date for person in own}
        named = {newest for person, newest in by_id.items() if person in own}
        found = named or {newest for person, newest in by_id.items() if not own or person.birth_date in born}
        return next(iter(found)) if len(found) == 1 else patient_id

    def newest(self, patient_id: PatientId) -> PatientId:
        """The newest ID of whom `patient_id` names, where that is one person."""
        return self.of(None, patient_id)

    def others(self, patient_id: PatientId) -> tuple[str, ...]:
        """The other IDs of one patient, known by the newest."""
        ids = (known for known, newest in self.joined.items() if patient_id in newest.values())
        return tuple(sorted(known for known in ids if known is not None and known != patient_id))

    def remarks(self, plan_uid: PlanUid, patient_id: PatientId) -> Iterable[str]:
        """Sentences: under which other IDs objects of this plan lie, and whether they are of this patient."""
        if plan_uid is None:
            return
        known = self.bearers.get(plan_uid, {})
        own = {i for i in known if self.of(plan_uid, i) == patient_id}
        also = sorted(str(i) for i in own if i not in {None, patient_id})
        if also:
            yield f"also under patient ID {', '.join(also)}, with the same name and birth date: one course"
        ours = {patient for i in own for patient in known[i]}
        for other in sorted((i for i in known if i not in own), key=str):
            whose = f"{_OF_ID}{other}" if other is not None else "without a patient ID"
            why = f", {_why_apart(ours, known[other])}" if None not in {other, patient_id} else ""
            yield f"objects {whose} name this plan too{why}: not counted here"


def without_others_ids(remarks: str) -> str:
    """What `Identities.remarks` says, for readers to whom another patient is nobody."""
    return _ANOTHERS_ID.sub("objects of another patient ID name", remarks)


def identify(records: Iterable[TreatmentRecord], plans: Iterable[Plan]) -> Identities:
    """Find the IDs that are one patient's, by the records of each plan and the plan itself."""
    listed = list(records)
    found: dict[PlanUid, dict[PatientId, set[Patient]]] = {}
    for record in listed:
        found.setdefault(record.referenced_rt_plan_uid, {}).setdefault(record.ref.patient_id, set()).add(record.patient)
    for plan in plans:
        by_id = found.get(plan.ref.sop_instance_uid)
        if by_id is not None:
            by_id.setdefault(plan.ref.patient_id, set()).add(plan.patient)
    shared = [by_id for uid, by_id in found.items() if uid is not None and len(by_id) > 1]
    if not shared:
        return Identities()
    groups = _groups(shared)
    bearers = {uid: {i: frozenset(who) for i, who in by_id.items()} for uid, by_id in found.items()}
    joined: dict[PatientId, dict[Person, PatientId]] = {}
    times = _newest_records(listed, {bearer for group in groups for bearer in group})
    for group in groups:
        newest = max(group, key=lambda bearer: (*times.get(bearer, _NEVER), str(bearer[0])))
        for patient_id, person in group:
            joined.setdefault(patient_id, {})[person] = newest[0]
    return Identities(bearers, joined)


def own_plan(plan: Plan | None, records: Iterable[TreatmentRecord]) -> Plan | None:
    """The plan, unless it is another patient's under the same UID: its metersets are not those of these records.

    It is another's where ID and name are others, whatever the birth date: somebody who married and got another ID at
    once has to be looked at, and two people of one birth date exist.
    """
    people = {record.patient for record in records}
    if plan is None or not people:
        return plan
    who, names = plan.patient, {_name(p) for p in people}
    is_known_otherwise = who.patient_id not in {p.patient_id for p in people} and "" not in {*names, _name(who)}
    return None if is_known_otherwise and _name(who) not in names else plan


def newest_ids(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """By older ID the newest one, as rows of on_treatment tell; without those IDs that are somebody's newest, too."""
    found: dict[str, set[str]] = {}
    own = set()
    for row in rows:
        own.add(row["patient_id"])
        for other in older_ids([row]):
            found.setdefault(other, set()).add(row["patient_id"])
    return {other: next(iter(newest)) for other, newest in found.items() if len(newest) == 1 and other not in own}


def older_ids(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The further IDs of patients, of rows of on_treatment."""
    return list(dict.fromkeys(i for row in rows for i in (row["other_patient_ids"] or "").split(SEPARATOR) if i))


def ids_of(row: Mapping[str, Any]) -> tuple[str | None, ...]:
    """Every ID that a row of on_treatment is of, its own first."""
    return (row["patient_id"], *older_ids([row]))


def other_ids(rows: Iterable[Mapping[str, Any]], told: Mapping[str, Any] | None) -> str | None:
    """Those that the patient's objects bear, and what the R&V database says."""
    in_database = told["other_patient_ids"] if told is not None else None
    return ", ".join(dict.fromkeys(filter(None, (*older_ids(rows), in_database)))) or None


def row_of_record(rows: Iterable[Mapping[str, Any]], patient_id: PatientId) -> PatientId:
    """Under which ID the list counts a record: its own, else that of whom the rows of its plan say that he bears it."""
    own = list(rows)
    found: set[PatientId] = {row["patient_id"] for row in own if patient_id in older_ids([row])}
    if any(row["patient_id"] == patient_id for row in own) or len(found) != 1:
        return patient_id
    return next(iter(found))


def under_newest(rows: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows of any table under the newest ID of their patient; first those that bore it."""
    if not names:
        return [dict(row) for row in rows]
    listed = [({**row, "patient_id": names.get(row["patient_id"], row["patient_id"])}, row) for row in rows]
    listed.sort(key=lambda pair: pair[0]["patient_id"] != pair[1]["patient_id"])
    return [row for row, _ in listed]


_NEVER = (datetime.min, "")  # noqa: DTZ901  site-local, for order only


def _groups(shared: Iterable[Mapping[PatientId, Iterable[Patient]]]) -> list[set[_Bearer]]:
    """Bearers that are one person: those of one plan who agree, and whoever agrees with one of them elsewhere.

    Under one ID of one plan, another name with the same birth date is the same person: names change by marriage.
    """
    groups: list[set[_Bearer]] = []
    for by_id in shared:
        own = [(i, person) for i, patients in by_id.items() if i is not None for person in _persons(patients)]
        for first in own:
            alike = {b for b in own if b[1] == first[1] or (b[0], b[1].birth_date) == (first[0], first[1].birth_date)}
            touched = [group for group in groups if group & alike]
            groups = [group for group in groups if group not in touched] + [alike.union(*touched)]
    return [group for group in groups if len({i for i, _ in group}) > 1]


def _newest_records(records: Iterable[TreatmentRecord], wanted: set[_Bearer]) -> dict[_Bearer, tuple[datetime, str]]:
    """When the newest record of each bearer was given."""
    times: dict[_Bearer, tuple[datetime, str]] = {}
    ids = {i for i, _ in wanted}
    for record in records:
        if record.ref.patient_id in ids and (person := _person(record.patient)) is not None:
            bearer, at = (record.ref.patient_id, person), (record.treated_at or _NEVER[0], record.ref.sop_instance_uid)
            times[bearer] = max(at, times.get(bearer, at))
    return times


def _persons(patients: Iterable[Patient]) -> set[Person]:
    return {person for patient in patients if (person := _person(patient)) is not None}


def _person(patient: Patient) -> Person | None:
    """None where the name or the birth date is not known."""
    name = _name(patient)
    return Person(name, patient.patient_birth_date) if name and patient.patient_birth_date is not None else None


def _name(patient: Patient) -> str:
    """A name as it is compared: `MÜLLER, Zoë`, `Mueller^Zoe` and `MULLER^ZOE^^DR` are the same."""
    text = fold(patient.patient_name or "")
    for spelled, letter in (("ae", "a"), ("oe", "o"), ("ue", "u")):
        text = text.replace(spelled, letter)
    return " ".join("".join(letter if letter.isalnum() else " " for letter in text).split())


def _why_apart(ours: Iterable[Patient], theirs: Iterable[Patient]) -> str:
    names = [{name for p in who if (name := _name(p))} for who in (ours, theirs)]
    births = [{p.patient_birth_date for p in who if p.patient_birth_date is not None} for who in (ours, theirs)]
    if all(names) and not names[0] & names[1]:
        return "with another name"
    if all(births) and not births[0] & births[1]:
        return "with another birth date"
    if not all(names) or not all(births):
        return "and name or birth date cannot be compared"
    return "and not with the same name and birth date"
