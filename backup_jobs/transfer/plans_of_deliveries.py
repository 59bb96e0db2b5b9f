"""The plans that deliveries of a database name, in the RT-PACS before records are made of the deliveries.

`sync_plans` follows treatment records: it would bring a plan one run after the records that need it were made.
"""

from collections.abc import Iterable, Mapping

from pydicom import Dataset

from backup_jobs.transfer.proving import prove
from backup_jobs.transfer.sources import Sources
from recovery.dicom.beam_kinds import BeamKind, kind_of_field, kinds_of_plan
from recovery.dicom.model import RT_PLAN, InstanceRef
from recovery.dimse import fetch, find_by_uid, open_link
from recovery.objects.treatment_record import DeliveredSession, PlanFacts
from recovery.pacs.peers import pacs_peer
from recovery.pacs.workspace import Workspace, relational_rows
from recovery.tables.relational import PLAN_FIELDS, PLANS, PRESCRIPTIONS


class Plans:
    """What is known of each plan. Plans of `new` sessions are brought and read.

    Raises `DimseError` if the RT-PACS cannot be asked. A silent R&V system leaves plans unknown.
    """

    def __init__(self, space: Workspace, new: Iterable[DeliveredSession]) -> None:
        self._space = space
        self._kinds: dict[str, dict[int, BeamKind]] = {}
        for row in relational_rows(space, PLAN_FIELDS):
            self._kinds.setdefault(row["sop_instance_uid"], {})[row["beam_number"]] = kind_of_field(row)
        self._prescribed = {
            (row["patient_id"], row["prescription_id"]): row["number_of_fractions"]
            for row in relational_rows(space, PRESCRIPTIONS)
        }
        self._planned = _planned_fractions(space, self._prescribed)
        patients = {s.referenced_rt_plan_uid: s.patient_id for s in new if s.referenced_rt_plan_uid is not None}
        self._refs = {ref.sop_instance_uid: ref for ref in _brought(space, patients)}
        self._read(set(self._refs.values()))

    def facts(self, session: DeliveredSession) -> PlanFacts:
        """Of the plan that a session names; of one that names none, how many fractions its prescription has."""
        plan_uid = session.referenced_rt_plan_uid
        if plan_uid is None:
            of = session.patient_id, session.prescription_id
            return PlanFacts(number_of_fractions_planned=self._prescribed.get(of))
        plan = self._space.collection.plans.get(plan_uid)
        ref = plan.ref if plan is not None else self._refs.get(plan_uid)
        return PlanFacts(
            study_instance_uid=ref.study_instance_uid if ref is not None else None,
            sop_class_uid=ref.sop_class_uid if ref is not None else None,
            number_of_fractions_planned=self._planned.get(plan_uid),
            beams=self._kinds.get(plan_uid, {}),
        )

    def _read(self, refs: set[InstanceRef]) -> None:
        def receive(ds: Dataset) -> None:
            self._space.collection.add(ds)
            uid = InstanceRef.from_dataset(ds).sop_instance_uid
            self._kinds[uid] = {**self._kinds.get(uid, {}), **kinds_of_plan(ds)}

        config = self._space.config
        fetch(pacs_peer(config, self._space.memory), refs, receive, retrieve=config.pacs.retrieve)


def _brought(space: Workspace, patients: dict[str, str]) -> set[InstanceRef]:
    """Bring the plans that the RT-PACS lacks; returns those that it holds now. `patients` by plan."""
    if not patients:
        return set()
    held = {ref.sop_instance_uid for ref in prove(space, {_ref(uid, p) for uid, p in patients.items()})}
    lacking = patients.keys() - held
    if lacking:
        Sources.of(space).bring(lacking, "moving plans", {uid: patients[uid] for uid in lacking})
    with open_link(pacs_peer(space.config, space.memory)) as link:
        return find_by_uid(link, sorted(patients))


def _ref(uid: str, patient_id: str) -> InstanceRef:
    return InstanceRef(uid, RT_PLAN, "RTPLAN", patient_id=patient_id)


def _planned_fractions(
    space: Workspace, prescribed: Mapping[tuple[str | None, str | None], int | None]
) -> dict[str, int | None]:
    """By plan, the number of fractions of its prescription; the plan's own where none says."""
    numbers = {}
    for row in relational_rows(space, PLANS):
        number = prescribed.get((row["patient_id"], row["prescription_id"]))
        numbers[row["sop_instance_uid"]] = row["number_of_fractions_planned"] if number is None else number
    return numbers
