"""Records, plans, structure sets and image series as rows of their tables, and back again. Pure, no I/O."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, time
from typing import TYPE_CHECKING, Any, cast

from recovery.dicom.model import InstanceRef, Patient
from recovery.dicom.plans import FractionGroup, ImageSeries, Plan, PlannedBeam, ReferencedSeries, StructureSet
from recovery.dicom.records import BeamDelivery, ChannelPulses, TreatmentRecord

if TYPE_CHECKING:
    from recovery.tables.schema import Row


_AGAIN = " again"


def record_rows(record: TreatmentRecord) -> Iterator[Row]:
    shared = {
        **_ref_columns(record.ref),
        **_patient_columns(record.patient),
        "physicians_of_record": record.physicians_of_record,
        "treatment_date": record.treatment_date,
        "treatment_time": _written_time(record.treatment_time),
        "referenced_rt_plan_uid": record.referenced_rt_plan_uid,
        "referenced_fraction_group_number": record.referenced_fraction_group_number,
        "number_of_fractions_planned": record.number_of_fractions_planned,
        "treatment_machine_name": record.treatment_machine_name,
        "treatment_record_content_origin": record.treatment_record_content_origin,
        "written_date": record.written_date,
        "timezone_offset_from_utc": record.timezone_offset_from_utc,
        "names_verification": record.names_verification,
    }
    nothing = BeamDelivery(None, None, None, None, None, None, None, None)
    for index, beam in enumerate(record.beams or (nothing,), start=1 if record.beams else 0):
        own = {name: getattr(beam, name) for name in BeamDelivery.__slots__}
        pulses = [[p.channel_number, p.specified, p.delivered] for p in beam.pulses]
        yield shared | own | {"beam_index": index, "pulses": json.dumps(pulses) if pulses else None}


def records_of_rows(rows: Sequence[dict[str, Any]]) -> Iterator[TreatmentRecord]:
    """The records that rows of `treatment_records` were made from."""
    by_uid: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_uid.setdefault(row["sop_instance_uid"], []).append(row)
    for members in by_uid.values():
        row = members[0]
        yield TreatmentRecord(
            ref=_ref(row, "RTRECORD"),
            patient=_patient(row),
            physicians_of_record=row["physicians_of_record"],
            treatment_date=row["treatment_date"],
            treatment_time=_read_time(row["treatment_time"]),
            referenced_rt_plan_uid=row["referenced_rt_plan_uid"],
            referenced_fraction_group_number=row["referenced_fraction_group_number"],
            number_of_fractions_planned=row["number_of_fractions_planned"],
            treatment_machine_name=row["treatment_machine_name"],
            treatment_record_content_origin=row["treatment_record_content_origin"],
            written_date=row["written_date"],
            timezone_offset_from_utc=row["timezone_offset_from_utc"],
            names_verification=row["names_verification"],
            beams=tuple(
                BeamDelivery(**{name: member[name] for name in BeamDelivery.__slots__} | {"pulses": _pulses(member)})
                for member in sorted(members, key=lambda m: m["beam_index"])
                if member["beam_index"] > 0
            ),
        )


def _written_time(at: time | None) -> str | None:
    """`02:30:00`, and with `again` in the hour that a DST night repeats."""
    return None if at is None else f"{at.isoformat()}{_AGAIN if at.fold else ''}"


def _read_time(written: str | None) -> time | None:
    if not written:
        return None
    return time.fromisoformat(written.removesuffix(_AGAIN)).replace(fold=int(written.endswith(_AGAIN)))


def _pulses(row: dict[str, Any]) -> tuple[ChannelPulses, ...]:
    return tuple(ChannelPulses(*channel) for channel in json.loads(row["pulses"])) if row["pulses"] else ()


def plans_of_rows(rows: Sequence[dict[str, Any]]) -> Iterator[Plan]:
    """The plans that rows of `rt_plans` were made from."""
    return map(_plan, rows)


def structure_sets_of_rows(rows: Sequence[dict[str, Any]]) -> Iterator[StructureSet]:
    """The structure sets that rows of `structure_sets` were made from."""
    return map(_structure_set, rows)


def image_series_of_rows(rows: Sequence[dict[str, Any]]) -> Iterator[ImageSeries]:
    """The listings that rows of `image_series` were made from."""
    return map(_image_series, rows)


def plan_row(plan: Plan) -> Row:
    references = {
        "fraction_groups": [[g.fraction_group_number, g.number_of_fractions_planned] for g in plan.fraction_groups],
        "structure_set_uids": plan.structure_set_uids,
        "dose_uids": plan.dose_uids,
        "reference_image_uids": plan.reference_image_uids,
    }
    own = ("rt_plan_label", "plan_intent", "rt_plan_geometry", "approval_status", "frame_of_reference_uid")
    return {
        **_ref_columns(plan.ref),
        **_patient_columns(plan.patient),
        **{name: getattr(plan, name) for name in own},
        "predecessor_uids": "\\".join(plan.predecessor_uids),
        "beams": json.dumps([{name: getattr(b, name) for name in PlannedBeam.__slots__} for b in plan.beams]),
        "references": json.dumps(references),
    }


def _plan(row: dict[str, Any]) -> Plan:
    references = json.loads(row["references"])
    return Plan(
        ref=_ref(row, "RTPLAN"),
        patient=_patient(row),
        rt_plan_label=row["rt_plan_label"],
        plan_intent=row["plan_intent"],
        rt_plan_geometry=row["rt_plan_geometry"],
        approval_status=row["approval_status"],
        frame_of_reference_uid=row["frame_of_reference_uid"],
        fraction_groups=tuple(FractionGroup(*g) for g in references["fraction_groups"]),
        beams=tuple(map(_planned_beam, json.loads(row["beams"]))),
        structure_set_uids=tuple(references["structure_set_uids"]),
        dose_uids=tuple(references["dose_uids"]),
        reference_image_uids=tuple(references["reference_image_uids"]),
        predecessor_uids=tuple(filter(None, (row["predecessor_uids"] or "").split("\\"))),
    )


def _planned_beam(said: dict[str, Any]) -> PlannedBeam:
    return PlannedBeam(**said | {"pulses": tuple((channel, number) for channel, number in said["pulses"])})


def structure_set_row(structure_set: StructureSet) -> Row:
    references = {
        "frame_of_reference_uids": structure_set.frame_of_reference_uids,
        "image_series": [
            [s.series_instance_uid, s.study_instance_uid, s.sop_instance_uids] for s in structure_set.image_series
        ],
        "contour_image_uids": structure_set.contour_image_uids,
    }
    columns = _ref_columns(structure_set.ref) | _patient_columns(structure_set.patient)
    del columns["sop_class_uid"]
    return {**columns, "structure_set_label": structure_set.structure_set_label, "references": json.dumps(references)}


def _structure_set(row: dict[str, Any]) -> StructureSet:
    references = json.loads(row["references"])
    return StructureSet(
        ref=_ref(row, "RTSTRUCT"),
        structure_set_label=row["structure_set_label"],
        frame_of_reference_uids=tuple(references["frame_of_reference_uids"]),
        image_series=tuple(
            ReferencedSeries(uid, study, tuple(uids)) for uid, study, uids in references["image_series"]
        ),
        contour_image_uids=tuple(references["contour_image_uids"]),
        patient=_patient(row),
    )


def image_series_row(series: ImageSeries) -> Row:
    names = ("series_instance_uid", "study_instance_uid", "patient_id", "frame_of_reference_uid")
    return {**{name: getattr(series, name) for name in names}, "slices": "\\".join(series.sop_instance_uids)}


def _image_series(row: dict[str, Any]) -> ImageSeries:
    slices = row.pop("slices")
    return ImageSeries(**row, sop_instance_uids=tuple(slices.split("\\")) if slices else ())


def _ref_columns(ref: InstanceRef) -> dict[str, object]:
    names = ("sop_instance_uid", "sop_class_uid", "series_instance_uid", "study_instance_uid", "patient_id")
    return {name: getattr(ref, name) for name in names}


def _ref(row: dict[str, Any], modality: str) -> InstanceRef:
    return InstanceRef(
        sop_instance_uid=row["sop_instance_uid"],
        sop_class_uid=row.get("sop_class_uid"),
        modality=modality,
        series_instance_uid=row["series_instance_uid"],
        study_instance_uid=row["study_instance_uid"],
        patient_id=row["patient_id"],
    )


def _patient_columns(patient: Patient) -> dict[str, object]:
    names = ("patient_name", "patient_birth_date", "patient_sex")
    return {name: getattr(patient, name) for name in names}


def _patient(row: dict[str, Any]) -> Patient:
    birth_date = cast("date | None", row["patient_birth_date"])
    return Patient(row["patient_id"], row["patient_name"], birth_date, row["patient_sex"])
