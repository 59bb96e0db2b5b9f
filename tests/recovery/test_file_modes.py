"""What this tool writes is read by its own user, by the group that the config names, and by nobody else."""

from __future__ import annotations

import grp
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from recovery.host.entry_lines import entries_folder
from recovery.settings.config import Config, load_config
from recovery.settings.file_modes import GroupError, keep_private, let_group_read, too_open
from tests.recovery.test_copy_age import CONFIG

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def open_handed() -> Iterator[None]:
    """The umask of most machines, whatever a test before left."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "config.toml").write_text(CONFIG)
    return load_config(tmp_path / "config.toml")


@pytest.mark.parametrize(
    "command",
    [["backup_jobs", "build_on_treatment"], ["backup_jobs", "cycle"], ["recovery", "rebuild"],
     ["recovery", "table", "on_treatment"]],
    ids=" ".join,
)  # fmt: skip
def test_no_command_leaves_a_file_that_others_may_read(config: Config, command: list[str]) -> None:
    subprocess.run(
        [sys.executable, "-m", *command, "--config", config.file], cwd=ROOT, capture_output=True, check=False
    )
    written = [path for path in config.file.parent.rglob("*") if path != config.file]
    assert written or command[-1] == "on_treatment"
    assert [path for path in written if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    assert too_open(config) == []


@pytest.mark.parametrize(
    "module", ["app/main.py", "backup_jobs/__main__.py", "recovery/__main__.py", "demo/__main__.py"]
)
def test_every_entry_point_is_private_before_its_first_file(module: str) -> None:
    text = (ROOT / module).read_text()
    first = text.index("keep_private()")
    assert text.index("def main(") < first
    assert all(first < text.index(later) for later in ("load_config(", "Workplace(") if f"= {later}" in text)


@pytest.mark.parametrize("which", ["cache", "table", "log", "entries", "accounts", "audit", "failed", "config"])
def test_whatever_is_too_open_is_named(config: Config, which: str) -> None:
    keep_private()
    path = {
        "cache": config.cache_path,
        "table": config.cache_path / "tables" / "on_treatment.parquet",
        "log": config.cache_path / "rbrdt.log",
        "entries": entries_folder(config.cache_path) / "priorities.jsonl",
        "accounts": config.accounts_path,
        "audit": config.audit_path,
        "failed": config.lockout_path,
        "config": config.file,
    }[which]
    if which != "config":
        (path if which == "cache" else path.parent).mkdir(parents=True, exist_ok=True)
    if which not in {"cache", "config"}:
        path.write_text("")
    assert too_open(config) == []
    path.chmod({"cache": 0o755, "config": 0o664}.get(which, 0o604))
    (named,) = too_open(config)
    assert str(path) in named


def test_a_group_of_the_config_may_read_the_cache_and_nothing_else(config: Config) -> None:
    group = grp.getgrgid(os.getgid()).gr_name
    config = replace(config, cache=replace(config.cache, group=group))
    keep_private()
    let_group_read(config)
    (config.cache_path / "tables").mkdir()
    table = config.cache_path / "tables" / "on_treatment.parquet"
    table.write_text("")
    assert stat.S_IMODE(table.stat().st_mode) == 0o640
    assert stat.S_IMODE(config.cache_path.stat().st_mode) == 0o2750
    assert table.stat().st_gid == os.getgid()
    assert too_open(config) == []
    table.chmod(0o644)
    assert len(too_open(config)) == 1


def test_a_group_that_there_is_not_is_said(config: Config) -> None:
    with pytest.raises(GroupError, match="nobody-has-this"):
        let_group_read(replace(config, cache=replace(config.cache, group="nobody-has-this")))
