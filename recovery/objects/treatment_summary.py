"""RT Treatment Summary Records: per patient and plan, how far the treatment has come, in standard attributes.

PS3.3 A.31, with the counts of `recovery.course.fractions`. An object's UID is derived from its `TreatmentSummary`; new
facts are a new object in the same series, and the newest counts. CumulativeDoseToDoseReference (3008,0052) is left out:
no table says what dose a reference point has got.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, cast

from recovery.course.fractions import Course
from recovery.dicom.model import RT_BRACHY_TREATMENT_RECORD, RT_PLAN, RT_TREATMENT_SUMMARY_RECORD, Patient
from recovery.objects.modules import Place, derived_uid, item, new_object, number_of_moment, reference, with_elements
from recovery.objects.text import written_day, written_text, written_time, written_uid
from recovery.words import notices

if TYPE_CHECKING:
    from pydicom import Dataset

    from recovery.dicom.plans import Plan
    from recovery.dicom.records import TreatmentRecord
    from recovery.on_treatment.evidence import Counted, Listed
    from recovery.tables.schema import Row

SERIES_DESCRIPTION = "RBRDT treatment summary"
"""By this a C-FIND tells these objects, which are Modality RTRECORD, from records of delivered sessions."""

STATUSES: Mapping[str, str] = {
    "ready_to_start": "NOT_STARTED",
    "on_treatment": "ON_TREATMENT",
    "on_break": "ON_BREAK",
    "completed": "COMPLETED",
    "superseded": "STOPPED",
    "closed": "STOPPED",
    "transferred": "STOPPED",
}
"""CurrentTreatmentStatus (PS3.3 C.8.8.23) by the dashboard's status."""


@dataclass(frozen=True, slots=True)
class FractionSummary:
    """A fraction that was begun."""

    fraction_number: int
    treated_at: datetime | None
    is_complete: bool


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """A fraction group of the plan; `kind` is a FractionGroupType, or empty where no record tells."""

    fraction_group_number: int | None
    kind: str
    number_of_fractions_planned: int | None
    fractions: tuple[FractionSummary, ...]

    @property
    def fractions_delivered(self) -> int:
        return sum(fraction.is_complete for fraction in self.fractions)


@dataclass(frozen=True, slots=True)
class TreatmentSummary:
    """All that an object says, but for the moment when it was made."""

    patient: Patient
    study_instance_uid: str
    referenced_rt_plan_uid: str
    rt_plan_class_uid: str
    status: str
    comment: str
    first_treatment_at: datetime | None
    last_treatment_at: datetime | None
    groups: tuple[GroupSummary, ...]

    @property
    def sop_instance_uid(self) -> str:
        facts = json.dumps(asdict(self), default=str, sort_keys=True)
        return derived_uid("treatment summary 1", hashlib.sha256(facts.encode("utf-8", "replace")).hexdigest())

    @property
    def series_instance_uid(self) -> str:
        patient_id = self.patient.patient_id or ""
        return derived_uid("treatment summaries", self.study_instance_uid, patient_id, self.referenced_rt_plan_uid)

    def dataset(self, made_at: datetime) -> Dataset:
        """The object; `made_at` is local to the site.

        Raises `UnwritableError` if the patient's id or the plan's UID cannot be written in DICOM.
        """
        place = Place(
            self.patient, self.study_instance_uid, self.series_instance_uid, SERIES_DESCRIPTION, modality="RTRECORD"
        )
        ds = new_object(RT_TREATMENT_SUMMARY_RECORD, self.sop_instance_uid, place, made_at)
        plan_uid = written_uid(self.referenced_rt_plan_uid)
        return with_elements(
            ds,
            OperatorsName="",
            InstanceNumber=number_of_moment(made_at),
            TreatmentDate=written_day(self.last_treatment_at),
            TreatmentTime=written_time(self.last_treatment_at),
            ReferencedRTPlanSequence=[reference(self.rt_plan_class_uid, plan_uid)],
            CurrentTreatmentStatus=self.status,
            TreatmentStatusComment=written_text(self.comment, "ST") or None,
            FirstTreatmentDate=written_day(self.first_treatment_at),
            MostRecentTreatmentDate=written_day(self.last_treatment_at),
            FractionGroupSummarySequence=[_group(group) for group in self.groups] or None,
        )


