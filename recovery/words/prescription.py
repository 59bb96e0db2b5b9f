"""A prescription, and a dose, in words. Pure."""

from collections.abc import Mapping
from typing import Any

from recovery.words.values import ABSENT

OF_THE_PLAN = "(of the plan)"


def gray(dose: float | None) -> str:
    """`2.67 Gy`"""
    return ABSENT if dose is None else f"{dose:.2f} Gy"


def prescribed(dose_per_fraction: float | None, number_of_fractions: int | None, total_dose: float | None) -> str:
    """`2.67 Gy × 15 = 40.05 Gy`, doses in Gy, with the dash for what is not told; the dash alone where nothing is."""
    if dose_per_fraction is None and number_of_fractions is None and total_dose is None:
        return ABSENT
    number = ABSENT if number_of_fractions is None else number_of_fractions
    return f"{gray(dose_per_fraction)} × {number} = {gray(total_dose)}"


def prescribed_or_planned(prescription: Mapping[str, Any] | None, plan: Mapping[str, Any] | None) -> str | None:
    """The prescription's dose; where it tells none, the plan's per fraction times its fractions, which says so.

    Both are rows of the tables of those names, or None. None where neither tells a dose.
    """
    own, said = prescription or {}, plan or {}
    told = prescribed(own.get("dose_per_fraction"), own.get("number_of_fractions"), own.get("total_dose"))
    if told != ABSENT:
        return told
    dose, number = said.get("dose_per_fraction"), said.get("number_of_fractions_planned")
    if dose is None:
        return None
    return f"{prescribed(dose, number, None if number is None else dose * number)} {OF_THE_PLAN}"
