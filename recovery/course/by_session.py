"""Fractions that can only be counted by session: MOSAIQ's fields typed by hand, and its brachytherapy. Pure, no I/O.

Goal
    What was given counts on the list, and what is not known of it is said; it never stands in a remark beside a 0.

How
    Where nothing tells which field of which plan was given, the sessions that MOSAIQ numbers are the fractions: one was
    given when every field that was begun in it ended. The one arithmetic (`recovery.course.fractions`) counts them: a
    session stands in the place of a beam.

Why not by metersets
    A field typed by hand has no beam number, may be typed anew in mid-course, and what its meterset counts (MU, minutes
    of an orthovoltage tube, seconds of a source) is not in MOSAIQ's public schema.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, time
from typing import Any

from recovery.course.deliveries import TREATING
from recovery.dicom.beam_kinds import no_beam
from recovery.dicom.model import RT_BRACHY_TREATMENT_RECORD, RT_ION_BEAMS_TREATMENT_RECORD, InstanceRef, Patient
from recovery.dicom.plans import Plan
from recovery.dicom.records import BeamDelivery, TreatmentRecord, written_delivery

SESSION = 0
"""The beam number that a whole session has: DICOM's begin at 1 (PS3.3 C.8.8.14)."""
FULL_SHARE = 0.99
BRACHYTHERAPY = "Ir-192"

_TOGETHER = ("patient_id", "referenced_rt_plan_uid", "prescription_id", "fraction_number", "radiation_type")
COUNTED = "fractions are counted by session as MOSAIQ numbers them: whether every field was given is not known"
NO_RECORDS = "treatment records (the R&V system makes none of {}: counted from its database)"


def is_by_session(records: Iterable[TreatmentRecord]) -> bool:
    """Whether all that treats was told by the database, and nothing of it names a beam."""
    beams = [beam for record in records for beam in record.beams if beam.treatment_delivery_type in TREATING]
    return bool(beams) and all(beam.beam_number is None and beam.delivery_id is not None for beam in beams)


def countable(records: Sequence[TreatmentRecord], plan: Plan | None) -> tuple[Sequence[TreatmentRecord], Plan | None]:
    """What `count_fractions` is to count: as it is, or each session in the place of one beam, without the plan's."""
    if not is_by_session(records):
        return records, plan
    ended = _ended(records)
    planned = plan.number_of_fractions_planned if plan is not None else None
    return [
        replace(
            record,
            beams=tuple(_as_session(beam, ended) for beam in record.beams),
            number_of_fractions_planned=record.number_of_fractions_planned if planned is None else planned,
        )
        for record in records
    ], None


def _as_session(beam: BeamDelivery, ended: Mapping[int | None, bool]) -> BeamDelivery:
    if beam.treatment_delivery_type not in TREATING:
        return beam
    was = beam.treatment_termination_status
    ends = "NORMAL" if ended[beam.current_fraction_number] else was if was != "NORMAL" else "UNKNOWN"
    return replace(
        beam, beam_number=SESSION, specified_meterset=None, delivered_meterset=None, treatment_termination_status=ends
    )


def _ended(records: Iterable[TreatmentRecord]) -> dict[int | None, bool]:
    """By fraction number, whether every field that was begun in it ended, at once or in a continuation."""
    fractions: dict[int | None, dict[str | None, list[BeamDelivery]]] = {}
    for record in records:
        for beam in record.beams:
            if beam.treatment_delivery_type in TREATING:
                fields = fractions.setdefault(beam.current_fraction_number, {})
                fields.setdefault(beam.beam_name, []).append(beam)
    return {number: all(map(_is_whole, fields.values())) for number, fields in fractions.items()}


def _is_whole(field: Sequence[BeamDelivery]) -> bool:
    if any(beam.treatment_termination_status == "NORMAL" for beam in field):
        return True
    planned = max((beam.specified_meterset or 0.0 for beam in field), default=0.0)
    return planned > 0 and sum(beam.delivered_meterset or 0.0 for beam in field) >= FULL_SHARE * planned


