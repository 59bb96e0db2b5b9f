"""Courses that nobody treats any more rest: they are told as before, cost a run nothing, and come back whole."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from recovery.cache.damages import damaged_parts
from recovery.cache.errors import TableDamagedError
from recovery.cache.memory import Memory
from recovery.cache.store import Cache
from recovery.overview.build import overview_rows, whole_rows, write_list
from recovery.overview.evidence import evidence_of
from recovery.overview.wanted_plans import wake_named
from recovery.pacs.holdings import LOST, Holding
from recovery.pacs.resting import GROUPS_PER_PART
from recovery.pacs.workspace import Workspace, open_workspace
from recovery.settings.config import Config, load_config
from recovery.tables.schema import HOLDINGS, ON_TREATMENT, RESTING, RT_PLANS, TREATMENT_RECORDS
from tests import objects as o

NOW = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)
TODAY = date(2026, 11, 24)
FORMER = 2 * GROUPS_PER_PART + 10
"""Patients last treated two years ago: two parts full, and some who wait for a third."""

CONFIG = """
[site]
name = "Test clinic"
time_zone = "Europe/Zurich"
[local]
ae_title = "RBRDT"
host = "127.0.0.1"
port = 1
[rv]
ae_title = "RV"
host = "127.0.0.1"
port = 1
[pacs]
ae_title = "RTPACS"
host = "127.0.0.1"
port = 1
[cache]
path = "cache"
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One patient treated yesterday, and many former ones; what a run wrote that found everybody active is `before`."""
    folder = tmp_path_factory.mktemp("resting")
    (folder / "config.toml").write_text(CONFIG)
    space = opened(folder)
    treat(space, "new", TODAY - timedelta(days=1))
    for number in range(FORMER):
        treat(space, f"old{number:03d}", TODAY - timedelta(days=700 + number))
    space.collection.note_all_records()
    space.save()
    rows = whole_rows(space, overview_rows(space, evidence_of(space)))
    space.cache.write(ON_TREATMENT, rows, taken_at=NOW, source="RT-PACS")
    shutil.copytree(folder / "cache", folder / "before")
    run(opened(folder))
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def config_of(folder: Path) -> Config:
    return load_config(folder / "config.toml")


def opened(folder: Path, *, run_number: int = 0) -> Workspace:
    config = config_of(folder)
    return open_workspace(config, replace(Memory.load(config.cache_path), runs=run_number), NOW)


def treat(space: Workspace, patient_id: str, day: date, *, fraction: int = 1) -> None:
    """Give the collection a record, and the plan of its course, as the RT-PACS would."""
    who = {"PatientID": patient_id, "PatientName": f"BENCH^{patient_id}"}
    plan_uid = o.uid("resting", patient_id)
    at = datetime(day.year, day.month, day.day, 9)  # noqa: DTZ001  site-local
    beam = o.beam_item(1, fraction, 100.0, 100.0)
    space.collection.add(
        o.record(plan_uid, [beam], at=at, **who, SOPInstanceUID=o.uid("resting", patient_id, fraction))
    )
    space.collection.add(o.plan({1: 100.0}, SOPInstanceUID=plan_uid, **who))
    space.holdings.note(Holding(plan_uid, "IMAGE", 1, 1, NOW))
    space.resting.wake(space.collection.take_met())


def run(space: Workspace) -> None:
    """What `build_on_treatment` writes, once the RT-PACS was asked."""
    wake_named(space)
    write_list(space, whole_rows(space, overview_rows(space, evidence_of(space))))


_opened: list[str] | None = None


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _opened is not None:
        _opened.append(str(arguments[0]))


sys.addaudithook(_note)


@contextmanager
def listening() -> Iterator[list[str]]:
    """The files that are opened within."""
    global _opened
    _opened = []
    try:
        yield _opened
    finally:
        _opened = None


def test_every_table_tells_of_those_who_rest_what_it_told_before(folder: Path) -> None:
    before, now = Cache(folder / "before"), Cache(folder / "cache")
    for schema in (ON_TREATMENT, TREATMENT_RECORDS, RT_PLANS, HOLDINGS):
        key = schema.key[0]
        told = sorted(now.read(schema), key=lambda row: str(row[key]))
        assert told == sorted(before.read(schema), key=lambda row: str(row[key])), schema.name
        assert len(now.active.read(schema)) < len(told) or not told, f"nobody of {schema.name} rests"
    assert now.read(ON_TREATMENT) == before.read(ON_TREATMENT), "the list's order"
    assert now.read_frame(ON_TREATMENT).equals(before.read_frame(ON_TREATMENT))


def test_a_run_opens_one_part_however_many_there_are(folder: Path) -> None:
    with listening() as files:
        run(opened(folder))
    parts = {path.split("/resting/")[1].split("/")[0] for path in files if "/resting/0" in path}
    assert len(parts) == 1


def test_a_run_that_finds_nothing_new_writes_nothing_of_those_who_rest(folder: Path) -> None:
    run(opened(folder))
    before = {path: path.stat().st_mtime_ns for path in (folder / "cache" / "resting").rglob("*.parquet")}
    run(opened(folder))
    assert before == {path: path.stat().st_mtime_ns for path in (folder / "cache" / "resting").rglob("*.parquet")}


def test_one_patient_s_rows_are_read_from_one_part(folder: Path) -> None:
    cache = Cache(folder / "cache")
    for schema, column, value in (
        (TREATMENT_RECORDS, "patient_id", "old107"),
        (RT_PLANS, "sop_instance_uid", o.uid("resting", "old107")),
        (HOLDINGS, "uid", o.uid("resting", "old107")),
    ):
        with listening() as files:
            (row,) = cache.read_where(schema, column, [value])
        assert row[column] == value
        assert len([path for path in files if "/resting/0" in path]) == 1


def test_parts_take_turns(folder: Path) -> None:
    assert [set(opened(folder, run_number=number).resting.loaded) for number in range(4)] == [{1}, {2}, {1}, {2}]


def test_all_parts_have_their_turn_within_a_week(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recovery.pacs.resting.RUNS_A_WEEK", 1)
    assert set(opened(folder, run_number=7).resting.loaded) == {1, 2}


def test_who_is_treated_again_is_counted_with_all_that_was_given_before_and_rests_no_more(folder: Path) -> None:
    space = opened(folder, run_number=1)
    patient_id = patient_of_part(space, 1)
    treat(space, patient_id, TODAY, fraction=2)
    run(space)
    cache = Cache(folder / "cache")
    (row,) = cache.read_where(ON_TREATMENT, "patient_id", [patient_id])
    assert row["fractions_delivered"] == 2 and row["status"] == "on_treatment"
    assert [r["patient_id"] for r in cache.part().read(ON_TREATMENT)].count(patient_id) == 0
    assert patient_id in {r["patient_id"] for r in cache.active.read(TREATMENT_RECORDS)}
    assert patient_id not in cache.columns(RESTING)["name"]
    assert len(cache.read(ON_TREATMENT)) == FORMER + 1
    run(opened(folder, run_number=1))
    assert len(cache.read(TREATMENT_RECORDS)) == FORMER + 2


def test_who_misses_a_record_does_not_rest(folder: Path) -> None:
    space = opened(folder)
    uid = next(iter(space.resting.records_of(1)))
    patient_id = space.collection.records[uid].ref.patient_id
    space.holdings.note(Holding(uid, LOST, 1, 0, NOW))
    run(space)
    (row,) = Cache(folder / "cache").active.read_where(ON_TREATMENT, "patient_id", [str(patient_id)])
    assert row["records_held"] is False


def test_a_run_that_was_cut_off_while_somebody_went_to_rest_hides_and_doubles_nobody(folder: Path) -> None:
    shutil.copytree(folder / "before" / "tables", folder / "cache" / "active-before")
    for file in (folder / "cache" / "active-before").iterdir():
        file.replace(folder / "cache" / "tables" / file.name)  # as if it had been killed before it wrote these
    cache = Cache(folder / "cache")
    assert len(cache.read(ON_TREATMENT)) == FORMER + 1
    assert len(cache.read(TREATMENT_RECORDS)) == FORMER + 1
    run(opened(folder))
    assert len(cache.active.read(ON_TREATMENT)) == FORMER + 1 - 2 * GROUPS_PER_PART
    assert len(cache.active.read(TREATMENT_RECORDS)) == FORMER + 1 - 2 * GROUPS_PER_PART
    assert len(cache.read(ON_TREATMENT)) == FORMER + 1


def test_a_changed_byte_of_a_part_is_found_by_whoever_reads_it(folder: Path) -> None:
    file = flip(folder / "cache" / "resting" / "000002" / "tables" / "treatment_records.parquet")
    assert damaged_parts(folder / "cache") == ["000002/treatment_records"]
    with pytest.raises(TableDamagedError, match=file.parent.parent.name):
        Cache(folder / "cache").read(TREATMENT_RECORDS)
    space = opened(folder, run_number=1)
    assert len(space.resting.ask_again()) == GROUPS_PER_PART, "the RT-PACS is asked for these patients' records"
    run(space)  # which it was not: nothing is taken for gone
    assert len(Cache(folder / "cache").read(ON_TREATMENT)) == FORMER + 1
    assert len(opened(folder, run_number=1).resting.ask_again()) == GROUPS_PER_PART


def test_without_the_table_of_who_rests_the_rt_pacs_is_asked_for_every_record(folder: Path) -> None:
    assert opened(folder).collection.has_all_records
    (folder / "cache" / "tables" / "resting.parquet").unlink()
    assert not opened(folder).collection.has_all_records


def test_a_damaged_list_of_those_who_rest_is_made_again_from_all_of_them(folder: Path) -> None:
    flip(folder / "cache" / "resting" / "tables" / "on_treatment.parquet")
    space = opened(folder)
    assert "on_treatment" in space.damaged
    run(space)
    assert Cache(folder / "cache").read(ON_TREATMENT) == Cache(folder / "before").read(ON_TREATMENT)


def patient_of_part(space: Workspace, number: int) -> str:
    return next(name for name, (part, count) in space.resting.places.items() if part == number and count)


def flip(file: Path) -> Path:
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 1
    file.write_bytes(data)
    return file
