"""How good the safety copy is at this moment, in sentences: its age, whether the R&V system answers, what it lacks.

How
    The newest runs of the four jobs of the cycle, and the time of the table that the page shows, make three signals,
    each with a level and sentences. Everything up to the START of the last `sync_records` that ended is in the RT-PACS,
    but for what that run named as unproven; what was treated while it ran may not be. For MOSAIQ, whose records come
    from its database, `sync_records` is SKIPPED and `snapshot_tables` is that job.

Why three levels
    Three missed runs, at the config's pace, deserve a look; after two hours somebody must have looked before a patient
    is treated from this page.

Why a gap that somebody acknowledged colours nothing
    An amber that never goes is read by nobody. What is new, or past its day, is amber again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

from app.wording.silences import REMEDY, SILENT
from recovery.cache.journal import CYCLE
from recovery.dicom.model import JobRun
from recovery.entries.known_gaps import unacknowledged
from recovery.settings.config import STOP_AFTER, Schedule
from recovery.words.times import age as age_in_words
from recovery.words.times import age_in_full, ago, between, moment
from recovery.words.values import counted

CLOCK_TOLERANCE = timedelta(minutes=2)
"""Two machines' clocks may differ by this much before a page speaks of it."""

_USUAL_PACE = Schedule()


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


@dataclass(frozen=True, slots=True)
class Signal:
    """One of the three. `said` is markdown, the first sentence before all; empty where there is nothing to say."""

    level: Level
    said: tuple[str, ...] = ()

    @property
    def in_plain_text(self) -> str:
        """Its sentences without markdown, with the mark that survives black-and-white print."""
        text = " ".join(self.said).replace("`", "").replace("\\", "").replace("**", "")
        return f"{self.level.mark} {text}" if text else ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the banner says, signal by signal. `as_of` is aware: what the page shows is true up to then."""

    age: Signal
    answers: Signal
    completeness: Signal
    jobs: tuple[JobState, ...]
    as_of: datetime | None
    downtime: str = ""
    """What is to be said of a downtime that lasts."""

    @property
    def level(self) -> Level:
        """The worst of the three."""
        return max(self.age.level, self.answers.level, self.completeness.level)

    @property
    def in_plain_text(self) -> str:
        """All three without markdown, each with its mark, for exports and paper: how old first."""
        signals = (s.in_plain_text for s in (self.age, self.answers, self.completeness))
        return " ".join(filter(None, (self.downtime, *signals)))


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, how a moment is said at the site, and how often a cycle runs there."""

    now: datetime
    zone: ZoneInfo
    pace: Schedule

    def level_of(self, at: datetime | None) -> Level:
        """By its age; what never was is as bad as what is too old."""
        if at is None or self.now - at > STOP_AFTER:
            return Level.STOP
        return Level.LOOK if self.now - at > self.pace.grace else Level.GOOD

    def of(self, at: datetime) -> str:
        return moment(at, self.now, self.zone)

    def since(self, at: datetime) -> str:
        return f"since {self.of(at)} ({age_in_words(between(at, self.now))})"


def judge(
    runs: Sequence[JobRun],
    taken_at: datetime | None,
    now: datetime,
    zone: ZoneInfo,
    acknowledged: Collection[str] = (),
    pace: Schedule = _USUAL_PACE,
    doubts: Sequence[str] = (),
    *,
    is_made: bool = True,
) -> Standing:
    """Say how the safety copy stands.

    `runs` as the journal has them, oldest first; `taken_at` is when the shown table was built, None without one;
    `acknowledged`: SOP Instance UIDs of gaps that somebody has looked at; `pace`: the config's;
    `doubts`: what of the tables' snapshots is not what was written, in sentences; `is_made`: the table was made once,
    though it may be damaged.
    """
    clock = Moment(now, zone, pace)
    jobs = tuple(state for job in CYCLE if (state := _job_state(job, runs)))
    records_job = _records_job(runs)
    records = next((state for state in jobs if state.job == records_job), None)
    proven_at = next((run.started_at for run in reversed(runs) if run.tells_of_records), None)
    as_of = min(proven_at, taken_at) if proven_at and taken_at else taken_at or proven_at
    lacking = {state.job: _lacking(state, acknowledged) for state in jobs}
    return Standing(
        _age(runs, records, lacking, taken_at, proven_at, clock, is_made),
        _answers(jobs, clock),
        _completeness(jobs, lacking, clock, doubts),
        jobs,
        as_of,
    )


