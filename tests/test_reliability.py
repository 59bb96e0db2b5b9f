"""A small sample of what `python -m benchmarks.reliability` tries: the whole is for an evening."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed
from tests.testdata import PROJECT

SEED = os.environ.get("RBRDT_CHAOS_SEED", "8")


@pytest.mark.parametrize(("fault", "tries"), [("bad-input", "200"), ("wire", "1")])
def test_what_is_broken_by_seed_is_refused_healed_or_named(fault: str, tries: str) -> None:
    """In a process of its own: it silences logs and limits memory."""
    if fault != "bad-input" and not orthanc_is_installed():
        pytest.skip(HOW_TO_INSTALL)
    command = [sys.executable, "-m", "benchmarks.reliability", fault, "--tries", tries, "--seed", SEED]
    # with a server of forks of its own: one that outlived it would hold the pipe that is read here
    own = {name: value for name, value in os.environ.items() if name != "RBRDT_TESTS_FORKED"}
    done = subprocess.run(command, cwd=PROJECT, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and tries in done.stdout, done.stdout + done.stderr
