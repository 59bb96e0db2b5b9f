"""Records, plans, structure sets and image series as rows of their tables, and back again. Pure, no I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import time
from typing import TYPE_CHECKING, Any

from recovery.dicom.channels import ChannelPulses, ChannelTime
from recovery.dicom.model import InstanceRef, Patient
from recovery.dicom.plans import FractionGroup, ImageSeries, Plan, PlannedBeam, ReferencedSeries, StructureSet
from recovery.dicom.records import BeamDelivery, TreatmentRecord

if TYPE_CHECKING:
    from recovery.tables.schema import Row


_AGAIN = " again"
_OF_REF = ("sop_instance_uid", "sop_class_uid", "series_instance_uid", "study_instance_uid", "patient_id")
_OF_PATIENT = ("patient_name", "patient_birth_date", "patient_sex")
_OF_RECORD = (
    *("physicians_of_record", "treatment_date", "referenced_rt_plan_uid", "referenced_fraction_group_number"),
    *("number_of_fractions_planned", "treatment_machine_name", "treatment_record_content_origin", "written_date"),
    *("timezone_offset_from_utc", "names_verification"),
)
_OF_PLAN = ("rt_plan_label", "plan_intent", "rt_plan_geometry", "approval_status", "frame_of_reference_uid")
_NAMED_BY_PLAN = ("structure_set_uids", "dose_uids", "reference_image_uids")
"""Fields whose columns bear their names and hold them as they are; of a plan the last as JSON."""


def record_rows(record: TreatmentRecord) -> Iterator[Row]:
    shared = {
        **_columns(record.ref, _OF_REF),
        **_columns(record.patient, _OF_PATIENT),
        **_columns(record, _OF_RECORD),
        "treatment_time": _written_time(record.treatment_time),
    }
    nothing = BeamDelivery(None, None, None, None, None, None, None, None)
    for index, beam in enumerate(record.beams or (nothing,), start=1 if record.beams else 0):
        by_channel = {"pulses": _channels(beam.pulses), "channel_times": _channels(beam.channel_times)}
        own = {"beam_index": index, **by_channel}
        yield shared | _columns(beam, BeamDelivery.__slots__) | own


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
            treatment_time=_read_time(row["treatment_time"]),
            beams=tuple(
                BeamDelivery(**_fields(member, BeamDelivery.__slots__) | _by_channel(member))
                for member in sorted(members, key=lambda m: m["beam_index"])
                if member["beam_index"] > 0
            ),
            **_fields(row, _OF_RECORD),
        )


def _written_time(at: time | None) -> str | None:
    """`02:30:00`, and with `again` in the hour that a DST night repeats."""
    return None if at is None else f"{at.isoformat()}{_AGAIN if at.fold else ''}"


def _read_time(written: str | None) -> time | None:
    if not written:
        return None
    return time.fromisoformat(written.removesuffix(_AGAIN)).replace(fold=int(written.endswith(_AGAIN)))


def _channels(told: Iterable[ChannelPulses | ChannelTime]) -> str | None:
    written = [[one.channel_number, one.specified, one.delivered] for one in told]
    return json.dumps(written) if written else None


def _by_channel(row: dict[str, Any]) -> dict[str, Any]:
    kinds = {"pulses": ChannelPulses, "channel_times": ChannelTime}
    return {name: tuple(kind(*one) for one in json.loads(row[name] or "[]")) for name, kind in kinds.items()}


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
    groups = [[g.fraction_group_number, g.number_of_fractions_planned] for g in plan.fraction_groups]
    return {
        **_columns(plan.ref, _OF_REF),
        **_columns(plan.patient, _OF_PATIENT),
        **_columns(plan, _OF_PLAN),
        "predecessor_uids": "\\".join(plan.predecessor_uids),
        "beams": json.dumps([_columns(beam, PlannedBeam.__slots__) for beam in plan.beams]),
        "references": json.dumps({"fraction_groups": groups, **_columns(plan, _NAMED_BY_PLAN)}),
    }


def _plan(row: dict[str, Any]) -> Plan:
    references = json.loads(row["references"])
    named: dict[str, Any] = {name: tuple(references[name]) for name in _NAMED_BY_PLAN}
    return Plan(
        ref=_ref(row, "RTPLAN"),
        patient=_patient(row),
        fraction_groups=tuple(FractionGroup(*g) for g in references["fraction_groups"]),
        beams=tuple(map(_planned_beam, json.loads(row["beams"]))),
        predecessor_uids=tuple(filter(None, (row["predecessor_uids"] or "").split("\\"))),
        **named,
        **_fields(row, _OF_PLAN),
    )


def _planned_beam(said: dict[str, Any]) -> PlannedBeam:
    by_channel = {name: tuple(map(tuple, said.get(name, ()))) for name in ("pulses", "channel_times")}
    return PlannedBeam(**said | by_channel)


def structure_set_row(structure_set: StructureSet) -> Row:
    references = {
        "frame_of_reference_uids": structure_set.frame_of_reference_uids,
        "image_series": [
            [s.series_instance_uid, s.study_instance_uid, s.sop_instance_uids] for s in structure_set.image_series
        ],
        "contour_image_uids": structure_set.contour_image_uids,
    }
    columns = _columns(structure_set.ref, _OF_REF) | _columns(structure_set.patient, _OF_PATIENT)
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
    return {**_columns(series, names), "slices": "\\".join(series.sop_instance_uids)}


def _image_series(row: dict[str, Any]) -> ImageSeries:
    slices = row.pop("slices")
    return ImageSeries(**row, sop_instance_uids=tuple(slices.split("\\")) if slices else ())


def _columns(of: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(of, name) for name in names}


def _fields(row: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _ref(row: dict[str, Any], modality: str) -> InstanceRef:
    return InstanceRef(modality=modality, **_fields({"sop_class_uid": None} | row, _OF_REF))


def _patient(row: dict[str, Any]) -> Patient:
    return Patient(row["patient_id"], *(row[name] for name in _OF_PATIENT))
