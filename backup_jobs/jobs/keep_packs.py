"""The packs that are kept ready: nightly, after the proof by re-reading, where `[package] path` says.

What the gate refuses for a plan's own sake is the clinic's to decide, and stands in the index. Only what could not be
made anew because the RT-PACS gave too little leaves the job undone.
"""

from __future__ import annotations

from recovery.cache.doors import cache_to_show
from recovery.cache.journal import JobResult, Outcome, lock
from recovery.commands.package import EVERYBODY, LOCK, make_pack
from recovery.host.durable import LockedError
from recovery.packing.build import PackError
from recovery.packing.gate import OF_PROOF
from recovery.pacs.workspace import Workspace
from recovery.patient.chosen import NobodyError, everybody
from recovery.words.values import counted

JOB = "keep_packs"


def keep_packs(space: Workspace) -> JobResult:
    """Make the pack of everybody on treatment anew; the one before stands until the new one is proven.

    Raises `DimseError` if the RT-PACS cannot be asked; `CacheError` if the cache cannot be read.
    """
    config, folder = space.config.without_rv(), space.config.package_path
    if folder is None:
        return JobResult(JOB, "SKIPPED", {}, message="[package] path names no folder")
    cache = cache_to_show(config, space.now)
    try:
        chosen = everybody(cache, config.dashboard.exclude_patient_ids)
        with lock(config.cache_path, LOCK):
            lines = make_pack(config, cache, chosen, EVERYBODY, space.now, None, lambda _: None, folder)
    except LockedError as error:
        return JobResult(JOB, "SKIPPED", {}, message=str(error))
    except NobodyError as error:
        return JobResult(JOB, "PARTIAL", {}, message=str(error))
    except PackError as error:
        return JobResult(JOB, "FAILED", {}, message=str(error))
    refused = [line for line in lines if line.refused]
    unproven = [line for line in refused if OF_PROOF & {one.rule for one in line.refused}]
    counts = {
        "found": len(lines),
        "already_held": sum(bool(line.folder) and not line.is_new for line in lines),
        "moved": sum(line.is_new for line in lines),
        "unproven": len(unproven),
    }
    said = f"the gate refuses {counted(len(refused), 'plan')}: the pack's index says why" if refused else ""
    outcome: Outcome = "PARTIAL" if unproven else "OK"
    return JobResult(JOB, outcome, counts, tuple(line.case.plan.uid or "" for line in unproven), said)
