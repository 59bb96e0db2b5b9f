"""Plans that look like one that is nowhere to be found: a hint for a person, never a join.

Same patient, the beam numbers that the records treated, and, where the R&V database tells it, the same label: two such
plans may still differ in every control point.
"""

from collections.abc import Iterable, Mapping

from recovery.course.deliveries import TREATING
from recovery.course.metersets import planned_metersets
from recovery.dicom.plans import Plan
from recovery.dicom.records import TreatmentRecord


def look_alikes(records: Iterable[TreatmentRecord], plans: Mapping[str, Plan], label: str | None = None) -> list[str]:
    """SOP Instance UIDs of plans of the records' patient that have just the beams that the records treated."""
    listed = list(records)
    patients = {r.ref.patient_id for r in listed}
    treated = {
        b.beam_number
        for r in listed
        for b in r.beams
        if b.treatment_delivery_type in TREATING and b.beam_number is not None
    }
    return [
        uid
        for uid, plan in sorted(plans.items())
        if plan.ref.patient_id in patients
        and treated
        and treated == {number for beams in planned_metersets(plan).values() for number in beams}
        and (label is None or plan.rt_plan_label == label)
    ]
