"""Gaps since the last treatment, and views that are kept without a name in them."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from app.data import views
from recovery.lists import gaps, rows
from tests.app import clinic
from tests.app.frames import frame_of


def treated(days_ago: int | None, **changes: object) -> dict[str, object]:
    last = None if days_ago is None else clinic.LOCAL - timedelta(days=days_ago)
    return clinic.row(f"P{days_ago}", f"{days_ago}", "P", 4, last_treatment_at=last, **changes)


def test_the_mark_stands_where_a_working_day_has_passed() -> None:
    """Today is Tuesday: yesterday is no gap, Friday is one, Saturday too."""
    table = gaps.with_gaps(frame_of([treated(days) for days in (0, 1, 3, 4, 17, None)]), clinic.LOCAL.date())
    assert table["gap_days"].tolist() == [0, 1, 3, 4, 17, pd.NA]
    assert table["gap"].tolist() == ["   0 d", "   1 d", "▲  3 d", "▲  4 d", "▲ 17 d", pd.NA]


def test_a_plan_that_nobody_goes_on_with_has_no_gap() -> None:
    table = gaps.with_gaps(frame_of([treated(9, status="completed")]), clinic.LOCAL.date())
    assert table["gap"].isna().all()


def test_the_longest_gap_comes_first_and_the_padded_text_sorts_alike() -> None:
    table = gaps.with_gaps(frame_of([treated(days) for days in (4, 17, None, 0, 3)]), clinic.LOCAL.date())
    assert gaps.by_gap(table)["gap_days"].tolist() == [17, 4, 3, 0, pd.NA]
    assert table["gap"].dropna().sort_values(ascending=False).index.tolist() == [1, 0, 4, 3]


def test_every_machine_and_physician_in_treatment_is_a_view() -> None:
    table = rows.describe(frame_of(clinic.notable_rows()))
    assert [view.name for view in views.standing_views(table)] == [
        *("Machine TB1", "Machine TB2", "Physician MEIER, Ursula", "Physician O'NEIL, Sean")
    ]


def test_a_saved_view_is_read_again_replaced_and_removed(tmp_path: Path) -> None:
    file = views.views_file(tmp_path / "cache")
    assert views.read_views(file) == []
    views.keep_view(file, views.SavedView(" Night \x00", {"machine": ["TB1"]}))
    views.keep_view(file, views.SavedView("Night", {"machine": ["TB2"], "sort": "gap"}))
    assert views.read_views(file) == [views.SavedView("Night", {"machine": ["TB2"], "sort": "gap"})]
    views.remove_view(file, "Night")
    views.remove_view(file, "Night")
    assert views.read_views(file) == []


def test_a_view_without_a_name_or_one_too_many_is_refused(tmp_path: Path) -> None:
    file = views.views_file(tmp_path / "cache")
    with pytest.raises(views.ViewsError, match="name"):
        views.keep_view(file, views.SavedView("  ", {}))
    for number in range(views.MOST):
        views.keep_view(file, views.SavedView(f"{number}", {}))
    with pytest.raises(views.ViewsError, match="Remove one"):
        views.keep_view(file, views.SavedView("more", {}))


def test_a_changed_byte_of_the_views_is_told(tmp_path: Path) -> None:
    file = views.views_file(tmp_path / "cache")
    night = views.SavedView("Night", {"machine": ["TB1"]})
    views.keep_view(file, night)
    whole = file.read_bytes()
    for place, byte in enumerate(whole):
        for other in {byte ^ 1 << bit for bit in range(8)} | set(b'012 "\n'):
            file.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
            with contextlib.suppress(views.ViewsError):
                assert views.read_views(file) == [night], (place, other)


def test_views_that_are_saved_at_once_are_all_kept(tmp_path: Path) -> None:
    file = views.views_file(tmp_path / "cache")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: views.keep_view(file, views.SavedView(f"View {number}", {})), range(24)))
    assert len(views.read_views(file)) == 24


def test_views_of_an_earlier_version_bear_no_hash_and_are_kept(tmp_path: Path) -> None:
    file = views.views_file(tmp_path / "cache")
    file.parent.mkdir()
    file.write_text('{"Night": {"machine": ["TB1"]}}')
    views.keep_view(file, views.SavedView("Day", {}))
    assert [view.name for view in views.read_views(file)] == ["Day", "Night"]


@pytest.mark.parametrize("content", ["[]", "{", '{"a": 5}', "null"])
def test_a_damaged_file_of_views_is_told_and_not_overwritten(tmp_path: Path, content: str) -> None:
    file = views.views_file(tmp_path / "cache")
    file.parent.mkdir(parents=True)
    file.write_text(content)
    with pytest.raises(views.ViewsError, match="cannot be read"):
        views.keep_view(file, views.SavedView("Night", {}))
    assert file.read_text() == content
