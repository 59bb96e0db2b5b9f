"""The dose of one beam is not the plan's: it is added to the others, or says of how many it is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from recovery.dicom.plans import FractionGroup, Plan, PlannedBeam
from recovery.pictures.dose import DoseGrid, dose_of_plan
from recovery.pictures.refusals import PictureError
from tests.objects import item
from tests.pictures.objects import dose_of
from tests.recovery.courses import plain_plan

FIVE = plain_plan(dict.fromkeys(range(1, 6), 40.0))
AT = (-8.0, -8.0, 0.0)
OFFSETS = (0.0, 3.0, 6.0)


def dose(
    beams: Sequence[int] = (), gray: float = 14.0, kind: str = "BEAM", group: int | None = 1, **more: Any
) -> DoseGrid:
    groups = [item(ReferencedFractionGroupNumber=group)] if group is not None else []
    if beams and groups:
        groups[0].ReferencedBeamSequence = [item(ReferencedBeamNumber=n) for n in beams]
    named = item(ReferencedSOPInstanceUID="plan", ReferencedFractionGroupSequence=groups)
    values = np.full((3, 4, 4), gray)
    position = more.pop("position", AT)
    ds = dose_of("plan", values, position, OFFSETS, DoseSummationType=kind, ReferencedRTPlanSequence=[named], **more)
    return DoseGrid.from_dataset(ds)


def test_the_doses_of_all_five_beams_are_added_up() -> None:
    """Case c17."""
    whole = dose_of_plan([dose([n]) for n in range(1, 6)], FIVE)
    assert whole.maximum == pytest.approx(70.0)
    assert (whole.is_whole, whole.is_of) == (True, "the whole plan, 5 beams added up")


@pytest.mark.parametrize(
    ("beams", "said"),
    [([[3]], "1 of 5 beams only"), ([[1], [4]], "2 of 5 beams only"), ([[1, 2], [3]], "3 of 5 beams only")],
)
def test_where_beams_lack_it_says_how_many_there_are(beams: list[list[int]], said: str) -> None:
    part = dose_of_plan([dose(numbers) for numbers in beams], FIVE)
    assert (part.is_whole, part.is_of) == (False, said)
    assert part.maximum == pytest.approx(14.0 * len(beams))


def test_a_dose_of_several_beams_is_added_as_one() -> None:
    whole = dose_of_plan([dose([1, 2]), dose([3, 4, 5], 28.0)], FIVE)
    assert (whole.is_whole, whole.maximum) == (True, pytest.approx(42.0))


def test_the_dose_of_the_plan_is_taken_before_its_parts() -> None:
    whole = dose_of_plan([*(dose([n]) for n in range(1, 6)), dose(kind="PLAN", gray=69.5)], FIVE)
    assert (whole.is_whole, whole.maximum) == (True, pytest.approx(69.5))


def test_doses_on_different_grids_are_not_added() -> None:
    part = dose_of_plan([dose([1]), *(dose([n], position=(0.0, 0.0, 0.0)) for n in range(2, 6))], FIVE)
    assert part.is_whole is False
    assert "of 5 beams only" in part.is_of


def test_the_same_dose_again_is_not_added_twice_and_another_of_the_same_beam_leaves_doubt() -> None:
    five = [dose([n]) for n in range(1, 6)]
    assert dose_of_plan([*five, dose([2])], FIVE).maximum == pytest.approx(70.0)
    assert dose_of_plan([*five, dose([2])], FIVE).is_whole is True
    assert dose_of_plan([*five, dose([2], 10.0)], FIVE).is_whole is False


def test_physical_and_effective_dose_are_not_added() -> None:
    part = dose_of_plan([dose([n], DoseType="PHYSICAL" if n < 3 else "EFFECTIVE") for n in range(1, 6)], FIVE)
    assert (part.is_whole, part.is_of) == (False, "2 of 5 beams only")


def test_a_beam_that_is_not_named_is_one_of_five() -> None:
    part = dose_of_plan([dose(group=None), dose(group=None)], FIVE)
    assert (part.is_whole, part.is_of, part.maximum) == (False, "1 of 5 beams only", pytest.approx(14.0))


def two_groups() -> Plan:
    beams = tuple(PlannedBeam(1, None, group, "TREATMENT", 100.0, "TB1") for group in (1, 2))
    return plain_plan({}, fraction_groups=(FractionGroup(1, 25), FractionGroup(2, 8)), beams=beams)


def test_the_dose_of_a_fraction_group_is_the_plans_where_it_is_the_only_one() -> None:
    assert dose_of_plan([dose(kind="FRACTION", gray=60.0)], FIVE).is_whole is True
    assert dose_of_plan([dose(kind="FRACTION", gray=60.0, group=None)], FIVE).is_whole is True
    one = dose_of_plan([dose(kind="FRACTION", gray=50.0, group=2)], two_groups())
    assert (one.is_whole, one.is_of) == (False, "1 of 2 fraction groups only")
    both = [dose(kind="FRACTION", gray=g, group=n) for n, g in ((1, 50.0), (2, 16.0))]
    assert dose_of_plan(both, two_groups()).maximum == pytest.approx(66.0)


def test_beams_of_one_number_in_two_groups_are_two_beams() -> None:
    part = dose_of_plan([dose([1], group=1)], two_groups())
    assert (part.is_whole, part.is_of) == (False, "1 of 2 beams only")


@pytest.mark.parametrize("kind", ["CONTROL_POINT", "RECORD", "MULTI_PLAN"])
def test_any_other_dose_is_called_a_part(kind: str) -> None:
    part = dose_of_plan([dose([1], kind=kind)], FIVE)
    assert (part.is_whole, part.is_of) == (False, f"a part of the plan ({kind})")


def test_no_dose_is_no_picture() -> None:
    with pytest.raises(PictureError, match="no dose of this plan"):
        dose_of_plan([], FIVE)
