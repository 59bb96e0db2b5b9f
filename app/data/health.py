"""How each backup job has fared: age against schedule, a week of runs, what is unproven and since when.

A run that failed says nothing of any object: it could not ask.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.data.standing import Level
from recovery.cache.journal import CYCLE
from recovery.dicom.model import JobRun
from recovery.words.times import ago, between

STRIP = timedelta(days=7)
NIGHTLY = dict.fromkeys(("verify_backup", "keep_packs", "keep_bundle"), timedelta(days=1))
NIGHTLY |= {"copy_sites": timedelta(hours=1)}
"""Jobs that are not part of the cycle, and how often they are due."""
WANT_OBJECTS = frozenset({*CYCLE, "verify_backup", "keep_packs"})
"""Jobs whose unproven things are objects; those of others are sites, files or checks."""
_ABOUT_A_TABLE = re.compile(r"(?:^|; )table (\w+): (.*?)(?=; table \w+: |; not asked for after that: |$)")
_NOT_ASKED = re.compile(r"not asked for after that: ([\w, ]+)")
_REASON = re.compile(r"(?:^|; )([0-9][0-9.]+): (.*?)(?=; [0-9][0-9.]+: |; and \d+ more|$)")


@dataclass(frozen=True, slots=True)
class JobHealth:
    """One job. `age` since its last good run; `due` how old that may be; `level` of the age and the newest run."""

    job: str
    last_good: JobRun | None
    newest: JobRun
    age: timedelta | None
    due: timedelta | None
    level: Level
    remark: str


@dataclass(frozen=True, slots=True)
class Unproven:
    """An object that a job wanted and the RT-PACS does not say that it holds."""

    job: str
    sop_instance_uid: str
    since: datetime
    why: str
    reaches_further: bool
    """The oldest run that the journal knows said it already: it may be older than `since`."""


@dataclass(frozen=True, slots=True)
class Hour:
    """What the runs of one job that began in one hour came to: the worst of them."""

    job: str
    begins: datetime
    outcome: str
    runs: int


def jobs_of(runs: Sequence[JobRun], now: datetime, cycle_every: timedelta) -> list[JobHealth]:
    """Each job that the journal knows, those of the cycle first, in its order."""
    known = {run.job for run in runs}
    ordered = [job for job in CYCLE if job in known] + sorted(known - set(CYCLE))
    return [_health(job, [run for run in runs if run.job == job], now, cycle_every) for job in ordered]


def _health(job: str, runs: Sequence[JobRun], now: datetime, cycle_every: timedelta) -> JobHealth:
    newest = runs[-1]
    last_good = next((run for run in reversed(runs) if run.outcome == "OK"), None)
    due = cycle_every if job in CYCLE else NIGHTLY.get(job)
    age = between(last_good.started_at, now) if last_good else None
    if newest.outcome == "SKIPPED":
        return JobHealth(job, last_good, newest, age, None, Level.GOOD, f"not used: {newest.message}")
    level, remark = _judged(newest, age, due, now)
    return JobHealth(job, last_good, newest, age, due, level, remark)


def _judged(newest: JobRun, age: timedelta | None, due: timedelta | None, now: datetime) -> tuple[Level, str]:
    if newest.outcome is None:
        started = ago(newest.started_at, now)
        late = due is not None and now - newest.started_at > due
        return (Level.LOOK, f"began {started} and has not ended") if late else (Level.GOOD, f"running, began {started}")
    late = age is None or (due is not None and age > 12 * due)
    ageing = due is not None and age is not None and age > 3 * due
    if newest.outcome == "FAILED":
        return (Level.STOP if late else Level.LOOK), f"failed {ago(newest.started_at, now)}"
    if newest.outcome == "PARTIAL":
        return Level.LOOK, f"partly done {ago(newest.started_at, now)}"
    if late:
        return Level.STOP, "overdue"
    return (Level.LOOK, "overdue") if ageing else (Level.GOOD, "")


def hours_of(runs: Iterable[JobRun], now: datetime) -> list[Hour]:
    """The last seven days of runs by job and hour, UTC; an hour in which no run began is absent."""
    rank = {"SKIPPED": 0, "OK": 1, "running": 2, "PARTIAL": 3, "FAILED": 4}
    found: dict[tuple[str, datetime], tuple[str, int]] = {}
    for run in runs:
        if not now - STRIP <= run.started_at <= now:
            continue
        key = (run.job, run.started_at.replace(minute=0, second=0, microsecond=0))
        worst, number = found.get(key, ("SKIPPED", 0))
        outcome = run.outcome or "running"
        found[key] = (max(worst, outcome, key=lambda o: rank.get(o, 4)), number + 1)
    return [Hour(job, begins, outcome, number) for (job, begins), (outcome, number) in sorted(found.items())]


def unproven_of(runs: Sequence[JobRun]) -> list[Unproven]:
    """What each job's newest telling run calls unproven, the longest first."""
    found = []
    for job in dict.fromkeys(run.job for run in runs):
        told = [run for run in runs if run.job == job and run.outcome in {"OK", "PARTIAL"}]
        if told:
            why = reasons_in(told[-1].message)
            found += [_since(job, uid, told, why.get(uid, "")) for uid in told[-1].unproven]
    return sorted(found, key=lambda one: (one.since, one.job, one.sop_instance_uid))


def _since(job: str, uid: str, told: Sequence[JobRun], why: str) -> Unproven:
    first = told[-1]
    for run in reversed(told):
        if uid in run.unproven:
            first = run
        elif run.counts.get("unproven", 0) <= len(run.unproven):
            return Unproven(job, uid, first.started_at, why, reaches_further=False)
    return Unproven(job, uid, first.started_at, why, reaches_further=True)


def reasons_in(message: str) -> dict[str, str]:
    """By SOP Instance UID, why it is unproven, as far as a job's message spells it out."""
    return {uid: why.strip() for uid, why in _REASON.findall(message)}


def damages_in(runs: Sequence[JobRun], since: datetime) -> list[JobRun]:
    """Runs that met a damaged file of the cache, newest first."""
    return [run for run in reversed(runs) if run.started_at >= since and "damaged" in run.message]


def remarks_on_tables(runs: Sequence[JobRun]) -> dict[str, str]:
    """By relational table, what the newest ended run of snapshot_tables said of it: kept back, and why."""
    ended = [run for run in runs if run.job == "snapshot_tables" and run.outcome in {"OK", "PARTIAL", "FAILED"}]
    if not ended:
        return {}
    said = {table: why.strip() for table, why in _ABOUT_A_TABLE.findall(ended[-1].message)}
    for names in _NOT_ASKED.findall(ended[-1].message):
        said |= {name.strip(): "was not asked for: the database was lost before it" for name in names.split(",")}
    return said


def counts_in_words(run: JobRun) -> str:
    """`40 found · 38 held before · 2 moved`, as far as the run counted."""
    said = {
        "found": "found",
        "already_held": "held before",
        "moved": "read" if run.job == "build_on_treatment" else "moved",
        "rows": "rows",
        "tables": "tables",
        "written": "written",
        "unchanged": "unchanged",
        "kept": "kept back",
        "unreadable_values": "values unreadable",
    }
    always = {"found", "moved", "tables", "rows"}
    return " · ".join(
        f"{run.counts[key]:,} {word}".replace(",", "\u202f")
        for key, word in said.items()
        if key in run.counts and (run.counts[key] or key in always)
    )
