"""Jobs, charts, exports and the dashboard need nobody beside the two nodes: in a network that has nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forked import PROJECT
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed
from tests.patience import seconds

APART = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]


def test_everything_runs_on_an_island(tmp_path: Path) -> None:
    if not orthanc_is_installed():
        pytest.skip(HOW_TO_INSTALL)
    try:
        subprocess.run([*APART, "ip", "link", "set", "lo", "up"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this system makes no network namespaces: run the tests as root, with util-linux and iproute2")
    command = [*APART, sys.executable, "-W", "ignore", "-m", "tests.island", str(tmp_path)]
    done = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=seconds(60)
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert [name for name in said["interfaces"] if name not in {"lo", "tunl0", "sit0", "ip6tnl0"}] == []
    assert [said[step] for step in ("cycle", "verify_backup", "chart", "table")] == [0, 0, 0, 0], done.stderr
    assert said["page"]["errors"] == [] and "BASALT" in said["page"]["shown"]
    assert (tmp_path / "charts.pdf").read_bytes().startswith(b"%PDF") and (tmp_path / "list.xlsx").stat().st_size
