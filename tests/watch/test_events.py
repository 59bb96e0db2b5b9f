"""What people are told of a trouble: at once, after an hour, after four, once a day, and that it has ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.dicom.model import JobRun
from recovery.watch.events import SILENCE, Event, Told, Trouble, after_telling, events, failing, silence
from recovery.watch.messages import message

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TROUBLE = Trouble("sync_records", NOON, "no answer", "rv")


def run(job: str, hours: float, outcome: str | None, fault: str = "rv") -> JobRun:
    at = NOON + hours * HOUR
    return JobRun(job, at, at if outcome else None, outcome, {}, f"{outcome} said", fault)


def tellings(hours: list[float]) -> list[float]:
    """At which of these hours after its beginning a lasting trouble is told."""
    told: dict[str, Told] = {}
    heard = []
    for hour in hours:
        now = NOON + hour * HOUR
        due = events([TROUBLE], told, now, {TROUBLE.name})
        heard += [hour] * len(due)
        told = after_telling(told, due, now)
    return heard


def test_a_lasting_trouble_is_told_at_once_then_after_1_hour_4_hours_and_daily() -> None:
    every_ten_minutes = [minutes / 60 for minutes in range(0, 80 * 60, 10)]
    assert tellings(every_ten_minutes) == [0, 1, 4, 24, 48, 72]


@given(st.lists(st.floats(0, 400, allow_nan=False), min_size=1, max_size=60).map(sorted))
def test_however_runs_come_the_first_is_heard_and_no_day_passes_unheard(hours: list[float]) -> None:
    heard = tellings(hours)
    assert heard[0] == hours[0]
    for hour in hours:
        last = max(h for h in heard if h <= hour)
        assert hour - last < 24 or hour in heard


def test_a_clock_set_back_a_year_does_not_silence_a_trouble() -> None:
    told = {TROUBLE.name: Told(NOON, NOON, 4)}
    assert events([TROUBLE], told, NOON - 365 * 24 * HOUR, {TROUBLE.name})


def test_the_end_is_told_once_and_only_by_whoever_judges_that_trouble() -> None:
    told = {TROUBLE.name: Told(NOON, NOON, 1), SILENCE: Told(NOON, NOON, 1)}
    due = events([], told, NOON + HOUR, {TROUBLE.name})
    assert due == [Event(TROUBLE.name, NOON, None, 1)]
    assert after_telling(told, due, NOON + HOUR) == {SILENCE: Told(NOON, NOON, 1)}


def test_a_job_fails_since_the_first_run_of_its_unbroken_row() -> None:
    runs = [
        run("sync_records", 0, "FAILED"),
        run("sync_records", 1, "OK"),
        run("sync_records", 2, "FAILED"),
        run("sync_plans", 2, "PARTIAL"),
        run("sync_records", 3, "SKIPPED"),
        run("sync_records", 4, "FAILED", "pacs"),
        run("sync_records", 5, None),
    ]
    (trouble,) = failing(runs)
    assert (trouble.name, trouble.since, trouble.fault) == ("sync_records", NOON + 2 * HOUR, "pacs")


def test_a_proof_that_found_damaged_objects_is_told_and_other_jobs_that_are_partial_are_not() -> None:
    at = NOON + HOUR
    partial = [
        JobRun(job, at, at, "PARTIAL", {"unproven": 2}, "1.2.3: altered") for job in ("verify_backup", "sync_plans")
    ]
    well = JobRun("verify_backup", NOON, NOON, "OK", {"unproven": 0}, "")
    (trouble,) = failing([well, *partial])
    assert (trouble.name, trouble.since, trouble.fault) == ("verify_backup", at, "proof")
    said = message(Event(trouble.name, at, trouble, 1), "Site", at, ZoneInfo("Europe/Zurich")).text
    assert "lost, altered or unreadable" in said and "Compare with paper" in said


@pytest.mark.parametrize(
    ("proven", "is_silent"),
    [(None, True), (-0.5, False), (-2, True), (0.5, False), (300, True)],
    ids=["never", "fresh", "old", "a little ahead", "far ahead: a clock is wrong"],
)
def test_silence_is_no_proof_within_the_grace(proven: float | None, is_silent: bool) -> None:
    at = None if proven is None else NOON + proven * HOUR
    assert (silence(at, NOON, HOUR) is not None) is is_silent
