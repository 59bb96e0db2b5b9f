"""The patient's file: all that the cache knows of one patient, for pages, paper charts and archived documents.

Frozen dataclasses, read from the cached tables by patient ID, once for many patients. Where there is no R&V database,
or one of its tables was never read, identity and ledger still come from DICOM, and `tables_missing` names what is not
there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from recovery.cache.store import Cache
from recovery.course.charted import deliveries_by_course
from recovery.course.charted_entries import KnownDelivery
from recovery.dicom.model import Patient
from recovery.entries.downtimes import told_at
from recovery.identity.namesakes import Namesake
from recovery.identity.one_patient import older_ids, other_ids
from recovery.on_treatment.unknown_since import GRACE
from recovery.patient.disagreements import of_person
from recovery.patient.photos import Photo
from recovery.patient.plan import PlanFile, of_row
from recovery.patient.plan_from_rows import counted_courses, read_plan
from recovery.patient.recounted import as_of_now
from recovery.patient.tables import PatientTables, read_tables
from recovery.settings.config import Site
from recovery.tables.relational import CANCELLED_STATUSES
from recovery.words.refusals import RefusedError
from recovery.words.sentences import parted


class PatientNotFoundError(RefusedError, LookupError):
    """No table of the cache knows the patient. The text names no ID."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who it is."""

    patient_id: str
    other_patient_ids: str | None
    patient_name: str | None
    patient_birth_date: date | None
    patient_sex: str | None


@dataclass(frozen=True, slots=True)
class Contacts:
    """Whom to call and how they come; lists in words, as the table patients has them."""

    phone_home: str | None = None
    phone_mobile: str | None = None
    phone_work: str | None = None
    email: str | None = None
    address: str | None = None
    language: str | None = None
    special_needs: str | None = None
    emergency_contacts: str | None = None
    transport: str | None = None

    @property
    def phones(self) -> tuple[tuple[str, str], ...]:
        """Kind and number, the one to try first in front."""
        numbers = (("mobile", self.phone_mobile), ("home", self.phone_home), ("work", self.phone_work))
        return tuple((kind, number) for kind, number in numbers if number)


@dataclass(frozen=True, slots=True)
class Physician:
    """A physician of the patient; `is_primary`: the oncologist in charge, None where only the records name one."""

    physician_name: str
    role: str | None
    is_primary: bool | None
    institution: str | None


@dataclass(frozen=True, slots=True)
class Appointment:
    """A row of schedule, times local to the site."""

    appointment_at: datetime | None
    ends_at: datetime | None
    treatment_machine_name: str | None
    other_machine_name: str | None
    activity: str | None
    status: str | None
    note: str | None

    @property
    def is_cancelled(self) -> bool:
        return self.status in CANCELLED_STATUSES


@dataclass(frozen=True, slots=True)
class Note:
    """A row of notes."""

    written_at: datetime | None
    written_by: str | None
    kind: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Check:
    """A row of checks: a chart check (no `sop_instance_uid`), or an approval of the plan that it names."""

    kind: str | None
    sop_instance_uid: str | None
    status: str | None
    checked_at: datetime | None
    checked_by: str | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class Document:
    """A row of documents: where it lies; its contents are not copied."""

    written_at: datetime | None
    kind: str | None
    status: str | None
    location: str | None


@dataclass(frozen=True, slots=True)
class PatientFile:
    """Everything that the cache knows of one patient. Times are local to the site unless said."""

    site_name: str
    time_zone: str
    now: datetime
    """When it was read, naive, local to the site: ages and gaps are told from here."""
    as_of: datetime | None
    """Up to when everything is proven in the RT-PACS, local to the site; None when nothing is."""
    built_at: datetime
    """When the list of patients was built, local to the site."""
    known_since: Mapping[str, datetime]
    """By table of the R&V database: when it was last read, local to the site."""
    tables_missing: Mapping[str, str]
    """By table that could not be read: why, in a sentence. What it would tell is unknown, not absent."""
    identity: Identity
    contacts: Contacts
    alerts: str | None
    physicians: tuple[Physician, ...]
    """The primary one first."""
    namesakes: tuple[Namesake, ...]
    plans: tuple[PlanFile, ...]
    """Those that may still be treated first, then by first treatment."""
    appointments: tuple[Appointment, ...]
    """In order of time, cancelled ones too."""
    notes: tuple[Note, ...]
    """Newest first, as checks and documents are."""
    checks: tuple[Check, ...]
    documents: tuple[Document, ...]
    disagreements: tuple[str, ...] = field(default=())
    """Sentences: where two sources tell different things of the person."""
    older_patient_ids: tuple[str, ...] = ()
    """Further IDs that the patient's objects bear."""
    grace: timedelta = GRACE
    """So old may `as_of` be before it is said."""
    deliveries: Mapping[str, tuple[KnownDelivery, ...]] = field(default_factory=dict)
    """By course: what records of machines tell, for whoever charts."""
    downtime: str = ""
    """What is to be said of a downtime that lasts."""
    photo: Photo | None = None
    """None: the backup has none; where `tables_missing` names `photos`, that is not known."""

    @property
    def unfinished_plans(self) -> tuple[PlanFile, ...]:
        return tuple(plan for plan in self.plans if plan.is_unfinished)

    @property
    def next_appointment(self) -> Appointment | None:
        """The next one to be treated at: neither a doctor's nor a CT scanner's."""
        ahead = (a for a in self.appointments if a.appointment_at is not None and a.appointment_at >= self.now)
        return next((a for a in ahead if not a.is_cancelled and a.treatment_machine_name is not None), None)


