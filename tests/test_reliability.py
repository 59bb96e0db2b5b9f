"""A small sample of what `python -m benchmarks.reliability` tries: the whole is for an evening."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.reliability.soak import BEFORE, BYTES_PER_OBJECT, MOST, Measured, Quarter
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


@pytest.mark.parametrize("grown", [*MOST, "bytes_per_object", ""])
def test_a_job_that_takes_more_at_the_end_of_the_quarter_is_named(
    grown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = {"effort": 100.0, "megabytes": 200.0, "files": 20, "bytes_per_object": 250.0}

    def on(day: int, **more: float) -> list[Measured]:
        return [Measured(job, BEFORE + day, **{**usual, **more}) for job in ("cycle", "verify_backup")]  # type: ignore[arg-type]

    quarter = Quarter(None, [one for day in range(90) for one in on(day)])  # type: ignore[arg-type]
    assert quarter.grown(90) == []
    if grown:
        more = {grown: usual[grown] * (MOST.get(grown, BYTES_PER_OBJECT / 250.0) + 0.05)}
        quarter.measured = [one for day in range(90) for one in (on(day, **more) if day > 60 else on(day))]
        assert [said.split(" grew")[0] for said in quarter.grown(90)] == [f"cycle, {grown}", f"verify_backup, {grown}"]
    assert "cycle, megabytes: 200.00 then" in capsys.readouterr().out
