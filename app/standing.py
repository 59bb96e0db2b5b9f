"""How good the safety copy is at this moment, in sentences.

Goal
    Whoever opens a page knows in one glance how old the copy is, what is proven, and what is broken since when.

How
    The newest runs of the four jobs of the cycle, and the time of the table that the page shows, make a level and
    sentences. Everything up to the START of the last `sync_records` that ended is in the RT-PACS, but for what that
    run named as unproven; what was treated while it ran may not be. For MOSAIQ, whose records come from its database,
    `sync_records` is SKIPPED and `snapshot_tables` is that job.

Why three levels
    Jobs run every ten minutes. Three missed runs deserve a look; after two hours somebody must have looked before
    a patient is treated from this page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

from app import words
from recovery.model import JobRun

RUN_EVERY = timedelta(minutes=10)
"""How often cron runs the cycle."""
LOOK_AFTER = 3 * RUN_EVERY
STOP_AFTER = 12 * RUN_EVERY
CLOCK_TOLERANCE = timedelta(minutes=2)
"""Two machines' clocks may differ by this much before a page speaks of it."""

CYCLE = ("sync_records", "sync_plans", "snapshot_tables", "build_on_treatment")

_SILENT: Mapping[str, str] = {
    "rv": "The R&V system has not answered",
    "pacs": "The RT-PACS has not answered",
    "database": "The R&V system's database has not answered",
    "cache": "The cache could not be written",
    "config": "The jobs could not use their config",
}
_REMEDY: Mapping[str, str] = {
    "cache": " Check free space and rights of the cache's folder.",
    "config": " Run `python -m backup_jobs check`; it names every mistake.",
}


class Level(IntEnum):
    """GOOD; LOOK (amber); STOP (red): do not treat before someone has looked."""

    GOOD = 0
    LOOK = 1
    STOP = 2

    @property
    def mark(self) -> str:
        """What survives black-and-white print."""
        return "●▲■"[self]


@dataclass(frozen=True, slots=True)
class JobState:
    """One job: its newest ended run, the newest that asked both sides to the end, and the newest without a rest."""

    job: str
    newest: JobRun
    last_told: JobRun | None
    last_good: JobRun | None
    level: Level
    words: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What the banner says. Sentences are markdown; `as_of` is aware: what the page shows is true up to then."""

    level: Level
    headline: str
    details: tuple[str, ...]
    jobs: tuple[JobState, ...]
    as_of: datetime | None

    @property
    def in_plain_text(self) -> str:
        """All sentences without markdown, for exports."""
        return " ".join((self.headline, *self.details)).replace("`", "").replace("\\", "")


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, and how a moment is said at the site."""

    now: datetime
    zone: ZoneInfo

    def of(self, at: datetime) -> str:
        return words.moment(at, self.now, self.zone)

    def since(self, at: datetime) -> str:
        return f"since {self.of(at)} ({words.age(words.between(at, self.now))})"


def judge(runs: Sequence[JobRun], taken_at: datetime | None, now: datetime, zone: ZoneInfo) -> Standing:
    """Say how the safety copy stands.

    `runs` as the journal has them, oldest first; `taken_at` is when the shown table was built, None without one.
    """
    clock = Moment(now, zone)
    jobs = tuple(state for job in CYCLE if (state := _job_state(job, runs, clock)))
    records_job = _records_job(runs)
    records = next((state for state in jobs if state.job == records_job), None)
    proven_at = next((run.started_at for run in reversed(runs) if run.tells_of_records), None)
    as_of = min(proven_at, taken_at) if proven_at and taken_at else taken_at or proven_at
    level, headline = _headline(records, proven_at, as_of, clock)
    details = [
        *_ageing(proven_at, [run for run in runs if run.job == records_job], clock),
        *_table_age(taken_at, proven_at, clock),
        *_faults(jobs, headline, clock),
        *_unproven(jobs),
        *_clock_warning(runs, taken_at, clock),
    ]
    levels = [level, *(state.level for state in jobs), _level(taken_at, now) if taken_at else Level.GOOD]
    if details:
        levels.append(Level.LOOK)
    return Standing(max(levels), headline, tuple(details), jobs, as_of)


def _records_job(runs: Sequence[JobRun]) -> str:
    """The job that brings treatment records into the RT-PACS."""
    newest = next((run for run in reversed(runs) if run.job == "sync_records" and run.outcome is not None), None)
    return "snapshot_tables" if newest is not None and newest.outcome == "SKIPPED" else "sync_records"


def _level(at: datetime | None, now: datetime) -> Level:
    if at is None or now - at > STOP_AFTER:
        return Level.STOP
    return Level.LOOK if now - at > LOOK_AFTER else Level.GOOD


