"""`python -m demo`: a whole clinic on one machine, with its backup and its dashboard.

Goal
    Whoever clones this project sees it work: patients are treated, records are backed up, the R&V system is killed and
    the dashboard still knows who is on treatment.

How
    A work folder with a simulated R&V system (DICOM and database) and an RT-PACS, the real jobs every few seconds, the
    real dashboard. Everything listens on 127.0.0.1 and is stopped at the end.
"""

from __future__ import annotations

import argparse
import signal
import sqlite3
import sys
import threading
import time
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from demo.run.console import HELP, Console
from demo.run.enrolment import enrol
from demo.run.processes import DASHBOARD, Processes, free_port
from demo.run.simulated_clock import SimulatedClock
from demo.run.simulation import Simulation
from demo.run.workplace import DATABASES, TIME_ZONE, Workplace, opening_time
from recovery.access.permissions import Role
from recovery.settings.file_modes import keep_private

if TYPE_CHECKING:
    from collections.abc import Sequence

_TICK_SECONDS = 0.3


class _StoppedError(Exception):
    """Somebody stopped it while the clinic was prepared."""


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    keep_private()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    console = Console()
    workplace = Workplace(asked.folder, asked.product)
    console.say(f"preparing the clinic in {workplace.folder} …")

    def tell(said: str) -> None:
        if ended.is_set():
            raise _StoppedError
        console.status(said)

    try:
        clinic, database, nodes = workplace.open(asked.seed, opening_time(), fast=asked.fast, tell=tell)
        clock = SimulatedClock(workplace.clock_file, clinic.now, asked.speed, ZoneInfo(TIME_ZONE))
        with Processes(workplace.logs, workplace.clock_file) as processes:
            simulation = Simulation(workplace, clinic, database, nodes, clock, processes)
            try:
                simulation.start_archives()
                _open_dashboard(asked, simulation, console)
                with console.keys():
                    _run(simulation, asked, console, ended)
            finally:
                simulation.close()
    except _StoppedError:
        console.say("stopped before the clinic was there; the next start prepares it anew")
        return 1
    except (OSError, sqlite3.Error) as error:
        print(f"the demonstration cannot go on: {error}", file=sys.stderr)
        return 2
    console.say("everything is stopped; the folder goes on from here the next time")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description="A clinic that does not exist.")
    parser.add_argument("--folder", type=Path, default=Path("demo-data"), help="work folder (default: ./demo-data)")
    parser.add_argument(
        "--product", choices=tuple(DATABASES), default="aria",
        help="the R&V system: mosaiq serves no treatment records by DICOM",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, help="another seed, other patients")
    parser.add_argument("--speed", type=float, default=60.0, help="how many times faster than the real clock")
    parser.add_argument("--fast", action="store_true", help="14 patients with tiny images instead of 60")
    parser.add_argument("--no-dashboard", action="store_true")
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--port", type=int, default=8501, help="of the dashboard, if it is free")
    parser.add_argument("--seconds", type=float, help="end by itself after so many real seconds")
    parser.add_argument("--kill-after", type=float, help="kill the R&V system after so many real seconds")
    return parser


def _open_dashboard(asked: argparse.Namespace, simulation: Simulation, console: Console) -> None:
    if asked.no_dashboard:
        return
    if not DASHBOARD.is_file():
        console.say(f"there is no dashboard yet: {DASHBOARD.name} is missing")
        return
    port = free_port(asked.port)
    name, password = enrol(simulation.workplace.accounts_file, datetime.now(UTC))
    simulation.processes.start_dashboard(port, simulation.workplace.config_file, f"{name}:{password}")
    console.say(f"dashboard: http://127.0.0.1:{port}  (sign in as {', '.join(Role)}: the password is {password})")
    if not asked.no_browser and console.is_terminal:
        webbrowser.open(f"http://127.0.0.1:{port}")


def _run(simulation: Simulation, asked: argparse.Namespace, console: Console, ended: threading.Event) -> None:
    """Tick until somebody or the time says stop."""
    console.say(HELP if console.is_terminal else "running")
    began, kill_after = time.monotonic(), asked.kill_after
    while not ended.is_set():
        elapsed = time.monotonic() - began
        if asked.seconds is not None and elapsed >= asked.seconds:
            return
        if kill_after is not None and elapsed >= kill_after:
            kill_after = None
            _press("k", simulation, console)
        simulation.tick()
        console.status(_status(simulation))
        key = console.key(_TICK_SECONDS)
        if key == "q":
            return
        _press(key, simulation, console)


def _press(key: str, simulation: Simulation, console: Console) -> None:
    if key == "k" and simulation.killed_at is None:
        simulation.kill_rv()
        console.say("the R&V system is gone: archive killed, database unreachable")
    elif key == "r" and simulation.killed_at is not None:
        simulation.restore_rv()
        console.say("the R&V system is back")


def _status(simulation: Simulation) -> str:
    system = "R&V up" if simulation.killed_at is None else "R&V DOWN"
    waits = " (waits for the backup)" if simulation.clock.stands else ""
    return (
        f"{simulation.clock.now():%a %d %b %H:%M}{waits}  {system}  {simulation.records_delivered} records delivered"
        f"  backup: {simulation.last_cycle}"
    )


if __name__ == "__main__":
    sys.exit(main())
