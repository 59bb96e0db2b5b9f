"""Who hears of a run: a ping when it begins and with its exit status, and messages to people about what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recovery.cache.copy_age import newest_proof
from recovery.cache.journal import Journal
from recovery.cache.store import Cache
from recovery.entries.shift_checks import ShiftCheck
from recovery.host.entry_lines import EntriesError, read_statements
from recovery.watch.events import Trouble, failing
from recovery.watch.sending import ping, ping_beside, taken
from recovery.watch.shifts import SHIFT_CHECK, shifts_of, trouble_of
from recovery.watch.telling import DAY, stopped_jobs, tell_the_day, tell_troubles

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from backup_jobs.jobs.job import Run
    from recovery.settings.config import Config

_LOOKS_BACK = 3 * DAY
"""Runs among which a failure's beginning is looked for."""


class Hearing:
    """Made when a run begins. Nothing here fails a run: what did not leave is logged, and tried again by the next."""

    def __init__(self, name: str, config: Config) -> None:
        self.config = config
        self.url = config.watch.ping_url.replace("{job}", name)
        self.began = ping_beside(self.url, "start", "", config.watch.timeout) if self.url else None

    def end(self, exit_status: int, runs: Iterable[Run], now: datetime) -> None:
        """Tell how it ended, counts only; `now` aware."""
        if self.config.watch.tells_people:
            self._tell_people(now)
        if self.began is not None:
            taken(self.began, "start", self.config.watch.timeout)  # a start that comes after its end would never end
            ping(self.url, str(exit_status), "\n".join(_counts(run) for run in runs), self.config.watch.timeout)

    def _tell_people(self, now: datetime) -> None:
        try:
            all_runs = Journal(self.config.cache_path).runs()
        except OSError:
            return  # the run that could not write it failed, and its exit status tells
        runs = [run for run in all_runs if run.started_at >= now - _LOOKS_BACK]
        missing, judged = stopped_jobs(self.config, all_runs, now)
        known = {SHIFT_CHECK, *judged, *(run.job for run in runs if run.outcome is not None)}
        tell_troubles(self.config, [*failing(runs), *missing, *_shift_check(self.config, now)], known, now)
        tell_the_day(self.config, runs, newest_proof(Cache(self.config.cache_path)), now)


def _shift_check(config: Config, now: datetime) -> Iterable[Trouble]:
    try:
        checks = read_statements(config.cache_path, ShiftCheck).all
    except EntriesError:
        return ()  # the page says so
    weekdays = config.priorities.weekdays
    shifts = shifts_of(config.watch.shift_checks, weekdays, checks, now, config.site.zone)
    return filter(None, (trouble_of(shifts, checks, now),))


def _counts(run: Run) -> str:
    counts = ", ".join(f"{name} {count}" for name, count in run.result.counts.items())
    return f"{run.result.job} {run.result.outcome}: {counts}"
