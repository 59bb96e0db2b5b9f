"""The journal and the locks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filelock import lock_descriptor

from recovery.cache.journal import JobResult, Journal, is_stopped, lock
from recovery.host.clock import believed_ages
from recovery.host.durable import LockedError, append, appending
from recovery.host.seals import sealed_json, unsealed_json
from tests.recovery.test_durable import wait_until_it_has_open

PROJECT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 24, 14, 32, tzinfo=UTC)


def result(outcome: str = "OK", message: str = "") -> JobResult:
    return JobResult("sync_records", outcome, {"found": 3}, message=message, fault="rv" if outcome == "FAILED" else "")  # type: ignore[arg-type]


def test_a_run_that_ended_and_one_that_never_did_are_told_apart(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.finish(journal.start("sync_records", NOW), result(), NOW + timedelta(seconds=3))
    journal.start("sync_plans", NOW)
    ended, running = journal.runs()
    assert (ended.outcome, ended.counts, ended.finished_at) == ("OK", {"found": 3}, NOW + timedelta(seconds=3))
    assert (running.job, running.finished_at, running.outcome) == ("sync_plans", None, None)


def test_a_failure_keeps_its_sentence_and_what_could_not_be_asked(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.finish(journal.start("sync_records", NOW), result("FAILED", "cannot be reached"), NOW)
    run = journal.runs()[0]
    assert (run.outcome, run.message, run.fault) == ("FAILED", "cannot be reached", "rv")


def test_a_run_tells_how_long_it_took_and_what_is_unproven_and_an_older_line_does_not(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    told = JobResult("sync_plans", "PARTIAL", {"unproven": 2}, ("1.2.3", "1.2.4"), "said so", 4.25)
    journal.finish(journal.start("sync_plans", NOW), told, NOW)
    assert (journal.runs()[0].unproven, journal.runs()[0].seconds) == (("1.2.3", "1.2.4"), 4.25)
    older = [json.loads(line) for line in journal.path.read_text().splitlines()]
    kept = [
        {key: value for key, value in line.items() if key not in {"seconds", "unproven", "sha256"}} for line in older
    ]
    journal.path.write_text("".join(json.dumps(line) + "\n" for line in kept))
    assert (journal.runs()[0].unproven, journal.runs()[0].seconds) == ((), None)


def test_a_half_written_last_line_costs_itself_and_not_the_next(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.start("sync_records", NOW)
    with journal.path.open("a") as file:
        file.write('{"event": "FINI')
    assert (len(journal.runs()), journal.damaged_lines()) == (1, 1)
    journal.start("sync_plans", NOW)
    assert ([run.job for run in journal.runs()], journal.damaged_lines()) == (["sync_records", "sync_plans"], 1)


def test_every_flipped_bit_of_a_journal_costs_at_most_its_own_line_and_is_counted(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for minutes, outcome in enumerate(("OK", "FAILED", "OK")):
        at = NOW + timedelta(minutes=minutes)
        journal.finish(journal.start("sync_records", at), result(outcome, "line\u2028end, ü"), at)
    whole, runs = journal.path.read_bytes(), journal.runs()
    lines = whole.splitlines(keepends=True)
    start, end = (sum(map(len, lines[:number])) for number in (2, 4))
    every_bit_of_the_middle_run = [(place, bit) for place in range(start, end) for bit in range(8)]
    one_of_each_other_byte = [(place, place % 8) for place in range(len(whole)) if not start <= place < end]
    for place, bit in every_bit_of_the_middle_run + one_of_each_other_byte:
        changed = bytearray(whole)
        changed[place] ^= 1 << bit
        journal.path.write_bytes(changed)
        now = journal.runs()
        assert len(now) == len(runs)
        assert sum(a != b for a, b in zip(now, runs, strict=True)) <= 1
        if now != runs:
            assert journal.damaged_lines() == 1
            own = next(number for number, run in enumerate(runs) if now[number] != run)
            assert sum(map(len, lines[: 2 * own])) - 1 <= place < sum(map(len, lines[: 2 * own + 2]))


def test_an_empty_journal_has_no_runs(tmp_path: Path) -> None:
    assert Journal(tmp_path).runs() == []


def test_runs_can_be_asked_since_a_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.start("sync_records", NOW - timedelta(days=2))
    journal.start("sync_plans", NOW)
    assert [run.job for run in journal.runs(NOW - timedelta(days=1))] == ["sync_plans"]


def test_old_runs_are_forgotten_after_keep_days(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for days in (100, 50, 0):
        journal.start(f"{days} days ago", NOW - timedelta(days=days))
    journal.prune(90, NOW)
    assert [run.job for run in journal.runs()] == ["50 days ago", "0 days ago"]


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("oldest", "left"),
    [
        (timedelta(days=91), ["90 days ago", "50 days ago"]),
        (timedelta(days=91) - SECOND, ["oldest", "90 days ago", "50 days ago"]),
        (timedelta(days=90), ["oldest", "90 days ago", "50 days ago"]),
    ],
)
def test_a_run_of_exactly_keep_days_stays_and_an_older_one_goes_when_it_is_a_day_too_old(
    tmp_path: Path, oldest: timedelta, left: list[str]
) -> None:
    journal = Journal(tmp_path)
    for job, age in {"oldest": oldest, "90 days ago": timedelta(days=90), "50 days ago": timedelta(days=50)}.items():
        journal.start(job, NOW - age)
    journal.prune(90, NOW)
    assert [run.job for run in journal.runs()] == left


def test_a_step_of_the_clock_counts_up_to_thirty_days_or_up_to_what_is_kept() -> None:
    week, month, longer = timedelta(days=7), timedelta(days=30), timedelta(days=30) + SECOND
    assert believed_ages([NOW - month], NOW, week) == [month]
    assert believed_ages([NOW - longer], NOW, week) == [timedelta()]
    assert believed_ages([NOW - longer, NOW], NOW, longer) == [longer, timedelta()]
    assert believed_ages([NOW + month, NOW], NOW, week) == [-month, timedelta()], "a clock set back is a step too"


def test_a_line_that_another_job_adds_while_old_runs_are_forgotten_is_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for days in (100, 50, 0):
        journal.start(f"{days} days ago", NOW - timedelta(days=days))
    said = journal.path.read_bytes().splitlines()[2]
    code = "import sys, pathlib, datetime; from recovery.cache.journal import Journal\n"
    code += "Journal(pathlib.Path(sys.argv[1])).prune(90, datetime.datetime.fromisoformat(sys.argv[2]))"
    with appending(journal.path) as descriptor:
        pruning = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), NOW.isoformat()], cwd=PROJECT)
        wait_until_it_has_open(pruning, journal.path.with_name("runs.jsonl.lock"))
        append(descriptor, sealed_json(unsealed_json(said) | {"job": "other", "run": "1"}).encode() + b"\n")
    assert pruning.wait(60) == 0
    assert [run.job for run in journal.runs()] == ["50 days ago", "0 days ago", "other"]


def test_a_second_holder_of_a_lock_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    with lock(tmp_path, "cycle"):
        with pytest.raises(LockedError), lock(tmp_path, "cycle"):
            pass
        with lock(tmp_path, "sync_records"):
            pass
    with lock(tmp_path, "cycle"):
        pass


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    code = "import sys, pathlib, time; from recovery.cache.journal import lock\n"
    code += "with lock(pathlib.Path(sys.argv[1]), 'cycle'): print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(LockedError), lock(tmp_path, "cycle"):
            pass
        holder.kill()
        holder.wait()
    with lock(tmp_path, "cycle"):
        pass


def test_where_the_cache_takes_no_lock_file_another_place_does(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("not a folder")
    with lock(tmp_path, "cycle"), pytest.raises(LockedError), lock(tmp_path, "cycle"):
        pass


def test_a_run_that_noted_no_end_was_killed_once_its_lock_is_free_and_to_look_takes_nothing(tmp_path: Path) -> None:
    assert not is_stopped(tmp_path, "sync_records"), "where there is no lock file nobody can tell"
    with lock(tmp_path, "sync_records"):
        assert not is_stopped(tmp_path, "sync_records")
    assert is_stopped(tmp_path, "sync_records")
    with lock(tmp_path, "sync_records"):
        pass


def test_somebody_who_only_looks_does_not_turn_a_run_away(tmp_path: Path) -> None:
    with lock(tmp_path, "sync_records"):
        pass
    reader = os.open(tmp_path / "locks" / "sync_records.lock", os.O_RDONLY)
    lock_descriptor(reader)
    threading.Timer(0.01, os.close, (reader,)).start()
    with lock(tmp_path, "sync_records"):
        pass
