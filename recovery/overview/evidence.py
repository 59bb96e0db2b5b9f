"""Everything that the rows of `on_treatment` are made from, as far as one run knows it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from recovery.course.charted import Settled, settle_all
from recovery.course.charted_entries import ChartedFraction, standing
from recovery.course.metersets import ByFraction
from recovery.course.planned_number import Prescribed
from recovery.dicom.records import TreatmentRecord
from recovery.entries.charted import read_charted
from recovery.identity.one_patient import identify
from recovery.identity.told_plans import by_number_of_the_objects
from recovery.objects.sent_records import without_sent
from recovery.objects.treatment_record import without_amended
from recovery.on_treatment.evidence import Doubted, Evidence, PlanBackup
from recovery.on_treatment.missing import HELD_ONCE
from recovery.overview.purged import purged
from recovery.overview.rv_columns import database_sessions, planned_by_database, plans_told
from recovery.overview.untold_records import untold_records
from recovery.overview.wanted_plans import next_appointments
from recovery.pacs.record_holdings import lost_records
from recovery.pacs.verified_objects import GONE, Proofs, in_short
from recovery.pacs.workspace import Workspace, relational_rows
from recovery.tables.relational import PLANS, PRESCRIPTIONS
from recovery.tables.schema import DENIED, FIRST, SET_ASIDE, UNASKED
from recovery.words.plan_states import APPROVED_STATUSES


def plan_labels(space: Workspace) -> dict[str, str]:
    """By plan, its label in the R&V database."""
    return {
        row["sop_instance_uid"]: row["rt_plan_label"] for row in relational_rows(space, PLANS) if row["rt_plan_label"]
    }


def evidence_of(space: Workspace) -> Evidence:
    """Everything that the rows are made from, as far as it is known here; a record that another replaces is none."""
    uids = {r.referenced_rt_plan_uid for r in space.collection.records.values()} | set(space.collection.plans)
    entries = read_charted(space.config.cache_path).entries
    records = list(without_sent(without_amended(space.collection.records), entries))
    met = {(r.ref.patient_id, r.referenced_rt_plan_uid): r.patient for r in records}
    treated = {uid for _, uid in met}
    untreated = (plan for uid, plan in space.collection.plans.items() if uid not in treated)
    proofs = Proofs.load(space.cache, space.collection)
    told = plans_told(space, met | {(p.ref.patient_id, p.ref.sop_instance_uid): p.patient for p in untreated})
    told_records = [*records, *database_sessions(space, records)]
    charted, asked = _settled(space, told_records, entries), planned_by_database(space, records)
    return Evidence(
        records=[*told_records, *(record for settled in charted.values() for record in settled.records)],
        charted=charted,
        plans=space.collection.plans,
        structure_sets=space.collection.structure_sets,
        backups={uid: _backup_of(space, proofs, uid) for uid in uids if uid is not None},
        unproven_records=_of_any_plan(space, proofs),
        lost_records=_lost_records(space, proofs),
        doubted=_doubted(space, records, asked),
        appointments=by_number_of_the_objects(next_appointments(space), told),
        told={key: word for key, row in told.items() if (word := row["approval_status"]) is not None},
        approved_for={
            str(uid): str(patient_id)
            for (patient_id, uid), row in told.items()
            if row["approval_status"] in APPROVED_STATUSES and patient_id is not None
        },
        labels=plan_labels(space),
        prescribed=prescriptions_of_plans(space),
        planned_by_database=asked,
    )


def _settled(
    space: Workspace, records: Sequence[TreatmentRecord], entries: Iterable[ChartedFraction]
) -> dict[str, Settled]:
    plans = standing(entries)
    return settle_all(plans, records, identify(records, space.collection.plans.values()).of) if plans else {}


def _backup_of(space: Workspace, proofs: Proofs, uid: str) -> PlanBackup:
    """What the RT-PACS says it holds of a plan's chain, and what of it was found to be another than it was."""
    backup, plan = space.holdings.backup_of(uid, space.collection), space.collection.plans.get(uid)
    if plan is None:
        return backup
    return replace(
        backup,
        missing=(*backup.missing, *proofs.missing(plan, space.collection)),
        remarks=(*backup.remarks, *proofs.remarks(uid)),
        proven_at=proofs.proven_at(uid, space.config.site.zone),
    )


def _of_any_plan(space: Workspace, proofs: Proofs) -> Counter[str | None]:
    """By patient, how many records may be of any plan: that the RT-PACS was found not to hold, lists and does not give
    so that they can be read, or has otherwise than they were or than their source, and that name no plan that is held:
    what they name may be what was altered."""
    records, told = space.collection.records, space.held_records or ()
    known = {*records, *space.memory.passed_over, *space.memory.owed, *space.doubted.of_state(SET_ASIDE)}
    cut_off = (records[uid] for uid in proofs.faults.keys() & records.keys() - space.memory.owed.keys())
    whose = [ref.patient_id for ref in told if ref.sop_instance_uid not in known]
    whose += [r.ref.patient_id for r in cut_off if r.referenced_rt_plan_uid not in space.collection.plans]
    return Counter([*(of or None for of in space.memory.owed_to), *whose])


def _lost_records(space: Workspace, proofs: Proofs) -> dict[str, str]:
    """Records that were read and that the RT-PACS does not hold any more, or not as they were: what became of each."""
    told = {uid: HELD_ONCE if why == GONE else in_short(why) for uid, why in proofs.faults.items()}
    told |= dict.fromkeys(lost_records(space.holdings), HELD_ONCE)
    return {uid: why for uid, why in told.items() if uid in space.collection.records}


def _doubted(space: Workspace, records: Sequence[TreatmentRecord], asked: Mapping[str, ByFraction]) -> Doubted:
    known, untold = space.doubted, untold_records(space, records)
    made = {one.ref.sop_instance_uid for one in records if one.is_of_database} if untold else set()
    all_denied = known.of_state(DENIED) | untold
    denied = all_denied - known.signed
    gone, hinging = purged(denied, {*known.records} - made | untold, records, space.collection.plans, asked)
    if len({one.ref.patient_id for one in records if one.ref.sop_instance_uid in untold}) <= _most(space):
        hinging |= (untold & denied) - gone
    return Doubted(
        denied=denied - gone,
        signed=all_denied & known.signed,
        unasked=known.of_state(UNASKED) - untold,
        set_aside=known.by_patient(SET_ASIDE),
        first=known.by_patient(FIRST),
        purged=gone,
        hinging=Counter(one.ref.patient_id for one in records if one.ref.sop_instance_uid in hinging),
        untold=untold - gone,
    )


def _most(space: Workspace) -> int:
    """Of so many patients somebody may have made up records; of more, an archive was moved, or much was lost."""
    return space.config.guard.past_patients


def prescriptions_of_plans(space: Workspace) -> dict[str, Prescribed]:
    """By plan, the prescription that the R&V database names, where that says how many fractions."""
    numbers = {
        (row["patient_id"], row["prescription_id"]): row["number_of_fractions"]
        for row in relational_rows(space, PRESCRIPTIONS)
    }
    return {
        row["sop_instance_uid"]: Prescribed(row["prescription_id"], number)
        for row in relational_rows(space, PLANS)
        if (number := numbers.get((row["patient_id"], row["prescription_id"])))
    }
