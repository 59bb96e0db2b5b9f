"""Treatment records: what each simulated session delivered, beam by beam.

Goal
    One account of every session, from which both the DICOM records and the rows of the database are made.

How
    `records_of` says what was delivered; `dataset` writes it as an RT Beams or RT Ion Beams Treatment Record
    (PS3.3 A.29, A.50). Varian writes one record for each beam; some patients here have one for the session.

Why its own series each
    Study and series mean nothing for records, and that is how they come: the plan's study, a series of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from demo.clinic.delivery_items import BeamDelivered, session_beam
from demo.clinic.identifiers import chance, da, tm, uid
from demo.clinic.modules import item, new_object, reference
from recovery.dicom.model import RT_BEAMS_TREATMENT_RECORD, RT_ION_BEAMS_TREATMENT_RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pydicom import Dataset

    from demo.clinic.courses import SimulatedSession, TreatmentPlan


@dataclass(frozen=True, slots=True)
class DeliveredRecord:
    """One treatment record."""

    session: SimulatedSession
    sop_instance_uid: str
    beams: tuple[BeamDelivered, ...]

    @property
    def plan(self) -> TreatmentPlan:
        return self.session.plan

    @property
    def started_at(self) -> datetime:
        return self.beams[0].started_at

    @property
    def ended_at(self) -> datetime:
        """When the session ended: its records appear together, then."""
        return self.session.ends_at


def records_of(session: SimulatedSession) -> list[DeliveredRecord]:
    """The records of a session, in the order of delivery."""
    beams = list(_beams_of(session))
    name = (session.session_id, "record")
    if session.plan.one_record_per_session:
        return [DeliveredRecord(session, uid(*name), tuple(beams))]
    return [DeliveredRecord(session, uid(*name, b.beam.beam_number, b.treatment_delivery_type), (b,)) for b in beams]


def _beams_of(session: SimulatedSession) -> Iterator[BeamDelivered]:
    """The treatment beams in turn; an interrupted session stops in the middle of one, a continuation goes on there."""
    plan, dice = session.plan, chance(session.session_id)
    total = sum(float(b.beam_meterset or 0) for b in plan.treatment_beams)
    first = float(session.continues_from or 0) * total
    last = total if session.stops_at is None else session.stops_at * total
    at, before = session.starts_at + timedelta(minutes=3), 0.0
    if session.portfilm:
        film = plan.treatment_beams[0]
        yield BeamDelivered(
            film, session.fraction_number, "TRMT_PORTFILM", "NORMAL", 3.0, 3.0, at, at + timedelta(seconds=4)
        )
        at += timedelta(seconds=40)
    for beam in plan.treatment_beams:
        planned = float(beam.beam_meterset or 0)
        begins, ends = max(first - before, 0.0), min(last - before, planned)
        before += planned
        if begins >= planned or ends <= begins:
            continue
        specified = round(planned - begins, 2)
        whole = ends >= planned - 1e-6  # a sum of metersets is seldom exact
        delivered = round(specified + dice.choice((0.0, 0.0, 0.01, -0.01)), 2) if whole else round(ends - begins, 2)
        took = timedelta(seconds=max(5, round(delivered / 10)))
        yield BeamDelivered(
            beam,
            session.fraction_number,
            "CONTINUATION" if begins > 0 else "TREATMENT",
            "NORMAL" if whole else "MACHINE",
            specified,
            delivered,
            at,
            at + took,
        )
        at += took + timedelta(seconds=25)


def dataset(record: DeliveredRecord) -> Dataset:
    """The record as the R&V system exports it."""
    plan, session = record.plan, record.session
    ds = new_object(
        plan.images,
        RT_ION_BEAMS_TREATMENT_RECORD if plan.is_ion else RT_BEAMS_TREATMENT_RECORD,
        record.sop_instance_uid,
        modality="RTRECORD",
        series_instance_uid=uid(record.sop_instance_uid, "series"),
        series_number=session.fraction_number,
        made_at=record.beams[-1].ended_at,
        manufacturer=plan.machine.manufacturer,
        model=plan.machine.model,
    )
    ds.OperatorsName = ""
    ds.InstanceNumber = record.beams[0].beam.beam_number
    ds.TreatmentDate = "" if session.without_date else da(record.started_at)
    ds.TreatmentTime = "" if session.without_date else tm(record.started_at)
    ds.NumberOfFractionsPlanned = plan.number_of_fractions
    ds.PrimaryDosimeterUnit = "MU"
    ds.TreatmentRecordContentOrigin = "DEVICE"
    ds.ReferencedFractionGroupNumber = 1
    ds.TreatmentMachineSequence = [
        item(
            Manufacturer=plan.machine.manufacturer,
            InstitutionName=ds.InstitutionName,
            ManufacturerModelName=plan.machine.model,
            DeviceSerialNumber=plan.machine.serial_number,
            TreatmentMachineName=plan.machine.name,
        )
    ]
    beams = [session_beam(plan, delivered) for delivered in record.beams]
    if plan.is_ion:
        ds.TreatmentSessionIonBeamSequence = beams
    else:
        ds.TreatmentSessionBeamSequence = beams
    ds.ReferencedRTPlanSequence = [reference(plan.sop_class_uid, plan.sop_instance_uid)]
    return ds
