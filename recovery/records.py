"""Treatment records: what was delivered, beam by beam, as the treatment machine or the R&V system wrote it.

Goal
    Photon, electron, ion and brachytherapy records read alike.

How
    `TreatmentRecord.from_dataset` is the one door. Where the standard has three sequences for one thing (beams,
    ion beams, application setups), they meet in `BeamDelivery`.

Why
    The replaced tool read the first beam of RT Beams records only: partial fractions counted as full, and ion and
    brachytherapy patients were absent without a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from recovery import elements as el
from recovery.model import InstanceRef, Patient

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydicom import Dataset


DELIVERY_OF_DATABASE = "R&V database: delivery "
"""How BeamDescription (300A,00C3) begins in a record that was made here of a row of `deliveries`; its key follows."""


@dataclass(frozen=True, slots=True)
class BeamDelivery:
    """What one beam delivered: an item of TreatmentSessionBeamSequence (3008,0020), or of its ion or brachy twin.

    Metersets are in MU, or in the unit of the record's PrimaryDosimeterUnit (PS3.3 C.8.8.21); for brachytherapy
    the metersets are seconds of TreatmentTime (C.8.8.22).
    """

    beam_number: int | None
    beam_name: str | None
    current_fraction_number: int | None
    treatment_delivery_type: str | None
    treatment_termination_status: str | None
    specified_meterset: float | None
    delivered_meterset: float | None
    started_at: datetime | None
    """Of the first control point delivered; None when the record gives no times below its own."""
    beam_description: str | None = None

    @property
    def delivery_id(self) -> str | None:
        """The key of the row of `deliveries` that it was made of; None in a record that somebody else made."""
        said = self.beam_description or ""
        return said.removeprefix(DELIVERY_OF_DATABASE) if said.startswith(DELIVERY_OF_DATABASE) else None


@dataclass(frozen=True, slots=True)
class TreatmentRecord:
    """An RT Beams, RT Ion Beams or RT Brachy Treatment Record (PS3.3 A.29, A.50, A.30)."""

    ref: InstanceRef
    patient: Patient
    physicians_of_record: str | None
    treatment_date: date | None
    """Type 2: a record may come without one."""
    treatment_time: time | None
    referenced_rt_plan_uid: str | None
    referenced_fraction_group_number: int | None
    number_of_fractions_planned: int | None
    treatment_machine_name: str | None
    treatment_record_content_origin: str | None
    """DEVICE, USER (a fraction re-entered from paper) or SIMULATION (PS3.3 C.8.8.17)."""
    beams: tuple[BeamDelivery, ...]
    written_date: date | None = None
    """When the object was made (InstanceCreationDate, else SeriesDate): no treatment date, but evidence of one."""

    @property
    def is_of_database(self) -> bool:
        """Whether it was made here of the R&V database: what it says of a person or a count is no second source."""
        return any(beam.delivery_id is not None for beam in self.beams)

    @property
    def treated_at(self) -> datetime | None:
        """When the session began, local to the site: the record's own time, else its first control point's.

        Where a date is all that is known, midnight stands for it.
        """
        day = self.treatment_date
        if day is not None and self.treatment_time is not None:
            return datetime.combine(day, self.treatment_time)
        starts = [b.started_at for b in self.beams if b.started_at is not None and day in {None, b.started_at.date()}]
        return min(starts, default=None if day is None else datetime.combine(day, time()))

    @classmethod
    def from_dataset(cls, ds: Dataset) -> TreatmentRecord:
        """Read a record; an element that is absent, empty or malformed becomes None.

        Raises
        ------
        InvalidObjectError
            If there is no SOPInstanceUID.
        """
        plan = el.first_item(ds, "ReferencedRTPlanSequence")
        return cls(
            ref=InstanceRef.from_dataset(ds),
            patient=Patient.from_dataset(ds),
            physicians_of_record=el.person_names(ds, "PhysiciansOfRecord"),
            treatment_date=el.day(ds, "TreatmentDate"),
            treatment_time=el.clock_time(ds, "TreatmentTime"),
            referenced_rt_plan_uid=el.text(plan, "ReferencedSOPInstanceUID"),
            referenced_fraction_group_number=el.integer(ds, "ReferencedFractionGroupNumber"),
            number_of_fractions_planned=el.integer(ds, "NumberOfFractionsPlanned"),
            treatment_machine_name=_machine_of_record(ds),
            treatment_record_content_origin=el.text(ds, "TreatmentRecordContentOrigin"),
            beams=tuple(_deliveries(ds)),
            written_date=el.day(ds, "InstanceCreationDate") or el.day(ds, "SeriesDate"),
        )


def _machine_of_record(ds: Dataset) -> str | None:
    """TreatmentMachineName; Radixact leaves it out, and its DeviceSerialNumber names the machine."""
    machine = el.first_item(ds, "TreatmentMachineSequence")
    return el.text(machine, "TreatmentMachineName") or el.text(machine, "DeviceSerialNumber")


def _deliveries(ds: Dataset) -> Iterable[BeamDelivery]:
    fraction = el.integer(ds, "CurrentFractionNumber")
    for keyword, number, control_points in (
        ("TreatmentSessionBeamSequence", "ReferencedBeamNumber", "ControlPointDeliverySequence"),
        ("TreatmentSessionIonBeamSequence", "ReferencedBeamNumber", "IonControlPointDeliverySequence"),
    ):
        for beam in el.items(ds, keyword):
            yield _beam_delivery(beam, number, el.items(beam, control_points), fraction)
    for setup in el.items(ds, "TreatmentSessionApplicationSetupSequence"):
        yield _application_setup_delivery(setup, fraction)


def _beam_delivery(beam: Dataset, number: str, control_points: list[Dataset], fraction: int | None) -> BeamDelivery:
    current = el.integer(beam, "CurrentFractionNumber")
    return BeamDelivery(
        beam_number=el.integer(beam, number),
        beam_name=el.text(beam, "BeamName"),
        current_fraction_number=fraction if current is None else current,
        treatment_delivery_type=el.text(beam, "TreatmentDeliveryType"),
        treatment_termination_status=el.text(beam, "TreatmentTerminationStatus"),
        specified_meterset=_meterset(beam, "SpecifiedPrimaryMeterset", control_points, "SpecifiedMeterset"),
        delivered_meterset=_meterset(beam, "DeliveredPrimaryMeterset", control_points, "DeliveredMeterset"),
        started_at=_first_control_point_at(control_points),
        beam_description=el.text(beam, "BeamDescription"),
    )


def _application_setup_delivery(setup: Dataset, fraction: int | None) -> BeamDelivery:
    """A brachytherapy application setup: its channels' total times stand for metersets (PS3.3 C.8.8.22), s."""
    channels = el.items(setup, "RecordedChannelSequence")
    current = el.integer(setup, "CurrentFractionNumber")
    return BeamDelivery(
        beam_number=el.integer(setup, "ReferencedBrachyApplicationSetupNumber"),
        beam_name=el.text(setup, "ApplicationSetupType"),
        current_fraction_number=fraction if current is None else current,
        treatment_delivery_type=el.text(setup, "TreatmentDeliveryType"),
        treatment_termination_status=el.text(setup, "TreatmentTerminationStatus"),
        specified_meterset=el.sum_if_all_known(el.number(c, "SpecifiedChannelTotalTime") for c in channels),
        delivered_meterset=el.sum_if_all_known(el.number(c, "DeliveredChannelTotalTime") for c in channels),
        started_at=_first_control_point_at(
            [p for c in channels for p in el.items(c, "BrachyControlPointDeliveredSequence")]
        ),
    )


def _meterset(beam: Dataset, keyword: str, control_points: list[Dataset], per_point: str) -> float | None:
    """The beam's own total (type 3), else what its control points count from the first to the last.

    A counter does not run backwards: a negative one is malformed, and None like all that is.
    """
    total = el.number(beam, keyword)
    if total is None:
        counts = [n for p in control_points if (n := el.number(p, per_point)) is not None]
        total = counts[-1] - counts[0] if len(counts) > 1 else None
    return total if total is not None and total >= 0 else None


def _first_control_point_at(control_points: list[Dataset]) -> datetime | None:
    for point in control_points:
        day = el.day(point, "TreatmentControlPointDate")
        clock_time = el.clock_time(point, "TreatmentControlPointTime")
        if day is not None and clock_time is not None:
            return datetime.combine(day, clock_time)
    return None
