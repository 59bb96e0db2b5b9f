"""What people are to be told now: a job that fails, one that works again, a backup that is silent. Pure.

What is wrong since when comes from the journal of runs; what was told already is remembered beside it. A trouble is
told when it begins, then after one hour, after four, once a day, and when it has ended.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from recovery.dicom.model import JobRun

AGAIN_AFTER = (timedelta(hours=1), timedelta(hours=3), timedelta(hours=20), timedelta(days=1))
"""From one telling of a trouble to the next: told at once, after 1 h, 4 h, a day, and then every day."""
PROOF = "proof"
"""The fault of a proof by re-reading that ran to its end and found objects that are not what they were."""
GUARD = "guard"
"""The fault of a run whose tables changed in a way that care does not produce, and are quarantined."""
LOSS = "loss"
"""The fault of a run that found the RT-PACS to lack records of many patients at once."""
STOPPED = "stopped"
"""The fault of a job of which no run comes to its end any more."""
SILENCE = "the backup"
"""The trouble's name when no run proves anything any more."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong: a job's name or SILENCE, aware since when, and what was said of it."""

    name: str
    since: datetime
    said: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """When a trouble began that was told, when last, and how often."""

    since: datetime
    last: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Event:
    """What is to be told: a trouble that lasts, or the end of one (`trouble` None)."""

    name: str
    since: datetime
    trouble: Trouble | None
    times: int


def failing(runs: Sequence[JobRun]) -> Iterator[Trouble]:
    """Each job whose newest ended run failed, since the first of the unbroken row that did. Runs oldest first."""
    by_job: dict[str, list[JobRun]] = {}
    for run in runs:
        if run.outcome not in {None, "SKIPPED"}:
            by_job.setdefault(run.job, []).append(run)
    for job, ended in by_job.items():
        since = None
        for run in reversed(ended):
            if not _is_failure(run):
                break
            since = run.started_at
        if since is not None:
            last = ended[-1]
            is_named = last.outcome == "FAILED" or last.fault in {GUARD, LOSS}
            yield Trouble(job, since, last.message, last.fault if is_named else PROOF)


def _is_failure(run: JobRun) -> bool:
    """Whether people are told of it at once: it FAILED, found objects that an archive lost or altered, records of many
    patients at once among them, or does not believe the R&V database."""
    return (
        run.outcome == "FAILED"
        or run.fault in {GUARD, LOSS}
        or (run.job == "verify_backup" and run.counts.get("unproven", 0) > 0)
    )


def silence(proven_at: datetime | None, now: datetime, grace: timedelta) -> Trouble | None:
    """That nothing was proven for longer than the grace; both times aware. A proof that lies ahead tells nothing."""
    if proven_at is None:
        return Trouble(SILENCE, now, "no run is known that asked both sides for treatment records")
    if proven_at - now > grace:
        return Trouble(SILENCE, now, "the newest proof lies in the future: a clock is wrong")
    return Trouble(SILENCE, proven_at, "nothing was proven since") if now - proven_at > grace else None


def stopped(
    runs: Sequence[JobRun], graces: Mapping[str, timedelta], every: Mapping[str, timedelta], now: datetime
) -> tuple[list[Trouble], set[str]]:
    """Jobs that begin and, for longer than their grace, do not end: they hang, or something kills them. Those of
    `every` are also missed when they, which ended once, are not begun. And the names of all that could be judged.

    Runs oldest first.
    """
    ended: dict[str, datetime] = {}
    open_since: dict[str, datetime] = {}
    for run in runs:
        if run.outcome is None:
            open_since.setdefault(run.job, run.started_at)
        else:
            ended[run.job] = run.started_at
            open_since.pop(run.job, None)
    found, judged = [], set()
    for job, grace in {**graces, **every}.items():
        since = ended.get(job) if job in every and job in ended else open_since.get(job)
        judged |= {run_of(job)} if job in ended or since else set()
        if since is not None and now - since > grace:
            said = "begun, and never ended" if job in open_since else "not begun again"
            found.append(Trouble(run_of(job), since, said, STOPPED))
    return found, judged


def run_of(job: str) -> str:
    """The name of the trouble that no run of a job ends."""
    return f"the run of {job}"


def events(troubles: Iterable[Trouble], told: Mapping[str, Told], now: datetime, known: set[str]) -> list[Event]:
    """What is to be told now. `known`: names that these troubles could have; others are not judged here."""
    current = {trouble.name: trouble for trouble in troubles}
    found = [
        Event(name, before.since, None, before.times)
        for name, before in told.items()
        if name in known and name not in current
    ]
    for name, trouble in current.items():
        before = told.get(name)
        if before is None:
            found.append(Event(name, trouble.since, trouble, 1))
        elif abs(now - before.last) >= AGAIN_AFTER[min(before.times, len(AGAIN_AFTER)) - 1]:
            found.append(Event(name, min(before.since, trouble.since), trouble, before.times + 1))
    return found


def after_telling(told: Mapping[str, Told], events: Iterable[Event], now: datetime) -> dict[str, Told]:
    """What has been told once these events were."""
    after = dict(told)
    for event in events:
        if event.trouble is None:
            after.pop(event.name, None)
        else:
            after[event.name] = Told(event.since, now, event.times)
    return after
