"""The running demonstration: patients are treated, jobs back up, and the R&V system can be killed.

Goal
    What a clinic sees in months, in minutes, with the real jobs and the real dashboard.

How
    `tick` is called a few times a second: it moves the clock over nights and weekends, hands the sessions that fell due
    to the R&V system's archive and database, and runs the backup cycle again when the last one has ended, the nightly
    proof by re-reading once a day. The clock
    stands while a backup takes longer than it does in a clinic, and until the first one of a day has ended: an old copy
    is seen when the R&V system is down, not when this computer is busy.

Why treatments stop while the R&V system is down
    So they do. Whoever misses a session has it on the next possible day.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from demo.clinic.courses import FIRST_SLOT_HOUR, LAST_HOUR
from demo.clinic.identifiers import business_days_after, is_business_day
from demo.pacs.store import ArchiveStore
from demo.run.workplace import is_served

if TYPE_CHECKING:
    from demo.aria.database import ClinicDatabase
    from demo.clinic.clinic import Clinic
    from demo.run.processes import Processes
    from demo.run.simulated_clock import SimulatedClock
    from demo.run.workplace import Nodes, Workplace

RV, PACS, CYCLE, PROOF = "rv", "pacs", "cycle", "proof"
_QUIET = timedelta(hours=1)
_LONG_CYCLE = timedelta(minutes=10)


class Simulation:
    """One clinic, its clock and its processes. All times of `cycle_seconds` are real ones."""

    def __init__(
        self, workplace: Workplace, clinic: Clinic, database: ClinicDatabase, nodes: Nodes,
        clock: SimulatedClock, processes: Processes, cycle_seconds: float = 5.0,
    ) -> None:  # fmt: skip
        self.workplace = workplace
        self.clinic = clinic
        self.database = database
        self.nodes = nodes
        self.clock = clock
        self.processes = processes
        self.cycle_seconds = cycle_seconds
        self.killed_at: datetime | None = None
        self.records_delivered = 0
        self.cycles = 0
        self.last_cycle = "no backup yet"
        self._next_cycle = time.monotonic()
        self._cycle_runs = False
        self._cycle_began = clock.now()
        self._is_first = True
        clock.stand(still=True)

    def start_archives(self) -> None:
        """Start the RT-PACS and the R&V system; returns when both listen.

        Raises
        ------
        OSError
            If one does not.
        """
        self.processes.start_archive(PACS, self.nodes.pacs, self.workplace.pacs_folder, [self.nodes.local])
        self._start_rv()
        self._wait_for(PACS)

    def tick(self) -> int:
        """Let the clinic live up to its clock; how many records were delivered."""
        delivered = 0 if self.killed_at else self._treat()
        self._jump_over_nights()
        self._run_cycle()
        return delivered

    def kill_rv(self) -> None:
        """Take the R&V system away: its archive is killed, its database cannot be reached."""
        if self.killed_at is None:
            self.processes.kill(RV)
            self.workplace.hide_database()
            self.killed_at = self.clinic.now

    def restore_rv(self) -> None:
        """Bring it back as it was; what was missed is postponed."""
        if self.killed_at is not None:
            self.workplace.bring_database_back()
            self.workplace.postpone(self.clinic, self.killed_at, self.clock.now())
            self.killed_at = None
            self._start_rv()

    def close(self) -> None:
        """Leave the folder so that the clinic can go on from here."""
        if self.killed_at is not None:
            self.workplace.bring_database_back()
        self.workplace.save(self.clinic, self.nodes)

    def _start_rv(self) -> None:
        self.processes.start_archive(RV, self.nodes.rv, self.workplace.rv_folder, [self.nodes.pacs, self.nodes.local])
        self._wait_for(RV)

    def _wait_for(self, name: str) -> None:
        until = time.monotonic() + 30
        while not self.processes.listens(name):
            if time.monotonic() > until or self.processes.exit_status(name) is not None:
                raise OSError(f"{name} does not listen: {self.processes.last_words(name)}")
            time.sleep(0.05)

    def _treat(self) -> int:
        """Objects first, rows second: whoever finds a row of the database finds its record."""
        new = list(self.clinic.treat_until(self.clock.now()))
        if not new:
            return 0
        archive = ArchiveStore(self.workplace.rv_folder)
        try:
            archive.ingest(ds for ds in new if is_served(self.workplace.product, ds))
        finally:
            archive.close()
        self.database.catch_up(self.clinic)
        self.workplace.save(self.clinic, self.nodes)
        self.records_delivered += len(new)
        return len(new)

    def _jump_over_nights(self) -> None:
        """Go on to five minutes before the next session of another day; in a downtime, to when the clinic opens."""
        now = self.clock.now()
        if self.killed_at is None:
            following = self.clinic.next_session_after(now)
            target = now if following is None else following.starts_at
        else:
            target = now if _is_open(now) else _next_morning(now)
        is_same_day = now.date() == target.date() and _is_open(now)
        if target - now > _QUIET and not is_same_day and not self._cycle_runs:
            self.clock.set(target - timedelta(minutes=5))
            self._is_first, self._next_cycle = True, time.monotonic()

    def _run_cycle(self) -> None:
        if self._cycle_runs and not self.processes.is_running(CYCLE):
            if self._is_first and not self.processes.is_running(PROOF):  # the night before would have had it
                self.processes.start(PROOF, "backup_jobs", "verify_backup", "--config", str(self.workplace.config_file))
            self._cycle_runs = self._is_first = False
            self.cycles += 1
            self._next_cycle = time.monotonic() + self.cycle_seconds
            status = self.processes.exit_status(CYCLE)
            said = "; ".join(f"{job} {outcome}" for job, outcome, _ in self.processes.outcomes(CYCLE))
            self.last_cycle = said or f"exit {status}: {self.processes.last_words(CYCLE)}"
        if not self._cycle_runs and time.monotonic() >= self._next_cycle:
            config = str(self.workplace.config_file)
            self.processes.start(CYCLE, "backup_jobs", "cycle", "--config", config, "--json")
            self._cycle_runs, self._cycle_began = True, self.clock.now()
        is_long = self._is_first or self.clock.now() - self._cycle_began > _LONG_CYCLE
        self.clock.stand(still=self._cycle_runs and is_long)


def _next_morning(now: datetime) -> datetime:
    """When the clinic opens next."""
    today = now.replace(hour=FIRST_SLOT_HOUR, minute=0, second=0, microsecond=0)
    if business_days_after(now.date(), 0) == now.date() and now < today:
        return today
    return today + (business_days_after(now.date(), 1) - now.date())


def _is_open(now: datetime) -> bool:
    return is_business_day(now.date()) and FIRST_SLOT_HOUR <= now.hour < LAST_HOUR
