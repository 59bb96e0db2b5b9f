"""Everything that the rows of `on_treatment` are made from. Pure, no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from recovery.course.charted import Settled
from recovery.course.fractions import Course
from recovery.course.metersets import ByFraction
from recovery.course.planned_number import Prescribed
from recovery.dicom.plans import Plan, StructureSet
from recovery.dicom.records import TreatmentRecord
from recovery.identity.one_patient import Identities


@dataclass(frozen=True, slots=True)
class PlanBackup:
    """What the RT-PACS said it holds of one plan's chain. `missing`: what it does not, in words; `remarks`: what of it
    was found and is named by nobody."""

    plan_held: bool = False
    structure_set_held: bool = False
    images_held: bool = False
    missing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    proven_at: datetime | None = None
    """When all of it, and the plan's records, were last re-read and found to be what they were, local to the site; None
    when something was not, or was never re-read."""


NOT_ASKED = PlanBackup(missing=("whatever the RT-PACS was not asked for: plan, structure set, images",))
"""Of a plan that no answer is known of: nothing is held that was not said to be."""


ANOTHERS = PlanBackup(missing=("what is held under the plan's UID is another patient's",))
"""Of a plan whose UID an object of somebody else bears: what is held is not this patient's."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the rows are made from."""

    records: Sequence[TreatmentRecord]
    plans: Mapping[str, Plan]
    structure_sets: Mapping[str, StructureSet]
    backups: Mapping[str, PlanBackup]
    unproven_records: Mapping[str | None, int] = field(default_factory=dict)
    """By patient: records that the R&V system had and the RT-PACS does not hold."""
    lost_records: Mapping[str, str] = field(default_factory=dict)
    """Records among `records` that the RT-PACS does not hold any more, or not as they were: which of these."""
    appointments: Mapping[str, datetime] = field(default_factory=dict)
    """By patient: the next one, local to the site."""
    told: Mapping[tuple[str | None, str | None], str] = field(default_factory=dict)
    """By patient and plan: what the R&V database calls the plan, in the words of `plan_states`."""
    approved_for: Mapping[str, str] = field(default_factory=dict)
    """By plan that the R&V database calls approved, held or not: its patient."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """By plan: its label in the R&V database, for plans that are not held."""
    prescribed: Mapping[str, Prescribed] = field(default_factory=dict)
    """By plan: its prescription in the R&V database."""
    charted: Mapping[str, Settled] = field(default_factory=dict)
    """By plan: what people charted of it. Those of its records that count are among `records`."""
    planned_by_database: Mapping[str, ByFraction] = field(default_factory=dict)
    """By plan of which the records specify another meterset: what the R&V database says was planned."""

    def charted_of(self, uid: str | None, patient_id: str | None, who: Identities) -> Settled:
        """What of it is said of a patient: nothing of what another patient with the plan was charted."""
        found = self.charted.get(uid or "", Settled())
        return found if patient_id in {who.of(uid, own) for own in found.patient_ids} else Settled()


@dataclass(frozen=True, slots=True)
class Counted:
    """One patient and plan, and what the records delivered of it."""

    records: Sequence[TreatmentRecord]
    plan: Plan | None
    course: Course


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows of `on_treatment`, and by patient and plan the courses that they tell of.

    `excluded`: the patient ids that a pattern excluded.
    """

    rows: list[dict[str, object]]
    excluded: list[str]
    courses: Mapping[tuple[str | None, str | None], Counted]
