"""A prescription, a dose and a side in words. Pure."""

from collections.abc import Mapping
from typing import Any

from recovery.words.sentences import joined, parted
from recovery.words.values import ABSENT

OF_THE_PLAN = "(of the plan)"


def gray(dose: float | None) -> str:
    """`2.67 Gy`"""
    return ABSENT if dose is None else f"{dose:.2f} Gy"


def prescribed(dose_per_fraction: float | None, number_of_fractions: int | None, total_dose: float | None) -> str:
    """`2.67 Gy × 15 = 40.05 Gy`, doses in Gy, with the dash for what is not told; the dash alone where nothing is. What
    does not come to the total by more than a rounded dose says so."""
    if dose_per_fraction is None and number_of_fractions is None and total_dose is None:
        return ABSENT
    number = ABSENT if number_of_fractions is None else number_of_fractions
    is_other = None not in (dose_per_fraction, number_of_fractions, total_dose) and (
        abs((dose_per_fraction or 0.0) * (number_of_fractions or 0) - (total_dose or 0.0)) > 0.01 * (total_dose or 0.0)
    )
    return f"{gray(dose_per_fraction)} × {number}{', but in all' if is_other else ' ='} {gray(total_dose)}"


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


OF_THE_DIAGNOSIS = "(of the diagnosis)"
_BETWEEN_SIDE_AND_SITE = ": "


def of_a_site(side: str, site: str | None) -> str:
    """`Right: Breast, upper outer`, one of a course's several diagnoses."""
    return f"{side}{_BETWEEN_SIDE_AND_SITE}{site}" if site else side


def laterality(own: str | None, of_the_course: str | None, diagnoses: str | None) -> str | None:
    """`Left` where the prescription says it; else `Right: Breast (of the diagnosis)`, each that the course has.

    `of_the_course` is the column `courses.laterality`: the one diagnosis' side, or each with its site.
    """
    if own or not of_the_course:
        return own
    sides = parted(of_the_course)
    said = (side if _BETWEEN_SIDE_AND_SITE in side else of_a_site(side, diagnoses) for side in sides)
    return joined(f"{side} {OF_THE_DIAGNOSIS}" for side in said)


def with_side_in_capitals(said: str) -> str:
    """`RIGHT: Breast (of the diagnosis)`, for paper."""
    parts = (part.partition(_BETWEEN_SIDE_AND_SITE) for part in parted(said))
    return joined(f"{side if is_no_side(side) else side.upper()}{between}{site}" for side, between, site in parts)


def is_no_side(side: str) -> bool:
    """Whether an R&V system writes it where a site has none."""
    return side.casefold() in {"", "not applicable", "none", "unspecified"}
