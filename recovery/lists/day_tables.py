"""What a machine's day is made from: the relational tables, and what treatment records say was given on it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from recovery.cache import parquet
from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.store import Cache
from recovery.entries.charted import read_charted, standing_now
from recovery.entries.day_plans import planned_at
from recovery.lists import older_ids
from recovery.lists.appointments import Given, PlanKey
from recovery.lists.day_plan import with_day_plans
from recovery.lists.machine_day import Tables
from recovery.on_treatment.unknown_since import NO_ANSWERS, Answers
from recovery.tables.relational import PATIENTS, PLAN_FIELDS, SCHEDULE, SETUP_NOTES
from recovery.tables.schema import RT_PLANS, TREATMENT_RECORDS, TableSchema
from recovery.words.times import day as day_in_words

_LACKS = {
    SCHEDULE.name: "no appointment is known, and everybody treated on the machine stands in one list",
    PLAN_FIELDS.name: "energies and techniques are not known here",
    SETUP_NOTES.name: "some setup notes are not known here",
    PATIENTS.name: "alerts and phone numbers are not known here",
}

NEEDED = frozenset(_LACKS)


def read_tables(read: Callable[[TableSchema], pd.DataFrame], listed: pd.DataFrame) -> tuple[Tables, list[str]]:
    """The tables, and a sentence for each that is missing or damaged: it is told, and never stops the list.

    `listed`: the list of patients, by which their older IDs are known.
    """
    names, told = older_ids.names_of(listed), []
    needed = SCHEDULE, PLAN_FIELDS, SETUP_NOTES, PATIENTS
    frames: dict[str, pd.DataFrame] = {}
    for schema in needed:
        try:
            frames[schema.name] = older_ids.under_newest(read(schema), names)
        except TableMissingError:
            told.append(f"▲ There is no table {schema.name} in the cache: {_LACKS[schema.name]}.")
        except CacheError:
            told.append(f"▲ The table {schema.name} cannot be read: {_LACKS[schema.name]}. See Backup health.")
    schedule, fields, notes, patients = (frames.get(schema.name) for schema in needed)
    return Tables(schedule, fields, notes, patients), told


def with_plans(tables: Tables, cache_path: Path, today: date) -> tuple[Tables, list[str]]:
    """With the days that were planned in a downtime in the place of appointments, and what is to be said of them.

    Who may have been treated is never asked of these: that somebody plans a day answers for nobody.
    """
    planned = planned_at(cache_path)
    plans = planned.counting
    told = [planned.fault] if planned.fault else []
    if plans:
        told.append("▲ Where a day was planned in the downtime, its signed times stand in the place of appointments.")
    twice = ((*place, planned.twice(*place)) for place in sorted(plans) if place[1] >= today)
    told += [
        f"■ {machine} on {day_in_words(day, today)} is planned twice, by {who}: the newest counts."
        for machine, day, who in twice
        if who
    ]
    only_planned = frozenset(plans) if tables.schedule is None else None
    return replace(tables, schedule=with_day_plans(tables.schedule, plans), only_known=only_planned), told


def ids_treated(table: pd.DataFrame, day: date) -> tuple[str, ...]:
    """Whoever may have been treated on a day or since; `table` is on_treatment."""
    may_have_been = table["last_treatment_at"].dt.date >= day
    return tuple(sorted(set(table.loc[may_have_been.fillna(False).astype(bool), "patient_id"].dropna())))


def recorded_since(cache: Cache, table: pd.DataFrame, first: date) -> Answers:
    """By plan, when machines treated with it on a day and since; nothing where no record can be read. `table` is
    on_treatment."""
    from recovery.course.deliveries import treated_since
    from recovery.objects.treatment_record import without_amended
    from recovery.tables.object_rows import records_of_rows  # with pydicom behind it, which no list needs

    try:
        held = cache.table_where(TREATMENT_RECORDS, "patient_id", ids_treated(table, first))
    except CacheError:
        return NO_ANSWERS
    near = parquet.since_day(held, "treatment_date", first).to_pylist()
    records = {record.ref.sop_instance_uid: record for record in records_of_rows(near)}
    return treated_since(without_amended(records, set(held["sop_instance_uid"].to_pylist())), first)


def given_on(cache: Cache, ids: Sequence[str], day: date) -> Mapping[PlanKey, Sequence[Given]]:
    """By patient and plan, what was given to these patients on a day, in order of time; by records, and as charted.

    Raises `CacheError` where the records cannot be read.
    """
    from recovery.course.deliveries import TREATING, is_session
    from recovery.objects.sent_records import without_sent
    from recovery.objects.treatment_record import without_amended
    from recovery.tables.object_rows import records_of_rows  # with pydicom behind it, which no list needs

    table = cache.table_where(TREATMENT_RECORDS, "patient_id", ids)
    uids = set(table["sop_instance_uid"].to_pylist())
    near = parquet.of_day(table, "treatment_date", day).to_pylist()  # objects of all would cost most
    records = {record.ref.sop_instance_uid: record for record in records_of_rows(near)}
    found: dict[PlanKey, dict[tuple[int | None, datetime], Given]] = {}
    setups = _setup_beams(cache, {record.referenced_rt_plan_uid or "" for record in records.values()})
    for record in without_sent(without_amended(records, uids), read_charted(cache.path).entries):
        at, setup = record.treated_at, setups.get(record.referenced_rt_plan_uid or "", frozenset())
        if at is None or at.date() != day or not is_session(record, setup):
            continue
        own = found.setdefault((record.ref.patient_id, record.course_uid), {})
        for beam in record.beams:
            is_treating = beam.treatment_delivery_type in TREATING and beam.beam_number not in setup
            if is_treating and beam.delivered_meterset != 0:
                began = beam.started_at or at
                one = Given(began if began.date() == day else at, beam.current_fraction_number)
                own[one.number, one.at] = one
    for key, by_hand in charted_on(cache, day).items():
        own = found.setdefault(key, {}) if key[0] in ids else {}
        numbers = {number for number, _ in own}
        own.update({(one.number, one.at): one for one in by_hand if one.number not in numbers})
    return {key: sorted(own.values(), key=lambda one: one.at) for key, own in found.items()}


def _setup_beams(cache: Cache, uids: Iterable[str]) -> dict[str, frozenset[int]]:
    """By plan, the beams that it does not treat with; nothing where the plans cannot be read: then records say it."""
    from recovery.course.deliveries import setup_beams
    from recovery.tables.object_rows import plans_of_rows

    with suppress(CacheError):
        plans = plans_of_rows(cache.read_where(RT_PLANS, "sop_instance_uid", uids))
        return {plan.ref.sop_instance_uid: setup_beams(plan) for plan in plans}
    return {}


def charted_on(cache: Cache, day: date) -> Mapping[PlanKey, Sequence[Given]]:
    """By patient and plan, what was charted as given on a day; a record may tell of it too."""
    found: dict[PlanKey, list[Given]] = {}
    for uid, plan in standing_now(cache.path).items():
        for entry in plan.delivered:
            if entry.treated_at.date() == day:
                one = Given(entry.treated_at, entry.fraction_number, entry.signers)
                found.setdefault((entry.patient_id, uid), []).append(one)
    return found
