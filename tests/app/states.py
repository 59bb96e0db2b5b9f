"""The same clinic in every state that its cache can be in: good, stale, empty, and broken in four ways.

Goal
    What a page says in a bad hour is tested on the clinic that it says something of in a good one.

How
    `make(folder, state)` writes what the jobs would have left, then breaks it as a disk or a hand would. Two patients
    are real objects (`tests.recovery.patient_clinic`), so that every page has something to say; all tables of the
    database lie in a snapshot.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from recovery.cache.manifests import FOLDER, POINTER
from recovery.cache.snapshot_writing import open_writer
from recovery.cache.store import Cache
from recovery.entries.priority_entries import PriorityEntry
from recovery.host.entry_lines import append_statement
from recovery.settings.config import load_config
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import ON_TREATMENT
from tests.app import clinic, people
from tests.recovery.patient_clinic import LOCAL, TB1, Clinic, anna, bo, tell_of

RULES = """
[priorities]
signed_by = "Dr. Meier"
signed_on = "2026-11-02"
category_1_days = 2
category_2_days = 5
category_3_days = 7
"""
FRESH = timedelta(minutes=6)
OLD = timedelta(minutes=150)
STATES = ("good", "stale", "empty", "never", "truncated", "tables_truncated", "pointer_lost")
"""`never`: no job ran yet. `truncated`: on_treatment; `tables_truncated`: what came of the R&V database."""


def make(folder: Path, state: str, pacs_port: int = 11114) -> Path:
    """A folder with config, accounts and cache in this state; returns the config's path."""
    folder.mkdir(parents=True, exist_ok=True)
    config, cache = folder / "config.toml", folder / "data" / "cache"
    config.write_text(clinic.CONFIG.replace("port = 11114", f"port = {pacs_port}") + RULES, encoding="utf-8")
    people.enrol(load_config(config).accounts_path)
    if state == "never":
        return config
    age = OLD if state == "stale" else FRESH
    _write(cache, age, is_empty=state == "empty")
    break_cache(cache, state)
    return config


def _write(folder: Path, age: timedelta, *, is_empty: bool) -> None:
    """What the jobs leave that ran `age` ago: nobody's, or Anna's and Bo's with one entry of a priority."""
    made = Clinic()
    if not is_empty:
        anna(made)
        tell_of(made, bo(made), site="Prostate", laterality=None)
        made.tell(
            "schedule", appointment_id="today", patient_id="100377", treatment_machine_name=TB1,
            appointment_at=LOCAL.replace(hour=15, minute=0), activity="Treatment", status="booked",
            ends_at=LOCAL.replace(hour=15, minute=15),
        )  # fmt: skip
    cache = made.write(folder, proven=age)
    (folder / "runs.jsonl").unlink()
    clinic.write_runs(folder, [(age + timedelta(minutes=more), {}) for more in (20, 10, 0)])
    with open_writer(folder, clinic.NOW - age) as new:
        for name, schema in RELATIONAL_TABLES.items():
            new.write(schema, made.rows.get(name, []), source="aria database", query_sha256="ab", rows_sha256=name)
            (folder / "tables" / f"{name}.parquet").unlink()
        new.commit()
    if is_empty:
        return
    assert len(cache.read(ON_TREATMENT)) == 2
    entry = PriorityEntry("100231", 1, True, "curative", "", "MEIER, Ursula", "physicist", clinic.NOW)
    append_statement(folder, entry)


def break_cache(folder: Path, state: str) -> None:
    """Damage a cache as its state says."""
    cache = Cache(folder)
    if state == "truncated":
        _truncate(cache.snapshot(ON_TREATMENT).path)
    elif state == "tables_truncated":
        for file in sorted((folder / FOLDER).glob("*/tables/*.parquet")):
            _truncate(file)
    elif state == "pointer_lost":
        (folder / FOLDER / POINTER).unlink()


def _truncate(file: Path) -> None:
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
