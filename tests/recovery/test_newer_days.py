"""Days that changed lie beside their table in a small file, and every reader sees one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from recovery.cache.errors import CacheError
from recovery.cache.manifests import newer_of
from recovery.cache.snapshot_writing import open_writer
from recovery.cache.snapshots import list_snapshots, prune, verify_snapshot
from recovery.cache.store import Cache
from recovery.tables.delivered import DELIVERIES
from recovery.tables.schema import Row, TableError
from tests.recovery.made_snapshots import NOW

NEWER = newer_of(DELIVERIES.name)
FIRST = date(2026, 10, 30)


def delivery(number: int, day: date, meterset: float = 100.0) -> Row:
    empty: dict[str, object] = dict.fromkeys(DELIVERIES.columns)
    at = datetime.combine(day, time(8))
    return empty | {
        "delivery_id": str(number),
        "patient_id": f"P{number % 3}",
        "treated_at": at,
        "delivered_meterset": meterset,
    }


def on(days: int) -> date:
    return FIRST + timedelta(days=days)


WHOLE = [delivery(number, on(number % 5)) for number in range(1, 16)]


def write_whole(path: Path, rows: Sequence[Row], hours: int = 0) -> None:
    with open_writer(path, NOW + timedelta(hours=hours)) as new:
        new.write(DELIVERIES, rows, source="test", query_sha256="ab", rows_sha256=f"whole {hours}")
        assert new.commit() is not None


def write_days(path: Path, days: Mapping[date, Sequence[Row]], hours: int) -> None:
    with open_writer(path, NOW + timedelta(hours=hours)) as new:
        new.write_days(DELIVERIES, "treated_at", days, rows_sha256=f"days {hours}")
        assert new.commit() is not None


def expected(*changed: tuple[date, Sequence[Row]]) -> list[Row]:
    """As a table is that is written whole: by patient, then by number."""
    rows = list(WHOLE)
    for day, new in changed:
        rows = [row for row in rows if row["treated_at"].date() != day] + list(new)  # type: ignore[attr-defined]
    return sorted(rows, key=lambda row: (row["patient_id"], int(str(row["delivery_id"]))))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_whole(tmp_path, WHOLE)
    return tmp_path


def test_whoever_reads_sees_the_days_as_they_are_now_and_the_tables_file_stays_as_it_was(path: Path) -> None:
    before = Cache(path).snapshot(DELIVERIES).path.stat().st_ino
    corrected, added = [delivery(4, on(4), 55.0)], [delivery(101, on(9)), delivery(100, on(9))]
    write_days(path, {on(4): corrected}, hours=1)
    write_days(path, {on(9): added, on(2): []}, hours=2)
    rows = expected((on(4), corrected), (on(9), added), (on(2), []))
    cache = Cache(path)
    assert cache.read(DELIVERIES) == rows
    assert cache.read_where(DELIVERIES, "patient_id", ["P1", "P2"]) == [r for r in rows if r["patient_id"] != "P0"]
    assert cache.columns(DELIVERIES)["delivery_id"] == [row["delivery_id"] for row in rows]
    assert pq.read_table(BytesIO(cache.copy_of(DELIVERIES))).to_pylist() == rows
    said = cache.snapshot(DELIVERIES)
    assert (said.row_count, said.taken_at) == (len(rows), NOW + timedelta(hours=2))
    assert said.path.stat().st_ino == before


def test_a_row_that_would_stand_in_two_days_is_refused(path: Path) -> None:
    with pytest.raises(TableError, match="two days hold a row of the same delivery_id"):
        write_days(path, {on(7): [delivery(3, on(7))]}, hours=1)
    assert Cache(path).read(DELIVERIES) == expected()


def test_a_table_that_is_written_whole_again_has_no_newer_days(path: Path) -> None:
    write_days(path, {on(4): []}, hours=1)
    write_whole(path, WHOLE, hours=2)
    newest, second, first = list_snapshots(path)
    assert [len(info.tables) for info in (newest, second, first)] == [1, 2, 1]
    assert Cache(path).read(DELIVERIES) == expected()


def test_one_other_bit_of_the_newer_days_is_found_and_an_older_whole_table_stands_in(path: Path) -> None:
    old, new = [delivery(4, on(4), 55.0)], [delivery(4, on(4), 66.0)]
    write_days(path, {on(4): old}, hours=1)
    write_days(path, {on(4): new}, hours=2)
    newest = Cache(path).open_snapshot()
    assert newest is not None
    data = bytearray(newest.file(NEWER).read_bytes())
    data[len(data) // 2] ^= 1
    newest.file(NEWER).write_bytes(data)
    assert f"table {NEWER} was changed" in verify_snapshot(path, newest.snapshot_id)[0]
    with pytest.raises(CacheError):
        Cache(path).read(DELIVERIES)
    assert Cache(path, falls_back=True).read(DELIVERIES) == expected((on(4), old))
    with open_writer(path, NOW + timedelta(hours=3)) as writer:
        assert writer.last(DELIVERIES.name) is None, "it is read anew"


def test_a_damaged_table_is_never_joined_with_days_of_another(path: Path) -> None:
    write_whole(path, [row for row in WHOLE if row["delivery_id"] != "9"], hours=1)
    write_days(path, {on(9): [delivery(100, on(9))]}, hours=2)
    newest = Cache(path).open_snapshot()
    assert newest is not None
    newest.file(DELIVERIES.name).unlink()
    (path / "snapshots" / list_snapshots(path)[1].snapshot_id / "tables" / "deliveries.parquet").unlink()
    assert Cache(path, falls_back=True).read(DELIVERIES) == expected()


def test_pruning_takes_no_file_that_a_snapshot_names_that_stays(path: Path) -> None:
    for hours in range(1, 12):
        write_days(path, {on(4): [delivery(4, on(4), float(hours))]}, hours=24 * hours)
    assert len(prune(path, keep_days=3)) == 5
    for info in list_snapshots(path):
        assert verify_snapshot(path, info.snapshot_id) == []
        meterset = (info.taken_at - NOW).days
        rows = Cache(path, info.snapshot_id).read_where(DELIVERIES, "patient_id", ["P1"])
        assert [row["delivered_meterset"] for row in rows if row["delivery_id"] == "4"] == [meterset]
