"""Read from the RT-PACS what the collection lacks, and ask what of each plan's chain is held.

An object parsed once is not fetched again. What earlier runs found a plan to need is asked for at once, in long lists;
only what is new is followed step by step. Of the plans that a daily plan was made from (PARENT, PREDECESSOR) no record
tells: they are read back to the first; where plans name none, the RT-PACS is asked once a day for all plans of those
patients who have several, or one for a single day.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from datetime import tzinfo
from functools import partial
from typing import Any, Literal, TypeVar

from pydicom import Dataset

from recovery.cache.memory import DAY
from recovery.course.needed_images import needed_images
from recovery.dicom import elements as el
from recovery.dicom.model import InstanceRef
from recovery.dicom.plans import ImageSeries, Plan
from recovery.dimse import DimseError, NodeTraits, Peer, fetch, find_by_uid, open_link
from recovery.host.child_process import asked_beside
from recovery.host.logs import progress
from recovery.host.workers import worked_off
from recovery.pacs.collection import Collection
from recovery.pacs.holdings import Holdings, series_of
from recovery.pacs.image_search import find_series_of_patient, find_series_slices
from recovery.pacs.record_holdings import ask_for_records, settle_set_aside
from recovery.pacs.record_search import (
    find_all_records,
    find_objects_of_patients,
    find_records,
    find_records_of_patients,
)
from recovery.pacs.workspace import Workspace
from recovery.settings.config import Config
from recovery.tables.schema import SET_ASIDE

Result = TypeVar("Result")

OBJECTS_PER_TASK = 100
"""So many are read by one worker: two lists of a C-GET."""


def ask_known_chains(space: Workspace, pacs: Peer, plan_uids: Iterable[str]) -> tuple[Holdings, NodeTraits]:
    """Ask for all that earlier runs found these plans to need, in two processes; where all is held, that is all.

    Returns what was answered, and what the RT-PACS was found to understand: both have to leave a process beside.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    uids = list(plan_uids)
    plans = [space.collection.plans[uid] for uid in uids if uid in space.collection.plans]
    named = [uid for plan in plans for uid in (*plan.structure_set_uids, *plan.reference_image_uids)]
    needed = [needed_images(plan, space.collection) for plan in plans]
    loose = [uid for one in needed for uid in one.contour_image_uids]

    def ask_series() -> tuple[Holdings, NodeTraits]:
        space.holdings.ask_series(pacs, (series for one in needed for series in one.series), space.now)
        return space.holdings.answered(), pacs.traits

    with asked_beside(ask_series) as answer:
        space.holdings.ask(pacs, [*uids, *named, *loose], space.now)
        _take_over(space, pacs, answer())
    return space.holdings.answered(), pacs.traits


def _take_over(space: Workspace, pacs: Peer, answered: tuple[Holdings, NodeTraits]) -> None:
    holdings, traits = answered
    space.holdings.take_over(holdings)
    pacs.traits.learn(traits)


