"""Read what the R&V database says of the patients on the list, from the cached tables.

Goal
    Every row of on_treatment shows the second source too, at a cost that goes with the list, not with the history.

How
    Small tables are read whole; deliveries only of the patients whose courses are not finished, and only when the
    table changed since they were last counted. The counts are a cached table themselves.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from recovery.cache import CacheError, TableMissingError
from recovery.delivered_records import without_amended
from recovery.delivery_tables import HISTORY_DAYS
from recovery.plan_states import NO_LONGER_TREATED
from recovery.relational_tables import COURSES, DELIVERIES, IN_FLIGHT, PATIENTS, PHYSICIANS, PLANS, PRESCRIPTIONS
from recovery.second_source import SecondSource, by_key, fractions_by_database, told_of
from recovery.table_freshness import known_since
from recovery.tables import DATABASE_COUNTS
from recovery.untold_deliveries import in_words, untold_deliveries

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from recovery.building import Workspace
    from recovery.tables import TableSchema

log = logging.getLogger(__name__)

Counts = dict[str, tuple[int, str | None]]
"""By plan: fractions delivered by the database's deliveries, and in words what they do not tell any more."""


def with_second_source(space: Workspace, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of on_treatment with the columns that the database tells.

    Raises
    ------
    CacheError
        If the counts cannot be written.
    """
    listed = list(rows)
    counts = _counts(space, listed)
    source = SecondSource(
        patients={row["patient_id"]: row for row in relational_rows(space, PATIENTS)},
        physicians=by_key(relational_rows(space, PHYSICIANS), "patient_id"),
        plans={row["sop_instance_uid"]: row for row in relational_rows(space, PLANS)},
        prescriptions={(r["patient_id"], r["prescription_id"]): r for r in relational_rows(space, PRESCRIPTIONS)},
        courses={(r["patient_id"], r["course_id"]): r for r in relational_rows(space, COURSES)},
        in_flight=by_key(relational_rows(space, IN_FLIGHT), "patient_id"),
        fractions_delivered={uid: count for uid, (count, _) in counts.items()},
        untold={uid: said for uid, (_, said) in counts.items() if said},
        deliveries_known_until=_known_until(space),
    )
    plans = space.collection.plans
    return [{**row, **told_of(row, source, plans.get(row["referenced_rt_plan_uid"] or ""))} for row in listed]


def relational_rows(space: Workspace, schema: TableSchema) -> list[dict[str, Any]]:
    """A relational table's rows; none where there is no database, or its table cannot be read."""
    if schema.name not in space.relational:
        try:
            space.pinned = (space.pinned if space.relational else None) or space.cache.pin()
            space.relational[schema.name] = space.pinned.read(schema)
        except CacheError as error:
            is_missing = isinstance(error, TableMissingError)
            log.log(logging.DEBUG if is_missing else logging.WARNING, "no table %s: %s", schema.name, error)
            space.relational[schema.name] = []
            if not is_missing and schema.name not in space.unreadable_tables:
                space.unreadable_tables.append(schema.name)
    return space.relational[schema.name]


def _counts(space: Workspace, rows: list[Mapping[str, Any]]) -> Counts:
    """What the database's own deliveries say of the plans that may still be treated.

    A plan of which the database has no delivery is counted 0 only where it knows the plan.
    """
    open_rows = [row for row in rows if row["status"] not in NO_LONGER_TREATED]
    wanted = {row["referenced_rt_plan_uid"]: row["patient_id"] for row in open_rows if row["referenced_rt_plan_uid"]}
    known = {row["sop_instance_uid"] for row in relational_rows(space, PLANS)}
    wanted = {uid: patient_id for uid, patient_id in wanted.items() if uid in known and patient_id is not None}
    if not wanted:
        return {}
    try:
        taken_at = space.cache.snapshot(DELIVERIES).taken_at
    except CacheError as error:
        log.debug("no deliveries: %s", error)
        return {}
    kept = _kept(space)
    if kept is not None and kept[0] >= taken_at and wanted.keys() <= kept[1].keys():
        return {uid: count for uid, count in kept[1].items() if uid in wanted}
    deliveries: list[dict[str, Any]] = space.cache.read_where(DELIVERIES, "patient_id", sorted(set(wanted.values())))
    by_plan = by_key(deliveries, "referenced_rt_plan_uid")
    plans, until = space.collection.plans, space.local_now
    untold = _untold(space, wanted, deliveries)
    counts = {
        uid: (fractions_by_database(by_plan.get(uid, []), plans.get(uid), until), untold.get(uid)) for uid in wanted
    }
    if any(row["treated_at"] is not None and row["treated_at"] >= until for row in deliveries):
        return counts  # the next run counts these too, though the table may not change until then
    space.cache.write(
        DATABASE_COUNTS,
        [
            {"referenced_rt_plan_uid": uid, "fractions_delivered": count, "untold": said}
            for uid, (count, said) in counts.items()
        ],
        taken_at=space.now,
        source="deliveries of the R&V database",
    )
    return counts


def _untold(space: Workspace, wanted: Mapping[str, str], deliveries: list[dict[str, Any]]) -> dict[str, str]:
    """By plan, in words: what its records tell and `deliveries`, those of the plans' patients, do not any more.

    What seems gone is looked for under other patients too, before anything is said: an ID may have been corrected.
    """
    records = [r for r in without_amended(space.collection.records) if r.referenced_rt_plan_uid in wanted]
    read_at = _known_until(space)
    since = (space.local_now - timedelta(days=HISTORY_DAYS)).date()
    found = untold_deliveries(records, deliveries, since)
    if gone := [str(one.row["delivery_id"]) for one in found if one.is_now is None]:
        elsewhere = space.cache.read_where(DELIVERIES, "delivery_id", gone)
        found = untold_deliveries(records, [*deliveries, *elsewhere], since)
    found = [one for one in found if read_at is not None and one.row["treated_at"] < read_at]
    by_plan = {uid: [one for one in found if one.row["referenced_rt_plan_uid"] == uid] for uid in wanted}
    return {uid: "; ".join(in_words(untold)) for uid, untold in by_plan.items() if untold}


def _known_until(space: Workspace) -> datetime | None:
    try:
        return known_since(space.cache, DELIVERIES).astimezone(space.config.site.zone).replace(tzinfo=None)
    except CacheError:
        return None


def _kept(space: Workspace) -> tuple[datetime, Counts] | None:
    try:
        taken_at = space.cache.snapshot(DATABASE_COUNTS).taken_at
        rows = space.cache.read(DATABASE_COUNTS)
    except CacheError:
        return None
    return taken_at, {
        str(row["referenced_rt_plan_uid"]): (int(str(row["fractions_delivered"])), cast("str | None", row["untold"]))
        for row in rows
    }
