"""Where there is no cron: the nightly proof begins when its time has come, also after a night in which nothing ran."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backup_jobs.jobs.schedule import drill_is_due, is_due, is_due_after_proof
from recovery.cache.journal import JobResult, Journal
from recovery.settings.config import load_config
from tests.patience import seconds, wait_until
from tests.testdata import PROJECT
from tests.watch.test_watch import configure

EVENING = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TWO = EVENING + 6 * HOUR
"""02:00 in Zurich."""


def ran(folder: Path, *at: datetime) -> None:
    journal = Journal(folder / "cache")
    for when in at:
        journal.finish(journal.start("verify_backup", when), JobResult("verify_backup", "OK", {}), when)


@pytest.mark.parametrize(
    ("runs", "now", "due"),
    [
        ([], EVENING + HOUR, False),
        ([], TWO, True),
        ([EVENING - 17 * HOUR], EVENING + HOUR, False),
        ([EVENING - 17 * HOUR], TWO + 8 * HOUR, True),
        ([TWO], TWO + 5 * HOUR, False),
        ([TWO], TWO + 24 * HOUR, True),
        ([EVENING - 60 * HOUR], EVENING, True),
        ([EVENING + 300 * HOUR], EVENING, True),
        ([EVENING + 300 * HOUR, EVENING], EVENING + HOUR, False),
    ],
    ids=[
        "first evening",
        "first night",
        "same day",
        "overslept",
        "done",
        "next night",
        "was off",
        "clock ahead",
        "mended",
    ],
)
def test_the_proof_is_due_once_after_its_time_of_day(
    tmp_path: Path, runs: list[datetime], now: datetime, due: bool
) -> None:
    configure(tmp_path, "")
    ran(tmp_path, *runs)
    assert is_due(load_config(tmp_path / "config.toml"), EVENING, now) is due


def test_without_a_time_of_day_it_is_left_to_cron(tmp_path: Path) -> None:
    configure(tmp_path, '[verify]\nat = ""\n')
    assert not is_due(load_config(tmp_path / "config.toml"), EVENING, TWO)


@pytest.mark.parametrize(
    ("job", "section"), [("keep_packs", '[package]\npath = "p"'), ("keep_bundle", '[bundle]\npaths = ["p"]')]
)
@pytest.mark.parametrize(
    ("begun", "due"),
    [([], True), ([TWO - HOUR], True), ([TWO + HOUR], False), ([TWO + 99 * HOUR], True)],
    ids=["first night", "next night", "done", "clock ahead"],
)
def test_packs_and_bundle_are_made_once_after_each_proof_where_a_folder_is_named(
    tmp_path: Path, begun: list[datetime], due: bool, job: str, section: str
) -> None:
    configure(tmp_path, section)
    config, journal = load_config(tmp_path / "config.toml"), Journal(tmp_path / "cache")
    assert not is_due_after_proof(config, job, TWO), "no proof yet"
    ran(tmp_path, TWO)
    for at in begun:
        journal.finish(journal.start(job, at), JobResult(job, "OK", {}), at)
    assert is_due_after_proof(config, job, TWO + 2 * HOUR) is due
    configure(tmp_path, "")
    assert not is_due_after_proof(load_config(tmp_path / "config.toml"), job, TWO + 2 * HOUR)


@pytest.mark.parametrize(
    ("drills", "due"),
    [
        ([], True),
        ([(TWO - 29 * 24 * HOUR, "OK")], False),
        ([(TWO - 31 * 24 * HOUR, "PARTIAL")], True),
        ([(TWO - 31 * 24 * HOUR, "OK"), (TWO - 24 * HOUR, "FAILED")], True),
        ([(TWO - 31 * 24 * HOUR, "OK"), (TWO + HOUR, "FAILED")], False),
        ([(TWO + 99 * HOUR, "OK")], True),
    ],
    ids=["first", "this month", "last month", "could not be held", "tried tonight", "clock ahead"],
)
def test_a_drill_is_due_once_a_month_after_a_proof(
    tmp_path: Path, drills: list[tuple[datetime, str]], due: bool
) -> None:
    configure(tmp_path, "")
    config, journal = load_config(tmp_path / "config.toml"), Journal(tmp_path / "cache")
    assert not drill_is_due(config, TWO), "no proof yet"
    ran(tmp_path, TWO)
    for at, outcome in drills:
        journal.finish(journal.start("drill", at), JobResult("drill", outcome, {}), at)  # type: ignore[arg-type]
    assert drill_is_due(config, TWO + 2 * HOUR) is due
    configure(tmp_path, "[drill]\nevery_days = 0\n")
    assert not drill_is_due(load_config(tmp_path / "config.toml"), TWO + 2 * HOUR)


def test_schedule_runs_both_and_ends_with_all_that_it_started(tmp_path: Path) -> None:
    options = configure(tmp_path, "[drill]\nevery_days = 0\n")
    ran(tmp_path, datetime.now(UTC) - 48 * HOUR)
    journal = Journal(tmp_path / "cache")
    with subprocess.Popen([sys.executable, "-m", "backup_jobs", "schedule", *options], cwd=PROJECT) as process:
        wait_until(lambda: {"build_on_treatment", "verify_backup"} <= {r.job for r in journal.runs() if r.seconds})
        process.send_signal(signal.SIGTERM)
        assert process.wait(seconds(15)) in {1, 2}
    assert sum(run.job == "verify_backup" for run in journal.runs()) == 2
