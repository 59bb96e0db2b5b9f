"""RT Beams Treatment Records from the deliveries of a database, for an R&V system that serves none by DICOM (MOSAIQ).

How
    Deliveries of one patient, plan, fraction and day are a session, and a session is one record (PS3.3 A.29). Its
    UID is derived from its first delivery's key, and from nothing else: the same delivery gives the same UID for
    ever. What was delivered comes from the delivery history alone; the plan's fields give no more than what kind of
    beam it was.

Why a chain of amendments
    A session's second field arrives later, and a delivery may be corrected in the database. An object must not
    change under its UID (PS3.3 C.12.1.1.1), and nothing is ever deleted from the RT-PACS. So a session that says
    something else is a new object whose UID is derived from that of the object that it replaces
    (`derived_uids.amended_uid`). Whoever holds both can tell from the UIDs alone that only the last one counts:
    see `without_amended`. A correction from 60 to 100 MU is then 100 MU, and never 160.

Why the chain of a delivery that moved goes on
    A corrected fraction, day, plan or patient moves a delivery to another session, and what turns out to be quality
    assurance leaves all of them. The record that was named by its key would count for ever: it is amended to say what
    the database says of that delivery now (see `moved`), which counts once, or not at all.

Why empty type 1 elements
    BeamType, RadiationType, NumberOfWedges and the beam limiting devices have no value for "not known". Where neither
    the plan nor the database says, they are left empty and counted: a guess could be read as a fact, and no record
    at all would lose a fraction.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from pydicom import Dataset

from recovery.course.deliveries import TREATING
from recovery.dicom.beam_kinds import BeamKind, no_beam, radiation_of
from recovery.dicom.model import RT_BEAMS_TREATMENT_RECORD, RT_PLAN, Patient
from recovery.dicom.records import TreatmentRecord, written_delivery
from recovery.objects.delivery_values import as_written, meterset_text, termination
from recovery.objects.modules import Place, amended_uid, derived_uid, item, new_object, reference, with_elements
from recovery.objects.text import written_day, written_text, written_time, written_uid
from recovery.words.units import MU, common

SERIES_DESCRIPTION = "RBRDT treatment record"


_SessionKey = tuple[str, str | None, int | None, date | None, str | None]


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What the tables and the RT-PACS know of a plan; None: not known. `beams` by beam number."""

    study_instance_uid: str | None = None
    sop_class_uid: str | None = None
    number_of_fractions_planned: int | None = None
    beams: Mapping[int, BeamKind] = field(default_factory=dict)

    def kinds(self, session: DeliveredSession) -> list[BeamKind]:
        """Of a session's deliveries, in their order; the history's own RadiationType first."""
        return [
            replace(kind, radiation_type=radiation_of(delivery) or kind.radiation_type)
            for delivery in session.deliveries
            for kind in (self.beams.get(delivery["beam_number"], BeamKind()),)
        ]


@dataclass(frozen=True, slots=True)
class DeliveredSession:
    """What one patient got of one plan and fraction on one day: rows of `deliveries`, in the order of delivery."""

    patient_id: str
    referenced_rt_plan_uid: str | None
    fraction_number: int | None
    day: date | None
    prescription_id: str | None
    """Of a session of no plan: two sites of one patient are two courses. None where a plan is named."""
    deliveries: tuple[Mapping[str, Any], ...]

    @property
    def first_uid(self) -> str:
        """The UID of the session's first object, from the smallest key: keys grow, so late rows do not change it."""
        return _named_by(self.first_key)

    @property
    def first_key(self) -> str:
        """The smallest key of its deliveries."""
        return min((str(d["delivery_id"]) for d in self.deliveries), key=_key)

    def facts(self) -> tuple[object, ...]:
        """What makes a record another one when it changes, as `recorded_facts` finds it in a record."""
        return (
            self.patient_id,
            self.referenced_rt_plan_uid,
            self.prescription_id,
            *sorted((_delivery_facts(d) for d in self.deliveries), key=repr),
        )


