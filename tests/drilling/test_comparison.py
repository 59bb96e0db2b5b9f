"""Two states of a table: what differs is named by column, nulls are equal to nulls, and keys may hold them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from recovery.cache.store import Cache
from recovery.drilling.comparison import LACKS, MORE, compare_caches, frames_of
from recovery.tables.schema import ON_TREATMENT, PIPELINE
from tests.app.clinic import row

AT = datetime(2026, 11, 24, tzinfo=UTC)


def cache(folder: Path, *rows: dict[str, object]) -> Cache:
    made = Cache(folder)
    made.write(ON_TREATMENT, rows, taken_at=AT, source="test")
    return made


def told(live: Cache, rebuilt: Cache, before: Cache) -> tuple[list[tuple[str, int]], int]:
    (table,) = [t for t in compare_caches(frames_of(before), live, live, rebuilt) if t.name == "on_treatment"]
    return [(one.what, one.rows) for one in table.differences], table.changed_meanwhile


def test_the_same_rows_in_another_order_with_nulls_in_key_and_values_are_the_same(tmp_path: Path) -> None:
    one, other = row("A, B", "1", "Prost", 3), {**row(None, "2", "Breast", None), "patient_id": None}
    live, rebuilt = cache(tmp_path / "live", one, other), cache(tmp_path / "new", other, one)
    assert told(live, rebuilt, live) == ([], 0)


def test_a_value_that_became_null_is_a_difference_and_one_that_the_live_table_changed_meanwhile_is_none(
    tmp_path: Path,
) -> None:
    before = cache(tmp_path / "before", row("A, B", "1", "Prost", 3), row("C, D", "2", "Breast", 5))
    live = cache(tmp_path / "live", row("A, B", "1", "Prost", 4), row("C, D", "2", "Breast", 5))
    rebuilt = cache(tmp_path / "new", row("A, B", "1", "Prost", 3), row("C, D", "2", "Breast", 5, site=None, phone="1"))
    assert told(live, rebuilt, before) == ([("phone", 1)], 1)
    assert told(rebuilt, live, rebuilt)[0][:2] == [("fractions_delivered", 1), ("fractions_remaining", 1)]


def test_of_a_row_that_the_live_table_changed_meanwhile_the_other_columns_are_compared_all_the_same(
    tmp_path: Path,
) -> None:
    before, later = datetime(2026, 11, 24, 2), datetime(2026, 11, 24, 3)  # noqa: DTZ001
    one = cache(tmp_path / "before", row("A, B", "1", "Prost", 3, proven_at=before))
    live = cache(tmp_path / "live", row("A, B", "1", "Prost", 3, proven_at=later))
    wrong = cache(tmp_path / "new", row("A, B", "1", "Prost", 3, proven_at=later, phone="1"))
    assert told(live, wrong, one) == ([("phone", 1)], 1)
    assert told(live, Cache(tmp_path / "lost"), one)[0] == [("the whole table", 1)]
    assert told(live, cache(tmp_path / "none"), one)[0] == [(LACKS, 1)]


def test_a_live_table_that_is_damaged_is_a_finding_also_where_it_was_not_rebuilt(tmp_path: Path) -> None:
    live, rebuilt = cache(tmp_path / "live", row("A, B", "1", "Prost", 3)), Cache(tmp_path / "new")
    for file in (tmp_path / "live").rglob("*.parquet"):
        file.write_bytes(b"no table")
    assert told(live, rebuilt, live)[0] == [("the whole table", 0)]


def test_of_a_table_without_a_key_whole_rows_are_compared(tmp_path: Path) -> None:
    blank = dict.fromkeys(PIPELINE.columns)
    live, rebuilt = cache(tmp_path / "live"), cache(tmp_path / "new")
    for one, ids in ((live, "1 1 2"), (rebuilt, "1 2 3")):
        one.write(PIPELINE, [{**blank, "patient_id": i} for i in ids.split()], taken_at=AT, source="test")
    (table,) = [t for t in compare_caches(frames_of(live), live, live, rebuilt) if t.name == "pipeline"]
    assert [(one.what, one.rows) for one in table.differences] == [(LACKS, 1), (MORE, 1)]


def test_a_table_that_only_one_has_is_a_difference(tmp_path: Path) -> None:
    live, rebuilt = cache(tmp_path / "live", row("A, B", "1", "Prost", 3)), Cache(tmp_path / "new")
    assert told(live, rebuilt, live)[0] == [("the whole table", 1)]


def test_what_says_how_old_the_copy_was_is_not_compared(tmp_path: Path) -> None:
    live = cache(tmp_path / "live", row("A, B", "1", "Prost", 3, unknown_since=datetime(2026, 11, 24)))  # noqa: DTZ001
    assert told(live, cache(tmp_path / "new", row("A, B", "1", "Prost", 3)), live) == ([], 0)
