"""Treatment records: what was delivered, beam by beam, as the treatment machine or the R&V system wrote it.

Where the standard has three sequences for one thing (beams, ion beams, application setups), they meet in
`BeamDelivery`. Times become the site's there (`local_time`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from pydicom import Dataset

from recovery.dicom import elements as el
from recovery.dicom.channels import (
    ChannelPulses,
    ChannelTime,
    delivered_channel_time,
    pulses_of,
    times_of,
)
from recovery.dicom.course_uids import course_uid
from recovery.dicom.local_time import LocalTime
from recovery.dicom.model import InstanceRef, Patient
from recovery.dicom.verification import named_verification
from recovery.words.units import SECONDS, unit_of

DELIVERY_OF_DATABASE = "R&V database: delivery "
"""How BeamDescription (300A,00C3) begins in a record that was made here of a row of `deliveries`; its key follows."""
CHARTED = "Charted by hand: "
"""How BeamDescription begins in a record that people charted in a downtime; who signed follows."""
_PRESCRIPTION = ", prescription "
"""How the prescription is added where no plan is named: two sites of one patient are told apart by it."""


def written_delivery(row: Mapping[str, Any]) -> str:
    """BeamDescription of a record that is made of a row of `deliveries`."""
    said = f"{DELIVERY_OF_DATABASE}{row['delivery_id']}"
    is_named = row["referenced_rt_plan_uid"] is not None or row["prescription_id"] is None
    return said if is_named else f"{said}{_PRESCRIPTION}{row['prescription_id']}"


_SETUPS = "TreatmentSessionApplicationSetupSequence"


@dataclass(frozen=True, slots=True)
class BeamDelivery:
    """What one beam delivered: an item of TreatmentSessionBeamSequence (3008,0020), or of its ion or brachy twin.

    Metersets are in the unit of PrimaryDosimeterUnit (300A,00B3), which is MU, MINUTE or NP (PS3.3 C.8.8.21); for
    brachytherapy they are seconds of channel time (C.8.8.22), and `pulses` are counted beside them.
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
    meterset_unit: str | None = None
    pulses: tuple[ChannelPulses, ...] = ()
    """By channel; empty where nothing is pulsed."""
    channel_times: tuple[ChannelTime, ...] = ()
    """By channel, of brachytherapy: several records may tell of one fraction, each of its own channels."""

    @property
    def delivery_id(self) -> str | None:
        """The key of the row of `deliveries` that it was made of; None in a record that somebody else made."""
        return self._of_database[0]

    @property
    def charted_by(self) -> str | None:
        """Who signed a delivery that was charted by hand; None of any other."""
        said = self.beam_description or ""
        return said.removeprefix(CHARTED) if said.startswith(CHARTED) else None

    @property
    def prescription_id(self) -> str | None:
        """Of a delivery of no plan, as the R&V database tells it."""
        return self._of_database[1]

    @property
    def _of_database(self) -> tuple[str | None, str | None]:
        said = self.beam_description or ""
        if not said.startswith(DELIVERY_OF_DATABASE):
            return None, None
        key, _, prescription = said.removeprefix(DELIVERY_OF_DATABASE).partition(_PRESCRIPTION)
        return key, prescription or None


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
    timezone_offset_from_utc: str | None = None
    """As it was written; the times here are local to the site."""
    names_verification: str | None = None
    """What somebody wrote in it that reads as a verification or a phantom, and no element says so."""

    @property
    def prescription_id(self) -> str | None:
        """The prescription by which a record without a plan is told apart; None where it names a plan."""
        if self.referenced_rt_plan_uid is not None:
            return None
        return next((b.prescription_id for b in self.beams if b.prescription_id is not None), None)

    @property
    def course_uid(self) -> str | None:
        """What its course is told apart by: the plan's UID, else `prescription 45`; None where nothing tells."""
        return course_uid(self.referenced_rt_plan_uid, self.prescription_id)

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

    @property
    def last_delivered_at(self) -> datetime | None:
        """When the last of its beams began: one record may hold all sessions of a day and bear the first one's time."""
        return max(
            (at for b in self.beams if (at := began_at(self.treated_at, b)) is not None), default=self.treated_at
        )

    @classmethod
    def from_dataset(cls, ds: Dataset, zone: tzinfo | None = None) -> TreatmentRecord:
        """Read a record; an element that is absent, empty or malformed becomes None.

        Times become those of `zone`, the site's; without it they stay as they were written, in whatever zone that was.
        Raises `InvalidObjectError` if there is no SOPInstanceUID.
        """
        times = LocalTime.of(ds, zone)
        plan = el.first_item(ds, "ReferencedRTPlanSequence")
        return cls(
            ref=InstanceRef.from_dataset(ds),
            patient=Patient.from_dataset(ds),
            physicians_of_record=el.person_names(ds, "PhysiciansOfRecord"),
            treatment_date=_treatment_day(ds, times),
            treatment_time=times.clock_time(ds, "TreatmentDate", "TreatmentTime"),
            referenced_rt_plan_uid=el.text(plan, "ReferencedSOPInstanceUID"),
            referenced_fraction_group_number=el.integer(ds, "ReferencedFractionGroupNumber"),
            number_of_fractions_planned=el.positive(ds, "NumberOfFractionsPlanned"),
            treatment_machine_name=_machine_of_record(ds),
            treatment_record_content_origin=el.text(ds, "TreatmentRecordContentOrigin"),
            beams=tuple(_deliveries(ds, times)),
            written_date=times.day(ds, "InstanceCreationDate", "InstanceCreationTime")
            or times.day(ds, "SeriesDate", "SeriesTime"),
            timezone_offset_from_utc=el.text(ds, "TimezoneOffsetFromUTC"),
            names_verification=named_verification(ds, (beam for _, beam, _ in _beams(ds))),
        )