def under_way(runs: Sequence[JobRun]) -> JobRun | None:
    """The run that began and has not ended, None where there is none; one that a later run of its job followed was
    stopped, and is not under way."""
    newest = {run.job: run for run in runs}
    begun = [run for job, run in newest.items() if run.outcome is None and job in CYCLE]
    return max(begun, key=lambda run: run.started_at, default=None)


def _records_job(runs: Sequence[JobRun]) -> str:
    """The job that brings treatment records into the RT-PACS."""
    newest = next((run for run in reversed(runs) if run.job == "sync_records" and run.outcome is not None), None)
    return "snapshot_tables" if newest is not None and newest.outcome == "SKIPPED" else "sync_records"


def _job_state(job: str, runs: Sequence[JobRun]) -> JobState | None:
    """One job's state; None where it never ran to an end, or only to be SKIPPED."""
    ended = [run for run in runs if run.job == job and run.outcome not in {None, "SKIPPED"}]
    if not ended:
        return None
    last_good = next((run for run in reversed(ended) if run.outcome == "OK"), None)
    told = [run for run in ended if run.outcome in {"OK", "PARTIAL"}]
    return JobState(job, ended[-1], told[-1] if told else None, last_good)


def _age(
    runs: Sequence[JobRun],
    records: JobState | None,
    lacking: Mapping[str, int],
    taken_at: datetime | None,
    proven_at: datetime | None,
    clock: Moment,
    is_made: bool,
) -> Signal:
    """How old the copy is, and why where it is not fresh."""
    level = max(clock.level_of(proven_at), clock.level_of(taken_at) if taken_at else Level.GOOD)
    clocks = _clock_warning(runs, taken_at, clock)
    if records is None or proven_at is None:
        begun = under_way(runs)
        if begun is not None:
            first = f"Nothing is proven yet: a backup run is under way {clock.since(begun.started_at)}."
            return Signal(level, (first, *clocks))
        return Signal(
            level, ("Nothing is proven: no run is known that asked both sides for treatment records.", *clocks)
        )
    age = age_in_full(between(proven_at, clock.now))
    rest = lacking.get(records.job, 0)
    but = f" but {counted(rest, 'object')}" if rest else ""
    is_aside = records.last_told is not None and unproven_count(records.last_told) > rest
    aside = ", known gaps aside" if is_aside else ""
    headline = f"Backup is {age} old. Everything up to {clock.of(proven_at)}{but} is proven in the RT-PACS{aside}."
    ageing = _ageing(proven_at, runs, clock)
    more = [
        *(ageing if is_made or ageing else [_no_table(runs, clock)]),
        *_table_age(taken_at, proven_at, clock),
        *clocks,
    ]
    return Signal(max(level, Level.LOOK if more else level), (headline, *more))


def _ageing(proven_at: datetime, runs: Sequence[JobRun], clock: Moment) -> list[str]:
    """Why nothing new is proven, when no run failed: none was started, or one began and has not ended."""
    if clock.level_of(proven_at) is Level.GOOD:
        return []
    begun = under_way(runs)
    if begun is not None:
        said = f"A backup run is under way {clock.since(begun.started_at)}"
        is_long = clock.now - begun.started_at > clock.pace.grace
        return [
            f"{said} and has not ended. Where that is longer than usual, look at its machine."
            if is_long
            else f"{said}."
        ]
    newest = max(run.started_at for run in runs)
    if clock.now - newest > clock.pace.grace:
        remedy = "Check that cron, or `python -m backup_jobs schedule`, is up."
        return [f"No backup has run {clock.since(newest)}. {remedy}"]
    return []


