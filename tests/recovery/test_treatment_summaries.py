"""A summary says what the dashboard's row says, in the standard's words, and nothing that nobody recorded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from pydicom import Dataset

from recovery.dicom.plans import Plan
from recovery.dicom.records import TreatmentRecord
from recovery.objects.treatment_summary import STATUSES, TreatmentSummary, summaries_of
from recovery.on_treatment.evidence import Evidence
from recovery.on_treatment.rows import build_rows
from tests.archive_clinic import saved
from tests.recovery.courses import FULL, TWO_BEAMS, day, session

MADE_AT = datetime(2026, 11, 12, 12, 0)  # noqa: DTZ001  site-local


def summaries(
    records: list[TreatmentRecord], plans: Mapping[str, Plan] | None = None, **evidence: Any
) -> list[TreatmentSummary]:
    known = {TWO_BEAMS.ref.sop_instance_uid: TWO_BEAMS} if plans is None else plans
    whole = Evidence(records=records, plans=known, structure_sets={}, backups={}, **evidence)
    return summaries_of(build_rows(whole, day(11), on_treatment_days=14))


def the_object(records: list[TreatmentRecord], **evidence: Any) -> Dataset:
    (summary,) = summaries(records, **evidence)
    return summary.dataset(MADE_AT)


def test_every_status_of_the_dashboard_has_its_word() -> None:
    over = {"completed", "superseded", "closed", "transferred"}
    assert set(STATUSES) == {"on_treatment", "on_break", "ready_to_start", *over}


def test_an_interrupted_fraction_is_listed_not_counted_and_told_in_words() -> None:
    whole = [session(TWO_BEAMS, n, FULL) for n in range(1, 8)]
    broken = session(TWO_BEAMS, 8, {1: 100.0, 2: 10.0})
    ds = the_object([*whole, broken])
    (group,) = ds.FractionGroupSummarySequence
    assert (group.NumberOfFractionsDelivered, group.NumberOfFractionsPlanned) == (7, 20)
    assert group.FractionGroupType == "EXTERNAL_BEAM"
    last = group.FractionStatusSummarySequence[-1]
    assert (last.ReferencedFractionNumber, last.TreatmentTerminationStatus) == (8, "")
    assert ds.TreatmentStatusComment == "INTERRUPTED: finish fraction 8 first, 40.0 MU left."


def test_a_plan_that_is_not_held_leaves_empty_what_only_it_knows() -> None:
    record = session("1.2.3.99", 1, {1: 100.0}, specified=100.0)
    (summary,) = summaries([record], plans={})
    assert summary.study_instance_uid.startswith("2.25.")
    (group,) = summary.dataset(MADE_AT).FractionGroupSummarySequence
    assert "ReferencedFractionGroupNumber" not in group


def test_records_that_tell_no_fraction_make_no_fraction_group_up() -> None:
    (summary,) = summaries([session("1.2.3.99", None, {})], plans={})
    (group,) = summary.dataset(MADE_AT).FractionGroupSummarySequence
    assert "ReferencedFractionGroupNumber" not in group and "FractionStatusSummarySequence" not in group
    assert (group.NumberOfFractionsDelivered, group.NumberOfFractionsPlanned) == (0, 20)


def test_who_was_set_up_and_not_treated_has_not_started() -> None:
    patient_id, plan_uid = TWO_BEAMS.ref.patient_id, TWO_BEAMS.ref.sop_instance_uid
    assert patient_id is not None
    set_up = session(TWO_BEAMS, 1, {1: None}, delivery_type="SETUP")
    ds = the_object([set_up], appointments={patient_id: day(12)}, told={(patient_id, plan_uid): "unapproved"})
    assert ds.CurrentTreatmentStatus == "NOT_STARTED"


def test_a_plan_that_waits_for_its_first_fraction_has_not_started() -> None:
    plan_uid, patient_id = TWO_BEAMS.ref.sop_instance_uid, TWO_BEAMS.ref.patient_id
    assert plan_uid is not None and patient_id is not None
    ds = the_object([], appointments={patient_id: day(12)}, told={(patient_id, plan_uid): "treatment approved"})
    assert ds.CurrentTreatmentStatus == "NOT_STARTED"
    assert ds.FirstTreatmentDate == ds.MostRecentTreatmentDate == ds.TreatmentDate == ""
    (group,) = ds.FractionGroupSummarySequence
    assert (group.NumberOfFractionsDelivered, group.FractionGroupType) == (0, "")


def test_the_same_facts_give_the_same_uid_and_each_new_fact_another_one_in_the_same_series() -> None:
    one = [session(TWO_BEAMS, 1, FULL)]
    two = [*one, session(TWO_BEAMS, 2, FULL)]
    (first,), (again,), (second,) = summaries(one), summaries(one), summaries(two)
    assert first.sop_instance_uid == again.sop_instance_uid != second.sop_instance_uid
    assert first.series_instance_uid == second.series_instance_uid
    assert first.dataset(MADE_AT) == again.dataset(MADE_AT)


def test_records_without_a_plan_or_a_patient_have_no_summary() -> None:
    assert summaries([session(None, 1, {1: 100.0})]) == []


@pytest.mark.parametrize("name", ["山田, 太郎", 'O\'NEIL "BO", JR., Zoë', "EMOJI😀"])
def test_a_summary_of_any_name_is_a_valid_file(name: str, tmp_path: Any) -> None:
    from dataclasses import replace

    from pydicom import dcmread

    from tests.archive_clinic import DCIODVFY, NO_DCIODVFY, errors_of

    (summary,) = summaries([session(TWO_BEAMS, 1, FULL)])
    named = replace(summary, patient=replace(summary.patient, patient_name=name))
    path = saved(named.dataset(MADE_AT), tmp_path / "summary.dcm")
    assert str(dcmread(path).PatientName) == (", ".join(name.split(", ")[:-1]) + "^" + name.split(", ")[-1]).lstrip("^")
    if not DCIODVFY.exists():
        pytest.skip(NO_DCIODVFY)
    assert errors_of(path) == []