def _treatment_day(ds: Dataset, times: LocalTime) -> date | None:
    """TreatmentDate in the site's zone: with its own time, else with that of the first control point of that day."""
    written = el.day(ds, "TreatmentDate")
    if written is None or el.clock_time(ds, "TreatmentTime") is not None:
        return times.day(ds, "TreatmentDate", "TreatmentTime")
    points = (p for _, _, points in _beams(ds) for p in points)
    of_that_day = (p for p in points if el.day(p, "TreatmentControlPointDate") == written)
    starts = [at for p in of_that_day if (at := _at(p, times)) is not None]
    return min(starts).date() if starts else written


def began_at(session_at: datetime | None, beam: BeamDelivery) -> datetime | None:
    """When a beam of a session began: its own time where that is of the day after the session's begin; else that."""
    own = beam.started_at
    if session_at is None or own is None:
        return session_at if own is None else own
    return own if session_at <= own < session_at + timedelta(days=1) else session_at


def _machine_of_record(ds: Dataset) -> str | None:
    """TreatmentMachineName; Radixact leaves it out, and its DeviceSerialNumber names the machine."""
    machine = el.first_item(ds, "TreatmentMachineSequence")
    return el.text(machine, "TreatmentMachineName") or el.text(machine, "DeviceSerialNumber")


def _beams(ds: Dataset) -> Iterator[tuple[str, Dataset, list[Dataset]]]:
    """Each item that delivered something, with the name of its sequence and its control points."""
    for sequence, control_points in (
        ("TreatmentSessionBeamSequence", "ControlPointDeliverySequence"),
        ("TreatmentSessionIonBeamSequence", "IonControlPointDeliverySequence"),
    ):
        for beam in el.items(ds, sequence):
            yield sequence, beam, el.items(beam, control_points)
    for setup in el.items(ds, _SETUPS):
        channels = el.items(setup, "RecordedChannelSequence")
        yield _SETUPS, setup, [p for c in channels for p in el.items(c, "BrachyControlPointDeliveredSequence")]


def _deliveries(ds: Dataset, times: LocalTime) -> Iterable[BeamDelivery]:
    fraction, unit = el.integer(ds, "CurrentFractionNumber"), unit_of(el.text(ds, "PrimaryDosimeterUnit"))
    for sequence, beam, control_points in _beams(ds):
        current = el.integer(beam, "CurrentFractionNumber")
        number = fraction if current is None else current
        started_at = next((at for p in control_points if (at := _at(p, times)) is not None), None)
        if sequence == _SETUPS:
            yield _application_setup_delivery(beam, number, started_at)
        else:
            yield _beam_delivery(beam, control_points, number, started_at, unit)


def _beam_delivery(
    beam: Dataset, control_points: list[Dataset], fraction: int | None, started_at: datetime | None, unit: str | None
) -> BeamDelivery:
    return BeamDelivery(
        beam_number=el.integer(beam, "ReferencedBeamNumber"),
        beam_name=el.text(beam, "BeamName"),
        current_fraction_number=fraction,
        treatment_delivery_type=el.text(beam, "TreatmentDeliveryType"),
        treatment_termination_status=el.text(beam, "TreatmentTerminationStatus"),
        specified_meterset=_meterset(beam, "SpecifiedPrimaryMeterset", control_points, "SpecifiedMeterset"),
        delivered_meterset=_meterset(beam, "DeliveredPrimaryMeterset", control_points, "DeliveredMeterset"),
        started_at=started_at,
        beam_description=el.text(beam, "BeamDescription"),
        meterset_unit=unit_of(el.text(beam, "PrimaryDosimeterUnit")) or unit,
    )


def _application_setup_delivery(setup: Dataset, fraction: int | None, started_at: datetime | None) -> BeamDelivery:
    """A brachytherapy application setup: its channels' total times stand for metersets (PS3.3 C.8.8.22), s."""
    channels = el.items(setup, "RecordedChannelSequence")
    return BeamDelivery(
        beam_number=el.integer(setup, "ReferencedBrachyApplicationSetupNumber"),
        beam_name=el.text(setup, "ApplicationSetupType"),
        current_fraction_number=fraction,
        treatment_delivery_type=el.text(setup, "TreatmentDeliveryType"),
        treatment_termination_status=el.text(setup, "TreatmentTerminationStatus"),
        specified_meterset=el.sum_if_all_known(el.number(c, "SpecifiedChannelTotalTime") for c in channels),
        delivered_meterset=delivered_channel_time(channels),
        started_at=started_at,
        meterset_unit=SECONDS,
        pulses=pulses_of(channels),
        channel_times=times_of(channels),
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


def _at(control_point: Dataset, times: LocalTime) -> datetime | None:
    return times.moment(control_point, "TreatmentControlPointDate", "TreatmentControlPointTime")
