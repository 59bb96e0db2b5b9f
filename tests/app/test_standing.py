"""The banner's sentences: how old, what is proven, what is broken since when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.data import cached
from app.data.standing import Level, Signal, Standing, judge
from recovery.cache.journal import CYCLE, JobResult, Journal, lock
from recovery.settings.config import STOP_AFTER, Schedule
from tests.app.clinic import NOW, write_runs

ZURICH = ZoneInfo("Europe/Zurich")
LOOK_AFTER = Schedule().grace
End = tuple[timedelta, Mapping[str, str]]


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def after(tmp_path: Path, *ends: End, now: datetime = NOW, built: timedelta = timedelta(minutes=5)) -> Standing:
    write_runs(tmp_path, ends, now)
    return judge(Journal(tmp_path).runs(), now - built, now, ZURICH)


def test_a_fresh_backup_says_how_old_it_is_and_what_is_proven(tmp_path: Path) -> None:
    said = after(tmp_path, (minutes(16), {}), (minutes(6), {}))
    assert said.level is Level.GOOD
    assert said.age.said[0] == "Backup is 6 minutes old. Everything up to Tue 14:32 is proven in the RT-PACS."
    assert said.age.said[1:] == said.completeness.said == ()
    assert said.answers.said == ("The R&V system answered Tue 14:32.",)
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
    assert ("No backup has run since" in " ".join(said.age.said)) == (level is not Level.GOOD)


def test_an_old_copy_is_told_by_the_configs_pace(tmp_path: Path) -> None:
    write_runs(tmp_path, [(minutes(61), {})], NOW)
    runs = Journal(tmp_path).runs()
    for pace, level, is_behind in ((10, Level.LOOK, True), (20, Level.LOOK, False), (30, Level.GOOD, False)):
        said = judge(runs, NOW - minutes(80), NOW, ZURICH, pace=Schedule(cycle_minutes=pace)).age
        assert said.level is level, pace
        assert ("lacks what was proven since" in " ".join(said.said)) is is_behind, pace


def test_a_silent_rv_system_is_named_with_its_silence_and_the_copy_that_stands(tmp_path: Path) -> None:
    failing = {"sync_records": "FAILED rv", "sync_plans": "FAILED rv", "snapshot_tables": "FAILED database"}
    said = after(tmp_path, (minutes(136), {}), (minutes(16), failing), (minutes(6), failing))
    assert said.answers == Signal(
        Level.STOP,
        ("The R&V system and its database have not answered since Tue 12:22 (2 h 16 min).",),
    )
    assert said.age == Signal(
        Level.STOP, ("Backup is 2 h 16 min old. Everything up to Tue 12:22 is proven in the RT-PACS.",)
    )
    assert said.completeness == Signal(Level.GOOD)
    assert said.as_of == NOW - minutes(136)


def test_two_that_fell_silent_at_two_times_are_two_sentences(tmp_path: Path) -> None:
    failing = {"snapshot_tables": "FAILED database"}
    said = after(
        tmp_path, (minutes(26), {}), (minutes(16), failing), (minutes(6), failing | {"sync_records": "FAILED rv"})
    )
    assert [one.split(" since")[0] for one in said.answers.said] == [
        "The R&V system has not answered",
        "The R&V system's database has not answered",
    ]


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
        assert (said.answers.level, said.age.level, said.completeness.level) == (Level.STOP, Level.GOOD, Level.GOOD)
        assert f"{subject} since Tue 14:22 (16 min)" in said.in_plain_text
        assert said.in_plain_text.count(subject) == 1


def test_a_failure_without_a_fault_leaves_unknown_what_the_copy_lacks_and_names_no_job(tmp_path: Path) -> None:
    said = after(tmp_path, (minutes(16), {}), (minutes(6), {"sync_plans": "FAILED"}))
    assert said.age.level is Level.GOOD
    assert said.completeness == Signal(
        Level.LOOK,
        (
            (
                "A backup job fails since Tue 14:22 (16 min): what the copy lacks is not known. "
                "**Backup health** says which, and why."
            ),
        ),
    )


def test_a_partial_run_counts_what_is_unproven(tmp_path: Path) -> None:
    said = after(tmp_path, (minutes(16), {}), (minutes(6), {"sync_records": "PARTIAL 3"}))
    assert (said.age.level, said.completeness.level) == (Level.GOOD, Level.LOOK)
    assert said.age.said[0].startswith("Backup is 6 minutes old. Everything up to Tue 14:32 but 3 objects is proven")
    assert said.completeness.said[0].startswith("3 objects that a plan or course needs are not proven in the RT-PACS.")


def partial(folder: Path, *uids: str, at: datetime = NOW - timedelta(minutes=6)) -> Standing:
    """A cycle whose plans lack these objects, judged with `1` and `2` acknowledged."""
    write_runs(folder, [(minutes(16), {})])
    journal = Journal(folder)
    result = JobResult("sync_plans", "PARTIAL", {"unproven": len(uids)}, uids)
    journal.finish(journal.start("sync_plans", at), result, at)
    return judge(journal.runs(), NOW - minutes(5), NOW, ZURICH, {"1", "2"})


def test_two_objects_that_no_source_has_colour_nothing_once_they_are_acknowledged(tmp_path: Path) -> None:
    both = partial(tmp_path / "a", "1", "2")
    assert both.completeness == Signal(Level.GOOD)
    third = partial(tmp_path / "b", "1", "2", "3")
    assert third.completeness.level is Level.LOOK and third.completeness.said[0].startswith("1 object that")


def test_objects_that_the_journal_does_not_name_cannot_have_been_acknowledged(tmp_path: Path) -> None:
    write_runs(tmp_path, [(minutes(6), {"sync_plans": "PARTIAL 3"})])
    said = judge(Journal(tmp_path).runs(), NOW - minutes(5), NOW, ZURICH, {"1", "2"})
    assert said.completeness.said[0].startswith("3 objects")


def test_an_old_copy_a_dead_rv_system_and_a_gap_hide_nothing_of_each_other(tmp_path: Path) -> None:
    failing = {"sync_records": "FAILED rv", "sync_plans": "PARTIAL 2"}
    said = after(tmp_path, (minutes(136), {}), (minutes(16), failing), (minutes(6), failing))
    assert [s.level for s in (said.age, said.answers, said.completeness)] == [Level.STOP, Level.STOP, Level.LOOK]
    assert not [name for name in (*CYCLE, "cron") if name in said.in_plain_text]
    stopped = after(tmp_path / "stopped", (minutes(114), {}), built=minutes(113))
    assert (stopped.age.level, stopped.answers.level) == (Level.LOOK, Level.GOOD)
    assert stopped.in_plain_text != said.in_plain_text


def test_while_the_first_cycle_runs_the_page_says_so_and_does_not_send_anybody_to_cron(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.start("sync_records", NOW - minutes(3))
    said = judge(journal.runs(), None, NOW, ZURICH)
    assert said.age.said == ("Nothing is proven yet: a backup run is under way since Tue 14:35 (3 min).",)
    write_runs(tmp_path, [(minutes(70), {})])
    journal.start("sync_plans", NOW - minutes(65))
    said = judge(journal.runs(), NOW - minutes(69), NOW, ZURICH)
    assert "A backup run is under way since Tue 13:33 (1 h 5 min)" in said.in_plain_text
    assert "cron" not in said.in_plain_text


def test_proven_records_without_a_list_are_not_told_as_all_good(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    run = journal.start("sync_records", NOW - minutes(3))
    journal.finish(run, JobResult("sync_records", "OK", {"found": 40}), NOW - minutes(2))
    said = judge(journal.runs(), None, NOW, ZURICH, is_made=False).age
    assert said.level is Level.LOOK and said.said[1:] == ("There is no list of patients yet.",)
    journal.start("sync_plans", NOW - minutes(2))
    said = judge(journal.runs(), None, NOW, ZURICH, is_made=False).age
    more = "There is no list of patients yet: a backup run is under way since Tue 14:36 (2 min)."
    assert said.level is Level.LOOK and said.said[1:] == (more,)
    assert judge(journal.runs(), None, NOW, ZURICH).age.level is Level.GOOD, "a damaged one is told by its page"


def test_a_run_that_was_killed_is_under_way_only_until_the_next_one_of_its_job(tmp_path: Path) -> None:
    Journal(tmp_path).start("sync_records", NOW - minutes(90))
    write_runs(tmp_path, [(minutes(40), {})])
    said = judge(Journal(tmp_path).runs(), NOW - minutes(39), NOW, ZURICH)
    assert "No backup has run since Tue 13:58" in said.in_plain_text


def test_a_skipped_job_is_neither_shown_nor_judged(tmp_path: Path) -> None:
    said = after(tmp_path, (minutes(6), {"snapshot_tables": "SKIPPED"}))
    assert said.level is Level.GOOD
    assert "snapshot_tables" not in {job.job for job in said.jobs}


def test_no_run_at_all_proves_nothing(tmp_path: Path) -> None:
    said = judge([], NOW, NOW, ZURICH)
    assert said.level is Level.STOP
    assert said.age.said[0].startswith("Nothing is proven")


def test_a_run_that_never_ended_is_told(tmp_path: Path) -> None:
    write_runs(tmp_path, [(minutes(50), {})])
    Journal(tmp_path).start("sync_records", NOW - minutes(40))
    said = judge(Journal(tmp_path).runs(), NOW - minutes(49), NOW, ZURICH)
    assert said.age.said[1:] == (
        (
            "A backup run is under way since Tue 13:58 (40 min) and has not ended. "
            "Where that is longer than usual, look at its machine."
        ),
    )


def test_a_table_older_than_its_proof_is_told(tmp_path: Path) -> None:
    said = after(tmp_path, (minutes(6), {}), built=minutes(150))
    assert said.level is Level.STOP
    assert said.as_of == NOW - minutes(150)
    assert "The table below was built Tue 12:08 (2 h 30 min ago)" in said.age.said[1]


def test_a_run_from_the_future_asks_to_compare_clocks(tmp_path: Path) -> None:
    said = after(tmp_path, (minutes(-60), {}))
    assert said.level is Level.LOOK
    assert "1 h in the future" in said.age.said[-1]


def test_the_night_of_changing_clocks_keeps_ages_true(tmp_path: Path) -> None:
    now = datetime(2026, 10, 25, 1, 6, tzinfo=UTC)  # 02:06 for the second time
    said = after(tmp_path, (minutes(66), {}), (minutes(6), {}), now=now)
    assert said.age.said[0] == "Backup is 6 minutes old. Everything up to Sun 02:00 CET is proven in the RT-PACS."


def test_what_is_called_proven_leaves_out_the_gaps_that_somebody_acknowledged(tmp_path: Path) -> None:
    """They colour nothing, and are not there all the same."""
    at = NOW - minutes(6)
    journal = Journal(tmp_path)
    for uids in ((), ("1", "2"), ("1", "3"), ("3",)):
        result = JobResult("sync_records", "PARTIAL" if uids else "OK", {"unproven": len(uids)}, uids)
        journal.finish(journal.start("sync_records", at), result, at)
        said = judge(journal.runs(), NOW - minutes(5), NOW, ZURICH, {"1", "2"}).age.said[0]
        lacks = " but 1 object" if "3" in uids else ""
        aside = ", known gaps aside" if "1" in uids else ""
        assert said.endswith(f"Everything up to Tue 14:32{lacks} is proven in the RT-PACS{aside}.")


def test_a_killed_run_is_not_under_way_on_any_page(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with lock(tmp_path, "sync_records"):
        journal.start("sync_records", NOW - minutes(3))
        assert [run.outcome for run in cached.load_runs(tmp_path)] == [None]
    assert cached.load_runs(tmp_path) == ()
    write_runs(tmp_path, [(minutes(70), {})])
    journal.start("sync_plans", NOW - minutes(65))
    with lock(tmp_path, "sync_plans"):
        pass
    said = judge(cached.load_runs(tmp_path), NOW - minutes(69), NOW, ZURICH).in_plain_text
    assert "under way" not in said and "No backup has run since Tue 13:28" in said
