"""Read what the R&V database says of the patients on the list, from the cached tables.

Small tables are read whole; deliveries only of the patients whose courses are not finished, and only when the table
changed since they were last counted. The counts are a cached table themselves.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from recovery.cache.errors import CacheError
from recovery.cache.freshness import known_since
from recovery.course.by_session import prescribed_fractions, sessions_of_database
from recovery.course.metersets import ByFraction, may_ask_otherwise
from recovery.course.metersets import planned_by_database as largest_planned
from recovery.dicom.beam_kinds import NO_BEAMS
from recovery.dicom.model import Patient
from recovery.dicom.records import TreatmentRecord
from recovery.identity.one_patient import SEPARATOR, newest_ids, older_ids, under_newest
from recovery.identity.told_plans import PlanKey, told_plans
from recovery.objects.treatment_record import without_amended
from recovery.objects.treatment_summary import patient_of
from recovery.on_treatment.second_source import SecondSource, by_key, fractions_by_database, told_of
from recovery.on_treatment.untold_deliveries import in_words, untold_deliveries
from recovery.pacs.workspace import Workspace, relational_rows
from recovery.tables.delivered import DELIVERIES, HISTORY_DAYS, IN_FLIGHT
from recovery.tables.relational import CALENDAR, COURSES, PATIENTS, PHYSICIANS, PLAN_FIELDS, PLANS, PRESCRIPTIONS
from recovery.tables.schema import DATABASE_COUNTS, TableSchema
from recovery.words.sentences import joined, parted
from recovery.words.statuses import is_over

log = logging.getLogger(__name__)

Counts = dict[PlanKey, tuple[int, str | None]]
"""By patient and plan: fractions by the database's deliveries, and in words what they do not tell any more."""


def with_second_source(space: Workspace, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of on_treatment with the columns that the database tells.

    Raises `CacheError` if the counts cannot be written.
    """
    listed = _with_the_databases_number(space, list(rows))
    names = newest_ids(listed)

    def told(schema: TableSchema) -> list[dict[str, Any]]:
        return under_newest(relational_rows(space, schema), names)

    counts = _counts(space, listed)
    records = list(space.collection.records.values())
    source = SecondSource(
        patients={row["patient_id"]: row for row in reversed(told(PATIENTS))},
        physicians=by_key(told(PHYSICIANS), "patient_id"),
        plans=plans_told(space, {_key(row): patient_of(row) for row in listed}),
        prescriptions={(r["patient_id"], r["prescription_id"]): r for r in reversed(told(PRESCRIPTIONS))},
        courses={(r["patient_id"], r["course_id"]): r for r in reversed(told(COURSES))},
        plan_fields=_by_plan(told(PLAN_FIELDS)),
        in_flight=by_key(told(IN_FLIGHT), "patient_id"),
        fractions_delivered={key: count for key, (count, _) in counts.items()},
        untold={key: parted(said) for key, (_, said) in counts.items()},
        made_here=frozenset(
            (names.get(record.ref.patient_id or "", record.ref.patient_id), record.referenced_rt_plan_uid)
            for record in (*records, *database_sessions(space, records))
            if record.is_of_database
        ),
        sessions_remaining={
            (names.get(row["patient_id"], row["patient_id"]), row["sop_instance_uid"]): row["sessions_remaining"]
            for row in relational_rows(space, CALENDAR)
            if row["sessions_remaining"] is not None
        },
        deliveries_known_until=_known_until(space),
        now=space.local_now,
    )
    plans = space.collection.plans
    return [{**row, **told_of(row, source, plans.get(row["referenced_rt_plan_uid"] or ""))} for row in listed]


def _with_the_databases_number(space: Workspace, rows: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with the number under which the database has their plan, where that is another than the objects'.

    A number that was corrected in the R&V system alone: phones, alerts and appointments lie under the new one.
    """
    told = plans_told(space, {_key(row): patient_of(row) for row in rows})
    listed = []
    for row in rows:
        numbers = {told[_key(row)]["patient_id"]} if _key(row) in told else set()
        others = [*older_ids([row]), *sorted(numbers - {None, row["patient_id"], *older_ids([row])})]
        listed.append({**row, "other_patient_ids": SEPARATOR.join(others) or row["other_patient_ids"]})
    return listed


def _by_plan(rows: Iterable[Mapping[str, Any]]) -> dict[PlanKey, list[Mapping[str, Any]]]:
    found: dict[PlanKey, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["patient_id"], row["sop_instance_uid"]), []).append(row)
    return found


