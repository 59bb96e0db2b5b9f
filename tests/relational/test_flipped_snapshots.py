"""Bits of the tables' snapshots are flipped, by seed, under a cycle with a database: named, made anew, never believed.

The pointer, the manifest, the tables and the note of freshness each take their turn.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from backup_jobs.jobs.cycle import run_cycle
from backup_jobs.jobs.job import opened
from recovery.cache.errors import CacheError
from recovery.cache.manifests import current_id
from recovery.cache.snapshots import verify_snapshot
from recovery.cache.store import Cache
from recovery.overview.build import Workspace
from recovery.settings.config import load_config
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import ON_TREATMENT
from tests.backup_jobs.test_flipped_bits import SEED, flip
from tests.backup_jobs.test_main_job import course
from tests.clinic import TwoNodes, two_nodes
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed
from tests.relational.aria import Aria
from tests.relational.aria_clinic import fill
from tests.relational.conftest import NOW

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

Tables = dict[str, list[dict[str, Any]]]
FLIPS = {"current": 12, "manifest.json": 12, "confirmed.json": 3, ".parquet": 6}
"""How many are read: what is believed of them is right."""
HEALED = {"current": 4, "manifest.json": 4, "confirmed.json": 2, ".parquet": 4}
"""After how many of them a cycle, which takes a second, is run."""


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path_factory.mktemp("snapshots")) as nodes:
        nodes.extra = '[rv.database]\nconnection = "sqlite:///aria.db"\n'
        nodes.put(course("20240503", "MUSTER^ANNA", {1: 50.0, 2: 60.0}, 4))
        database = Aria(nodes.folder / "aria.db")
        fill(database)
        database.close()
        cycle(nodes)
        cycle(nodes)
        shutil.copytree(nodes.folder / "cache", nodes.folder / "whole")
        yield nodes


def cycle(clinic: TwoNodes) -> dict[str, str]:
    """Run one; returns what each job says."""
    space = opened("cycle", load_config(clinic.config), NOW)
    assert isinstance(space, Workspace)
    runs = [run.result for run in run_cycle(space)]
    space.memory.save()
    assert "FAILED" not in {result.outcome for result in runs}, runs
    return {result.job: result.message for result in runs}


def tables(clinic: TwoNodes) -> Tables:
    cache = Cache(clinic.folder / "cache")
    return {schema.name: cache.read(schema) for schema in (ON_TREATMENT, *RELATIONAL_TABLES.values())}


@pytest.mark.parametrize("kind", FLIPS)
def test_whatever_bit_of_a_snapshot_flips_it_is_named_and_the_next_cycle_makes_it_anew(
    clinic: TwoNodes, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    by_seed, cache = random.Random(SEED), clinic.folder / "cache"
    right = None
    for number in range(FLIPS[kind]):
        shutil.rmtree(cache)
        shutil.copytree(clinic.folder / "whole", cache)
        right = right or tables(clinic)
        assert all(right[name] for name in ("patients", "plans", "on_treatment"))
        (newest,) = [cache / "snapshots" / name for name in [current_id(cache)] if name]
        places = (*(cache / "snapshots").iterdir(), *newest.rglob("*"))
        files = sorted(path for path in places if path.is_file() and path.name.endswith(kind))
        path = by_seed.choice(files)
        what = flip(path, by_seed)
        try:
            assert tables(clinic) == right, what
            is_seen = False
        except CacheError:
            is_seen = True
        if number >= HEALED[kind]:
            continue
        caplog.clear()
        said = cycle(clinic)
        assert tables(clinic) == right, what
        assert verify_snapshot(cache, current_id(cache) or "") == [], what
        if is_seen or path.suffix == ".parquet":
            assert "read anew from the database: " in said["snapshot_tables"], what
            assert "read anew from the database: " in caplog.text, what
