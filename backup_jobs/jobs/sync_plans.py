"""Follow each treated plan to everything that its treatment needs, and bring what the RT-PACS lacks.

Treatment record, plan, structure set, images: at each step the RT-PACS is asked what it holds, the rest is brought from
the R&V system or a planning system, proven, and read for the next step. Study and series carry no meaning in
first-generation RT (PS3.3 A.86). Where references end too early, the images on the plan's frame of reference are
brought, and that is said.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from backup_jobs.jobs.sync_records import result_of
from backup_jobs.rv.product import product_of
from backup_jobs.transfer.proving import prove
from backup_jobs.transfer.sources import Sources
from backup_jobs.transfer.transfer import NAMED, in_words, twins_in_words
from backup_jobs.transfer.unnamed_images import list_at_sources
from recovery.cache.journal import JobResult
from recovery.cache.memory import DAY
from recovery.course.look_alikes import look_alikes
from recovery.course.needed_images import NeededImages, is_of_another_patient, needed_images
from recovery.dicom.model import InstanceRef, SyncReport
from recovery.dicom.plans import Plan, ReferencedSeries
from recovery.dicom.records import TreatmentRecord
from recovery.dimse import Peer
from recovery.identity.one_patient import own_plan
from recovery.overview.evidence import plan_labels
from recovery.overview.wanted_plans import (
    ACTIVE_DAYS,
    booked_plan_uids,
    patients_of_booked_plans,
    plan_uids_of_records,
    treated_plan_uids,
    wake_named,
)
from recovery.pacs.peers import pacs_peer
from recovery.pacs.retrieval import ask_known_chains, read_chains, read_new_records
from recovery.pacs.workspace import Workspace, relational_rows
from recovery.tables.delivered import DELIVERIES

JOB = "sync_plans"

ANOTHERS = "what the RT-PACS holds under this UID is another patient's"
OTHER_OBJECT = "{} holds it in another series or study, or of another patient, than the RT-PACS: two objects of one UID"
OTHER_LABEL = "{} holds it under another label than the RT-PACS: its content was changed under its UID"
NOWHERE = "neither the R&V system nor a planning system has it"


@dataclass(slots=True)
class _Tally:
    """What the chains need, what of it was held at the start, and why the rest is not.

    `treated`: the plans of records and those approved and booked. What only another plan lacks, one that waits or was
    never used, is mentioned; it does not make the job PARTIAL, for nobody can mend it and nobody needs it today.
    """

    treated: frozenset[str]
    wanted: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    absent: dict[str, str] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    """Plans that nobody treats yet and that lack something that no source has."""

    def note_absent(self, uid: str, plan_uid: str, what: str) -> None:
        """No source has `uid`, which this plan needs."""
        if plan_uid in self.treated:
            self.absent[uid] = f"{what} of plan {plan_uid}: {NOWHERE}"
        else:
            self.waiting.add(plan_uid)

    def note(self, wanted: Iterable[str], held: Iterable[str]) -> set[str]:
        """Count objects asked for; returns those that are not held."""
        asked = set(wanted)
        self.wanted |= asked
        self.held |= asked & set(held)
        return asked - self.held


def sync_plans(space: Workspace, delivered: frozenset[str] = frozenset()) -> JobResult:
    """Bring what the chains of the plans treated lately, and of those approved and booked, lack.

    What no source has is named, with the plan that needs it, and makes the job PARTIAL. `delivered`: further plans that
    somebody was treated with, though no record says so yet.

    Raises `DimseError` if the RT-PACS cannot be asked, or a source that might have what is missing.
    """
    pacs = pacs_peer(space.config, space.memory)
    sources = Sources.of(space)
    wake_named(space)
    _, unreadable = read_new_records(space, pacs)
    plan_uids = plan_uids_of_records(space, delivered)
    tally = _Tally(treated_plan_uids(space) | delivered)
    ask_known_chains(space, pacs, plan_uids)
    _bring_plans(space, pacs, sources, tally, plan_uids)
    plan_uids += _bring_waiting(space, pacs, sources, plan_uids)
    unreadable |= read_chains(space, pacs, plan_uids)
    plans = [space.collection.plans[uid] for uid in plan_uids if uid in space.collection.plans]
    _note_anothers(space, tally, plans)
    plans.sort(key=lambda plan: plan.ref.sop_instance_uid in tally.treated)  # what two need, the treated one needs
    _bring_structure_sets(space, pacs, sources, tally, plans)
    unreadable |= read_chains(space, pacs, plan_uids)
    _bring_images(space, pacs, sources, tally, plans)
    space.save()
    return _result(space, sources, tally, unreadable)


def delivered_plans(space: Workspace) -> frozenset[str]:
    """Plans that deliveries name before there is a record of them, where records are made of plan and delivery."""
    if product_of(space.config).serves_treatment_records:
        return frozenset()
    since = space.local_now - timedelta(days=ACTIVE_DAYS)
    rows = relational_rows(space, DELIVERIES)
    return frozenset(r["referenced_rt_plan_uid"] for r in rows if (r["treated_at"] or since) >= since) - {None}


def names_new_plans(space: Workspace, delivered: frozenset[str]) -> bool:
    """Whether the relational tables, just read, name a plan to follow that this run has not asked about."""
    return bool({*booked_plan_uids(space), *delivered} - space.holdings.asked)


def _bring_plans(space: Workspace, pacs: Peer, sources: Sources, tally: _Tally, uids: list[str]) -> None:
    lacking = tally.note(uids, space.holdings.ask(pacs, uids, space.now))
    for uid in sources.bring(lacking, "moving plans", _patients_of(space, lacking)):
        if uid in tally.treated:
            tally.absent[uid] = f"plan: {NOWHERE}"
        else:
            tally.waiting.add(uid)
    space.holdings.ask(pacs, lacking, space.now, anew=True)


def _note_anothers(space: Workspace, tally: _Tally, plans: Iterable[Plan]) -> None:
    """Plans and structure sets that one UID names in two patients: what is held is not everybody's who needs it."""
    by_plan: dict[str | None, dict[str | None, list[TreatmentRecord]]] = {}
    for record in space.collection.records.values():
        by_plan.setdefault(record.referenced_rt_plan_uid, {}).setdefault(record.ref.patient_id, []).append(record)
    for plan in plans:
        uid = plan.ref.sop_instance_uid
        if any(own_plan(plan, records) is None for records in by_plan.get(uid, {}).values()):
            tally.absent[uid] = f"plan: {ANOTHERS}"
        for set_uid in plan.structure_set_uids:
            found = space.collection.structure_sets.get(set_uid)
            if found is not None and uid in tally.treated and is_of_another_patient(plan, found):
                tally.absent[set_uid] = f"structure set of plan {uid}: {ANOTHERS}"