def _no_table(runs: Sequence[JobRun], clock: Moment) -> str:
    begun = under_way(runs)
    way = f": a backup run is under way {clock.since(begun.started_at)}" if begun is not None else ""
    return f"There is no list of patients yet{way}."


def _table_age(taken_at: datetime | None, proven_at: datetime, clock: Moment) -> list[str]:
    if taken_at is None or proven_at - taken_at <= timedelta(minutes=clock.pace.cycle_minutes):
        return []
    built = f"{clock.of(taken_at)} ({ago(taken_at, clock.now)})"
    return [f"The table below was built {built} and lacks what was proven since."]


def _answers(jobs: Sequence[JobState], clock: Moment) -> Signal:
    """Whether the R&V system answers, or down since when; and whatever else the jobs could not ask or use."""
    silent: dict[str, str] = {}
    for state in jobs:
        fault = state.newest.fault
        if state.newest.outcome == "FAILED" and fault in SILENT:
            silent.setdefault(fault, clock.since((state.last_told or state.newest).started_at))
    if silent.get("rv", "") == silent.get("database"):
        silent["both"] = silent.pop("rv")
        del silent["database"]
    if silent:
        sentences = {fault: f"{what} {silent.get(fault)}.{REMEDY.get(fault, '')}" for fault, what in SILENT.items()}
        return Signal(Level.STOP, tuple(said for fault, said in sentences.items() if fault in silent))
    told = [s.last_told for s in jobs if s.last_told is not None and s.job in {"sync_records", "snapshot_tables"}]
    if not told:
        return Signal(Level.GOOD)
    newest = max(run.started_at for run in told)
    return Signal(Level.GOOD, (f"The R&V system answered {clock.of(newest)}.",))


def _completeness(jobs: Sequence[JobState], lacking: Mapping[str, int], clock: Moment, doubts: Sequence[str]) -> Signal:
    """What is wanted and not proven, what a failing job leaves unknown, and what somebody or something changed."""
    said = list(doubts)
    if number := sum(lacking.values()):
        are = "is" if number == 1 else "are"
        said.append(
            f"{counted(number, 'object')} that a plan or course needs {are} not proven in the RT-PACS. "
            "**Backup health** says which, whose, and why."
        )
    failing = [s for s in jobs if s.newest.outcome == "FAILED" and s.newest.fault not in SILENT]
    if failing:
        since = clock.since(min((s.last_told or s.newest).started_at for s in failing))
        what = "A backup job fails" if len(failing) == 1 else f"{len(failing)} backup jobs fail"
        said.append(f"{what} {since}: what the copy lacks is not known. **Backup health** says which, and why.")
    return Signal(Level.STOP if doubts else Level.LOOK if said else Level.GOOD, tuple(said))


def _lacking(state: JobState, acknowledged: Collection[str]) -> int:
    """How many objects the job's newest telling run names as unproven that nobody has acknowledged."""
    run = state.last_told
    if run is None:
        return 0
    return max(0, unproven_count(run) - len(run.unproven)) + len(unacknowledged(run.unproven, acknowledged))


def unproven_count(run: JobRun) -> int:
    return run.counts.get("unproven", 0)


def _clock_warning(runs: Sequence[JobRun], taken_at: datetime | None, clock: Moment) -> list[str]:
    latest = max([run.started_at for run in runs[-1:]] + ([taken_at] if taken_at else []), default=None)
    if latest is None or latest - clock.now <= CLOCK_TOLERANCE:
        return []
    ahead = age_in_words(latest - clock.now)
    return [f"The newest run lies {ahead} in the future. Compare the clocks of this machine and of the jobs'."]
