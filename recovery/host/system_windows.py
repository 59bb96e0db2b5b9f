"""What this tool asks of Windows in its own way; `system_posix` has the same names.

Run so far on Linux only, in a process that lacks what Windows lacks (`tests/test_any_computer.py`).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

HAS_MODES = False
_NEW_PROCESS_GROUP = 0x200
APART: Mapping[str, Any] = {"creationflags": _NEW_PROCESS_GROUP}
"""What `subprocess.Popen` is given, so that Ctrl-C does not reach the child."""

PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.05


def forks() -> Any:
    """None: no process begins there as a copy of another."""
    return None


def move(source: Path, target: Path) -> None:
    """Give a file, or a folder, another name; a file of that name is replaced.

    Raises `PermissionError` if somebody (a reader, a virus scanner) still has one of them open after
    `PATIENCE_SECONDS`.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            source.rename(target) if source.is_dir() else source.replace(target)
        except PermissionError:
            if time.monotonic() >= until:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def sync_folder(_path: Path) -> None:
    """Nothing: a folder cannot be opened there, and NTFS keeps a journal of names."""


def mode_of(_path: Path) -> int:
    """None: a file has its folder's access list."""
    return 0


def group_of(_path: Path) -> str:
    """Nobody asks: see `mode_of`."""
    raise KeyError


def is_running(_process_id: int) -> bool:
    """Never: what a process writes cannot be deleted there by another."""
    return False


def in_forked_child(_act: Callable[[], None]) -> None:
    """Nothing: no process forks there."""


def no_stop() -> AbstractContextManager[None]:
    """Nothing: no process forks there."""
    return nullcontext()


def let_stop() -> None:
    """Nobody asks: no process forks there."""
    raise NotImplementedError


def wait_for_hang_up(_descriptor: int) -> None:
    """Nobody asks: no process forks there."""
    raise NotImplementedError


def refuse_taken_port(host: str, port: int) -> None:
    """With SO_REUSEADDR, as pynetdicom listens, two listen at one port there, and either may get what is sent.

    Raises `OSError`: With EADDRINUSE, if another listens.
    """
    with socket.create_server((host, port)):
        pass


def acknowledge_at_once(_connection: socket.socket) -> None:
    """Nothing: Windows has it in the registry only (TcpAckFrequency)."""
