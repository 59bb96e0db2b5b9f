"""Whoever reads an old copy by hand is told its age, on standard error and in the file."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from recovery.__main__ import main
from recovery.cache.copy_age import proven_up_to
from recovery.cache.journal import JobResult, Journal
from recovery.cache.store import Cache
from recovery.tables.schema import EXCLUDED_PATIENTS, ON_TREATMENT

NOW = datetime(2026, 11, 24, 14, 32, tzinfo=UTC)
CONFIG = """
[site]
name = "Test clinic"
time_zone = "Europe/Zurich"
[local]
ae_title = "RBRDT"
host = "127.0.0.1"
port = 11104
[rv]
ae_title = "RV"
host = "127.0.0.1"
port = 11105
[pacs]
ae_title = "PACS"
host = "127.0.0.1"
port = 11106
[cache]
path = "cache"
"""


@pytest.fixture(autouse=True)
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "clock.json").write_text(json.dumps({"real": 0, "speed": 0, "simulated": NOW.isoformat()}))
    monkeypatch.setenv("RBRDT_CLOCK", str(tmp_path / "clock.json"))


def copy_of(folder: Path, at: datetime, *, proven: bool = True) -> Cache:
    cache = Cache(folder / "cache")
    if proven:
        journal = Journal(cache.path)
        journal.finish(journal.start("sync_records", at), JobResult("sync_records", "OK", {}), at)
    rows = [{"patient_id": text} for text in ("A1", "=HYPERLINK(0)", "B\u202e2")]
    cache.write(EXCLUDED_PATIENTS, rows, taken_at=at, source="RT-PACS")
    cache.write(ON_TREATMENT, [], taken_at=at, source="RT-PACS")
    return cache


def exported(folder: Path, form: str, capsys: pytest.CaptureFixture[str]) -> tuple[bytes, str]:
    file = folder / f"out.{form}"
    options = ["--format", form, "-o", str(file), "--config", str(folder / "config.toml")]
    assert main(["table", "excluded_patients", *options]) == 0
    return file.read_bytes(), capsys.readouterr().err


AGES = {
    "30 days old": (timedelta(days=-30), True, "30 d old: what happened after 2026-10-25 15:32 is not in this table"),
    "two hours old": (timedelta(hours=-2), True, "2 h old"),
    "of the future": (timedelta(hours=5), True, "has not come yet: a clock is wrong"),
    "never proven": (timedelta(minutes=-5), False, "Nothing is proven"),
}


@pytest.mark.parametrize("age", AGES)
def test_a_copy_past_its_grace_says_so_on_standard_error_and_in_files_with_a_place_for_it(
    tmp_path: Path, age: str, capsys: pytest.CaptureFixture[str]
) -> None:
    elapsed, proven, told = AGES[age]
    copy_of(tmp_path, NOW + elapsed, proven=proven)
    for form in ("json", "csv", "xlsx", "parquet"):
        content, said = exported(tmp_path, form, capsys)
        assert told in said, form
        if form == "xlsx":
            sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
            assert told in sheet["A1"].comment.text and told in sheet.oddHeader.center.text
            assert sheet.print_title_rows == "$1:$1", "each printed page says what its columns are"
        if form == "parquet":
            taken_at = (pq.read_metadata(io.BytesIO(content)).metadata or {})[b"rbrdt.taken_at"].decode()
            assert datetime.fromisoformat(taken_at) == NOW + elapsed
        if form == "json":
            assert [row["patient_id"] for row in json.loads(content)] == ["A1", "=HYPERLINK(0)", "B\u202e2"]
            assert "\u202e" not in content.decode()
        if form == "csv":
            assert [row[0] for row in csv.reader(io.StringIO(content.decode()))][1:] == ["A1", "'=HYPERLINK(0)", "B�2"]


@pytest.mark.parametrize("form", ["json", "csv", "xlsx", "parquet"])
def test_a_fresh_copy_says_nothing(tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    cache = copy_of(tmp_path, NOW - timedelta(minutes=25))
    content, said = exported(tmp_path, form, capsys)
    assert said == ""
    if form == "parquet":
        assert content == (cache.path / "tables" / "excluded_patients.parquet").read_bytes()


def test_a_proof_of_a_clock_that_was_ahead_makes_no_list_younger(tmp_path: Path) -> None:
    cache, old, built_at = copy_of(tmp_path, NOW - timedelta(days=3)), NOW - timedelta(days=3), NOW
    ahead = NOW + timedelta(days=400)
    journal = Journal(cache.path)
    journal.finish(journal.start("sync_records", ahead), JobResult("sync_records", "OK", {}), ahead)
    assert proven_up_to(cache, built_at) == old
