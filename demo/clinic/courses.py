"""What was planned for a simulated patient: images, plans, beams; and when each fraction is due.

Goal
    One description from which the DICOM objects and the rows of the database are made, so that they cannot differ.

How
    Plain frozen dataclasses. `beams` builds what a technique needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo.clinic.patients import ClinicPatient
    from demo.clinic.sites import TreatedSite

SLOT = timedelta(minutes=15)
FIRST_SLOT_HOUR, LAST_HOUR = 8, 17
SLOTS_PER_DAY = 36


@dataclass(frozen=True, slots=True)
class LinearAccelerator:
    name: str
    manufacturer: str
    model: str
    serial_number: str


MACHINES = {
    machine.name: machine
    for machine in (
        LinearAccelerator("TB1", "Varian Medical Systems", "TDS", "1101"),
        LinearAccelerator("TB2", "Varian Medical Systems", "TDS", "1102"),
        LinearAccelerator("TB3", "Varian Medical Systems", "TDS", "1103"),
        LinearAccelerator("GTR1", "Simulated Particle Systems", "Gantry", "P201"),
    )
}


@dataclass(frozen=True, slots=True)
class ImageSet:
    """A planning CT with its structure set: one frame of reference."""

    patient: ClinicPatient
    site: TreatedSite
    taken_at: datetime
    study_instance_uid: str
    series_instance_uid: str
    frame_of_reference_uid: str
    slice_uids: tuple[str, ...]
    structure_set_uid: str
    structure_set_series_uid: str


@dataclass(frozen=True, slots=True)
class SimulatedBeam:
    """A beam as planned. `beam_meterset` in MU; None for a setup field."""

    beam_number: int
    beam_name: str
    treatment_delivery_type: str
    beam_meterset: float | None
    technique: str
    """ARC, STATIC or SPOT, as the technique table of an R&V system says it."""
    radiation_type: str
    nominal_beam_energy: int
    fluence_mode: str
    gantry_start: float
    gantry_stop: float
    collimator: float
    segments: int
    """Of step and shoot; control points of an arc or energy layers of a proton field."""

    @property
    def is_treatment(self) -> bool:
        return self.treatment_delivery_type == "TREATMENT"

    @property
    def is_arc(self) -> bool:
        return self.gantry_start != self.gantry_stop


@dataclass(frozen=True, slots=True)
class TreatmentPlan:
    """A plan of the simulated clinic. Doses in Gy."""

    patient: ClinicPatient
    site: TreatedSite
    images: ImageSet
    course_id: str
    rt_plan_label: str
    technique: str
    machine: LinearAccelerator
    dose_per_fraction: float
    number_of_fractions: int
    prescribed_fractions: int
    """As MOSAIQ's prescription has it: one differs from its plan by one fraction."""
    fractions_per_day: int
    beams: tuple[SimulatedBeam, ...]
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    dose_uid: str
    reference_image_uids: tuple[str, ...]
    approved_at: datetime
    intent: str
    geometry: str
    one_record_per_session: bool

    @property
    def treatment_beams(self) -> tuple[SimulatedBeam, ...]:
        return tuple(b for b in self.beams if b.is_treatment)

    @property
    def is_ion(self) -> bool:
        return self.technique == "PROTON"


@dataclass(frozen=True, slots=True)
class SimulatedSession:
    """One fraction, or the part of one, at a linac. `stops_at` is the share of all MU at which it is interrupted."""

    plan: TreatmentPlan
    fraction_number: int
    starts_at: datetime
    stops_at: float | None = None
    continues_from: float | None = None
    portfilm: bool = False
    without_date: bool = False
    only_as_object: bool = False
    """ARIA's database lacks it: there is a record, and the R&V system disagrees by one fraction."""

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=9)

    @property
    def session_id(self) -> str:
        return f"{self.plan.sop_instance_uid}/{self.fraction_number}/{self.continues_from or 0}"


def slot_time(day: date, slot: int) -> datetime:
    """When a linac's slot begins, local to the site."""
    return datetime.combine(day, datetime.min.time()) + timedelta(hours=FIRST_SLOT_HOUR) + slot * SLOT