def plans_told(space: Workspace, treated: Mapping[PlanKey, Patient]) -> dict[PlanKey, Mapping[str, Any]]:
    """Rows of the table plans by the patient and plan that they are about; `treated`: who was, with which plan."""
    people = {row["patient_id"]: row for row in relational_rows(space, PATIENTS)}
    return told_plans(relational_rows(space, PLANS), treated, people)


def database_sessions(space: Workspace, records: Iterable[TreatmentRecord]) -> list[TreatmentRecord]:
    """What the database tells of brachytherapy and ions, as records; `records`: those that are held."""
    deliveries = deliveries_without_beams(space)
    if not deliveries:
        return []
    people = {row["patient_id"]: patient_of(row) for row in relational_rows(space, PATIENTS)}
    return sessions_of_database(
        deliveries, records, people, prescribed_fractions(relational_rows(space, PRESCRIPTIONS))
    )


def deliveries_without_beams(space: Workspace) -> list[dict[str, Any]]:
    """What the database tells of brachytherapy and ions."""
    return space.tables.once("deliveries without beams", lambda: _without_beams(space))


def _without_beams(space: Workspace) -> list[dict[str, Any]]:
    try:
        return space.cache.read_where(DELIVERIES, "radiation_type", sorted(NO_BEAMS))
    except CacheError as error:
        log.debug("no deliveries: %s", error)
        return []


def _key(row: Mapping[str, Any]) -> PlanKey:
    return row["patient_id"], row["referenced_rt_plan_uid"]


def planned_by_database(space: Workspace, records: Iterable[TreatmentRecord]) -> dict[str, ByFraction]:
    """By plan of which the records may specify another meterset than the plan's: what `deliveries` say was planned.

    Such plans are few, and only of their patients the deliveries are read.
    """
    by_plan: dict[str, list[TreatmentRecord]] = {}
    for record in records:
        if record.referenced_rt_plan_uid is not None:
            by_plan.setdefault(record.referenced_rt_plan_uid, []).append(record)
    plans = space.collection.plans
    asked = [uid for uid, own in by_plan.items() if may_ask_otherwise(own, plans.get(uid))]
    patients = {r.ref.patient_id for uid in asked for r in by_plan[uid] if r.ref.patient_id is not None}
    if not patients:
        return {}
    try:
        rows: list[dict[str, Any]] = space.cache.read_where(DELIVERIES, "patient_id", sorted(patients))
    except CacheError as error:
        log.debug("no deliveries: %s", error)
        return {}
    told = by_key(rows, "referenced_rt_plan_uid")
    return {uid: largest_planned(told.get(uid, ())) for uid in asked}


