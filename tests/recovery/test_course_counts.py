"""The list is laid out twice in a cycle: what did not change is counted and looked through once, what did, again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recovery.course import counts
from recovery.course.fractions import Course, count_fractions
from recovery.dicom.records import TreatmentRecord
from recovery.objects.treatment_summary import summaries_of
from recovery.on_treatment.rows import Evidence, build_rows
from recovery.overview.build import overview_rows
from recovery.overview.evidence import evidence_of
from recovery.overview.wanted_plans import next_appointments
from tests.archive_clinic import NOBODY, OneSite, delivery, local
from tests.objects import plan
from tests.recovery.test_untold_deliveries import recorded


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many records each count was made of."""
    seen: list[int] = []

    def count_and_note(records: Any, of_plan: Any, told: Any) -> Course:
        seen.append(len(records))
        return count_fractions(records, of_plan, told)

    monkeypatch.setattr(counts, "count_fractions", count_and_note)
    return seen


def test_a_course_is_counted_once_in_a_run_and_again_when_a_record_or_its_plan_is_read_anew(
    tmp_path: Path, counted: list[int]
) -> None:
    space = OneSite(tmp_path, NOBODY).space()
    for record in recorded([delivery(n, fraction_number=n, treated_at=local(9 - n)) for n in (1, 2)]):
        space.collection.records[record.ref.sop_instance_uid] = record
    for _ in range(2):
        evidence = evidence_of(space)
        rows, _ = overview_rows(space, evidence)
        assert len(summaries_of(evidence, rows)) == 1
    assert counted == [2]
    assert rows[0]["fractions_delivered"] == 2

    uid, record = next(iter(space.collection.records.items()))
    beam = replace(record.beams[0], specified_meterset=10.0, delivered_meterset=10.0)
    space.collection.records[uid] = replace(record, beams=(beam,))
    assert overview_rows(space, evidence_of(space))[0][0]["fractions_delivered"] == 1
    space.collection.add(plan({1: 10.0}, SOPInstanceUID="1.2.3.4", PatientID="00017R"))
    assert overview_rows(space, evidence_of(space))[0][0]["fractions_delivered"] == 2
    assert counted == [2, 2, 2]


def test_the_schedule_is_looked_through_once_and_again_when_it_is_read_anew(tmp_path: Path) -> None:
    space = OneSite(tmp_path, NOBODY).space()
    row = {"appointment_at": local(-1), "status": None, "treatment_machine_name": "TB1"}
    space.relational["schedule"] = [row | {"patient_id": "A"}]
    first = next_appointments(space)
    assert first == {"A": local(-1)}
    assert next_appointments(space) is first
    space.relational.clear()
    space.relational["schedule"] = [row | {"patient_id": "B"}]
    assert set(next_appointments(space)) == {"B"}


class Counted(list[TreatmentRecord]):
    """Records that count how often they are gone through."""

    times = 0

    def __iter__(self) -> Iterator[TreatmentRecord]:
        self.times += 1
        return super().__iter__()


def test_many_plans_that_are_booked_and_not_held_do_not_go_through_all_records_each() -> None:
    records = Counted(recorded([delivery(1, referenced_rt_plan_uid="1.2.9")]))
    booked = {f"1.2.3.{n}": "00017R" for n in range(50)}
    evidence = Evidence(records, {}, {}, {}, appointments={"00017R": local(-1)}, approved_for=booked)
    rows, _ = build_rows(evidence, local() + timedelta(hours=1), on_treatment_days=14)
    assert len(rows) == 51
    assert records.times < 5
