"""Make the dashboard's tables from the RT-PACS: the job around `recovery.building`."""

from __future__ import annotations

from backup_jobs.transfer import in_words
from recovery.building import Workspace, build_overview
from recovery.peers import pacs_peer
from recovery.runs import JobResult

JOB = "build_on_treatment"


def build_on_treatment(space: Workspace) -> JobResult:
    """Bring the tables up to date; objects that cannot be read are named, and make it PARTIAL.

    Raises
    ------
    DimseError
        If the RT-PACS cannot be asked.
    CacheError
        If the cache cannot be written; the tables before still stand.
    """
    report = build_overview(space, pacs_peer(space.config, space.memory))
    counts = {
        "found": report.records,
        "already_held": report.records - report.records_read,
        "moved": report.records_read,
        "unproven": len(report.unreadable),
        "rows": report.rows,
        "excluded": report.excluded,
    }
    outcome = "PARTIAL" if report.unreadable else "OK"
    message = f"cannot be read: {in_words(report.unreadable)}" if report.unreadable else ""
    return JobResult(JOB, outcome, counts, tuple(sorted(report.unreadable)), message)  # type: ignore[arg-type]
