"""The work list of coming back: what differs between this copy and the R&V database, and what became of it.

How
    The list, records and plans of whoever was treated since a day, what people charted, and the newest table
    `deliveries`: nobody asks the R&V system here. Where that table is older than the downtime, nothing can be said.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from recovery.cache.freshness import known_since
from recovery.cache.snapshots import in_words, quarantined
from recovery.cache.store import Cache
from recovery.course.charted_entries import Standing
from recovery.dicom.records import TreatmentRecord
from recovery.entries.charted import read_charted, standing_now
from recovery.entries.downtimes import DowntimeEntry
from recovery.entries.reconciled import Worked, newest_of
from recovery.host.entry_lines import read_statements
from recovery.on_treatment.reconciling import Compared, compare, conflict
from recovery.patient.tables import PatientTables, read_tables
from recovery.settings.config import Config
from recovery.tables.delivered import DELIVERIES
from recovery.tables.relational import PLANS
from recovery.tables.schema import ON_TREATMENT, RT_PLANS, TREATMENT_RECORDS
from recovery.words.refusals import RefusedError
from recovery.words.times import at_time, day
from recovery.words.values import counted

BEFORE = timedelta(days=30)
"""How long before a downtime a restored R&V system is held against this copy, where nobody says since when."""
UNTOLD = (
    "Not compared: images, documents, notes, and treatment records but by the deliveries of the R&V database. "
    "Compare these by hand."
)
OLDER = "The R&V system lacks all of {}, the first day compared: its state may be older. Compare from an earlier day."
_RESTORED = (
    " An R&V system that was restored to an older state looks like this. To accept it is to compare it here: no "
    "treatment record and no charted fraction is lost by that."
)
PLAN = "the R&V database does not list the plan: the RT-PACS holds it"


class NothingToSayError(RefusedError, LookupError):
    """Nothing can be compared. The text says why."""


@dataclass(frozen=True, slots=True)
class Item:
    """A difference; `is_open`: until it is equal or accepted by name; `state` in words."""

    compared: Compared
    is_open: bool
    state: str
    patient_name: str | None = None
    plan_label: str | None = None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Both sides since a day. `equal`: fractions that are the same; `entered`: those of them entered by hand, by name.

    `known_at`: when the R&V database was read, aware. `faults`: what keeps anybody from saying *equal*.
    """

    since: date
    known_at: datetime
    snapshot_id: str
    items: tuple[Item, ...]
    equal: tuple[Compared, ...]
    entered: Mapping[str, Worked]
    faults: tuple[str, ...] = ()

    @property
    def open(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.is_open)

    @property
    def is_equal(self) -> bool:
        return not self.open and not self.faults

    def statement(self, item: str, kind: Literal["entered", "agrees"], who: str, now: datetime, said: str) -> Worked:
        """What a person says of an item. Raises `ValueError` if nobody can say that of it."""
        compared = next((one.compared for one in self.items if one.compared.item == item), None)
        if compared is None:
            raise ValueError(f"the work list has no item {item}")
        if compared.is_conflict or (kind == "entered" and not compared.is_lacking):
            raise ValueError(f"{item} cannot be signed so: {'settle it first' if compared.is_conflict else 'look'}")
        return Worked(item, kind, compared.sides, who.strip(), now, said.strip())

    def in_words(self, config: Config) -> list[str]:
        """The report: *equal* with its proof, or what is not."""
        at = at_time(self.known_at.astimezone(config.site.zone))
        of = f"since {day(self.since)}, as the R&V database said when it was last read, {at}"
        charted = sum(bool(one.charted_by) for one in self.equal)
        by_hand = sum(one.item in self.entered for one in self.equal)
        same = (
            f"{counted(len(self.equal), 'fraction is', 'fractions are')} the same on both sides by plan, fraction "
            f"number, beam, MU and day; {charted} of them were charted here, {by_hand} entered by hand by name"
        )
        accepted = len(self.items) - len(self.open)
        if self.is_equal:
            proof = "\n".join(f"{one.item} {one.sides}" for one in self.equal)
            digest = hashlib.sha256(proof.encode()).hexdigest()
            signed = f" {counted(accepted, 'difference is', 'differences are')} accepted by name." if accepted else ""
            return [f"EQUAL {of}. {same}.{signed}", f"Proof: snapshot {self.snapshot_id}, SHA-256 {digest}.", UNTOLD]
        patients = len({item.compared.patient_id for item in self.open})
        whose = f"{counted(len(self.open), 'item is', 'items are')} open, of {counted(patients, 'patient')}"
        return [f"NOT EQUAL {of}: {whose}. {same}.", *self.faults, UNTOLD]


