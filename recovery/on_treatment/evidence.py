"""Everything that the rows of `on_treatment` are made from. Pure, no I/O."""

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime

from recovery.course.charted import Settled
from recovery.course.fractions import Course
from recovery.course.metersets import ByFraction
from recovery.course.planned_number import Prescribed
from recovery.dicom.plans import Plan, StructureSet
from recovery.dicom.records import TreatmentRecord
from recovery.identity.one_patient import Identities
from recovery.words.values import counted


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
class Doubted:
    """Records of the RT-PACS that the R&V system never named, and what is said of them.

    `denied`: it has none such, and they count all the same; `signed`: the same, and a physicist signed them; `unasked`:
    it could not be asked; `set_aside`: by patient, how many it denied and do not count; `first`: and of how many that
    count nobody else tells; `purged`: it has none such, but later ones of the plan; `hinging`: by patient, how many of
    these there are on which a fraction hinges; `untold`: of which the R&V database, of which all others are made, tells
    nothing.
    """

    denied: Set[str] = frozenset()
    signed: Set[str] = frozenset()
    unasked: Set[str] = frozenset()
    set_aside: Mapping[str | None, int] = field(default_factory=dict)
    first: Mapping[str | None, int] = field(default_factory=dict)
    purged: Set[str] = frozenset()
    hinging: Mapping[str | None, int] = field(default_factory=dict)
    untold: Set[str] = frozenset()

    def missing(self, patient_ids: Collection[str | None]) -> Iterator[str]:
        """What lacks, while nobody has said whether these were given."""
        whether = "counted, and a fraction hinges on it"
        for numbers, what in (self.set_aside, "not counted"), (self.first, "counted"), (self.hinging, whether):
            if number := sum(numbers.get(one, 0) for one in patient_ids):
                yield f"word of the R&V system of {counted(number, 'treatment record')} in the RT-PACS ({what})"

    def differing(self, records: Sequence[TreatmentRecord]) -> Iterator[str]:
        """Of those that are counted, how many the R&V system denies."""
        if number := _among(records, self.denied):
            yield f"{counted(number, 'treatment record')} counted that the R&V system does not have"

    def remarks(self, records: Sequence[TreatmentRecord]) -> Iterator[str]:
        """How many were signed, and of how many it has said nothing yet. Where that is so of all, nobody could be
        asked: it singles out none."""
        if number := _among(records, self.signed):
            which = "that a physicist signed, though the R&V system has none such"
            yield f"{counted(number, 'treatment record')} counted {which}"
        if number := _among(records, self.purged):
            which = "that the R&V system does not have, all before those that it has of the plan"
            yield f"{counted(number, 'treatment record')} counted {which}"
        if 0 < (number := _among(records, self.unasked)) < len(records):
            yield f"{counted(number, 'treatment record')} counted of which the R&V system could not be asked yet"


def _among(records: Sequence[TreatmentRecord], uids: Set[str]) -> int:
    return sum(record.ref.sop_instance_uid in uids for record in records)


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
    doubted: Doubted = field(default_factory=Doubted)
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
