"""What a file asks of Linux or macOS: a lock, a folder on the disk, whether a process is there."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def lock(descriptor: int, *, shared: bool = False, wait: bool = True) -> None:
    """Lock an open file until it is closed; the kernel lets go when the process dies.

    Raises `BlockingIOError` if another has it, without `wait`.
    """
    fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))


def sync_folder(path: Path) -> None:
    """fsync a folder: the names in it stay what they are now, also when the power goes."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


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
