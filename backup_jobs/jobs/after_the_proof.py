"""What is made of the nightly proof by re-reading: packs of plans, the rescue bundle, and once a month a drill.

What the packs' gate refuses for a plan's own sake is the clinic's to decide, and stands in their index. Only what could
not be made anew because the RT-PACS gave too little leaves that job undone.
"""

from backup_jobs.jobs.schedule import BUNDLE, DRILL, PACKS, drill_is_due
from recovery.bundling.making import make_bundle
from recovery.cache.doors import cache_to_show
from recovery.cache.journal import JobResult, Outcome, lock
from recovery.commands.bundle import LOCK as BUNDLE_LOCK
from recovery.commands.drill import hold_drill, kept
from recovery.commands.package import EVERYBODY, make_pack
from recovery.commands.package import LOCK as PACKS_LOCK
from recovery.packing.encryption import passphrase_of
from recovery.packing.gate import OF_PROOF
from recovery.pacs.workspace import Workspace
from recovery.patient.chosen import everybody
from recovery.words.values import counted


def keep_packs(space: Workspace) -> JobResult:
    """Make the pack of everybody on treatment anew; the one before stands until the new one is proven.

    Raises `RefusedError`: where another makes it, nobody is on treatment, or RT-PACS or cache cannot be read.
    """
    config, folder = space.config.without_rv(), space.config.package_path
    if folder is None:
        return JobResult(PACKS, "SKIPPED", {}, message="[package] path names no folder")
    cache = cache_to_show(config, space.now)
    chosen = everybody(cache, config.dashboard.exclude_patient_ids)
    with lock(config.cache_path, PACKS_LOCK):
        lines = make_pack(config, cache, chosen, EVERYBODY, space.now, None, lambda _: None, folder)
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
    return JobResult(PACKS, outcome, counts, tuple(line.case.plan.uid or "" for line in unproven), said)


def keep_bundle(space: Workspace) -> JobResult:
    """Make it and keep it; the ones before stand until the new one is proven in their place.

    Raises `RefusedError`: where another makes it, nobody is on treatment, or the cache cannot be read.
    """
    config = space.config.without_rv()
    if not config.bundle_paths:
        return JobResult(BUNDLE, "SKIPPED", {}, message="[bundle] paths names no folder")
    with lock(config.cache_path, BUNDLE_LOCK):
        made = make_bundle(config, space.now, passphrase_of(config.bundle.passphrase_env), config.bundle_paths)
    counts = {"found": made.patients, "already_held": 0, "moved": len(made.proven), "unproven": len(made.failed)}
    outcome: Outcome = "FAILED" if not made.proven else "OK" if made.is_whole else "PARTIAL"
    return JobResult(BUNDLE, outcome, counts, message=" ".join((made.in_words, *made.failed, *made.lacks)))


def drill(space: Workspace) -> JobResult:
    """Hold one where it is due. Raises as `hold_drill` does; a report that cannot be written fails it."""
    config = space.config
    if not drill_is_due(config, space.now):
        return JobResult(DRILL, "SKIPPED", {}, message="none is due; `python -m recovery drill` holds one all the same")
    has_database = config.rv is not None and config.rv.database is not None
    held = hold_drill(config.without_rv(), space.now, has_database=has_database)
    try:
        return kept(config, held)
    except OSError as error:
        why = f"the report cannot be written to {config.drill_path}: {error.strerror or error}"
        return JobResult(DRILL, "FAILED", {}, message=f"{held.in_words()}; {why}")
