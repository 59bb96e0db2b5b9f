"""The dose in words, and whose it is."""

from __future__ import annotations

from typing import Any

import pytest

from recovery.words.prescription import prescribed_or_planned

PLAN = {"dose_per_fraction": 2.0, "number_of_fractions_planned": 25}


@pytest.mark.parametrize(
    ("own", "plan", "said"),
    [
        ({"dose_per_fraction": 2.67, "number_of_fractions": 15, "total_dose": 40.05}, PLAN, "2.67 Gy × 15 = 40.05 Gy"),
        ({"dose_per_fraction": None, "number_of_fractions": 15, "total_dose": None}, PLAN, "— × 15 = —"),
        (None, PLAN, "2.00 Gy × 25 = 50.00 Gy (of the plan)"),
        ({}, PLAN, "2.00 Gy × 25 = 50.00 Gy (of the plan)"),
        (None, {**PLAN, "number_of_fractions_planned": None}, "2.00 Gy × — = — (of the plan)"),
        (None, {**PLAN, "dose_per_fraction": None}, None),
        (None, None, None),
    ],
)
def test_a_dose_is_the_prescriptions_or_says_that_it_is_the_plans(
    own: dict[str, Any] | None, plan: dict[str, Any] | None, said: str | None
) -> None:
    assert prescribed_or_planned(own, plan) == said
