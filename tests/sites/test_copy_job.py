"""The job that copies: beside the cycles, and what could not go goes later."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from backup_jobs.jobs import check
from backup_jobs.jobs import copy_sites as job
from backup_jobs.jobs.job import run_job
from recovery.cache.journal import JobResult, Journal
from recovery.cache.memory import Memory
from recovery.pacs.workspace import bare_workspace
from recovery.settings.config import Config, load_config
from recovery.sites.network import look
from recovery.sites.reading import last_seen, note_seen, seen_file
from recovery.sites.staging import stage, staged, tail_of
from tests.forked import run_module
from tests.patience import seconds, wait_until
from tests.recovery.test_config import GOOD
from tests.sites.made import NOW, change


@pytest.fixture
def config(tmp_path: Path) -> Config:
    copies = (
        '[[site_copies]]\nname = "vault"\nwhere = "vault"\n[[site_copies]]\nname = "other"\nwhere = "o"\nsite = "x"\n'
    )
    (tmp_path / "config.toml").write_text(GOOD + copies)
    return load_config(tmp_path / "config.toml")


def copied(config: Config, at: timedelta) -> tuple[str, str]:
    space = bare_workspace(config, Memory(config.cache_path), NOW + at)
    result = run_job(job.JOB, job.copy_sites, space).result
    return result.outcome, result.message


def test_what_a_line_that_is_down_kept_back_goes_when_it_is_up_and_a_day_of_silence_fails(
    config: Config,
) -> None:
    assert copied(replace(config, site_copies=[]), timedelta(0))[0] == "SKIPPED"
    change(config.cache_path, 1)
    outcome, message = copied(config, timedelta(0))
    assert outcome == "FAILED" and message.startswith("vault: It was not written: ") and "is it mounted?" in message
    assert message.endswith("What is new waits; nothing is there yet.")
    vault = config.file.parent / "vault"
    vault.mkdir()
    assert copied(config, timedelta(minutes=10)) == ("OK", "")
    assert not (config.file.parent / "o").exists(), "another site's copy is only read"
    vault.rename(vault.with_name("cut"))
    change(config.cache_path, 2)
    stage(config.cache_path, NOW + timedelta(hours=2))
    outcome, message = copied(config, timedelta(hours=2))
    assert outcome == "PARTIAL" and message.endswith("What is new waits; its newest state is 1 h 50 min old.")
    assert copied(config, timedelta(days=2))[0] == "FAILED"
    vault.with_name("cut").rename(vault)
    assert copied(config, timedelta(days=2, hours=1)) == ("OK", "")
    assert [path.name for path in staged(config.cache_path)] == ["20261124T150000"]


def test_a_cycle_that_keeps_its_state_for_the_copies_and_starts_them_waits_for_nothing(config: Config) -> None:
    """Its cost is that of some hard links and of a process that is not waited for."""
    change(config.cache_path, 1)
    for number in range(60):
        (config.cache_path / "tables" / f"more_{number}.parquet").write_bytes(b"PAR1")
    before = time.process_time()
    job.start_copying(replace(config, file=config.file.with_name("absent.toml")), NOW)
    assert time.process_time() - before < 0.2
    assert len(list(staged(config.cache_path)[0].rglob("*.parquet"))) > 60


def test_a_copy_tells_of_the_last_night_whatever_ran_since(config: Config) -> None:
    journal, file = Journal(config.cache_path), config.cache_path / "runs.jsonl"
    for name, often in (("verify_backup", 2), ("sync_records", 200)):
        for number in range(often):
            at = NOW + timedelta(minutes=number)
            journal.finish(journal.start(name, at), JobResult(name, "OK", {"found": number}), at)
    tail = tail_of(file)
    assert 65_536 <= len(tail) < 66_500 < file.stat().st_size
    file.write_bytes(tail)
    runs_told = Journal(config.cache_path).runs()
    assert [run.counts for run in runs_told if run.job == "verify_backup"] == [{"found": 1}]
    assert runs_told[-1].counts == {"found": 199} and journal.damaged_lines() == 0


def test_the_command_copies_and_leaves_what_the_cycles_remember(config: Config) -> None:
    change(config.cache_path, 1)
    (config.file.parent / "vault").mkdir()
    done = run_module("backup_jobs", "copy_sites", "--json", "--config", str(config.file))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["job"], said["outcome"], said["counts"]["found"], said["counts"]["unproven"]) == (
        "copy_sites",
        "OK",
        1,
        0,
    )
    assert not (config.cache_path / "memory.json").exists()


def test_a_clock_that_was_ahead_keeps_no_newer_state_back_and_hides_no_silence(config: Config) -> None:
    change(config.cache_path, 1)
    stage(config.cache_path, NOW + timedelta(days=365))
    stage(config.cache_path, NOW)
    assert [path.name for path in staged(config.cache_path)] == ["20261124T130000"]
    note_seen(seen_file(config.cache_path, "vault"), "0000000001-x.json", NOW + timedelta(days=365))
    assert copied(config, timedelta(0))[0] == "FAILED"


def test_who_looks_at_the_network_hides_no_silence_of_the_own_copy(config: Config) -> None:
    change(config.cache_path, 1)
    (config.file.parent / "vault").mkdir()
    copied(config, timedelta(0))
    look(config, config.own_copies[0], NOW + timedelta(days=2))
    assert last_seen(seen_file(config.cache_path, "vault"))[1] == NOW


def test_check_tries_each_copy_and_says_what_protects_it(config: Config) -> None:
    def found() -> list[tuple[str, str]]:
        return list(check._copies(bare_workspace(config, Memory(config.cache_path), NOW)))

    own, other = found()
    assert own[0] == "copy vault" and "is it mounted?" in own[1] and "is it mounted?" in other[1]
    for folder in ("vault", "o"):
        (config.file.parent / folder).mkdir()
    own, other = found()
    assert "can be written, and read back; no versions" in own[0] and own[1] == ""
    assert other == ("copy other", "there is no copy of the site x")
    assert not list((config.file.parent / "o").iterdir()), "another clinic's copy is only read"


def test_a_copy_that_is_stopped_says_what_is_true_of_it(config: Config) -> None:
    """Its line is dead: what it asks for first never comes."""
    change(config.cache_path, 1)
    (vault := config.file.parent / "vault" / "site=test-clinic").mkdir(parents=True)
    os.mkfifo(vault / "current")
    command = [sys.executable, "-m", "backup_jobs", "copy_sites", "--config", str(config.file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        wait_until(lambda: "copy_sites" in (config.cache_path / "runs.jsonl").read_text())
        run.send_signal(signal.SIGTERM)
        said = run.communicate(timeout=seconds(20))[1]
    assert run.returncode == 1
    assert said.endswith("stopped; what was done so far stands, and the next run does the rest\n"), said
