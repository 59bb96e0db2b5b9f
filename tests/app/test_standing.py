"""The banner's sentences: how old, what is proven, what is broken since when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.standing import LOOK_AFTER, STOP_AFTER, Level, Standing, judge
from recovery.runs import Journal
from tests.app.clinic import NOW, write_runs

ZURICH = ZoneInfo("Europe/Zurich")
End = tuple[timedelta, Mapping[str, str]]


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def after(tmp_path: Path, *ends: End, now: datetime = NOW, built: timedelta = timedelta(minutes=5)) -> Standing:
    write_runs(tmp_path, ends, now)
    return judge(Journal(tmp_path).runs(), now - built, now, ZURICH)


def test_a_fresh_backup_says_how_old_it_is_and_what_is_proven(tmp_path: Path) -> None:
    said = after(tmp_path, (minutes(16), {}), (minutes(6), {}))
    assert said.level is Level.GOOD
    assert said.headline == "Backup is 6 minutes old. Everything up to Tue 14:32 is proven in the RT-PACS."
    assert said.details == ()
    assert (said.jobs[0].job, said.jobs[0].words) == ("sync_records", "6 min ago")
    assert said.as_of == NOW - minutes(6)


@pytest.mark.parametrize(
    ("age", "level"),
    [
        (LOOK_AFTER, Level.GOOD),
        (LOOK_AFTER + minutes(1), Level.LOOK),
        (STOP_AFTER, Level.LOOK),
        (STOP_AFTER + minutes(1), Level.STOP),
    ],
)
def test_the_level_follows_the_age_of_what_is_proven(tmp_path: Path, age: timedelta, level: Level) -> None:
    said = after(tmp_path, (age, {}), built=age - minutes(1))
    assert said.level is level
    assert ("No job has run since" in " ".join(said.details)) == (level is not Level.GOOD)


def test_a_silent_rv_system_is_named_with_its_silence_and_the_copy_that_stands(tmp_path: Path) -> None:
    failing = {"sync_records": "FAILED rv", "sync_plans": "FAILED rv", "snapshot_tables": "FAILED database"}
    said = after(tmp_path, (minutes(136), {}), (minutes(16), failing), (minutes(6), failing))
    assert said.level is Level.STOP
    assert said.headline == (
        "The R&V system has not answered since Tue 12:22 (2 h 16 min). This page shows the last good copy, Tue 12:22."
    )
    assert said.details == ("The R&V system's database has not answered since Tue 12:22 (2 h 16 min).",)
    assert said.as_of == NOW - minutes(136)


@pytest.mark.parametrize(
    ("fault", "subject"),
    [
        ("rv", "The R&V system has not answered"),
        ("pacs", "The RT-PACS has not answered"),
        ("database", "The R&V system's database has not answered"),
        ("cache", "The cache could not be written"),
        ("config", "The jobs could not use their config"),
    ],
)
def test_each_fault_has_its_sentence_wherever_it_strikes(tmp_path: Path, fault: str, subject: str) -> None:
    for job in ("sync_records", "build_on_treatment"):
        said = after(tmp_path / job, (minutes(16), {}), (minutes(6), {job: f"FAILED {fault}"}))
        assert said.level is Level.LOOK
        assert f"{subject} since Tue 14:22 (16 min)" in said.in_plain_text
        assert said.in_plain_text.count(subject) == 1


def test_a_failure_without_a_fault_tells_its_message(tmp_path: Path) -> None:
    said = after(tmp_path, (minutes(16), {}), (minutes(6), {"sync_plans": "FAILED"}))
    assert said.details == ("sync_plans has failed since Tue 14:22 (16 min): said so.",)


def test_a_partial_run_counts_what_is_unproven(tmp_path: Path) -> None:
    said = after(tmp_path, (minutes(16), {}), (minutes(6), {"sync_records": "PARTIAL 3"}))
    assert said.level is Level.LOOK
    assert said.headline.startswith("Backup is 6 minutes old. Everything up to Tue 14:32 but 3 objects is proven")
    assert said.details[0].startswith("3 objects that sync_records wanted are not proven in the RT-PACS.")
    assert said.jobs[0].words == "16 min ago, 3 unproven 6 min ago"


def test_a_skipped_job_is_neither_shown_nor_judged(tmp_path: Path) -> None:
    said = after(tmp_path, (minutes(6), {"snapshot_tables": "SKIPPED"}))
    assert said.level is Level.GOOD
    assert "snapshot_tables" not in {job.job for job in said.jobs}


def test_no_run_at_all_proves_nothing(tmp_path: Path) -> None:
    said = judge([], NOW, NOW, ZURICH)
    assert said.level is Level.STOP
    assert said.headline.startswith("Nothing is proven")


def test_a_run_that_never_ended_is_told(tmp_path: Path) -> None:
    write_runs(tmp_path, [(minutes(50), {})])
    Journal(tmp_path).start("sync_records", NOW - minutes(40))
    said = judge(Journal(tmp_path).runs(), NOW - minutes(49), NOW, ZURICH)
    assert said.details == ("A run of sync_records began Tue 13:58 and has not ended. Look at its machine.",)


def test_a_table_older_than_its_proof_is_told(tmp_path: Path) -> None:
    said = after(tmp_path, (minutes(6), {}), built=minutes(150))
    assert said.level is Level.STOP
    assert said.as_of == NOW - minutes(150)
    assert "The table below was built Tue 12:08 (2 h 30 min ago)" in said.details[0]


def test_a_run_from_the_future_asks_to_compare_clocks(tmp_path: Path) -> None:
    said = after(tmp_path, (minutes(-60), {}))
    assert said.level is Level.LOOK
    assert "1 h in the future" in said.details[-1]


def test_the_night_of_changing_clocks_keeps_ages_true(tmp_path: Path) -> None:
    now = datetime(2026, 10, 25, 1, 6, tzinfo=UTC)  # 02:06 for the second time
    said = after(tmp_path, (minutes(66), {}), (minutes(6), {}), now=now)
    assert said.headline == "Backup is 6 minutes old. Everything up to Sun 02:00 CET is proven in the RT-PACS."
