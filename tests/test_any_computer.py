"""What Windows lacks is not needed: commands and a page run without it, and names are such as its disks can hold."""

from __future__ import annotations

import errno
import json
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recovery.cache.journal import Journal
from recovery.host import system_windows
from tests.backup_jobs.test_main_job import NOW, course
from tests.clinic import TwoNodes, two_nodes
from tests.forked import PROJECT
from tests.lesser import MODULES, NAMES
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed
from tests.patience import seconds
from tests.relational.made_up import made_up_clinic


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    if not orthanc_is_installed():
        pytest.skip(HOW_TO_INSTALL)
    folder = tmp_path_factory.mktemp("windows")
    with two_nodes(folder) as nodes:
        nodes.extra = '[rv.database]\nconnection = "sqlite:///aria.db"\n'
        nodes.put(course("A1", "BASALT^Osprey", {1: 100.0, 2: 120.0}, 3))
        yield nodes


@pytest.fixture(scope="module")
def walk(clinic: TwoNodes) -> dict[str, Any]:
    """What the whole walk said in a process that lacks what Windows lacks; see `tests.lesser`."""
    database = made_up_clinic("aria", clinic.folder)
    booked = (NOW + timedelta(days=1)).isoformat(" ")  # of the real day: this walk runs by the computer's clock
    database.execute("UPDATE ScheduledActivity SET ScheduledStartTime = ? WHERE ScheduledActivityRevCount = 1", booked)
    database.close()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.lesser", str(clinic.config)],
        cwd=PROJECT, capture_output=True, text=True, check=False, timeout=seconds(40),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said | {"stderr": done.stderr}


def test_cycle_chart_page_and_rebuild_run_where_there_is_no_posix(walk: dict[str, Any], clinic: TwoNodes) -> None:
    assert walk["system"] == "recovery.host.system_windows"
    assert walk["page"]["errors"] == []
    assert "BASALT" in walk["page"]["shown"]
    assert [walk[step] for step in ("chart", "rebuild", "verify")] == [0, 0, 0], walk["stderr"]
    runs = [run for run in Journal(clinic.folder / "cache").runs() if run.job != "snapshot_tables"]
    assert {uid for run in runs for uid in run.unproven} == {"1.2.3"}, "a plan of the database that nobody has"
    assert {run.outcome for run in runs} == {"OK", "PARTIAL"} and walk["cycle"] == walk["second cycle"] == 1
    assert clinic.rv.instances() <= clinic.pacs.instances()
    assert (clinic.folder / "charts.pdf").read_bytes().startswith(b"%PDF")


LONGEST_PATH = 140
"""Of Windows' 260 characters, what a name below the cache's folder may take; the rest is the folder's own."""
CANNOT_BE = re.compile(r'[<>:"\\|?*\x00-\x1f]|[. ]$|(?i:^(con|prn|aux|nul|com\d|lpt\d)(\.|$))')


def test_every_name_that_is_made_can_be_one_on_windows(walk: dict[str, Any], clinic: TwoNodes) -> None:
    paths = [path.relative_to(clinic.folder) for path in (clinic.folder / "cache").rglob("*")]
    assert len(paths) > 40
    assert [path for path in paths if any(CANNOT_BE.search(part) for part in path.parts)] == []
    assert [path for path in paths if len(str(path)) > LONGEST_PATH] == []
    assert [path for path, count in Counter(str(path).lower() for path in paths).items() if count > 1] == []


def test_a_file_that_a_reader_has_open_is_replaced_when_he_is_done_and_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, refusals = Path.replace, [PermissionError(13, "in use")] * 2

    def replace(source: Path, target: Path) -> Path:
        if refusals:
            raise refusals.pop()
        return usual(source, target)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(system_windows, "_PAUSE_SECONDS", 0.01)
    (tmp_path / "new").write_text("new")
    (tmp_path / "file").write_text("old")
    system_windows.move(tmp_path / "new", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "new"
    monkeypatch.setattr(system_windows, "PATIENCE_SECONDS", 0.02)
    refusals += [PermissionError(13, "in use")] * 100
    with pytest.raises(PermissionError, match="in use"):
        system_windows.move(tmp_path / "file", tmp_path / "other")


LACKING = "|".join(rf"{module.__name__}\.({'|'.join(names)})\b" for module, names in NAMES.items())
ONE_SYSTEMS_OWN = re.compile(
    rf"sys\.platform|os\.name\b|hasattr\((os|signal|socket)\b|import ({'|'.join(MODULES)})\b|{LACKING}"
)


def test_only_the_host_asks_which_system_it_is_or_uses_what_windows_lacks() -> None:
    """Beside it the launcher's console, which hears keys."""
    sources = [path for room in ("app", "backup_jobs", "recovery", "demo") for path in (PROJECT / room).rglob("*.py")]
    found = {path.relative_to(PROJECT).as_posix() for path in sources if ONE_SYSTEMS_OWN.search(path.read_text())}
    assert found == {"recovery/host/__init__.py", "recovery/host/system_posix.py", "demo/run/console.py"}


def test_on_windows_too_a_port_at_which_another_listens_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        with pytest.raises(OSError) as refused:
            system_windows.refuse_taken_port(*other.getsockname())
        assert refused.value.errno == errno.EADDRINUSE