def sessions_of_database(
    deliveries: Iterable[Mapping[str, Any]],
    told: Iterable[TreatmentRecord],
    people: Mapping[str, Patient],
    planned: Mapping[tuple[str, str], int | None],
) -> list[TreatmentRecord]:
    """Records, of the database alone, of what no treatment record is made of (`no_beam`): brachytherapy and ions.

    `deliveries`: rows of that table, of whatever kind; `told`: records that are held: a delivery that one of them tells
    is not told again; `planned`: numbers of fractions by patient and prescription.
    """
    known = {beam.delivery_id for record in told for beam in record.beams}
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in deliveries:
        is_told = str(row["delivery_id"]) in known or row["treatment_record_uid"] is not None
        if no_beam(row) and not is_told and row["delivery_type"] in TREATING and row["patient_id"] is not None:
            day = row["treated_at"].date() if row["treated_at"] is not None else None
            groups.setdefault((*(row[name] for name in _TOGETHER), day), []).append(row)
    return [_session(rows, of[-1], people, planned) for of, rows in groups.items()]


def prescribed_fractions(prescriptions: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], int | None]:
    """Numbers of fractions by patient and prescription, of rows of `prescriptions`."""
    return {(row["patient_id"], row["prescription_id"]): row["number_of_fractions"] for row in prescriptions}


def _session(
    rows: Sequence[Mapping[str, Any]],
    day: date | None,
    people: Mapping[str, Patient],
    planned: Mapping[tuple[str, str], int | None],
) -> TreatmentRecord:
    first = min(rows, key=lambda row: (row["treated_at"] is None, row["treated_at"] or day, str(row["delivery_id"])))
    patient_id, is_brachy = first["patient_id"], _is_brachy(first)
    sop_class = RT_BRACHY_TREATMENT_RECORD if is_brachy else RT_ION_BEAMS_TREATMENT_RECORD
    return TreatmentRecord(
        ref=InstanceRef(f"delivery {first['delivery_id']}", sop_class, patient_id=patient_id),
        patient=people.get(patient_id) or Patient(patient_id, None, None, None),
        physicians_of_record=None,
        treatment_date=day,
        treatment_time=first["treated_at"].time() if first["treated_at"] is not None else time(),
        referenced_rt_plan_uid=first["referenced_rt_plan_uid"],
        referenced_fraction_group_number=None,
        number_of_fractions_planned=planned.get((patient_id, first["prescription_id"] or "")),
        treatment_machine_name=first["treatment_machine_name"],
        treatment_record_content_origin=None,
        beams=tuple(map(delivery_of, rows)),
    )


def _is_brachy(row: Mapping[str, Any]) -> bool:
    return str(row["radiation_type"]) == BRACHYTHERAPY


def delivery_of(row: Mapping[str, Any]) -> BeamDelivery:
    """A row of `deliveries` as a record would tell it.

    Of a source neither number nor meterset: MOSAIQ does not tell whether they are a setup's, nor in which unit.
    """
    is_brachy = _is_brachy(row)
    return BeamDelivery(
        beam_number=None if is_brachy else row["beam_number"],
        beam_name=row["beam_name"],
        current_fraction_number=row["fraction_number"],
        treatment_delivery_type=row["delivery_type"],
        treatment_termination_status=row["termination_status"],
        specified_meterset=None if is_brachy else row["planned_meterset"],
        delivered_meterset=None if is_brachy else row["delivered_meterset"],
        started_at=row["treated_at"],
        beam_description=written_delivery(row),
    )


def lacking_records(records: Iterable[TreatmentRecord]) -> list[str]:
    """What the RT-PACS holds no record of, in words; empty where every record is an object of its own."""
    kinds = {r.ref.sop_class_uid for r in records if r.ref.sop_instance_uid.startswith("delivery ")}
    words = {RT_BRACHY_TREATMENT_RECORD: "brachytherapy", RT_ION_BEAMS_TREATMENT_RECORD: "ions"}
    return [NO_RECORDS.format(words[kind]) for kind in sorted(kind for kind in kinds if kind is not None)]
