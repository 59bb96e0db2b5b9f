"""A clock that was far ahead, or far behind, for a while prunes no history: not then, and not afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recovery.cache.journal import Journal
from recovery.cache.snapshots import list_snapshots, prune
from recovery.cache.store import Cache
from recovery.host.clock import believed_ages
from recovery.pacs.proven_objects import ProvenObjects
from tests.recovery.test_snapshots import taken

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIES = [timedelta(days=days) for days in (1500, 200, -1500, -200)]
KEEP_DAYS = 90


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("runs", [1, 5])
def test_the_journal_keeps_its_runs(tmp_path: Path, lie: timedelta, runs: int) -> None:
    journal = Journal(tmp_path)
    days = [*range(80, 0, -1)]
    for back in days:
        journal.start(f"{back}", NOW - timedelta(days=back))
    for number in range(runs):
        at = NOW + lie + timedelta(minutes=10 * number)
        journal.start("lie", at)
        journal.prune(KEEP_DAYS, at)
    for number in range(3):
        at = NOW + timedelta(minutes=10 * number)
        journal.start("again", at)
        journal.prune(KEEP_DAYS, at)
    assert {run.job for run in journal.runs()} >= {str(back) for back in days}
    later = NOW + timedelta(days=85)
    for back in range(84, -1, -7):
        journal.start("later", later - timedelta(days=back))
    journal.prune(KEEP_DAYS, later)
    assert not {run.job for run in journal.runs()} & {str(back) for back in range(80, 6, -1)}, "what is old still goes"


@pytest.mark.parametrize("lie", LIES)
def test_snapshots_stay(tmp_path: Path, lie: timedelta) -> None:
    made = [taken(tmp_path, n, NOW - timedelta(days=12 * (7 - n))).snapshot_id for n in range(7)]
    for number in range(2):
        taken(tmp_path, 7 + number, NOW + lie + timedelta(hours=number))
        assert not set(prune(tmp_path, KEEP_DAYS)) & set(made)
    for number in range(2):
        taken(tmp_path, 9 + number, NOW + timedelta(hours=number))
        assert not set(prune(tmp_path, KEEP_DAYS)) & set(made)
    assert {info.snapshot_id for info in list_snapshots(tmp_path)} >= set(made)
    taken(tmp_path, 11, NOW + timedelta(days=60))
    assert made[0] in prune(tmp_path, KEEP_DAYS), "what is old still goes"


@pytest.mark.parametrize("lie", LIES)
def test_what_was_proven_stays_proven(tmp_path: Path, lie: timedelta) -> None:
    cache = Cache(tmp_path)
    proven = ProvenObjects()
    for n in range(10):
        proven.note(f"1.{n}", "altered" if n == 3 else "", NOW - timedelta(days=n))
    proven.save(cache, NOW)
    for number, now in enumerate((NOW + lie, NOW + lie + timedelta(minutes=10), NOW)):
        again = ProvenObjects.load(cache)
        again.note(f"2.{number}", "", now)
        again.save(cache, now)
    kept = ProvenObjects.load(cache)
    assert kept.came_back_altered("1.3")
    assert all(kept.is_proven(f"1.{n}") for n in range(10) if n != 3)


def test_an_age_is_the_sum_of_plausible_steps() -> None:
    times = [NOW - timedelta(days=days) for days in (100, 50, 20)]
    keep = timedelta(days=90)
    assert believed_ages(times, NOW, keep) == [NOW - time for time in times]
    assert believed_ages(times, NOW + LIES[0], keep) == [NOW - timedelta(days=20) - time for time in times]
    assert believed_ages([], NOW, keep) == []
