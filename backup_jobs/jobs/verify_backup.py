"""The nightly proof: objects are read again from the RT-PACS, and what is not what it was is healed or named.

Goal
    An object that an archive lost, altered or cut off is found before somebody needs it.

How
    Everything of patients on treatment, or about to start, is read in full, slice by slice, in every run, the doses of
    their plans too: also a record that was cut off and names no plan any more. Of all else so much is read that each
    has its turn within `[verify] weeks`. That share comes first: where the night is too short for all, what is left
    over is read first in the next. Each object is known by a digest of what it says (`recovery.objects.digest`). What a
    run reads for the first time is held against the source, where that answers and still has it. What fails is brought
    again, or stored again where a source has what was read first (`rereading`). Before that, both sides are compared
    over 30 days; after it, the RT-PACS is asked to commit itself to keep what is new, where it offers that, and in
    turn what it was asked for before.

Why the source is no judge
    A source that has the altered content too was altered as well, or somebody changed an object under its UID: a
    person must look.
"""

from collections.abc import Iterable, Set

from backup_jobs.jobs.rereading import Rereading, is_in_turn
from backup_jobs.jobs.sync_records import sync_records
from backup_jobs.rv.product import product_of
from backup_jobs.transfer.transfer import in_words
from recovery.cache.journal import JobResult, Outcome
from recovery.dimse import NOT_SUPPORTED, DimseError, ask_to_commit
from recovery.pacs.peers import pacs_peer, pacs_store_peer
from recovery.pacs.record_search import find_all_records, find_objects_of_patients
from recovery.pacs.verified_objects import VerifiedObjects, chain_of
from recovery.pacs.workspace import Workspace
from recovery.tables.schema import ON_TREATMENT
from recovery.words.values import counted

JOB = "verify_backup"

COMPARED_DAYS = 30
COMMITTED_AT_ONCE = 200
"""Objects of one request of Storage Commitment. An Orthanc takes ten times as long for each of a thousand."""
ACTIVE = frozenset({"on_treatment", "ready_to_start"})


def verify_backup(space: Workspace) -> JobResult:
    """Re-read what is due, heal what can be healed, name the rest; PARTIAL when something is not proven.

    Raises `DimseError` if the RT-PACS cannot be asked, or stops answering on the way. What it did not give then is not
    called damaged; `CacheError` if what was found cannot be kept.
    """
    space.resting.wake_everybody()
    brought = _last_days(space)
    space.memory.save()  # what is owed is for the cycles that run beside this, and for those after a kill
    verified = VerifiedObjects.load(space.cache)
    active, others = _wanted(space, verified)
    before = verified.digests.keys()
    due = list(dict.fromkeys([*_share(space, verified, others), *verified.in_turn(active)]))
    run = Rereading(space, verified)
    try:
        run.read(due)
        run.heal()
        run.compare(uid for uid in due if uid in run.to_compare)
    finally:
        run.keep()
    uncommitted = _uncommitted(run, before)
    faults = {uid: why for uid, why in verified.faults.items() if uid in active | others}
    faults |= {uid: why for uid, why in uncommitted.items() if uid not in faults}
    said = [in_words(faults)] if faults else []
    if left := len(due) - run.done:
        said.append(f"{left} objects were left for the next run: [verify] hours were over")
    space.memory.misread |= dict.fromkeys(run.misread, True)
    if run.misread:
        said.append(f"{counted(len(run.misread), 'object')} had been read otherwise: the next cycle reads it again")
    said += [*run.said, *filter(None, [brought.message])]
    if space.config.pacs.folder:
        said.append("files stand in for the RT-PACS: treatment records that are not among them were not re-read")
    unproven = sorted({*faults, *brought.unproven})
    moved = len(run.healed) + brought.counts.get("moved", 0)
    counts = {"found": len(due), "already_held": run.good, "moved": moved, "unproven": len(unproven)}
    outcome: Outcome = "PARTIAL" if unproven or left else "OK"
    return JobResult(JOB, outcome, counts, tuple(unproven), "; ".join(said))


def _last_days(space: Workspace) -> JobResult:
    """Hold the records of the last 30 days of both sides against each other while the R&V system answers: what a window
    of a week no longer sees is brought, or named.

    Raises `DimseError` if it is the RT-PACS that cannot be asked.
    """
    if space.config.pacs.folder or space.config.rv is None or not product_of(space.config).serves_treatment_records:
        return JobResult(JOB, "SKIPPED", {})
    try:
        return sync_records(space, COMPARED_DAYS)
    except DimseError as error:
        if error.fault == "pacs":
            raise
        return JobResult(JOB, "SKIPPED", {}, message=f"the last {COMPARED_DAYS} days were not compared: {error}")