def reconcile(config: Config, cache: Cache, now: datetime, since: date | None = None) -> Reconciliation:
    """Hold both sides against each other. `now` is aware.

    Raises `NothingToSayError` if the R&V database was not read since the downtime began, or what it tells since is
    quarantined; `CacheError` or `EntriesError` if what is needed cannot be read.
    """
    began = _newest_begin(config)
    known_at, not_believed = _read_since(config, cache, began)
    first = since or ((began or now).astimezone(config.site.zone).date() - BEFORE)
    rows: list[dict[str, Any]] = cache.read(DELIVERIES)
    charted, told = read_charted(config.cache_path), read_statements(config.cache_path, Worked)
    plans = standing_now(config.cache_path)
    tables = read_tables(cache, _treated(cache, rows, first) | {e.patient_id for e in charted.entries})
    tables_of = {uid for own in tables.records.values() for uid in (r.referenced_rt_plan_uid for r in own)} | {*plans}
    excluded = set(config.dashboard.exclude_patient_ids)
    own = [row for row in rows if _is_since(row, first) or row["referenced_rt_plan_uid"] in tables_of]
    own = [row for row in own if row["patient_id"] not in excluded]
    machines = (record for record in _machines(tables) if record.ref.patient_id not in excluded)
    compared = compare(machines, tables.plans, plans, own, first)
    compared += _conflicts(tables, plans) + _plans_unknown(tables, compared)
    compared = [one for one in compared if one.patient_id not in excluded]
    if not compared:
        raise NothingToSayError(f"Neither side tells of any fraction since {day(first)}: name an earlier day.")
    newest = newest_of(told.all)
    names = {row["patient_id"]: row["patient_name"] for row in tables.everybody}
    labels = {row["referenced_rt_plan_uid"]: row["rt_plan_label"] for row in tables.everybody}
    items = []
    for one in compared:
        if not one.is_equal:
            is_open, state = _state(one, newest.get(one.item), known_at, config)
            name, label = names.get(one.patient_id), labels.get(one.referenced_rt_plan_uid)
            items.append(Item(one, is_open, state, name, label))
    unread = [tables.missing[s.name] for s in (TREATMENT_RECORDS, RT_PLANS, PLANS) if s.name in tables.missing]
    damaged = f"{told.damaged_lines} of what was signed of this list cannot be read." if told.damaged_lines else ""
    snapshot = cache.open_snapshot()
    return Reconciliation(
        since=first,
        known_at=known_at,
        snapshot_id=snapshot.snapshot_id if snapshot is not None else "of an older version",
        items=tuple(sorted(items, key=lambda i: (i.patient_name or "", i.compared.patient_id))),
        equal=tuple(one for one in compared if one.is_equal),
        entered={item: one for item, one in newest.items() if one.kind == "entered"},
        faults=(*not_believed, *charted.faults, *unread, *filter(None, [damaged, _too_old(compared)])),
    )


def _read_since(config: Config, cache: Cache, began: datetime | None) -> tuple[datetime, list[str]]:
    """When the R&V database was read that is believed, and what newer state of it is kept apart. Raises
    `NothingToSayError` if it was not since the downtime `began`."""
    known_at = known_since(cache, DELIVERIES)
    not_believed = [f"{in_words(held)}." for held in quarantined(cache.path, cache.trust)[-1:]]
    if began is not None and known_at <= began:
        at = at_time(known_at.astimezone(config.site.zone))
        why = " ".join(not_believed) + _RESTORED if not_believed else "It has not answered since."
        raise NothingToSayError(f"The R&V database was last believed {at}, before the downtime. {why}")
    return known_at, not_believed


def _newest_begin(config: Config) -> datetime | None:
    begins = [one.since for one in read_statements(config.cache_path, DowntimeEntry).all]
    return max((at for at in begins if at is not None), default=None)


def _treated(cache: Cache, rows: Iterable[Mapping[str, Any]], since: date) -> set[str]:
    listed: list[dict[str, Any]] = cache.read(ON_TREATMENT)
    here = {row["patient_id"] for row in listed if (at := row["last_treatment_at"]) is not None and at.date() >= since}
    return {str(one) for one in here | {row["patient_id"] for row in rows if _is_since(row, since)} if one}


def _is_since(row: Mapping[str, Any], since: date) -> bool:
    return row["treated_at"] is None or row["treated_at"].date() >= since


def _machines(tables: PatientTables) -> Iterator[TreatmentRecord]:
    """What the RT-PACS holds: neither charted, nor made of the very rows that it is held against."""
    for own in tables.records.values():
        for record in own:
            is_of_database = record.ref.sop_instance_uid.startswith("delivery ")  # `sessions_of_database`
            if not is_of_database and not any(beam.charted_by for beam in record.beams):
                yield record


def _conflicts(tables: PatientTables, plans: Mapping[str, Standing]) -> list[Compared]:
    """What was charted and a machine's record says otherwise: people settle that here first."""
    whose = {row["referenced_rt_plan_uid"]: str(row["patient_id"]) for row in tables.everybody}
    return [
        conflict(whose.get(uid, ""), uid, said)
        for uid, settled in tables.charted.items()
        for said in settled.conflicts
        if said not in plans[uid].conflicts  # those are among what is compared already
    ]


def _too_old(compared: Iterable[Compared]) -> str:
    """That the R&V system lacks the first day that is compared: what it lacks may begin before it."""
    here: dict[date, bool] = {}
    for beam in (beam for one in compared for beam in one.beams):
        for at in beam.ours.days if beam.ours is not None else ():
            here[at] = here.get(at, False) or beam.theirs is not None
    first = min(here, default=None)
    return OLDER.format(day(first)) if first is not None and not here[first] else ""


def _plans_unknown(tables: PatientTables, compared: Iterable[Compared]) -> list[Compared]:
    if PLANS.name in tables.missing:
        return []
    known = {row["sop_instance_uid"] for rows in tables.by_patient.get(PLANS.name, {}).values() for row in rows}
    whose = {one.referenced_rt_plan_uid: one.patient_id for one in compared}
    lacking = sorted((whose.keys() & tables.plans.keys()) - known)
    return [Compared(whose[uid], uid, None, what=PLAN) for uid in lacking]


def _state(one: Compared, worked: Worked | None, known_at: datetime, config: Config) -> tuple[bool, str]:
    """Whether an item is open, and what is to be said of it."""
    if worked is None:
        return True, "open"
    by = f"by {worked.signed_by}, {at_time(worked.entered_at.astimezone(config.site.zone))}"
    if worked.kind == "agrees":
        if worked.sides == one.sides:
            return False, f"accepted {by}: {worked.said}"
        return True, f"accepted {by}, and something else since"
    if known_at <= worked.entered_at:
        return True, f"entered by hand {by}; the R&V database was not read since"
    return True, f"entered by hand {by}, and NOT THE SAME"
