"""The side of a plan, and whose it is."""

from __future__ import annotations

import pytest

from backup_jobs.rv.machines import side_said
from recovery.words.prescription import laterality, with_side_in_capitals


@pytest.mark.parametrize(
    ("own", "course", "diagnoses", "said"),
    [
        ("Left", "Right", "Breast", "Left"),
        (None, "Right", "Breast, upper outer", "Right: Breast, upper outer (of the diagnosis)"),
        (None, "Right", None, "Right (of the diagnosis)"),
        (
            None,
            "Right: Breast; Left: Lung",
            "Breast; Lung",
            "Right: Breast (of the diagnosis); Left: Lung (of the diagnosis)",
        ),
        (None, None, "Prostate", None),
        (None, None, None, None),
    ],
)
def test_a_side_is_the_prescriptions_or_says_that_it_is_not(
    own: str | None, course: str | None, diagnoses: str | None, said: str | None
) -> None:
    assert laterality(own, course, diagnoses) == said


def test_on_paper_the_side_is_in_capitals_and_its_site_is_not() -> None:
    assert with_side_in_capitals("Left") == "LEFT"
    assert with_side_in_capitals("Not Applicable: Prostate (of the diagnosis)").startswith("Not Applicable: "), (
        "no side"
    )
    assert with_side_in_capitals("Right: Breast (of the diagnosis)") == "RIGHT: Breast (of the diagnosis)"


@pytest.mark.parametrize(
    ("texts", "side"),
    [
        (("Femur Left", None), "Left"),
        (("Mamma", "Boost rechts"), "Right"),
        (("LEFT breast", "left breast boost"), "Left"),
        (("Lung left", "Lung right"), "Left and Right"),
        (("beide Lungen",), "Bilateral"),
        (("L Spine", "RT Femur", "Brightness"), None),
        ((None, ""), None),
    ],
)
def test_only_whole_words_are_sides(texts: tuple[str | None, ...], side: str | None) -> None:
    assert side_said(*texts) == side
