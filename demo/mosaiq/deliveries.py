"""What was delivered, what is being delivered, and who is booked next, in the simulated MOSAIQ.

How
    A Dose_Hst row for each field of each record, with its points and what the console tracked. Setup images, portfilms
    and a dry run in QA mode stand among them, as they do in a real one. A field that is on now has no Dose_Hst row yet.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from demo.aria.rows import stamp
from demo.clinic.courses import SLOT
from demo.clinic.identifiers import business_days_after
from demo.mosaiq.people import ROOM
from demo.mosaiq.plans import KV_SETUP, field_type
from demo.mosaiq.rows import MosaiqRows, padded

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from demo.clinic.clinic import Clinic
    from demo.clinic.courses import SimulatedBeam, SimulatedSession, TreatmentPlan
    from demo.clinic.delivery import DeliveredRecord
    from demo.clinic.delivery_items import BeamDelivered

BOOKED_BUSINESS_DAYS = 10
PORT = 6
_TERMINATION = {"NORMAL": 1, "OPERATOR": 2, "MACHINE": 3}
_TICKS = 6000
"""Duration_time of a minute."""
_FRACTIONS_OF_OLDER_VERSION = 3
"""So many fractions were delivered before the prescription was edited: they name its older version."""


def write_record(rows: MosaiqRows, record: DeliveredRecord) -> None:
    """A row for each field of a record."""
    session, plan = record.session, record.plan
    is_first = session.continues_from is None and record.beams[0].beam.beam_number == 1
    if is_first:
        _beside(rows, session)
    for delivered in record.beams:
        _write_beam(rows, session, delivered)
    if is_first and session.fraction_number % 5 == 0:
        rows.add(
            "Chklist", Version=0, Suppressed=0, Pat_ID1=rows.patient(plan.patient.patient_id), TSK_ID=1, Complete=1,
            Act_DtTm=stamp(record.ended_at), Com_Staff_ID=rows.key("Staff", "Staff_ID", Last_Name=padded("FAGOTT")),
        )  # fmt: skip


def _beside(rows: MosaiqRows, session: SimulatedSession) -> None:
    """What treats nobody: a setup image each session, and a dry run in QA mode before the first."""
    plan, at = session.plan, session.starts_at
    if (image := next((beam for beam in plan.beams if not beam.is_treatment), None)) is not None:
        _dose(rows, session, image, at + timedelta(minutes=1), Type_Enum=KV_SETUP, Meterset=None)
        rows.add(
            "Offset", OFF_Set_ID=0, Sit_Set_ID=_site(rows, plan), Version=0, Offset_Type=2, Offset_State=2,
            Study_DtTm=stamp(at + timedelta(minutes=2)), Superior_Offset=0.1, Anterior_Offset=-0.2,
            Lateral_Offset=session.fraction_number % 5 / 10,
        )  # fmt: skip
    if session.fraction_number == 1 and plan.technique in {"VMAT", "IMRT"}:
        first = plan.treatment_beams[0]
        _dose(rows, session, first, at - timedelta(hours=14), Meterset=first.beam_meterset, WasQAMode=1, Fractions_Tx=0)


def _write_beam(rows: MosaiqRows, session: SimulatedSession, delivered: BeamDelivered) -> None:
    is_port = delivered.treatment_delivery_type == "TRMT_PORTFILM"
    make_up = rows.add("PatTxCal", IsPartial=1) if delivered.treatment_delivery_type == "CONTINUATION" else None
    number = _dose(
        rows, session, delivered.beam, delivered.started_at, Meterset=delivered.delivered_meterset, PTC_ID=make_up,
        PartiallyTreated=int(delivered.termination_status != "NORMAL"),
        Termination_Status_Enum=_TERMINATION[delivered.termination_status],
        WasOverridden=int(session.fraction_number % 13 == 5), **({"Type_Enum": PORT} if is_port else {}),
    )  # fmt: skip
    history = rows.add("FLD_HST", DHS_ID=number, Tx_DtTm=stamp(delivered.started_at))
    rows.add(
        "TxFieldPoint_Hst", FHS_ID=history, Point=0, Couch_Vrt=-12.0, Couch_Lng=85.0,
        Couch_Lat=(session.plan.patient.number % 7 - 3) / 10,
    )  # fmt: skip
    field = _field(rows, session.plan, delivered.beam)
    cursor = rows.connection.execute(
        "UPDATE TrackTreatment SET WasRecorded = 1, WasBeamComplete = 1, DHS_ID = ?"
        " WHERE FLD_ID = ? AND WasRecorded = 0",
        (number, field),
    )
    if not cursor.rowcount:
        _track(rows, session, delivered.beam, delivered.started_at, WasRecorded=1, WasBeamComplete=1, DHS_ID=number)


def _dose(rows: MosaiqRows, session: SimulatedSession, beam: SimulatedBeam, at: datetime, **columns: Any) -> int:
    """A row of Dose_Hst. On a plan that verifies, everything is QA mode."""
    plan = session.plan
    known: dict[str, Any] = {
        "Pat_ID1": rows.patient(plan.patient.patient_id),
        "FLD_ID": _field(rows, plan, beam),
        "SIT_ID": _site_version(rows, plan, session.fraction_number),
        "Tx_DtTm": stamp(at),
        "Fractions_Tx": session.fraction_number,
        "Machine_ID_Staff_ID": rows.machine(plan.machine.name),
        "Type_Enum": field_type(beam),
        "Energy": beam.nominal_beam_energy,
        "WasQAMode": int(plan.geometry == "TREATMENT_DEVICE"),
        "PartiallyTreated": 0,
        "WasOverridden": 0,
        "WasVerified": 1,
        "Termination_Status_Enum": 1,
        "IsOpenPort": 0,
    }
    return rows.add("Dose_Hst", **known | columns)


def _track(rows: MosaiqRows, session: SimulatedSession, beam: SimulatedBeam, at: datetime, **columns: Any) -> None:
    plan = session.plan
    known = {"WasBeamOn": 1, "WasRecorded": 0, "WasBeamComplete": 0, "WasCanceled": 0, "WasResolved": 0}
    rows.add(
        "TrackTreatment", Pat_ID1=rows.patient(plan.patient.patient_id), FLD_ID=_field(rows, plan, beam),
        Machine_ID_Staff_ID=rows.machine(plan.machine.name), Sent_DtTm=stamp(at),
        WasQAMode=int(plan.geometry == "TREATMENT_DEVICE"), **known | columns,
    )  # fmt: skip


def write_in_flight(rows: MosaiqRows, clinic: Clinic) -> None:
    """The next session has its first field on the machine: who pulls the plug now cuts it off.

    There is one when the clinic opens; later only while a session runs or is about to begin.
    """
    session = clinic.next_session_after(clinic.now)
    if session is None or (session.starts_at > clinic.now + SLOT and clinic.now != clinic.opened_at):
        return
    beam = session.plan.treatment_beams[0]
    open_rows = rows.connection.execute(
        "SELECT COUNT(*) FROM TrackTreatment WHERE FLD_ID = ? AND WasRecorded = 0", (_field(rows, session.plan, beam),)
    ).fetchone()
    if not open_rows[0]:
        _track(rows, session, beam, min(clinic.now, session.starts_at + timedelta(minutes=3)))


def _field(rows: MosaiqRows, plan: TreatmentPlan, beam: SimulatedBeam) -> int:
    uid = padded(plan.sop_instance_uid)
    return rows.key("TxField", "FLD_ID", OriginalPlanUID=uid, OriginalBeamNumber=beam.beam_number, Version=0)


def _site(rows: MosaiqRows, plan: TreatmentPlan) -> int:
    return rows.key("TxField", "SIT_Set_ID", OriginalPlanUID=padded(plan.sop_instance_uid), Version=0)


def _site_version(rows: MosaiqRows, plan: TreatmentPlan, fraction: int) -> int:
    version = 1 if fraction <= _FRACTIONS_OF_OLDER_VERSION else 0
    return rows.key("Site", "SIT_ID", SIT_SET_ID=_site(rows, plan), Version=version)


def write_appointments(rows: MosaiqRows, clinic: Clinic) -> None:
    """Close what was kept, move what was postponed, and book what lies within the next ten business days."""
    horizon = business_days_after(clinic.now.date(), BOOKED_BUSINESS_DAYS)
    booked = {
        together: (number, at, status)
        for together, number, at, status in rows.connection.execute(
            "SELECT Sch_Set_Id, Sch_Id, App_DtTm, SchStatus_Hist_SD FROM Schedule WHERE Version = 0"
        )
    }
    for session in clinic.sessions:
        if session.starts_at.date() > horizon:
            break
        together, status = _appointment_set(rows, session), _status(session, clinic.now)
        number, at, was = booked.get(together, (None, None, None))
        if number is None:
            _book(rows, session, together, status)
        elif at != stamp(session.starts_at) or was != status:  # an edit: the former row becomes an older version
            rows.connection.execute("UPDATE Schedule SET Version = 1 WHERE Sch_Id = ?", (number,))
            _appointment(rows, session, together, status, session.starts_at)


def _appointment_set(rows: MosaiqRows, session: SimulatedSession) -> int:
    part = 1 if session.continues_from is not None else 0
    return _site(rows, session.plan) * 1000 + session.fraction_number * 2 + part


def _status(session: SimulatedSession, now: datetime) -> str:
    """SchStatus_Hist_SD: a course's marker, and C when it was kept."""
    plan = session.plan
    marker = " "
    if session.fraction_number == 1:
        marker = "O" if "Boost" in plan.rt_plan_label else "S"
    elif session.fraction_number == plan.number_of_fractions:
        marker = "F"
    return marker + ("C" if session.ends_at <= now else " ")


