"""Make the dashboard's tables from the RT-PACS, asking nobody else.

Read the records that are new, read the plans and structure sets that they lead to, ask what of each chain is held,
count, write. What was parsed before is in the cache; a cache that was deleted is filled from everything that the
RT-PACS holds. Rows of courses that rest stay until their turn (`recovery.pacs.resting`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recovery.cache.copy_age import proven_up_to
from recovery.cache.damages import forget_damaged_tables
from recovery.course.charted_entries import answers
from recovery.dimse import Peer
from recovery.entries.charted import read_charted
from recovery.entries.downtimes import believed_up_to, grace_at
from recovery.entries.transfers import standing_at, with_transfers
from recovery.identity.one_patient import newest_ids, under_newest
from recovery.on_treatment.evidence import Evidence, Listed
from recovery.on_treatment.rows import build_rows
from recovery.on_treatment.unknown_since import doubt_of, unknown_of
from recovery.overview.evidence import evidence_of
from recovery.overview.lists import write_excluded, write_list, write_pipeline
from recovery.overview.rv_columns import with_second_source
from recovery.overview.wanted_plans import plan_uids_of_records, wake_named
from recovery.pacs.retrieval import read_chains, read_new_records, read_origins
from recovery.pacs.workspace import Workspace, relational_rows
from recovery.tables.relational import SCHEDULE


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build read and wrote. `rows`: of the whole list. `listed`: those made in this run, without what the R&V
    database tells of them. `unreadable`: why, by SOP Instance UID. `lost`: records that were read and are not held as
    they were, and what became of each."""

    records: int
    records_read: int
    rows: int
    listed: Listed
    unreadable: dict[str, str] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)


def build_overview(space: Workspace, pacs: Peer) -> BuildReport:
    """Bring the tables up to date with the RT-PACS.

    Raises `DimseError` if the RT-PACS cannot be asked; `CacheError` if the cache cannot be written; the tables before
    still stand.
    """
    wake_named(space)
    read, unreadable = read_new_records(space, pacs, plan_uids_of_records(space))
    plan_uids = plan_uids_of_records(space)
    unreadable |= read_chains(space, pacs, plan_uids)
    unreadable |= read_origins(space, pacs, plan_uids)
    if not space.collection.is_saved:  # what was read is not read again, should this run be killed
        space.save()
    evidence = evidence_of(space)
    listed = overview_rows(space, evidence)
    write_excluded(space, listed.excluded)
    told = whole_rows(space, listed)
    rows = write_list(space, told)
    write_pipeline(space, told)
    forget_damaged_tables(space.config.cache_path)
    records = len(space.collection.records) + space.resting.sleeping_records
    return BuildReport(records, read, rows, listed, unreadable, evidence.lost_records)


def overview_rows(space: Workspace, evidence: Evidence) -> Listed:
    """The rows of `on_treatment` as they stand now."""
    return build_rows(
        evidence,
        space.local_now,
        on_treatment_days=space.config.dashboard.on_treatment_days,
        exclude_patient_ids=space.config.dashboard.exclude_patient_ids,
    )


def whole_rows(space: Workspace, listed: Listed) -> list[dict[str, Any]]:
    """The list's rows with every column: what the R&V database, those who signed and the clock say beside the
    RT-PACS."""
    rows = with_second_source(space, listed.rows)
    return with_unknown(space, with_transfers(rows, standing_at(space.config.cache_path)))


def with_unknown(space: Workspace, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with `unknown_since`: who may have been treated since the newest proof. Null where no proof is known:
    the same objects make the same table, also after a rebuild; pages and charts say that nothing is proven."""
    config = space.config
    proven_at = believed_up_to(config.cache_path, proven_up_to(space.cache, space.now))
    grace = grace_at(config.cache_path, config.schedule.grace)
    doubt = doubt_of(proven_at, None, space.now, config.site.zone, grace)
    answered = answers(read_charted(config.cache_path).entries)
    booked = under_newest(relational_rows(space, SCHEDULE), newest_ids(rows))
    told = unknown_of(rows, booked, doubt, answered)
    return [{**row, "unknown_since": since} for row, since in zip(rows, told, strict=True)]
