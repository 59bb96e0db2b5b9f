"""What the list is made from is counted and looked through once in a run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recovery.course.fractions import Course, count_fractions
from recovery.dicom.records import TreatmentRecord
from recovery.objects.treatment_summary import summaries_of
from recovery.on_treatment.evidence import Evidence
from recovery.on_treatment.rows import build_rows
from recovery.overview.build import overview_rows
from recovery.overview.evidence import evidence_of
from recovery.overview.wanted_plans import next_appointments
from tests.archive_clinic import NOBODY, OneSite, delivery, local
from tests.recovery.test_untold_deliveries import recorded


def test_a_course_is_counted_once_for_the_list_and_the_summaries_that_tell_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []

    def count_and_note(records: Any, of_plan: Any, told: Any) -> Course:
        counted.append(len(records))
        return count_fractions(records, of_plan, told)

    monkeypatch.setattr("recovery.on_treatment.rows.count_fractions", count_and_note)
    space = OneSite(tmp_path, NOBODY).space()
    for record in recorded([delivery(n, fraction_number=n, treated_at=local(9 - n)) for n in (1, 2)]):
        space.collection.records[record.ref.sop_instance_uid] = record
    listed = overview_rows(space, evidence_of(space))
    (summary,) = summaries_of(listed)
    assert counted == [2]
    assert listed.rows[0]["fractions_delivered"] == 2
    assert [group.fractions_delivered for group in summary.groups] == [2]


def test_the_schedule_is_looked_through_once_and_again_when_it_is_read_anew(tmp_path: Path) -> None:
    site = OneSite(tmp_path, NOBODY)
    space = site.space()
    row = {"appointment_at": local(-1), "status": None, "treatment_machine_name": "TB1"}
    site.write("schedule", [row | {"patient_id": "A", "appointment_id": "1"}])
    first = next_appointments(space)
    assert first == {"A": local(-1)}
    assert next_appointments(space) is first
    site.write("schedule", [row | {"patient_id": "B", "appointment_id": "1"}])
    assert next_appointments(space) is first, "all that one run reads is of one moment"
    space.tables.forget()
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
    listed = build_rows(evidence, local() + timedelta(hours=1), on_treatment_days=14)
    assert len(listed.rows) == 51
    assert records.times < 5
