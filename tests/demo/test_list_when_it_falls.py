"""The R&V system falls in mid-morning: the list is rebuilt from the RT-PACS alone, and held against the clinic's truth.

`RBRDT_FIVE_DAYS=whole` has all sixty patients instead of fourteen.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from demo.clinic.courses import SimulatedSession
from demo.run.processes import Processes
from demo.run.simulated_clock import SimulatedClock
from demo.run.simulation import Simulation
from demo.run.workplace import Workplace
from recovery.cache.store import Cache
from recovery.tables.schema import ON_TREATMENT
from tests.demo.test_five_days_of_downtime import IS_WHOLE, ZONE, Department, given_in

OPENED = datetime(2026, 11, 20, 8)  # noqa: DTZ001  a Friday, site time
LAST_CYCLE, FALL, ASKED = (OPENED + timedelta(minutes=after) for after in (40, 50, 100))
PHANTOM = "$"
WITHIN = 0.5
"""MU: what rounding takes."""


def complete_and_begun(sessions: list[SimulatedSession]) -> tuple[set[int], set[int]]:
    """Numbers of a plan's fractions that were given in full, and of those that were only begun."""
    given: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for session in sessions:
        for beam, mu in given_in(session).items():
            given[session.fraction_number][beam] += mu
    planned = {b.beam_number: float(b.beam_meterset or 0) for b in sessions[0].plan.treatment_beams}
    full = {n for n, beams in given.items() if all(beams[b] > mu - WITHIN for b, mu in planned.items())}
    return full, given.keys() - full


@pytest.mark.timeout(900)
def test_the_list_is_right_for_everybody_and_who_was_on_the_couch_is_unknown(tmp_path: Path) -> None:
    with Processes(tmp_path / "logs", tmp_path / "clock.json") as processes:
        workplace = Workplace(tmp_path)
        clinic, database, nodes = workplace.open(1, OPENED, fast=not IS_WHOLE)
        clock = SimulatedClock(workplace.clock_file, OPENED, 0.0, ZONE)
        run = Simulation(workplace, clinic, database, nodes, clock, processes, cycle_seconds=1e9)
        run.start_archives()
        department = Department(run, tmp_path)
        department.cycle(OPENED)
        clock.set(LAST_CYCLE)
        run._treat()
        department.cycle(LAST_CYCLE)
        clock.set(FALL)
        run._treat()
        run.kill_rv()
        shutil.rmtree(department.config.cache_path)
        assert department.command("recovery", "rebuild", at=ASKED)[0] in {0, 1}

        rows = {row["referenced_rt_plan_uid"]: row for row in Cache(department.config.cache_path).read(ON_TREATMENT)}
        own: dict[str, list[SimulatedSession]] = defaultdict(list)
        for session in clinic.sessions:
            if session.ends_at <= LAST_CYCLE and not session.plan.patient.patient_id.startswith(PHANTOM):
                own[session.plan.sop_instance_uid].append(session)
        told, truth = {}, {}
        for uid, sessions in own.items():
            full, begun = complete_and_begun(sessions)
            truth[uid] = len(full), next(iter(begun), None)
            row = rows.get(uid)
            told[uid] = (row["fractions_delivered"], row["interrupted_fraction"]) if row else None
        wrong = {uid: (told[uid], truth[uid], own[uid][0].plan) for uid in truth if told[uid] != truth[uid]}
        assert wrong == {}
        since = [s for s in clinic.sessions if s.starts_at <= ASKED and s.ends_at > LAST_CYCLE]
        assert any(s.starts_at <= FALL < s.ends_at for s in since), "somebody was on the couch"
        known = []
        for session in since:
            _, plan = department.read(0, session, ASKED)
            if plan is not None and plan.row.unknown_since is None:
                known.append((session.plan.patient.patient_id, session.starts_at))
        assert known == []
