"""`python -m demo` from outside: it runs, it can lose its R&V system, and nothing is left over."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import tomllib
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from demo.aria.database import AriaDatabase
from demo.clinic.clinic import Clinic
from demo.pacs.index import held_sop_instance_uids
from demo.run.processes import Processes
from demo.run.simulated_clock import SimulatedClock
from demo.run.simulation import Simulation
from demo.run.workplace import Nodes, Workplace
from recovery.dicom.model import DicomNode
from recovery.entries.priority_entries import PriorityEntry
from recovery.host import clock as recovery_clock
from recovery.host.entry_lines import read_statements
from recovery.settings.config import load_config
from tests.patience import seconds
from tests.terminal import on_a_terminal

ROOT = Path(__file__).parents[2]
OPENED_AT = datetime(2026, 11, 20, 11, 0)  # noqa: DTZ001  site time
CHICAGO = ZoneInfo("America/Chicago")


def launch(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "demo", "--fast", "--no-dashboard", "--folder", str(folder), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)


def nothing_listens(folder: Path) -> bool:
    ports = json.loads((folder / "clinic.json").read_text())["ports"]
    for port in ports.values():
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return False
    return True


@pytest.mark.timeout(180)
def test_it_runs_goes_on_and_stops_everything_by_itself_or_by_sigterm(tmp_path: Path) -> None:
    process = launch(tmp_path, "--seconds", "8")
    said, _ = process.communicate(timeout=seconds(60))
    assert process.returncode == 0, said
    assert "preparing the clinic: its database" in said
    assert nothing_listens(tmp_path)
    config = tomllib.loads((tmp_path / "config.toml").read_text())
    assert (config["rv"]["route"], config["pacs"]["retrieve"]) == ("relay", "get")
    assert config["dashboard"]["exclude_patient_ids"] == ["$*"]
    assert len(held_sop_instance_uids(tmp_path / "rv")) > 500
    entered = read_statements(load_config(tmp_path / "config.toml").cache_path, PriorityEntry)

    again = launch(tmp_path, "--kill-after", "2")  # the same folder goes on, with the same ports
    assert again.stdout is not None
    assert any("is gone" in line for line in again.stdout)
    assert not (tmp_path / "variansystem.sqlite").exists()
    again.send_signal(signal.SIGTERM)
    assert again.wait(seconds(20)) == 0
    assert nothing_listens(tmp_path)
    assert (tmp_path / "variansystem.sqlite").exists(), "a demonstration gives its database back"
    goes_on = load_config(tmp_path / "config.toml")
    assert goes_on.priorities.rules is not None
    assert {entry.category for entry in entered.all} == {1, 2, 3}
    assert read_statements(goes_on.cache_path, PriorityEntry) == entered
    assert tomllib.loads((tmp_path / "config.toml").read_text())["rv"] == config["rv"]


def test_the_clock_file_is_what_recovery_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimulatedClock(tmp_path / "clock.json", OPENED_AT, 60.0, CHICAGO)
    monkeypatch.setenv("RBRDT_CLOCK", str(clock.path))
    for moment in (OPENED_AT, OPENED_AT.replace(day=23, hour=7)):
        clock.set(moment)
        read = recovery_clock.read_clock().astimezone(CHICAGO).replace(tzinfo=None)
        assert abs((read - moment).total_seconds()) < 60
        assert abs((clock.now() - read).total_seconds()) < 60


def simulation(folder: Path, processes: Processes, at: datetime) -> Simulation:
    workplace = Workplace(folder)
    clinic, database, nodes = workplace.open(1, OPENED_AT, fast=True)
    clock = SimulatedClock(workplace.clock_file, at, 1.0, CHICAGO)
    return Simulation(workplace, clinic, database, nodes, clock, processes, cycle_seconds=1e9)


@pytest.mark.timeout(120)
def test_sessions_reach_archive_and_database_and_a_downtime_stops_them(tmp_path: Path) -> None:
    with Processes(tmp_path / "logs", tmp_path / "clock.json") as processes:
        run = simulation(tmp_path, processes, OPENED_AT)
        run._next_cycle = float("inf")
        run.start_archives()
        before = held_sop_instance_uids(run.workplace.rv_folder)
        run.clock.set(OPENED_AT.replace(hour=16))
        delivered = run.tick()
        assert delivered > 0
        assert len(held_sop_instance_uids(run.workplace.rv_folder)) == len(before) + delivered
        run.kill_rv()
        assert not processes.is_running("rv")
        assert not run.workplace.database_file.exists()
        run.clock.set(OPENED_AT.replace(day=24, hour=12))
        assert run.tick() == 0
        run.restore_rv()
        assert processes.is_running("rv")
        assert run.tick() == 0  # what was missed is still to come
        run.clock.set(OPENED_AT.replace(day=25, hour=16))
        assert run.tick() > 0
        run.close()
    resumed, database, _ = Workplace(tmp_path).open(1, OPENED_AT, fast=True)
    assert [s.starts_at for s in resumed.sessions] == [s.starts_at for s in run.clinic.sessions]
    assert list(resumed.treat_until(run.clock.now())) == []
    assert database.catch_up(resumed) == 0


@pytest.mark.timeout(120)
def test_a_clinic_with_mosaiq_has_its_deliveries_in_the_database_and_no_record_in_an_archive(tmp_path: Path) -> None:
    workplace = Workplace(tmp_path, "mosaiq")
    clinic, database, nodes = workplace.open(1, OPENED_AT, fast=True)
    config = tomllib.loads(workplace.config_file.read_text())
    assert config["rv"]["product"] == "mosaiq"
    assert config["rv"]["database"]["connection"].endswith("mosaiq.sqlite")
    with Processes(tmp_path / "logs", tmp_path / "clock.json") as processes:
        clock = SimulatedClock(workplace.clock_file, OPENED_AT.replace(hour=16), 1.0, CHICAGO)
        run = Simulation(workplace, clinic, database, nodes, clock, processes, cycle_seconds=1e9)
        run._next_cycle = float("inf")
        before = held_sop_instance_uids(workplace.rv_folder)
        assert run.tick() > 0
        assert held_sop_instance_uids(workplace.rv_folder) == before
    records = {record.sop_instance_uid for record in clinic.delivered(datetime.min, clinic.now)}  # noqa: DTZ901
    assert records and not records & (before | held_sop_instance_uids(workplace.pacs_folder))


def test_nights_and_weekends_are_jumped_over_but_never_a_session(tmp_path: Path) -> None:
    nodes = Nodes(*(DicomNode(name, "127.0.0.1", 1) for name in ("DEMO_RV", "RTPACS", "RBRDT")))
    clinic = Clinic(1, OPENED_AT, fast=True)
    evening = OPENED_AT.replace(hour=18)
    clock = SimulatedClock(tmp_path / "clock.json", evening, 1.0, CHICAGO)
    with Processes(tmp_path / "logs", tmp_path / "clock.json") as processes:
        run = Simulation(Workplace(tmp_path), clinic, AriaDatabase(tmp_path / "x"), nodes, clock, processes)
        run._jump_over_nights()
    following = clinic.next_session_after(evening)
    assert following is not None
    assert 0 < (following.starts_at - clock.now()).total_seconds() <= 300
    assert clock.now().weekday() == 0


def test_the_clock_stands_while_a_backup_takes_longer_than_it_does_in_a_clinic(tmp_path: Path) -> None:
    nodes = Nodes(*(DicomNode(name, "127.0.0.1", 1) for name in ("DEMO_RV", "RTPACS", "RBRDT")))
    clock = SimulatedClock(tmp_path / "clock.json", OPENED_AT, 60.0, CHICAGO)
    with Processes(tmp_path / "logs", tmp_path / "clock.json") as processes:
        clinic = Clinic(1, OPENED_AT, fast=True)
        run = Simulation(Workplace(tmp_path), clinic, AriaDatabase(tmp_path / "x"), nodes, clock, processes)
        assert clock.stands, "there is no backup yet"
        processes.start("cycle", "timeit", "import time; time.sleep(60)")
        run._cycle_runs, run._is_first, run._cycle_began = True, False, clock.now()
        run._run_cycle()
        assert not clock.stands
        run._cycle_began -= timedelta(minutes=11)
        run._run_cycle()
        assert clock.stands and clock.now() < OPENED_AT + timedelta(minutes=10)


def test_a_failing_cycle_is_told_and_the_clock_goes_on(tmp_path: Path) -> None:
    workplace = Workplace(tmp_path)
    workplace.config_file.write_text("this is no toml")
    clock = SimulatedClock(workplace.clock_file, OPENED_AT, 1.0, CHICAGO)
    clinic = Clinic(1, OPENED_AT, fast=True)
    nodes = Nodes(*(DicomNode(name, "127.0.0.1", 1) for name in ("DEMO_RV", "RTPACS", "RBRDT")))
    with Processes(tmp_path / "logs", tmp_path / "clock.json") as processes:
        run = Simulation(workplace, clinic, AriaDatabase(tmp_path / "x"), nodes, clock, processes, cycle_seconds=1e9)
        deadline = time.monotonic() + seconds(20)
        while run.last_cycle == "no backup yet" and time.monotonic() < deadline:
            run._run_cycle()
            time.sleep(0.1)
        assert processes.is_running("proof") or processes.exit_status("proof") == 2, "it follows a day's first cycle"
    assert run.last_cycle.startswith("exit ") and not run.clock.stands


def test_ctrl_c_while_the_clinic_is_prepared_ends_it_soon_and_without_a_trace(tmp_path: Path) -> None:
    shown = on_a_terminal("-m", "demo", "--no-dashboard", "--folder", str(tmp_path), until=lambda text: "0 %" in text)
    assert shown.status == 1 and "Traceback" not in shown.text, shown.text
    assert "stopped before the clinic was there" in shown.text and " 100 %" not in shown.text


def test_a_ctrl_c_that_ends_its_processes_first_is_a_stop_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that only starts does not ignore it yet."""

    class Stopped(Exception):
        pass

    def broken(*_: object) -> None:
        raise BrokenProcessPool

    def tell(said: str) -> None:
        if "ended" in said:
            raise Stopped

    monkeypatch.setattr("demo.run.workplace.ProcessPoolExecutor.map", broken)
    with pytest.raises(Stopped):
        Workplace(tmp_path).open(1, OPENED_AT, fast=False, tell=tell)
