"""What this tool asks of Linux or macOS in its own way; `system_windows` has the same names."""

from __future__ import annotations

import os
import select
import signal
import socket
import stat
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

assert sys.platform != "win32"

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.context import ForkContext
    from pathlib import Path

HAS_MODES = True
APART: Mapping[str, Any] = {"start_new_session": True}
"""What `subprocess.Popen` is given, so that Ctrl-C does not reach the child."""


def forks() -> ForkContext | None:
    """What makes processes that begin as a copy of this one; None on macOS, whose own libraries do not survive it."""
    import multiprocessing

    return multiprocessing.get_context("fork") if sys.platform == "linux" else None


def move(source: Path, target: Path) -> None:
    """Give a file, or a folder, another name; a file of that name is replaced, whoever reads it."""
    source.replace(target)


def sync_folder(path: Path) -> None:
    """fsync a folder: the names in it stay what they are now, also when the power goes."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def mode_of(path: Path) -> int:
    """Who may read and write a file, as bits."""
    return stat.S_IMODE(path.stat().st_mode)


def group_of(path: Path) -> str:
    """The name of a file's group. Raises `KeyError` if it has none."""
    return path.group()


def is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def in_forked_child(act: Callable[[], None]) -> None:
    """Have something done at the beginning of each process that this one forks."""
    os.register_at_fork(after_in_child=act)


STOPS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def no_stop() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until this is left: one that meets a process which is just being forked is never lost,
    nor handled by what the child inherited. The child begins with them held: see `let_stop`."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def let_stop() -> None:
    """In a child that was forked within `no_stop`: SIGTERM ends it at once, Ctrl-C is its parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


def wait_for_hang_up(descriptor: int) -> None:
    """Return when nobody can read any more what is written into a pipe."""
    hung_up = select.poll()
    hung_up.register(descriptor, 0)
    hung_up.poll()


def refuse_taken_port(_host: str, _port: int) -> None:
    """Nothing: whoever listens where another does is told so."""


def acknowledge_at_once(connection: socket.socket) -> None:
    """Have what is received next acknowledged without delay. Linux forgets it after a while, macOS has no such word."""
    if sys.platform == "linux":
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
