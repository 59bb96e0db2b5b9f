"""What the tests fork is what a person starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forked import PROJECT, run_module


@pytest.mark.parametrize(
    "command",
    [
        ("backup_jobs", "cycle", "--config", "nowhere.toml"),
        ("recovery", "table", "on_treatment", "--config", "config.toml"),
        ("recovery", "nothing"),
    ],
    ids=" ".join,
)
def test_a_forked_command_says_and_ends_as_one_that_is_started(command: tuple[str, ...], tmp_path: Path) -> None:
    environment = {**os.environ, "RBRDT_CLOCK": str(tmp_path / "no clock"), "COLUMNS": "80"}
    started = subprocess.run(
        [sys.executable, "-m", *command], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    forked = run_module(*command, environment=environment)
    assert started.returncode == 2 and started.stderr and "Traceback" not in started.stderr
    assert (forked.returncode, forked.stdout, forked.stderr) == (started.returncode, started.stdout, started.stderr)