def read_new_records(space: Workspace, pacs: Peer, known_plans: Iterable[str] = ()) -> tuple[int, dict[str, str]]:
    """Read the records that the RT-PACS holds and the collection lacks; how many, and why not the others.

    Where the RT-PACS has to be asked which records it holds, it is asked for the chains of `known_plans` beside that.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    if not (space.collection.has_all_records or space.collection.was_asked_for_all):
        space.note_held(find_all_records(pacs))
        space.collection.was_asked_for_all = True
    elif space.held_records is None:
        with asked_beside(lambda: ask_known_chains(space, pacs, known_plans)) as answer:
            dates = space.window(space.config.jobs.sync_records.days_back)
            space.note_held(find_records(pacs, dates, space.now))
            _take_over(space, pacs, answer())
    if space.collection.records:
        ask_for_records(space, pacs, (ref.sop_instance_uid for ref in space.held_records or ()))
    if unread := sorted({*space.memory.unread, *space.memory.misread, *settle_set_aside(space, pacs)}):
        with open_link(pacs) as link:
            found = find_by_uid(link, unread)
        space.note_held(found)
        space.collection.leave_out([ref.sop_instance_uid for ref in found])
    if damaged := space.resting.ask_again():
        space.note_held(find_records_of_patients(pacs, sorted(damaged)))
    passed_over = set(space.memory.passed_over)
    aside = space.doubted.of_state(SET_ASIDE)
    space.collection.leave_out(aside)
    refs = space.held_records or set()
    space.resting.wake({r.patient_id for r in refs if r.sop_instance_uid not in space.collection})
    new = {r for r in refs if r.sop_instance_uid not in space.collection}
    new = {r for r in new if r.sop_instance_uid not in passed_over | aside}
    failures = read_objects(space, pacs, new, "reading records")
    read = {ref.sop_instance_uid for ref in new} - failures.keys()
    no_records = {uid for uid in read if uid not in space.collection}
    space.memory.passed_over = sorted(passed_over | no_records)
    space.memory.unread, space.memory.misread = sorted(failures), {}
    if not failures:
        space.collection.note_all_records()
    elif damaged:
        space.collection.note_lacking()
    space.resting.note_mended()
    if space.memory.first_look_done:
        known = space.collection.records
        space.doubted.note_read(
            (r for r in new if r.sop_instance_uid in known), (r.ref for r in known.values()), space.now
        )
    return len(read - no_records), failures


def read_chains(space: Workspace, pacs: Peer, plan_uids: Iterable[str]) -> dict[str, str]:
    """Read the plans and structure sets that the RT-PACS holds, and ask what else of their chains it holds.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    uids = list(dict.fromkeys(plan_uids))
    failures = _read_held(space, pacs, space.holdings.ask(pacs, uids, space.now), space.collection.plans)
    plans = [space.collection.plans[uid] for uid in uids if uid in space.collection.plans]
    named = [uid for plan in plans for uid in plan.structure_set_uids]
    reference_images = [uid for plan in plans for uid in plan.reference_image_uids]
    held = space.holdings.ask(pacs, [*named, *reference_images], space.now)
    failures |= _read_held(space, pacs, held & set(named), space.collection.structure_sets)
    list_unnamed_images(space, pacs, plans)
    needed = [needed_images(plan, space.collection) for plan in plans]
    space.holdings.ask_series(pacs, (series for one in needed for series in one.series), space.now)
    space.holdings.ask(pacs, (uid for one in needed for uid in one.contour_image_uids), space.now)
    return failures


def list_unnamed_images(space: Workspace, pacs: Peer, plans: Iterable[Plan], *, again: bool = False) -> None:
    """List in the RT-PACS the image series that these plans need and whose slices nothing names.

    What was listed before is not listed again, unless that is asked for.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    for plan in plans:
        needed = needed_images(plan, space.collection)
        if not (space.collection.knows_listings or needed.is_anything_known):
            space.memory.asked.pop(f"images of plan {plan.ref.sop_instance_uid}", None)  # of sources, in a lost table
        if needed.frames and (again or not needed.stand_ins):
            keep_framed(space, pacs, find_series_of_patient(pacs, plan, space.collection.image_series))
        whole = unlisted_series(space, plan, again=again)
        for found in find_series_slices(pacs, whole) if whole else ():
            space.collection.list_series(found)


def unlisted_series(space: Workspace, plan: Plan, *, again: bool = False) -> dict[str, str | None]:
    """The series that a plan needs as a whole and of which no slice is known yet, with their studies; `again`: all that
    it needs as a whole."""
    return {
        one.series_instance_uid: one.study_instance_uid
        for one in series_of(plan, space.collection)
        if not one.sop_instance_uids or (again and one.series_instance_uid in space.collection.image_series)
    }


def keep_framed(space: Workspace, pacs: Peer, found: Iterable[ImageSeries]) -> None:
    """Keep listings of image series; of one whose frame of reference no node tells, a slice is read in the RT-PACS.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    frames: dict[str, str | None] = {}

    def read(ds: Dataset) -> None:
        frames[el.required_uid(ds, "SOPInstanceUID")] = el.text(ds, "FrameOfReferenceUID")

    series = list(found)
    wanted = {first_slice(one) for one in series if one.frame_of_reference_uid is None}
    fetch(pacs, wanted, read, retrieve=space.config.pacs.retrieve)
    for one in series:
        frame = one.frame_of_reference_uid or frames.get(one.sop_instance_uids[0])
        space.collection.list_series(one.joined(ImageSeries(one.series_instance_uid, None, None, frame, ())))


def first_slice(series: ImageSeries) -> InstanceRef:
    """One slice of a listed series, with the place where it lies."""
    return InstanceRef(
        series.sop_instance_uids[0],
        series_instance_uid=series.series_instance_uid,
        study_instance_uid=series.study_instance_uid,
        patient_id=series.patient_id,
    )


