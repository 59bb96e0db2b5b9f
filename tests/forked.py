"""`python -m MODULE ARGUMENTS`, without the second that its imports take.

How
    A process that has imported everything forks one for each command. What is run so has, as when cron starts it, its
    own environment, folder, output and exit status. How a command starts and is stopped is tested on real ones.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Forked:
    """A command that runs; `wait` tells how it ended."""

    pid: int
    connection: socket.socket

    def wait(self, timeout: float) -> int:
        """The exit status, negative for a signal; what has not ended in time is killed."""
        self.connection.settimeout(timeout)
        try:
            return int(self.connection.recv(64))
        except TimeoutError:
            os.kill(self.pid, signal.SIGKILL)
            raise
        finally:
            self.connection.close()


def run_module(
    module: str, *arguments: str, environment: Mapping[str, str] | None = None, timeout: float = 240
) -> subprocess.CompletedProcess[str]:
    """Run it to its end, in the project's folder."""
    with tempfile.TemporaryFile("w+b") as out, tempfile.TemporaryFile("w+b") as err:
        forked = start_module(module, *arguments, environment=environment, out=out.fileno(), err=err.fileno())
        status = forked.wait(timeout)
        said = [(file.seek(0), file.read().decode())[1] for file in (out, err)]
    return subprocess.CompletedProcess([module, *arguments], status, *said)


def start_module(
    module: str, *arguments: str, out: int, err: int, environment: Mapping[str, str] | None = None
) -> Forked:
    """Start it; what it says goes to these file descriptors."""
    # messages stay apart: of a quick command, process number and exit status would be read as one number
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(_server("app") if module == "streamlit" else _server("backup_jobs", "recovery"))
    asked = {"module": module, "arguments": arguments, "environment": dict(environment or os.environ)}
    socket.send_fds(connection, [json.dumps(asked).encode()], [out, err])
    connection.shutdown(socket.SHUT_WR)
    return Forked(int(connection.recv(64)), connection)


@cache
def _server(*packages: str) -> str:
    """The address of a process that has imported these packages: one for a whole run, whoever asks first starts it."""
    folder = shared_folder()
    address = folder / "-".join(packages)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not address.exists():
            _start(address, packages, folder / "alive")
    return str(address)


def shared_folder() -> Path:
    """Where the servers of this run are found; whoever makes it keeps them: they end with that process."""
    if "RBRDT_TESTS_FORKED" not in os.environ:
        folder = Path(tempfile.mkdtemp(prefix="forked-"))
        os.mkfifo(folder / "alive")
        os.open(folder / "alive", os.O_RDWR)  # open until this process ends: then the servers read an end
        os.environ["RBRDT_TESTS_FORKED"] = str(folder)
        atexit.register(_remove, folder, os.getpid())
    return Path(os.environ["RBRDT_TESTS_FORKED"])


def _remove(folder: Path, maker: int) -> None:
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)


def _start(address: Path, packages: tuple[str, ...], alive: Path) -> None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(address))
    listener.listen(64)
    listener.set_inheritable(True)
    command = [sys.executable, "-W", "ignore", "-m", "tests.forked", str(listener.fileno()), *packages]
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
    with alive.open("rb") as until:
        subprocess.Popen(
            command, cwd=PROJECT, env=os.environ | one_thread, stdin=until, stdout=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
        )  # fmt: skip
    listener.close()


def _serve(listener: socket.socket, packages: list[str]) -> None:
    """Fork for each caller until standard input ends; returns in each fork, when its command has ended."""
    import_all(packages)
    if "app" in packages:
        importlib.import_module("streamlit.web.bootstrap")
        look_through_packages_once()
        time.sleep(0.2)  # its threads have ended, and soon the system knows
    gc.freeze()
    assert len(os.listdir("/proc/self/task")) == 1, "a thread does not live on in a fork"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if listener not in ready:
            return None
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return _attend(connection)
        connection.close()


def import_all(packages: Iterable[str]) -> None:
    """Every module of them, and what reading a config needs: a fork has it all."""
    for package in packages:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not module.name.endswith((".__main__", ".main", "_windows")):
                importlib.import_module(module.name)
    importlib.import_module("recovery.settings.config").load_config(PROJECT / "config.toml")
    gc.freeze()


def look_through_packages_once() -> None:
    """Streamlit reads the metadata of every package there is for each server and AppTest: 0.4 s, and finds nothing."""
    scanner = importlib.import_module("streamlit.components.v2.manifest_scanner")
    if not hasattr(scanner.scan_component_manifests, "cache_info"):
        scanner.scan_component_manifests = cache(scanner.scan_component_manifests)  # type: ignore[attr-defined]
    scanner.scan_component_manifests()


def _attend(connection: socket.socket) -> None:
    """Fork the command that is asked for, and tell its end."""
    data, (out, err), _, _ = socket.recv_fds(connection, 1 << 20, 2)
    while more := connection.recv(1 << 20):
        data += more
    asked = json.loads(data)
    child = os.fork()
    if child:
        connection.send(str(child).encode())
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        connection.send(str(status).encode())
        os._exit(0)
    connection.close()
    for target, file in ((0, os.open(os.devnull, os.O_RDONLY)), (1, out), (2, err)):
        os.dup2(file, target)
        os.close(file)
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    sys.argv = [asked["module"], *asked["arguments"]]
    runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