def _book(rows: MosaiqRows, session: SimulatedSession, together: int, status: str) -> None:
    note = "Bladder full" if session.fraction_number == 1 else None
    _appointment(rows, session, together, status, session.starts_at, Notes=note)
    if session.fraction_number % 5 == 3:  # once a week the physician sees the patient
        room = rows.key("Staff", "Staff_ID", Last_Name=padded(ROOM))
        later = session.starts_at + timedelta(minutes=20)
        _appointment(rows, session, -together, " " + status[1], later, Location=room, Activity="VISIT".ljust(10))
    if session.fraction_number % 11 == 7:  # what was cancelled or withdrawn stays in the table
        _appointment(rows, session, -together - 500, " X", session.starts_at - timedelta(minutes=45))
        _appointment(rows, session, -together - 501, "  ", session.starts_at - timedelta(minutes=30), Suppressed=1)


def _appointment(
    rows: MosaiqRows, session: SimulatedSession, together: int, status: str, at: datetime, **columns: Any
) -> None:  # fmt: skip
    plan = session.plan
    known = {"Location": rows.machine(plan.machine.name), "Activity": "BEAM".ljust(10), "Suppressed": 0, "Version": 0}
    rows.add(
        "Schedule", Sch_Set_Id=together, Pat_ID1=rows.patient(plan.patient.patient_id), App_DtTm=stamp(at),
        Duration_time=int(SLOT.total_seconds() / 60) * _TICKS, SchStatus_Hist_SD=status, **known | columns,
    )  # fmt: skip
