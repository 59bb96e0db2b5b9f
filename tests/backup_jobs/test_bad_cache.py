"""A cache folder that cannot be written: the backup goes on, the old table still reads, and it is said."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from backup_jobs.jobs.job import run_job
from recovery.cache.journal import JobResult
from recovery.cache.journal import _lock_files as lock_files
from recovery.cache.memory import Memory
from recovery.pacs.workspace import Workspace, bare_workspace
from recovery.settings.config import load_config
from tests.clinic import TwoNodes, two_nodes
from tests.forked import PROJECT, run_module
from tests.objects import beam_item, record, uid
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own, mounted where the cache will be."""
    folder = tmp_path / "cache"
    folder.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False).returncode
    ):
        pytest.skip("needs root and the right to mount a tmpfs: run the tests as root")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def clinic(tmp_path: Path, disk: Path) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path) as nodes:
        nodes.put(
            record(uid("plan"), [beam_item(1, 1, 50.0, 50.0)], at=None, PatientID="A1", InstanceCreationDate=ago(2))
        )
        nodes.extra = "[jobs.sync_records]\nfirst_days_back = 3650\n"
        nodes.job("cycle")
        yield nodes


def ago(days: int) -> str:
    """A day of the window, whenever this is run."""
    return f"{date.today() - timedelta(days=days):%Y%m%d}"  # noqa: DTZ011  the days of the machine that is tested


def new_record() -> object:
    return record(uid("plan"), [beam_item(1, 2, 50.0, 50.0)], at=None, PatientID="A1", InstanceCreationDate=ago(1))


def assert_backup_goes_on_and_the_old_table_reads(clinic: TwoNodes, why: str) -> None:
    before = clinic.table()
    clinic.put(new_record())
    status, results = clinic.job("cycle")
    assert results["sync_records"]["outcome"] == "OK" and clinic.pacs.instances() == clinic.rv.instances()
    assert status == 2 and results["build_on_treatment"]["outcome"] == "FAILED"
    assert why in results["build_on_treatment"]["message"]
    assert clinic.table() == before


def test_on_a_read_only_cache(clinic: TwoNodes, disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert_backup_goes_on_and_the_old_table_reads(clinic, "Read-only file system")


def test_on_a_full_disk(clinic: TwoNodes, disk: Path) -> None:
    with contextlib.suppress(OSError), (disk / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    assert_backup_goes_on_and_the_old_table_reads(clinic, "No space left")


def test_where_no_disk_takes_a_lock_nothing_runs_and_it_is_said(clinic: TwoNodes) -> None:
    for file in lock_files(clinic.folder / "cache", "cycle"):
        file.unlink(missing_ok=True)
        file.mkdir()
    status, results = clinic.job("cycle")
    assert status == 2 and "no lock file can be made" in results["cycle"]["message"]


@pytest.mark.parametrize(("number", "said"), [(errno.EROFS, "Read-only file system"), (None, "please report it")])
def test_what_a_disk_refuses_is_no_unexpected_error(clinic: TwoNodes, number: int | None, said: str) -> None:
    def job(_: Workspace) -> JobResult:
        raise OSError(number, "DOE^JOHN.dcm") if number else OSError("DOE^JOHN.dcm")

    config = load_config(clinic.config)
    run = run_job("keep_packs", job, bare_workspace(config, Memory(config.cache_path), datetime.now(UTC)))
    assert run.exit_status == 2 and said in run.result.message and "DOE" not in run.result.message


def test_a_config_with_three_mistakes_exits_2_and_tells_all_three(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    text = (PROJECT / "config.toml").read_text()
    config.write_text(
        text.replace("port = 11104", "port = 0").replace("days_back = 7", "day_back = 7").replace('"relay"', '"rely"')
    )
    for command in (["backup_jobs", "cycle"], ["recovery", "rebuild"]):
        done = run_module(*command, "--config", str(config))
        assert done.returncode == 2 and "3 mistakes" in done.stderr and "Traceback" not in done.stderr
        for key in ("[local] port", "[jobs.sync_records] day_back", "[rv] route"):
            assert key in done.stderr
