"""What people charted and a restored R&V system lacks, as treatment records to be sent to it.

How
    The work list of coming back says what the R&V database lacks. Of it goes what counts here and is charted, whole and
    alone: nothing of a plan that is in conflict, nothing that somebody entered by hand, nothing that the database has
    otherwise, nothing of which a machine's own record is held: that one goes by `restore`. The rest is named.

Why under a UID of its entry
    A second run asks for it and sends nothing; and the record that comes back from the R&V system is the entry, not
    another delivery: see `recovery.objects.sent_records`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydicom import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from recovery.course.charted import Settled, charted_uid
from recovery.dicom.beam_kinds import BeamKind, kinds_of_plan
from recovery.dicom.elements import required_uid
from recovery.dicom.model import RT_BEAMS_TREATMENT_RECORD, RT_PLAN, VARIAN_RT_PLAN, InstanceRef
from recovery.dicom.records import TreatmentRecord
from recovery.dimse import EncodedObject, Peer, fetch
from recovery.objects.modules import encoded, with_elements
from recovery.objects.sent_records import sent_uid
from recovery.objects.text import UnwritableError, written_name
from recovery.objects.treatment_record import DeliveredSession, PlanFacts, treatment_record
from recovery.patient.reconciliation import PLAN, Item, Reconciliation
from recovery.patient.recounted import recounted
from recovery.patient.tables import read_tables

if TYPE_CHECKING:
    from recovery.cache.store import Cache
    from recovery.course.charted_entries import ChartedFraction
    from recovery.dicom.plans import Plan

IN_CONFLICT = "what was charted of the plan is in conflict: settle it on the page Chart fractions"
BY_HAND = "somebody signed that it was entered by hand: whether it is there, the next reading of the database tells"
OTHERWISE = "the R&V system has it otherwise, or in part: compare it, and enter it by hand"
NO_PLAN = "the R&V database does not list the plan: restore the plan first"
NO_BEAMS = "no plan of photons or electrons is known, and no other record is made here: enter it by hand"
RECORDED = "a machine's record of it, or of a part, is in the RT-PACS: `restore` without --charted sends that one"


@dataclass(frozen=True, slots=True)
class Lacking:
    """An entry that the R&V system lacks: what of it counts, and its plan."""

    entry: ChartedFraction
    record: TreatmentRecord
    plan: Plan

    @property
    def ref(self) -> InstanceRef:
        uid = sent_uid(self.entry.entry_id)
        return InstanceRef(uid, RT_BEAMS_TREATMENT_RECORD, "RTRECORD", patient_id=self.entry.patient_id)

    def dataset(self, kinds: Mapping[int, BeamKind]) -> Dataset:
        """The record to send, the same in every run. `kinds`: of the plan's beams; what nobody said is left empty.

        Raises `UnwritableError` if the patient's number cannot be written in DICOM.
        """
        entry, plan = self.entry, self.plan
        facts = PlanFacts(
            study_instance_uid=plan.ref.study_instance_uid,
            sop_class_uid=plan.ref.sop_class_uid,
            number_of_fractions_planned=plan.number_of_fractions_planned,
            beams=kinds,
        )
        day = entry.treated_at.date()
        rows = tuple(_rows(entry, self.record))
        session = DeliveredSession(
            entry.patient_id, entry.referenced_rt_plan_uid, entry.fraction_number, day, None, rows
        )
        made_at = entry.entered_at.replace(tzinfo=None)
        ds = treatment_record(session, self.ref.sop_instance_uid, 1, self.record.patient, facts, made_at)
        signers = "\\".join(map(written_name, (entry.signed_by, entry.second_by)))
        return with_elements(ds, TreatmentRecordContentOrigin="USER", OperatorsName=signers)


def _rows(entry: ChartedFraction, record: TreatmentRecord) -> Iterator[dict[str, Any]]:
    """As the deliveries of a database are told."""
    for beam in record.beams:
        yield {
            "delivery_id": charted_uid(entry.entry_id),
            "referenced_rt_plan_uid": entry.referenced_rt_plan_uid,
            "prescription_id": None,
            "fraction_number": entry.fraction_number,
            "beam_number": beam.beam_number,
            "beam_name": beam.beam_name,
            "beam_description": beam.beam_description,
            "treatment_machine_name": entry.treatment_machine_name,
            "treated_at": entry.treated_at,
            "planned_meterset": beam.specified_meterset,
            "delivered_meterset": beam.delivered_meterset,
            "delivery_type": beam.treatment_delivery_type,
            "termination_status": None,
            "termination_reason": None,
            "was_overridden": None,
        }


def lacking(cache: Cache, entries: Iterable[ChartedFraction], found: Reconciliation) -> tuple[list[Lacking], list[str]]:
    """What can be sent, in order of time; and for each item that was charted and is open why it does not go.

    Raises `CacheError` if the records or plans cannot be read.
    """
    by_uid = {charted_uid(entry.entry_id): entry for entry in entries}
    tables = read_tables(cache, {entry.patient_id for entry in by_uid.values()})
    conflicting = {row["referenced_rt_plan_uid"] for row in recounted(tables) if row["charted_conflict"]}
    conflicting |= {one.compared.referenced_rt_plan_uid for one in found.items if one.compared.is_conflict}
    unlisted = {one.compared.referenced_rt_plan_uid for one in found.items if one.compared.what == PLAN}
    goes: list[Lacking] = []
    stays: list[str] = []
    for item in found.open:
        of = item.compared
        if not of.charted_by:
            continue
        uid = of.referenced_rt_plan_uid
        plan, records = tables.plans.get(uid), _counting(tables.charted.get(uid), of.fraction_number)
        why = _why_not(item, found, records, is_in_conflict=uid in conflicting, is_listed=uid not in unlisted)
        if plan is None or plan.ref.sop_class_uid not in {RT_PLAN, VARIAN_RT_PLAN}:
            why = why or NO_BEAMS
        if why or plan is None:
            stays.append(f"{of.item}: {why}")
        else:
            goes += [Lacking(by_uid[r.ref.sop_instance_uid], r, plan) for r in records]
    return sorted(goes, key=lambda one: (one.entry.treated_at, one.entry.entry_id)), stays


def _counting(settled: Settled | None, number: int | None) -> list[TreatmentRecord]:
    """What was charted of a fraction and counts."""
    every = settled.records if settled is not None else ()
    return [record for record in every if any(beam.current_fraction_number == number for beam in record.beams)]


def _why_not(
    item: Item, found: Reconciliation, records: list[TreatmentRecord], *, is_in_conflict: bool, is_listed: bool
) -> str:
    of = item.compared
    if is_in_conflict:
        return IN_CONFLICT
    if of.item in found.entered:
        return BY_HAND
    if not is_listed:
        return NO_PLAN
    if any(beam.theirs is not None for beam in of.beams):
        return OTHERWISE
    return "" if records else RECORDED


def encoded_records(
    pacs: Peer, some: Sequence[Lacking], retrieve: Literal["get", "move"]
) -> tuple[dict[str, EncodedObject], list[str]]:
    """By UID the records to send, and why one cannot be made. What their plans say of the beams stands in them.

    Raises `DimseError` if the RT-PACS cannot be asked for the plans.
    """
    plans = {one.plan.ref for one in some}
    kinds: dict[str, dict[int, BeamKind]] = {}

    def receive(ds: Dataset) -> None:
        kinds[required_uid(ds, "SOPInstanceUID")] = kinds_of_plan(ds)

    fetch(pacs, plans, receive, retrieve=retrieve)
    made: dict[str, EncodedObject] = {}
    stays = []
    for one in some:
        uid = one.ref.sop_instance_uid
        try:
            data = encoded(one.dataset(kinds.get(one.entry.referenced_rt_plan_uid, {})))
        except UnwritableError as error:
            stays.append(f"{uid}: {error}")
            continue
        made[uid] = EncodedObject(RT_BEAMS_TREATMENT_RECORD, uid, str(ImplicitVRLittleEndian), data)
    return made, stays
