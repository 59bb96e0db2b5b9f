"""The rows of a few patients, from every cached table that knows them.

`Cache.read_where` by patient ID, once per table. The list of patients, the records and the plans must be readable; any
other table that is not there is noted in `missing`, and its rows are unknown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from recovery.cache.copy_age import proven_up_to
from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.freshness import known_since
from recovery.cache.store import Cache
from recovery.course.by_session import prescribed_fractions, sessions_of_database
from recovery.course.charted import Settled, settle_all
from recovery.course.needed_images import needed_images
from recovery.dicom.plans import ImageSeries, Plan, StructureSet
from recovery.dicom.records import TreatmentRecord
from recovery.entries.charted import read_charted, standing_now
from recovery.entries.next_decisions import NextDecision
from recovery.entries.next_decisions import standing_at as decisions_at
from recovery.entries.transfers import standing_at, with_transfers
from recovery.identity.namesakes import Namesake, namesakes
from recovery.identity.one_patient import newest_ids, older_ids, row_of_record, under_newest
from recovery.objects.modules import amended_uid
from recovery.objects.sent_records import without_sent
from recovery.objects.treatment_record import without_amended
from recovery.on_treatment.second_source import by_key
from recovery.tables.object_rows import image_series_of_rows, plans_of_rows, records_of_rows, structure_sets_of_rows
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import (
    HOLDINGS,
    IMAGE_SERIES,
    ON_TREATMENT,
    RT_PLANS,
    STRUCTURE_SETS,
    TREATMENT_RECORDS,
    TableSchema,
)
from recovery.words.statuses import is_over


def read_list(cache: Cache) -> list[dict[str, Any]]:
    """Every row of on_treatment. Raises `TableMissingError` or `CacheError` as `Cache.read` does."""
    return with_transfers(cache.read(ON_TREATMENT), standing_at(cache.path))


Rows = list[dict[str, Any]]
COUNTED = (TREATMENT_RECORDS, RT_PLANS)
"""The tables that fractions are counted from: when one is damaged, nothing is shown rather than a false count."""


@dataclass(frozen=True, slots=True)
class PatientTables:
    """Rows by table and patient, and the DICOM objects among them. Times are aware."""

    by_patient: Mapping[str, Mapping[str, Rows]]
    everybody: Rows
    """Every row of on_treatment."""
    records: Mapping[str, tuple[TreatmentRecord, ...]]
    """By patient."""
    plans: Mapping[str, Plan]
    structure_sets: Mapping[str, StructureSet]
    image_series: Mapping[str, ImageSeries]
    """Series that were looked for because nothing names their slices."""
    holdings: Mapping[str, Mapping[str, Any]]
    missing: Mapping[str, str]
    known_since: Mapping[str, datetime]
    built_at: datetime
    as_of: datetime | None
    newest: Mapping[str, str]
    """By older ID of a patient the newest one, under which all rows and records of the patient lie here."""
    charted: Mapping[str, Settled] = field(default_factory=dict)
    """By plan of these patients: what people charted of it; what of it counts is among `records`."""
    decisions: Mapping[tuple[str, str], NextDecision] = field(default_factory=dict)
    """By patient and plan: what physicists decided of next fractions."""

    def rows(self, table: str, patient_id: str) -> Rows:
        """A patient's rows; none where the table is missing, which `missing` tells."""
        return list(self.by_patient.get(table, {}).get(patient_id, ()))

    def knows(self, patient_id: str) -> bool:
        """Whether any table names the patient."""
        return any(patient_id in rows for rows in self.by_patient.values())

    def namesakes(self, patient_id: str, name: str | None, birth_date: date | None) -> tuple[Namesake, ...]:
        """Patients who may still be treated and could be taken for this one."""
        treated = (row for row in self.everybody if not is_over(row["status"]))
        return namesakes(patient_id, name, birth_date, treated)


def read_tables(cache: Cache, patient_ids: Iterable[str]) -> PatientTables:
    """Read what the cache has of these patients.

    Raises `TableMissingError` if there is no list of patients; `CacheError` if the list, the records or the plans are
    there and cannot be read.
    """
    everybody: Rows = read_list(cache)
    newest = newest_ids(everybody)
    wanted = {newest.get(patient_id, patient_id) for patient_id in patient_ids}
    missing: dict[str, str] = {}
    found: dict[str, Rows] = {"on_treatment": [row for row in everybody if row["patient_id"] in wanted]}
    older = older_ids(found["on_treatment"])
    for schema in (*COUNTED, STRUCTURE_SETS, *RELATIONAL_TABLES.values()):
        found[schema.name] = _read(cache, schema, "patient_id", sorted({*wanted, *older}), missing)
    named = {str(row["referenced_rt_plan_uid"]) for row in found["on_treatment"]}
    plan_rows = _with_named(cache, RT_PLANS, found["rt_plans"], named, missing)
    plans = {plan.ref.sop_instance_uid: plan for plan in plans_of_rows(plan_rows)}
    named = {uid for plan in plans.values() for uid in plan.structure_set_uids}
    set_rows = _with_named(cache, STRUCTURE_SETS, found["structure_sets"], named, missing)
    sets = {s.ref.sop_instance_uid: s for s in structure_sets_of_rows(set_rows)}
    series_rows = _read(cache, IMAGE_SERIES, "patient_id", wanted, {})
    listed = {one.series_instance_uid: one for one in image_series_of_rows(series_rows)}
    needed = _uids(found["on_treatment"], plans, _Images(sets, listed))
    holdings = _read(cache, HOLDINGS, "uid", needed, missing)
    records = _records(cache, found, newest, missing)
    charted = _add_charted(cache, found["on_treatment"], records)
    built_at = cache.snapshot(ON_TREATMENT).taken_at
    return PatientTables(
        by_patient={name: _by_patient(under_newest(rows, newest)) for name, rows in found.items()},
        everybody=everybody,
        records={patient_id: tuple(own) for patient_id, own in records.items()},
        plans=plans,
        structure_sets=sets,
        image_series=listed,
        holdings={row["uid"]: row for row in holdings},
        missing=missing,
        known_since={n: known_since(cache, s) for n, s in RELATIONAL_TABLES.items() if n not in missing},
        built_at=built_at,
        as_of=proven_up_to(cache, built_at),
        newest=newest,
        charted=charted,
        decisions=decisions_at(cache.path),
    )