def _job_state(job: str, runs: Sequence[JobRun], clock: Moment) -> JobState | None:
    """One job's state; None where it never ran to an end, or only to be SKIPPED."""
    ended = [run for run in runs if run.job == job and run.outcome not in {None, "SKIPPED"}]
    if not ended:
        return None
    newest = ended[-1]
    last_good = next((run for run in reversed(ended) if run.outcome == "OK"), None)
    told = [run for run in ended if run.outcome in {"OK", "PARTIAL"}]
    level = _level(told[-1].started_at if told else None, clock.now)
    said = words.ago(last_good.started_at, clock.now) if last_good else "never"
    if newest.outcome != "OK":
        what = f"{_unproven_count(newest)} unproven" if newest.outcome == "PARTIAL" else "FAILED"
        said = f"{said}, {what} {words.ago(newest.started_at, clock.now)}"
        level = max(level, Level.LOOK)
    return JobState(job, newest, told[-1] if told else None, last_good, level, said)


def _headline(
    records: JobState | None, proven_at: datetime | None, as_of: datetime | None, clock: Moment
) -> tuple[Level, str]:
    level = _level(proven_at, clock.now)
    if records is None or proven_at is None:
        return level, "Nothing is proven: no run is known that asked both sides for treatment records."
    if records.newest.outcome == "FAILED" and records.newest.fault in _SILENT and as_of:
        silent_since = _silent_since(records)
        copy = f"This page shows the last good copy, {clock.of(as_of)}."
        return level, f"{_SILENT[records.newest.fault]} {clock.since(silent_since)}. {copy}"
    age = words.age_in_full(words.between(proven_at, clock.now))
    rest = _unproven_count(records.last_told) if records.last_told is not None else 0
    but = f" but {words.counted(rest, 'object')}" if rest else ""
    return level, f"Backup is {age} old. Everything up to {clock.of(proven_at)}{but} is proven in the RT-PACS."


def _silent_since(state: JobState) -> datetime:
    """When a failing job last had its answers; its newest run's start where it never had."""
    return (state.last_told or state.newest).started_at


def _ageing(proven_at: datetime | None, tried: Sequence[JobRun], clock: Moment) -> list[str]:
    """Why nothing new is proven, when no run failed: none was started, or one began and never ended."""
    if proven_at is None or not tried or _level(proven_at, clock.now) is Level.GOOD:
        return []
    newest = tried[-1]
    if newest.outcome is None and clock.now - newest.started_at > RUN_EVERY:
        return [f"A run of {newest.job} began {clock.of(newest.started_at)} and has not ended. Look at its machine."]
    if clock.now - newest.started_at > LOOK_AFTER:
        remedy = "Check that cron, or `python -m backup_jobs schedule`, is up."
        return [f"No job has run {clock.since(newest.started_at)}. {remedy}"]
    return []


def _table_age(taken_at: datetime | None, proven_at: datetime | None, clock: Moment) -> list[str]:
    is_behind = taken_at is not None and proven_at is not None and proven_at - taken_at > RUN_EVERY
    if taken_at is None or not is_behind:
        return []
    built = f"{clock.of(taken_at)} ({words.ago(taken_at, clock.now)})"
    return [f"The table below was built {built} and lacks what was proven since."]


def _faults(jobs: Sequence[JobState], headline: str, clock: Moment) -> list[str]:
    """A sentence for each thing that could not be asked, and for each job that failed without such a reason."""
    sentences: dict[str, str] = {}
    for state in jobs:
        if state.newest.outcome != "FAILED":
            continue
        fault = state.newest.fault
        since = clock.since(_silent_since(state))
        if fault in _SILENT:
            sentences.setdefault(fault, f"{_SILENT[fault]} {since}.{_REMEDY.get(fault, '')}")
        else:
            said = words.as_markdown(state.newest.message.rstrip(".") or "it gave no reason")
            sentences[state.job] = f"{state.job} has failed {since}: {said}."
    told = [sentence for fault, sentence in sentences.items() if not headline.startswith(_SILENT.get(fault, "—"))]
    remedies = [_REMEDY[f].strip() for f in sentences if f in _REMEDY and headline.startswith(_SILENT[f])]
    return remedies + told


def _unproven(jobs: Sequence[JobState]) -> list[str]:
    return [
        f"{words.counted(number, 'object')} that {state.job} wanted {'is' if number == 1 else 'are'} not proven "
        "in the RT-PACS. **Backup health** says which, whose, and why."
        for state in jobs
        if state.newest.outcome == "PARTIAL" and (number := _unproven_count(state.newest))
    ]


def _unproven_count(run: JobRun) -> int:
    return run.counts.get("unproven", 0)


def _clock_warning(runs: Sequence[JobRun], taken_at: datetime | None, clock: Moment) -> list[str]:
    latest = max([run.started_at for run in runs[-1:]] + ([taken_at] if taken_at else []), default=None)
    if latest is None or latest - clock.now <= CLOCK_TOLERANCE:
        return []
    ahead = words.age(latest - clock.now)
    return [f"The newest run lies {ahead} in the future. Compare the clocks of this machine and of the jobs'."]
