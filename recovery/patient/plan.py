"""One plan of one patient, as pages, paper charts and archived documents show it.

How
    Frozen dataclasses whose fields bear the names of the tables' columns. Fields come from the plan that the RT-PACS
    holds, and from the R&V database what that plan's table does not tell; where both tell and differ,
    `disagreements` says so.

Why None
    What no source tells is None and shown as a dash: a chart with a made-up laterality is worse than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from recovery.dicom.course_uids import course_uid, label_of
from recovery.words import next_unknown
from recovery.words.prescription import laterality
from recovery.words.statuses import is_over
from recovery.words.units import MU

if TYPE_CHECKING:
    from recovery.course.ledger import Ledger
    from recovery.patient.next_decided import Doubted

_T = TypeVar("_T")

DOSE_TOLERANCE = 0.005
"""Gy"""


def of_row(kind: type[_T], row: Mapping[str, Any]) -> _T:
    """A dataclass whose fields are named like the columns of a table."""
    return kind(**{f.name: row[f.name] for f in fields(kind)})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class OnTreatmentRow:
    """A row of the table on_treatment; the contract says what each column means."""

    patient_id: str | None
    patient_name: str | None
    patient_birth_date: date | None
    patient_sex: str | None
    physicians_of_record: str | None
    referenced_rt_plan_uid: str | None
    prescription_id: str | None
    rt_plan_label: str | None
    treatment_machine_name: str | None
    number_of_fractions_planned: int | None
    fractions_delivered: int | None
    fractions_remaining: int | None
    course_fractions_delivered: int | None
    course_number_of_fractions_planned: int | None
    course_plan_labels: str | None
    interrupted_fraction: int | None
    next_fraction_number: int | None
    interrupted_remaining_in_words: str | None
    first_treatment_at: datetime | None
    last_treatment_at: datetime | None
    unknown_since: datetime | None
    proven_at: datetime | None
    status: str | None
    plan_held: bool | None
    structure_set_held: bool | None
    images_held: bool | None
    records_held: bool | None
    ready: bool | None
    missing: str | None
    earlier_plans: str | None
    remarks: str | None
    disagreement: str | None
    in_flight: str | None
    charted: str | None = None
    charted_conflict: str | None = None
    transferred: str | None = None
    next_decided: str | None = None
    """By whom, when and why the next fraction was decided, where the records contradict themselves."""


@dataclass(frozen=True, slots=True)
class Prescription:
    """A row of prescriptions: doses in Gy."""

    prescription_id: str
    course_id: str | None
    site: str | None
    laterality: str | None
    intent: str | None
    technique: str | None
    dose_per_fraction: float | None
    total_dose: float | None
    dose_levels: str | None
    number_of_fractions: int | None
    fraction_pattern: str | None
    phase: str | None
    follows_prescription_id: str | None
    bolus: str | None
    gating: str | None
    notes: str | None
    status: str | None


@dataclass(frozen=True, slots=True)
class TreatmentCourse:
    """A row of courses: the diagnosis behind the plan."""

    course_id: str
    status: str | None
    started_at: datetime | None
    diagnosis_codes: str | None
    diagnoses: str | None
    laterality: str | None
    intent: str | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved the plan for treatment, and when: by the R&V database, and by the plan object itself."""

    approval_status: str | None
    """In the R&V database's words."""
    approved_by: str | None
    approved_at: datetime | None
    dicom_approval_status: str | None
    """ApprovalStatus (300E,0002) of the plan that the RT-PACS holds."""


@dataclass(frozen=True, slots=True)
class PlanField:
    """One field: energy in MV or MeV, angles in degrees, distance in cm, dose rate in MU per minute."""

    beam_number: int
    beam_name: str | None
    treatment_machine_name: str | None
    radiation_type: str | None
    nominal_beam_energy: float | None
    technique: str | None
    mlc_type: str | None
    beam_meterset: float | None
    dose_rate: int | None
    gantry_angle: float | None
    gantry_stop_angle: float | None
    gantry_direction: str | None
    collimator_angle: float | None
    patient_support_angle: float | None
    source_to_surface_distance: float | None
    tolerance_table: str | None
    setup_note: str | None
    is_setup_field: bool | None
    meterset_unit: str | None
    """Of `beam_meterset`, where the plan or its records tell it."""
    fraction_group_number: int | None = None
    """Where the plan object tells it."""

    @property
    def unit(self) -> str:
        """Of its meterset: MU where nobody says another."""
        return self.meterset_unit or MU


