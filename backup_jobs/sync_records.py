"""Keep the RT-PACS a full copy of the R&V system's RT treatment records.

Goal
    Every fraction delivered in the window is in the RT-PACS before the R&V system can be lost, and so is all that
    the patients met in the window were ever given.

How
    Ask both sides for the same days, move what only the R&V system holds, then ask the RT-PACS again.

Why a window, not "today"
    Records are amended and arrive late. No state decides what is backed up, so a run that failed at 23:50 is
    repaired by the next one. What the RT-PACS was found not to hold is asked for in every run until it does.
"""

from __future__ import annotations

from collections.abc import Iterable

from backup_jobs.proving import prove
from backup_jobs.transfer import in_words, transfer
from recovery.beside import asked_beside
from recovery.building import Workspace
from recovery.dimse import Peer, find_by_uid, find_refs, open_link
from recovery.memory import HOUR
from recovery.model import InstanceRef, SyncReport
from recovery.peers import pacs_peer, rv_peer
from recovery.record_holdings import ask_for_records, forget_lost
from recovery.record_search import DATES, Search, find_records, find_records_of_patients, search_records
from recovery.runs import JobResult

JOB = "sync_records"

QUICKEST = DATES[:1]
PATIENTS_PER_RUN = 20
"""Patients whose whole list is asked for again in one run, the longest not asked first; new ones come on top."""


def sync_records(space: Workspace) -> JobResult:
    """Copy to the RT-PACS the records that only the R&V system holds.

    Safe to run again at any time: a second run finds nothing to move. One refused object does not stop the others;
    it comes back as `unproven`.

    Raises
    ------
    DimseError
        If either side cannot be asked. Nothing is reported as backed up.
    """
    if space.config.rv is not None and space.config.rv.product == "mosaiq":
        return _without_dicom(space.config.rv.database is not None)
    rv, pacs = rv_peer(space.config, space.memory), pacs_peer(space.config, space.memory)
    search, on_pacs = _ask_both(space, rv, pacs)
    on_rv = search.records | _whole_courses(space, rv, search) | _owed(space, rv)
    held = {ref for ref in on_rv if ref in on_pacs}
    held |= prove(space, on_rv - held) if on_rv - held else set()
    on_rv |= _lost(space, rv, pacs, on_pacs | held)
    done = transfer(space, rv, on_rv - held, "moving records")
    forget_lost(space.holdings, (ref.sop_instance_uid for ref in done.moved))
    space.held_records = on_pacs | held | done.moved
    space.memory.first_look_done = True
    space.memory.owed = {r.sop_instance_uid: r.patient_id or "" for r in on_rv if r.sop_instance_uid in done.unproven}
    report = SyncReport(len(on_rv), len(held), len(done.moved), tuple(sorted(done.unproven)))
    return result_of(JOB, report, in_words(done.unproven))


def _without_dicom(has_database: bool) -> JobResult:
    """MOSAIQ serves no treatment records by DICOM; without its database there would be none, and no word of it."""
    if has_database:
        return JobResult(JOB, "SKIPPED", {}, message="MOSAIQ's records come from its database, with snapshot_tables")
    message = "MOSAIQ gives treatment records by its database alone, and the config has no [rv.database]"
    return JobResult(JOB, "FAILED", {}, message=message, fault="config")


def result_of(job: str, report: SyncReport, message: str) -> JobResult:
    """A report as the contract wants it: PARTIAL as soon as something is unproven."""
    counts = {
        "found": report.found,
        "already_held": report.already_held,
        "moved": report.moved,
        "unproven": len(report.unproven),
    }
    return JobResult(job, "PARTIAL" if report.unproven else "OK", counts, report.unproven, message)


def _ask_both(space: Workspace, rv: Peer, pacs: Peer) -> tuple[Search, set[InstanceRef]]:
    """The window's records on both sides, asked at the same time; the first look goes further back.

    The RT-PACS is asked by one date only: what that does not find is asked for by UID afterwards.
    """
    settings = space.config.jobs.sync_records
    days = settings.days_back if space.memory.first_look_done else max(settings.days_back, settings.first_days_back)
    dates = space.window(days)
    with asked_beside(lambda: (find_records(pacs, dates, space.now, QUICKEST), pacs.traits)) as answer:
        search = search_records(rv, dates, space.now)
        on_pacs, learnt = answer()
    pacs.traits.learn(learnt)
    return search, on_pacs


def _whole_courses(space: Workspace, rv: Peer, search: Search) -> set[InstanceRef]:
    """All records, however old, of patients seen: of those never asked about, and of some others in turn.

    Where the search listed all that the R&V system holds, that is the answer for everybody.
    """
    refs = list(search.records)
    by_patient = {ref.patient_id for ref in refs if ref.patient_id}
    asked = space.memory.asked
    questions = {patient_id: f"records {patient_id}" for patient_id in by_patient}
    if search.everything is not None:
        for question in questions.values():
            space.memory.note(question, space.now)
        studies = {ref.study_instance_uid for ref in refs if not ref.patient_id and ref.study_instance_uid}
        return {r for r in search.everything if r.patient_id in by_patient or r.study_instance_uid in studies}
    new = [p for p, question in questions.items() if question not in asked]
    others = sorted((p for p in by_patient if p not in set(new)), key=lambda p: asked[questions[p]])
    chosen = [*new, *others[:PATIENTS_PER_RUN]]
    found = find_records_of_patients(rv, chosen) if chosen else set()
    for patient_id in chosen:
        space.memory.note(questions[patient_id], space.now)
    return found | _without_patient_id(space, rv, refs)


def _without_patient_id(space: Workspace, rv: Peer, refs: Iterable[InstanceRef]) -> set[InstanceRef]:
    """All records of the studies of records that bear no PatientID."""
    studies = sorted({r.study_instance_uid for r in refs if not r.patient_id and r.study_instance_uid})
    due = [uid for uid in studies if space.memory.is_due(f"records of study {uid}", space.now, HOUR)]
    if not due:
        return set()
    with open_link(rv) as link:
        found = set().union(
            *(find_refs(link, {"Modality": "RTRECORD", "StudyInstanceUID": uid}) for uid in due)
        )  # fmt: skip
    for uid in due:
        space.memory.note(f"records of study {uid}", space.now)
    return found


def _lost(space: Workspace, rv: Peer, pacs: Peer, held: set[InstanceRef]) -> set[InstanceRef]:
    """Records, however old, that the RT-PACS had once and lost, and that the R&V system still has."""
    lost = ask_for_records(space, pacs, (ref.sop_instance_uid for ref in held))
    if not lost:
        return set()
    with open_link(rv) as link:
        return find_by_uid(link, sorted(lost))


def _owed(space: Workspace, rv: Peer) -> set[InstanceRef]:
    """Records that could not be proven before and that the R&V system still has."""
    if not space.memory.owed:
        return set()
    with open_link(rv) as link:
        return find_by_uid(link, sorted(space.memory.owed))
