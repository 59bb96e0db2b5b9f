"""The relational half as standard DICOM objects in the RT-PACS: the second part of `snapshot_tables`.

Per patient and plan an RT Treatment Summary Record; per patient the chart, as an Encapsulated PDF; per snapshot the
tables themselves, as Raw Data; also the treatment records, where the R&V system serves none. Each is made from the
cache, stored where the RT-PACS lacks it, and proven by reading it back (`archiving`). Neither the tables in the cache
nor the list, which come first, wait for the RT-PACS.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial

from pydicom import Dataset

from backup_jobs.archive.archiving import ArchiveReport, Wanted, archive
from backup_jobs.archive.charts import archive_charts
from backup_jobs.archive.records import archive_deliveries
from backup_jobs.rv.product import product_of
from backup_jobs.transfer.transfer import in_words
from recovery.cache.errors import CacheError
from recovery.cache.freshness import known_since
from recovery.cache.journal import JobResult
from recovery.cache.manifests import Snapshot, fault_of_file_once
from recovery.cache.memory import DAY
from recovery.dicom.model import RT_TREATMENT_SUMMARY_RECORD, InstanceRef
from recovery.dimse import DimseError
from recovery.objects.raw_data import manifest_objects, table_objects, table_part_count, table_ref
from recovery.objects.treatment_summary import TreatmentSummary, summaries_of
from recovery.on_treatment.evidence import Listed
from recovery.overview.build import build_overview, overview_rows
from recovery.overview.evidence import evidence_of
from recovery.overview.wanted_plans import plan_uids_of_records
from recovery.pacs.peers import pacs_peer
from recovery.pacs.proven_objects import ProvenObjects
from recovery.pacs.retrieval import read_chains, read_new_records
from recovery.pacs.workspace import Workspace
from recovery.tables.delivered import DELIVERIES
from recovery.tables.schema import ON_TREATMENT

UNDER_WAY = frozenset({"NOT_STARTED", "ON_TREATMENT", "ON_BREAK"})
"""Summaries that are asked about in every run; the others once a day."""

TABLES_SENT = "tables as Raw Data"
"""Under which it is remembered when a snapshot was sent."""


NO_LIST = "the list could not be made: neither treatment summaries nor charts were stored"


def archive_tables(space: Workspace, result: JobResult, build: Callable[[], Listed | None]) -> JobResult:
    """Store what the tables say as objects; returns the job's result with what became of them.

    `build` makes the list, once MOSAIQ's treatment records are stored; None where it could not. An RT-PACS that cannot
    be asked makes the job PARTIAL: the tables are written.
    """
    report = ArchiveReport()
    remarks: list[str] = []
    proven = ProvenObjects.load(space.cache)
    try:
        _know_what_is_held(space)
        if not product_of(space.config).serves_treatment_records:
            result = _with_records(space, proven, result, report, remarks)
        listed = build()
        if listed is None:
            result = replace(result, outcome="PARTIAL")
            remarks.append(NO_LIST)
        else:
            _archive_list(space, proven, listed, report)
        report.join(_snapshot(space, proven))
    except DimseError as error:
        sentence = f"the tables are in the cache; not everything of them is proven in the RT-PACS: {error}"
        result = replace(result, outcome="PARTIAL", fault=result.fault or error.fault)
        remarks.append(sentence)
    finally:
        proven.save(space.cache, space.now)
    return _told(result, report, remarks)


def _know_what_is_held(space: Workspace) -> None:
    """After the loss of the cache: what was amended before, and in which study a plan lies, the RT-PACS alone knows."""
    if not space.collection.has_all_records:
        pacs = pacs_peer(space.config, space.memory)
        read_new_records(space, pacs)
        read_chains(space, pacs, plan_uids_of_records(space))


def _with_records(
    space: Workspace, proven: ProvenObjects, result: JobResult, report: ArchiveReport, remarks: list[str]
) -> JobResult:
    """Treatment records first: the summaries count them.

    Where this run read the deliveries, its result counts `treatment_records`: all up to its start is proven but for
    what it names (`JobRun.tells_of_records`). Of older deliveries that cannot be said.
    """
    records, said = archive_deliveries(space, proven)
    report.join(records)
    remarks += said
    if not _were_read(space):
        return result
    return replace(result, counts={**result.counts, "treatment_records": records.found})


def _were_read(space: Workspace) -> bool:
    """Whether this run read the deliveries, or found them unchanged."""
    try:
        return known_since(space.cache, DELIVERIES) >= space.now
    except CacheError:
        return False


def list_without_its_job(space: Workspace) -> Listed:
    """The list where `snapshot_tables` is run alone. Charts are read from its tables: it is brought up to date.

    A cache without a list gets its first one from `build_on_treatment`, and charts after that.
    """
    with suppress(CacheError):
        space.cache.snapshot(ON_TREATMENT)
        return build_overview(space, pacs_peer(space.config, space.memory)).listed
    return overview_rows(space, evidence_of(space))


def _archive_list(space: Workspace, proven: ProvenObjects, listed: Listed, report: ArchiveReport) -> None:
    """Treatment summaries and charts."""
    due, once_a_day = _due(space, summaries_of(listed))
    report.join(archive(space, due, proven, "storing treatment summaries"))
    for uid in set(once_a_day) - report.unproven.keys():
        space.memory.note(f"object {uid}", space.now)
    report.join(archive_charts(space, proven, listed.rows))


def _snapshot(space: Workspace, proven: ProvenObjects) -> ArchiveReport:
    """The newest snapshot of the tables: its manifest, and of its tables' files those that the RT-PACS does not hold.

    A busy clinic's tables change all day, and the RT-PACS keeps every copy: `raw_data_minutes` is the least time
    between two. Until then the cache alone has the newest tables; the treatment records do not wait.
    """
    pace = space.config.jobs.snapshot_tables.raw_data_minutes * 60
    try:
        snapshot = space.cache.open_snapshot()
    except CacheError as error:
        return ArchiveReport(found=1, unproven={"the newest snapshot": str(error)})
    if snapshot is None or not space.memory.is_due(TABLES_SENT, space.now, pace):
        return ArchiveReport()
    tables = snapshot.manifest.tables
    faults = {name: fault for name in tables if (fault := fault_of_file_once(snapshot, name))}
    if faults:  # what is damaged here is not archived
        return ArchiveReport(found=1, unproven={snapshot.snapshot_id: "; ".join(faults.values())})
    site = space.config.site.name
    wanted = [
        Wanted(
            table_ref(site, snapshot.manifest, name, number + 1), partial(_table_object, snapshot, name, site, number)
        )
        for name, state in tables.items()
        for number in range(table_part_count(state))
    ]
    wanted += [Wanted(InstanceRef.from_dataset(made), _made(made)) for made in manifest_objects(snapshot, site)]
    report = archive(space, wanted, proven, "storing the tables")
    if report.sent and not report.unproven:
        space.memory.note(TABLES_SENT, space.now)
    return report


def _table_object(snapshot: Snapshot, name: str, site: str, number: int, _: datetime) -> Dataset:
    """One part of a table's file, which is read only where the RT-PACS lacks it."""
    return table_objects(snapshot, name, site)[number - 1]


