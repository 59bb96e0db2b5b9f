"""Read from the RT-PACS the plans that daily plans were made from: no record names them.

What a plan names as PARENT or PREDECESSOR is read, back to the first. Where plans name none, the RT-PACS is asked once
a day for all plans of those patients who have several, or one for a single day.
"""

from collections.abc import Iterable

from recovery.cache.memory import DAY
from recovery.dimse import Peer
from recovery.pacs.record_search import find_objects_of_patients
from recovery.pacs.retrieval import read_chains
from recovery.pacs.workspace import Workspace


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
