"""A file of the cache whose bits are not those that were written is refused, whichever bit it is."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.cache.damages import damaged_tables, forget_damaged_tables
from recovery.cache.errors import TableDamagedError
from recovery.cache.memory import Memory
from recovery.cache.store import Cache
from recovery.host.seals import SealError, sealed_json, unsealed_json
from recovery.tables.schema import TableSchema

NOW = datetime(2026, 11, 24, 14, 32, tzinfo=UTC)
TABLE = TableSchema(
    "trial", {"patient_id": "str", "fractions_delivered": "int"}, ("patient_id",), sorted_by="patient_id",
    rows_per_group=4,
)  # fmt: skip
ROWS = [{"patient_id": f"A{number:02}", "fractions_delivered": number} for number in range(12)]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    made = Cache(tmp_path)
    made.write(TABLE, ROWS, taken_at=NOW, source="RT-PACS")
    return made


def file_of(cache: Cache) -> Path:
    return cache.path / "tables" / "trial.parquet"


def test_every_byte_of_a_table_is_vouched_for_whoever_reads_all_a_part_or_its_time(cache: Cache) -> None:
    whole, by_seed = file_of(cache).read_bytes(), random.Random(8)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << by_seed.randrange(8)
        file_of(cache).write_bytes(changed)
        for read in (cache.read, cache.read_frame, cache.snapshot):
            with pytest.raises(TableDamagedError):
                read(TABLE)
        with pytest.raises(TableDamagedError):
            cache.read_where(TABLE, "patient_id", ["A07"])
    file_of(cache).write_bytes(whole)
    assert cache.read(TABLE) == ROWS
    assert damaged_tables(cache.path) == []


@pytest.mark.parametrize("cut", [0, 4, 100, -1])
def test_a_file_that_is_cut_off_is_damaged(cache: Cache, cut: int) -> None:
    file_of(cache).write_bytes(file_of(cache).read_bytes()[:cut])
    with pytest.raises(TableDamagedError, match="backup_jobs cycle"):
        cache.read(TABLE)
    assert damaged_tables(cache.path) == ["trial"]
    forget_damaged_tables(cache)
    assert not file_of(cache).exists()


def test_a_change_that_keeps_the_times_of_the_file_is_seen_by_a_process_that_has_read_it_before(cache: Cache) -> None:
    assert cache.snapshot(TABLE).row_count == 12
    file, stat = file_of(cache), file_of(cache).stat()
    changed = bytearray(file.read_bytes())
    changed[len(changed) // 2] ^= 1
    with file.open("rb+") as same:
        same.write(changed)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(TableDamagedError):
        cache.snapshot(TABLE)


def test_pages_bear_checksums_for_those_who_read_a_part_of_a_file_that_changes_under_them(cache: Cache) -> None:
    assert pq.ParquetFile(file_of(cache), page_checksum_verification=True).read().num_rows == 12
    plain = file_of(cache).read_bytes().replace(b"A07", b"A70")
    assert plain != file_of(cache).read_bytes()
    file_of(cache).write_bytes(plain)
    with pytest.raises(OSError, match="CRC"):
        pq.ParquetFile(file_of(cache), page_checksum_verification=True).read()


@given(st.dictionaries(st.text(), st.none() | st.integers() | st.floats(allow_nan=False) | st.text(), max_size=5))
def test_a_sealed_object_comes_back_as_it_was(content: dict[str, object]) -> None:
    content.pop("sha256", None)
    assert unsealed_json(sealed_json(content)) == content


@given(st.data())
def test_a_changed_byte_of_a_sealed_object_changes_nothing_that_is_read(data: st.DataObject) -> None:
    content = {"asked": {"records of A1": 1764000000.25}, "owed": {"1.2.3": "A1"}, "done": True, "word": "ü"}
    whole = bytearray(sealed_json(content).encode())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        read = unsealed_json(bytes(whole))
    except SealError:
        return
    assert read == content


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"7", b'{"sha256": 3}', b"[" * 100_000, b"\xff"])
def test_what_was_never_sealed_is_refused(content: bytes) -> None:
    with pytest.raises(SealError):
        unsealed_json(content)


def test_a_memory_of_which_a_character_changed_is_blank(tmp_path: Path) -> None:
    memory = Memory.load(tmp_path)
    memory.owed, memory.first_look_done = {"1.2.3": "A1"}, True
    memory.note("chain 1.2.4", NOW)
    memory.save()
    assert Memory.load(tmp_path).owed == {"1.2.3": "A1"}
    text = memory.path.read_text()
    memory.path.write_text(text.replace('"A1"', '"A2"'))
    assert (Memory.load(tmp_path).owed, Memory.load(tmp_path).first_look_done) == ({}, False)
