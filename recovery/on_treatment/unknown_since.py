"""Who may have been treated since the newest proof. Pure, no I/O, no clock.

Goal
    When the R&V system died at 09:05, nobody reads "not treated" of a patient who was on the couch at 09:20, and nobody
    is treated twice.

How
    The newest proof is the start of the last run that asked both sides for treatment records to the end. Once it is
    older than its grace, an appointment between it and now that no record answers is unknown. So is one from before,
    on the day of the proof: machines run late. So is who was in flight, and, where no schedule reaches this far,
    everybody on treatment. A person answers it, at the machine.

Why every ID of a patient
    A number that was changed in mid-course is booked under one ID and treated under another, and may be two rows'.
    Whoever could be meant is unknown.

Why the newest record stands in where no run is known
    A cache that was made again has no journal. What was treated after the newest record held is unknown in any case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from recovery.identity.one_patient import ids_of
from recovery.tables.relational import CANCELLED_STATUSES
from recovery.words.statuses import NOW_TREATED, is_over

GRACE = timedelta(minutes=30)
"""So old may the newest proof be before what was treated since is called unknown, where no config says otherwise."""
EARLY = timedelta(minutes=30)
"""A treatment so much before its appointment is still that appointment's."""
AGAIN = timedelta(hours=2)
"""Appointments of a day that are farther apart are two treatments."""


Answers = Mapping[str | None, Sequence[datetime]]
NO_ANSWERS: Answers = {}


@dataclass(frozen=True, slots=True)
class Doubt:
    """The time that no proof tells of, from the newest proof until now. Naive, local to the site."""

    since: datetime
    now: datetime


def doubt_of(
    proven_at: datetime | None, newest_record: datetime | None, now: datetime, zone: ZoneInfo, grace: timedelta = GRACE
) -> Doubt | None:
    """The time that nobody can tell of; None while the newest proof is fresh, or where nothing was ever treated.

    `proven_at` and `now` are aware, `grace` is the config's; `newest_record` is naive, local to the
    site, and counts only without a proof.
    """
    here = now.astimezone(zone).replace(tzinfo=None)
    if proven_at is not None:
        is_aged = now.astimezone(UTC) - proven_at.astimezone(UTC) > grace
        return Doubt(proven_at.astimezone(zone).replace(tzinfo=None), here) if is_aged else None
    is_aged = newest_record is not None and here - newest_record > grace
    return Doubt(newest_record, here) if newest_record is not None and is_aged else None


def newest_treatment(rows: Iterable[Mapping[str, Any]]) -> datetime | None:
    """When the newest record of all rows of on_treatment began, local to the site."""
    return max((row["last_treatment_at"] for row in rows if row["last_treatment_at"] is not None), default=None)


def unknown_of(
    rows: Sequence[Mapping[str, Any]],
    schedule: Iterable[Mapping[str, Any]] | None,
    doubt: Doubt | None,
    answered: Answers = NO_ANSWERS,
    recorded: Answers = NO_ANSWERS,
) -> list[datetime | None]:
    """For each row of on_treatment: since when it may have been treated without a proof; None when nothing is unknown.

    `rows` are all rows, `schedule` all appointments; None where there is no schedule. `answered`: by plan, the times
    for which people said whether it was treated; `recorded`: those of which records tell that it was, for a row tells
    the newest alone, which may be charted.
    """
    if doubt is None:
        return [None] * len(rows)
    booked = bookings(schedule, doubt) if schedule is not None else None
    uids = [row["referenced_rt_plan_uid"] for row in rows]
    told = [_Told.of(row, answered.get(uid, ()), recorded.get(uid, ())) for row, uid in zip(rows, uids, strict=True)]
    of_any: dict[str | None, list[_Told]] = {}
    for row, one in zip(rows, told, strict=True):
        for patient_id in ids_of(row):
            of_any.setdefault(patient_id, []).append(one)
    are_unknown = (_is_unknown(row, booked, of_any, doubt, one) for row, one in zip(rows, told, strict=True))
    return [doubt.since if is_unknown else None for is_unknown in are_unknown]


def bookings(schedule: Iterable[Mapping[str, Any]], doubt: Doubt) -> dict[str, list[datetime]] | None:
    """By patient, when somebody was expected on a treatment machine; None where the schedule does not reach today."""
    found: dict[str, list[datetime]] = {}
    newest: date | None = None
    for row in schedule:
        at = row["appointment_at"]
        if at is None or row["treatment_machine_name"] is None:
            continue
        newest = max(newest or at.date(), at.date())
        if row["status"] not in CANCELLED_STATUSES:
            found.setdefault(row["patient_id"], []).append(at)
    return found if newest is not None and newest >= doubt.now.date() else None


def is_unanswered(at: datetime, treated: Iterable[datetime], doubt: Doubt) -> bool:
    """Whether an appointment may have been kept without a proof of it: begun by now, and no record answers it."""
    is_of_this_time = doubt.since.date() <= at.date() and at <= doubt.now + EARLY
    return is_of_this_time and not any(last.date() == at.date() and last >= at - EARLY for last in treated)


def all_answers(answered: Answers, recorded: Answers) -> Answers:
    """Both together, for whom it is enough that an appointment is answered."""
    return {uid: (*answered.get(uid, ()), *recorded.get(uid, ())) for uid in {*answered, *recorded}}


@dataclass(frozen=True, slots=True)
class _Told:
    """When a plan was treated by records, and the times for which people answered."""

    recorded: Sequence[datetime]
    answered: Sequence[datetime]

    @classmethod
    def of(cls, row: Mapping[str, Any], answered: Sequence[datetime], recorded: Sequence[datetime]) -> _Told:
        last = row["last_treatment_at"]
        return cls(recorded if last is None or last in answered else (*recorded, last), answered)

    def is_silent_on(self, at: datetime, due: Sequence[datetime], doubt: Doubt) -> bool:
        """Whether nothing of it answers an appointment, one of `due`. The afternoon's answer is not the morning's."""
        own = (said for said in self.answered if not any(at + AGAIN < later <= said + EARLY for later in due))
        return is_unanswered(at, [*own, *self.recorded], doubt)


def _is_unknown(
    row: Mapping[str, Any],
    booked: Mapping[str, Sequence[datetime]] | None,
    of_any: Mapping[str | None, Sequence[_Told]],
    doubt: Doubt,
    own: _Told,
) -> bool:
    """`of_any`: by ID, what is told of each plan; any of the patient's answers what was due before the proof."""
    if is_over(row["status"]):
        return False
    if _is_in_flight(row, doubt) and not any(at.date() >= doubt.since.date() for at in own.answered):
        return True
    if booked is None:
        return row["status"] in NOW_TREATED and not any(at.date() == doubt.now.date() for at in own.answered)
    ids = ids_of(row)
    any_plan = [one for patient_id in ids for one in of_any.get(patient_id, ())]
    due = [at for patient_id in ids if patient_id is not None for at in booked.get(patient_id, ())]
    return any(
        all(one.is_silent_on(at, due, doubt) for one in (any_plan if at <= doubt.since else [own])) for at in due
    )


def _is_in_flight(row: Mapping[str, Any], doubt: Doubt) -> bool:
    """Begun, and nobody knows whether it was finished: by the R&V database, or by a record of the proof's day."""
    last = row["last_treatment_at"]
    is_begun = row["interrupted_fraction"] is not None and last is not None and last.date() == doubt.since.date()
    return bool(row.get("in_flight")) or is_begun
