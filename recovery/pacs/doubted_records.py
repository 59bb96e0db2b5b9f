"""Which treatment records of the RT-PACS the R&V system never named: whoever may store there can make one up.

How
    Only what is open is kept: a record that the R&V system named once is known for good, also when it purges it. What
    the RT-PACS is the first to tell of is asked from the R&V system. One that it denies then, in a run in which it
    answers and has others of that patient, is set aside: it is not read, and no next fraction is offered until the R&V
    system has it, a physicist signs it as a known gap, or it is deleted from the RT-PACS. A patient of whom nothing
    else is known would be off the list so: that record counts, and no next fraction is offered all the same.

Why not every one that it denies
    What was there before it could be asked (the first run on a filled RT-PACS, a downtime, a new R&V system), what is
    of a patient of whom the same is counted (a machine that stores its records itself), and what comes of many patients
    at once (an archive that is moved, an R&V system that lost much), is rather its loss than somebody's forgery: that
    counts, and is said. A fraction left out in silence is given twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.dicom.model import InstanceRef
from recovery.entries.denials import Told, denials_since, note_denials, standing_denials
from recovery.entries.known_gaps import ever_acknowledged
from recovery.host.entry_lines import EntriesError
from recovery.tables.schema import DENIED, DOUBTED_RECORDS, FIRST, NAMED, SET_ASIDE, UNASKED

WAITING = SET_ASIDE, FIRST
STATED = frozenset({DENIED, *WAITING})
"""What the R&V system said, which must outlive this cache."""


@dataclass(slots=True)
class DoubtedRecords:
    """By SOP Instance UID. `is_blank`: nobody has looked yet, or the table is lost: all that is known is open."""

    records: dict[str, Told] = field(default_factory=dict)
    is_blank: bool = True
    signed: frozenset[str] = frozenset()
    """What a physicist has signed as a known gap."""
    _written: dict[str, Told] | None = None

    @classmethod
    def load(cls, cache: Cache) -> DoubtedRecords:
        """Read the table, what the jobs stated of it wherever that was, and what was signed.

        Raises `EntriesError` if the statements cannot be read.
        """
        signed, stated = ever_acknowledged(cache.path), standing_denials(cache.path)
        try:
            rows = cache.read(DOUBTED_RECORDS)
        except CacheError:
            return cls(stated, signed=signed)
        found: dict[str, Told] = {
            str(row["sop_instance_uid"]): (row["patient_id"], row["state"], row["since"])  # type: ignore[misc]
            for row in rows
        }
        known = {**stated, **found}
        is_all_stated = {uid: state for uid, (_, state, _) in stated.items()} == {
            uid: state for uid, (_, state, _) in known.items() if state in STATED
        }
        return cls(known, False, signed, found if is_all_stated else None)

    def save(self, cache: Cache, now: datetime) -> None:
        """Write the table where it changed, and state what was denied. Raises `CacheError` if that cannot be."""
        if self.is_blank or self.records == self._written:
            return
        rows = (
            {"sop_instance_uid": uid, "patient_id": whose, "state": state, "since": since}
            for uid, (whose, state, since) in sorted(self.records.items())
        )
        cache.write(DOUBTED_RECORDS, rows, taken_at=now, source="RT-PACS and R&V system")
        try:
            note_denials(cache.path, {uid: one for uid, one in self.records.items() if one[1] in STATED}, now)
        except EntriesError as error:
            raise CacheError(str(error)) from error
        self._written = dict(self.records)

    def take(self, cache_path: Path, lines: Iterable[bytes]) -> None:
        """Take in what jobs stated elsewhere, line by line; not of what the R&V system was just seen to have. Raises as
        `load`."""
        for uid, one in denials_since(cache_path, lines).items():
            if self.records.get(uid, one)[1] == NAMED:
                continue
            self.records.pop(uid, None)
            if one[1]:
                self.records[uid] = one

    def of_state(self, *states: str) -> set[str]:
        return {uid for uid, (_, state, _) in self.records.items() if state in states}

    def by_patient(self, state: str) -> Counter[str | None]:
        return Counter(whose for whose, one, _ in self.records.values() if one == state)

    @property
    def waiting(self) -> set[str]:
        """Those for which nobody vouches yet: no next fraction is told, and they go to no other system."""
        return self.of_state(*WAITING) - self.signed

    def note_named(self, refs: Iterable[InstanceRef], known: Collection[str], now: datetime) -> set[str]:
        """The R&V system has these; returns those that were set aside, and are to be read. `known`: what was read."""
        back = set()
        for ref in refs:
            uid = ref.sop_instance_uid
            before = self.records.pop(uid, None)
            if before is not None and before[1] == SET_ASIDE:
                back.add(uid)
            if uid not in known:
                self.records[uid] = (ref.patient_id, NAMED, _naive(now))
        return back

    def note_denied(
        self,
        refs: Iterable[InstanceRef],
        now: datetime,
        *,
        heard_of: Collection[str | None],
        counted: Collection[str | None],
        most_patients: int,
    ) -> None:
        """The R&V system was asked for these and has none of them, but others of the patients `heard_of`. What was met
        before counts on, and what is of those of whom others are `counted`; of many patients at once all does."""
        new = [ref for ref in refs if ref.sop_instance_uid not in self.records]
        waiting = {whose for whose, state, _ in self.records.values() if state in WAITING}
        are_few = len(waiting | {ref.patient_id for ref in new}) <= most_patients
        for ref in new:
            state = SET_ASIDE if ref.patient_id in heard_of else DENIED if ref.patient_id in counted else FIRST
            self.records[ref.sop_instance_uid] = (ref.patient_id, state if are_few else DENIED, _naive(now))

    def note_still_denied(self, uids: Iterable[str]) -> None:
        for uid in set(uids) & self.of_state(UNASKED):
            whose, _, since = self.records[uid]
            self.records[uid] = (whose, DENIED, since)

    def note_signed(self) -> set[str]:
        """What a physicist signed since is counted: returns what is to be read."""
        signed = self.of_state(*WAITING) & self.signed
        back = signed & self.of_state(SET_ASIDE)
        for uid in signed:
            whose, _, since = self.records[uid]
            self.records[uid] = (whose, DENIED, since)
        return back

    def forget(self, uids: Iterable[str]) -> None:
        """The RT-PACS does not hold these any more."""
        for uid in uids:
            self.records.pop(uid, None)

    def note_read(self, read: Iterable[InstanceRef], known: Iterable[InstanceRef], now: datetime) -> None:
        """These records were read in this run: of those that nobody named the R&V system is still to be asked. What of
        the open ones is not among `known` any more rests, or is gone."""
        told = list(known)
        for ref in told if self.is_blank else read:
            uid = ref.sop_instance_uid
            self.records.setdefault(uid, (ref.patient_id, UNASKED, _naive(now)))
        self.is_blank = False
        there = {ref.sop_instance_uid for ref in told}
        for uid, (_, state, _) in list(self.records.items()):
            if state == NAMED or (state not in WAITING and uid not in there):
                del self.records[uid]


def _naive(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(tzinfo=None)