def _records(
    cache: Cache, found: Mapping[str, Rows], newest: Mapping[str, str], missing: dict[str, str]
) -> dict[str, list[TreatmentRecord]]:
    """By patient, the records that count, as the list counts them: those that another replaces are none."""
    records: dict[str, list[TreatmentRecord]] = {}
    known = {r.ref.sop_instance_uid: r for r in records_of_rows(found["treatment_records"])}
    ends = {amended_uid(uid) for uid in known if uid.startswith("2.25.")}
    amending = _with_named(cache, TREATMENT_RECORDS, found["treatment_records"], ends, missing)
    by_plan = by_key(found["on_treatment"], "referenced_rt_plan_uid")
    current = without_amended({r.ref.sop_instance_uid: r for r in records_of_rows(amending)})
    for record in without_sent(current, read_charted(cache.path).entries):
        own = row_of_record(by_plan.get(record.referenced_rt_plan_uid or "", ()), record.ref.patient_id)
        records.setdefault(str(own), []).append(record)
    for record in sessions_of_database(
        found["deliveries"],
        [one for own_records in records.values() for one in own_records],
        {},
        prescribed_fractions(found["prescriptions"]),
    ):
        patient_id = str(record.ref.patient_id)
        records.setdefault(newest.get(patient_id, patient_id), []).append(record)
    return records


def _add_charted(cache: Cache, rows: Rows, records: dict[str, list[TreatmentRecord]]) -> dict[str, Settled]:
    """Add what people charted and counts to the records of its patient; by plan, all that is to be said of it."""
    by_plan = by_key(rows, "referenced_rt_plan_uid")
    plans = standing_now(cache.path)
    known = [record for own in records.values() for record in own]
    own_plans = {uid: plan for uid, plan in plans.items() if uid in by_plan}
    charted = settle_all(own_plans, known, lambda uid, patient_id: row_of_record(by_plan[uid], patient_id))
    for uid, settled in charted.items():
        for record in settled.records:
            own = row_of_record(by_plan[uid], record.ref.patient_id)
            records.setdefault(str(own), []).append(record)
    return charted


def _read(cache: Cache, schema: TableSchema, column: str, values: Iterable[str], missing: dict[str, str]) -> Rows:
    try:
        return cache.read_where(schema, column, values)
    except TableMissingError as error:
        missing[schema.name] = str(error)
    except CacheError as error:
        if schema in COUNTED:
            raise
        missing[schema.name] = str(error)
    return []


def _with_named(cache: Cache, schema: TableSchema, rows: Rows, uids: set[str], missing: dict[str, str]) -> Rows:
    """With those among `uids` that lie under another patient's ID: a planning system's is not always the R&V's, and
    an ID may change. The list goes by UID alone, and so must everything that is held against it."""
    lacking = uids - {row["sop_instance_uid"] for row in rows}
    return rows + _read(cache, schema, "sop_instance_uid", lacking, missing) if lacking else rows


@dataclass(frozen=True, slots=True)
class _Images:
    """What leads to a plan's images."""

    structure_sets: Mapping[str, StructureSet]
    image_series: Mapping[str, ImageSeries]


def _uids(rows: Rows, plans: Mapping[str, Plan], known: _Images) -> set[str]:
    """Every object and series that the plans of these rows need."""
    uids = {str(row["referenced_rt_plan_uid"]) for row in rows}
    for plan in plans.values():
        uids.update((plan.ref.sop_instance_uid, *plan.structure_set_uids, *plan.reference_image_uids))
        needed = needed_images(plan, known)
        uids.update(series.series_instance_uid for series in needed.series)
        uids.update(needed.contour_image_uids)
    return uids


def _by_patient(rows: Rows) -> dict[str, Rows]:
    groups: dict[str, Rows] = {}
    for row in rows:
        groups.setdefault(row["patient_id"], []).append(row)
    return groups