def read_objects(space: Workspace, pacs: Peer, refs: Iterable[InstanceRef], what: str) -> dict[str, str]:
    """Bring objects from the RT-PACS into the collection; why not, by UID, for the others.

    What did not come by C-GET is asked for by C-MOVE, where the archive knows this machine.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    wanted = set(refs)
    retrieve = space.config.pacs.retrieve
    ordered = sorted(wanted, key=lambda ref: (ref.series_instance_uid or "", ref.sop_instance_uid))
    lists = [ordered[start : start + OBJECTS_PER_TASK] for start in range(0, len(ordered), OBJECTS_PER_TASK)]
    tasks = [partial(_read_list, pacs, some, space.config.site.zone, retrieve) for some in lists]
    failures: dict[str, str] = {}
    with progress(what, len(wanted)) as on_progress:
        for some, (read, why) in zip(lists, in_workers(space.config, tasks), strict=True):
            space.collection.take_in(read)
            failures |= why
            on_progress(len(some))
    if failures and retrieve == "get":
        with suppress(DimseError):
            fetch(pacs, {r for r in wanted if r.sop_instance_uid in failures}, space.collection.add, retrieve="move")
    space.resting.wake(space.collection.take_met())
    return {uid: why for uid, why in failures.items() if uid not in space.collection}


def in_workers(config: Config, tasks: Sequence[Callable[[], Result]]) -> Generator[Result, None, None]:
    """The results of tasks that ask the RT-PACS, as many at once as it may be asked: each by two associations.

    What it sends by C-MOVE comes to one port of this machine, one task after the other.

    Raises `DimseError` as the tasks do, and where a list of objects ends every process that reads it.
    """
    at_once = config.pacs.associations // 2 if config.pacs.retrieve == "get" else 1
    try:
        yield from worked_off(tasks, min(at_once, len(tasks)), config.workers.scheduler)
    except ChildProcessError as error:
        raise DimseError(f"Objects of the RT-PACS cannot be read: {error}.", fault="pacs") from error


def _read_list(
    pacs: Peer, refs: Sequence[InstanceRef], zone: tzinfo, retrieve: Literal["get", "move"]
) -> tuple[Collection, dict[str, str]]:
    """A task: what was read of a list, and why not the rest."""
    read = Collection(zone)
    return read, fetch(pacs, refs, read.add, retrieve=retrieve)


def _read_held(space: Workspace, pacs: Peer, held: set[str], known: dict[str, Any]) -> dict[str, str]:
    """Fetch what is held and not known yet."""
    new = held - known.keys()
    if not new:
        return {}
    with open_link(pacs) as link:
        refs = find_by_uid(link, sorted(new))
    return read_objects(space, pacs, refs, "reading plans and structure sets")


def read_origins(space: Workspace, pacs: Peer, plan_uids: Iterable[str]) -> dict[str, str]:
    """Read the plans that `plan_uids` were made from, as far as the RT-PACS holds them; why not, by UID, for the rest.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    plans, seen = space.collection.plans, set(plan_uids)
    failures: dict[str, str] = {}
    while named := {uid for own in seen if own in plans for uid in plans[own].predecessor_uids} - seen:
        failures |= read_chains(space, pacs, sorted(named))
        seen |= named
    due = sorted(p for p in _of_several_plans(space, seen) if space.memory.is_due(f"plans held of {p}", space.now, DAY))
    if not due:
        return failures
    held = {ref.sop_instance_uid for ref in find_objects_of_patients(pacs, due, "RTPLAN")}
    failures |= read_chains(space, pacs, sorted(held - plans.keys()))
    for patient_id in due:
        space.memory.note(f"plans held of {patient_id}", space.now)
    return failures


def _of_several_plans(space: Workspace, plan_uids: Iterable[str]) -> set[str]:
    """Patients who have several of these plans, or one that says a single fraction."""
    found: dict[str, int] = {}
    for uid in plan_uids:
        plan = space.collection.plans.get(uid)
        if plan is not None and plan.ref.patient_id is not None:
            many = 2 if plan.number_of_fractions_planned == 1 else 1
            found[plan.ref.patient_id] = found.get(plan.ref.patient_id, 0) + many
    return {patient_id for patient_id, many in found.items() if many > 1}
