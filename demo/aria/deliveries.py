"""What was delivered, and who is booked next, in the simulated ARIA.

How
    `write_record` for each treatment record; `write_appointments` closes the appointments that were kept and books
    the next ten business days.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from demo.aria.rows import Rows, stamp
from demo.clinic.courses import SLOT
from demo.clinic.identifiers import business_days_after, uid
from recovery.dicom.model import RT_BEAMS_TREATMENT_RECORD, RT_ION_BEAMS_TREATMENT_RECORD

if TYPE_CHECKING:
    from datetime import datetime

    from demo.clinic.clinic import Clinic
    from demo.clinic.courses import SimulatedSession
    from demo.clinic.delivery import DeliveredRecord
    from demo.clinic.delivery_items import BeamDelivered

BOOKED_BUSINESS_DAYS = 10


def write_record(rows: Rows, record: DeliveredRecord) -> None:
    """A TreatmentRecord with a RadiationHstry for each of its beams."""
    plan = record.plan
    sop_class = RT_ION_BEAMS_TREATMENT_RECORD if plan.is_ion else RT_BEAMS_TREATMENT_RECORD
    rt_plan, setup = rows.connection.execute(
        "SELECT RTPlanSer, PlanSetupSer FROM RTPlan WHERE PlanUID = ?", (plan.sop_instance_uid,)
    ).fetchone()
    ser = rows.add(
        "TreatmentRecord", PatientSer=rows.key("Patient", "PatientSer", PatientId=plan.patient.patient_id),
        RTPlanSer=rt_plan, PlanUID=plan.sop_instance_uid, TreatmentRecordUID=record.sop_instance_uid,
        PlanSOPClassSer=rows.key("SOPClass", "SOPClassSer", SOPClassUID=plan.sop_class_uid),
        TreatmentRecordSOPClassSer=rows.key("SOPClass", "SOPClassSer", SOPClassUID=sop_class),
        ActualMachineSer=rows.key("Machine", "ResourceSer", MachineId=plan.machine.name), MachOverrideFlag=0,
        StructureSetUID=plan.images.structure_set_uid, TreatmentRecordDateTime=stamp(record.started_at),
        NoOfFractions=plan.number_of_fractions, HstryDateTime=stamp(record.ended_at),
    )  # fmt: skip
    if record.session.fraction_number % 5 == 0 and record.beams[0].beam.beam_number == 1:
        rows.add(
            "ChartQA", PatientSer=rows.key("Patient", "PatientSer", PatientId=plan.patient.patient_id),
            ChartQADateTime=stamp(record.ended_at), ChartQABy="physicist", Comment="Weekly check",
        )  # fmt: skip
    for delivered in record.beams:
        _write_beam(rows, ser, setup, record, delivered)


def _write_beam(rows: Rows, record_ser: int, setup: int, record: DeliveredRecord, delivered: BeamDelivered) -> None:
    beam = delivered.beam
    radiation = rows.key("Radiation", "RadiationSer", PlanSetupSer=setup, RadiationNumber=beam.beam_number)
    history = rows.add(
        "RadiationHstry", TreatmentRecordSer=record_ser, RadiationHstryType="ExternalBeam",
        TreatmentDeliveryType=delivered.treatment_delivery_type, RadiationSer=radiation,
        RadiationId=beam.beam_name[:16],
        RadiationName=beam.beam_name, RadiationNumber=beam.beam_number, TechniqueLabel=beam.technique,
        RadiationType=beam.radiation_type, TreatmentStartTime=stamp(delivered.started_at),
        TreatmentEndTime=stamp(delivered.ended_at), TerminationStatus=delivered.termination_status,
        TreatmentTime=(delivered.ended_at - delivered.started_at).total_seconds() / 60, TreatmentTimeOverrideFlag=0,
        FractionNumber=delivered.fraction_number, UserName1="rtt",
        OverrideFlag=int(delivered.fraction_number % 13 == 5), PrintFlag=0, RVFlag=1,
        BeamOffCode="" if delivered.termination_status == "NORMAL" else "Interlock",
        HstryDateTime=stamp(record.ended_at),
    )  # fmt: skip
    rows.add(
        "ExternalFieldCommonHstry", RadiationHstrySer=history, PlannedMeterset=delivered.specified_meterset,
        ActualMeterset=delivered.delivered_meterset, MetersetOverrideFlag=0, CouchVrt=-12.0, CouchLng=85.0,
        CouchLat=(record.plan.patient.number % 7 - 3) / 10, NominalEnergy=beam.nominal_beam_energy * 1000,
    )  # fmt: skip
    rows.add(
        "ExternalFieldHstry", RadiationHstrySer=history, Technique=beam.technique, GantryRtn=beam.gantry_start,
        CollRtn=beam.collimator, DoseRate=600, StopAngle=beam.gantry_stop if beam.is_arc else None,
    )  # fmt: skip


def write_appointments(rows: Rows, clinic: Clinic, since: datetime) -> None:
    """Close what was kept since, and book what lies within the next ten business days and is not booked yet."""
    horizon = business_days_after(clinic.now.date(), BOOKED_BUSINESS_DAYS)
    booked = dict(rows.connection.execute("SELECT UID, ScheduledStartTime FROM ScheduledActivity").fetchall())
    for session in clinic.sessions:
        if session.starts_at.date() > horizon:
            break
        appointment = uid(session.session_id, "appointment")
        kept = session.ends_at <= clinic.now
        if appointment not in booked:
            _book(rows, session, appointment, kept=kept)
        elif booked[appointment] != stamp(session.starts_at):
            rows.connection.execute(
                "UPDATE ScheduledActivity SET ScheduledStartTime = ?, ScheduledEndTime = ?, HstryDateTime = ?"
                " WHERE UID = ?",
                (stamp(session.starts_at), stamp(session.starts_at + SLOT), rows.now, appointment),
            )
        if appointment in booked and kept and session.ends_at > since:
            rows.connection.execute(
                "UPDATE ScheduledActivity SET ScheduledActivityCode = 'Completed', ActualStartDate = ?,"
                " ActualEndDate = ?, HstryDateTime = ? WHERE UID = ?",
                (stamp(session.starts_at), stamp(session.ends_at), rows.now, appointment),
            )


def _book(rows: Rows, session: SimulatedSession, appointment: str, *, kept: bool) -> None:
    _appointment(
        rows, session, appointment, "Daily Treatment", code="Completed" if kept else "Open", at=session.starts_at,
        note="Bladder full" if session.fraction_number == 1 else None,
    )  # fmt: skip
    if session.fraction_number % 5 == 3:  # once a week the physician sees the patient
        _appointment(rows, session, uid(appointment, "visit"), "Weekly Visit",
                     code="Completed" if kept else "Open", at=session.starts_at + timedelta(minutes=20))  # fmt: skip
    if session.fraction_number % 11 == 7:  # what was cancelled or deleted stays in the table
        _appointment(rows, session, uid(appointment, "cancelled"), "Daily Treatment",
                     code="Cancelled", at=session.starts_at - timedelta(minutes=45))  # fmt: skip
        _appointment(rows, session, uid(appointment, "deleted"), "Daily Treatment", code="Open",
                     at=session.starts_at - timedelta(minutes=30), object_status="Deleted")  # fmt: skip


def _appointment(
    rows: Rows, session: SimulatedSession, appointment: str, activity: str,
    *, code: str, at: datetime, note: str | None = None, object_status: str = "Active",
) -> None:  # fmt: skip
    plan = session.plan
    until = at + timedelta(minutes=15)
    instance = rows.add(
        "ActivityInstance", ActivityInstanceRevCount=1, ActivitySer=rows.key("Activity", "ActivitySer",
        ActivityCode=activity),
        ActivityRevCount=1, ObjectStatus="Active", AppointmentInstanceFlag=1, Duration=15,
        DepartmentSer=rows.key("Department", "DepartmentSer", DepartmentId="RT"),
    )  # fmt: skip
    scheduled = rows.add(
        "ScheduledActivity", ScheduledActivityRevCount=1, ActivityInstanceSer=instance, ActivityInstanceRevCount=1,
        PatientSer=rows.key("Patient", "PatientSer", PatientId=plan.patient.patient_id), CreatedByUserName="desk",
        CreationDate=stamp(plan.approved_at), UID=appointment, ScheduledStartTime=stamp(at),
        ScheduledEndTime=stamp(until),
        ActualStartDate=stamp(at) if code == "Completed" else None,
        ActualEndDate=stamp(until) if code == "Completed" else None,
        ObjectStatus=object_status, ScheduledActivityCode=code, WaitListedFlag=0, ActivityNote=note,
    )  # fmt: skip
    machine = rows.key("Machine", "ResourceSer", MachineId=plan.machine.name)
    doctor = rows.key("Doctor", "ResourceSer", DoctorId=f"D{plan.patient.physician.number}")
    resource = doctor if activity == "Weekly Visit" else machine
    rows.add("ResourceActivity", ScheduledActivitySer=scheduled, ResourceSer=resource, ExclusiveFlag=1, PrimaryFlag=1)