@dataclass(frozen=True, slots=True)
class SetupNote:
    """A row of setup_notes: planned couch and shifts in cm."""

    beam_number: int
    treatment_orientation: str | None
    setup_technique: str | None
    setup_note: str | None
    devices: str | None
    couch_vertical: float | None
    couch_longitudinal: float | None
    couch_lateral: float | None
    shift_vertical: float | None
    shift_longitudinal: float | None
    shift_lateral: float | None


@dataclass(frozen=True, slots=True)
class CouchShift:
    """Where the couch stood at one delivery, and how far imaging had moved it: cm, in the scale of the R&V system."""

    treated_at: datetime | None
    fraction_number: int | None
    beam_number: int | None
    couch_vertical: float | None
    couch_longitudinal: float | None
    couch_lateral: float | None
    correction_vertical: float | None
    correction_longitudinal: float | None
    correction_lateral: float | None


@dataclass(frozen=True, slots=True)
class HeldObject:
    """What the RT-PACS said of one object, or of the slices of one image series, that the plan needs.

    `held` and `asked_at` (aware, UTC) are None when the RT-PACS was never asked.
    """

    kind: str
    """plan, structure set, image series, image (that only contours name) or reference image"""
    uid: str
    wanted: int | None
    held: int | None
    asked_at: datetime | None

    @property
    def is_held(self) -> bool:
        return self.held is not None and self.wanted is not None and self.held >= self.wanted


@dataclass(frozen=True, slots=True)
class PlanFile:
    """Everything known about one plan of a patient. Lists are in the plan's order, or newest last."""

    row: OnTreatmentRow
    approval: Approval
    prescription: Prescription | None
    course: TreatmentCourse | None
    plan_intent: str | None
    fields: tuple[PlanField, ...]
    setup_notes: tuple[SetupNote, ...]
    couch_shifts: tuple[CouchShift, ...]
    ledger: Ledger | None
    """None while the cache holds no table of treatment records: then nothing can be said of single fractions."""
    held_objects: tuple[HeldObject, ...]
    disagreements: tuple[str, ...]
    """Sentences: where two sources tell different things of this plan."""
    prescribed: str | None
    """The dose in words: the prescription's, else the plan's, which says so."""
    doubted: Doubted | None = None
    """What somebody who decides on the next fraction decides on; None where nobody needs to."""

    @property
    def uid(self) -> str | None:
        return self.row.referenced_rt_plan_uid

    @property
    def told(self) -> Mapping[str, Any]:
        """The row by column, as `recovery.words.notices` takes it."""
        return asdict(self.row)

    @property
    def course_uid(self) -> str | None:
        """What the plan is told apart by from the patient's others, also where it has no UID."""
        return course_uid(self.row.referenced_rt_plan_uid, self.row.prescription_id)

    @property
    def label(self) -> str | None:
        """The plan's; of fields that name none, their site."""
        return label_of(self.row.rt_plan_label, self.uid, self.prescription.site if self.prescription else None)

    @property
    def is_unfinished(self) -> bool:
        """Whether this plan may still be treated."""
        return not is_over(self.row.status)

    @property
    def is_next_proven(self) -> bool:
        """Whether the next fraction can be told: not while records are known to be missing, which may be of it."""
        return self.row.records_held is not False

    @property
    def is_next_certain(self) -> bool:
        """Whether the next fraction may be written down: told, and not possibly given since the newest proof."""
        return self.is_next_told and self.row.unknown_since is None

    @property
    def is_next_told(self) -> bool:
        """Whether it is proven, not in conflict by what was charted, and told by one number; of which fraction group,
        `next_group` says."""
        return self.is_next_proven and not (self.row.charted_conflict or next_unknown.unsettled(self.told))

    @property
    def next_group(self) -> str | None:
        """Of a plan of several fraction groups, whose fraction is next."""
        return next_unknown.group(self.row.remarks)

    @property
    def treatment_fields(self) -> tuple[PlanField, ...]:
        """Fields with which the patient is treated; one that does not say is taken as such."""
        return tuple(f for f in self.fields if not f.is_setup_field)

    @property
    def intent(self) -> str | None:
        """Of the prescription, else of the course, else of the plan object."""
        told = (self.prescription.intent if self.prescription else None, self.course.intent if self.course else None)
        return next(filter(None, told), self.plan_intent)

    @property
    def laterality(self) -> str | None:
        """In words: of the prescription, else of the course's diagnoses, which says so."""
        own, course = self.prescription.laterality if self.prescription is not None else None, self.course
        return laterality(own, course.laterality if course else None, course.diagnoses if course else None)
