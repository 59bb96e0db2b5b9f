"""What a file asks of Windows: as `files_posix`, which it stands in for. Checked by mypy, and never run so far.

A file that is open cannot be replaced there: `journal.prune` waits for a form of its own.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

assert sys.platform == "win32"

import msvcrt  # noqa: E402 - there is none elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_FAR_BEHIND = 1 << 40
"""The byte that is locked: locks keep readers out there, and nobody reads so far."""


def lock(descriptor: int, *, shared: bool = False, wait: bool = True) -> None:  # noqa: ARG001 - no shared ones there
    """Lock an open file until it is closed."""
    while True:
        os.lseek(descriptor, _FAR_BEHIND, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if not wait:
                raise BlockingIOError(*error.args) from error
            time.sleep(0.05)
        else:
            return


def sync_folder(_path: Path) -> None:
    """Nothing: a folder cannot be opened there."""


def is_running(_process_id: int) -> bool:
    """Never: what a process writes cannot be deleted there by another."""
    return False


def in_forked_child(_act: Callable[[], None]) -> None:
    """Nothing: no process forks there."""