def _bring_waiting(space: Workspace, pacs: Peer, sources: Sources, known: list[str]) -> list[str]:
    """Once a day per patient: further plans (a boost that waits, an adapted plan) and doses that sources have.

    Nobody named these, so one that the sources do not have is not missing; one that they have is to be proven.
    """
    patients = {r.ref.patient_id for r in space.collection.records.values() if r.referenced_rt_plan_uid in set(known)}
    patients |= set(patients_of_booked_plans(space).values())
    due = sorted(p for p in patients if p and space.memory.is_due(f"plans {p}", space.now, DAY))
    if not due:
        return []
    waiting: list[str] = []
    found: set[InstanceRef] = set()
    for peer, refs in sources.of_patients(due, "RTPLAN"):
        found |= refs
        lacking = _lacking(space, pacs, refs)
        sources.take(peer, lacking, "moving plans")
        space.holdings.ask(pacs, [ref.sop_instance_uid for ref in lacking], space.now, anew=True)
        _note_others(space, sources, peer, refs - lacking)
        waiting += [ref.sop_instance_uid for ref in refs if ref.sop_instance_uid not in known]
    plans = {*known, *waiting}
    for peer, refs in sources.of_patients(due, "RTDOSE"):
        found |= refs
        lacking = _lacking(space, pacs, refs)
        _note_others(space, sources, peer, refs - lacking)
        named = sources.referenced_plans(peer, lacking)
        sources.take(peer, {ref for ref, uids in named.items() if not uids or uids & plans}, "moving doses")
    unproven = {ref.patient_id for ref in found if ref.sop_instance_uid in sources.unproven}
    is_answered = not sources.silent and not any(peer.traits.unfinished for peer in sources.peers)
    for patient_id in due if is_answered else ():
        if patient_id not in unproven:
            space.memory.note(f"plans {patient_id}", space.now)
    return waiting


def _note_others(space: Workspace, sources: Sources, peer: Peer, held: set[InstanceRef]) -> None:
    """Objects of a source under whose UID the RT-PACS holds another: by UID alone it would be taken for them.

    What a C-FIND tells cheaply is the series and a plan's label. Of other content in the same series it tells nothing.
    """
    for ref in held - (prove(space, held) if held else set()):
        sources.unproven[ref.sop_instance_uid] = OTHER_OBJECT.format(peer.remote.ae_title)
    plans = space.collection.plans
    known = {ref for ref in held if ref.sop_instance_uid in plans}
    for uid, label in sources.plan_labels(peer, known).items() if known else ():
        if plans[uid].rt_plan_label not in {label, None}:
            sources.unproven[uid] = OTHER_LABEL.format(peer.remote.ae_title)


def _bring_structure_sets(space: Workspace, pacs: Peer, sources: Sources, tally: _Tally, plans: list[Plan]) -> None:
    """Structure sets and reference images: both are named by the plan."""
    for attribute, what in (("structure_set_uids", "structure set"), ("reference_image_uids", "reference image")):
        needed_by = {uid: plan for plan in plans for uid in getattr(plan, attribute)}
        lacking = tally.note(needed_by, space.holdings.ask(pacs, needed_by, space.now))
        for uid in sources.bring(lacking, f"moving {what}s", {u: needed_by[u].ref.patient_id for u in lacking}):
            tally.note_absent(uid, needed_by[uid].ref.sop_instance_uid, what)
        space.holdings.ask(pacs, lacking, space.now, anew=True)