def summaries_of(listed: Listed) -> list[TreatmentSummary]:
    """One for each row of `on_treatment` that names a patient and a plan, from the course of that row."""
    keyed = (((row["patient_id"], row["referenced_rt_plan_uid"]), row) for row in listed.rows)
    return [_summary(row, listed.courses[key]) for key, row in keyed if None not in key]  # type: ignore[index]


def _summary(row: Row, counted: Counted) -> TreatmentSummary:
    patient, plan, course = patient_of(row), counted.plan, counted.course
    plan_uid = str(row["referenced_rt_plan_uid"])
    status = STATUSES[str(row["status"])]
    return TreatmentSummary(
        patient=patient,
        study_instance_uid=study_of(plan, plan_uid),
        referenced_rt_plan_uid=plan_uid,
        rt_plan_class_uid=(plan.ref.sop_class_uid if plan is not None else None) or RT_PLAN,
        status=status if course.is_treated or status != "ON_TREATMENT" else "NOT_STARTED",
        comment=_comment(row),
        first_treatment_at=course.first_treatment_at,
        last_treatment_at=course.last_treatment_at,
        groups=tuple(_groups(course, plan, _kind(counted.records))),
    )


def patient_of(row: Row) -> Patient:
    """Who a row of `on_treatment` or `patients` is about."""
    return Patient(
        cast("str | None", row["patient_id"]),
        cast("str | None", row["patient_name"]),
        cast("date | None", row["patient_birth_date"]),
        cast("str | None", row["patient_sex"]),
    )


def study_of(plan: Plan | None, plan_uid: str) -> str:
    """The plan's study; one of its own where the plan is nowhere held."""
    return (plan.ref.study_instance_uid if plan is not None else None) or derived_uid("study of plan", plan_uid)


def _kind(records: Sequence[TreatmentRecord]) -> str:
    if not records:
        return ""
    are_brachy = all(record.ref.sop_class_uid == RT_BRACHY_TREATMENT_RECORD for record in records)
    return "BRACHY" if are_brachy else "EXTERNAL_BEAM"


def _groups(course: Course, plan: Plan | None, kind: str) -> Iterable[GroupSummary]:
    """The plan's fraction groups, or those that the records name."""
    planned: dict[int | None, int | None] = {}
    for group in plan.fraction_groups if plan is not None else ():
        planned[group.fraction_group_number] = group.number_of_fractions_planned
    if not planned:
        named = list(dict.fromkeys(f.fraction_group_number for f in course.fractions)) or [None]
        planned = dict.fromkeys(named, course.number_of_fractions_planned if len(named) == 1 else None)
    for number, fractions_planned in planned.items():
        fractions = tuple(
            FractionSummary(f.fraction_number, f.last_treatment_at, f.is_complete)
            for f in course.fractions
            if f.fraction_group_number == number
        )
        yield GroupSummary(number, kind, fractions_planned, fractions)


def _comment(row: Row) -> str:
    """What the standard attributes cannot say: an interrupted fraction, and the plans before this one."""
    told = (*notices.ended(row), *notices.interrupted(row))
    words = [f"{notice.unmarked}." for notice in told if notice.word != "COMPLETED"]
    if row["earlier_plans"]:
        words.append(f"Before, with earlier plans: {row['earlier_plans']}.")
    return " ".join(words)


def _group(group: GroupSummary) -> Dataset:
    planned = group.number_of_fractions_planned
    return item(
        ReferencedFractionGroupNumber=group.fraction_group_number,
        FractionGroupType=group.kind,
        NumberOfFractionsPlanned="" if planned is None else planned,
        NumberOfFractionsDelivered=group.fractions_delivered,
        FractionStatusSummarySequence=[_fraction(fraction) for fraction in group.fractions] or None,
    )


def _fraction(fraction: FractionSummary) -> Dataset:
    return item(
        ReferencedFractionNumber=fraction.fraction_number,
        TreatmentDate=written_day(fraction.treated_at),
        TreatmentTime=written_time(fraction.treated_at),
        TreatmentTerminationStatus="NORMAL" if fraction.is_complete else "",
    )