def _made(ds: Dataset) -> Callable[[datetime], Dataset]:
    """An object that depends on no moment."""
    return lambda _: ds


def _due(space: Workspace, summaries: Iterable[TreatmentSummary]) -> tuple[list[Wanted], list[str]]:
    """Summaries of courses under way, and of all others those not asked about for a day, which are named."""
    wanted, once_a_day = [], []
    for summary in summaries:
        uid = summary.sop_instance_uid
        if summary.status not in UNDER_WAY:
            if not space.memory.is_due(f"object {uid}", space.now, DAY):
                continue
            once_a_day.append(uid)
        ref = InstanceRef(
            uid, RT_TREATMENT_SUMMARY_RECORD, "RTRECORD", summary.series_instance_uid, summary.study_instance_uid
        )
        wanted.append(Wanted(replace(ref, patient_id=summary.patient.patient_id), summary.dataset))
    return wanted, once_a_day


def _told(result: JobResult, report: ArchiveReport, remarks: list[str]) -> JobResult:
    counts = {
        **result.counts,
        "found": report.found,
        "already_held": report.held,
        "moved": len(report.sent),
        "unproven": len(report.unproven),
    }
    if report.unproven:
        remarks = [*remarks, f"not proven in the RT-PACS: {in_words(report.unproven)}"]
    if report.added:
        remarks = [*remarks, f"the RT-PACS added {', '.join(sorted(report.added))} to what it was sent"]
    is_partial = report.unproven or result.outcome == "PARTIAL"
    return replace(
        result,
        outcome="PARTIAL" if is_partial else result.outcome,
        counts=counts,
        unproven=(*result.unproven, *sorted(report.unproven)),
        message="; ".join(part for part in (result.message, *remarks) if part),
    )