def _bring_images(space: Workspace, pacs: Peer, sources: Sources, tally: _Tally, plans: list[Plan]) -> None:
    """Images by name: those that structure sets name, and those that were found where nothing names any."""
    list_at_sources(space, pacs, sources, plans)
    needed_by: dict[str, Plan] = {}
    series: list[ReferencedSeries] = []
    loose: list[str] = []
    for plan in plans:
        needed = needed_images(plan, space.collection)
        series += needed.series
        loose += needed.contour_image_uids
        slices = (uid for one in needed.series for uid in one.sop_instance_uids)
        needed_by |= dict.fromkeys((*slices, *needed.contour_image_uids), plan)
        _note_unknown(tally, plan, needed)
    space.holdings.ask_series(pacs, series, space.now)
    lacking = {uid for one in series for uid in space.holdings.missing_slices.get(one.series_instance_uid, ())}
    lacking = (lacking & needed_by.keys()) | (set(loose) - space.holdings.ask(pacs, loose, space.now))
    tally.note(needed_by, needed_by.keys() - lacking)
    for uid in sources.bring(lacking, "moving images", {uid: needed_by[uid].ref.patient_id for uid in lacking}):
        tally.note_absent(uid, needed_by[uid].ref.sop_instance_uid, "image")
    if lacking:
        space.holdings.ask(pacs, lacking & set(loose), space.now, anew=True)
        part = [one for one in series if lacking & set(one.sop_instance_uids)]
        space.holdings.ask_series(pacs, part, space.now, anew=True)


def _note_unknown(tally: _Tally, plan: Plan, needed: NeededImages) -> None:
    """Images that a plan needs and that nobody can even name."""
    for one in needed.series:
        if not one.sop_instance_uids:
            tally.note_absent(one.series_instance_uid, plan.ref.sop_instance_uid, "image series")
    is_told = any(uid in tally.absent for uid in plan.structure_set_uids)
    if needed.unnamed and not needed.stand_ins and not is_told:
        what = f"images ({needed.unnamed}, none on its frame of reference)"
        tally.note_absent(plan.ref.sop_instance_uid, plan.ref.sop_instance_uid, what)


def _lacking(space: Workspace, pacs: Peer, refs: Iterable[InstanceRef]) -> set[InstanceRef]:
    by_uid = {ref.sop_instance_uid: ref for ref in refs}
    held = space.holdings.ask(pacs, by_uid, space.now)
    return {ref for uid, ref in by_uid.items() if uid not in held}


def _patients_of(space: Workspace, plan_uids: Iterable[str]) -> dict[str, str | None]:
    """By plan, its records' PatientID; of one that is booked and was never treated, the R&V database's."""
    wanted = set(plan_uids)
    records = space.collection.records.values()
    booked = patients_of_booked_plans(space)
    return booked | {r.referenced_rt_plan_uid: r.ref.patient_id for r in records if r.referenced_rt_plan_uid in wanted}


def _hints(space: Workspace, absent: Iterable[str]) -> Iterable[str]:
    """Of plans that nobody has: another plan that looks the same, for a person to judge; never joined."""
    labels = plan_labels(space)
    for uid in set(absent) - space.collection.plans.keys():
        records = [r for r in space.collection.records.values() if r.referenced_rt_plan_uid == uid]
        for alike in look_alikes(records, space.collection.plans, labels.get(uid)):
            yield f"plan {uid} was not found by UID; plan {alike} of the same patient has the same beams: not joined"


def _result(space: Workspace, sources: Sources, tally: _Tally, unreadable: dict[str, str]) -> JobResult:
    """Put everything into words. Raises `DimseError` if the R&V system did not answer when it was needed."""
    for peer in sources.peers:
        if peer.role == "rv" and str(peer.remote) in sources.silent:
            raise sources.silent[str(peer.remote)]
    twins = twins_in_words(space.holdings.twins)
    unproven = {**tally.absent, **sources.unproven, **unreadable, **twins}
    found = len(tally.held | sources.moved | unproven.keys())
    report = SyncReport(found, len(tally.held), len(sources.moved), tuple(sorted(unproven)))
    said = [in_words(unproven)] if unproven else []
    if tally.waiting:
        few = ", ".join(sorted(tally.waiting)[:NAMED])
        said.append(f"plans that nobody treats yet and that no source has in full: {len(tally.waiting)} ({few})")
    said += [str(error) for error in sources.silent.values()]
    said += _hints(space, tally.absent)
    result = result_of(JOB, report, "; ".join(said))
    return replace(result, outcome="PARTIAL") if sources.silent and result.outcome == "OK" else result
