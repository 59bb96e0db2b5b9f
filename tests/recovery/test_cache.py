"""The cache: a reader sees the old table or the new one, whatever happens to the writer."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.store import Cache
from recovery.tables.schema import Kind, TableError, TableSchema

PROJECT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 24, 14, 32, tzinfo=UTC)
SCHEMA = TableSchema(
    "trial",
    {"uid": "str", "count": "int", "meterset": "float", "held": "bool", "day": "date", "at": "datetime"},
    key=("uid",),
)


def row(uid: str, **values: object) -> dict[str, object]:
    empty: dict[str, object] = dict.fromkeys(SCHEMA.columns)
    return empty | {"uid": uid} | values


VALUES: dict[Kind, st.SearchStrategy[object]] = {
    "int": st.none() | st.integers(-(2**63), 2**63 - 1),
    "float": st.none() | st.floats(allow_nan=False),
    "bool": st.none() | st.booleans(),
    "date": st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "datetime": st.none() | st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)),  # noqa: DTZ001
    "str": st.none() | st.text(),
}
ROWS = st.lists(
    st.fixed_dictionaries({name: VALUES[kind] for name, kind in SCHEMA.columns.items()}), unique_by=lambda r: r["uid"]
)


@given(rows=ROWS)
def test_every_value_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]]
) -> None:
    cache = Cache(tmp_path_factory.mktemp("cache"))
    cache.write(SCHEMA, rows, taken_at=NOW, source="test")
    assert cache.read(SCHEMA) == rows


def test_an_absent_value_is_none_and_no_zero_in_rows_and_frames(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.write(SCHEMA, [row("1")], taken_at=NOW, source="test")
    assert cache.read(SCHEMA) == [row("1")]
    frame = cache.read_frame(SCHEMA)
    assert frame.drop(columns="uid").isna().all(axis=None)
    assert str(frame["count"].dtype) == "Int64" and str(frame["held"].dtype) == "boolean"


def test_a_table_knows_when_and_whence_it_was_taken(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.write(SCHEMA, [row("1"), row("2")], taken_at=NOW, source="RT-PACS", query_sha256="ab")
    snapshot = cache.snapshot(SCHEMA)
    assert (snapshot.taken_at, snapshot.source, snapshot.row_count, snapshot.query_sha256) == (NOW, "RT-PACS", 2, "ab")


def test_a_table_never_written_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(TableMissingError, match="python -m backup_jobs cycle"):
        Cache(tmp_path).read(SCHEMA)


def test_a_damaged_table_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    path = cache.write(SCHEMA, [row("1")], taken_at=NOW, source="test").path
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CacheError, match="python -m recovery rebuild"):
        cache.read(SCHEMA)


def test_a_table_of_another_version_is_an_error(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.write(SCHEMA, [row("1")], taken_at=NOW, source="test")
    newer = TableSchema("trial", {**SCHEMA.columns, "more": "str"})
    with pytest.raises(CacheError, match="another version"):
        cache.read(newer)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"uid": "1"}], "columns"),
        ([row("1", count=1.5)], "count holds a float"),
        ([row("1", count=True)], "count holds a bool"),
        ([row("1", day=NOW)], "day holds a datetime"),
        ([row("1"), row("1")], "two rows have the same uid"),
    ],
)
def test_rows_that_do_not_fit_replace_nothing(tmp_path: Path, rows: list[dict[str, object]], said: str) -> None:
    cache = Cache(tmp_path)
    cache.write(SCHEMA, [row("old")], taken_at=NOW, source="test")
    with pytest.raises(TableError, match=said):
        cache.write(SCHEMA, rows, taken_at=NOW, source="test")
    assert cache.read(SCHEMA) == [row("old")]


def test_on_a_full_disk_the_old_table_still_reads_and_nothing_is_left_beside(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.write(SCHEMA, [row("old")], taken_at=NOW, source="test")
    many = [row(os.urandom(20).hex()) for _ in range(5000)]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(CacheError, match="The table before it still stands"):
            cache.write(SCHEMA, many, taken_at=NOW, source="test")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert cache.read(SCHEMA) == [row("old")]
    assert [p.name for p in (tmp_path / "tables").iterdir()] == ["trial.parquet"]


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from recovery.cache.store import Cache
from tests.recovery.test_cache import SCHEMA, row
cache, number = Cache(Path(sys.argv[1])), 0
while True:
    number += 1
    rows = [row(f"{number}-{n}", count=number) for n in range(2000)]
    cache.write(SCHEMA, rows, taken_at=datetime.now(UTC), source="test")
    print(number, flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_table(tmp_path: Path) -> None:
    for kill_after in (0.0, 0.003, 0.007, 0.012, 0.018, 0.025):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(kill_after)
            writer.kill()
        rows = Cache(tmp_path).read(SCHEMA)
        assert len(rows) == 2000 and len({r["count"] for r in rows}) == 1


@given(rows=ROWS, wanted=st.lists(st.text(max_size=2)))
def test_reading_where_gives_just_the_rows_that_a_whole_reading_would_keep(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]], wanted: list[str]
) -> None:
    in_groups = replace(SCHEMA, sorted_by="uid", rows_per_group=2)
    cache = Cache(tmp_path_factory.mktemp("cache"))
    cache.write(in_groups, rows, taken_at=NOW, source="test")
    asked = [*wanted, *(str(r["uid"]) for r in rows[::3])]
    assert cache.read_where(in_groups, "uid", asked) == [r for r in cache.read(in_groups) if r["uid"] in asked]
    assert sorted(str(r["uid"]) for r in cache.read(in_groups)) == sorted(str(r["uid"]) for r in rows)


def test_reading_where_refuses_what_reading_refuses(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with pytest.raises(TableMissingError):
        cache.read_where(SCHEMA, "uid", ["1"])
    cache.write(SCHEMA, [row("1")], taken_at=NOW, source="test")
    with pytest.raises(CacheError, match="another version"):
        cache.read_where(replace(SCHEMA, columns={"name": "str"}, key=()), "name", ["1"])
