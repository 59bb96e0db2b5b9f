"""Each column is described once, is shown somewhere, and is there where it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from recovery.lists import columns, gaps, rows
from recovery.lists.columns import COLUMNS, Shown
from recovery.tables.schema import ON_TREATMENT
from tests.app import clinic
from tests.app.frames import frame_of

PROJECT = Path(__file__).parents[2]
LISTS = {name: value for name, value in vars(columns).items() if isinstance(value, Shown)}
READERS = ("app", "recovery/words", "recovery/patient", "recovery/charting", "recovery/identity")
OF_THE_CONTRACT = {"course_plan_labels", "interrupted_meterset_remaining", "proven_at", "status_without_transfer"}
"""Read by scripts: pages show the ledger, say what remains in its unit, and how old the newest proof is. The last, by
what puts a transfer into each row before any page sees it."""


def places(shown: Shown) -> dict[str, tuple[str, ...]]:
    return {"page": tuple(shown.page), "paper": tuple(shown.paper), "excel": tuple(shown.excel)}


def test_every_described_column_is_shown_and_every_shown_one_is_described() -> None:
    named = {name for shown in LISTS.values() for names in places(shown).values() for name in names}
    assert named == COLUMNS.keys()


@pytest.mark.parametrize("name", LISTS)
def test_no_list_shows_a_column_twice_or_two_under_one_heading(name: str) -> None:
    for names in places(LISTS[name]).values():
        headings = [COLUMNS[column].heading for column in names]
        assert len(set(names)) == len(names) and len(set(headings)) == len(headings)


def test_the_list_has_every_column_that_it_shows() -> None:
    table = gaps.with_gaps(rows.describe(frame_of(clinic.notable_rows())), clinic.LOCAL.date())
    for names in places(columns.ON_TREATMENT).values():
        assert set(names) <= set(table.columns)


def test_every_column_on_disk_is_read_by_a_page_or_by_paper() -> None:
    sources = "".join(path.read_text() for room in READERS for path in (PROJECT / room).rglob("*.py"))
    unread = {name for name in ON_TREATMENT.columns if f'"{name}"' not in sources and f".{name}" not in sources}
    assert unread <= OF_THE_CONTRACT


def test_every_column_of_excel_has_its_widths() -> None:
    for shown in LISTS.values():
        for name in shown.excel:
            least, most = COLUMNS[name].letters
            assert 0 < least <= most, name
