"""A prescription, and a dose, in words. Pure."""

from __future__ import annotations

ABSENT = "—"


def gray(dose: float | None) -> str:
    """`2.67 Gy`"""
    return ABSENT if dose is None else f"{dose:.2f} Gy"


def prescribed(dose_per_fraction: float | None, number_of_fractions: int | None, total_dose: float | None) -> str:
    """`2.67 Gy × 15 = 40.05 Gy`, doses in Gy, with the dash for what is not told; the dash alone where nothing is."""
    if dose_per_fraction is None and number_of_fractions is None and total_dose is None:
        return ABSENT
    number = ABSENT if number_of_fractions is None else number_of_fractions
    return f"{gray(dose_per_fraction)} × {number} = {gray(total_dose)}"