def treatment_sessions(deliveries: Iterable[Mapping[str, Any]]) -> list[DeliveredSession]:
    """Sessions, the newest first. QA, setup, portfilm and other imaging are not treatments, and in none.

    Rows without a patient, and brachytherapy's and ions' (`no_beam`), are in none either. `deliveries` are rows of
    that table.
    """
    groups: dict[_SessionKey, list[Mapping[str, Any]]] = {}
    for row in deliveries:
        if row["patient_id"] is not None and row["delivery_type"] in TREATING and not no_beam(row):
            groups.setdefault(_session_of(row), []).append(row)
    sessions = [DeliveredSession(*of, tuple(sorted(rows, key=_order))) for of, rows in groups.items()]
    return sorted(sessions, key=lambda s: s.day or date.min, reverse=True)


def moved(
    deliveries: Iterable[Mapping[str, Any]], sessions: Iterable[DeliveredSession], held: Mapping[str, TreatmentRecord]
) -> list[DeliveredSession]:
    """Deliveries under whose key a record is held, and which name no session of `sessions` any more; each alone.

    Such a record is amended like any other. What stands in a session too is the same delivery in two records, and
    `recovery.course.deliveries` counts it once; what treats nobody any more is in a record that says so.
    """
    naming = {session.first_key for session in sessions}
    return [
        DeliveredSession(*_session_of(row), (row,))
        for row in deliveries
        if str(row["delivery_id"]) not in naming
        and row["patient_id"] is not None
        and not no_beam(row)
        and _named_by(str(row["delivery_id"])) in held
    ]


def _session_of(row: Mapping[str, Any]) -> _SessionKey:
    """What the deliveries of one session have in common."""
    day = row["treated_at"].date() if row["treated_at"] is not None else None
    plan_uid = row["referenced_rt_plan_uid"]
    return (
        row["patient_id"],
        plan_uid,
        row["fraction_number"],
        day,
        row["prescription_id"] if plan_uid is None else None,
    )


def _named_by(delivery_id: str) -> str:
    return derived_uid("delivered session", delivery_id)


@dataclass(frozen=True, slots=True)
class RecordVersion:
    """Where a session's record stands, or has to be stored: its UID, and its number in the chain, from 1.

    `replaces`: the record that says something else, where this one is its amendment and is not stored yet.
    """

    sop_instance_uid: str
    number: int
    replaces: str | None = None


def amendments(session: DeliveredSession, held: Mapping[str, TreatmentRecord]) -> RecordVersion:
    """Follow the session's chain to its end; `held` are the records that are known."""
    uid, number = session.first_uid, 1
    while (following := amended_uid(uid)) in held:
        uid, number = following, number + 1
    if uid in held and recorded_facts(held[uid]) != session.facts():
        return RecordVersion(following, number + 1, uid)
    return RecordVersion(uid, number)


def without_amended(
    records: Mapping[str, TreatmentRecord], known: Container[str] | None = None
) -> Iterator[TreatmentRecord]:
    """The records that count: those that no other one replaces, of them or, where they are a part, of `known`."""
    among = records if known is None else known
    return (record for uid, record in records.items() if not uid.startswith("2.25.") or amended_uid(uid) not in among)


def recorded_facts(record: TreatmentRecord) -> tuple[object, ...]:
    """What a record says was delivered, as `DeliveredSession.facts` finds it in the rows."""
    beams = (
        (
            beam.beam_number,
            beam.current_fraction_number,
            beam.started_at.replace(microsecond=0) if beam.started_at is not None else None,
            beam.specified_meterset,
            beam.delivered_meterset,
            beam.treatment_termination_status,
            beam.treatment_delivery_type,
        )
        for beam in record.beams
    )
    own = (record.ref.patient_id, record.referenced_rt_plan_uid, record.prescription_id)
    return (*own, *sorted(beams, key=repr))


