"""What was read from the RT-PACS so far: records, plans and structure sets, kept in the cache.

Goal
    An object is brought over the network and parsed once; the tables can be deleted at any time and come back.

How
    Three tables, loaded into dataclasses at the start of a job and written at its end where they changed.

Why
    Parsing is what the replaced tool's nightly report spent its time on. DICOM objects never change under their
    SOP Instance UID (PS3.3 C.12.1.1.1), so what was parsed once stays true.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, time, tzinfo
from typing import TYPE_CHECKING, Any, cast

from recovery.cache import Cache, CacheError
from recovery.model import TREATMENT_RECORD_CLASSES, InstanceRef, Patient
from recovery.plans import FractionGroup, ImageSeries, Plan, PlannedBeam, ReferencedSeries, StructureSet
from recovery.records import BeamDelivery, ChannelPulses, TreatmentRecord
from recovery.tables import IMAGE_SERIES, RT_PLANS, STRUCTURE_SETS, TREATMENT_RECORDS

if TYPE_CHECKING:
    from pydicom import Dataset

    from recovery.tables import Row, TableSchema

log = logging.getLogger(__name__)

SOURCE = "RT-PACS"
IN_PART = "RT-PACS, not all of it yet"
"""The source of a table of records that a run left before it had read all that the RT-PACS holds."""


class Collection:
    """Records, plans and structure sets by SOP Instance UID. `zone`: the site's, for times written in another.

    `has_all_records` is False until the RT-PACS was asked for every record that it holds, however old: after a damage,
    what a window brings must not be taken for all there is.
    """

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self.has_all_records = False
        self.was_asked_for_all = False
        """In this run; some of them could not be read."""
        self.records: dict[str, TreatmentRecord] = {}
        self.plans: dict[str, Plan] = {}
        self.structure_sets: dict[str, StructureSet] = {}
        self.image_series: dict[str, ImageSeries] = {}
        """Series that nobody named by their slices, by SeriesInstanceUID, as sources and RT-PACS listed them."""
        self._changed: set[str] = set()

    def add(self, ds: Dataset) -> None:
        """Take in an object from the RT-PACS; one that is neither record, plan nor structure set is passed over.

        Raises
        ------
        InvalidObjectError
            If it has no SOPInstanceUID.
        """
        ref = InstanceRef.from_dataset(ds)
        if ref.sop_class_uid in TREATMENT_RECORD_CLASSES:
            self.records[ref.sop_instance_uid] = TreatmentRecord.from_dataset(ds, self.zone)
            self._changed.add(TREATMENT_RECORDS.name)
        elif ref.modality == "RTPLAN" or "FractionGroupSequence" in ds:
            self.plans[ref.sop_instance_uid] = Plan.from_dataset(ds)
            self._changed.add(RT_PLANS.name)
        elif ref.modality == "RTSTRUCT":
            self.structure_sets[ref.sop_instance_uid] = StructureSet.from_dataset(ds)
            self._changed.add(STRUCTURE_SETS.name)

    def list_series(self, found: ImageSeries) -> None:
        """Take in a listing of an image series; what earlier ones told of it stays."""
        known = self.image_series.get(found.series_instance_uid)
        joined = known.joined(found) if known is not None else found
        if joined != known:
            self.image_series[found.series_instance_uid] = joined
            self._changed.add(IMAGE_SERIES.name)

    def __contains__(self, uid: object) -> bool:
        return uid in self.records or uid in self.plans or uid in self.structure_sets

    @classmethod
    def load(cls, cache: Cache, zone: tzinfo) -> Collection:
        """Read what the cache has; a table that is absent, damaged or of another version starts empty.

        So do records whose times were made local to another zone than `zone`, before the config was corrected.
        """
        collection = cls(zone)
        source = _source_of_records(cache)
        if source is None or source.endswith(_in_zone(zone)):
            collection.has_all_records = source is not None and not source.startswith(IN_PART)
            collection.records = {r.ref.sop_instance_uid: r for r in records_of_rows(_rows(cache, TREATMENT_RECORDS))}
        collection.plans = {p.ref.sop_instance_uid: p for p in plans_of_rows(_rows(cache, RT_PLANS))}
        collection.structure_sets = {
            s.ref.sop_instance_uid: s for s in structure_sets_of_rows(_rows(cache, STRUCTURE_SETS))
        }
        collection.image_series = {s.series_instance_uid: s for s in image_series_of_rows(_rows(cache, IMAGE_SERIES))}
        return collection

    def save(self, cache: Cache, now: datetime) -> None:
        """Write the tables that changed since they were loaded.

        Raises
        ------
        CacheError
            If one cannot be written; those before it still stand.
        """
        for schema, rows in (
            (TREATMENT_RECORDS, (row for r in self.records.values() for row in _record_rows(r))),
            (RT_PLANS, map(_plan_row, self.plans.values())),
            (STRUCTURE_SETS, map(_structure_set_row, self.structure_sets.values())),
            (IMAGE_SERIES, map(_image_series_row, self.image_series.values())),
        ):
            if schema.name in self._changed:
                source = SOURCE
                if schema is TREATMENT_RECORDS:
                    source = f"{SOURCE if self.has_all_records else IN_PART}{_in_zone(self.zone)}"
                cache.write(schema, rows, taken_at=now, source=source)
                self._changed.discard(schema.name)

    def note_all_records(self) -> None:
        """The RT-PACS was asked for every record, and what it gave is here."""
        if not self.has_all_records:
            self.has_all_records = True
            self._changed.add(TREATMENT_RECORDS.name)


def _source_of_records(cache: Cache) -> str | None:
    with suppress(CacheError):
        return cache.snapshot(TREATMENT_RECORDS).source
    return None


def _in_zone(zone: tzinfo) -> str:
    return f", times of {zone}"


def _rows(cache: Cache, schema: TableSchema) -> list[dict[str, Any]]:
    try:
        return cache.read(schema)
    except CacheError as error:
        log.info("table %s starts anew: %s", schema.name, error)
        return []


def _record_rows(record: TreatmentRecord) -> Iterator[Row]:
    shared = {
        **_ref_columns(record.ref),
        **_patient_columns(record.patient),
        "physicians_of_record": record.physicians_of_record,
        "treatment_date": record.treatment_date,
        "treatment_time": record.treatment_time.isoformat() if record.treatment_time is not None else None,
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
            treatment_time=time.fromisoformat(row["treatment_time"]) if row["treatment_time"] else None,
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


def _plan_row(plan: Plan) -> Row:
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


def _structure_set_row(structure_set: StructureSet) -> Row:
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


def _image_series_row(series: ImageSeries) -> Row:
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
