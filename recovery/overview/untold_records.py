"""Records that somebody else stored, where all others are made of the R&V database: held against its own deliveries.

Why
    MOSAIQ serves no treatment records, so that nobody can be asked for one by name. But this program made the others of
    what the database told, and that tells every field that was given: a record of which it tells nothing is denied.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from recovery.cache.errors import CacheError
from recovery.cache.freshness import known_since
from recovery.course.deliveries import TREATING, is_session
from recovery.course.metersets import agree, is_enough
from recovery.dicom.records import TreatmentRecord
from recovery.tables.delivered import DELIVERIES, HISTORY_DAYS
from recovery.words.units import MU

if TYPE_CHECKING:
    from recovery.pacs.workspace import Workspace

_Told = dict[tuple[str, int | None, int | None], list[dict[str, Any]]]

_ONE_SESSION = timedelta(hours=2)
"""Two clocks may tell two days of one session, about midnight."""


def untold_records(space: Workspace, records: Sequence[TreatmentRecord]) -> set[str]:
    """UIDs of those that tell a field of which the database tells nothing, though it was read since; none where no
    record is made of a database. What is older than all that was made of it is another system's."""
    others = [one for one in records if not one.is_of_database]
    if len(others) in {0, len(records)}:
        return set()
    others = [one for one in others if one.referenced_rt_plan_uid is not None and is_session(one)]
    made = [one.treated_at for one in records if one.is_of_database and one.treated_at is not None]
    if not made or not others:
        return set()
    try:
        rows = space.cache.read_where(
            DELIVERIES, "referenced_rt_plan_uid", sorted({str(one.referenced_rt_plan_uid) for one in others})
        )
        read_at = known_since(space.cache, DELIVERIES).astimezone(space.config.site.zone).replace(tzinfo=None)
    except CacheError:
        return set()
    since = max(min(made), space.local_now - timedelta(days=HISTORY_DAYS))
    given = _given(rows)
    return {
        one.ref.sop_instance_uid
        for one in others
        if _is_judged(one.treated_at, since, read_at, space.local_now) and not _is_told(one, given)
    }


def _is_judged(at: datetime | None, since: datetime, read_at: datetime, now: datetime) -> bool:
    """What the database must tell by now, and what cannot have been given yet."""
    return at is not None and (since <= at < read_at or at > now)


def _given(rows: Iterable[dict[str, Any]]) -> _Told:
    found: _Told = {}
    for row in rows:
        if row["treated_at"] is not None:
            key = row["referenced_rt_plan_uid"], row["fraction_number"], row["beam_number"]
            found.setdefault(key, []).append(row)
    return found


def _is_told(record: TreatmentRecord, given: _Told) -> bool:
    """Whether the database tells each of its beams that treats, in that session."""
    plan, at = str(record.referenced_rt_plan_uid), record.treated_at
    assert at is not None
    for beam in record.beams:
        if beam.treatment_delivery_type not in TREATING:
            continue
        rows, began = given.get((plan, beam.current_fraction_number, beam.beam_number), ()), beam.started_at or at
        if not _is_covered(beam.delivered_meterset, [row for row in rows if _is_near(row["treated_at"], began)]):
            return False
    return True


def _is_near(one: datetime, other: datetime) -> bool:
    return one.date() == other.date() or abs(one - other) < _ONE_SESSION


def _is_covered(meterset: float | None, rows: Sequence[dict[str, Any]]) -> bool:
    """Whether one row tells the same meterset, or all of them one that is full by itself, and no less: machine and
    database may part an interrupted field otherwise, and nothing hinges on the record."""
    if any(_is_same(row["delivered_meterset"], meterset) for row in rows):
        return True
    told, planned = sum(row["delivered_meterset"] or 0.0 for row in rows), [row["planned_meterset"] for row in rows]
    whole = max(filter(None, planned), default=0.0)
    is_no_more = meterset is not None and (meterset <= told or agree(meterset, told, MU))
    return is_no_more and whole > 0 and is_enough(told, whole, MU)


def _is_same(one: float | None, other: float | None) -> bool:
    return one is other or (one is not None and other is not None and agree(one, other, MU))