def treatment_record(
    session: DeliveredSession, uid: str, number: int, patient: Patient, plan: PlanFacts, made_at: datetime
) -> Dataset:
    """The session's record under `uid`, the `number`th in its chain; `made_at` is local to the site.

    Raises `UnwritableError` if the patient's id or the plan's UID cannot be written in DICOM.
    """
    plan_uid = session.referenced_rt_plan_uid
    study = plan.study_instance_uid or derived_uid("study of plan", plan_uid or f"none of {session.patient_id}")
    series = derived_uid("series of session", session.first_uid, study)
    place = Place(patient, study, series, SERIES_DESCRIPTION, modality="RTRECORD")
    first = session.deliveries[0]
    machine = written_text(first["treatment_machine_name"], "SH")
    return with_elements(
        new_object(RT_BEAMS_TREATMENT_RECORD, uid, place, made_at),
        SeriesDate=written_day(session.day) or None,
        OperatorsName="",
        InstanceNumber=number,
        TreatmentDate=written_day(session.day),
        TreatmentTime=written_time(first["treated_at"]),
        ReferencedRTPlanSequence=[reference(plan.sop_class_uid or RT_PLAN, written_uid(plan_uid))] if plan_uid else [],
        NumberOfFractionsPlanned=_or_empty(plan.number_of_fractions_planned),
        PrimaryDosimeterUnit=common(kind.meterset_unit or MU for kind in plan.kinds(session)) or MU,
        TreatmentMachineSequence=[
            item(
                TreatmentMachineName=machine,
                Manufacturer="",
                InstitutionName="",
                ManufacturerModelName="",
                DeviceSerialNumber="",
            )
        ],
        TreatmentSessionBeamSequence=[
            _session_beam(d, kind) for d, kind in zip(session.deliveries, plan.kinds(session), strict=True)
        ],
    )


def _session_beam(delivery: Mapping[str, Any], kind: BeamKind) -> Dataset:
    """An item of TreatmentSessionBeamSequence (PS3.3 C.8.8.21). Metersets in MU, from the delivery alone."""
    return item(
        CurrentFractionNumber=_or_empty(delivery["fraction_number"]),
        ReferencedBeamNumber=delivery["beam_number"],
        BeamName=written_text(delivery["beam_name"], "LO") or None,
        BeamDescription=written_text(delivery.get("beam_description") or written_delivery(delivery), "ST"),
        BeamType=kind.beam_type or "",
        RadiationType=kind.radiation_type or "",
        TreatmentDeliveryType=delivery["delivery_type"] or "",
        TreatmentTerminationStatus=termination(delivery),
        TreatmentTerminationCode=written_text(delivery["termination_reason"], "SH") or None,
        TreatmentVerificationStatus="VERIFIED_OVR" if delivery["was_overridden"] else "",
        SpecifiedPrimaryMeterset=meterset_text(delivery["planned_meterset"]),
        DeliveredPrimaryMeterset=meterset_text(delivery["delivered_meterset"]),
        NumberOfWedges=_or_empty(kind.number_of_wedges),
        NumberOfCompensators="",
        NumberOfBoli="",
        NumberOfBlocks="",
        NumberOfControlPoints=1,
        BeamLimitingDeviceLeafPairsSequence=[
            item(RTBeamLimitingDeviceType=device, NumberOfLeafJawPairs=pairs) for device, pairs in kind.leaf_pairs
        ],
        ControlPointDeliverySequence=[_control_point(delivery)],
    )


def _control_point(delivery: Mapping[str, Any]) -> Dataset:
    """The one moment that the history tells: when, and how much had been delivered."""
    return item(
        TreatmentControlPointDate=written_day(delivery["treated_at"]),
        TreatmentControlPointTime=f"{delivery['treated_at']:%H%M%S}" if delivery["treated_at"] is not None else "",
        SpecifiedMeterset=meterset_text(delivery["planned_meterset"]) or "",
        DeliveredMeterset=meterset_text(delivery["delivered_meterset"]) or "",
        DoseRateSet="",
        DoseRateDelivered="",
    )


def _delivery_facts(delivery: Mapping[str, Any]) -> tuple[object, ...]:
    at = delivery["treated_at"]
    return (
        delivery["beam_number"],
        delivery["fraction_number"],
        at.replace(microsecond=0) if at is not None else None,
        as_written(delivery["planned_meterset"]),
        as_written(delivery["delivered_meterset"]),
        termination(delivery),
        delivery["delivery_type"] or None,
    )


def _or_empty(value: int | None) -> int | str:
    return "" if value is None else value


def _key(delivery_id: str) -> tuple[int, str]:
    """Numbers by size: Dose_Hst keys grow."""
    return (len(delivery_id), delivery_id)


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["treated_at"] or datetime.min, *_key(str(row["delivery_id"])))  # noqa: DTZ901  site-local, for order
