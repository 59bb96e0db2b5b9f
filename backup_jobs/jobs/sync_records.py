"""Keep the RT-PACS a full copy of the R&V system's RT treatment records.

How
    Ask both sides for the same days, move what only the R&V system holds, then ask the RT-PACS again. Of patients met
    in the window, whole courses are asked for.

Why a window, not "today"
    Records are amended and arrive late, and a run that failed at 23:50 is repaired by the next one. What the RT-PACS
    was found not to hold is asked for in every run until it does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from backup_jobs.rv.product import Product, product_of
from backup_jobs.transfer.asking_back import ask_back
from backup_jobs.transfer.proving import prove
from backup_jobs.transfer.transfer import in_words, transfer, twins_in_words
from recovery.cache.journal import JobResult
from recovery.cache.memory import HOUR, PATIENTS_PER_RUN
from recovery.dicom.model import InstanceRef, SyncReport, distinct
from recovery.dimse import Peer, find_by_uid, find_refs, open_link
from recovery.host.child_process import asked_beside
from recovery.pacs.peers import pacs_peer, rv_peer
from recovery.pacs.record_holdings import ask_for_records, forget_lost, many_lost
from recovery.pacs.record_search import DATES, Search, find_records, find_records_of_patients, search_records
from recovery.pacs.workspace import Workspace
from recovery.settings.config import Config
from recovery.watch.events import LOSS

JOB = "sync_records"

QUICKEST = DATES[:1]
TURNS = "records"


def sync_records(space: Workspace, days_back: int = 0) -> JobResult:
    """Copy to the RT-PACS the records that only the R&V system holds; of a window of at least `days_back` days.

    Safe to run again at any time: a second run finds nothing to move. One refused object does not stop the others;
    it comes back as `unproven`.

    Raises `DimseError` if either side cannot be asked. Nothing is reported as backed up.
    """
    product = product_of(space.config)
    if not product.serves_treatment_records:
        space.memory.first_look_done = False  # whatever product was asked before: nobody can be asked for them now
        return _without_dicom(product, space.config)
    rv, pacs = rv_peer(space.config, space.memory), pacs_peer(space.config, space.memory)
    limits = dict(rv.traits.limits)
    search, on_pacs, courses = _ask_all(space, rv, pacs, days_back)
    if rv.traits.limits != limits:  # what was asked before its limit was known is asked anew
        search, on_pacs, courses = _ask_all(space, rv, pacs, days_back)
    on_rv = distinct([*search.records, *courses.records, *_owed(space, rv)])
    there = {ref.sop_instance_uid: ref for ref in on_pacs}
    held = {r for r in on_rv if (other := there.get(r.sop_instance_uid)) is not None and r.is_at(other)}
    held |= prove(space, on_rv - held) if on_rv - held else set()
    on_rv |= _lost(space, rv, pacs, on_pacs | held)
    loss = many_lost(space)
    done = transfer(space, rv, on_rv - held, "moving records")
    forget_lost(space.holdings, (ref.sop_instance_uid for ref in done.moved))
    unproven = done.unproven | twins_in_words(on_rv)
    space.note_held(on_pacs | held | done.moved)
    lacking = (r for r in on_rv if r.sop_instance_uid in unproven)
    space.memory.owed = {r.sop_instance_uid: "\\".join(sorted(r.patient_ids)) for r in lacking}
    ask_back(space, rv, search, on_rv, on_pacs)
    if not rv.traits.unfinished:
        _note_proven(space, courses, {r for r in on_rv if r.sop_instance_uid in done.unproven})
    report = SyncReport(len(on_rv), len(held), len(done.moved), tuple(sorted(unproven)))
    result = result_of(JOB, report, "; ".join(filter(None, (loss, in_words(unproven)))))
    return replace(result, outcome="PARTIAL", fault=LOSS) if loss else result


@dataclass(frozen=True, slots=True)
class _Courses:
    """Records of whole courses, and whose courses and which studies they are."""

    records: set[InstanceRef]
    patients: Sequence[str]
    studies: Sequence[str]


def _ask_all(space: Workspace, rv: Peer, pacs: Peer, days_back: int) -> tuple[Search, set[InstanceRef], _Courses]:
    search, on_pacs = _ask_both(space, rv, pacs, days_back)
    return search, on_pacs, _whole_courses(space, rv, search)


def _note_proven(space: Workspace, courses: _Courses, unproven: set[InstanceRef]) -> None:
    """A question is answered once the RT-PACS holds what it asked for: a run that is cut off leaves it open."""
    patients = {ref.patient_id for ref in unproven}
    studies = {ref.study_instance_uid for ref in unproven}
    space.memory.note_turns(TURNS, [p for p in courses.patients if p not in patients])
    for uid in courses.studies:
        if uid not in studies:
            space.memory.note(f"records of study {uid}", space.now)
    space.memory.first_look_done = True


def _without_dicom(product: Product, config: Config) -> JobResult:
    """A product that serves no treatment records: without its database there would be none, and no word of it."""
    if problem := lack_of_records(product, config):
        return JobResult(JOB, "FAILED", {}, message=problem, fault="config")
    message = f"{product.title}'s records come from its database, with snapshot_tables"
    return JobResult(JOB, "SKIPPED", {}, message=message)


def lack_of_records(product: Product, config: Config) -> str:
    """Why no treatment record can come with this config; empty where they can."""
    if product.serves_treatment_records or (config.rv is not None and config.rv.database is not None):
        return ""
    return f"{product.title} gives treatment records by its database alone, and the config has no [rv.database]"


def result_of(job: str, report: SyncReport, message: str) -> JobResult:
    """A report as the contract wants it: PARTIAL as soon as something is unproven."""
    counts = {
        "found": report.found,
        "already_held": report.already_held,
        "moved": report.moved,
        "unproven": len(report.unproven),
    }
    return JobResult(job, "PARTIAL" if report.unproven else "OK", counts, report.unproven, message)


def _ask_both(space: Workspace, rv: Peer, pacs: Peer, days_back: int) -> tuple[Search, set[InstanceRef]]:
    """The window's records on both sides, asked at the same time; the first look goes further back.

    The RT-PACS is asked by one date only: what that does not find is asked for by UID afterwards.
    """
    settings = space.config.jobs.sync_records
    days = settings.days_back if space.memory.first_look_done else max(settings.days_back, settings.first_days_back)
    dates = space.window(max(days, days_back))
    with asked_beside(lambda: (find_records(pacs, dates, space.now, QUICKEST), pacs.traits)) as answer:
        search = search_records(rv, dates, space.now)
        on_pacs, learnt = answer()
    pacs.traits.learn(learnt)
    return search, on_pacs


def _whole_courses(space: Workspace, rv: Peer, search: Search) -> _Courses:
    """All records, however old, of patients seen: of those never asked about, and of some others in turn.

    Where the search listed all that the R&V system holds, that is the answer for everybody.
    """
    refs = list(search.records)
    by_patient = sorted({ref.patient_id for ref in refs if ref.patient_id})
    if search.everything is not None:
        met = set(by_patient)
        studies = {ref.study_instance_uid for ref in refs if not ref.patient_id and ref.study_instance_uid}
        found = {r for r in search.everything if r.patient_id in met or r.study_instance_uid in studies}
        return _Courses(found, by_patient, ())
    chosen = space.memory.in_turn(TURNS, by_patient, PATIENTS_PER_RUN)
    found = find_records_of_patients(rv, chosen) if chosen else set()
    studies_of, without_id = _without_patient_id(space, rv, refs)
    return _Courses(found | without_id, chosen, studies_of)


def _without_patient_id(space: Workspace, rv: Peer, refs: Iterable[InstanceRef]) -> tuple[list[str], set[InstanceRef]]:
    """The studies due of records that bear no PatientID, and all records of these studies."""
    studies = sorted({r.study_instance_uid for r in refs if not r.patient_id and r.study_instance_uid})
    due = [uid for uid in studies if space.memory.is_due(f"records of study {uid}", space.now, HOUR)]
    if not due:
        return [], set()
    found: set[InstanceRef] = set()
    with open_link(rv) as link:
        for uid in due:
            found |= find_refs(link, {"Modality": "RTRECORD", "StudyInstanceUID": uid})
    return due, found


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