def _uncommitted(run: Rereading, before: Set[str]) -> dict[str, str]:
    """Ask the RT-PACS, where it offers that, to commit itself to keep what was read; what it does not, and why. Of what
    was read `before` a share each night: what it holds is read, whatever it said.

    Once it tells nothing, or cannot be asked, it is asked no more, and the next night for the rest.
    """
    refused: dict[str, str] = {}
    memory, peer = run.space.memory, pacs_store_peer(run.space.config, run.space.memory)
    if peer.door is not None:
        return refused
    due = to_commit(run.sop_classes, before, memory.uncommitted, run.verified.turn)
    left = dict.fromkeys([*memory.uncommitted, *due])
    try:
        for start in range(0, len(due), COMMITTED_AT_ONCE):
            asked = {uid: run.sop_classes[uid] for uid in due[start : start + COMMITTED_AT_ONCE]}
            told = ask_to_commit(peer, asked)
            if told is None:
                run.said.append(f"{peer.remote.ae_title} was asked for Storage Commitment, and did not report it")
                break
            left = {uid: None for uid in left if uid not in asked or uid in told}
            refused |= {uid: f"the RT-PACS does not commit itself to keep it: {why}" for uid, why in told.items()}
    except DimseError as error:
        if error.status == NOT_SUPPORTED:
            left = {}
        else:
            run.said.append(f"not asked for Storage Commitment: {error}")
    memory.uncommitted = sorted(left.keys() & run.verified.objects.keys())
    return refused


def to_commit(read: Iterable[str], before: Set[str], uncommitted: Iterable[str], turn: int) -> list[str]:
    """What the RT-PACS is asked to commit itself to, of what was `read`: what is new, what it did not when it was asked
    last, and of all else a share, so that each is asked for again within `NIGHTS`."""
    asked_again = set(uncommitted)
    return sorted(uid for uid in read if uid not in before or uid in asked_again or is_in_turn(uid, turn))


def _wanted(space: Workspace, verified: VerifiedObjects) -> tuple[set[str], set[str]]:
    """What is of active patients, whatever it names, and everything else that is known, by SOP Instance UID.

    Raises `DimseError` if the RT-PACS cannot be asked for doses; `CacheError` if the list cannot be read: nobody knows
    who is on treatment.
    """
    collection = space.collection
    rows = [row for row in space.cache.read(ON_TREATMENT) if row["status"] in ACTIVE]
    plans, patients = (
        {str(row[name]) for row in rows if row[name]} for name in ("referenced_rt_plan_uid", "patient_id")
    )
    known = set(collection.structure_sets)
    active = {uid for uid, one in collection.structure_sets.items() if one.patient.patient_id in patients}
    for uid, plan in collection.plans.items():
        known.update(chain_of(plan, collection))
        if uid in plans or plan.patient.patient_id in patients:
            active.update(chain_of(plan, collection))
    among = _records_among_files(space)
    for uid, record in collection.records.items():
        if among is not None and uid not in among:
            continue
        is_active = record.referenced_rt_plan_uid in plans or record.patient.patient_id in patients
        (active if is_active else known).add(uid)
    for uid, of_plans in _doses(space, verified, patients).items():
        (active if not of_plans or plans.intersection(of_plans) else known).add(uid)
    return active, known - active


def _records_among_files(space: Workspace) -> set[str] | None:
    """Where files stand in for the RT-PACS, which records are among them: a pack has none, and that proves no loss."""
    if not space.config.pacs.folder:
        return None
    return {ref.sop_instance_uid for ref in find_all_records(pacs_peer(space.config, space.memory))}


def _doses(space: Workspace, verified: VerifiedObjects, patient_ids: set[str]) -> dict[str, tuple[str, ...]]:
    """Doses that were read before, with their plans, and those of these patients that never were, whatever they are of:
    that is known once they are read."""
    known = {uid: one.plan_uids for uid, one in verified.objects.items() if one.plan_uids}
    if asked := sorted(patient_ids):
        found = find_objects_of_patients(pacs_peer(space.config, space.memory), asked, "RTDOSE")
        known |= {ref.sop_instance_uid: () for ref in found if ref.sop_instance_uid not in known}
    return known


def _share(space: Workspace, verified: VerifiedObjects, others: set[str]) -> list[str]:
    """Of those that nobody is treated with, so many that each has its turn in time; those that failed always."""
    nights = 7 * space.config.verify.weeks
    in_turn = verified.in_turn(others)
    failed = [uid for uid in in_turn if uid in verified.faults]
    return list(dict.fromkeys([*failed, *in_turn[: -(-len(in_turn) // nights)]]))
