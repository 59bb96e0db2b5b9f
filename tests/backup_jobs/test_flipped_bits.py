"""Bits of the cache are flipped, by seed: a reader refuses, the next cycle heals, both say so; no number changes.

Every file of the cache takes its turn: tables, journal, memory, snapshots, their manifests and pointer.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backup_jobs.jobs.cycle import run_cycle
from backup_jobs.jobs.job import Run, opened
from recovery.cache.damages import damaged_parts, damaged_tables
from recovery.cache.errors import CacheError
from recovery.cache.journal import Journal
from recovery.cache.store import Cache
from recovery.host.clock import read_clock
from recovery.pacs.workspace import Workspace
from recovery.settings.config import load_config
from recovery.tables.schema import ON_TREATMENT, RT_PLANS, TREATMENT_RECORDS
from tests.backup_jobs.test_main_job import course
from tests.clinic import TwoNodes, two_nodes
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

SEED = int(os.environ.get("RBRDT_CHAOS_SEED", "8"))
FLIPS_OF_A_FILE = int(os.environ.get("RBRDT_CHAOS_SEEDS", "1")) + 1


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    """Two patients: one treated this week, one whose records and plan are older than every window."""
    with two_nodes(tmp_path_factory.mktemp("flips")) as nodes:
        nodes.put(course("A1", "NEW^ANNA", {1: 50.0, 2: 60.0}, 4))
        nodes.put(course("A2", "OLD^OTTO", {1: 70.0}, 3, last=100.0))
        assert nodes.job("cycle")[0] == 0
        assert nodes.job("cycle")[0] == 0
        shutil.copytree(nodes.folder / "cache", nodes.folder / "whole")
        yield nodes


@pytest.fixture
def cache(clinic: TwoNodes) -> Cache:
    """The cache as it was before anything was flipped."""
    shutil.rmtree(clinic.folder / "cache")
    shutil.copytree(clinic.folder / "whole", clinic.folder / "cache")
    return Cache(clinic.folder / "cache")


def cycle(clinic: TwoNodes) -> list[Run]:
    space = opened("cycle", load_config(clinic.config), read_clock())
    if isinstance(space, Run):
        return [space]
    runs = list(run_cycle(space))
    space.memory.save()
    return runs


def rows(cache: Cache) -> list[dict[str, Any]]:
    return cache.read(ON_TREATMENT)


def flip(path: Path, random_bit: random.Random) -> str:
    data = bytearray(path.read_bytes())
    place, bit = random_bit.randrange(len(data)), random_bit.randrange(8)
    data[place] ^= 1 << bit
    path.write_bytes(data)
    return f"bit {bit} of byte {place} of {path.name}"


def test_whatever_bit_flips_no_number_changes_and_the_next_cycle_heals_it(
    clinic: TwoNodes, cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    by_seed, right = random.Random(SEED), rows(cache)
    assert [row["fractions_delivered"] for row in right] == [4, 3]
    files = sorted(p.relative_to(cache.path) for p in cache.path.rglob("*") if p.is_file() and p.stat().st_size)
    files = [name for name in files if name.suffix in {".parquet", ".json", ".jsonl"}]
    assert {"on_treatment.parquet", "treatment_records.parquet", "memory.json", "runs.jsonl"} <= {p.name for p in files}
    for name in files * FLIPS_OF_A_FILE:
        shutil.rmtree(cache.path)
        shutil.copytree(clinic.folder / "whole", cache.path)
        what = flip(cache.path / name, by_seed)
        try:
            assert rows(cache) == right, what
        except CacheError:
            assert name.name == "on_treatment.parquet", what
        caplog.clear()
        runs = cycle(clinic)
        (built,) = (run.result for run in runs if run.result.job == "build_on_treatment")
        is_note = name.name == "entries_noted.json"  # what statements there were, nothing tells then
        said = ("PARTIAL", True) if is_note else ("OK", False)
        assert (built.outcome, "Nobody can tell" in built.message) == said, what
        assert rows(cache) == right, what
        assert damaged_tables(cache.path) == [], what
        journal = Journal(cache.path)
        assert [run.job for run in journal.runs()][-1] == "build_on_treatment", what
        if name.suffix == ".parquet":
            assert f"made again from the RT-PACS: {name.stem}" in journal.runs()[-1].message, what
            assert name.stem in caplog.text, what


def test_whatever_is_damaged_of_those_who_rest_is_made_again_and_no_number_changes(
    clinic: TwoNodes, cache: Cache
) -> None:
    by_seed, right = random.Random(SEED), rows(cache)
    space = opened("cycle", load_config(clinic.config), read_clock())
    assert isinstance(space, Workspace)
    space.resting.groups_per_part = 1
    assert [run.exit_status for run in run_cycle(space)] == [0, 0, 0, 0]
    assert [row["patient_id"] for row in rows(cache.active)] == ["A1"]
    assert rows(cache) == right
    rested = shutil.copytree(cache.path, clinic.folder / "rested")
    for name in sorted(path.relative_to(rested) for path in (rested / "resting").rglob("*.parquet")):
        shutil.rmtree(cache.path)
        shutil.copytree(rested, cache.path)
        what = f"{name}: {flip(cache.path / name, by_seed)}"
        (*_, built) = cycle(clinic)
        assert built.result.outcome == "OK" and "made again from the RT-PACS" in built.result.message, what
        assert rows(cache) == right, what
        assert damaged_parts(cache.path) == [] == damaged_tables(cache.path), what
        assert len(cache.read(TREATMENT_RECORDS)) == len(Cache(rested).read(TREATMENT_RECORDS)), what


def test_records_older_than_the_window_come_back_also_when_the_run_that_found_the_damage_was_stopped(
    clinic: TwoNodes, cache: Cache
) -> None:
    right = rows(cache)
    (cache.path / "tables" / "treatment_records.parquet").write_bytes(b"half")
    space = opened("cycle", load_config(clinic.config), read_clock())
    assert isinstance(space, Workspace)
    for run in run_cycle(space):
        if run.result.job == "sync_records":
            break
    newest = next(r for r in space.held_records or () if r.patient_id == "A1")
    space.collection.records |= {
        r.ref.sop_instance_uid: r
        for r in _collected(clinic, "whole").values()
        if r.ref.sop_instance_uid == newest.sop_instance_uid
    }
    space.collection._changed.add(TREATMENT_RECORDS.name)
    space.keep()
    assert len(cache.read(TREATMENT_RECORDS)) == 1
    cycle(clinic)
    assert rows(cache) == right


def _collected(clinic: TwoNodes, folder: str) -> dict[str, Any]:
    from recovery.pacs.collection import Collection

    return Collection.load(Cache(clinic.folder / folder), load_config(clinic.config).site.zone).records


def test_plans_that_are_asked_about_once_a_day_come_back_at_once(clinic: TwoNodes, cache: Cache) -> None:
    right = rows(cache)
    (cache.path / "tables" / "rt_plans.parquet").write_bytes(b"half")
    cycle(clinic)
    assert len(cache.read(RT_PLANS)) == 2
    assert rows(cache) == right


def test_a_cycle_that_cannot_open_its_cache_says_failed_in_the_journal(
    clinic: TwoNodes, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("MUELLER^ANNA")

    monkeypatch.setattr("backup_jobs.jobs.job.open_workspace", broken)
    (run,) = cycle(clinic)
    assert (run.exit_status, run.result.outcome) == (2, "FAILED")
    told = Journal(cache.path).runs()[-1]
    assert (told.job, told.outcome) == ("cycle", "FAILED")
    assert "RuntimeError" in told.message
    assert "MUELLER" not in told.message
