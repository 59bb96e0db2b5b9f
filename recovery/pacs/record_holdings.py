"""Which of the treatment records that were read once the RT-PACS still holds, asked by name.

Goal
    `records_held` is an answer of the RT-PACS, for every patient: also on break, also while the R&V system is down.

How
    What a run finds by date was named by the RT-PACS just now. Of the others, a share is asked for by SOP Instance UID
    in every run, shares taking turns by the number of the run; with up to a thousand records that is all of them. A
    record of the days that were just looked through, and that was not among them, is asked for at once, and one that
    was not held is asked for until it is. Records of courses that rest are asked for when their part has its turn.

Why it is counted all the same
    A record that was read is proof that the fraction was given. That the RT-PACS lost it must be seen, and mended.
"""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from recovery.cache.errors import CacheError
from recovery.dicom.model import InstanceRef
from recovery.dimse import Peer, find_by_uid, open_link
from recovery.pacs.doubted_records import WAITING
from recovery.pacs.holdings import LOST, SHARE, Holding, Holdings
from recovery.pacs.resting import share_of
from recovery.pacs.verified_objects import GONE, Proofs, chain_of
from recovery.pacs.workspace import Workspace
from recovery.tables.schema import TREATMENT_RECORDS
from recovery.words.refusals import RefusedError
from recovery.words.statuses import NOW_TREATED

RECORDS_PER_RUN = 1000
"""Records asked for by name in every run, beside those of the window: a quarter of a second for an Orthanc."""


def lost_records(holdings: Holdings) -> set[str]:
    """Records that were read before and that the RT-PACS said not to hold when it was last asked for them."""
    return {uid for uid, answer in holdings.answers.items() if answer.level == LOST}


def many_lost(space: Workspace, rows: Iterable[Mapping[str, Any]] = ()) -> str:
    """What is to be said first where the RT-PACS lacks records of many patients, or what `rows` of the list need for
    treatment: one disk, or one hand, took them."""
    known, most = space.collection.records, space.config.guard.past_patients
    lost = (lost_records(space.holdings) & known.keys()) - space.doubted.signed
    patients = {known[uid].ref.patient_id for uid in lost}
    said = [f"{len(lost)} treatment records of {len(patients)} patients"] if len(patients) > most else []
    without = _patients_of_lost_plans(space, rows)
    said += [f"plans, structure sets or images of {len(without)} patients on treatment"] if len(without) > most else []
    if not said:
        return ""
    what = " that it held, and ".join(said)
    return (
        f"THE RT-PACS LACKS {what} that it held: it is attacked, or loses its disk. The list goes on from what was "
        "read before"
    )


def _patients_of_lost_plans(space: Workspace, rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Who is on treatment, or about to be, with a plan of which the RT-PACS held what it does not hold now: that of
    finished courses is tidied away every day. Images were held if all of the plan was once re-read."""
    collection, lost = space.collection, {uid for uid, one in space.holdings.answers.items() if not one.is_held}
    treated = [row for row in rows if row["status"] in NOW_TREATED and row["patient_id"] is not None]
    if not lost and all(row["images_held"] is not False for row in treated):
        return set()  # as in nearly every cycle: no proof is looked up
    proofs, read = Proofs.load(space.cache, collection), collection.plans.keys() | collection.structure_sets.keys()
    found = set()
    for row in treated:
        plan = collection.plans.get(row["referenced_rt_plan_uid"])
        if plan is None:
            continue
        own, needed = plan.ref.sop_instance_uid, set(chain_of(plan, collection))
        had_images = own in proofs.plans or any(proofs.faults.get(uid) == GONE for uid in needed)
        is_lost = needed & lost & read or (had_images and row["images_held"] is False)
        if is_lost and not needed & space.doubted.signed:
            found.add(str(row["patient_id"]))
    return found


def refuse_less(space: Workspace, held: Iterable[InstanceRef]) -> None:
    """An RT-PACS that somebody emptied must not take the place of a good list.

    Raises
    ------
    RefusedError
        If records of many patients that the cache knows are not among those `held`.
    """
    try:
        known = space.cache.columns(TREATMENT_RECORDS)
    except CacheError:
        return
    uids = {ref.sop_instance_uid for ref in held}
    lost = {
        patient for uid, patient in zip(known["sop_instance_uid"], known["patient_id"], strict=True) if uid not in uids
    }
    if len(lost) > space.config.guard.past_patients:
        raise RefusedError(
            f"The RT-PACS does not hold what this cache knows of the treatment of {len(lost)} patients: nothing was "
            "rebuilt, and the list here stands. Who wants a list of what is left moves the cache's tables/ away first."
        )


def settle_set_aside(space: Workspace, pacs: Peer) -> set[str]:
    """What people did about records that do not count, also while the R&V system is down: returns those that a
    physicist signed, which are to be read; what was deleted from the RT-PACS is nobody's any more.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    signed = space.doubted.note_signed()
    if aside := sorted(space.doubted.of_state(*WAITING)):
        with open_link(pacs) as link:
            there = {ref.sop_instance_uid for ref in find_by_uid(link, aside)}
        if not pacs.traits.unfinished:
            space.doubted.forget(set(aside) - there)
    return signed


def ask_for_records(space: Workspace, pacs: Peer, just_named: Iterable[str]) -> set[str]:
    """Ask for known records, once a run; returns those that the RT-PACS does not hold any more.

    `just_named`: what it said in this run that it holds, of the days of the window.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    holdings = space.holdings
    if any(answer.level == SHARE for uid, answer in holdings.answers.items() if uid in holdings.asked):
        return lost_records(holdings)
    named, known = set(just_named), space.collection.records
    resting = {number: space.resting.records_of(number) for number in space.resting.loaded}
    in_order = sorted(known.keys() - set().union(*resting.values()))
    shares = max(1, -(-len(in_order) // RECORDS_PER_RUN))
    turn = holdings.turn % shares
    share = in_order[turn * RECORDS_PER_RUN : (turn + 1) * RECORDS_PER_RUN]
    dates = space.window(space.config.jobs.sync_records.days_back)
    unnamed = (uid for uid, record in known.items() if record.treatment_date in dates and uid not in named)
    asked = [
        uid
        for uid in dict.fromkeys([*share, *chain(*resting.values()), *unnamed, *lost_records(holdings)])
        if uid not in named
    ]
    if asked:
        with open_link(pacs) as link:
            named |= {ref.sop_instance_uid for ref in find_by_uid(link, asked)}
    holdings.forget(lost_records(holdings) & named)
    for uid in asked:
        if uid not in named:
            holdings.note(Holding(uid, LOST, 1, 0, space.now, turn=holdings.turn))
    _note_share(space, turn, shares, share, named)
    for number, uids in resting.items():
        held = len(uids & named)
        holdings.note(Holding(share_of(number), SHARE, len(uids), held, space.now, turn=holdings.turn))
    return lost_records(holdings)


def forget_lost(holdings: Holdings, uids: Iterable[str]) -> None:
    """These were brought to the RT-PACS again and proven there."""
    holdings.forget(set(uids) & lost_records(holdings))


def _note_share(space: Workspace, turn: int, shares: int, share: list[str], named: set[str]) -> None:
    """When this share was asked for: the oldest share is the time as of which all records are held."""
    known = {uid for uid, answer in space.holdings.answers.items() if answer.level == SHARE and " of " in uid}
    space.holdings.forget(uid for uid in known if not uid.endswith(f" of {shares}"))
    uid = f"records {turn + 1} of {shares}"
    held = sum(one in named for one in share)
    space.holdings.note(Holding(uid, SHARE, len(share), held, space.now, turn=space.holdings.turn))