def _counts(space: Workspace, rows: Sequence[Mapping[str, Any]]) -> Counts:
    """What the database's own deliveries say of the plans that may still be treated.

    A plan of which the database has no delivery is counted 0 only where it knows the plan.
    """
    open_rows = {_key(row): patient_of(row) for row in rows if not is_over(row["status"])}
    told = plans_told(space, {_key(row): patient_of(row) for row in rows})
    wanted = {key: str(told[key]["patient_id"]) for key in open_rows if key[0] is not None and key in told}
    if not wanted:
        return {}
    try:
        taken_at = space.cache.snapshot(DELIVERIES).taken_at
    except CacheError as error:
        log.debug("no deliveries: %s", error)
        return {}
    kept = _kept(space)
    known = kept[1] if kept is not None and kept[0] >= taken_at else {}
    lacking = {key: patient_id for key, patient_id in wanted.items() if key not in known}
    if not lacking:
        return {key: count for key, count in known.items() if key in wanted}
    deliveries: list[dict[str, Any]] = space.cache.read_where(
        DELIVERIES, "patient_id", sorted({*lacking.values(), *older_ids(rows)})
    )
    counts = {key: count for key, count in known.items() if key in wanted}
    counts |= _counted(space, lacking, deliveries, newest_ids(rows))
    if not any(row["treated_at"] is not None and row["treated_at"] >= space.local_now for row in deliveries):
        _keep(space, known | counts)  # else the next run counts these too, though the table may not change until then
    return counts


def _counted(
    space: Workspace, wanted: Mapping[PlanKey, str], deliveries: list[dict[str, Any]], names: Mapping[str, str]
) -> Counts:
    own: dict[PlanKey, list[Mapping[str, Any]]] = {}
    for row in under_newest(deliveries, names):
        own.setdefault(_key(row), []).append(row)
    untold, counts = _untold(space, wanted, deliveries, names), {}
    for key, patient_id in wanted.items():
        given = [row for i in {patient_id, key[0]} for row in own.get((i, key[1]), [])]
        plan = space.collection.plans.get(key[1] or "")
        counts[key] = (fractions_by_database(given, plan, space.local_now), untold.get(key))
    return counts


def _untold(
    space: Workspace, wanted: Mapping[PlanKey, str], deliveries: list[dict[str, Any]], names: Mapping[str, str]
) -> dict[PlanKey, str]:
    """By patient and plan, in words: what records tell and `deliveries`, those of their patients, do not any more.

    What seems gone is looked for under other patients too, before anything is said: an ID may have been corrected.
    """
    current = without_amended(space.collection.records)

    def key_of(patient_id: str | None, plan_uid: str | None) -> PlanKey:
        return names.get(patient_id or "", patient_id), plan_uid

    records = [r for r in current if key_of(r.ref.patient_id, r.referenced_rt_plan_uid) in wanted]
    read_at = _known_until(space)
    since = (space.local_now - timedelta(days=HISTORY_DAYS)).date()
    found = untold_deliveries(records, deliveries, since)
    if gone := [str(one.row["delivery_id"]) for one in found if one.is_now is None]:
        elsewhere = space.cache.read_where(DELIVERIES, "delivery_id", gone)
        found = untold_deliveries(records, [*deliveries, *elsewhere], since)
    found = [one for one in found if read_at is not None and one.row["treated_at"] < read_at]
    by_plan = {key: [one for one in found if key_of(*_key(one.row)) == key] for key in wanted}
    return {key: joined(in_words(untold)) for key, untold in by_plan.items() if untold}


def _known_until(space: Workspace) -> datetime | None:
    try:
        return known_since(space.cache, DELIVERIES).astimezone(space.config.site.zone).replace(tzinfo=None)
    except CacheError:
        return None


def _keep(space: Workspace, counts: Counts) -> None:
    rows = [
        {"patient_id": key[0], "referenced_rt_plan_uid": key[1], "fractions_delivered": count, "untold": said}
        for key, (count, said) in counts.items()
    ]
    space.cache.write(DATABASE_COUNTS, rows, taken_at=space.now, source="deliveries of the R&V database")


def _kept(space: Workspace) -> tuple[datetime, Counts] | None:
    try:
        taken_at = space.cache.snapshot(DATABASE_COUNTS).taken_at
        rows = space.cache.read(DATABASE_COUNTS)
    except CacheError:
        return None
    return taken_at, {
        _key(row): (int(str(row["fractions_delivered"])), cast("str | None", row["untold"])) for row in rows
    }
