"""Every warning and the next fraction are worded once, and say what is known and no more."""

from __future__ import annotations

from datetime import datetime

import pytest

from recovery.words import notices
from recovery.words.notices import Next
from recovery.words.statuses import OVER
from tests.app import clinic

SINCE = datetime(2026, 11, 24, 9, 5)  # noqa: DTZ001  local to the site


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "5 next of 30 (4 given)"),
        ({"course_number_of_fractions_planned": None}, "5 next of — (4 given)"),
        ({"course_fractions_delivered": 12, "next_fraction_number": 13}, "13 next of 30 (12 given)"),
        ({"interrupted_fraction": 5, "interrupted_meterset_remaining": 1.0}, "finish 5 of 30 first (4 given)"),
        (
            {"interrupted_fraction": 14, "next_fraction_number": 14},
            "finish 14 first, as 5th of 30 (4 given)",
        ),
        ({"records_held": False}, "— (4 of 30 proven, records are missing)"),
        ({"records_held": False, "interrupted_fraction": 5}, "— (5 begun, 4 of 30 proven, records are missing)"),
        ({"next_fraction_number": 15}, "15 next, as 5th of 30 (4 given)"),
        ({"next_fraction_number": None}, "—"),
        ({"records_held": None}, "5 next of 30 (4 given)"),
        ({"status": "completed", "course_fractions_delivered": 30}, "none (30 of 30 given)"),
        ({"fractions_remaining": 0, "course_fractions_delivered": 31}, "none (31 of 30 given)"),
        ({"status": "superseded"}, "none: superseded"),
        ({"status": "closed"}, "none: closed"),
        ({"unknown_since": SINCE}, "unknown: 5 next of 30 (4 given), unless treated since Tue 24 Nov 09:05"),
    ],
)
def test_the_next_fraction_is_never_guessed(changes: dict[str, object], said: str) -> None:
    told, is_next = notices.next_fraction(clinic.row("A", "1", "P", 4) | changes)
    assert told == said
    kind = Next.UNKNOWN if said.startswith("unknown") else Next.NONE if said[0] in "n—" else Next.DUE
    assert is_next is kind


def test_a_count_that_nobody_made_is_a_dash() -> None:
    assert notices.next_fraction(clinic.row("A", "1", "P", None)) == ("—", Next.NONE)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        (
            {"interrupted_fraction": 5, "interrupted_remaining_in_words": "50.0 MU left"},
            ["■ INTERRUPTED: finish fraction 5 first, 50.0 MU left"],
        ),
        (
            {"interrupted_fraction": 5, "records_held": False, "ready": False, "missing": "records of fraction 3"},
            [
                "■ INTERRUPTED: finish fraction 5 first, — left; records are missing, so that it may have been done",
                "■ NOT READY: missing records of fraction 3",
            ],
        ),
        ({"ready": None, "missing": None}, ["■ NOT READY: not known to be held: anything"]),
        ({"ready": False, "missing": "1 of 28 images"}, ["■ NOT READY: missing 1 of 28 images"]),
        ({"disagreement": "x in DICOM, y in the R&V database"}, ["■ DISAGREEMENT: x in DICOM, y in the R&V database"]),
        ({"unknown_since": SINCE}, ["▲ UNKNOWN since Tue 24 Nov 09:05: may have been treated since, ask the machine"]),
        ({"remarks": "odd"}, ["▲ REMARK: odd"]),
        ({"status": "completed", "interrupted_fraction": 5, "ready": False, "missing": "plan"}, []),
        ({"status": "closed", "disagreement": "x; y"}, ["■ DISAGREEMENT: x; y"]),
    ],
)
def test_what_must_be_looked_at_is_said_with_its_weight(changes: dict[str, object], said: list[str]) -> None:
    assert list(map(str, notices.of_row(clinic.row("A", "1", "P", 4) | changes))) == said


def test_a_plan_that_is_over_says_so_first_on_its_own_page() -> None:
    row = clinic.row("A", "1", "P", 4)
    assert list(notices.ended(row)) == []
    for status in OVER:
        [notice] = notices.ended(row | {"status": status})
        assert notice.is_stop and str(notice).startswith(f"■ {status.upper()}: ")
