"""Whom and what to restore, by the cache alone."""

from __future__ import annotations

from pathlib import Path

from recovery.restoring.contents import needed_by_plans
from recovery.tables.schema import RT_PLANS, TREATMENT_RECORDS
from tests.recovery.patient_clinic import NOW, Clinic, bo


def test_a_plan_under_treatment_that_the_rt_pacs_does_not_hold_is_needed_all_the_same(tmp_path: Path) -> None:
    clinic = Clinic()
    bo(clinic)
    cache = clinic.write(tmp_path)
    needed = needed_by_plans(cache, [("100377",)])
    cache.write(RT_PLANS, [], taken_at=NOW, source="test")
    records = {row["sop_instance_uid"] for row in cache.read(TREATMENT_RECORDS)}
    (plan,) = needed_by_plans(cache, [("100377",)])["100377"] - records
    assert plan in needed["100377"] and records < needed["100377"]
