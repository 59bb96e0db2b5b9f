"""A third product, added to a copy of the project by what docs/add_a_product.md says and by nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.tables.relational import NOTES, PATIENTS, SCHEDULE
from tests.orthanc import free_port

PROJECT = Path(__file__).resolve().parents[2]
PAGE = (PROJECT / "docs/add_a_product.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TODAY = datetime.now(UTC).replace(tzinfo=None, hour=8, minute=0, second=0, microsecond=0)

DATABASE = """
CREATE TABLE person (id INTEGER, number TEXT, family_name TEXT, given_name TEXT, sex TEXT, born TEXT, mobile TEXT,
    email TEXT);
CREATE TABLE booking (id INTEGER, person INTEGER, begins TEXT);
CREATE TABLE remark (id INTEGER, person INTEGER, author TEXT, title TEXT, body TEXT, written TEXT);
INSERT INTO person VALUES (1, '00017R', 'Muster ', 'Anna', 'female', '1960-05-17', '041 1', NULL);
INSERT INTO person VALUES (2, 'GONE', 'Gone', 'Long', 'male', '1950-01-01', NULL, NULL);
INSERT INTO remark VALUES (7, 1, 'Nora', 'telephone', 'calls back', '2026-11-20 09:30:00');
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what a backup machine needs, a database of the example, and a config that says so."""
    for room in ("backup_jobs", "recovery", "queries"):
        shutil.copytree(PROJECT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    with sqlite3.connect(tmp_path / "example.db") as connection:
        connection.executescript(DATABASE)
        connection.execute("INSERT INTO booking VALUES (1, 1, ?)", [str(TODAY + timedelta(days=1))])
        connection.execute("INSERT INTO booking VALUES (2, 2, ?)", [str(TODAY - timedelta(days=5000))])
    connection.close()
    node = '\nae_title = "NOBODY"\nhost = "127.0.0.1"\nport = '
    (tmp_path / "config.toml").write_text(
        f'[site]\nname = "A clinic that does not exist"\ntime_zone = "Europe/Zurich"\n[local]{node}{free_port()}\n'
        f'[rv]\nproduct = "example"{node}{free_port()}\n[rv.database]\nconnection = "sqlite:///example.db"\n'
        f'[pacs]{node}{free_port()}\n[cache]\npath = "cache"\n'
    )
    return tmp_path


def add(project: Path) -> list[Path]:
    """Write every block of the page where the page says."""
    files = [project / name for name, _ in BLOCK.findall(PAGE)]
    for path, (_, text) in zip(files, BLOCK.findall(PAGE), strict=True):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return files


def run(project: Path, job: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "backup_jobs", job, "--json"],
        cwd=project, env={**os.environ, "PYTHONPATH": str(project)}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


def test_before_it_is_added_the_config_says_which_products_there_are(project: Path) -> None:
    assert "[rv] product: must be aria or mosaiq, not 'example'" in run(project, "snapshot_tables").stderr


def test_what_the_page_says_brings_its_rows_into_the_cached_tables(project: Path) -> None:
    assert len(add(project)) == PAGE.count("```") / 2 == 3, "every block is tried"
    done = run(project, "snapshot_tables")
    told = json.loads(done.stdout)
    assert (told["counts"]["tables"], told["counts"]["written"], told["counts"]["kept"]) == (2, 2, 0), done
    cache = Cache(project / "cache")
    (anna,) = cache.read(PATIENTS)
    said = {name: value for name, value in anna.items() if value is not None}
    assert said == {
        "patient_id": "00017R",
        "patient_name": "MUSTER, Anna",
        "patient_birth_date": date(1960, 5, 17),
        "patient_sex": "F",
        "phone_mobile": "041 1",
    }
    (note,) = cache.read(NOTES)
    assert list(note.values()) == ["7", "00017R", datetime(2026, 11, 20, 9, 30), "Nora", "telephone", "calls back"]  # noqa: DTZ001
    with pytest.raises(CacheError):
        cache.read(SCHEDULE)
    assert "works  R&V database answers, and every query returns its columns" in run(project, "check").stderr


def test_a_mistake_in_a_query_is_named_by_check_and_costs_its_table_only(project: Path) -> None:
    patients, notes, _ = add(project)
    patients.write_text(patients.read_text().replace("phone_mobile", "mobile_phone"))
    shutil.copy(notes, notes.with_name("note.sql"))
    said = run(project, "check").stderr
    assert "query patients: declares no column phone_mobile, which its table needs" in said
    assert "query note: there is no table of this name" in said
    counts = json.loads(run(project, "snapshot_tables").stdout)["counts"]
    assert (counts["written"], counts["kept"]) == (1, 1)


def test_the_page_can_be_read_in_ten_minutes() -> None:
    assert len(PAGE.splitlines()) <= 80
