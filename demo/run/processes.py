"""The processes of the demonstration: archives, backup jobs, dashboard. Each is stopped by whom it was started.

How
    Every child has its own session, so that Ctrl-C reaches the launcher alone, which then stops them in order.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from demo.run.simulated_clock import CLOCK_VARIABLE
from recovery.host import system

if TYPE_CHECKING:
    from recovery.dicom.model import DicomNode

ROOT = Path(__file__).resolve().parents[2]
_STOP_SECONDS = 8
DASHBOARD = ROOT / "app" / "main.py"


def free_port(wanted: int = 0) -> int:
    """`wanted` if nobody listens there, else any free port of the loopback interface."""
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", wanted)) as probe:
        return int(probe.getsockname()[1])
    return free_port()


class Processes:
    """What was started, by name. Leaving the `with` block stops it all."""

    def __init__(self, logs: Path, clock_file: Path) -> None:
        self._logs = logs
        self._logs.mkdir(parents=True, exist_ok=True)
        self._environment = {
            **os.environ,
            CLOCK_VARIABLE: str(clock_file),
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(list(self._running)):
            self.stop(name)

    def start(self, name: str, *arguments: str, **environment: str) -> None:
        """Start `python -m …`; what it says goes to `logs/NAME.out` and `logs/NAME.log`."""
        with self._file(name, ".out").open("wb") as out, self._file(name, ".log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", *arguments], stdout=out, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT,
                env=self._environment | environment, **system.APART,
            )  # fmt: skip

    def start_archive(self, name: str, node: DicomNode, folder: Path, peers: list[DicomNode]) -> None:
        told = [part for peer in peers for part in ("--peer", f"{peer.ae_title}={peer.host}:{peer.port}")]
        self.start(
            name, "demo.pacs.archive", "--ae-title", node.ae_title, "--host", node.host, "--port", str(node.port),
            "--folder", str(folder), *told,
        )  # fmt: skip

    def start_dashboard(self, port: int, config: Path, sign_in: str) -> None:
        """`sign_in` is `name:password`, which the sign-in page of a simulated clinic shows."""
        self.start(
            "dashboard", "streamlit", "run", str(DASHBOARD), "--server.port", str(port),
            "--server.address", "127.0.0.1", "--server.headless", "true", "--browser.gatherUsageStats", "false",
            RBRDT_CONFIG=str(config), RBRDT_DEMO_SIGN_IN=sign_in,
        )  # fmt: skip

    def exit_status(self, name: str) -> int | None:
        """None while it runs, or when it was never started."""
        process = self._running.get(name)
        return None if process is None else process.poll()

    def is_running(self, name: str) -> bool:
        return name in self._running and self._running[name].poll() is None

    def process_id(self, name: str) -> int:
        return self._running[name].pid

    def kill(self, name: str) -> None:
        """SIGKILL: as an attacker or a power cut would."""
        process = self._running.get(name)
        if process is not None:
            process.kill()
            process.wait()

    def stop(self, name: str) -> None:
        """Ask it to end; insist after some seconds."""
        process = self._running.pop(name, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def listens(self, name: str) -> bool:
        """Whether an archive has said that it listens."""
        return b"listening" in self._file(name, ".out").read_bytes()

    def last_words(self, name: str) -> str:
        """The last line a process wrote, of a job's JSON its message; '' when it said nothing."""
        for suffix in (".out", ".log"):
            lines = self._file(name, suffix).read_text(encoding="utf-8", errors="replace").strip().splitlines()
            if lines:
                return _message(lines[-1])
        return ""

    def outcomes(self, name: str) -> list[tuple[str, str, str]]:
        """Job, outcome and message of every line of JSON that a run of jobs printed."""
        found = []
        for line in self._file(name, ".out").read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError, TypeError, KeyError):
                said = json.loads(line)
                found.append((str(said["job"]), str(said["outcome"]), str(said.get("message", ""))))
        return found

    def _file(self, name: str, suffix: str) -> Path:
        return self._logs / f"{name}{suffix}"


def _message(line: str) -> str:
    with contextlib.suppress(ValueError, TypeError, KeyError):
        said = json.loads(line)
        return f"{said['job']} {said['outcome']} {said.get('message', '')}".strip()
    return line