def read_patient_file(
    cache: Cache, site: Site, patient_id: str, now: datetime, grace: timedelta = GRACE
) -> PatientFile:
    """Read one patient. `now` is aware.

    Raises `PatientNotFoundError` if no table knows the ID; `TableMissingError` or `CacheError` if the list of patients,
    the records or the plans cannot be read.
    """
    found = read_patient_files(cache, site, [patient_id], now, grace)
    if not found:
        raise PatientNotFoundError("No table of the cache knows this patient ID.")
    return found[0]


def read_patient_files(
    cache: Cache, site: Site, patient_ids: Iterable[str], now: datetime, grace: timedelta = GRACE
) -> list[PatientFile]:
    """Read several patients, in the order asked for, each under the newest ID; whom no table knows is left out.

    `grace`: how old the newest proof may be before what was treated since is unknown. Raises as `read_patient_file`.
    """
    asked = list(patient_ids)
    files = files_of(as_of_now(read_tables(cache, asked), cache, site, now, grace), site, asked, now, grace)
    told = told_at(cache.path, site.zone)
    return [replace(file, downtime=told) for file in files] if told else files


def files_of(
    tables: PatientTables, site: Site, patient_ids: Iterable[str], now: datetime, grace: timedelta
) -> list[PatientFile]:
    """As `read_patient_files`, of tables that were read for these patients."""
    wanted = dict.fromkeys(tables.newest.get(patient_id, patient_id) for patient_id in patient_ids)
    return [_file(tables, site, patient_id, now, grace) for patient_id in wanted if tables.knows(patient_id)]


def _file(tables: PatientTables, site: Site, patient_id: str, now: datetime, grace: timedelta) -> PatientFile:
    def local(at: datetime) -> datetime:
        return at.astimezone(site.zone).replace(tzinfo=None)

    rows = tables.rows("on_treatment", patient_id)
    told = next(iter(tables.rows("patients", patient_id)), None)
    identity = _identity(patient_id, rows, told, tables)
    courses = counted_courses(tables, rows)
    differing = of_person(_told_by_dicom(tables, patient_id, rows), told)
    plans = [read_plan(tables, row, local(now), courses, differing) for row in rows]
    appointments = [of_row(Appointment, row) for row in tables.rows("schedule", patient_id)]
    return PatientFile(
        site_name=site.name,
        time_zone=site.time_zone,
        now=local(now),
        as_of=local(tables.as_of) if tables.as_of is not None else None,
        built_at=local(tables.built_at),
        known_since={name: local(at) for name, at in tables.known_since.items()},
        tables_missing=tables.missing,
        identity=identity,
        contacts=of_row(Contacts, told) if told is not None else Contacts(),
        alerts=told["alerts"] if told is not None else None,
        physicians=_physicians(tables.rows("physicians", patient_id), rows),
        namesakes=tables.namesakes(patient_id, identity.patient_name, identity.patient_birth_date),
        plans=tuple(sorted(plans, key=lambda p: (not p.is_unfinished, *_by_time(p.row.first_treatment_at)))),
        appointments=tuple(sorted(appointments, key=lambda a: _by_time(a.appointment_at))),
        notes=_newest_first(Note, tables.rows("notes", patient_id), "written_at"),
        checks=_newest_first(Check, tables.rows("checks", patient_id), "checked_at"),
        documents=_newest_first(Document, tables.rows("documents", patient_id), "written_at"),
        disagreements=differing,
        older_patient_ids=tuple(older_ids(rows)),
        grace=grace,
        deliveries=deliveries_by_course(tables.records.get(patient_id, ())),
        photo=next((Photo.from_row(row) for row in tables.rows("photos", patient_id)), None),
    )


def _identity(
    patient_id: str, rows: Sequence[Mapping[str, Any]], told: Mapping[str, Any] | None, tables: PatientTables
) -> Identity:
    """As the newest DICOM object says it; the R&V database where no object does."""
    sources = [*rows, *tables.rows("treatment_records", patient_id)[:1], *tables.rows("rt_plans", patient_id)[:1]]
    sources += [told] if told is not None else []

    def first(column: str) -> Any:
        return next((row[column] for row in sources if row[column] is not None), None)

    return Identity(
        patient_id=patient_id,
        other_patient_ids=other_ids(rows, told),
        patient_name=first("patient_name"),
        patient_birth_date=first("patient_birth_date"),
        patient_sex=first("patient_sex"),
    )


def _told_by_dicom(tables: PatientTables, patient_id: str, rows: Iterable[Mapping[str, Any]]) -> tuple[Patient, ...]:
    """Who the patient is by objects that the R&V database did not make: records of machines, and the plans."""
    records = [r.patient for r in tables.records.get(patient_id, ()) if not r.is_of_database]
    plans = [tables.plans.get(row["referenced_rt_plan_uid"] or "") for row in rows]
    return (*records, *(plan.patient for plan in plans if plan is not None))


def _physicians(told: Iterable[Mapping[str, Any]], rows: Iterable[Mapping[str, Any]]) -> tuple[Physician, ...]:
    """Of the R&V database; where it names none, those whom the treatment records name."""
    found = [of_row(Physician, row) for row in told]
    found.sort(key=lambda p: (not p.is_primary, p.physician_name))
    if not found:
        named = (name for row in rows for name in parted(row["physicians_of_record"]))
        found = [Physician(name, None, None, None) for name in dict.fromkeys(named)]
    return tuple(found)


def _newest_first(kind: type[Any], rows: Iterable[Mapping[str, Any]], column: str) -> tuple[Any, ...]:
    return tuple(of_row(kind, row) for row in sorted(rows, key=lambda r: _by_time(r[column]), reverse=True))


def _by_time(at: datetime | None) -> tuple[bool, datetime]:
    """For sorting: what has no time comes last."""
    return at is None, at or datetime.min  # noqa: DTZ901  site-local, for order only
